using Spectre.Console;

namespace WasmJit.Cli;

/// <summary>Where commands write. Colours appear only where a terminal is on the other end.</summary>
internal sealed class Terminal
{
    private readonly IAnsiConsole errors;
    private readonly IAnsiConsole results;

    internal Terminal(TextWriter output, TextWriter error)
    {
        Out = output;
        IsTerminal = ReferenceEquals(output, Console.Out) && !Console.IsOutputRedirected;
        results = Make(output, IsTerminal);
        errors = Make(error, ReferenceEquals(error, Console.Error) && !Console.IsErrorRedirected);
    }

    /// <summary>The standard output, for text without colours.</summary>
    internal TextWriter Out { get; }

    internal bool IsTerminal { get; }

    /// <summary>The columns that fit on a line; enough for three listings where no terminal sets a limit.</summary>
    internal int Width => IsTerminal ? Math.Max(60, Console.WindowWidth) : 160;

    private static IAnsiConsole Make(TextWriter writer, bool isTerminal)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = isTerminal ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = isTerminal ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(writer),
        });
        // Lines are what a caller may match: nothing is wrapped.
        console.Profile.Width = short.MaxValue;
        return console;
    }

    /// <summary>Writes a line of results.</summary>
    internal void Line(string text = "") => Out.WriteLine(text);

    /// <summary>Writes a line of results in a style such as "green" or "bold".</summary>
    internal void Line(string text, string style)
    {
        if (IsTerminal) results.MarkupLine($"[{style}]{Markup.Escape(text)}[/]");
        else Out.WriteLine(text);
    }

    /// <summary>Writes a message that something is wrong.</summary>
    internal void Error(string message) => errors.MarkupLine($"[red]error:[/] {Markup.Escape(message)}");

    /// <summary>Writes what a guest died of, and its functions that were running.</summary>
    internal void Trap(TrapException trap)
    {
        errors.MarkupLine($"[red]trap:[/] {Markup.Escape(trap.Message)}");
        const int most = 30;
        foreach (WasmFrame frame in trap.WasmStack.Take(most)) errors.WriteLine($"    at {frame}");
        if (trap.WasmStack.Count > most) errors.WriteLine($"    ... {trap.WasmStack.Count - most} more");
    }
}
