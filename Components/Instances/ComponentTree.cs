using WasmJit.Runtime;

namespace WasmJit.Components;

/// <summary>
/// An instance that the host has made, with all instances in it: what is disposed of together.
/// </summary>
internal sealed class ComponentTree(Engine engine, Scheduler scheduler, Fuel? fuel, GuestResources? resources)
{
    private Scheduler scheduler = scheduler;
    private readonly List<InstanceState> states = [];
    private readonly List<Instance> cores = [];

    internal Engine Engine { get; } = engine;

    /// <summary>What it shares with those that it calls; another once it is linked with more.</summary>
    internal Scheduler Scheduler => scheduler.Merged is null ? scheduler : scheduler = scheduler.Latest;

    /// <summary>Waits until no other thread of the host is in it.</summary>
    internal Scheduler Enter()
    {
        while (true)
        {
            Scheduler current = Scheduler;
            current.Enter();
            if (current.Merged is null) return current;
            current.Leave();
        }
    }

    internal Fuel? Fuel { get; } = fuel;

    internal GuestResources? Resources { get; } = resources ?? engine.NewResources();

    internal bool IsDisposed { get; private set; }

    /// <summary>Whether its memories are gone: they are not before the last call has left.</summary>
    internal bool IsFreed { get; private set; }

    /// <summary>Calls of the host's functions that wait for it.</summary>
    private readonly HashSet<LateAction> waiting = [];

    internal void Begun(LateAction call)
    {
        lock (waiting) waiting.Add(call);
    }

    internal void Ended(LateAction call)
    {
        lock (waiting) waiting.Remove(call);
    }

    private void LeaveWaiting()
    {
        LateAction[] calls;
        lock (waiting) calls = [.. waiting];
        foreach (LateAction call in calls) call.RunLeft();
    }

    // ---- threads of tasks ----

    /// <summary>How many threads tasks have in it that have begun and not ended.</summary>
    internal int LiveThreads { get; private set; }

    /// <summary>What a thread of a task has ended with that did not end by itself: a trap, a token. The instances that it was in are not entered any more.</summary>
    internal Exception? Fault { get; private set; }

    /// <summary>Is told of the first fault, by the thread that is in the instances.</summary>
    internal Action? Faulted { get; set; }

    /// <summary>Whether something waits for the end of all threads.</summary>
    internal bool IsAwaited { get; set; }

    internal void ThreadBegun() => LiveThreads++;

    internal void ThreadEnded()
    {
        if (--LiveThreads == 0 && IsAwaited) Scheduler.Signal();
    }

    internal void Fail(Exception reason)
    {
        if (Fault is not null) return;
        Fault = reason;
        Faulted?.Invoke();
        Scheduler.Signal();
    }

    internal void Add(InstanceState state) => states.Add(state);

    internal void Add(Instance core) => cores.Add(core);

    /// <summary>Frees it as soon as no call of the calling thread is in it or those that it calls.</summary>
    internal void Dispose()
    {
        Scheduler scheduler = Enter();
        try
        {
            IsDisposed = true;
            scheduler.AtEnd(Free);
        }
        finally
        {
            scheduler.Leave();
        }
    }

    /// <summary>
    /// Frees the memories and withdraws the functions: no other component has any of them. Only where no call is in the instances; threads that wait
    /// in them end.
    /// </summary>
    internal void Free()
    {
        IsDisposed = true;
        IsFreed = true;
        bool hasThreads = Scheduler.Fibers > 0;
        foreach (InstanceState state in states)
        {
            state.MayEnter = false;
            hasThreads |= state.UsesTasks;
            if (state.Handles.Count == 0 && !state.UsesTasks) continue;
            // Calls that have not begun have no arguments any more.
            foreach (Subtask call in state.Handles.Items.OfType<Subtask>().ToList())
                if (call.State == SubtaskState.Starting) call.Cancel?.Invoke(null);
            foreach (GuestThread thread in state.Threads.Items.ToList()) thread.Abandon();
            // At the other end of a stream or future a reader or writer may wait, which would wait for ever.
            foreach (CopyEnd end in state.Handles.Items.OfType<CopyEnd>().ToList()) end.Shared.Drop();
            // The host's objects would not be dropped otherwise.
            foreach (object item in state.Handles.Items.ToList())
                if (item is ResourceHandle { IsOwn: true, Type.Host: { } host } handle) host.Dropped(handle.Representation);
        }
        Scheduler.Abandon(this);
        LeaveWaiting();
        foreach (InstanceState state in states) state.Free();
        foreach (Instance core in cores)
        {
            // Only the tree has anything of its core instances, and without threads that wait in guests none of their code goes on.
            if (hasThreads) core.Dispose();
            else core.Recycle();
        }
        cores.Clear();
        states.Clear();
    }
}

/// <summary>
/// Items by name: what an instance exports or imports. The names are those of a definition, whose instances share them.
/// </summary>
internal sealed class RuntimeInstance(Dictionary<string, int> places, object[] items)
{
    /// <summary>
    /// An item: <see cref="ComponentFunc"/>, <see cref="RuntimeInstance"/>, <see cref="ComponentClosure"/>, <see cref="Module"/>, <see cref="RuntimeResource"/>, or for other
    /// types the <see cref="DefinedType"/>; of a core instance that is made of what is named what the frame has. Null if there is none of this name.
    /// </summary>
    internal object? Find(string name) => places.TryGetValue(name, out int place) ? items[place] : null;

    internal object this[string name] => items[places[name]];
}

/// <summary>A component with what it takes of those around it.</summary>
internal sealed class ComponentClosure(ComponentCode code, ComponentDefinition definition, ComponentFrame? outer)
{
    internal ComponentCode Code { get; } = code;

    internal ComponentDefinition Definition { get; } = definition;

    internal ComponentFrame? Outer { get; } = outer;
}

/// <summary>The index spaces of a component that is being instantiated, filled as far as its definitions are done.</summary>
internal sealed class ComponentFrame(InstanceState state, ComponentFrame? outer, ComponentSpaces spaces)
{
    internal InstanceState State { get; } = state;

    internal ComponentFrame? Outer { get; } = outer;

    internal List<FuncRef> CoreFuncs { get; } = new(spaces.CoreFuncs.Count);

    internal List<Table> CoreTables { get; } = [];

    internal List<Memory> CoreMemories { get; } = [];

    internal List<Global> CoreGlobals { get; } = [];

    internal List<Tag> CoreTags { get; } = [];

    internal List<Module> CoreModules { get; } = [];

    /// <summary>Instances of modules, and things by name.</summary>
    internal List<object> CoreInstances { get; } = new(spaces.CoreInstances.Count);

    internal List<ComponentFunc> Funcs { get; } = new(spaces.Funcs.Count);

    internal List<ComponentValue> Values { get; } = [];

    /// <summary>As <see cref="RuntimeInstance.Find"/> gives them.</summary>
    internal List<object> Types { get; } = new(spaces.Types.Count);

    internal List<ComponentClosure> Components { get; } = [];

    internal List<RuntimeInstance> Instances { get; } = new(spaces.Instances.Count);

    internal object Get(SortIndex item) => item.Sort switch
    {
        Sort.CoreFunc => CoreFuncs[(int)item.Index],
        Sort.CoreTable => CoreTables[(int)item.Index],
        Sort.CoreMemory => CoreMemories[(int)item.Index],
        Sort.CoreGlobal => CoreGlobals[(int)item.Index],
        Sort.CoreTag => CoreTags[(int)item.Index],
        Sort.CoreModule => CoreModules[(int)item.Index],
        Sort.CoreInstance => CoreInstances[(int)item.Index],
        Sort.Func => Funcs[(int)item.Index],
        Sort.Value => Values[(int)item.Index],
        Sort.Type => Types[(int)item.Index],
        Sort.Component => Components[(int)item.Index],
        _ => Instances[(int)item.Index],
    };
}

/// <summary>What all instances of a component share: its modules, and what its definitions say of threads.</summary>
internal sealed class ComponentCode(Engine engine)
{
    private readonly System.Collections.Concurrent.ConcurrentDictionary<Jit.Binary.ModuleInfo, Module> modules = new();
    private readonly System.Collections.Concurrent.ConcurrentDictionary<ComponentDefinition, ComponentPlan> plans = new();

    internal Engine Engine { get; } = engine;

    internal Module ModuleOf(Jit.Binary.ModuleInfo info) => modules.GetOrAdd(info, static (i, e) => new Module(e, i), Engine);

    internal ComponentPlan PlanOf(ComponentDefinition definition) => plans.GetOrAdd(definition, static d => new ComponentPlan(d));
}

/// <summary>What is the same in all instances of a component, of one that is nested in another as well.</summary>
internal sealed class ComponentPlan
{
    private readonly Dictionary<string, int>?[] places;

    internal ComponentPlan(ComponentDefinition component)
    {
        (UsesTasks, MayBlock) = Find(component);
        places = [.. component.Definitions.Select(static d => d switch
        {
            CoreInstantiation core => Places(core.Arguments.Select(a => a.Name)),
            CoreExportsInstance core => Places(core.Exports.Select(e => e.Name)),
            Instantiation instantiation => Places(instantiation.Arguments.Select(a => a.Name)),
            ExportsInstance instance => Places(instance.Exports.Select(e => e.Name.Name)),
            _ => null,
        })];
        Exports = Places(component.Definitions.OfType<ExportDefinition>().Select(e => e.Name.Name));
    }

    /// <summary>Whether core code can ask for its task.</summary>
    internal bool UsesTasks { get; }

    /// <summary>Whether core code can wait with frames on the stack.</summary>
    internal bool MayBlock { get; }

    /// <summary>The names of the exports, in order.</summary>
    internal Dictionary<string, int> Exports { get; }

    /// <summary>The names of what is given in a definition that makes an instance, in order.</summary>
    internal Dictionary<string, int> PlacesOf(int definition) => places[definition]!;

    private static Dictionary<string, int> Places(IEnumerable<string> names)
    {
        var places = new Dictionary<string, int>();
        int place = 0;
        foreach (string name in names) places[name] = place++;
        return places;
    }

    private static (bool UsesTasks, bool MayBlock) Find(ComponentDefinition component)
    {
        bool uses = false, blocks = false;
        foreach (Definition definition in component.Definitions)
        {
            switch (definition)
            {
                case LowerDefinition lower when component.Spaces.Funcs[(int)lower.Func].IsAsync:
                    uses = true;
                    blocks |= !lower.Options.IsAsync;
                    break;
                case BuiltinDefinition { Op: not (CanonOp.ResourceNew or CanonOp.ResourceDrop or CanonOp.ResourceRep) } builtin:
                    uses = true;
                    blocks |= builtin.Op is CanonOp.WaitableSetWait or CanonOp.ThreadYield or CanonOp.ThreadNewIndirect
                        or (>= CanonOp.ThreadSuspend and <= CanonOp.ThreadYieldThenPromote)
                        || (!builtin.IsAsync && !builtin.Options.IsAsync && builtin.Op is CanonOp.SubtaskCancel
                            or CanonOp.StreamRead or CanonOp.StreamWrite or CanonOp.FutureRead or CanonOp.FutureWrite or CanonOp.StreamCancelRead
                            or CanonOp.StreamCancelWrite or CanonOp.FutureCancelRead or CanonOp.FutureCancelWrite);
                    break;
            }
        }
        return (uses, blocks);
    }
}
