using WasmJit.Jit.Binary;
using WasmJit.Jit.Operators;

namespace WasmJit.Jit.Emit;

/// <summary>
/// The facts about a small function that inlining needs. It has no exception handling, no tail call, and some forty operators at most; a loop only if it
/// calls itself.
/// </summary>
internal sealed class InlineInfo : AttachedInlining
{
    private const int MaxOperators = 40;
    private const int MaxBytes = 6 * MaxOperators;
    private const int MaxLocals = 24;

    /// <summary>How deep small functions in small functions are looked through, and inlined.</summary>
    internal const int MaxDepth = 4;

    /// <summary>How often at most a function that calls itself is put into itself, and how many operators that may be.</summary>
    private const int MaxLevels = 3, MaxRepeated = 160;

    private static readonly InlineInfo None = new();

    private InlineInfo() { }

    /// <summary>How many operators the function has.</summary>
    internal int Operators { get; private set; }

    /// <summary>Whether nothing branches, so that operands may stay on the IL stack around it.</summary>
    internal bool IsStraight { get; private set; } = true;

    /// <summary>The parameters that the function writes.</summary>
    internal uint Written { get; private set; }

    /// <summary>How many levels of its own calls a function that calls itself is put into itself; 0 for any other.</summary>
    internal int Levels { get; private set; }

    private List<(ModuleInfo Module, int Func)>? callees;
    private bool touchesStructs;

    /// <summary>The facts about a function that a module defines; null if it is not to be inlined.</summary>
    internal static InlineInfo? Of(ModuleInfo module, int index)
    {
        FuncInfo func = module.Funcs[index];
        if (func.IsImported) return null;
        // Two threads may both find out: the facts are the same.
        ref AttachedInlining? known = ref module.State.InliningOf(index - module.ImportedFuncs, module.Funcs.Count - module.ImportedFuncs);
        AttachedInlining info = known ??= Scan(module, func, index) ?? None;
        return ReferenceEquals(info, None) ? null : (InlineInfo)info;
    }

    private static InlineInfo? Scan(ModuleInfo module, FuncInfo func, int index)
    {
        int parameters = func.Func.Params.Length;
        if (func.BodyEnd - func.CodeStart > MaxBytes || parameters + func.Locals.Sum(run => (long)run.Count) > MaxLocals) return null;
        var info = new InlineInfo();
        bool loops = false;
        int ownCalls = 0;
        var code = new CodeReader(module.Bytes.Span, func.CodeStart, func.BodyEnd);
        while (!code.AtEnd)
        {
            code.Read(out Instr instr);
            Operator op = instr.Op;
            if (op.Cost.Units == 0) continue;
            if (op.Has(OpTraits.Handles | OpTraits.Throws) || op.IsTailCall) return null;
            loops |= op.Has(OpTraits.Loops);
            if (op.Has(OpTraits.Opens | OpTraits.Branches | OpTraits.Ends)) info.IsStraight = false;
            if (op.Has(OpTraits.WritesLocal) && instr.A < parameters) info.Written |= 1u << (int)instr.A;
            info.touchesStructs |= op.Has(StructAccess);
            if (instr.Id == OpId.Call && instr.A == index) ownCalls++;
            else if (op.Has(OpTraits.Calls) && CalleeOf(module, instr) is { } callee) (info.callees ??= []).Add(callee);
            if (++info.Operators > MaxOperators) return null;
        }
        if (ownCalls == 0) return loops ? null : info;
        info.Levels = LevelsOf(ownCalls, info.Operators);
        // One that calls itself whatever its arguments are never ends.
        return info.IsStraight || info.Levels == 0 ? null : info;
    }

    /// <summary>How many levels deep a function is put into itself: as many as the limits allow if all calls of a level are replaced.</summary>
    /// <param name="calls">Its calls of itself.</param>
    /// <param name="operators">Its operators.</param>
    private static int LevelsOf(int calls, int operators)
    {
        int levels = 0;
        for (long level = (long)calls * operators, all = level; levels < MaxLevels && all <= MaxRepeated; all += level)
        {
            levels++;
            level *= calls;
        }
        return levels;
    }

    /// <summary>The function that a call names, if it is known at compile time.</summary>
    private static (ModuleInfo Module, int Func)? CalleeOf(ModuleInfo module, in Instr instr)
    {
        if (instr.Id == OpId.Call) return (module, (int)instr.A);
        if (instr.Id != OpId.CallExport || module.Modules[(int)instr.A].Definition is not { } owner) return null;
        return (owner, (int)owner.FindExport(instr.Name!)!.Index);
    }

    private const OpTraits StructAccess = OpTraits.ReadsField | OpTraits.WritesField;

    /// <summary>Whether a function, or one that may be inlined into it, accesses fields of structs.</summary>
    internal static bool TouchesStructs(ModuleInfo module, FuncInfo func, bool inlines)
    {
        var code = new CodeReader(module.Bytes.Span, func.CodeStart, func.BodyEnd);
        while (!code.AtEnd)
        {
            code.Read(out Instr instr);
            if (instr.Op.Has(StructAccess)) return true;
            if (inlines && CalleeOf(module, instr) is { } callee && TouchesStructs(callee.Module, callee.Func, MaxDepth)) return true;
        }
        return false;
    }

    private static bool TouchesStructs(ModuleInfo module, int index, int depth)
    {
        if (depth == 0 || Of(module, index) is not { } info) return false;
        if (info.touchesStructs) return true;
        foreach ((ModuleInfo owner, int callee) in info.callees ?? [])
            if (TouchesStructs(owner, callee, depth - 1)) return true;
        return false;
    }
}
