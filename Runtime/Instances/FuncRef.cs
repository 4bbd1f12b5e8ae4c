using System.Runtime.CompilerServices;

namespace WasmJit.Runtime;

/// <summary>
/// A function as generated code sees it: code, its first argument, and its type. Outside, the same reference is the typed delegate <see
/// cref="Delegate"/>. A host delegate is called through the two fields that its own Invoke would use, so a call to the host costs as much as a call
/// to another instance.
/// </summary>
/// <remarks>Unsafe: the addresses of <see cref="Gone"/> and <see cref="Dropped"/> stand for code of any signature; they take no arguments and never return.</remarks>
internal sealed unsafe partial class FuncRef
{
    /// <summary>Makes the typed delegate of a wasm function; set by the compiler.</summary>
    internal static Func<FuncRef, Delegate> DelegateFactory = null!;

    /// <summary>The content of empty slots of function tables. <c>call_indirect</c> compares its type and so needs no null test.</summary>
    internal static readonly FuncRef Empty = new((object?)null, 0, 0, null!);

    private static readonly nint GoneCode = (nint)(delegate*<void>)&Gone, DroppedCode = (nint)(delegate*<void>)&Dropped;

    private Delegate? made;

    /// <summary>The code that stands in place of that of a function whose instance is no more; 0 for all others.</summary>
    private nint gone;

    private FuncRef(object? context, nint code, int typeId, DefType type)
    {
        Context = context;
        Code = code;
        TypeId = typeId;
        Type = type;
    }

    /// <summary>A function of an instance.</summary>
    internal FuncRef(InstanceCore instance, nint code, DefType type, int index)
        : this(instance, code, type.Id, type) => Index = index;

    /// <summary>A host function whose signature is the wasm one, or code that is called as one and has no delegate until the host asks for it.</summary>
    internal FuncRef(Delegate? host, object? context, nint code, DefType type)
        : this(context, code, type.Id, type)
    {
        made = host;
        Index = -1;
    }

    /// <summary>The first argument of the code.</summary>
    internal readonly object? Context;

    /// <summary>The code's address; first a stub that compiles, then the code itself.</summary>
    internal nint Code;

    /// <summary><see cref="DefType.Id"/> of the type.</summary>
    internal readonly int TypeId;

    internal readonly DefType Type;

    /// <summary>The function's index in its instance, -1 for host functions.</summary>
    internal readonly int Index;

    /// <summary>Whether the instance has been disposed of or dropped.</summary>
    internal bool IsGone => Volatile.Read(ref gone) != 0;

    /// <summary>The code has been compiled.</summary>
    internal void Compiled(nint code)
    {
        // The mark is read behind the write: a thread that sets it in between writes the code after this.
        Interlocked.Exchange(ref Code, code);
        if (Volatile.Read(ref gone) is not 0 and var instead) Code = instead;
    }

    /// <summary>The instance has been disposed of. From now on callers of the function, host or guest, get an exception.</summary>
    /// <param name="isDropped">Whether a guest has dropped it, whose calls then trap.</param>
    internal void Withdraw(bool isDropped)
    {
        nint instead = isDropped ? DroppedCode : GoneCode;
        Volatile.Write(ref gone, instead);
        Volatile.Write(ref Code, instead);
    }

    /// <summary>
    /// The code of all functions whose instances are disposed of. Callers take their arguments off the stack themselves, and none of them gets a
    /// result.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Gone() => throw new ObjectDisposedException("WasmJit.Instance", "The function's instance has been disposed of.");

    /// <summary>The same for functions that a guest has dropped.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Dropped() => throw Trap.Make(TrapKind.DroppedFunction);

    /// <summary>The delegate of a host function; null of one that has none yet.</summary>
    internal Delegate? Host => Index < 0 ? made : null;

    /// <summary>The delegate that stands for this function in .NET: always the same object.</summary>
    internal Delegate Delegate
    {
        get
        {
            if (made is null) Interlocked.CompareExchange(ref made, DelegateFactory(this), null);
            return made;
        }
    }

    /// <summary>
    /// Enters a function without parameters and results from .NET. For other signatures methods are made that do the same.
    /// </summary>
    internal void Enter()
    {
        if (!RuntimeCode.IsAvailable && Context is InstanceCore { Functions: not null })
        {
            SlotCalls.Invoke(this, null, 0, 0);
            return;
        }
        WasmThread.EnsureRegistered();
        try
        {
            ((delegate*<object?, void>)Code)(Context);
        }
        catch (Exception e) when (TrapFilter.IsTrap(e))
        {
            throw TrapFilter.ToTrap(e);
        }
        GC.KeepAlive(this);
    }

    /// <summary>The delegate of a reference, null for null.</summary>
    internal static Delegate? ToDelegate(FuncRef? func) => func?.Delegate;
}
