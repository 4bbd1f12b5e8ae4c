using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using WasmJit.Jit.Calls;

namespace WasmJit.Components;

/// <summary>Calls that have become one method (<see cref="FusedCall"/>), whose code uses these members by name.</summary>
internal sealed unsafe partial class LoweredFunction
{
    /// <summary>The only instance that a call enters, if there is only one.</summary>
    private readonly InstanceState? single;

    /// <summary>What the copies of fused calls work on, which code of guests alone makes.</summary>
    internal FusedTransfer? ForFusedArguments, ForFusedResult;

    /// <summary>
    /// The handles that a fused call lends. One object serves all calls, since they do not overlap: while one is in the callee, no other can enter it; and after a call that trapped none
    /// begins any more.
    /// </summary>
    internal CallScope? FusedScope;

    private FusedCall? fused;

    /// <summary>How many calls have been made before they were fused.</summary>
    private int calls;

    /// <summary>From now on calls are one method, if they can be.</summary>
    private void Fuse()
    {
        // Code of a guest looks at the stack; a lowered function that is lifted again does not, and there may be many behind one another.
        if (CoreFunction!.Context is not InstanceCore || !FusedCall.Fits(shape)) return;
        ForFusedArguments = new FusedTransfer(ForArguments!);
        ForFusedResult = new FusedTransfer(ForResult!);
        if (HasBorrows) FusedScope = new CallScope(new BorrowScope());
        fused = FusedCall.Of(this, Signature.Of(Type!), Signature.Of(lifted!.Core.Type), shape, ParameterForm);
        Volatile.Write(ref Fast, fused.Code);
        // Callers need not come here any more: the first argument is the same.
        Function?.Compiled(fused.Code);
    }

    /// <summary>What fused calls copy by.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal FusedTransfer FusedTransfer(bool isResult) => (isResult ? ForFusedResult : ForFusedArguments)!;

    /// <summary>Whether a call enters one instance.</summary>
    internal bool EntersOne => single is not null;

    /// <summary>Begins a call that enters one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void BeginOne()
    {
        InstanceState entering = single!;
        if (!(Instance.MayLeave & entering.MayEnter)) CannotBegin();
        entering.MayEnter = false;
    }

    /// <summary>Throws the reason. A method that never returns, so that RyuJIT keeps nothing for what comes after it.</summary>
    [DoesNotReturn]
    private void CannotBegin()
    {
        Instance.CheckLeave();
        throw ComponentTrap.Make(ComponentTrap.CannotEnter);
    }

    internal void BeginFused()
    {
        Instance.CheckLeave();
        InstanceState.Enter(entered);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void BeginPostReturn() => calleeInstance!.MayLeave = false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void EndPostReturn() => calleeInstance!.MayLeave = true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void EndOne() => single!.MayEnter = true;

    internal void EndFused() => InstanceState.Leave(entered);
}
