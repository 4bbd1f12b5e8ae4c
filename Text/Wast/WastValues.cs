using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace WasmJit.Text;

/// <summary>Turns values of scripts into .NET values and compares results with patterns.</summary>
internal static class WastValues
{
    internal static object? ToHost(WastValue value) => value switch
    {
        WastNumber { Kind: ValKind.I32 } n => (int)n.Bits,
        WastNumber { Kind: ValKind.I64 } n => (long)n.Bits,
        WastNumber { Kind: ValKind.F32 } n => BitConverter.UInt32BitsToSingle((uint)n.Bits),
        WastNumber { Kind: ValKind.F64 } n => BitConverter.UInt64BitsToDouble(n.Bits),
        WastVector v => Vector(v),
        WastReference { Kind: "null" } => null,
        WastReference { Number: { } number } => new HostReference(number),
        _ => throw new NotSupportedException($"{value} cannot be passed."),
    };

    private static Vector128<byte> Vector(WastVector vector)
    {
        Span<byte> bytes = stackalloc byte[16];
        int at = 0;
        foreach (WastNumber lane in vector.Lanes)
            for (int b = 0; b < vector.LaneBits; b += 8) bytes[at++] = (byte)(lane.Bits >> b);
        return Vector128.Create<byte>(bytes);
    }

    /// <summary>The results of a call: none, one, or the items of a tuple.</summary>
    internal static object?[] Flatten(object? result, int count)
    {
        if (count == 0) return [];
        if (count == 1) return [result];
        if (result is object?[] several) return several;
        var tuple = (ITuple)result!;
        var items = new object?[count];
        for (int i = 0; i < count; i++) items[i] = tuple[i];
        return items;
    }

    internal static bool Matches(object? actual, WastValue expected)
    {
        switch (expected)
        {
            case WastEither either: return either.Choices.Any(choice => Matches(actual, choice));
            case WastNumber number:
                return actual switch
                {
                    int i when number.Kind == ValKind.I32 => (uint)i == (uint)number.Bits,
                    long l when number.Kind == ValKind.I64 => (ulong)l == number.Bits,
                    float f when number.Kind == ValKind.F32 => MatchesFloat(BitConverter.SingleToUInt32Bits(f), number, false),
                    double d when number.Kind == ValKind.F64 => MatchesFloat(BitConverter.DoubleToUInt64Bits(d), number, true),
                    _ => false,
                };
            case WastVector vector: return actual is Vector128<byte> v && MatchesVector(v, vector);
            case WastReference reference: return MatchesReference(actual, reference);
            default: return false;
        }
    }

    /// <summary>Whether a component's value is what is expected.</summary>
    internal static bool MatchesComponent(WastValue actual, WastValue expected)
    {
        switch (actual, expected)
        {
            case (_, WastEither either): return either.Choices.Any(choice => MatchesComponent(actual, choice));
            case (WastNumber a, WastNumber e): return a.Kind == e.Kind && MatchesFloat(a.Bits, e, a.Kind == ValKind.F64);
            case (WastScalar a, WastScalar e): return a.Type == e.Type && a.Value.Equals(e.Value);
            case (WastSequence a, WastSequence e): return a.Type == e.Type && MatchAll(a.Items, e.Items);
            case (WastRecord a, WastRecord e):
                return a.Fields.Select(f => f.Name).SequenceEqual(e.Fields.Select(f => f.Name))
                    && MatchAll([.. a.Fields.Select(f => f.Value)], [.. e.Fields.Select(f => f.Value)]);
            case (WastCase a, WastCase e):
                return a.Type == e.Type && a.Name == e.Name
                    && (a.Payload is null ? e.Payload is null : e.Payload is not null && MatchesComponent(a.Payload, e.Payload));
            case (WastFlags a, WastFlags e): return a.Names.ToHashSet().SetEquals(e.Names);
            default: return false;
        }
    }

    private static bool MatchAll(IReadOnlyList<WastValue> actual, IReadOnlyList<WastValue> expected)
    {
        if (actual.Count != expected.Count) return false;
        for (int i = 0; i < actual.Count; i++)
            if (!MatchesComponent(actual[i], expected[i])) return false;
        return true;
    }

    private static bool MatchesFloat(ulong bits, WastNumber number, bool is64)
    {
        ulong magnitude = bits & (is64 ? long.MaxValue : 0x7fffffffUL);
        ulong canonical = is64 ? 0x7ff8UL << 48 : 0x7fc0UL << 16;
        return number.Nan switch
        {
            NanKind.Canonical => magnitude == canonical,
            NanKind.Arithmetic => (magnitude & canonical) == canonical,
            NanKind.None => bits == number.Bits,
        };
    }

    private static bool MatchesVector(Vector128<byte> actual, WastVector expected)
    {
        Span<byte> bytes = stackalloc byte[16];
        actual.CopyTo(bytes);
        int size = expected.LaneBits / 8;
        for (int i = 0; i < expected.Lanes.Count; i++)
        {
            ulong lane = 0;
            for (int b = size - 1; b >= 0; b--) lane = (lane << 8) | bytes[(i * size) + b];
            WastNumber wanted = expected.Lanes[i];
            bool same = expected.LaneKind is ValKind.F32 or ValKind.F64
                ? MatchesFloat(lane, wanted, expected.LaneKind == ValKind.F64)
                : lane == wanted.Bits;
            if (!same) return false;
        }
        return true;
    }

    private static bool MatchesReference(object? actual, WastReference expected) => expected.Kind switch
    {
        "null" => actual is null,
        "func" => actual is Delegate,
        "extern" or "host" when expected.Number is { } number => actual is HostReference host && host.Number == number,
        "extern" or "any" or "eq" or "host" => actual is not null,
        _ => actual is not null && Runtime.RefTypes.TypeOf(actual) is { } type && Subtyping.IsSubtype(type, Abstract(expected.Kind)),
    };

    private static AbstractHeapType Abstract(string kind) => kind switch
    {
        "i31" => HeapType.I31,
        "struct" => HeapType.Struct,
        "array" => HeapType.Array,
        "exn" => HeapType.Exn,
        "module" => HeapType.Module,
        "instance" => HeapType.Instance,
        "memory" => HeapType.Memory,
        "table" => HeapType.Table,
        "global" => HeapType.Global,
        "tag" => HeapType.Tag,
        _ => throw new NotSupportedException($"ref.{kind} is not a pattern."),
    };
}
