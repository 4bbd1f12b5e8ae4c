using WasmJit.Jit.Binary;
using WasmJit.Jit.Format;
using WasmJit.Jit.Operators;

namespace WasmJit.Text;

/// <summary>
/// Prints custom sections. Names and branch hints are printed as ids and annotations if these express the whole section, at the place
/// where the reader puts it. All other sections are printed byte by byte with their placement.
/// </summary>
/// <param name="module">The module.</param>
/// <param name="ids">Its ids.</param>
internal sealed class CustomSectionPrinter(ModuleInfo module, ModuleIds ids)
{
    /// <summary>The section of hints that are printed as annotations, -1 if there is none.</summary>
    private int hintSection = -1;

    /// <summary>Whether hints are printed as annotations. <see cref="FindHints"/> finds that out.</summary>
    internal bool PrintsHints => hintSection >= 0;

    /// <summary>The number of blocks in each printed function.</summary>
    internal Dictionary<uint, uint> LabelCounts { get; } = [];

    private byte LastSection => module.Sections.Count == 0 ? (byte)0 : module.Sections[^1];

    private byte SectionBeforeCode()
    {
        int code = module.Sections.IndexOf(SectionId.Code);
        return code <= 0 ? byte.MaxValue : module.Sections[code - 1];
    }

    private int FindSingle(string name, byte after)
    {
        int index = module.CustomSections.FindIndex(s => s.Name == name);
        if (index < 0 || module.CustomSections.FindLastIndex(s => s.Name == name) != index) return -1;
        return module.CustomSections[index].After == after ? index : -1;
    }

    private ReadOnlySpan<byte> Content(CustomSectionInfo section) => module.Bytes.Span.Slice(section.Start, section.Length);

    /// <summary>Finds out whether the hints can be printed as annotations: all are at branches, and the section has nothing else.</summary>
    internal void FindHints()
    {
        int index = FindSingle(BranchHints.SectionName, SectionBeforeCode());
        if (index < 0 || module.BranchHints.Count == 0) return;
        int found = 0;
        var section = new ByteWriter();
        uint funcs = 0;
        for (int i = module.ImportedFuncs; i < module.Funcs.Count; i++)
        {
            FuncInfo func = module.Funcs[i];
            var hints = new ByteWriter();
            uint count = 0;
            var code = new CodeReader(module.Bytes.Span, func.CodeStart, func.BodyEnd);
            while (!code.AtEnd)
            {
                code.Read(out Instr instr);
                if (instr.Id is not (OpId.If or OpId.BrIf) || !module.BranchHints.TryGetValue(instr.Offset, out bool likely)) continue;
                count++;
                hints.U32((uint)(instr.Offset - func.BodyStart));
                hints.U32(1);
                hints.U8((byte)(likely ? 1 : 0));
            }
            if (count == 0) continue;
            found += (int)count;
            funcs++;
            section.U32((uint)i);
            section.U32(count);
            section.Bytes(hints.Span);
        }
        var whole = new ByteWriter();
        whole.U32(funcs);
        whole.Bytes(section.Span);
        if (whole.Span.SequenceEqual(Content(module.CustomSections[index]))) hintSection = index;
    }

    /// <summary>The name section if ids and annotations express all of it, -1 otherwise. All functions must have been printed.</summary>
    private int FindNames()
    {
        int index = FindSingle("name", LastSection);
        if (index < 0 || !ids.CanBeSaid || !NamesAreInRange()) return -1;
        NameSection n = module.Names;
        byte[] written = NameSectionWriter.Write(n.Module, [
            (NameSubsection.Function, n.Funcs), (NameSubsection.Type, n.Types), (NameSubsection.Table, n.Tables), (NameSubsection.Memory, n.Memories), (NameSubsection.Global, n.Globals), (NameSubsection.Element, n.Elems), (NameSubsection.Data, n.Datas), (NameSubsection.Tag, n.Tags), (NameSubsection.ModuleIndex, n.Modules), (NameSubsection.Instance, n.Instances),
            (NameSubsection.Scope, n.Scopes)],
            [(NameSubsection.Local, n.Locals), (NameSubsection.Label, n.Labels), (NameSubsection.Field, n.Fields)]);
        return written.AsSpan().SequenceEqual(Content(module.CustomSections[index])) ? index : -1;
    }

    private bool NamesAreInRange()
    {
        NameSection n = module.Names;
        static bool Within(Dictionary<uint, string> names, int count) => names.Keys.All(k => k < count);
        return Within(n.Funcs, module.Funcs.Count) && Within(n.Types, module.Types.Count) && Within(n.Tables, module.Tables.Count)
            && Within(n.Memories, module.Memories.Count) && Within(n.Globals, module.Globals.Count)
            && Within(n.Elems, module.Elems.Count) && Within(n.Datas, module.Datas.Count) && Within(n.Tags, module.Tags.Count)
            && Within(n.Modules, module.Modules.Count) && Within(n.Instances, module.Instances.Count) && Within(n.Scopes, module.Scopes.Count)
            && n.Instances.Keys.All(k => module.Instances[(int)k].First is null)
            && n.Locals.Keys.All(k => k.Func < module.Funcs.Count && k.Local < LocalCount(module.Funcs[(int)k.Func]))
            && n.Labels.Keys.All(k => k.Label < LabelCounts.GetValueOrDefault(k.Func))
            && n.Fields.Keys.All(k => k.Type < module.Types.Count
                && module.Types[(int)k.Type].Composite is StructType structure && k.Field < structure.Fields.Length);
    }

    private static long LocalCount(FuncInfo func) => func.Func.Params.Length + func.Locals.Sum(l => (long)l.Count);

    /// <summary>Annotations for the sections that are not printed in another form.</summary>
    internal IEnumerable<string> Sections()
    {
        int names = FindNames();
        byte last = LastSection, beforeCode = SectionBeforeCode();
        for (int i = 0; i < module.CustomSections.Count; i++)
        {
            if (i == names || i == hintSection) continue;
            CustomSectionInfo section = module.CustomSections[i];
            string place;
            if (hintSection >= 0 && i > hintSection && section.After == beforeCode) place = " (before code)";
            else if (section.After == last && i > names) place = "";
            else if (section.After == 0) place = " (before first)";
            else place = $" (after {SectionOrder.NameOf(section.After)})";
            string content = section.Length == 0 ? "" : " " + TextStrings.QuoteLong(Content(section));
            yield return $"(@custom {TextStrings.Quote(section.Name)}{place}{content})";
        }
    }
}
