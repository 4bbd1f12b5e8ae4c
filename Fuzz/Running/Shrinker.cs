using WasmJit.Jit.Binary;
using WasmJit.Jit.Format;
using WasmJit.Jit.Operators;

namespace WasmJit.Fuzz;

/// <summary>
/// Makes a failing module smaller. Functions, instructions, exports, segments, types and fields are left out one after the other,
/// as long as the rest fails in the same way.
/// </summary>
/// <param name="fails">Whether a module fails as the first one does.</param>
/// <param name="attempts">How many modules may be tried.</param>
internal sealed class Shrinker(Func<byte[], bool> fails, int attempts)
{
    private static readonly byte[] Trap = Code(OpId.Unreachable), End = Code(OpId.End);

    private static readonly byte[][] Replacements =
        [[], Trap, Code(OpId.Drop), Code(OpId.I32Const, 0), Code(OpId.I64Const, 0), Code(OpId.RefNull, (byte)HeapType.None.Code), End];

    private static byte[] Code(OpId id, params ReadOnlySpan<byte> immediates)
    {
        var writer = new ByteWriter();
        writer.Code(id);
        writer.Bytes(immediates);
        return writer.ToArray();
    }

    private int left = attempts;

    private readonly record struct Section(byte Id, int Start, int Content, int End);

    /// <summary>The smallest module found.</summary>
    internal byte[] Shrink(byte[] module)
    {
        for (int size = int.MaxValue; module.Length < size && left > 0;)
        {
            size = module.Length;
            module = Sections(module);
            module = Bodies(module);
            module = Instructions(module);
            module = Items(module);
            module = Fields(module);
        }
        return module;
    }

    private bool Try(byte[] candidate, ref byte[] module)
    {
        if (left <= 0 || candidate.AsSpan().SequenceEqual(module)) return false;
        left--;
        if (!fails(candidate)) return false;
        module = candidate;
        return true;
    }

    private static List<Section> SectionsOf(byte[] module)
    {
        var sections = new List<Section>();
        try
        {
            var reader = new ByteReader(module, 8, module.Length);
            while (!reader.AtEnd)
            {
                int start = reader.Position;
                byte id = reader.U8();
                uint size = reader.U32();
                if (size > reader.Remaining) break;
                sections.Add(new Section(id, start, reader.Position, reader.Position + (int)size));
                reader.Position += (int)size;
            }
        }
        catch (MalformedModuleException)
        {
            // A malformed section stays.
        }
        return sections;
    }

    /// <summary>A module with other contents of a section.</summary>
    private static byte[] With(byte[] module, Section section, ReadOnlySpan<byte> content)
    {
        var writer = new ByteWriter();
        writer.Bytes(module.AsSpan(0, section.Start));
        writer.U8(section.Id);
        writer.U32((uint)content.Length);
        writer.Bytes(content);
        writer.Bytes(module.AsSpan(section.End));
        return writer.ToArray();
    }

    private byte[] Sections(byte[] module)
    {
        for (int i = SectionsOf(module).Count - 1; i >= 0; i--)
        {
            List<Section> sections = SectionsOf(module);
            if (i < sections.Count) Try([.. module.AsSpan(0, sections[i].Start), .. module.AsSpan(sections[i].End)], ref module);
        }
        return module;
    }

    private static ModuleInfo? Decode(byte[] module)
    {
        try
        {
            ModuleInfo info = ModuleDecoder.Decode(module);
            foreach (FuncInfo func in info.Funcs) _ = func.Locals;
            return info;
        }
        catch (ModuleException)
        {
            return null;
        }
    }

    /// <summary>The module with another body for a function: its locals, its code.</summary>
    private static byte[]? WithBody(byte[] module, ModuleInfo info, int function, ReadOnlySpan<byte> body)
    {
        if (SectionsOf(module).FirstOrDefault(s => s.Id == SectionId.Code) is not { Id: SectionId.Code } section) return null;
        var code = new ByteWriter();
        code.U32((uint)(info.Funcs.Count - info.ImportedFuncs));
        for (int i = info.ImportedFuncs; i < info.Funcs.Count; i++)
        {
            ReadOnlySpan<byte> bytes = i == function ? body : module.AsSpan(info.Funcs[i].BodyStart, info.Funcs[i].BodyEnd - info.Funcs[i].BodyStart);
            code.U32((uint)bytes.Length);
            code.Bytes(bytes);
        }
        return With(module, section, code.Span);
    }

    private byte[] Bodies(byte[] module)
    {
        for (int i = 0; Decode(module) is { } info && i < info.Funcs.Count; i++)
            if (!info.Funcs[i].IsImported && WithBody(module, info, i, [0, .. Trap, .. End]) is { } candidate) Try(candidate, ref module);
        return module;
    }

    private byte[] Instructions(byte[] module)
    {
        for (int i = 0; Decode(module) is { } info && i < info.Funcs.Count && left > 0; i++)
            if (!info.Funcs[i].IsImported) module = Instructions(module, i);
        return module;
    }

    /// <summary>Leaves out ranges of a function's instructions, long ones first, or replaces them by trivial code.</summary>
    private byte[] Instructions(byte[] module, int function)
    {
        for (int length = 64; length > 0; length /= 2)
        {
            for (int at = 0; Decode(module) is { } info && left > 0; at += Math.Max(1, length / 2))
            {
                FuncInfo func = info.Funcs[function];
                List<int> offsets = Offsets(module, func);
                // The last instruction is the function's end.
                if (at >= offsets.Count - 1) break;
                int end = Math.Min(at + length, offsets.Count - 1);
                foreach (byte[] replacement in Replacements)
                {
                    if (replacement.Length >= offsets[end] - offsets[at] && !ReferenceEquals(replacement, Trap)) continue;
                    byte[] body =
                    [
                        .. module.AsSpan(func.BodyStart, offsets[at] - func.BodyStart), .. replacement,
                        .. module.AsSpan(offsets[end], func.BodyEnd - offsets[end]),
                    ];
                    if (WithBody(module, info, function, body) is { } candidate && Try(candidate, ref module))
                    {
                        at = Math.Max(-1, at - 1);
                        break;
                    }
                }
            }
        }
        return module;
    }

    private static List<int> Offsets(byte[] module, FuncInfo func)
    {
        var offsets = new List<int>();
        try
        {
            var reader = new CodeReader(module, func.CodeStart, func.BodyEnd);
            while (!reader.AtEnd)
            {
                offsets.Add(reader.Position);
                reader.Read(out _);
            }
        }
        catch (MalformedModuleException)
        {
            // Up to here.
        }
        return offsets;
    }

    /// <summary>Leaves out items of sections: any exports and segments, others from the end, so that indices stay.</summary>
    private byte[] Items(byte[] module)
    {
        for (int i = SectionsOf(module).Count - 1; i >= 0; i--)
        {
            for (bool again = true; again && left > 0;)
            {
                again = false;
                List<Section> sections = SectionsOf(module);
                if (i >= sections.Count || sections[i].Id is SectionId.Custom or SectionId.Start or SectionId.Code or SectionId.DataCount) break;
                Section section = sections[i];
                var reader = new ByteReader(module, section.Content, section.End);
                uint count = reader.U32();
                if (count is 0 or > 127) break;
                int first = reader.Position;
                // Only the decoder knows where items begin. Every length that decodes is tried.
                for (int from = section.End - 1; from >= first && !again; from--)
                {
                    for (int to = section.End; to > from && !again; to--)
                    {
                        if (to != section.End && section.Id != SectionId.Export) break;
                        byte[] content = [(byte)(count - 1), .. module.AsSpan(first, from - first), .. module.AsSpan(to, section.End - to)];
                        byte[] candidate = With(module, section, content);
                        if (section.Id == SectionId.Function) candidate = WithoutLastBody(candidate);
                        if (Decode(candidate) is not null) again = Try(candidate, ref module);
                    }
                }
            }
        }
        return module;
    }

    private static byte[] WithoutLastBody(byte[] module)
    {
        if (SectionsOf(module).FirstOrDefault(s => s.Id == SectionId.Code) is not { Id: SectionId.Code } section) return module;
        var reader = new ByteReader(module, section.Content, section.End);
        uint count = reader.U32();
        int first = reader.Position, last = first;
        for (uint i = 0; i < count && !reader.AtEnd; i++)
        {
            last = reader.Position;
            uint size = reader.U32();
            if (size > reader.Remaining) return module;
            reader.Position += (int)size;
        }
        var content = new ByteWriter();
        content.U32(count - 1);
        content.Bytes(module.AsSpan(first, last - first));
        return With(module, section, content.Span);
    }

    /// <summary>Leaves out fields of structs, parameters and members of types: reduces a count and deletes some bytes behind it.</summary>
    private byte[] Fields(byte[] module)
    {
        if (SectionsOf(module).FirstOrDefault(s => s.Id == SectionId.Type) is not { Id: SectionId.Type } section) return module;
        for (int at = section.Content + 1; at < section.End && left > 0; at++)
        {
            if (at >= module.Length || module[at] is 0 or > 12) continue;
            bool again = false;
            for (int from = at + 1; from < Math.Min(at + 40, section.End) && !again; from++)
            {
                for (int length = 1; length <= 4 && from + length <= section.End && !again; length++)
                {
                    byte[] content =
                    [
                        .. module.AsSpan(section.Content, at - section.Content), (byte)(module[at] - 1),
                        .. module.AsSpan(at + 1, from - at - 1), .. module.AsSpan(from + length, section.End - from - length),
                    ];
                    byte[] candidate = With(module, section, content);
                    if (Decode(candidate) is not null && Try(candidate, ref module)) again = true;
                }
            }
            if (!again) continue;
            section = SectionsOf(module).First(s => s.Id == SectionId.Type);
            at--;
        }
        return module;
    }
}
