using System.Runtime.CompilerServices;
using WasmJit.Runtime;

namespace WasmJit.Components;

/// <summary>
/// A component instance as the canonical ABI sees it: its handles, and whether it may be entered and left. A failure leaves the flags as
/// they are, so that an instance in which a guest has trapped is not entered again.
/// </summary>
internal sealed class InstanceState(ComponentTree tree, InstanceState? parent)
{
    /// <summary>The tree that it belongs to: the host's instance and all instances in it.</summary>
    internal ComponentTree Tree { get; } = tree;

    internal InstanceState? Parent { get; } = parent;

    internal Scheduler Scheduler => Tree.Scheduler;

    internal HandleSpace Handles { get; } = new(tree.Resources);

    /// <summary>The threads of its tasks.</summary>
    internal ThreadSpace Threads => threads ??= new(Tree.Resources);

    private ThreadSpace? threads;

    /// <summary>What streams and futures of the instance's types carry.</summary>
    internal Dictionary<StreamType, PayloadType> Payloads => payloads ??= [];

    private Dictionary<StreamType, PayloadType>? payloads;

    /// <summary>The instance is gone: its tables are empty.</summary>
    internal void Free()
    {
        MayEnter = false;
        Handles.Free();
        threads?.Free();
    }

    internal bool MayEnter = true;

    internal bool MayLeave = true;

    internal int Backpressure;

    internal int WaitingToEnter;

    /// <summary>The thread whose core code may run; only functions that are not reentrant need it.</summary>
    internal GuestThread? Exclusive;

    /// <summary>Whether its core code can ask for its task: it has built-ins that do, or calls functions that may block.</summary>
    internal bool UsesTasks { get; set; }

    /// <summary>Whether its core code can wait with frames on the stack.</summary>
    internal bool MayBlock { get; set; }

    private Dictionary<ResourceType, RuntimeResource>? resources;

    /// <summary>Says what a resource type of the component's own types is here.</summary>
    internal void Bind(ResourceType type, RuntimeResource resource) => (resources ??= [])[type.Canonical] = resource;

    internal RuntimeResource? Find(ResourceType type) => resources?.GetValueOrDefault(type.Canonical);

    internal RuntimeResource Resolve(ResourceType type) => Find(type) ?? throw new InvalidOperationException("A resource type has no definition.");

    internal void CheckLeave()
    {
        if (!MayLeave) ComponentTrap.Throw(ComponentTrap.CannotLeave);
    }

    // ---- which calls may enter ----

    /// <summary>
    /// The instances that a call enters: the callee and those around it, without those around the caller. Of a call by the host all.
    /// </summary>
    internal InstanceState[] EnteredFrom(InstanceState? caller)
    {
        var entered = new List<InstanceState>();
        for (InstanceState? each = this; each is not null; each = each.Parent)
            if (!each.IsAround(caller)) entered.Add(each);
        return [.. entered];
    }

    /// <summary>Whether this is the other or one around it.</summary>
    internal bool IsAround(InstanceState? other)
    {
        for (InstanceState? each = other; each is not null; each = each.Parent)
            if (ReferenceEquals(each, this)) return true;
        return false;
    }

    internal static bool CanEnter(InstanceState[] entered)
    {
        foreach (InstanceState each in entered)
            if (!each.MayEnter) return false;
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Enter(InstanceState[] entered)
    {
        if (entered.Length == 1 && entered[0].MayEnter) entered[0].MayEnter = false;
        else EnterAll(entered);
    }

    private static void EnterAll(InstanceState[] entered)
    {
        if (!CanEnter(entered)) ComponentTrap.Throw(ComponentTrap.CannotEnter);
        foreach (InstanceState each in entered) each.MayEnter = false;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Leave(InstanceState[] entered)
    {
        foreach (InstanceState each in entered) each.MayEnter = true;
    }

    private InstanceState[]? fromHost;

    /// <summary>What a call by the host enters.</summary>
    internal InstanceState[] FromHost => fromHost ??= EnteredFrom(null);
}

/// <summary>A resource type of an instance: the instance that defines it, and the function that destroys its objects.</summary>
internal sealed class RuntimeResource(InstanceState? definer, ValType representation)
{
    /// <summary>The instance that defines it; null if the host does.</summary>
    internal InstanceState? Definer { get; } = definer;

    internal bool Is64 { get; } = representation == ValType.I64;

    /// <summary>A core function that gets the representation.</summary>
    internal FuncRef? Destructor { get; set; }

    /// <summary>The destructor as a function of its instance, once it has been called.</summary>
    internal LiftedFunction? Lifted { get; set; }

    /// <summary>The host's types: what is told of a dropped handle.</summary>
    internal HostResourceType? Host { get; init; }

    internal string Description => Host is null ? "guest-defined resource" : $"host-defined resource `{Host.Name}`";
}
