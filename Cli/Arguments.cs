using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using WasmJit.Text;

namespace WasmJit.Cli;

/// <summary>Values on the command line: arguments of a call and its results.</summary>
internal static class Arguments
{
    /// <summary>Reads a number as the text format writes it, or <c>null</c>.</summary>
    /// <exception cref="ToolException">Not a value of the type.</exception>
    internal static object? Parse(string text, ValType type)
    {
        Numbers.Outcome outcome;
        ulong bits;
        switch (type.Kind)
        {
            case ValKind.I32 or ValKind.I64: outcome = Numbers.Integer(text, type.Kind == ValKind.I32 ? 32 : 64, out bits); break;
            case ValKind.F32 or ValKind.F64: outcome = Numbers.Float(text, type.Kind == ValKind.F64, out bits); break;
            case ValKind.Ref when type.IsNullable && text == "null": return null;
            case ValKind.Ref when type == ValType.ExternRef: return text;
            default: throw new ToolException($"a value of type {type} cannot be given on the command line: {text}");
        }
        if (outcome == Numbers.Outcome.OutOfRange) throw new ToolException($"{text} is out of the range of {type}");
        if (outcome != Numbers.Outcome.Ok) throw new ToolException($"\"{text}\" is not a valid {type}");
        return type.Kind switch
        {
            ValKind.I32 => (int)bits,
            ValKind.I64 => (object)(long)bits,
            ValKind.F32 => BitConverter.UInt32BitsToSingle((uint)bits),
            _ => BitConverter.UInt64BitsToDouble(bits),
        };
    }

    /// <summary>The results of a call as a list.</summary>
    internal static object?[] Results(object? result, int count)
    {
        if (count == 0) return [];
        if (count == 1) return [result];
        var tuple = (ITuple)result!;
        return [.. Enumerable.Range(0, count).Select(i => tuple[i])];
    }

    /// <summary>Floats in the shortest form that reads back as the same number.</summary>
    internal static string Format(object? value) => value switch
    {
        null => "null",
        float f => Float(f, f.ToString("R", CultureInfo.InvariantCulture)),
        double d => Float(d, d.ToString("R", CultureInfo.InvariantCulture)),
        Vector128<byte> v => $"i32x4 {string.Join(' ', Enumerable.Range(0, 4).Select(i => $"0x{v.AsUInt32()[i]:x8}"))}",
        Delegate => "(func)",
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString()!,
    };

    private static string Float(double value, string text) => double.IsNaN(value) ? "nan"
        : double.IsInfinity(value) ? value > 0 ? "inf" : "-inf"
        : text;
}
