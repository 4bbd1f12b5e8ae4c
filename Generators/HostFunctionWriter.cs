using WasmJit.Linking;

namespace WasmJit.Generators;

/// <summary>
/// Writes functions for guests: over WebAssembly's types, they call a method or delegate. Texts, arrays and structs are in the caller's memory. The
/// library makes the same at run time (<c>HostObject</c>).
/// </summary>
internal sealed class HostFunctionWriter(MemberModel target)
{
    private const string HostCall = "global::WasmJit.Generated.HostCall.";

    /// <summary>What they call.</summary>
    internal MemberModel Target => target;

    private const string Caller = "global::WasmJit.Caller";

    private bool TakesCaller => target.Parameters.FirstOrDefault()?.Type.Plain == Caller;

    private bool TakesToken => target.Parameters.LastOrDefault()?.Type.Plain == "global::System.Threading.CancellationToken";

    /// <summary>Whether a task is waited for, since what it gives is converted.</summary>
    private bool Waits => target.Type is { IsTask: true, Awaited.IsHostForm: false };

    /// <summary>What is given to the guest, before it is converted.</summary>
    private TypeModel Result => Waits ? target.Type.Awaited! : target.Type;

    private bool ReturnsMemory => Result.Kind is Crossing.Text or Crossing.Array or Crossing.ReadOnlySpan;

    private IEnumerable<ParameterModel> Values => target.Parameters.Skip(TakesCaller ? 1 : 0).Take(target.Parameters.Count - (TakesCaller ? 1 : 0) - (TakesToken ? 1 : 0));

    private bool NeedsCaller => TakesCaller || ReturnsMemory || Values.Any(p => Conventions.IsInMemory(p.Type.Kind));

    /// <summary>What the library would say of it; null if it can be imported.</summary>
    internal string? Problem()
    {
        if (HostParameters().Count > 16) return "it has too many parameters";
        foreach (ParameterModel parameter in Values)
        {
            if (parameter.Type.Plain == Caller) return Conventions.CallerComesFirst;
            if (parameter.IsReference || parameter.Type.Kind == Crossing.None) return Conventions.ParameterCannotCross(parameter.Name, parameter.Type.Message);
        }
        TypeModel? result = target.Type.IsTask ? target.Type.Awaited : target.Type;
        if (result is null || result.IsVoid) return null;
        bool crosses = result.Tuple is not null ? result.IsHostForm : result.Kind is not (Crossing.None or Crossing.Struct or Crossing.Span);
        return !crosses ? Conventions.ResultCannotCross(target.Type.Message) : null;
    }

    private List<(string Type, string Name)> HostParameters()
    {
        var all = new List<(string, string)>();
        if (NeedsCaller) all.Add(("global::WasmJit.Caller", "wasmCaller"));
        int number = 0;
        foreach (ParameterModel parameter in Values)
        {
            if (!Conventions.IsInMemory(parameter.Type.Kind))
            {
                all.Add((parameter.Type.HostCode, $"value{number++}"));
                continue;
            }
            all.Add(("int", $"value{number++}"));
            if (parameter.Type.Kind != Crossing.Struct) all.Add(("int", $"length{number - 1}"));
        }
        if (TakesToken) all.Add(("global::System.Threading.CancellationToken", "wasmToken"));
        return all;
    }

    private string? HostResult => Result.IsVoid ? null : ReturnsMemory ? "(int, int)" : Result.IsTask || Result.Tuple is not null ? Result.Plain : Result.HostCode;

    internal string DelegateCode => MemberModel.DelegateOf([.. HostParameters().Select(p => p.Type)], HostResult);

    private string Arguments()
    {
        var all = new List<string>();
        if (TakesCaller) all.Add("wasmCaller");
        int number = 0;
        foreach (ParameterModel parameter in Values)
        {
            string value = $"value{number}", place = $"(wasmCaller, value{number}, length{number})";
            number++;
            all.Add(parameter.Type.Kind switch
            {
                Crossing.Text => $"{HostCall}TextAt{place}",
                Crossing.Array => $"{HostCall}ArrayAt<{parameter.Type.Item}>{place}",
                Crossing.Span => $"{HostCall}SpanAt<{parameter.Type.Item}>{place}",
                Crossing.ReadOnlySpan => $"{HostCall}ReadOnlySpanAt<{parameter.Type.Item}>{place}",
                Crossing.Struct => $"{HostCall}StructAt<{parameter.Type.Plain}>(wasmCaller, {value})",
                _ => parameter.Type.FromHost(value),
            });
        }
        if (TakesToken) all.Add("wasmToken");
        return string.Join(", ", all);
    }

    private string Value(string call) => Result.IsTask || Result.Tuple is not null ? call : Result.Kind switch
    {
        Crossing.Value => Result.ToHost(call),
        Crossing.Text => $"{HostCall}PassText({call}, wasmCaller)",
        Crossing.Array => $"{HostCall}PassArray<{Result.Item}>({call}, wasmCaller)",
        Crossing.ReadOnlySpan => $"{HostCall}PassSpan<{Result.Item}>({call}, wasmCaller)",
        _ => call,
    };

    /// <summary>Writes it as a method.</summary>
    /// <param name="code">Where it is written.</param>
    /// <param name="name">The method's name.</param>
    /// <param name="call">The call with its arguments.</param>
    /// <param name="isIdle">When nothing is called, and zeros are returned; null if that is never so.</param>
    internal void WriteMethod(CodeWriter code, string name, Func<string, string> call, string? isIdle = null)
    {
        string called = call(Arguments()), value = Value(Waits ? $"{HostCall}Wait({called})" : called);
        code.Open($"private {HostResult ?? "void"} {name}({string.Join(", ", HostParameters().Select(p => $"{p.Type} {p.Name}"))})");
        if (isIdle is not null) code.Line($"if ({isIdle}) return{(HostResult is null ? "" : " default!")};");
        if (Waits)
        {
            code.Line($"global::System.Threading.SynchronizationContext? wasmContext = {HostCall}BeginWait();");
            code.Open("try");
            code.Line($"return {value};");
            code.CloseTry($"{HostCall}EndWait(wasmContext);");
        }
        else
        {
            code.Line($"{(HostResult is null ? "" : "return ")}{value};");
        }
        code.Close();
    }
}
