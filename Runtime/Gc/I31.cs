using System.Runtime.CompilerServices;
using WasmJit.Runtime;

namespace WasmJit.Gc;

/// <summary>
/// An <c>i31</c> reference: a 31-bit integer as an object. Two with the same value are equal for <c>ref.eq</c>, though they may be different objects
/// in .NET. Small ones are shared.
/// </summary>
public sealed class I31 : IEquatable<I31>
{
    private const int SmallestShared = -128, SharedCount = 1024 + 128;

    private static readonly I31[] Shared = [.. Enumerable.Range(SmallestShared, SharedCount).Select(v => new I31(v))];

    private readonly int value;

    private I31(int value) => this.value = value;

    /// <summary>The value, sign-extended from 31 bits.</summary>
    public int Value => value;

    /// <summary>The reference to the low 31 bits of a number.</summary>
    public static I31 From(int value) => (I31)New(value);

    /// <inheritdoc/>
    public bool Equals(I31? other) => other is not null && other.Value == Value;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as I31);

    /// <inheritdoc/>
    public override int GetHashCode() => Value;

    /// <inheritdoc/>
    public override string ToString() => $"i31 {Value}";

    // ---- what generated code calls ----

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static object New(int value)
    {
        value = value << 1 >> 1;
        uint index = (uint)(value - SmallestShared);
        return index < SharedCount ? Shared[index] : new I31(value);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int GetS(object? value)
    {
        if (value is null) Trap.Throw(TrapKind.NullI31Reference);
        return Unsafe.As<I31>(value).value;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int GetU(object? value) => GetS(value) & int.MaxValue;

    /// <summary><c>ref.eq</c> where both sides may be i31.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool RefEq(object? a, object? b) => ReferenceEquals(a, b) || (a is I31 x && b is I31 y && x.value == y.value);
}
