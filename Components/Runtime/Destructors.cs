namespace WasmJit.Components;

/// <summary>What happens to a resource whose owning handle is dropped.</summary>
internal static class Destructors
{
    private static readonly FunctionType Type = new([], null, false);

    internal static unsafe void Run(RuntimeResource resource, ulong representation, InstanceState? caller)
    {
        if (resource.Host is { } host)
        {
            host.Drop(representation);
            return;
        }
        InstanceState definer = resource.Definer!;
        InstanceState[] entered = definer.EnteredFrom(caller);
        if (resource.Destructor is not { } destructor)
        {
            // A destructor that does nothing could be called only if any could.
            if (!InstanceState.CanEnter(entered)) ComponentTrap.Throw(ComponentTrap.CannotEnter);
            return;
        }
        LiftedFunction lifted = resource.Lifted ??= new(Type, new GuestSide(definer, null, StringEncoding.Utf8, null), destructor, null, null, false);
        if (!lifted.IsPlain)
        {
            lifted.Begin(new Caller(caller, representation), entered);
            return;
        }
        InstanceState.Enter(entered);
        ulong none;
        lifted.Call(&representation, &none);
        InstanceState.Leave(entered);
    }

    /// <remarks>Unsafe: a destructor has one parameter.</remarks>
    private sealed unsafe class Caller(InstanceState? caller, ulong representation) : TaskCaller
    {
        internal override InstanceState? Instance => caller;

        internal override void Start(GuestTask callee, ulong* slots) => *slots = representation;

        internal override void Return(GuestTask callee, ulong* slots, bool isFlat)
        {
        }

        internal override void Cancelled()
        {
        }
    }
}
