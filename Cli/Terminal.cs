using Spectre.Console;
using WasmJit.Linking;
using WasmJit.Wasi;

namespace WasmJit.Cli;

/// <summary>
/// Where commands write. Colours appear on terminals only. All output may contain text of a guest, so
/// it goes through <see cref="Printable"/>, except for <see cref="Out"/>.
/// </summary>
internal sealed class Terminal
{
    private readonly TextWriter errorWriter;

    // Made when there is something to write: most programs that run have no message of the tool's.
    private readonly Lazy<IAnsiConsole> lazyErrors;
    private readonly Lazy<IAnsiConsole> lazyResults;

    internal Terminal(TextWriter output, TextWriter error)
    {
        Out = output;
        errorWriter = error;
        lazyResults = new Lazy<IAnsiConsole>(() => Make(Out, IsTerminal));
        lazyErrors = new Lazy<IAnsiConsole>(() => Make(errorWriter, ShowsProgress));
    }

    /// <summary>The standard output, for printed modules. The printer has escaped their names.</summary>
    internal TextWriter Out { get; }

    internal bool IsTerminal => Out is StandardWriter { IsTerminal: true };

    private bool ShowsProgress => errorWriter is StandardWriter { IsTerminal: true };

    private IAnsiConsole Errors => lazyErrors.Value;

    private IAnsiConsole Results => lazyResults.Value;

    /// <summary>The width of a line in columns. Without a terminal it is enough for three listings.</summary>
    internal int Width => IsTerminal ? Math.Max(60, Console.WindowWidth) : 160;

    /// <summary>Writes bytes to the standard output, which must not be a terminal.</summary>
    /// <exception cref="ToolException">It is one.</exception>
    internal void WriteBinary(Action<Stream> write)
    {
        if (IsTerminal) throw NoBinary();
        // A closed output gets nothing. Its number is that of a pipe of .NET's own.
        if (!StandardStreams.IsOpen(1)) return;
        Out.Flush();
        using Stream stream = Console.OpenStandardOutput();
        write(stream);
    }

    /// <summary>Writes a file whole or not at all, or the standard output if the path is "-".</summary>
    /// <exception cref="ToolException">The standard output is a terminal.</exception>
    internal void WriteFile(string path, byte[] content) => WriteFile(path, stream => stream.Write(content));

    /// <summary>The same of what is written piece by piece.</summary>
    /// <exception cref="ToolException">The standard output is a terminal.</exception>
    internal void WriteFile(string path, Action<Stream> write)
    {
        CheckTarget(path);
        if (path == "-")
        {
            WriteBinary(write);
            return;
        }
        OutputFile.Write(path, write);
    }

    /// <summary>Refuses a file that <see cref="WriteFile(string, byte[])"/> could not write, before the work for it is done.</summary>
    /// <exception cref="ToolException">It is the standard output, and that a terminal.</exception>
    /// <exception cref="IOException">There is no such directory, or the path is that of one.</exception>
    internal void CheckTarget(string path)
    {
        if (path.Length == 0) throw new ToolException("the name of the file to write is empty");
        if (path != "-") OutputFile.Check(path);
        else if (IsTerminal) throw NoBinary();
    }

    private static ToolException NoBinary() => new("a binary is not written to a terminal", "give a file with -o, or a pipe");

    private static IAnsiConsole Make(TextWriter writer, bool isTerminal)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = isTerminal ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = isTerminal ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(writer is StandardWriter standard ? standard.Opened : writer),
        });
        // Callers may match lines, so nothing is wrapped.
        console.Profile.Width = short.MaxValue;
        return console;
    }

    private static string Shown(string text) => Markup.Escape(Printable.Text(text));

    /// <summary>Writes a line of results.</summary>
    internal void Line(string text = "") => Out.WriteLine(Printable.Text(text));

    /// <summary>Writes a line of results in a style such as "green" or "bold".</summary>
    internal void Line(string text, string style)
    {
        if (IsTerminal) Results.MarkupLine($"[{style}]{Shown(text)}[/]");
        else Line(text);
    }

    /// <summary>Runs something that may take long. On a terminal a status line appears after a second, until it is done.</summary>
    internal T Progress<T>(string what, Func<T> work)
    {
        if (!ShowsProgress) return work();
        using var progress = new ProgressLine(errorWriter, Printable.Text(what), TimeSpan.FromSeconds(1));
        return work();
    }

    /// <summary>Writes an error message with an optional hint.</summary>
    internal void Error(string message, string? help, IReadOnlyList<string> items)
    {
        Errors.MarkupLine($"[red]error:[/] {Shown(message)}");
        foreach (string item in items) Errors.WriteLine("  " + Printable.Text(item));
        if (help is not null) Errors.MarkupLine($"[blue]help:[/] {Shown(help)}");
    }

    /// <summary>Writes a remark beside the results.</summary>
    internal void Note(string text) => Errors.WriteLine(Printable.Text(text));

    /// <summary>Writes what went wrong in the tool itself.</summary>
    internal void Crashed(Exception exception)
    {
        Errors.MarkupLine($"[red]internal error:[/] {Shown(exception.GetType().Name)}: {Shown(exception.Message)}");
        foreach (string line in (exception.StackTrace ?? "").Split('\n')) Errors.WriteLine(Printable.Text(line.TrimEnd('\r')));
        Errors.MarkupLine("[blue]help:[/] this is a fault of the tool; please report it with the command line and the module");
    }

    /// <summary>Writes the cause of a guest's end, and its stack.</summary>
    internal void Died(string of, string message, IReadOnlyList<WasmFrame> stack)
    {
        Errors.MarkupLine($"[red]{of}:[/] {Shown(message)}");
        Stack(stack);
    }

    /// <summary>Writes why a guest was stopped, and its stack.</summary>
    internal void Stopped(string reason, IReadOnlyList<WasmFrame> stack)
    {
        Errors.MarkupLine($"[yellow]{Shown(reason)}[/]");
        Stack(stack);
    }

    /// <summary>Writes why a request failed, and the guest's stack. Several may fail at once.</summary>
    internal void GuestFailed(string request, Exception reason)
    {
        lock (errorWriter)
        {
            Errors.MarkupLine($"[red]{Shown(request)}:[/] {Shown(reason.Message)}");
            Stack((reason.InnerException ?? reason) switch { TrapException trap => trap.WasmStack, GuestCanceledException stopped => stopped.WasmStack, _ => [] });
        }
    }

    /// <summary>Equal frames that follow each other are one line.</summary>
    private void Stack(IReadOnlyList<WasmFrame> stack)
    {
        const int most = 30;
        for (int i = 0, lines = 0; i < stack.Count; lines++)
        {
            if (lines == most)
            {
                Errors.WriteLine($"    ... {stack.Skip(i).Sum(f => Math.Max(1, f.Omitted))} more");
                return;
            }
            int same = 1;
            List<string> functions = stack[i].Lines();
            while (i + same < stack.Count && stack[i + same] == stack[i]) same++;
            for (int j = 0; j < functions.Count; j++)
            {
                bool isLast = j == functions.Count - 1;
                Errors.WriteLine($"    {(stack[i].Omitted == 0 ? "at " : "")}{Printable.Text(functions[j])}{(isLast && same > 1 ? $" ({same} times)" : "")}");
            }
            i += same;
        }
    }
}
