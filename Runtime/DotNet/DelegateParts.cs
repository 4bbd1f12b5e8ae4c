using System.Reflection;
using System.Runtime.CompilerServices;

namespace WasmJit.Runtime;

/// <summary>
/// What a delegate of .NET consists of: an object and a code address. A call of the delegate jumps to the address with the object as first
/// argument, also if the method is static.
/// </summary>
internal static class DelegateParts
{
    /// <summary>Whether delegates are what is said here. Those of programs that are compiled whole are not.</summary>
    internal static bool AreKnown => typeof(Delegate).GetField("_methodPtr", BindingFlags.Instance | BindingFlags.NonPublic) is not null;

    internal static object? TargetOf(Delegate value) => Target(value);

    internal static nint CodeOf(Delegate value) => Pointer(value);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_target")]
    private static extern ref object? Target(Delegate value);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_methodPtr")]
    private static extern ref nint Pointer(Delegate value);
}
