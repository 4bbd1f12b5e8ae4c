using WasmJit.Components;
using WasmJit.Text;

namespace WasmJit.Cli;

/// <summary>A run of a component: of its <c>wasi:cli/run</c>, or of an export that is called.</summary>
internal sealed class ComponentRun(Terminal terminal, string path, WasmComponent component, WasiOptions options, ComponentInstanceOptions limits)
{
    /// <summary>A hint for missing imports.</summary>
    internal const string Missing = "the tool gives WASI 0.2 and 0.3: wasi:cli, clocks, filesystem, io, random and, as far as it is allowed, sockets and http";

    /// <exception cref="WasiExitException">The guest has ended itself.</exception>
    internal int Run(string? export, string[] arguments)
    {
        // What it has open is closed with the process, and a guest that was stopped may be in a write.
        var host = new WasiComponentHost(options);
        if (export is not null) return Invoke(host, export, arguments);
        if (WasiComponentHost.RunExport(component) is null)
            throw new ToolException($"{path} is not a program: it does not export wasi:cli/run", Callable());
        return host.Run(component, limits);
    }

    /// <summary>
    /// Calls an export and prints its result. Arguments stand in parentheses behind the name, or behind the file, in the notation of WAVE either way. An export of
    /// an interface is named by it and a <c>#</c>.
    /// </summary>
    private int Invoke(WasiComponentHost host, string call, string[] arguments)
    {
        int open = call.IndexOf('(', StringComparison.Ordinal);
        string name = open < 0 ? call : call[..open];
        using ComponentInstance instance = host.Instantiate(component, limits);
        ExportedFunction function = Find(instance, name) ?? throw new ToolException($"unknown exported function {TextStrings.Quote(name)}", Callable());
        FunctionType type = function.Function.Type;
        ComponentValue[] values;
        try
        {
            values = open < 0 ? [.. arguments.Zip(type.Parameters, (text, p) => new WaveReader(text).Whole(p.Type))] : new WaveReader(call[open..]).Arguments(type);
        }
        catch (FormatException e)
        {
            throw new ToolException($"{name}: {e.Message}");
        }
        int given = open < 0 ? arguments.Length : values.Length;
        if (given != function.ParameterCount) throw new ToolException($"{name} takes {function.ParameterCount} arguments, not {given}");
        ComponentValue result = function.Call(values);
        if (function.HasResult) terminal.Line(result.ToString());
        return Tool.Success;
    }

    private static ExportedFunction? Find(ComponentInstance instance, string name)
    {
        int hash = name.LastIndexOf('#');
        try
        {
            return hash < 0 ? instance.GetFunction(name) : instance.GetInstance(name[..hash]).GetFunction(name[(hash + 1)..]);
        }
        catch (KeyNotFoundException)
        {
            return null;
        }
    }

    private string Callable()
    {
        const int most = 12;
        string[] names = [.. component.Signature.Exports.SelectMany(Names)];
        return names.Length == 0 ? "it exports no functions" : $"--invoke can call {string.Join(", ", names.Take(most))}{(names.Length > most ? ", ..." : "")}";
    }

    private static IEnumerable<string> Names(ExternItem export) => export.Type.Sort switch
    {
        Sort.Func => [export.Name],
        Sort.Instance => ((ComponentInstanceType)export.Type.Type).Exports.Where(e => e.Type.Sort == Sort.Func).Select(e => $"{export.Name}#{e.Name}"),
        _ => [],
    };
}
