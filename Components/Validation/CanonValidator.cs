using System.Collections.Immutable;

namespace WasmJit.Components;

/// <summary>Validates canonical definitions (CanonicalABI.md, canonical definitions) and gives the functions that they define.</summary>
internal readonly struct CanonValidator(ComponentScope scope)
{
    private static readonly ValType I32 = ValType.I32, I64 = ValType.I64;

    private ComponentSpaces Spaces => scope.Spaces;

    // ---- options ----

    /// <summary>What options are there for.</summary>
    private enum OptionUse
    {
        Lift,
        Lower,
        TaskReturn,
        Copy,
        ErrorContext,
    }

    /// <summary>Options once they are checked by themselves; pointers have the bits of the memory's addresses.</summary>
    private readonly record struct Checked(CanonOptions Options, bool HasMemory, bool HasRealloc, bool Is64, int Offset)
    {
        internal bool IsAsync => Options.IsAsync;

        internal ValType Pointer => Is64 ? ValType.I64 : ValType.I32;

        internal void RequireMemory()
        {
            if (!HasMemory) throw new InvalidModuleException("canonical option `memory` is required", Offset);
        }

        internal void RequireRealloc()
        {
            RequireMemory();
            if (!HasRealloc) throw new InvalidModuleException("canonical option `realloc` is required", Offset);
        }

        /// <summary>What is needed to read values of the type out of memory that is there.</summary>
        internal void RequireFor(ComponentValType? type)
        {
            if (type is not null && (type.Traits & TypeTraits.HasPointer) != 0) RequireMemory();
        }

        /// <summary>What is needed to write values of the type into memory that is not there yet.</summary>
        internal void RequireForNew(ComponentValType? type)
        {
            if (type is not null && (type.Traits & TypeTraits.HasPointer) != 0) RequireRealloc();
        }
    }

    private Checked Check(CanonOptions options, OptionUse use, int at)
    {
        CanonOption? encoding = null, memory = null, realloc = null, postReturn = null, callback = null;
        bool isAsync = false;
        foreach (CanonOption option in options.Items)
        {
            switch (option.Kind)
            {
                case CanonOptionByte.Utf8 or CanonOptionByte.Utf16 or CanonOptionByte.Latin1Utf16:
                    if (encoding is { } before)
                        throw new InvalidModuleException(
                            $"canonical encoding option `{EncodingName(before.Kind)}` conflicts with option `{EncodingName(option.Kind)}`", option.Offset);
                    encoding = option;
                    break;
                case CanonOptionByte.Memory: Once(ref memory, option, "memory"); break;
                case CanonOptionByte.Realloc: Once(ref realloc, option, "realloc"); break;
                case CanonOptionByte.PostReturn: Once(ref postReturn, option, "post-return"); break;
                case CanonOptionByte.Callback: Once(ref callback, option, "callback"); break;
                default:
                    if (isAsync) throw new InvalidModuleException("canonical option `async` is specified more than once", option.Offset);
                    isAsync = true;
                    break;
            }
        }
        bool is64 = memory is { } m && CheckMemory(m.Index, m.Offset);
        ValType address = is64 ? I64 : I32;
        if (realloc is { } r)
        {
            if (memory is null) throw new InvalidModuleException("canonical option `realloc` requires `memory` to also be specified", r.Offset);
            CheckFunc(r, "realloc", [address, address, address, address], [address]);
        }
        if (postReturn is { } p)
        {
            if (use != OptionUse.Lift) throw new InvalidModuleException("canonical option `post-return` cannot be specified for lowerings", p.Offset);
            if (isAsync) throw new InvalidModuleException("canonical option `post-return` cannot be specified with `async`", p.Offset);
        }
        if (callback is { } c)
        {
            if (use != OptionUse.Lift) throw new InvalidModuleException("canonical option `callback` cannot be specified for lowerings", c.Offset);
            if (!isAsync) throw new InvalidModuleException("canonical option `callback` requires `async` to also be specified", c.Offset);
            CheckFunc(c, "callback", [I32, I32, I32], [I32]);
        }
        if (isAsync && use is OptionUse.TaskReturn or OptionUse.ErrorContext)
            throw new InvalidModuleException("canonical option `async` cannot be specified here", at);
        if (realloc is not null && use == OptionUse.TaskReturn)
            throw new InvalidModuleException("canonical option `realloc` cannot be specified for `task.return`", at);
        return new Checked(options, memory is not null, realloc is not null, is64, at);
    }

    private static string EncodingName(byte kind) => kind switch
    {
        CanonOptionByte.Utf8 => "utf8",
        CanonOptionByte.Utf16 => "utf16",
        _ => "latin1-utf16",
    };

    private static void Once(ref CanonOption? known, CanonOption option, string name)
    {
        if (known is not null) throw new InvalidModuleException($"canonical option `{name}` is specified more than once", option.Offset);
        known = option;
    }

    /// <summary>Whether a memory has addresses of 64 bits.</summary>
    private bool CheckMemory(uint index, int at)
    {
        MemoryType memory = ComponentScope.Get(Spaces.CoreMemories, index, "memory", at);
        if (memory.IsShared || memory.PageSizeLog2 != 16)
            throw new InvalidModuleException("canonical option `memory` needs a memory that is not shared, with pages of 64 KiB", at);
        return memory.Is64;
    }

    private void CheckFunc(CanonOption option, string name, ImmutableArray<ValType> parameters, ImmutableArray<ValType> results)
    {
        FuncType func = scope.GetCoreFunc(option.Index, option.Offset);
        if (!func.Params.AsSpan().SequenceEqual(parameters.AsSpan()) || !func.Results.AsSpan().SequenceEqual(results.AsSpan()))
            throw new InvalidModuleException($"canonical option `{name}` uses a core function with an incorrect signature", option.Offset);
    }

    // ---- lift and lower ----

    internal FunctionType Validate(LiftDefinition lift)
    {
        int at = lift.Offset;
        FunctionType type = scope.GetFunctionType(lift.Type, at);
        FuncType core = scope.GetCoreFunc(lift.CoreFunc, at);
        Checked options = Check(lift.Options, OptionUse.Lift, at);
        if (options.IsAsync && !type.IsAsync)
            throw new InvalidModuleException("the `async` canonical option requires an async function type", at);
        // The function's parameters are written into its memory, its result is read out of it.
        foreach (LabelledType parameter in type.Parameters) options.RequireForNew(parameter.Type);
        if (FlatTypes.CountParameters(type) > TypeLimits.FlatParameters) options.RequireRealloc();
        options.RequireFor(type.Result);
        if (type.Result?.FlatCount > (options.IsAsync ? TypeLimits.FlatParameters : TypeLimits.FlatResults)) options.RequireMemory();
        FuncType expected = FlatTypes.OfFunction(type, true, options.IsAsync, lift.Options.Callback is not null, options.Is64);
        if (!expected.Params.AsSpan().SequenceEqual(core.Params.AsSpan()))
            throw new InvalidModuleException($"lowered parameter types `{List(expected.Params)}` do not match parameter types `{List(core.Params)}`", at);
        if (!expected.Results.AsSpan().SequenceEqual(core.Results.AsSpan()))
            throw new InvalidModuleException($"lowered result types `{List(expected.Results)}` do not match result types `{List(core.Results)}`", at);
        foreach (CanonOption option in lift.Options.Items)
            if (option.Kind == CanonOptionByte.PostReturn) CheckFunc(option, "post-return", core.Results, []);
        return type;
    }

    private static string List(ImmutableArray<ValType> types) => $"[{string.Join(", ", types.Select(t => t.IsRef ? t.ToString() : t.ToString().ToUpperInvariant()))}]";

    internal DefType Validate(LowerDefinition lower)
    {
        int at = lower.Offset;
        FunctionType type = ComponentScope.Get(Spaces.Funcs, lower.Func, "function", at);
        Checked options = Check(lower.Options, OptionUse.Lower, at);
        if (options.IsAsync && !type.IsAsync)
            throw new InvalidModuleException("the `async` canonical option requires an async function type", at);
        foreach (LabelledType parameter in type.Parameters) options.RequireFor(parameter.Type);
        if (FlatTypes.CountParameters(type) > (options.IsAsync ? TypeLimits.FlatAsyncParameters : TypeLimits.FlatParameters)) options.RequireMemory();
        if (type.Result?.FlatCount > (options.IsAsync ? 0 : TypeLimits.FlatResults)) options.RequireMemory();
        options.RequireForNew(type.Result);
        return DefType.Of(FlatTypes.OfFunction(type, false, options.IsAsync, false, options.Is64));
    }

    // ---- built-ins ----

    /// <summary>The core function that a built-in is. Each has a line here: the compiler finds one that is forgotten.</summary>
    internal DefType Validate(BuiltinDefinition builtin) => builtin.Op switch
    {
        CanonOp.ResourceNew => Func([Representation(builtin)], [I32]),
        CanonOp.ResourceRep => Func([I32], [Representation(builtin)]),
        CanonOp.ResourceDrop => ResourceDrop(builtin),
        CanonOp.TaskReturn => TaskReturn(builtin),
        CanonOp.TaskCancel or CanonOp.BackpressureInc or CanonOp.BackpressureDec => Func([], []),
        CanonOp.ContextGet => Func([], [Slot(builtin)]),
        CanonOp.ContextSet => Func([Slot(builtin)], []),
        CanonOp.StreamNew or CanonOp.FutureNew => OnElement(builtin, Func([], [I64])),
        CanonOp.StreamRead or CanonOp.StreamWrite or CanonOp.FutureRead or CanonOp.FutureWrite => Copy(builtin),
        CanonOp.StreamCancelRead or CanonOp.StreamCancelWrite or CanonOp.FutureCancelRead or CanonOp.FutureCancelWrite => OnElement(builtin, Func([I32], [I32])),
        CanonOp.StreamDropReadable or CanonOp.StreamDropWritable or CanonOp.FutureDropReadable or CanonOp.FutureDropWritable => OnElement(builtin, Func([I32], [])),
        CanonOp.ErrorContextNew => ErrorContextNew(builtin),
        CanonOp.ErrorContextDebugMessage => ErrorContextDebugMessage(builtin),
        CanonOp.ErrorContextDrop or CanonOp.WaitableSetDrop or CanonOp.SubtaskDrop or CanonOp.ThreadResumeLater => Func([I32], []),
        CanonOp.WaitableSetNew or CanonOp.ThreadIndex or CanonOp.ThreadSuspend or CanonOp.ThreadYield => Func([], [I32]),
        CanonOp.WaitableSetWait or CanonOp.WaitableSetPoll => Func([I32, CheckMemory(builtin.Memory, builtin.Offset) ? I64 : I32], [I32]),
        CanonOp.WaitableJoin => Func([I32, I32], []),
        CanonOp.SubtaskCancel or CanonOp.ThreadSuspendThenResume or CanonOp.ThreadYieldThenResume or CanonOp.ThreadSuspendThenPromote
            or CanonOp.ThreadYieldThenPromote => Func([I32], [I32]),
        CanonOp.ThreadNewIndirect or CanonOp.ThreadSpawnIndirect => Indirect(builtin),
        CanonOp.ThreadSpawnRef => SpawnRef(builtin),
        CanonOp.ThreadAvailableParallelism => AvailableParallelism(builtin),
        CanonOp.Lift or CanonOp.Lower => throw new InvalidOperationException("Lifting and lowering are not built-ins."),
    };

    private static DefType Func(ImmutableArray<ValType> parameters, ImmutableArray<ValType> results) => DefType.Of(new FuncType(parameters, results));

    /// <summary>The core type of the representation of a resource, which the component must have defined itself.</summary>
    private ValType Representation(BuiltinDefinition builtin)
    {
        ResourceType resource = scope.GetResource(builtin.Type, builtin.Offset).Canonical;
        if (!scope.Defined.Contains(resource)) throw new InvalidModuleException($"type index {builtin.Type} is not a local resource", builtin.Offset);
        return resource.Definition!.Representation;
    }

    private ValType Slot(BuiltinDefinition builtin)
    {
        if (builtin.Slot >= 2) throw new InvalidModuleException("immediate must be zero or one", builtin.Offset);
        if (builtin.SlotType != I32 && builtin.SlotType != I64) throw new InvalidModuleException("only i32 and i64 are types of context slots", builtin.Offset);
        if (scope.SlotType is { } known && known != builtin.SlotType)
            throw new InvalidModuleException("context.get and context.set are used with different types", builtin.Offset);
        scope.SlotType = builtin.SlotType;
        return builtin.SlotType;
    }

    private DefType TaskReturn(BuiltinDefinition builtin)
    {
        ComponentValType? result = TypeResolver.ResultOf(scope, builtin.Result, builtin.Offset);
        Checked options = Check(builtin.Options, OptionUse.TaskReturn, builtin.Offset);
        options.RequireFor(result);
        if (result?.FlatCount > TypeLimits.FlatParameters) options.RequireMemory();
        var type = new FunctionType(result is null ? [] : [new LabelledType("result", result)], null, false);
        return DefType.Of(FlatTypes.OfFunction(type, false, false, false, options.Is64));
    }

    /// <summary>The element type of the stream or future that a built-in is for.</summary>
    private ComponentValType? Element(BuiltinDefinition builtin)
    {
        bool isFuture = builtin.Op is >= CanonOp.FutureNew and <= CanonOp.FutureDropWritable;
        return scope.GetType(builtin.Type, builtin.Offset) is StreamType type && type.IsFuture == isFuture ? type.Element
            : throw new InvalidModuleException($"`{CanonBuiltins.Name(builtin.Op)}` requires a {(isFuture ? "future" : "stream")} type", builtin.Offset);
    }

    /// <summary>The type of a built-in that needs a stream or future type, whatever the elements are.</summary>
    private DefType OnElement(BuiltinDefinition builtin, DefType type)
    {
        Element(builtin);
        return type;
    }

    private DefType ResourceDrop(BuiltinDefinition builtin)
    {
        scope.GetResource(builtin.Type, builtin.Offset);
        return Func([I32], []);
    }

    private DefType ErrorContextNew(BuiltinDefinition builtin)
    {
        Checked options = Check(builtin.Options, OptionUse.ErrorContext, builtin.Offset);
        options.RequireMemory();
        return Func([options.Pointer, options.Pointer], [I32]);
    }

    private DefType ErrorContextDebugMessage(BuiltinDefinition builtin)
    {
        Checked options = Check(builtin.Options, OptionUse.ErrorContext, builtin.Offset);
        options.RequireRealloc();
        return Func([I32, options.Pointer], []);
    }

    private DefType Copy(BuiltinDefinition builtin)
    {
        ComponentValType? element = Element(builtin);
        Checked options = Check(builtin.Options, OptionUse.Copy, builtin.Offset);
        if (element is not null)
        {
            options.RequireMemory();
            if (builtin.Op is CanonOp.StreamRead or CanonOp.FutureRead) options.RequireForNew(element);
        }
        ValType pointer = options.Pointer;
        return builtin.Op is CanonOp.StreamRead or CanonOp.StreamWrite ? Func([I32, pointer, pointer], [pointer]) : Func([I32, pointer], [I32]);
    }

    // ---- threads ----

    private static void CheckShared(BuiltinDefinition builtin)
    {
        if (builtin.IsShared) throw new UnsupportedModuleException($"`{CanonBuiltins.Name(builtin.Op)}` of shared functions", builtin.Offset);
    }

    /// <summary>The type of the function that a thread runs.</summary>
    private DefType ThreadStart(BuiltinDefinition builtin, out ValType closure)
    {
        DefType type = ComponentScope.Get(Spaces.CoreTypes, builtin.CoreType, "type", builtin.Offset);
        if (type.Composite is not FuncType { Params: [var parameter], Results: [] } || (parameter != I32 && parameter != I64))
            throw new InvalidModuleException("start function must take a single `i32` or `i64` argument and return nothing", builtin.Offset);
        closure = parameter;
        return type;
    }

    private DefType SpawnRef(BuiltinDefinition builtin)
    {
        CheckShared(builtin);
        DefType func = ThreadStart(builtin, out ValType closure);
        return Func([ValType.Ref(func, true), closure], [I32]);
    }

    private static DefType AvailableParallelism(BuiltinDefinition builtin)
    {
        CheckShared(builtin);
        return Func([], [I32]);
    }

    private DefType Indirect(BuiltinDefinition builtin)
    {
        CheckShared(builtin);
        ThreadStart(builtin, out ValType closure);
        TableType table = ComponentScope.Get(Spaces.CoreTables, builtin.Table, "table", builtin.Offset);
        if (!Subtyping.IsSubtype(table.Element, ValType.FuncRef))
            throw new InvalidModuleException("start function table must have an element type that matches `funcref`", builtin.Offset);
        return Func([table.Is64 ? I64 : I32, closure], [I32]);
    }
}
