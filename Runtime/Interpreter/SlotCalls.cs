using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace WasmJit.Runtime;

/// <summary>A host function that the interpreter calls without a method made for its signature.</summary>
/// <remarks>Unsafe: implementations read and write the slots of their signature alone, for which callers have made room.</remarks>
internal abstract unsafe class SlotHost
{
    /// <summary>Calls it with arguments in slots; the results take their place.</summary>
    internal abstract void Call(InterpreterThread thread, ulong* fp, int rp);
}

/// <summary>
/// Calls between .NET, interpreted functions and the host's in a process that can make no code. Arguments and results are in slots of the interpreter's
/// stack, so that no method is needed for a signature.
/// </summary>
/// <remarks>Unsafe: slots at the thread's top. Behind the limit of the stack there is room for the arguments and results of any call.</remarks>
internal static unsafe class SlotCalls
{
    /// <summary>
    /// What stands in place of the code of a function that the interpreter alone can call. Machine code of a saved module that calls it gets an exception: callers
    /// take their arguments off the stack themselves, so the signature does not matter.
    /// </summary>
    internal static readonly nint Code = (nint)(delegate*<void>)&Missing;

    /// <summary>Makes what calls a function that is not interpreted; set by the compiler.</summary>
    internal static ConditionalWeakTable<FuncRef, SlotHost>.CreateValueCallback HostFactory = null!;

    private static readonly ConditionalWeakTable<FuncRef, SlotHost> Hosts = [];

    /// <summary>Exceptions that a host function let out. They are no traps, whatever their type is.</summary>
    private static readonly ConditionalWeakTable<Exception, object> OfHosts = [];

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Missing() => throw RuntimeCode.Missing("Machine code of a saved module calls an interpreted function");

    /// <summary>Calls a function with arguments in slots; the results take their place.</summary>
    internal static void Call(InterpreterThread thread, FuncRef target, ulong* fp, int rp)
    {
        if (target.IsGone) ((delegate*<object?, void>)target.Code)(target.Context);
        if (target.Context is InstanceCore { Functions: not null } instance)
        {
            thread.Top = fp;
            thread.RefTop = rp;
            InterpreterCalls.Enter(instance, target.Index - instance.ImportedFuncs, thread);
            return;
        }
        SlotHost host = target.Context as SlotHost ?? Hosts.GetValue(target, HostFactory);
        try
        {
            host.Call(thread, fp, rp);
        }
        catch (Exception e) when (Note(e))
        {
            // The filter never takes the exception.
            throw;
        }
    }

    private static bool Note(Exception exception)
    {
        OfHosts.AddOrUpdate(exception, OfHosts);
        return false;
    }

    /// <summary>Whether an exception of the runtime that leaves a guest is a trap. It runs as an exception filter.</summary>
    private static bool IsTrap(Exception exception) => exception switch
    {
        TrapException trap => trap.IsDeep,
        WasmException thrown => !RuntimeCode.IsCompiledWhole && Unwinder.Leaves(thrown),
        DivideByZeroException or OverflowException or NullReferenceException or IndexOutOfRangeException or InvalidCastException or OutOfMemoryException =>
            !OfHosts.TryGetValue(exception, out _),
        _ => false,
    };

    /// <summary>Calls a function over numbers from .NET. The results take the place of the arguments.</summary>
    /// <param name="func">The function.</param>
    /// <param name="values">The arguments, of 64 bits each; room for the results.</param>
    /// <param name="parameters">How many arguments there are.</param>
    /// <param name="results">How many results there are.</param>
    /// <exception cref="TrapException">The guest trapped.</exception>
    internal static void Invoke(FuncRef func, ulong* values, int parameters, int results)
    {
        WasmThread.EnsureRegistered();
        try
        {
            InterpreterThread thread = InterpreterThread.Current;
            ulong* fp = thread.Top;
            int rp = thread.RefTop;
            for (int i = 0; i < parameters; i++) fp[i] = values[i];
            Call(thread, func, fp, rp);
            for (int i = 0; i < results; i++) values[i] = fp[i];
        }
        catch (Exception e) when (IsTrap(e))
        {
            throw TrapFilter.ToTrap(e);
        }
        GC.KeepAlive(func);
    }

    /// <summary>Calls a function from .NET with values whose kinds have been compared with its type.</summary>
    /// <exception cref="ArgumentException">A reference is not of the type of its parameter.</exception>
    /// <exception cref="TrapException">The guest trapped.</exception>
    internal static void Invoke(FuncRef func, ReadOnlySpan<Value> arguments, Span<Value> results)
    {
        FuncType type = func.Type.AsFunc!;
        WasmThread.EnsureRegistered();
        // An argument that is refused must leave nothing on the stack.
        object?[] references = ToGuest(arguments, type.Params.AsSpan());
        try
        {
            InterpreterThread thread = InterpreterThread.Current;
            ulong* fp = thread.Top;
            int rp = thread.RefTop;
            Write(thread, fp, rp, type.Params.AsSpan(), arguments, references);
            Call(thread, func, fp, rp);
            Read(thread, fp, rp, type.Results.AsSpan(), results);
        }
        catch (Exception e) when (IsTrap(e))
        {
            throw TrapFilter.ToTrap(e);
        }
        GC.KeepAlive(func);
    }

    /// <summary>The references among values as guests have them, in their order.</summary>
    /// <exception cref="ArgumentException">One is not of its type.</exception>
    internal static object?[] ToGuest(ReadOnlySpan<Value> values, ReadOnlySpan<ValType> types)
    {
        int count = 0;
        foreach (ValType type in types) count += type.IsRef ? 1 : 0;
        if (count == 0) return [];
        var references = new object?[count];
        count = 0;
        for (int i = 0; i < types.Length; i++)
        {
            if (!types[i].IsRef) continue;
            references[count++] = HostValues.ToGuest(values[i].AsReference(), types[i]);
        }
        return references;
    }

    /// <summary>Puts values into slots.</summary>
    /// <param name="thread">The thread's stack.</param>
    /// <param name="fp">The first slot.</param>
    /// <param name="rp">The first reference.</param>
    /// <param name="types">The values' types.</param>
    /// <param name="values">The values; references are not read.</param>
    /// <param name="references">The references, see <see cref="ToGuest"/>.</param>
    internal static void Write(InterpreterThread thread, ulong* fp, int rp, ReadOnlySpan<ValType> types, ReadOnlySpan<Value> values, ReadOnlySpan<object?> references)
    {
        for (int i = 0; i < types.Length; i++)
        {
            switch (types[i].Kind)
            {
                case ValKind.I32: *fp++ = (uint)values[i].AsInt32(); break;
                case ValKind.I64: *fp++ = (ulong)values[i].AsInt64(); break;
                case ValKind.F32: *fp++ = BitConverter.SingleToUInt32Bits(values[i].AsSingle()); break;
                case ValKind.F64: *fp++ = BitConverter.DoubleToUInt64Bits(values[i].AsDouble()); break;
                case ValKind.V128:
                    Unsafe.WriteUnaligned(fp, values[i].AsVector());
                    fp += 2;
                    break;
            }
        }
        for (int i = 0; i < references.Length; i++) InterpreterThread.SetRef(thread, rp + i, references[i]);
    }

    /// <summary>Takes values from slots, functions as delegates.</summary>
    internal static void Read(InterpreterThread thread, ulong* fp, int rp, ReadOnlySpan<ValType> types, Span<Value> values)
    {
        for (int i = 0; i < types.Length; i++)
        {
            switch (types[i].Kind)
            {
                case ValKind.I32: values[i] = *(int*)fp++; break;
                case ValKind.I64: values[i] = *(long*)fp++; break;
                case ValKind.F32: values[i] = *(float*)fp++; break;
                case ValKind.F64: values[i] = *(double*)fp++; break;
                case ValKind.V128:
                    values[i] = Unsafe.ReadUnaligned<Vector128<byte>>(fp);
                    fp += 2;
                    break;
                default: values[i] = Value.FromReference(HostValues.ToHost(InterpreterThread.TakeRef(thread, rp++))); break;
            }
        }
    }
}
