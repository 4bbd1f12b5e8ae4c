namespace WasmJit.Jit;

/// <summary>The <c>metadata.code.branch_hint</c> section: hints must stand at branches; the compiler does not need them.</summary>
internal static class BranchHints
{
    internal const string SectionName = "metadata.code.branch_hint";

    /// <exception cref="InvalidModuleException">A hint at something that is no branch.</exception>
    internal static void Validate(ModuleInfo module)
    {
        foreach (CustomSectionInfo section in module.CustomSections)
        {
            if (section.Name != SectionName) continue;
            var reader = new ByteReader(module.Bytes.Span, section.Start, section.Start + section.Length);
            int funcs = reader.Count();
            for (int i = 0; i < funcs; i++)
            {
                uint index = reader.U32();
                int hints = reader.Count();
                for (int j = 0; j < hints; j++)
                {
                    int at = reader.Position;
                    uint offset = reader.U32();
                    uint size = reader.U32();
                    reader.Bytes(size);
                    if (!IsBranch(module, index, offset))
                        throw new InvalidModuleException($"@{SectionName} annotation: invalid target", at);
                }
            }
        }
    }

    private static bool IsBranch(ModuleInfo module, uint index, uint offset)
    {
        if (index < module.ImportedFuncs || index >= module.Funcs.Count) return false;
        FuncInfo func = module.Funcs[(int)index];
        long at = func.BodyStart + (long)offset;
        return at < func.BodyEnd && module.Bytes.Span[(int)at] is 0x04 or 0x0d;
    }
}
