using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using WasmJit.Text;
using W = Wasmtime;

namespace WasmJit.Agreement;

/// <summary>Values of scripts and of the package.</summary>
internal static class Values
{
    internal static ArgumentForm FormOfArgument(ValType parameter, WastValue argument) => argument switch
    {
        WastReference when parameter == ValType.ExternRef => ArgumentForm.Same,
        WastReference { Kind: "null" } => ArgumentForm.Null,
        WastReference => ArgumentForm.Host,
        _ => ArgumentForm.Same,
    };

    internal static ResultForm FormOfResult(ValType result, WastValue? expected)
    {
        if (!result.IsRef) return ResultForm.Same;
        while (expected is WastEither either) expected = either.Choices[0];
        if (expected is not WastReference { Number: not null }) return ResultForm.Bits;
        return result == ValType.ExternRef ? ResultForm.Same : ResultForm.Converted;
    }

    internal static W.ValueBox ToBox(WastValue value) => WastValues.ToHost(value) switch
    {
        int i => i,
        long l => l,
        float f => f,
        double d => d,
        Vector128<byte> v => ToVector(v),
        var reference => W.ValueBox.AsBox(reference!),
    };

    private static W.V128 ToVector(Vector128<byte> vector)
    {
        Span<byte> bytes = stackalloc byte[16];
        vector.CopyTo(bytes);
        return new W.V128(bytes);
    }

    /// <summary>What the package returns: nothing, a value, several in an array or a tuple.</summary>
    internal static object?[] Flatten(object? result, int count) => result switch
    {
        _ when count == 0 => [],
        object?[] several => [.. several.Select(Own)],
        ITuple tuple => [.. Enumerable.Range(0, tuple.Length).Select(i => Own(tuple[i]))],
        _ => [Own(result)],
    };

    private static object? Own(object? value)
    {
        if (value is not W.V128 vector) return value;
        Span<byte> bytes = stackalloc byte[16];
        vector.CopyTo(bytes);
        return Vector128.Create<byte>(bytes);
    }

    internal static bool Matches(object? actual, ResultForm form, WastValue expected)
    {
        if (expected is WastEither either) return either.Choices.Any(choice => Matches(actual, form, choice));
        if (form != ResultForm.Bits) return WastValues.Matches(actual, expected);
        var bits = (RefBits)(int)actual!;
        return ((WastReference)expected).Kind switch
        {
            "null" => bits == RefBits.Null,
            "eq" => bits.HasFlag(RefBits.Eq),
            "i31" => bits.HasFlag(RefBits.I31),
            "struct" => bits.HasFlag(RefBits.Struct),
            "array" => bits.HasFlag(RefBits.Array),
            _ => bits.HasFlag(RefBits.NotNull),
        };
    }
}
