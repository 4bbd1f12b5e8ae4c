using WasmJit.Fuzz;
using WasmJit.Jit.Binary;
using W = Wasmtime;

namespace WasmJit.Agreement;

/// <summary>
/// Runs random modules on Wasmtime. In a process of its own: its handler of SIGFPE stands before the runtime's, and a division by
/// zero of this engine's code would not get past it.
/// </summary>
internal sealed class WasmtimePrograms
{
    private readonly W.Engine engine = WasmtimeEngine.With(Features.All);
    private readonly W.Module helper, host;

    internal WasmtimePrograms()
    {
        helper = W.Module.FromBytes(engine, "helper", Wat.ToBinary(NumberModule.Helper));
        host = W.Module.FromBytes(engine, "host", Wat.ToBinary(HostModule.Text));
    }

    /// <summary>What the calls of a seed's module come to, a line each.</summary>
    internal List<string> Run(byte[] program, int seed)
    {
        using var store = new W.Store(engine);
        using var linker = new W.Linker(engine);
        using W.Module module = W.Module.FromBytes(engine, "random", program);
        linker.DefineInstance(store, "helper", linker.Instantiate(store, helper));
        linker.DefineInstance(store, "host", linker.Instantiate(store, host));
        W.Instance instance = linker.Instantiate(store, module);
        W.Global fuel = instance.GetGlobal("g0")!;
        var lines = new List<string>();
        ModuleInfo info = ModuleDecoder.Decode(program);
        var exports = info.Exports.Select(e => new ExportType(e.Name, info.TypeOf(e.Kind, e.Index)));
        foreach ((string name, object?[] arguments, int results) in ModuleRunner.Calls(exports, seed, true))
        {
            fuel.SetValue(300);
            string outcome;
            try
            {
                object? result = instance.GetFunction(name)!.Invoke([.. arguments.Select(a => ToBox(a!))]);
                outcome = string.Join(' ', Values.Flatten(result, results).Select(ModuleRunner.Text));
            }
            catch (W.TrapException e)
            {
                outcome = e.Type switch
                {
                    W.TrapCode.MemoryOutOfBounds => nameof(TrapKind.OutOfBoundsMemoryAccess),
                    W.TrapCode.ArrayOutOfBounds => nameof(TrapKind.OutOfBoundsArrayAccess),
                    W.TrapCode.IntegerDivisionByZero => nameof(TrapKind.IntegerDivideByZero),
                    W.TrapCode.BadConversionToInteger => nameof(TrapKind.InvalidConversionToInteger),
                    W.TrapCode.IndirectCallToNull => nameof(TrapKind.UninitializedElement),
                    W.TrapCode.TableOutOfBounds => nameof(TrapKind.OutOfBoundsTableAccess),
                    W.TrapCode.BadSignature => nameof(TrapKind.IndirectCallTypeMismatch),
                    W.TrapCode.UncaughtException or W.TrapCode.Undefined => "exception",
                    var other => other.ToString(),
                };
            }
            catch (W.WasmtimeException)
            {
                outcome = "exception";
            }
            var globals = Enumerable.Range(0, 5).Select(i => instance.GetGlobal($"g{i}")!.GetValue());
            var memories = Enumerable.Range(0, 2).Select(i => Hash(instance.GetMemory($"m{i}")!));
            lines.Add(ModuleRunner.Line(name, arguments, outcome, globals, memories));
        }
        return lines;
    }

    private static ulong Hash(W.Memory memory) => ModuleRunner.Hash(memory.GetSpan(0, (int)memory.GetLength()));

    private static W.ValueBox ToBox(object value) => value switch
    {
        int i => (W.ValueBox)i,
        long l => (W.ValueBox)l,
        float f => (W.ValueBox)f,
        _ => (W.ValueBox)(double)value,
    };
}
