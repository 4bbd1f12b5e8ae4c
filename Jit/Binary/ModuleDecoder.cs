namespace WasmJit.Jit;

/// <summary>Decodes a module's sections (spec 5.5). Bodies and expressions stay in the bytes, to be validated and compiled from there.</summary>
internal ref struct ModuleDecoder
{
    private readonly ReadOnlyMemory<byte> memory;
    private readonly ReadOnlySpan<byte> bytes;
    private readonly ModuleInfo module;
    private int declaredFuncs;
    private int bodies;

    private ModuleDecoder(ReadOnlyMemory<byte> memory)
    {
        this.memory = memory;
        bytes = memory.Span;
        module = new ModuleInfo { Bytes = memory };
    }

    /// <exception cref="MalformedModuleException">Not the binary format.</exception>
    /// <exception cref="InvalidModuleException">A type, index or limit that decoding itself finds out.</exception>
    internal static ModuleInfo Decode(ReadOnlyMemory<byte> memory)
    {
        var decoder = new ModuleDecoder(memory);
        try
        {
            return decoder.Run();
        }
        catch (MalformedModuleException e)
        {
            // Bodies are read later, but what is wrong in them comes first.
            decoder.FindEarlierError(e.Offset);
            throw;
        }
    }

    private void FindEarlierError(long before)
    {
        for (int i = module.ImportedFuncs; i < module.Funcs.Count; i++)
        {
            FuncInfo func = module.Funcs[i];
            if (func.BodyEnd == 0 || func.BodyStart >= before) return;
            var code = new CodeReader(bytes, func.CodeStart, func.BodyEnd);
            while (!code.AtEnd) code.Read(out _);
        }
    }

    private ModuleInfo Run()
    {
        if (bytes.Length < 4) throw new MalformedModuleException(bytes.IsEmpty ? "unexpected end" : "unexpected end of magic header", 0);
        if (!bytes[..4].SequenceEqual("\0asm"u8)) throw new MalformedModuleException("magic header not detected", 0);
        if (bytes.Length < 8) throw new MalformedModuleException("unexpected end of version", 4);
        if (!bytes[4..8].SequenceEqual(stackalloc byte[] { 1, 0, 0, 0 })) throw new MalformedModuleException("unknown binary version", 4);
        var reader = new ByteReader(bytes, 8, bytes.Length);
        int last = 0;
        byte lastId = 0;
        while (!reader.AtEnd)
        {
            int at = reader.Position;
            byte id = reader.U8();
            if (id > 13) throw reader.Error("malformed section id", at);
            int sizeAt = reader.Position;
            uint size = reader.U32();
            if (size > (uint)reader.Remaining) throw reader.Error("length out of bounds", sizeAt);
            var section = new ByteReader(bytes, reader.Position, reader.Position + (int)size);
            if (id == 0)
            {
                ReadCustom(ref section, lastId);
            }
            else
            {
                int order = SectionOrder.Of(id);
                if (order <= last) throw reader.Error("unexpected content after last section", at);
                last = order;
                lastId = id;
                module.Sections.Add(id);
                ReadSection(id, ref section);
                if (!section.AtEnd) throw section.Error("section size mismatch", section.Position);
            }
            reader.Position += (int)size;
        }
        if (declaredFuncs != bodies)
            throw new MalformedModuleException("function and code section have inconsistent lengths", bytes.Length);
        if (module.DataCount is { } count && count != module.Datas.Count)
            throw new MalformedModuleException("data count and data section have inconsistent lengths", bytes.Length);
        BranchHints.Read(module);
        return module;
    }

    private void ReadCustom(ref ByteReader section, byte after)
    {
        string name = section.Name();
        module.CustomSections.Add(new CustomSectionInfo(name, section.Position, section.Remaining, after));
    }

    private void ReadSection(byte id, ref ByteReader section)
    {
        var types = new TypeDecoder(module);
        if (id == 8)
        {
            module.StartOffset = section.Position;
            module.Start = section.U32();
            return;
        }
        if (id == 12)
        {
            module.DataCount = section.U32();
            return;
        }
        int count = section.Count();
        switch (id)
        {
            case 1:
                for (int i = 0; i < count; i++) types.ReadRecType(ref section);
                break;
            case 2:
                for (int i = 0; i < count; i++) ReadImport(ref section, ref types);
                break;
            case 3:
                declaredFuncs = count;
                for (int i = 0; i < count; i++)
                {
                    module.FuncTypeIndices.Add(PeekIndex(section, 0));
                    module.Funcs.Add(new FuncInfo(types.ReadFuncIndex(ref section), false));
                }
                break;
            case 4:
                for (int i = 0; i < count; i++) ReadTable(ref section, ref types);
                break;
            case 5:
                for (int i = 0; i < count; i++)
                {
                    module.MemoryOffsets.Add(section.Position);
                    module.Memories.Add(types.ReadMemoryType(ref section));
                }
                break;
            case 13:
                for (int i = 0; i < count; i++)
                {
                    module.TagTypeIndices.Add(PeekIndex(section, 1));
                    module.Tags.Add(types.ReadTagIndex(ref section));
                }
                break;
            case 6:
                for (int i = 0; i < count; i++)
                {
                    int at = section.Position;
                    module.Globals.Add(new GlobalInfo(types.ReadGlobalType(ref section), ReadExpr(ref section), at));
                }
                break;
            case 7:
                for (int i = 0; i < count; i++) ReadExport(ref section);
                break;
            case 9:
                for (int i = 0; i < count; i++) ReadElem(ref section, ref types);
                break;
            case 10:
                bodies = count;
                for (int i = 0; i < count; i++) ReadBody(ref section, i < declaredFuncs ? module.Funcs[module.ImportedFuncs + i] : null);
                break;
            case 11:
                for (int i = 0; i < count; i++) ReadData(ref section);
                break;
        }
    }

    /// <summary>The index behind some bytes, without reading on.</summary>
    private static uint PeekIndex(ByteReader copy, int skip)
    {
        for (int i = 0; i < skip; i++) copy.U8();
        return copy.U32();
    }

    private readonly void ReadImport(ref ByteReader section, ref TypeDecoder types)
    {
        int at = section.Position;
        string first = section.Name(), second = section.Name();
        ExternType type;
        ByteReader description = section;
        if (section.Peek() == 0x20)
        {
            // custom-descriptors: a function of exactly this type
            section.U8();
            type = ExternType.OfFunc(types.ReadFuncIndex(ref section), true);
        }
        else
        {
            type = types.ReadExternType(ref section);
        }
        module.Imports.Add(new ImportInfo(first, second, type, at));
        switch (type.Kind)
        {
            case ExternKind.Func:
                module.Funcs.Add(new FuncInfo(type.Def, true, type.IsExact));
                module.FuncTypeIndices.Add(PeekIndex(description, 1));
                module.ImportedFuncs++;
                break;
            case ExternKind.Table:
                module.Tables.Add(new TableInfo(type.Table, null, at));
                module.ImportedTables++;
                break;
            case ExternKind.Memory:
                module.Memories.Add(type.Memory);
                module.ImportedMemories++;
                break;
            case ExternKind.Global:
                module.Globals.Add(new GlobalInfo(type.Global, default, at));
                module.ImportedGlobals++;
                break;
            default:
                module.Tags.Add(type.Def);
                module.TagTypeIndices.Add(PeekIndex(description, 2));
                module.ImportedTags++;
                break;
        }
    }

    private readonly void ReadTable(ref ByteReader section, ref TypeDecoder types)
    {
        int at = section.Position;
        ConstExpr? init = null;
        TableType type;
        if (section.Peek() == 0x40)
        {
            section.U8();
            if (section.U8() != 0) throw section.Error("malformed table", at);
            type = types.ReadTableType(ref section);
            init = ReadExpr(ref section);
        }
        else
        {
            type = types.ReadTableType(ref section);
        }
        module.Tables.Add(new TableInfo(type, init, at));
    }

    private readonly void ReadExport(ref ByteReader section)
    {
        int at = section.Position;
        string name = section.Name();
        byte kind = section.U8();
        if (kind > 4) throw section.Error("malformed export kind", section.Position - 1);
        ExternKind[] kinds = [ExternKind.Func, ExternKind.Table, ExternKind.Memory, ExternKind.Global, ExternKind.Tag];
        module.Exports.Add(new ExportInfo(name, kinds[kind], section.U32(), at));
    }

    /// <summary>Finds the end of an expression; what is in it is the validator's business.</summary>
    private readonly ConstExpr ReadExpr(ref ByteReader section)
    {
        int start = section.Position;
        var code = new CodeReader(bytes, start, section.End);
        int depth = 0;
        while (true)
        {
            code.Read(out Instr instr);
            if (instr.Id is OpId.Block or OpId.Loop or OpId.If or OpId.Try or OpId.TryTable) depth++;
            if (instr.Id == OpId.End && depth-- == 0) break;
        }
        section.Position = code.Position;
        return new ConstExpr(start, code.Position);
    }

    private static uint[] ReadIndices(ref ByteReader section)
    {
        var indices = new uint[section.Count()];
        for (int i = 0; i < indices.Length; i++) indices[i] = section.U32();
        return indices;
    }

    private readonly void ReadElem(ref ByteReader section, ref TypeDecoder types)
    {
        int at = section.Position;
        uint flags = section.U32();
        if (flags > 7) throw section.Error("malformed elements segment kind", at);
        SegmentMode mode = (flags & 1) == 0 ? SegmentMode.Active : (flags & 2) == 0 ? SegmentMode.Passive : SegmentMode.Declarative;
        uint table = mode == SegmentMode.Active && (flags & 2) != 0 ? section.U32() : 0;
        ConstExpr where = mode == SegmentMode.Active ? ReadExpr(ref section) : default;
        bool exprs = (flags & 4) != 0;
        ValType type = exprs ? ValType.FuncRef : ValType.Ref(HeapType.Func, false);
        if ((flags & 3) != 0)
        {
            if (exprs) type = types.ReadRefType(ref section);
            else if (section.U8() != 0) throw section.Error("malformed element kind", section.Position - 1);
        }
        uint[]? funcs = null;
        ConstExpr[] items = [];
        if (exprs)
        {
            items = new ConstExpr[section.Count()];
            for (int i = 0; i < items.Length; i++) items[i] = ReadExpr(ref section);
        }
        else
        {
            funcs = ReadIndices(ref section);
        }
        module.Elems.Add(new ElemInfo { Mode = mode, Type = type, Offset = at, Table = table, HasTable = (flags & 3) == 2, Where = where, Funcs = funcs, Exprs = items });
    }

    private readonly void ReadData(ref ByteReader section)
    {
        int at = section.Position;
        uint flags = section.U32();
        if (flags > 2) throw section.Error("malformed data segment kind", at);
        uint target = flags == 2 ? section.U32() : 0;
        ConstExpr where = flags != 1 ? ReadExpr(ref section) : default;
        uint length = section.U32();
        int start = section.Position;
        section.Bytes(length);
        module.Datas.Add(new DataInfo(flags == 1 ? SegmentMode.Passive : SegmentMode.Active, target, where, start, (int)length, at));
    }

    /// <summary>Notes where a body is; one too many is counted only.</summary>
    private readonly void ReadBody(ref ByteReader section, FuncInfo? func)
    {
        int at = section.Position;
        uint size = section.U32();
        if (size > (uint)section.Remaining) throw section.Error("unexpected end of section or function", at);
        int end = section.Position + (int)size;
        func?.SetBody(module, section.Position, end);
        section.Position = end;
    }

    /// <summary>Reads the declarations of a body's locals into a list.</summary>
    /// <returns>Where the code begins.</returns>
    internal static int ReadLocals(ModuleInfo module, FuncInfo func, List<LocalRun> runs)
    {
        var types = new TypeDecoder(module);
        var reader = new ByteReader(module.Bytes.Span, func.BodyStart, func.BodyEnd);
        int at = reader.Position;
        runs.Clear();
        ulong total = (ulong)func.Func.Params.Length;
        for (int i = reader.Count(); i > 0; i--)
        {
            uint count = reader.U32();
            total += count;
            if (total > 50_000) throw reader.Error("too many locals", at);
            runs.Add(new LocalRun((int)count, types.ReadValType(ref reader)));
        }
        return reader.Position;
    }
}
