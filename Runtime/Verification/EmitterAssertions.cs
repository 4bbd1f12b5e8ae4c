using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace WasmJit.Runtime;

/// <summary>The comparisons of integers, in the order of their opcodes.</summary>
internal enum IntegerComparison { Eqz, Eq, Ne, LtS, LtU, GtS, GtU, LeS, LeU, GeS, GeU }

/// <summary>
/// What code of the verifying mode calls where ordinary code relies on something: the emitter leaves no check out, it asserts. An
/// assertion that does not hold throws an <see cref="EmitterAssertionException"/> that names operator, place and what was relied on.
/// </summary>
/// <remarks>
/// The mode is for tests and fuzzing. It is turned on by the internal option <c>EngineOptions.Verify</c>, in every engine of a process by
/// the environment variable <c>WASMJIT_VERIFY=1</c>, and for scripts by <c>wasmjit wast --verify</c>. Code in it is several times slower,
/// and does and gives the same. <see cref="Failures"/> counts failed assertions of the process, also those whose exception was caught.
/// </remarks>
internal static class EmitterAssertions
{
    /// <summary>By module: the types that its code names. A type may keep a module. So types are kept no longer than the module whose code names them.</summary>
    private static readonly ConditionalWeakTable<ModuleDefinition, NamedTypes> Types = [];

    private static long failures;

    /// <summary>How many assertions have failed in this process.</summary>
    internal static long Failures => Volatile.Read(ref failures);

    /// <summary>Whether the environment asks for the mode in every engine.</summary>
    internal static bool IsForced { get; } = Environment.GetEnvironmentVariable("WASMJIT_VERIFY") == "1";

    /// <summary>The number by which the code of a module names a type.</summary>
    internal static int NumberOf(ModuleDefinition module, ValType type) => Types.GetOrCreateValue(module).NumberOf(type);

    private sealed class NamedTypes
    {
        private readonly List<ValType> types = [];
        private readonly Dictionary<ValType, int> numbers = [];

        internal int NumberOf(ValType type)
        {
            lock (types)
            {
                if (numbers.TryGetValue(type, out int number)) return number;
                types.Add(type);
                return numbers[type] = types.Count - 1;
            }
        }

        internal ValType Of(int number)
        {
            lock (types) return types[number];
        }
    }

    [DoesNotReturn]
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Fail(string what, string found)
    {
        Interlocked.Increment(ref failures);
        throw new EmitterAssertionException($"{what}: {found}");
    }

    /// <summary>A reference is of the type that was proved, which the code of the instance's module names.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void Reference(object? value, InstanceCore instance, int type, string what)
    {
        ValType proved = Types.GetOrCreateValue(instance.Definition).Of(type);
        if (value is null ? !proved.IsNullable : !RefTypes.Matches(value, proved.Heap!)) Fail(what, $"{Describe(value)} is not {proved}");
    }

    private static string Describe(object? value) => value is null ? "null" : $"a {RefTypes.TypeOf(value)?.ToString() ?? value.GetType().Name}";

    /// <summary>What is in a temporary or local is what was there when the operand came to be.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void SameObject(object? value, object? expected, string what)
    {
        if (!ReferenceEquals(value, expected)) Fail(what, $"{Describe(value)} in place of {Describe(expected)}");
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void SameI32(int value, int expected, string what)
    {
        if (value != expected) Fail(what, $"{value} in place of {expected}");
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void SameI64(long value, long expected, string what)
    {
        if (value != expected) Fail(what, $"{value} in place of {expected}");
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void SameF32(float value, float expected, string what) =>
        SameI32(BitConverter.SingleToInt32Bits(value), BitConverter.SingleToInt32Bits(expected), what);

    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void SameF64(double value, double expected, string what) =>
        SameI64(BitConverter.DoubleToInt64Bits(value), BitConverter.DoubleToInt64Bits(expected), what);

    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void SameV128(Vector128<byte> value, Vector128<byte> expected, string what)
    {
        if (value != expected) Fail(what, $"{value} in place of {expected}");
    }

    /// <summary>The base beside a local is that of the memory in the local.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static unsafe void MemoryBase(nint kept, object? memory, string what)
    {
        if (memory is not (null or Memory)) Fail(what, $"{Describe(memory)} is not a memory");
        nint expected = memory is null ? AddressSpace.NullBase : (nint)((Memory)memory).Base;
        if (kept != expected) Fail(what, $"the base {kept:x} is not that of the memory, {expected:x}");
    }

    /// <summary>The same where accesses are left to guard pages: a memory without them has another base.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static unsafe void GuardedMemoryBase(nint kept, object? memory, string what)
    {
        if (memory is not (null or Memory)) Fail(what, $"{Describe(memory)} is not a memory");
        nint expected = memory is null ? AddressSpace.NullBase : (nint)((Memory)memory).GuardedBase;
        if (kept != expected) Fail(what, $"the base {kept:x} is not that of the memory for guarded accesses, {expected:x}");
        if (memory is Memory { IsGuarded: false } && expected == (nint)((Memory)memory).Base) Fail(what, "the memory has no guard pages");
    }

    /// <summary>The memory beside a local, with which accesses are compared, is the one in the local.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void CheckedMemory(object? kept, object? memory, string what)
    {
        if (!ReferenceEquals(kept, memory is null ? MemoryReferences.OrNothing(null) : memory)) Fail(what, "the memory beside the local is another one");
    }

    /// <summary>The base of a slice beside a local.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static unsafe void SliceBase(nint kept, object? slice, string what)
    {
        if (slice is not (null or MemorySlice)) Fail(what, $"{Describe(slice)} is not a slice");
        if (kept != Slices.Base(slice)) Fail(what, $"the base {kept:x} is not that of the slice, {Slices.Base(slice):x}");
    }

    /// <summary>The limit of a slice beside a local: how many offsets there are for an extent.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void SliceLimit(ulong kept, object? slice, ulong extent, int writes, string what)
    {
        if (slice is not (null or MemorySlice)) Fail(what, $"{Describe(slice)} is not a slice");
        ulong expected = writes != 0 ? Slices.WriteLimit(slice, extent) : Slices.ReadLimit(slice, extent);
        if (kept != expected) Fail(what, $"the limit {kept} is not that of the slice, {expected}");
    }

    /// <summary>
    /// The address of an access is in the memory's bytes if it has been compared with their length. Otherwise it is in the memory's slot, whose other pages fault; through null in
    /// the slot of null.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static unsafe void Address(nint address, object? memory, int width, int isCompared, string what)
    {
        if (memory is MemorySlice slice)
        {
            Inside((ulong)address - (ulong)slice.Base, (ulong)width, slice.ByteLength, what);
            return;
        }
        if (memory is not (null or Memory)) Fail(what, $"{Describe(memory)} is not a memory");
        nint start = memory is null ? AddressSpace.NullBase : (nint)((Memory)memory).Base;
        ulong size = memory is null || isCompared == 0 ? AddressSpace.SlotSize : ((Memory)memory).Length;
        Inside((ulong)address - (ulong)start, (ulong)width, size, what);
    }

    private static void Inside(ulong offset, ulong width, ulong size, string what)
    {
        if (offset > size || width > size - offset) Fail(what, $"{width} bytes at {offset:x} are beyond {size:x}");
    }

    /// <summary>A frame that calls is above the end of the stack.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void StackMark(byte mark, string what)
    {
        if (mark == 1) Fail(what, "the frame is at the end of the stack and was not stopped");
    }

    /// <summary>A number does not lose bits when it is shifted.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void Shift(int number, int shift, string what)
    {
        if ((uint)number > uint.MaxValue >> shift) Fail(what, $"{number:x} shifted by {shift}");
    }

    /// <summary>A sum with a constant has not wrapped around.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void Sum(int sum, int addend, string what)
    {
        if ((uint)sum < (uint)addend) Fail(what, $"{sum:x} is a sum with {addend:x}");
    }

    /// <summary>A loop has begun so many iterations since it last looked whether it is to stop.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void Iterations(int count, int most, string what)
    {
        if (count > most) Fail(what, $"{count} in place of {most}");
    }

    /// <summary>The result of a comparison of integers.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void Comparison(int result, long left, long right, IntegerComparison kind, string what)
    {
        bool expected = kind switch
        {
            IntegerComparison.Eqz => left == 0,
            IntegerComparison.Eq => left == right,
            IntegerComparison.Ne => left != right,
            IntegerComparison.LtS => left < right,
            IntegerComparison.LtU => (ulong)left < (ulong)right,
            IntegerComparison.GtS => left > right,
            IntegerComparison.GtU => (ulong)left > (ulong)right,
            IntegerComparison.LeS => left <= right,
            IntegerComparison.LeU => (ulong)left <= (ulong)right,
            IntegerComparison.GeS => left >= right,
            IntegerComparison.GeU => (ulong)left >= (ulong)right,
        };
        if (result != (expected ? 1 : 0)) Fail(what, $"{left:x} and {right:x} compare as {result}");
    }
}
