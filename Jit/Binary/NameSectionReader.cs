using WasmJit.Jit.Format;

namespace WasmJit.Jit.Binary;

/// <summary>
/// Reads the names section (spec 7.4.1, with the extended subsections). From an error on, the rest is ignored. The last of several such sections
/// counts.
/// </summary>
internal static class NameSectionReader
{
    /// <summary>All names, and the errors in the sections.</summary>
    internal sealed record Result(NameSection Names, IReadOnlyList<CustomProblem> Problems);

    internal static Result Read(ModuleInfo module)
    {
        var names = new NameSection();
        var problems = new List<CustomProblem>();
        foreach (CustomSectionInfo section in module.CustomSections)
        {
            if (section.Name != "name") continue;
            names = new NameSection();
            try
            {
                Read(names, new ByteReader(module.Bytes.Span, section.Start, section.Start + section.Length));
            }
            catch (MalformedModuleException e)
            {
                // The module does not need anything that a names section says.
                problems.Add(new CustomProblem($"malformed name section: {e.Reason}", e.Offset));
            }
        }
        return new Result(names, problems);
    }

    /// <summary>The same names of module and functions, without making strings of them.</summary>
    internal static FuncNames ReadFuncs(ModuleInfo module)
    {
        var names = new FuncNames(module.Bytes, 0);
        foreach (CustomSectionInfo section in module.CustomSections)
        {
            if (section.Name != "name") continue;
            names = new FuncNames(module.Bytes, module.Funcs.Count);
            try
            {
                var reader = new ByteReader(module.Bytes.Span, section.Start, section.Start + section.Length);
                while (!reader.AtEnd)
                {
                    ByteReader part = Subsection(ref reader, out byte id);
                    if (id == NameSubsection.Module) names.Module = part.Name();
                    if (id != NameSubsection.Function) continue;
                    for (int i = part.Count(); i > 0; i--)
                    {
                        uint index = part.U32();
                        int at = part.Position;
                        part.SkipName();
                        names.Add(index, at);
                    }
                }
            }
            catch (MalformedModuleException)
            {
                // Reading all names reports the problem.
            }
        }
        return names;
    }

    private static ByteReader Subsection(ref ByteReader reader, out byte id)
    {
        id = reader.U8();
        uint size = reader.U32();
        if (size > (uint)reader.Remaining) throw reader.Error("length out of bounds", reader.Position);
        ByteReader part = reader.Part((int)size);
        reader.Position += (int)size;
        return part;
    }

    private static void Read(NameSection names, ByteReader reader)
    {
        while (!reader.AtEnd)
        {
            ByteReader part = Subsection(ref reader, out byte id);
            switch (id)
            {
                case NameSubsection.Module: names.Module = part.Name(); break;
                case NameSubsection.Function: ReadMap(ref part, names.Funcs); break;
                case NameSubsection.Local: ReadIndirectMap(ref part, names.Locals); break;
                case NameSubsection.Label: ReadIndirectMap(ref part, names.Labels); break;
                case NameSubsection.Type: ReadMap(ref part, names.Types); break;
                case NameSubsection.Table: ReadMap(ref part, names.Tables); break;
                case NameSubsection.Memory: ReadMap(ref part, names.Memories); break;
                case NameSubsection.Global: ReadMap(ref part, names.Globals); break;
                case NameSubsection.Element: ReadMap(ref part, names.Elems); break;
                case NameSubsection.Data: ReadMap(ref part, names.Datas); break;
                case NameSubsection.Field: ReadIndirectMap(ref part, names.Fields); break;
                case NameSubsection.Tag: ReadMap(ref part, names.Tags); break;
                case NameSubsection.ModuleIndex: ReadMap(ref part, names.Modules); break;
                case NameSubsection.Instance: ReadMap(ref part, names.Instances); break;
                case NameSubsection.Scope: ReadMap(ref part, names.Scopes); break;
            }
        }
    }

    private static void ReadMap(ref ByteReader reader, Dictionary<uint, string> map)
    {
        int count = reader.Count();
        for (int i = 0; i < count; i++)
        {
            uint index = reader.U32();
            map[index] = reader.Name();
        }
    }

    private static void ReadIndirectMap(ref ByteReader reader, Dictionary<(uint, uint), string> map)
    {
        int outer = reader.Count();
        for (int i = 0; i < outer; i++)
        {
            uint first = reader.U32();
            int count = reader.Count();
            for (int j = 0; j < count; j++)
            {
                uint second = reader.U32();
                map[(first, second)] = reader.Name();
            }
        }
    }
}
