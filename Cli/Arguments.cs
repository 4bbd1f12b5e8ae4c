using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using WasmJit.Gc;
using WasmJit.Text;

namespace WasmJit.Cli;

/// <summary>Values on the command line: arguments of a call and its results.</summary>
internal static class Arguments
{
    /// <summary>How many elements of an array or fields of a struct are shown.</summary>
    private const int Shown = 32;

    /// <summary>
    /// Reads an argument: a number as the text format writes it, a vector such as "i32x4 1 2 3 4", "null", the name of an exported
    /// function, a text for an externref, a number for an i31ref.
    /// </summary>
    /// <param name="text">The argument.</param>
    /// <param name="type">The parameter's type.</param>
    /// <param name="function">Finds an exported function. There is an instance only when its result is called.</param>
    /// <exception cref="ToolException">Not a value of the type.</exception>
    internal static Func<object?> Parse(string text, ValType type, Func<string, Func<object?>?> function)
    {
        if (type.Kind == ValKind.Ref) return Reference(text, type, function);
        object value = type.Kind == ValKind.V128 ? Vector(text) : Number(text, type);
        return () => value;
    }

    private static object Number(string text, ValType type)
    {
        Numbers.Outcome outcome = type.Kind is ValKind.I32 or ValKind.I64
            ? Numbers.Integer(text, type.Kind == ValKind.I32 ? 32 : 64, out ulong bits) : Numbers.Float(text, type.Kind == ValKind.F64, out bits);
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

    /// <summary>A vector by its lanes, or as one number of 128 bits.</summary>
    private static object Vector(string text)
    {
        string[] words = text.Split([' ', ',', ':'], StringSplitOptions.RemoveEmptyEntries);
        (ValKind kind, int bits) = words.Length == 0 ? default : words[0] switch
        {
            "i8x16" => (ValKind.I32, 8),
            "i16x8" => (ValKind.I32, 16),
            "i32x4" => (ValKind.I32, 32),
            "i64x2" => (ValKind.I64, 64),
            "f32x4" => (ValKind.F32, 32),
            "f64x2" => (ValKind.F64, 64),
            _ => default,
        };
        Span<byte> bytes = stackalloc byte[16];
        if (bits == 0)
        {
            if (words is not [var whole] || !IsNatural(whole, out UInt128 value))
                throw new ToolException($"\"{text}\" is not a valid v128", "write the lanes, as in \"i32x4 1 2 3 4\" or \"f64x2 0.5 nan\", or 0x and 32 digits");
            BitConverter.TryWriteBytes(bytes, value);
            return Vector128.Create<byte>(bytes);
        }
        int lanes = 128 / bits;
        if (words.Length != lanes + 1) throw new ToolException($"\"{text}\" is not a valid v128: {words[0]} has {lanes} lanes, not {words.Length - 1}");
        for (int i = 0; i < lanes; i++)
        {
            string word = words[i + 1];
            Numbers.Outcome outcome = kind is ValKind.I32 or ValKind.I64 ? Numbers.Integer(word, bits, out ulong lane) : Numbers.Float(word, bits == 64, out lane);
            if (outcome != Numbers.Outcome.Ok) throw new ToolException($"\"{text}\" is not a valid v128: {word} is not a lane of {words[0]}");
            for (int b = 0; b < bits / 8; b++) bytes[(i * bits / 8) + b] = (byte)(lane >> (8 * b));
        }
        return Vector128.Create<byte>(bytes);
    }

    private static bool IsNatural(string text, out UInt128 value) => text.StartsWith("0x", StringComparison.Ordinal)
        ? UInt128.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value)
        : UInt128.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);

    private static Func<object?> Reference(string text, ValType type, Func<string, Func<object?>?> function)
    {
        if (text == "null" && type.IsNullable) return () => null;
        if (type.Heap == HeapType.Extern) return () => text;
        if (type.Heap == HeapType.Func || type.Heap is DefType { Composite: FuncType } or ExactType { Type.Composite: FuncType })
            return function(text) ?? throw new ToolException($"\"{text}\" is not a valid {type}: no exported function has that name");
        if (type.Heap == HeapType.I31 || type.Heap == HeapType.Any || type.Heap == HeapType.Eq)
        {
            if (Numbers.Integer(text, 31, out ulong bits) == Numbers.Outcome.Ok) return () => I31.From((int)bits << 1 >> 1);
            throw new ToolException($"\"{text}\" is not a valid {type}", "a number becomes an i31ref");
        }
        throw new ToolException($"a value of type {type} cannot be given on the command line: {text}");
    }

    /// <summary>The results of a call as a list.</summary>
    internal static object?[] Results(object? result, int count)
    {
        if (count == 0) return [];
        if (count == 1) return [result];
        var tuple = (ITuple)result!;
        return [.. Enumerable.Range(0, count).Select(i => tuple[i])];
    }

    /// <summary>
    /// A value as it is shown. Floats have the shortest form that reads back as the same number. What is inside of a struct or array is
    /// shown if it is a number; it may contain itself.
    /// </summary>
    internal static string Format(object? value, Func<Delegate, string?>? nameOf = null) => value switch
    {
        null => "null",
        float f => Float(f, f.ToString("R", CultureInfo.InvariantCulture)),
        double d => Float(d, d.ToString("R", CultureInfo.InvariantCulture)),
        Vector128<byte> v => $"i32x4 {string.Join(' ', Enumerable.Range(0, 4).Select(i => $"0x{v.AsUInt32()[i]:x8}"))}",
        Delegate function => nameOf?.Invoke(function) is { } name ? $"func {name}" : "func",
        I31 number => number.ToString(),
        WasmStruct item => $"struct {{{Items(Enumerable.Range(0, item.Count).Select(i => item[i]), item.Count)}}}",
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ when WasmArray.TryOf(value, out WasmArray array) => $"array [{Items(Enumerable.Range(0, array.Length).Select(i => array[i]), array.Length)}]",
        _ => value.ToString()!,
    };

    private static string Items(IEnumerable<object?> items, int count) =>
        string.Join(", ", items.Take(Shown).Select(Inner)) + (count > Shown ? $", ... {count - Shown} more" : "");

    private static string Inner(object? value) => value switch
    {
        WasmStruct => "struct",
        _ when value is not null && WasmArray.TryOf(value, out _) => "array",
        _ => Format(value),
    };

    private static string Float(double value, string text) => double.IsNaN(value) ? "nan"
        : double.IsInfinity(value) ? value > 0 ? "inf" : "-inf"
        : text;
}
