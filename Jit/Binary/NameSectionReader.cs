namespace WasmJit.Jit;

/// <summary>Reads the names section (spec 7.4.1, with the extended subsections); what is malformed is ignored from there on.</summary>
internal static class NameSectionReader
{
    internal static void Read(ModuleInfo module, ReadOnlySpan<byte> bytes, int start, int end)
    {
        var names = new NameSection();
        module.Names = names;
        try
        {
            var reader = new ByteReader(bytes, start, end);
            while (!reader.AtEnd)
            {
                byte id = reader.U8();
                uint size = reader.U32();
                if (size > (uint)reader.Remaining) throw reader.Error("length out of bounds", reader.Position);
                var part = new ByteReader(bytes, reader.Position, reader.Position + (int)size);
                switch (id)
                {
                    case 0: names.Module = part.Name(); break;
                    case 1: ReadMap(ref part, names.Funcs); break;
                    case 2: ReadIndirectMap(ref part, names.Locals); break;
                    case 3: ReadIndirectMap(ref part, names.Labels); break;
                    case 4: ReadMap(ref part, names.Types); break;
                    case 5: ReadMap(ref part, names.Tables); break;
                    case 6: ReadMap(ref part, names.Memories); break;
                    case 7: ReadMap(ref part, names.Globals); break;
                    case 8: ReadMap(ref part, names.Elems); break;
                    case 9: ReadMap(ref part, names.Datas); break;
                    case 10: ReadIndirectMap(ref part, names.Fields); break;
                    case 11: ReadMap(ref part, names.Tags); break;
                }
                reader.Position += (int)size;
            }
        }
        catch (MalformedModuleException e)
        {
            // A names section says nothing that the module needs.
            module.CustomProblems.Add(new CustomProblem($"malformed name section: {e.Reason}", e.Offset));
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
