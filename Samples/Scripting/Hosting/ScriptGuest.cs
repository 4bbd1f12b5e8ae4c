using System.Text;
using WasmJit;

namespace Twig;

/// <summary>The guest: its module, which all engines share, and the exports of an instance as typed delegates.</summary>
internal sealed class ScriptGuest
{
    private static readonly string[] Files =
        ["types", "messages", "values", "lexer", "parser", "interpreter", "compiler", "exports"];

    // Scripts can be stopped in the middle of a loop. What a guest compiles follows the options of the engine it runs on.
    private static readonly Lazy<Module> Shared = new(() =>
        new Engine(new EngineOptions { Interruptible = true }).CompileText(string.Join('\n', Files.Select(ReadResource))));

    private readonly Func<int, int> reserve;

    internal ScriptGuest(Imports imports)
    {
        Instance instance = Shared.Value.Instantiate(imports);
        Memory = instance.GetExport<Memory>("memory");
        Error = instance.GetExport<Tag>("error");
        Syntax = instance.GetExport<Tag>("syntax");
        reserve = instance.GetExport<Func<int, int>>("reserve");
        Run = instance.GetExport<Func<int, object?>>("run");
        Call = instance.GetExport<Func<object?, object, int, object?>>("call");
        Define = instance.GetExport<Action<object, object?, int>>("define");
        Get = instance.GetExport<Func<object, object?>>("get");
        SetThreshold = instance.GetExport<Action<int>>("set_threshold");
        Kind = instance.GetExport<Func<object?, int>>("kind");
        NewNumber = instance.GetExport<Func<double, object>>("new_number");
        Number = instance.GetExport<Func<object?, int, double>>("number");
        NewBoolean = instance.GetExport<Func<int, object?>>("new_boolean");
        NewString = instance.GetExport<Func<int, object>>("new_string");
        NewValues = instance.GetExport<Func<int, object>>("new_values");
        NewList = instance.GetExport<Func<object, object?>>("new_list");
        ListItems = instance.GetExport<Func<object?, object>>("list_items");
        FunctionName = instance.GetExport<Func<object?, object>>("function_name");
    }

    internal Memory Memory { get; }

    internal Tag Error { get; }

    internal Tag Syntax { get; }

    internal Func<int, object?> Run { get; }

    internal Func<object?, object, int, object?> Call { get; }

    internal Action<object, object?, int> Define { get; }

    internal Func<object, object?> Get { get; }

    internal Action<int> SetThreshold { get; }

    internal Func<object?, int> Kind { get; }

    internal Func<double, object> NewNumber { get; }

    internal Func<object?, int, double> Number { get; }

    internal Func<int, object?> NewBoolean { get; }

    internal Func<int, object> NewString { get; }

    internal Func<int, object> NewValues { get; }

    internal Func<object, object?> NewList { get; }

    internal Func<object?, object> ListItems { get; }

    internal Func<object?, object> FunctionName { get; }

    /// <summary>Puts a program's text into the guest's memory. Returns its length in bytes.</summary>
    internal int PutText(string text)
    {
        int address = reserve(Encoding.UTF8.GetByteCount(text));
        return Memory.WriteString((ulong)address, text);
    }

    /// <summary>A resource of this program.</summary>
    internal static string ReadResource(string name)
    {
        string file = Path.HasExtension(name) ? name : name + ".wat";
        using Stream stream = typeof(ScriptGuest).Assembly.GetManifestResourceStream(file)!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
