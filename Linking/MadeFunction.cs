using System.Text;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Format;
using WasmJit.Jit.Validation;
using WasmJit.Runtime;

namespace WasmJit.Linking;

/// <summary>
/// <c>func.new</c>: a function made of a body in a guest's memory. It is a module of one function and an instance of that, so every tier takes it
/// for one; but its index spaces are those of a scope, which all functions of the scope share.
/// </summary>
internal static class MadeFunction
{
    /// <summary>Longer names are refused, in bytes.</summary>
    internal const int LongestName = 1024;

    private static readonly UTF8Encoding Utf8 = new(false, throwOnInvalidBytes: true);

    /// <exception cref="TrapException">Body or name are not in the memory.</exception>
    /// <exception cref="ModuleException">The body is malformed or invalid, or the name is malformed.</exception>
    /// <exception cref="QuotaExceededException">The guest may compile no more.</exception>
    /// <exception cref="ResourceLimitException">The guest may have no further instance, as which the function counts.</exception>
    internal static FuncRef Make(Instance owner, in NewFuncRequest request)
    {
        Engine engine = owner.Module.Engine;
        Memory memory = request.Memory;
        memory.CheckRange(request.Address, request.Length);
        memory.CheckRange(request.Name, request.NameLength);
        if (request.Length > (ulong)Array.MaxLength) throw Trap.Make(TrapKind.OutOfMemory, "a function of 2 GiB or more");
        if (request.NameLength > LongestName) throw new MalformedModuleException("function name too long", 0);
        var size = (long)(request.Length + request.NameLength);
        CodeShare? live = CodeShare.Take(engine.Options.LinkingQuota, CodeLedger.Of(owner), size);
        try
        {
            byte[] body = memory.ReadBytes(request.Address, (int)request.Length);
            string? name = request.NameLength == 0 ? null : NameOf(memory.ReadBytes(request.Name, (int)request.NameLength));
            return Make(owner, ScopeInstance.Of(owner, request.Scope), request.Type, body, name, live);
        }
        catch
        {
            live?.Release();
            throw;
        }
    }

    private static string NameOf(byte[] bytes)
    {
        try
        {
            return Utf8.GetString(bytes);
        }
        catch (ArgumentException)
        {
            throw new MalformedModuleException("malformed UTF-8 encoding: the function's name", 0);
        }
    }

    private static FuncRef Make(Instance owner, ScopeInstance scope, DefType type, byte[] body, string? name, CodeShare? live)
    {
        var info = new ModuleInfo(scope.Declaration, type, body, name);
        ModuleValidator.ValidateMade(info);
        var module = new Module(owner.Module.Engine, info) { Live = live };
        if (owner.Module.Engine.Options.Compilation == Compilation.Ahead && RuntimeCode.IsAvailable) module.Code.CompileAll();
        Instance instance = scope.Make(owner, module);
        return instance.GetFunc(info.ImportedFuncs);
    }
}

/// <summary>The contents of a scope in an instance: the arrays that all functions made in the scope share.</summary>
internal sealed class ScopeInstance
{
    private readonly DefType[] types;
    private readonly FuncRef?[] funcs;
    private readonly Memory[] memories;
    private readonly Table[] tables;
    private readonly Global[] globals;
    private readonly Tag[] tags;

    private ScopeInstance(Instance owner, ScopeInfo declaration)
    {
        Declaration = declaration;
        types = [.. declaration.Contents.Types];
        memories = Take(ExternByte.Memory, index => owner.Memories[index]);
        tables = Take(ExternByte.Table, index => owner.Tables[index]);
        globals = Take(ExternByte.Global, index => owner.Globals[index]);
        tags = Take(ExternByte.Tag, index => owner.Tags[index]);
        // The last place belongs to the function itself and stays empty, see InstanceCore.MadeFunc.
        FuncRef[] own = Take(ExternByte.Func, owner.GetFunc);
        funcs = new FuncRef?[own.Length + 1];
        own.CopyTo(funcs, 0);
        if (owner.Module.Engine.UsesGuardPages) CheckGuards();
    }

    internal ScopeInfo Declaration { get; }

    /// <summary>The scope of an instance, made when it is first used.</summary>
    internal static ScopeInstance Of(Instance owner, int scope)
    {
        if (owner.Scopes.Length == 0) Interlocked.CompareExchange(ref owner.Scopes, new ScopeInstance?[owner.Module.Info.Scopes.Count], Array.Empty<ScopeInstance>());
        ref ScopeInstance? place = ref owner.Scopes[scope];
        if (Volatile.Read(ref place) is { } known) return known;
        ScopeInfo declaration = owner.Module.Info.Scopes[scope];
        // As much as for the import of an instance: a guest can make instances without end, each with a scope of a million items.
        if (owner.FuelTank is { } fuel) Fuel.Pay(fuel, 4 * (ulong)declaration.Items.Count);
        return Interlocked.CompareExchange(ref place, new ScopeInstance(owner, declaration), null) ?? place;
    }

    private T[] Take<T>(byte sort, Func<int, T> item)
    {
        var items = new List<T>();
        foreach (ScopeItem named in Declaration.Items)
        {
            if (named.Sort != sort) continue;
            items.Add(item((int)named.Index));
            if ((items.Count & 0xff) == 0) CancellationScope.ThrowIfStopped();
        }
        return [.. items];
    }

    /// <summary>A saved module may have been compiled with comparisons and so have memories without guard pages; this engine's code has none.</summary>
    private void CheckGuards()
    {
        for (int i = 0; i < memories.Length; i++)
        {
            if (Memory.CanBeGuarded(Declaration.Contents.Memories[i]) && !memories[i].IsGuarded)
                throw new InvalidModuleException($"memory {i} of the scope has no guard pages, which the engine's code relies on", Declaration.Offset);
        }
    }

    /// <summary>The instance of a function.</summary>
    /// <exception cref="ResourceLimitException">The guest may have no more.</exception>
    internal Instance Make(Instance owner, Module module)
    {
        var instance = new Instance(module)
        {
            Types = types,
            Funcs = funcs,
            Memories = memories,
            Tables = tables,
            Globals = globals,
            Tags = tags,
            FuelTank = owner.FuelTank?.For(module.Info.IsForThreads),
            GuestLimits = owner.GuestLimits,
            Lease = owner.GuestLimits?.Take(ResourceKind.Instances),
        };
        instance.NoteFirst();
        return instance;
    }
}
