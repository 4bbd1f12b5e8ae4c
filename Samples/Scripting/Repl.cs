using WasmJit;

namespace Twig;

/// <summary>Asks for lines and runs them. A statement may take several lines; Ctrl-C ends what runs.</summary>
/// <param name="engine">Runs them.</param>
/// <param name="input">The lines.</param>
/// <param name="output">Prompts, results and mistakes.</param>
/// <param name="echo">Whether to write what is read, for input that is not a terminal.</param>
public sealed class Repl(ScriptEngine engine, TextReader input, TextWriter output, bool echo)
{
    private readonly Dictionary<string, byte[]> compiled = [];
    private CancellationTokenSource? running;

    /// <summary>Goes on until the input ends.</summary>
    public void Run()
    {
        engine.Compiled += Remember;
        Console.CancelKeyPress += Cancel;
        try
        {
            while (Read() is { } text) Answer(text);
        }
        finally
        {
            engine.Compiled -= Remember;
            Console.CancelKeyPress -= Cancel;
        }
    }

    private void Remember(CompiledFunction function) => compiled[function.Name] = function.Module;

    private void Cancel(object? sender, ConsoleCancelEventArgs e)
    {
        if (running is null) return;
        e.Cancel = true;
        running.Cancel();
    }

    private string? Read()
    {
        output.Write("> ");
        string? line = input.ReadLine();
        if (echo || line is null) output.WriteLine(line);
        return line;
    }

    private void Answer(string text)
    {
        if (text.StartsWith(':'))
        {
            Command(text.Split(' ', StringSplitOptions.RemoveEmptyEntries));
            return;
        }
        while (true)
        {
            try
            {
                using (running = new CancellationTokenSource())
                {
                    object? value = engine.Run(text, running.Token);
                    if (value is not null) output.WriteLine(ScriptValues.Display(value));
                }
                return;
            }
            catch (ScriptSyntaxException e) when (e.IsIncomplete)
            {
                output.Write(". ");
                string? more = input.ReadLine();
                if (echo || more is null) output.WriteLine(more);
                if (string.IsNullOrEmpty(more))
                {
                    output.WriteLine($"error: {e.Message}");
                    return;
                }
                text += "\n" + more;
            }
            catch (Exception e) when (Describe(e) is { } message)
            {
                output.WriteLine(message);
                return;
            }
            finally
            {
                running = null;
            }
        }
    }

    private static string? Describe(Exception exception) => exception switch
    {
        OperationCanceledException => "stopped",
        ScriptException e => $"error: {e.Message}",
        TrapException e => $"trap: {e.Message}",
        NullReferenceException or InvalidProgramException => null,
        Exception e => $"{e.GetType().Name}: {e.Message}",
    };

    private void Command(string[] words)
    {
        switch (words)
        {
            case [":compiled"]:
                foreach ((string name, byte[] module) in compiled) output.WriteLine($"{name}: {module.Length} bytes");
                break;
            case [":wat", var name] when compiled.TryGetValue(name, out byte[]? module):
                output.WriteLine(Wat.FromBinary(module));
                break;
            case [":wat", var name]:
                output.WriteLine($"{name} is not compiled");
                break;
            default:
                output.WriteLine(":compiled    the functions that are compiled");
                output.WriteLine(":wat NAME    the module of one");
                break;
        }
    }
}
