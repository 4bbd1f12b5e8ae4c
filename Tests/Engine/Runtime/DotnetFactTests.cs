using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using WasmJit.Jit.Calls;
using WasmJit.Runtime;
using Xunit;

namespace WasmJit.Tests.Runtime;

/// <summary>What the engine takes for granted of .NET and RyuJIT: Docs/dotnet-internals.md. A version in which one fails needs other code.</summary>
public sealed unsafe class DotnetFactTests
{
    private static DynamicMethod Method(Type result, Type[] parameters, Action<ILGenerator> write)
    {
        var method = new DynamicMethod("fact", result, parameters, typeof(DotnetFactTests).Module, true);
        write(method.GetILGenerator());
        return method;
    }

    [Fact]
    public void ACompiledMethodsPointerLeadsToItsCode()
    {
        DynamicMethod method = Method(typeof(int), [typeof(int)], il =>
        {
            il.Emit(OpCodes.Ldarg_0);
            il.Emit(OpCodes.Ldc_I4, 0x1234567);
            il.Emit(OpCodes.Xor);
            il.Emit(OpCodes.Ret);
        });
        var code = (byte*)CodeAddress.Of(method);
        Assert.Equal(0x1234567 ^ 5, ((delegate*<int, int>)code)(5));
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64) return;
        // The constant is in the first instructions; a stub has none.
        Assert.True(new ReadOnlySpan<byte>(code, 16).IndexOf((ReadOnlySpan<byte>)[0x67, 0x45, 0x23, 0x01]) >= 0);
        Assert.Equal((nint)code, CodeAddress.Of(method));
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_target")]
    private static extern ref object? Target(Delegate d);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_methodPtr")]
    private static extern ref nint Pointer(Delegate d);

    [Fact]
    public void ADelegateIsItsTargetAndItsPointer()
    {
        int captured = 40;
        Func<int, int> lambda = x => captured + x, fixedOne = Twice;
        Assert.Equal(42, ((delegate*<object?, int, int>)Pointer(lambda))(Target(lambda), 2));
        Assert.Equal(42, ((delegate*<object?, int, int>)Pointer(fixedOne))(Target(fixedOne), 21));
    }

    private static int Twice(int x) => 2 * x;

    /// <summary>Code may be called with more arguments than it has: a method that throws stands for all signatures.</summary>
    [Fact]
    public void AMethodWithoutArgumentsThrowsForAnySignature()
    {
        var code = (nint)(delegate*<void>)&Throw;
        Assert.Throws<ObjectDisposedException>(() => ((delegate*<object?, int, double, int>)code)(null, 1, 2));
        Assert.Throws<ObjectDisposedException>(
            () => ((delegate*<long, long, long, long, long, long, long, object, long, (long, long, long)>)code)(1, 2, 3, 4, 5, 6, 7, new object(), 8));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Throw() => throw new ObjectDisposedException("test");

    [Fact]
    public void AnObjectBeginsWithItsMethodTable()
    {
        object box = 5;
        Assert.Equal(typeof(int).TypeHandle.Value, RawObjects.MethodTableOf(typeof(int)));
        Assert.Equal(typeof(int).TypeHandle.Value, **(nint**)Unsafe.AsPointer(ref box));
    }

    [Fact]
    public void CastHelpersDoWhatIsinstAndCastclassDo()
    {
        foreach (MethodInfo helper in new[] { CastHelpers.IsInstanceOfClass, CastHelpers.CastClass })
        {
            DynamicMethod method = Method(typeof(object), [typeof(nint), typeof(object)], il =>
            {
                il.Emit(OpCodes.Ldarg_0);
                il.Emit(OpCodes.Ldarg_1);
                il.Emit(OpCodes.Call, helper);
                il.Emit(OpCodes.Ret);
            });
            var call = method.CreateDelegate<Func<nint, object?, object?>>();
            nint exception = RawObjects.MethodTableOf(typeof(Exception));
            var derived = new ArgumentException();
            Assert.Same(derived, call(exception, derived));
            Assert.Null(call(exception, null));
            if (helper == CastHelpers.CastClass) Assert.Throws<InvalidCastException>(() => call(exception, "text"));
            else Assert.Null(call(exception, "text"));
        }
    }

    /// <summary>The innermost frames of what generated code throws are generated code or classes that are known.</summary>
    [Fact]
    public void ThrowingHelpersAreKnown()
    {
        DynamicMethod cast = Method(typeof(object), [typeof(object)], il =>
        {
            il.Emit(OpCodes.Ldarg_0);
            il.Emit(OpCodes.Castclass, typeof(ArgumentException));
            il.Emit(OpCodes.Ret);
        });
        DynamicMethod element = Method(typeof(int), [typeof(int[])], il =>
        {
            il.Emit(OpCodes.Ldarg_0);
            il.Emit(OpCodes.Ldc_I4, 5);
            il.Emit(OpCodes.Ldelem_I4);
            il.Emit(OpCodes.Ret);
        });
        var casting = cast.CreateDelegate<Func<object, object>>();
        var reading = element.CreateDelegate<Func<int[], int>>();
        foreach (Exception e in new Exception[] { Assert.Throws<InvalidCastException>(() => casting("text")), Assert.Throws<IndexOutOfRangeException>(() => reading([])) })
        {
            var frames = new ExceptionFrames(e);
            int at = 0;
            while (DotNetHelpers.Has(frames.MethodAt(at)!.DeclaringType)) at++;
            Assert.Equal("fact", frames.MethodAt(at)!.Name);
        }
    }

    /// <summary>Rotations need <see cref="RotationFault"/> as long as this is so.</summary>
    [Fact]
    public void TheFaultOfRotationsIsThere()
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64 || Environment.Version > new Version(10, 0, 12)) return;
        Func<int, int> asInstruction = IsNotZero(typeof(Integers)), asShifts = IsNotZero(typeof(RotationFault));
        int[] values = [0, 1, -1, 16];
        Assert.Contains(values, value => asInstruction(value) != (value == 0 ? 0 : 1));
        Assert.All(values, value => Assert.Equal(value == 0 ? 0 : 1, asShifts(value)));
    }

    /// <summary>The reason why <see cref="Integers.Rotl32"/> is not the rotation of <see cref="System.Numerics.BitOperations"/>.</summary>
    [Fact]
    public void ConstantsThatTheJitRotatesAreNotExtended()
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64 || Environment.Version > new Version(10, 0, 12)) return;
        MethodInfo rotate = typeof(System.Numerics.BitOperations).GetMethod("RotateLeft", [typeof(uint), typeof(int)])!;
        Assert.NotEqual(-3, RotatedTimes(rotate)(3));
        Assert.Equal(-3, RotatedTimes(typeof(Integers).GetMethod("Rotl32", BindingFlags.Static | BindingFlags.NonPublic)!)(3));

        static Func<int, int> RotatedTimes(MethodInfo rotate) => Method(typeof(int), [typeof(int)], il =>
        {
            il.Emit(OpCodes.Ldc_I4_M1);
            il.Emit(OpCodes.Ldc_I4_2);
            il.Emit(OpCodes.Call, rotate);
            il.Emit(OpCodes.Ldarg_0);
            il.Emit(OpCodes.Mul);
            il.Emit(OpCodes.Ret);
        }).CreateDelegate<Func<int, int>>();
    }

    private static Func<int, int> IsNotZero(Type rotations)
    {
        DynamicMethod method = Method(typeof(int), [typeof(int)], il =>
        {
            Label isNot = il.DefineLabel();
            il.Emit(OpCodes.Ldarg_0);
            il.Emit(OpCodes.Ldc_I4_4);
            il.Emit(OpCodes.Call, rotations.GetMethod("Rotl32", BindingFlags.Static | BindingFlags.NonPublic)!);
            il.Emit(OpCodes.Brtrue, isNot);
            il.Emit(OpCodes.Ldc_I4_0);
            il.Emit(OpCodes.Ret);
            il.MarkLabel(isNot);
            il.Emit(OpCodes.Ldc_I4_1);
            il.Emit(OpCodes.Ret);
        });
        return method.CreateDelegate<Func<int, int>>();
    }

    [Fact]
    public void FramesOfAnExceptionAreReadOneByOne()
    {
        Assert.True(ExceptionFrames.IsShort);
        Exception e = Assert.Throws<ObjectDisposedException>(Throw);
        var frames = new ExceptionFrames(e);
        Assert.Equal(new System.Diagnostics.StackTrace(e, false).FrameCount, frames.Count);
        Assert.Equal(nameof(Throw), frames.MethodAt(0)!.Name);
        Assert.Null(frames.MethodAt(frames.Count));
    }

    /// <summary>A weak reference that tracks resurrection sees what a finalizer has brought back; an ordinary one does not.</summary>
    [Fact]
    public void LongWeakReferencesSeeWhatFinalizersKeep()
    {
        (GCHandle shortly, GCHandle tracking) = Lose();
        Assert.True(Eventually.Collected(() => Keeper.Kept is not null));
        Assert.Null(shortly.Target);
        Assert.Same(Keeper.Kept, tracking.Target);
        Assert.NotNull(Keeper.Kept);
        shortly.Free();
        tracking.Free();
        Keeper.Kept = null;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static (GCHandle, GCHandle) Lose()
    {
        var held = new object();
        _ = new Keeper(held);
        return (GCHandle.Alloc(held, GCHandleType.Weak), GCHandle.Alloc(held, GCHandleType.WeakTrackResurrection));
    }

    private sealed class Keeper(object held)
    {
        internal static object? Kept;

        ~Keeper() => Kept = held;
    }

    /// <summary>A body marked for inlining is put into a DynamicMethod, whatever the body's size; beyond 512 locals it is not.</summary>
    [Fact]
    public void OutlinedBodiesAreInlinedOrSeenNotToBe()
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64) return;
        MethodInfo small = typeof(DotnetFactTests).GetMethod(nameof(Inlined), BindingFlags.Static | BindingFlags.NonPublic)!;
        MethodInfo never = typeof(DotnetFactTests).GetMethod(nameof(NotInlined), BindingFlags.Static | BindingFlags.NonPublic)!;
        foreach ((MethodInfo callee, bool isOnlyACall) in new[] { (small, false), (never, true) })
        {
            DynamicMethod caller = Method(typeof(int), [typeof(int), typeof(int)], il =>
            {
                il.Emit(OpCodes.Ldarg_0);
                il.Emit(OpCodes.Ldarg_1);
                il.Emit(OpCodes.Call, callee);
                il.Emit(OpCodes.Ret);
            });
            Assert.Equal(isOnlyACall, Prologue.IsOnlyACall(CodeAddress.Of(caller)));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Inlined(int a, int b)
    {
        for (int i = 0; i < b; i++) a = (a * 31) + NotInlined(a, i);
        return a;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int NotInlined(int a, int b) => a ^ b;

    /// <summary>A method that keeps values over a call saves registers in the order in which it pushes them, and the frame keeps its size.</summary>
    [Fact]
    public void ProloguesHaveTheFormsThatAreRead()
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64 || !OperatingSystem.IsLinux()) return;
        MethodInfo callee = typeof(DotnetFactTests).GetMethod(nameof(NotInlined), BindingFlags.Static | BindingFlags.NonPublic)!;
        DynamicMethod method = Method(typeof(int), [.. Enumerable.Repeat(typeof(int), 6)], il =>
        {
            il.Emit(OpCodes.Ldarg_0);
            il.Emit(OpCodes.Ldarg_1);
            il.Emit(OpCodes.Call, callee);
            for (int i = 0; i < 6; i++)
            {
                il.Emit(OpCodes.Ldarg, (short)i);
                il.Emit(OpCodes.Add);
            }
            il.Emit(OpCodes.Ret);
        });
        FrameShape? shape = FrameShape.Of(CodeAddress.Of(method));
        Assert.NotNull(shape);
        Assert.InRange(shape.Saved.Length, 4, 6);
        Assert.Equal(shape.Saved.Length, shape.Saved.Select(s => s.Register).Distinct().Count());
        Assert.True(shape.Size >= 32 && shape.Saved.All(s => s.Offset >= 0 && s.Offset < shape.Size));
    }

    /// <summary>Frames of an exception are listed in the form that is known, and the IL of a method of an assembly is told.</summary>
    [Fact]
    public void TheRuntimeTellsTheIlOfMachineCode()
    {
        Assert.True(DebugOffsets.IsSupported);
        var assembly = AssemblyBuilder.DefineDynamicAssembly(new AssemblyName("told"), AssemblyBuilderAccess.RunAndCollect);
        TypeBuilder type = assembly.DefineDynamicModule("told").DefineType("Told", TypeAttributes.Public | TypeAttributes.Abstract | TypeAttributes.Sealed);
        MethodBuilder built = type.DefineMethod("Run", MethodAttributes.Public | MethodAttributes.Static, typeof(int), [typeof(int)]);
        built.SetImplementationFlags(MethodImplAttributes.AggressiveOptimization);
        ILGenerator il = built.GetILGenerator();
        // It is never run. The method is one that RyuJIT does not inline.
        MethodInfo called = typeof(Console).GetMethod(nameof(Console.WriteLine), [])!;
        il.Emit(OpCodes.Call, called);
        int second = il.ILOffset;
        il.Emit(OpCodes.Call, called);
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ret);
        MethodInfo method = type.CreateType().GetMethod("Run")!;
        RuntimeHelpers.PrepareMethod(method.MethodHandle);
        int[]? offsets = DebugOffsets.Of(method, method.MethodHandle.GetFunctionPointer(), [.. Enumerable.Range(0, 256)]);
        Assert.NotNull(offsets);
        Assert.Equal(0, offsets[0]);
        Assert.Contains(second, offsets);
    }
}
