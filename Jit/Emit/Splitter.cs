using System.Reflection;
using System.Reflection.Emit;
using WasmJit.Jit.Calls;
using WasmJit.Jit.Il;
using WasmJit.Runtime;

namespace WasmJit.Jit.Emit;

/// <summary>
/// Splits functions that are too large to be optimised, or even to be compiled, as one. Parts of the code become methods of their own, each within
/// RyuJIT's limits, so that time and memory grow with the size of the function and no faster. Locals and arguments that live across the borders of
/// parts are in two arrays for the call. A part loads those that it uses often when it is entered and stores the changed ones when it is left. It
/// returns where to go on. The method in front of them calls one part after the other.
/// </summary>
internal static class Splitter
{
    /// <summary>Far below the limits: the optimiser's time grows faster than a method.</summary>
    private static readonly PartSize Normal = new(10_000, 800, 5_000);

    /// <summary>
    /// Compiles the parts of a function and writes the method in front of them. Null if it cannot be split.
    /// </summary>
    /// <param name="il">The function.</param>
    /// <param name="method">The function's method.</param>
    /// <param name="signature">Its signature.</param>
    /// <param name="name">What the parts are called, in stack traces for one.</param>
    /// <param name="kept">Takes what must live as long as the function.</param>
    /// <param name="bytes">The size of the function in WebAssembly.</param>
    /// <param name="size">The size of parts; the usual one if null.</param>
    /// <param name="mayBeSlow">Whether to split it also if most parts would not be optimised.</param>
    internal static CodeForm? TryWrite(IlBuffer il, DynamicMethod method, Signature signature, string name, List<object> kept, int bytes, PartSize? size = null, bool mayBeSlow = true)
    {
        if (Partition.Of(il, signature, size ?? Normal) is not { } partition) return null;
        Part[]? parts = null;
        if (!mayBeSlow)
        {
            parts = new Part[partition.Parts];
            Parallelism.For(0, parts.Length, (part, _) => parts[part] = WritePart(partition, part, bytes));
            if (parts.Count(part => part.IsSlow) * MostSlow > parts.Length) return null;
        }
        int slow = Write(partition, parts, method, name, kept, bytes);
        return new CodeForm(partition.Parts, SlowParts: slow, Slow: slow > 0 ? SlowCode.Cost : null);
    }

    /// <summary>Where parts must be faster than the whole, one part in this many may be slow.</summary>
    private const int MostSlow = 4;

    /// <summary>The code of a part, and whether it is not to be optimised, or would not be.</summary>
    private readonly record struct Part(IlBuffer Code, bool IsSlow);

    private static Part WritePart(Partition partition, int part, int bytes)
    {
        IlBuffer code = PartWriter.Write(partition, part);
        if (code.Locals.Count > IlBuffer.MaxLocals) throw new UnsupportedModuleException($"a part of a function that needs more than {IlBuffer.MaxLocals:N0} temporaries");
        return new Part(
            code, JitCost.IsTooDear(code, bytes / partition.Parts, partition.Parts) || Outliner.ExceedsLimits(code, PartWriter.Parameters(partition.Signature).Length));
    }

    /// <summary>Compiles the parts, which may have been written; gives how many of them are not optimised.</summary>
    private static unsafe int Write(Partition partition, Part[]? parts, DynamicMethod method, string name, List<object> kept, int bytes)
    {
        nint[] codes = GC.AllocateArray<nint>(partition.Parts, pinned: true);
        var methods = new DynamicMethod[partition.Parts];
        var frames = new long[partition.Parts];
        Type[] parameters = PartWriter.Parameters(partition.Signature);
        int slow = 0;
        CancellationScope? scope = WasmThread.CurrentScope;
        Parallelism.For(0, partition.Parts, (part, state) =>
        {
            if (scope?.Stopped is not null)
            {
                state.Stop();
                return;
            }
            (IlBuffer code, bool isSlow) = parts?[part] ?? WritePart(partition, part, bytes);
            methods[part] = RuntimeCode.Method(name, typeof(int), parameters, typeof(Splitter).Module);
            ILGenerator generator = methods[part].GetILGenerator(Math.Max(64, code.Bytes));
            if (isSlow)
            {
                Interlocked.Increment(ref slow);
                JitCost.WriteUnoptimised(code, generator);
            }
            else
            {
                code.WriteTo(generator);
            }
            codes[part] = CodeAddress.Of(methods[part]);
            frames[part] = FrameGuard.LargeFrame(codes[part], FrameGuard.Estimate(code));
        });
        CancellationScope.ThrowIfStopped();
        kept.Add(codes);
        kept.Add(methods);
        WriteFront(partition, method.GetILGenerator(), parameters, (nint)System.Runtime.CompilerServices.Unsafe.AsPointer(ref codes[0]), frames.Max());
        return slow;
    }

    /// <summary>The method in front: makes the arrays, and calls parts until one returns from the function.</summary>
    private static void WriteFront(Partition partition, ILGenerator front, Type[] parameters, nint codes, long frame)
    {
        LocalBuilder wordArray = front.DeclareLocal(typeof(long[])), refArray = front.DeclareLocal(typeof(object[]));
        LocalBuilder state = front.DeclareLocal(typeof(int));
        LocalBuilder? result = partition.Signature.Return != typeof(void) ? front.DeclareLocal(partition.Signature.Return) : null;
        if (frame > 0)
        {
            front.Emit(OpCodes.Ldc_I8, frame);
            front.Emit(OpCodes.Call, Members.StackSpace);
        }
        front.Emit(OpCodes.Ldc_I4, partition.Words + 1);
        front.Emit(OpCodes.Newarr, typeof(long));
        front.Emit(OpCodes.Stloc, wordArray);
        front.Emit(OpCodes.Ldc_I4, partition.Refs);
        front.Emit(OpCodes.Newarr, typeof(object));
        front.Emit(OpCodes.Stloc, refArray);
        for (int i = 0; i < partition.Arguments; i++)
        {
            if (partition.PlaceOf(i) == Partition.Place.Words)
            {
                Word(front, wordArray, partition.SlotOf(i));
                front.Emit(OpCodes.Ldarg, (short)(i + 1));
                Indirect.WriteStore(front, partition.TypeOf(i));
            }
            else
            {
                front.Emit(OpCodes.Ldloc, refArray);
                front.Emit(OpCodes.Ldc_I4, partition.SlotOf(i));
                front.Emit(OpCodes.Ldarg, (short)(i + 1));
                front.Emit(OpCodes.Stelem_Ref);
            }
        }
        Label again = front.DefineLabel();
        front.MarkLabel(again);
        front.Emit(OpCodes.Ldarg_0);
        Word(front, wordArray, 0);
        front.Emit(OpCodes.Ldloc, refArray);
        front.Emit(OpCodes.Ldloc, state);
        front.Emit(OpCodes.Ldc_I4, (1 << Partition.StateShift) - 1);
        front.Emit(OpCodes.And);
        if (result is not null) front.Emit(OpCodes.Ldloca, result);
        front.Emit(OpCodes.Ldc_I8, (long)codes);
        front.Emit(OpCodes.Ldloc, state);
        front.Emit(OpCodes.Ldc_I4, Partition.StateShift);
        front.Emit(OpCodes.Shr);
        front.Emit(OpCodes.Conv_I8);
        front.Emit(OpCodes.Ldc_I4_8);
        front.Emit(OpCodes.Conv_I8);
        front.Emit(OpCodes.Mul);
        front.Emit(OpCodes.Add);
        front.Emit(OpCodes.Conv_I);
        front.Emit(OpCodes.Ldind_I);
        front.EmitCalli(OpCodes.Calli, CallingConventions.Standard, typeof(int), parameters, null);
        front.Emit(OpCodes.Stloc, state);
        front.Emit(OpCodes.Ldloc, state);
        front.Emit(OpCodes.Ldc_I4_0);
        front.Emit(OpCodes.Bge, again);
        if (partition.Tails.Count > 0) WriteTails(partition, front, state, wordArray, refArray);
        front.Emit(OpCodes.Ldarg_0);
        front.Emit(OpCodes.Call, Members.KeepAlive);
        if (result is not null) front.Emit(OpCodes.Ldloc, result);
        front.Emit(OpCodes.Ret);
    }

    /// <summary>Makes the tail call that a part has ended with; falls through if it has returned.</summary>
    private static void WriteTails(Partition partition, ILGenerator front, LocalBuilder state, LocalBuilder wordArray, LocalBuilder refArray)
    {
        Label[] calls = [.. partition.Tails.Select(_ => front.DefineLabel())];
        Label none = front.DefineLabel();
        front.Emit(OpCodes.Ldc_I4, Partition.StateOfTail(0));
        front.Emit(OpCodes.Ldloc, state);
        front.Emit(OpCodes.Sub);
        front.Emit(OpCodes.Switch, calls);
        front.Emit(OpCodes.Br, none);
        for (int i = 0; i < calls.Length; i++)
        {
            front.MarkLabel(calls[i]);
            NativeSignature signature = partition.Tails[i];
            (int words, int refs) = partition.TailSlots;
            int at = words + 8;
            foreach (Type type in signature.Parameters)
            {
                if (type.IsValueType)
                {
                    Word(front, wordArray, at);
                    Indirect.WriteLoad(front, type);
                    at += 8 * Partition.WordsOf(type);
                }
                else
                {
                    front.Emit(OpCodes.Ldloc, refArray);
                    front.Emit(OpCodes.Ldc_I4, refs++);
                    front.Emit(OpCodes.Ldelem_Ref);
                }
            }
            Word(front, wordArray, words);
            front.Emit(OpCodes.Ldind_I);
            front.Emit(OpCodes.Tailcall);
            front.EmitCalli(OpCodes.Calli, CallingConventions.Standard, signature.Return, signature.Parameters, null);
            front.Emit(OpCodes.Ret);
        }
        front.MarkLabel(none);
    }

    /// <summary>Puts the address of a word on the IL stack.</summary>
    private static void Word(ILGenerator front, LocalBuilder words, int offset)
    {
        front.Emit(OpCodes.Ldloc, words);
        front.Emit(OpCodes.Ldc_I4_0);
        front.Emit(OpCodes.Ldelema, typeof(long));
        if (offset == 0) return;
        front.Emit(OpCodes.Ldc_I4, offset);
        front.Emit(OpCodes.Add);
    }
}
