using System.Reflection;
using WasmJit.Gc;
using WasmJit.Jit.Operators;

namespace WasmJit.Tests;

/// <summary>
/// What operators are seen to do: a sample runs where memory, table, global and objects hold one thing or another, and what is there afterwards is
/// compared. That owes nothing to the operator's row.
/// </summary>
internal static class OperatorEffects
{
    /// <summary>How much of each memory is looked at.</summary>
    private const int LookedAt = 64;

    /// <summary>What makes a difference to operators that read, by what they read.</summary>
    private static readonly (string Part, Action<Guest> Change)[] Changes =
    [
        // An empty module, and numbers of which no two are the same.
        ("memory", guest =>
        {
            Wat.ToBinary("(module)").CopyTo(guest.Memory.Span);
            for (int i = 8; i < LookedAt; i++) guest.Memory.Span[i] = (byte)(0x31 + (7 * i));
        }),
        // A function's body, and 16 where the first address of operators is: what exchanges expect.
        ("memory", guest => "\0\x20\0\x01\x01\x01\x01\x0b\x10"u8.CopyTo(guest.Memory.Span)),
        // The name of an export, and the numbers that waiting operators expect.
        ("memory", guest =>
        {
            guest.Memory.Span[0] = (byte)'f';
            guest.Shared.Span[0] = 1;
        }),
        ("memory", guest => guest.Memory.Grow(1)),
        ("table", guest => guest.Table[0] = guest.Function),
        ("table", guest => guest.Table.Grow(1)),
        ("global", guest => guest.Global.Value = 5),
        ("field", guest =>
        {
            guest.Struct.Set(0, 5);
            guest.Struct[1] = 0x85;
        }),
        ("element", guest =>
        {
            WasmArray numbers = guest.Numbers, bytes = guest.Bytes, functions = guest.Functions;
            numbers[0] = 5;
            bytes[0] = 0x85;
            functions[0] = guest.Function;
        }),
    ];

    private static readonly Dictionary<string, (OpTraits Reads, OpTraits Writes)> Parts = new()
    {
        ["memory"] = (OpTraits.ReadsMemory, OpTraits.WritesMemory),
        ["table"] = (OpTraits.ReadsTable, OpTraits.WritesTable),
        ["global"] = (OpTraits.ReadsGlobal, OpTraits.WritesGlobal),
        ["field"] = (OpTraits.ReadsField, OpTraits.WritesField),
        ["element"] = (OpTraits.ReadsElement, OpTraits.WritesElement),
    };

    /// <summary>The traits that <see cref="Of"/> finds.</summary>
    internal static OpTraits Found => Parts.Values.Aggregate(
        OpTraits.Calls | OpTraits.Throws | OpTraits.Signed | OpTraits.Unsigned, (all, part) => all | part.Reads | part.Writes);

    /// <summary>The place of the outcome: a result, or an exception.</summary>
    private const string Outcome = "outcome";

    /// <summary>An instance of a sample's module, and what can be seen of it.</summary>
    private sealed class Guest(Instance instance) : IDisposable
    {
        internal Memory Memory { get; } = instance.GetExport<Memory>("memory");

        internal Memory Shared { get; } = instance.GetExport<Memory>("shared");

        internal Table Table { get; } = instance.GetExport<Table>("table");

        internal Global Global { get; } = instance.GetExport<Global>("global");

        internal WasmStruct Struct { get; } = (WasmStruct)instance.GetExport<Global>("struct").Value!;

        internal WasmArray Numbers { get; } = WasmArray.Of(instance.GetExport<Global>("numbers").Value!);

        internal WasmArray Bytes { get; } = WasmArray.Of(instance.GetExport<Global>("bytes").Value!);

        internal WasmArray Functions { get; } = WasmArray.Of(instance.GetExport<Global>("functions").Value!);

        internal Delegate Function { get; } = instance.GetExport<Func<int, int>>("id");

        /// <summary>What each place holds. The first word of a place's name says what it belongs to.</summary>
        internal Dictionary<string, string> Places()
        {
            var places = new Dictionary<string, string>
            {
                ["memory size"] = $"{Memory.PageCount}",
                ["table size"] = $"{Table.Size}",
                ["global"] = $"{Global.Value}",
                ["field n"] = $"{Struct[0]}",
                ["field p"] = $"{Struct[1]}",
            };
            for (int i = 0; i < LookedAt; i++)
            {
                places[$"memory {i}"] = $"{Memory.Span[i]}";
                places[$"memory shared {i}"] = $"{Shared.Span[i]}";
            }
            for (int i = 0; i < 4; i++)
            {
                places[$"table {i}"] = Table[i] is null ? "null" : "function";
                places[$"element number {i}"] = $"{Numbers[i]}";
                places[$"element byte {i}"] = $"{Bytes[i]}";
                places[$"element function {i}"] = Functions[i] is null ? "null" : "function";
            }
            return places;
        }

        /// <summary>Runs the sample. Of results that are references the type is enough.</summary>
        internal string Run()
        {
            object run = instance.FindExport("run")!;
            try
            {
                object? result = run.GetType().GetMethod("Invoke")!.Invoke(run, BindingFlags.DoNotWrapExceptions, null, null, null);
                return result is ValueType ? result.ToString()! : result is Delegate ? "function" : result?.GetType().ToString() ?? "nothing";
            }
            catch (Exception e)
            {
                return $"{e.GetType().Name}: {e.Message}";
            }
        }

        public void Dispose() => instance.Dispose();
    }

    /// <summary>What was there before a sample ran, and afterwards, with its outcome.</summary>
    private sealed record Observed(Dictionary<string, string> Before, Dictionary<string, string> After);

    private static Observed Observe(Module module, Action<Guest>? change)
    {
        using var guest = new Guest(module.Instantiate(fuel: module.Engine.Options.CountFuel ? new Fuel(1_000_000) : null));
        change?.Invoke(guest);
        Dictionary<string, string> before = guest.Places();
        string outcome = guest.Run();
        Dictionary<string, string> after = guest.Places();
        after[Outcome] = outcome;
        return new Observed(before, after);
    }

    private static void ChangeAll(Guest guest)
    {
        foreach ((_, Action<Guest> change) in Changes) change(guest);
    }

    /// <summary>Keeps the classes of the objects, which are made once as long as an object is there.</summary>
    private static readonly Guest Kept = new(new Engine(Tiers.Interpreted).CompileText(OperatorSamples.WithRun(OperatorTable.Of(OpId.Nop))).Instantiate());

    /// <summary>What becomes of all places, and the outcome, for a comparison of engines.</summary>
    internal static string Describe(Engine engine, Operator op)
    {
        Module module = engine.CompileText(OperatorSamples.WithRun(op));
        GC.KeepAlive(Kept);
        return string.Join('\n', new Action<Guest>?[] { null, ChangeAll }.Select(
            change => string.Join(", ", Observe(module, change).After.Select(place => $"{place.Key}: {place.Value}"))));
    }

    /// <summary>The traits that an operator is seen to have.</summary>
    internal static OpTraits Of(Engine engine, Operator op)
    {
        Module module = engine.CompileText(OperatorSamples.WithRun(op)), other = engine.CompileText(OperatorSamples.WithRun(op, isOther: true));
        Observed first = Observe(module, null);
        OpTraits seen = WrittenIn(first) | SeenIn(first);
        foreach ((string part, Action<Guest> change) in Changes)
        {
            Observed changed = Observe(module, change);
            seen |= WrittenIn(changed) | SeenIn(changed);
            // What was the same before, and is not afterwards, depends on what was changed.
            if (changed.After.Any(place => first.Before.GetValueOrDefault(place.Key) == changed.Before.GetValueOrDefault(place.Key) && first.After[place.Key] != place.Value))
                seen |= Parts[part].Reads;
        }
        foreach (Action<Guest>? change in new Action<Guest>?[] { null, ChangeAll })
            if (Observe(module, change).After[Outcome] != Observe(other, change).After[Outcome]) seen |= OpTraits.Calls;
        return seen;
    }

    private static OpTraits WrittenIn(Observed observed)
    {
        var written = OpTraits.None;
        foreach ((string place, string value) in observed.Before)
            if (observed.After[place] != value) written |= Parts[place.Split(' ')[0]].Writes;
        return written;
    }

    /// <summary>What an outcome says: an exception of the guest's, or the number that became of a smaller one with its sign bit set.</summary>
    private static OpTraits SeenIn(Observed observed) => observed.After[Outcome] switch
    {
        "-123" or "-31355" or "-1" => OpTraits.Signed,
        "133" or "34181" or "2147483647" => OpTraits.Unsigned,
        string outcome when outcome.StartsWith(nameof(WasmException), StringComparison.Ordinal) => OpTraits.Throws,
        _ => OpTraits.None,
    };
}
