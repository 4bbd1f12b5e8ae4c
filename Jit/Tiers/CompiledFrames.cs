using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using WasmJit.Jit.Binary;
using WasmJit.Runtime;

namespace WasmJit.Jit.Tiers;

/// <summary>Finds out where in their modules the frames of compiled functions are.</summary>
internal static class CompiledFrames
{
    private const int LeastToSweep = 64;

    private static readonly Lock Gate = new();

    /// <summary>The modules whose code may be in a frame.</summary>
    private static readonly List<WeakReference<CompiledModule>> Modules = [];

    private static int sweepAt = LeastToSweep;

    /// <summary>What is known of the functions in frames that have been asked about.</summary>
    private static readonly ConditionalWeakTable<MethodBase, CodeTwin> Twins = [];

    /// <summary>Makes a module's frames known.</summary>
    internal static void Add(CompiledModule module)
    {
        CompiledFrame.Finder = Find;
        lock (Gate)
        {
            if (Modules.Count >= sweepAt)
            {
                Modules.RemoveAll(m => !m.TryGetTarget(out _));
                sweepAt = Math.Max(LeastToSweep, Modules.Count * 2);
            }
            Modules.Add(new WeakReference<CompiledModule>(module));
        }
    }

    private static FramePlace? Find(MethodBase method, int offset, CodeKind? fault, int trappedAt)
    {
        WeakReference<CompiledModule>[] modules;
        lock (Gate) modules = [.. Modules];
        // Those made last are asked most.
        for (int i = modules.Length - 1; i >= 0; i--)
        {
            if (!modules[i].TryGetTarget(out CompiledModule? module) || module.Find(method) is not { } found) continue;
            (int func, int loop, nint next) = found;
            if (trappedAt >= 0 && module.Info.FuncAt(trappedAt) == func) return PlaceOf(module.Info, func, trappedAt);
            CodeTwin twin = Twins.GetValue(method, _ => CodeTwin.Of(module, func, loop, next));
            return PlaceOf(module.Info, func, twin.Find((DynamicMethod)method, offset, fault, trappedAt));
        }
        return null;
    }

    /// <summary>The place of a function's instruction.</summary>
    /// <param name="info">The module.</param>
    /// <param name="func">The function.</param>
    /// <param name="offset">The instruction's offset in the bytes; -1 if it is not known.</param>
    internal static FramePlace PlaceOf(ModuleInfo info, int func, int offset) => PlaceOf(info, func, offset < 0 ? [] : [offset]);

    /// <summary>The same for a function with others in it.</summary>
    /// <param name="info">The module.</param>
    /// <param name="func">The function.</param>
    /// <param name="offsets">The instructions' offsets, that of the innermost function first; none if they are not known.</param>
    private static FramePlace PlaceOf(ModuleInfo info, int func, List<int> offsets)
    {
        if (offsets.Count == 0) return new FramePlace(func) { Definition = info };
        var inlined = new List<WasmFrame>();
        foreach (int offset in offsets.SkipLast(1))
        {
            (ModuleInfo owner, int inner) = OwnerOf(info, offset);
            if (inner < 0) continue;
            inlined.Add(new WasmFrame(owner.ShownModule, owner.ShownName(inner)).With(new KnownFrame(() => Simple(owner, inner, offset))));
        }
        return Simple(info, func, offsets[^1]) with { Inlined = inlined };
    }

    private static FramePlace Simple(ModuleInfo info, int func, int offset)
    {
        FuncInfo function = info.Funcs[func];
        if (offset < function.BodyStart || offset >= function.BodyEnd) return new FramePlace(func) { Definition = info };
        return new FramePlace(func, offset, function.BodyStart) { Definition = info, Source = info.SourceOf(offset) };
    }

    /// <summary>The module and function that an instruction belongs to: functions of nested modules are inlined, too.</summary>
    private static (ModuleInfo Module, int Func) OwnerOf(ModuleInfo info, int offset)
    {
        if (info.FuncAt(offset) is var own and >= 0) return (info, own);
        while (info.Parent is { } parent) info = parent;
        foreach (ModuleInfo module in info.WithNested())
            if (module.FuncAt(offset) is var func and >= 0) return (module, func);
        return (info, -1);
    }
}
