using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.Intrinsics;
using WasmJit.Runtime;

namespace WasmJit.Jit.Emit;

/// <summary>What decides which of its operands a method needs whole, beside that it computes its result from them.</summary>
[Flags]
internal enum PureTraits : short
{
    /// <summary>All of each operand.</summary>
    None = 0,

    /// <summary>The result has the bits of the operand.</summary>
    IsSameBits = 1,

    /// <summary>The second operand is a count, of which the lowest bits are needed.</summary>
    Rotates = 2,

    /// <summary>The result is a vector of the operands.</summary>
    Creates = 4,

    /// <summary>Not all lanes or bytes of some operand are needed.</summary>
    Narrows = 8,

    /// <summary>The result of a value with itself is known.</summary>
    CancelsItself = 16,

    /// <summary>An operand of known bits may hide the others.</summary>
    Masks = 32,

    /// <summary>A division by a power of two is a mask.</summary>
    IsRemainder = 64,

    /// <summary>Traps if the second operand is zero or, of numbers with signs, -1.</summary>
    Divides = 128,

    /// <summary>Traps if the operand is no integer of the result's type.</summary>
    Truncates = 256,

    /// <summary>The result is the operand, which the JIT does not know.</summary>
    Hides = 512,
}

/// <summary>A method that only computes: one of ours or of .NET, of which there are not many. What is known of it is found out once.</summary>
/// <param name="Operands">How many operands it has.</param>
/// <param name="Traits">What it needs of them.</param>
internal sealed record PureMethod(int Operands, PureTraits Traits)
{
    /// <summary>The classes whose methods only compute, beside those of the processor's instructions.</summary>
    internal static readonly HashSet<Type> Classes =
    [
        typeof(Vector128), typeof(Simd), typeof(Floats), typeof(Integers), typeof(RotationFault), typeof(Conversions), typeof(BitConverter), typeof(Math), typeof(MathF),
        typeof(System.Numerics.BitOperations),
    ];

    /// <summary>Parts of the names of methods that narrow: .NET names thousands, by rules.</summary>
    private static readonly string[] Narrowing =
    [
        "Element", "Scalar", "Low", "Extract", "Insert", "Lane", "Shuffle", "Swizzle", "Unpack", "Align", "Blend", "Permute", "Create", "Splat", "ConvertTo", "Zero", "Widen",
    ];

    private static readonly string[] Masking = ["Min", "Max", "Mul", "Sat"];

    private static readonly ConcurrentDictionary<MethodInfo, PureMethod> known = new();

    /// <summary>What is known of a method; null for one that does more than compute.</summary>
    internal static PureMethod? Of(MethodInfo method)
    {
        if (known.TryGetValue(method, out PureMethod? found)) return found;
        if (method.DeclaringType is not { } type || !(Classes.Contains(type) || type.Namespace == "System.Runtime.Intrinsics.X86")) return null;
        if (method.ReturnType == typeof(void) || !method.IsStatic || method.Name == nameof(Simd.Whole)) return null;
        int operands = method.GetParameters().Length;
        return known[method] = new PureMethod(operands, TraitsOf(type, method.Name, operands));
    }

    private static PureTraits TraitsOf(Type type, string name, int operands)
    {
        var traits = PureTraits.None;
        if (Has("Reinterpret") || Has("BitsTo") || name.EndsWith("Bits", StringComparison.Ordinal)) traits |= PureTraits.IsSameBits;
        if (Has("Rot") && operands == 2) traits |= PureTraits.Rotates;
        if (name == nameof(Vector128.Create)) traits |= PureTraits.Creates;
        if (Narrowing.Any(Has)) traits |= PureTraits.Narrows;
        if (name is "Subtract" or "Xor" or "AndNot" || Has("Equals") || Has("Than")) traits |= PureTraits.CancelsItself;
        if (name is "BitwiseAnd" or "BitwiseOr" or "AndNot" or "ConditionalSelect" or "And" or "Or" or "OnesComplement"
            || Masking.Any(Has) || name.Contains("Bitselect", StringComparison.OrdinalIgnoreCase) || name.Contains("Saturat", StringComparison.OrdinalIgnoreCase))
            traits |= PureTraits.Masks;
        if (name.StartsWith("Rem", StringComparison.Ordinal)) traits |= PureTraits.IsRemainder;
        if (type == typeof(Integers) && (Has("Div") || Has("Rem"))) traits |= PureTraits.Divides;
        if (type == typeof(Conversions) && Has("Trunc") && !Has("Sat")) traits |= PureTraits.Truncates;
        if (name.StartsWith("Hide", StringComparison.Ordinal) || name.StartsWith("Hidden", StringComparison.Ordinal)) traits |= PureTraits.Hides;
        return traits;

        bool Has(string part) => name.Contains(part, StringComparison.Ordinal);
    }

    internal bool Has(PureTraits trait) => (Traits & trait) != 0;
}
