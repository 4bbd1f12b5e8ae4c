using WasmJit.Jit.Format;
using WasmJit.Jit.Operators;

namespace WasmJit.Jit.Binary;

/// <summary>
/// The section <c>metadata.code.branch_hint</c>: which way branches mostly go, by the offset of the branch in its body. An error in it does not make
/// the module invalid (spec 2.5.11); reading ends there, and the problem is noted.
/// </summary>
internal static class BranchHints
{
    internal const string SectionName = "metadata.code.branch_hint";

    /// <summary>Reads the hints; the bodies are known.</summary>
    internal static void Read(ModuleContents module)
    {
        CustomSectionInfo? first = null;
        foreach (CustomSectionInfo section in module.CustomSections)
        {
            if (section.Name != SectionName) continue;
            if (first is not null)
            {
                Problem(module, "multiple sections", section.Start);
                return;
            }
            first = section;
            try
            {
                var reader = new ByteReader(module.Info.Bytes.Span, section.Start, section.Start + section.Length);
                ReadSection(module, ref reader);
            }
            catch (MalformedModuleException e)
            {
                Problem(module, e.Reason, e.Offset);
            }
        }
    }

    private static void Problem(ModuleContents module, string reason, long at) =>
        module.HintProblems.Add(new CustomProblem($"@{SectionName} annotation: {reason}", at));

    private static void ReadSection(ModuleContents module, ref ByteReader reader)
    {
        int funcs = reader.Count();
        long lastFunc = -1;
        for (int i = 0; i < funcs; i++)
        {
            int at = reader.Position;
            uint index = reader.U32();
            if (index <= lastFunc) throw reader.Error("invalid order", at);
            lastFunc = index;
            if (index < module.ImportedFuncs || index >= module.Funcs.Count) throw reader.Error("not in a function", at);
            FuncInfo func = module.Funcs[(int)index];
            int hints = reader.Count();
            long lastOffset = -1;
            for (int j = 0; j < hints; j++)
            {
                at = reader.Position;
                uint offset = reader.U32();
                if (offset <= lastOffset) throw reader.Error("invalid order", at);
                lastOffset = offset;
                if (reader.U32() != 1) throw reader.Error("missing reserved byte", at);
                byte value = reader.U8();
                if (value > 1) throw reader.Error("invalid hint value", at);
                if (!IsBranch(module.Info, func, offset)) throw reader.Error("invalid target", at);
                (module.BranchHints ??= [])[func.BodyStart + (int)offset] = value == 1;
            }
        }
        if (!reader.AtEnd) throw reader.Error("section size mismatch", reader.Position);
    }

    /// <summary>Whether <c>if</c> or <c>br_if</c> is there.</summary>
    private static bool IsBranch(ModuleInfo module, FuncInfo func, uint offset)
    {
        long at = func.BodyStart + (long)offset;
        return at < func.BodyEnd && OperatorTable.Find(0, module.Bytes.Span[(int)at])?.Id is OpId.If or OpId.BrIf;
    }
}
