using WasmJit;

namespace Twig;

/// <summary>The language on the command line.</summary>
public static class Program
{
    private const string Usage = """
        twig [OPTIONS] [FILE...]    runs programs, one after the other; without any it asks for lines

          --no-jit     interprets only
          --trace      says what is compiled
          --wat        shows it too, as WebAssembly text
          --speed      runs the programs of the sample interpreted and compiled
        """;

    /// <summary>The entry point. 0 if all went well, 1 if a program failed, 2 for unknown options.</summary>
    public static int Main(string[] arguments)
    {
        var options = arguments.Where(a => a.StartsWith("--", StringComparison.Ordinal)).ToHashSet();
        string[] files = [.. arguments.Where(a => !a.StartsWith("--", StringComparison.Ordinal))];
        bool jit = !options.Remove("--no-jit"), wat = options.Remove("--wat"), trace = options.Remove("--trace"), speed = options.Remove("--speed");
        if (options.Count > 0)
        {
            Console.Error.WriteLine(Usage);
            return options.Contains("--help") ? 0 : 2;
        }
        if (speed)
        {
            Speed.Run(Console.Out);
            return 0;
        }
        ScriptEngine engine = Library.NewEngine(Console.Out, jit);
        if (trace || wat) engine.Compiled += f => Show(f, wat);
        if (files.Length == 0)
        {
            new Repl(engine, Console.In, Console.Out, echo: Console.IsInputRedirected).Run();
            return 0;
        }
        foreach (string file in files)
        {
            if (Try(() => engine.Run(File.ReadAllText(file))) is not { } error) continue;
            Console.Error.WriteLine($"{file}: {error}");
            return 1;
        }
        return 0;
    }

    /// <summary>Runs something; what goes wrong as text.</summary>
    internal static string? Try(Action action)
    {
        try
        {
            action();
            return null;
        }
        catch (OperationCanceledException)
        {
            return "stopped";
        }
        catch (Exception e) when (e is not (NullReferenceException or InvalidProgramException))
        {
            return e.Message;
        }
    }

    private static void Show(CompiledFunction function, bool wat)
    {
        Console.WriteLine($"compiled {function.Name}: {function.Module.Length} bytes");
        if (wat) Console.WriteLine(Wat.FromBinary(function.Module));
    }
}
