using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace WasmJit.Jit.Il;

/// <summary>
/// What of .NET is found by reflection where the trimmer does not see it: it keeps what is named here. Nothing calls the method; the
/// whole assembly is kept.
/// </summary>
internal static class TrimmingRoots
{
    private const string CoreLib = "System.Private.CoreLib";

    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(Vector128))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(Vector128<>))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(Sse))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(Sse2))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(Sse3))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(Ssse3))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(Sse41))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(Sse42))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(Avx))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(Avx2))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(Fma))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(Bmi1))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(Bmi2))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(Lzcnt))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(Popcnt))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(Math))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(MathF))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(BitConverter))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(GC))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(RuntimeHelpers))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(RuntimeMethodHandle))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(Unsafe))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(Interlocked))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(Volatile))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(ValueTuple<>))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(ValueTuple<,>))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(ValueTuple<,,>))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(ValueTuple<,,,>))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(ValueTuple<,,,,>))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(ValueTuple<,,,,,>))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(ValueTuple<,,,,,,>))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(ValueTuple<,,,,,,,>))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(Func<>))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(Func<,>))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(Func<,,>))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(Func<,,,>))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(Func<,,,,>))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(Func<,,,,,>))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(Func<,,,,,,>))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(Func<,,,,,,,>))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(Func<,,,,,,,,>))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(Func<,,,,,,,,,>))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(Func<,,,,,,,,,,>))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(Func<,,,,,,,,,,,>))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(Func<,,,,,,,,,,,,>))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(Func<,,,,,,,,,,,,,>))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(Func<,,,,,,,,,,,,,,>))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(Func<,,,,,,,,,,,,,,,>))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(Func<,,,,,,,,,,,,,,,,>))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(Action))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(Action<>))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(Action<,>))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(Action<,,>))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(Action<,,,>))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(Action<,,,,>))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(Action<,,,,,>))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(Action<,,,,,,>))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(Action<,,,,,,,>))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(Action<,,,,,,,,>))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(Action<,,,,,,,,,>))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(Action<,,,,,,,,,,>))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(Action<,,,,,,,,,,,>))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(Action<,,,,,,,,,,,,>))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(Action<,,,,,,,,,,,,,>))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(Action<,,,,,,,,,,,,,,>))]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(Action<,,,,,,,,,,,,,,,>))]
    [UnconditionalSuppressMessage("Trimming", "IL2036", Justification = "Other runtimes than CoreCLR have no such classes, and make no code that needs them.")]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, "System.Diagnostics.StackFrameHelper", CoreLib)]
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, "System.Runtime.CompilerServices.CastHelpers", CoreLib)]
    internal static void Keep()
    {
    }
}
