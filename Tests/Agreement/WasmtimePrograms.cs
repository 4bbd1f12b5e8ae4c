using W = Wasmtime;

namespace WasmJit.Agreement;

/// <summary>
/// Runs random modules on Wasmtime. In a process of its own: its handler of SIGFPE stands before the runtime's, and a division by
/// zero of this engine's code would not get past it.
/// </summary>
internal sealed class WasmtimePrograms
{
    private readonly W.Engine engine = WasmtimeEngine.With(Features.All);
    private readonly W.Module helper;

    internal WasmtimePrograms() => helper = W.Module.FromBytes(engine, "helper", Wat.ToBinary(RandomModule.Helper));

    /// <summary>What the calls of a seed's module come to, a line each.</summary>
    internal List<string> Run(RandomModule program, int seed)
    {
        using var store = new W.Store(engine);
        using var linker = new W.Linker(engine);
        using W.Module module = W.Module.FromBytes(engine, "random", program.Bytes);
        linker.DefineInstance(store, "helper", linker.Instantiate(store, helper));
        W.Instance instance = linker.Instantiate(store, module);
        W.Global fuel = instance.GetGlobal("g0")!;
        var lines = new List<string>();
        foreach ((string name, object[] arguments, int results) in RandomPrograms.CallsOf(program, seed))
        {
            fuel.SetValue(300);
            string outcome;
            try
            {
                object? result = instance.GetFunction(name)!.Invoke([.. arguments.Select(ToBox)]);
                outcome = string.Join(' ', Values.Flatten(result, results).Select(RandomPrograms.Text));
            }
            catch (W.TrapException e)
            {
                outcome = e.Type switch
                {
                    W.TrapCode.MemoryOutOfBounds => nameof(TrapKind.OutOfBoundsMemoryAccess),
                    W.TrapCode.IntegerDivisionByZero => nameof(TrapKind.IntegerDivideByZero),
                    W.TrapCode.BadConversionToInteger => nameof(TrapKind.InvalidConversionToInteger),
                    W.TrapCode.IndirectCallToNull => nameof(TrapKind.UninitializedElement),
                    W.TrapCode.TableOutOfBounds => nameof(TrapKind.UndefinedElement),
                    W.TrapCode.BadSignature => nameof(TrapKind.IndirectCallTypeMismatch),
                    W.TrapCode.Undefined => "exception",
                    var other => other.ToString(),
                };
            }
            catch (W.WasmtimeException)
            {
                outcome = "exception";
            }
            var state = Enumerable.Range(0, 5).Select(i => RandomPrograms.Text(instance.GetGlobal($"g{i}")!.GetValue()));
            lines.Add($"{name}({string.Join(", ", arguments.Select(RandomPrograms.Text))}) = {outcome}, globals {string.Join(' ', state)}, memories "
                + $"{RandomPrograms.Hash(instance.GetMemory("m0")!.GetSpan(0, 65536))} {RandomPrograms.Hash(instance.GetMemory("m1")!.GetSpan(0, 65536))}");
        }
        return lines;
    }

    private static W.ValueBox ToBox(object value) => value switch
    {
        int i => (W.ValueBox)i,
        long l => (W.ValueBox)l,
        float f => (W.ValueBox)f,
        _ => (W.ValueBox)(double)value,
    };
}
