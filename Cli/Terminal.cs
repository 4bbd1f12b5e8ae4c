using Spectre.Console;

namespace WasmJit.Cli;

/// <summary>Where commands write. Colours appear only where a terminal is on the other end.</summary>
internal sealed class Terminal
{
    private readonly IAnsiConsole errors;
    private readonly IAnsiConsole results;
    private readonly TextWriter errorWriter;
    private readonly bool showsProgress;

    internal Terminal(TextWriter output, TextWriter error)
    {
        Out = output;
        IsTerminal = ReferenceEquals(output, Console.Out) && !Console.IsOutputRedirected;
        results = Make(output, IsTerminal);
        errorWriter = error;
        showsProgress = ReferenceEquals(error, Console.Error) && !Console.IsErrorRedirected;
        errors = Make(error, showsProgress);
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

    /// <summary>Does something that may take long. After a second a line says what, on a terminal; it goes when it is done.</summary>
    internal T Progress<T>(string what, Func<T> work)
    {
        if (!showsProgress) return work();
        using var progress = new ProgressLine(errorWriter, what, TimeSpan.FromSeconds(1));
        return work();
    }

    /// <summary>Writes a message that something is wrong.</summary>
    internal void Error(string message) => errors.MarkupLine($"[red]error:[/] {Markup.Escape(message)}");

    /// <summary>Writes what a guest died of, and its functions that were running.</summary>
    internal void Trap(TrapException trap)
    {
        errors.MarkupLine($"[red]trap:[/] {Markup.Escape(trap.Message)}");
        Stack(trap.WasmStack);
    }

    /// <summary>Writes why a guest was stopped, and its functions that were running.</summary>
    internal void Stopped(string reason, IReadOnlyList<WasmFrame> stack)
    {
        errors.MarkupLine($"[yellow]{Markup.Escape(reason)}[/]");
        Stack(stack);
    }

    private void Stack(IReadOnlyList<WasmFrame> stack)
    {
        const int most = 30;
        foreach (WasmFrame frame in stack.Take(most)) errors.WriteLine($"    at {frame}");
        if (stack.Count > most) errors.WriteLine($"    ... {stack.Count - most} more");
    }
}
