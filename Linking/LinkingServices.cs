using System.Text;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Calls;
using WasmJit.Jit.Tiers;
using WasmJit.Runtime;

namespace WasmJit.Linking;

/// <summary>The services of the engine for generated code: code, function references, and the runtime-linking extension.</summary>
internal sealed class LinkingServices(ModuleCode module) : InstanceServices
{
    private static readonly UTF8Encoding Utf8 = new(false, throwOnInvalidBytes: true);

    internal override MemoryPlacement Placement => module.Placement;

    /// <summary>The interpreter asks for modules that it interprets alone.</summary>
    private InterpretedModule Interpreted => module.Code.Interpreted!;

    internal override bool IsInterruptible => module.Code.Options.IsInterruptible;

    internal override FuncRef MakeFunc(InstanceCore instance, int index)
    {
        var func = new FuncRef(instance, module.Code.CodeOf(index), module.Info.Funcs[index].Type, index);
        ref FuncRef? place = ref module.Info.IsMade ? ref instance.MadeFunc : ref instance.Funcs[index];
        func = Interlocked.CompareExchange(ref place, func, null) ?? func;
        if (instance.IsWithdrawn) func.Withdraw(instance.IsDropped);
        return func;
    }

    internal override Unwinder? Unwinder => module.Code.Unwinder;

    internal override long MaximumStack => module.Engine.Options.MaximumStack ?? 0;

    internal override nint CompileFunc(InstanceCore instance, int index)
    {
        nint code;
        try
        {
            code = module.Code.Compile(index);
        }
        catch (OutOfMemoryException e)
        {
            throw NoMemoryForCode(e);
        }
        if (instance.FindFunc(index) is { } func) func.Compiled(code);
        return code;
    }

    internal override unsafe void Prepare(InstanceCore instance, FunctionState* function)
    {
        try
        {
            Interpreted.Prepare(function);
        }
        catch (OutOfMemoryException e)
        {
            throw NoMemoryForCode(e);
        }
    }

    /// <summary>What a guest runs is compiled for it: what that lacks, the guest lacks.</summary>
    private static TrapException NoMemoryForCode(OutOfMemoryException e) => new(TrapKind.OutOfMemory, "no memory is left for the code of a function", e);

    internal override unsafe void OnHot(InstanceCore instance, FunctionState* function) => Interpreted.OnHot(function);

    internal override unsafe nint OnHotLoop(InstanceCore instance, FunctionState* function, int loop) => Interpreted.OnHotLoop(function, loop);

    internal override string NameOf(int own) => module.Code.NameOf(own + module.Info.ImportedFuncs);

    internal override FramePlace PlaceOf(int own, int instruction) => Interpreted.PlaceOf(own, instruction);

    internal override int FuncOfStub(int stubs, int number) => module.Code.FuncOfStub(stubs, number);

    internal override System.Reflection.MethodInfo? FindEntry(FuncRef func) => module.Code.FindEntry(Signature.Of(func.Type));

    internal override object? Compile(InstanceCore instance, Memory memory, ulong address, ulong length, DefType type, bool orNull)
    {
        CheckMayCompile();
        Engine engine = module.Engine;
        memory.CheckRange(address, length);
        if (length > (ulong)Array.MaxLength) throw Trap.Make(TrapKind.OutOfMemory, "a module of 2 GiB or more");
        Module compiled;
        try
        {
            engine.Options.LinkingQuota?.CheckSize((long)length);
            compiled = engine.CompileOwned(memory.ReadBytes(address, (int)length), module.Info.IsForThreads, engine.Options.LinkingQuota, CodeLedger.Of((Instance)instance));
        }
        catch (Exception e) when (Refusal(e) is { } refusal)
        {
            return Fail(instance, orNull, refusal.Kind, refusal.Reason);
        }
        catch (OutOfMemoryException e)
        {
            throw Trap.Make(TrapKind.OutOfMemory, e.Message);
        }
        compiled.Info.ForgetText();
        if (!Subtyping.IsSubtype(compiled.Info.ModuleType, type))
            return Fail(instance, orNull, TrapKind.ModuleTypeMismatch, $"the module is {compiled.Info.ModuleType}, {type} was asked for");
        return compiled;
    }

    /// <summary>Guests may neither compile nor make functions where the host allows no code to be made.</summary>
    private void CheckMayCompile()
    {
        if (!module.Engine.Options.RuntimeCompile || module.Engine.Options.Compilation == Compilation.Never) throw Trap.Make(TrapKind.RuntimeCompileNotAllowed);
    }

    internal override FuncRef? NewFunc(InstanceCore instance, in NewFuncRequest request)
    {
        CheckMayCompile();
        try
        {
            return MadeFunction.Make((Instance)instance, request);
        }
        catch (Exception e) when (Refusal(e) is { } refusal)
        {
            Fail(instance, request.OrNull, refusal.Kind, refusal.Reason);
            return null;
        }
        catch (OutOfMemoryException e)
        {
            throw Trap.Make(TrapKind.OutOfMemory, e.Message);
        }
    }

    /// <summary>Why a guest's module or function is not made; null for exceptions that say something else.</summary>
    private static (TrapKind Kind, string Reason)? Refusal(Exception exception) => exception switch
    {
        QuotaExceededException e => (TrapKind.QuotaExceeded, e.Detail),
        ResourceLimitException e => (TrapKind.QuotaExceeded, e.Message),
        MalformedModuleException e => (TrapKind.MalformedModule, e.Message),
        ModuleException e => (TrapKind.InvalidModule, e.Message),
        _ => null,
    };

    internal override void Optimize(InstanceCore instance, int index, Fuel? fuel)
    {
        FuncInfo func = module.Info.Funcs[index];
        if (func.IsImported || module.Code.IsCompiled(index)) return;
        if (fuel is not null) Fuel.Pay(fuel, Fuel.OfCode((ulong)(func.BodyEnd - func.BodyStart)));
        module.Code.AskFor(index);
    }

    internal override bool IsOptimized(InstanceCore instance, int index) => module.Code.IsCompiled(index);

    internal override void DropModule(InstanceCore instance, object? target)
    {
        if (target is not Module dropped) throw Trap.Make(TrapKind.NullModuleReference);
        // A nested module goes with the one around it.
        Drop(instance, dropped.Shared == dropped.Shared.Root ? dropped.Live : null, null);
    }

    internal override void DropFunc(InstanceCore instance, FuncRef func) =>
        Drop(instance, func.Context is Instance { Module: { Info.IsMade: true } module } ? module.Live : null, func.Context as Instance);

    private static void Drop(InstanceCore owner, CodeShare? share, Instance? made)
    {
        if (share?.Owner is not { } ledger || ledger != ((Instance)owner).Ledger) throw Trap.Make(TrapKind.NotTheOwner);
        share.Drop(owner.FuelTank, made);
    }

    internal override (long Count, long Bytes) OwnCode(InstanceCore instance) => CodeLedger.Of((Instance)instance)!.Total;

    /// <summary>Keeps the reason for the guest, and traps unless it asked for null. A quota that is used up is a trap in any case.</summary>
    private static object? Fail(InstanceCore instance, bool orNull, TrapKind kind, string reason)
    {
        ((Instance)instance).LastLinkingError = $"{Trap.Text(kind)}: {reason}";
        return orNull && kind != TrapKind.QuotaExceeded ? null : throw Trap.Make(kind, reason);
    }

    internal override object? Instantiate(InstanceCore instance, object? target, object?[] args, DefType type, bool orNull)
    {
        if (target is not Module compiled) throw Trap.Make(TrapKind.NullModuleReference);
        return Link(instance, compiled, (ModuleType)type.Composite, args, orNull);
    }

    internal override object InstantiateModule(InstanceCore instance, int index, object?[] args)
    {
        var given = (ModuleType)((Instance)instance).Module.Info.Modules[index].Type.Composite;
        return Link(instance, (Module)instance.Modules[index], given, args, orNull: false)!;
    }

    internal override object ImpliedInstance(InstanceCore instance, int index)
    {
        try
        {
            return ((Instance)instance).InstanceAt(index);
        }
        catch (LinkException e)
        {
            throw Trap.Make(e.Limit is null ? TrapKind.UnlinkableModule : TrapKind.QuotaExceeded, e.Message);
        }
    }

    /// <summary>Makes an instance for the guest that asks for it, which pays for the work.</summary>
    private static object? Link(InstanceCore instance, Module module, ModuleType given, object?[] args, bool orNull)
    {
        try
        {
            if (instance.FuelTank is { } fuel) Fuel.Pay(fuel, Linker.CostOf(module.Info));
            return Linker.Instantiate(module, Arrange(module, given, args), instance.FuelTank, instance.GuestLimits);
        }
        catch (LinkException e) when (e.Limit is not null)
        {
            return Fail(instance, orNull, TrapKind.QuotaExceeded, e.InnerException!.Message);
        }
        catch (LinkException e)
        {
            return Fail(instance, orNull, TrapKind.UnlinkableModule, e.Message);
        }
        catch (OutOfMemoryException e)
        {
            throw Trap.Make(TrapKind.OutOfMemory, e.Message);
        }
    }

    /// <summary>Brings arguments from the order of the static type into that of the module, which may import fewer.</summary>
    private static object[] Arrange(Module compiled, ModuleType given, object?[] args)
    {
        Items<ImportInfo> wanted = compiled.Info.Imports;
        Arguments? others = null;
        var values = new object[wanted.Count];
        for (int i = 0; i < values.Length; i++)
        {
            ImportInfo import = wanted[i];
            if (i < given.Imports.Length && given.Imports[i].Module == import.Module && given.Imports[i].Name == import.Name)
            {
                values[i] = args[i] ?? throw new LinkException($"unknown import: {import.Names} is null");
                continue;
            }
            if (others is null)
            {
                others = new Arguments();
                for (int a = 0; a < args.Length; a++) others.Add(given.Imports[a].Module, given.Imports[a].Name, args[a]);
            }
            values[i] = others.Find(compiled.Engine, import);
        }
        return values;
    }

    internal override object GetExport(InstanceCore instance, InstanceCore target, int number, string name)
    {
        var of = (Instance)target;
        object value = of.FindInternal(name)!;
        DefType type = of.Module.Info.InstanceType;
        var exports = (InstanceType)type.Composite;
        int index = exports.IndexOf(name);
        lock (of.ExportCache)
        {
            if (of.ExportType is null)
            {
                // A thread that sees the type sees the values.
                of.ExportValues = new object?[exports.Exports.Length];
                Volatile.Write(ref of.ExportType, type);
            }
            of.ExportValues[index] = value;
        }
        instance.ExportCache.Set(number, new ExportCache.Place(type, index));
        return value;
    }

    internal override object GetExport(InstanceCore instance, InstanceCore target, int number) =>
        GetExport(instance, target, number, module.Info.State.NameOfExport(number));

    /// <summary>The name is compared byte by byte. Bytes that are not UTF-8 name nothing.</summary>
    internal override object? GetExport(object? target, Memory memory, ulong address, ulong length, DefType type)
    {
        if (target is not Instance instance) throw Trap.Make(TrapKind.NullInstanceReference);
        memory.CheckRange(address, length);
        if (length > (ulong)Array.MaxLength) throw Trap.Make(TrapKind.OutOfMemory, "a name of 2 GiB or more");
        // A character takes three bytes at most, so a longer text than the longest name is not one of them.
        if (length > 3UL * (uint)instance.Module.Info.LongestExport) return null;
        string name;
        try
        {
            name = Utf8.GetString(memory.Type.IsShared ? memory.ReadBytes(address, (int)length) : memory.Slice(address, (int)length));
        }
        catch (ArgumentException)
        {
            return null;
        }
        GC.KeepAlive(memory);
        object? export = instance.FindInternal(name);
        return export is not null && RefTypes.Matches(export, type) ? export : null;
    }
}
