using System.Runtime.ExceptionServices;
using WasmJit.Jit.Format;
using WasmJit.Jit.Operators;
using WasmJit.Runtime;

namespace WasmJit.Jit.Binary;

/// <summary>Decodes a module's sections (spec 5.5). Bodies and expressions stay in the bytes, to be validated and compiled from there.</summary>
internal ref partial struct ModuleDecoder
{
    private readonly ReadOnlySpan<byte> bytes;
    private readonly ModuleContents module;
    private readonly DecodeProgress progress;
    private int declaredFuncs;
    private int bodies;

    private ModuleDecoder(ModuleContents module)
    {
        this.module = module;
        bytes = module.Info.Bytes.Span;
        progress = module.Progress;
    }

    /// <summary>Decodes a module.</summary>
    /// <param name="memory">The bytes, which do not change any more.</param>
    /// <param name="settings">What it is to be validated and compiled for.</param>
    /// <exception cref="MalformedModuleException">Not the binary format.</exception>
    /// <exception cref="InvalidModuleException">A type, index or limit that decoding itself finds out.</exception>
    /// <exception cref="GuestCanceledException">The calling thread's guests are to stop.</exception>
    internal static ModuleInfo Decode(ReadOnlyMemory<byte> memory, DecodeSettings? settings = null) =>
        Decode(memory, 0, memory.Length, settings ?? DecodeSettings.All);

    /// <summary>As <see cref="Decode(ReadOnlyMemory{byte}, DecodeSettings)"/>, for a module in the bytes of a component.</summary>
    internal static ModuleInfo Decode(ReadOnlyMemory<byte> memory, int begin, int end, DecodeSettings settings) =>
        DeepStack.Run(() => DecodeWhole(ModuleContents.Within(memory, begin, end, settings))).Info;

    /// <summary>Decodes the beginning of a module, in the place where it would be nested in another.</summary>
    internal static ModuleContents DecodePart(ReadOnlyMemory<byte> memory, ModuleContents? parent) => DeepStack.Run(() =>
        DecodeWhole(parent is null ? ModuleContents.Root(memory, DecodeSettings.All) : ModuleContents.Nest(parent, memory)));

    /// <summary>
    /// Only the outermost module catches errors: nested modules are read one level deeper each, and catching and throwing again costs more stack at
    /// each level than reading does.
    /// </summary>
    private static ModuleContents DecodeWhole(ModuleContents root)
    {
        ModuleException error;
        try
        {
            new ModuleDecoder(root).Run();
            return root;
        }
        catch (ModuleException e) when (e is MalformedModuleException or InvalidModuleException)
        {
            error = e;
        }
        ModuleInfo? module = root.Progress.Decoding;
        for (; module is not null && module != root.Info.Parent; module = module.Parent) error = FindEarlierError(module, error);
        ExceptionDispatchInfo.Throw(error);
        return null;
    }

    /// <summary>Bodies are read later, but their errors come before those of later sections, and malformed comes before invalid.</summary>
    private static ModuleException FindEarlierError(ModuleInfo module, ModuleException error)
    {
        try
        {
            if (error is MalformedModuleException) ReadBodies(module, error.Offset);
            CheckOrder(module, module.FreeOrderAt);
            if (error is InvalidModuleException) ReadHeaders(module);
            return error;
        }
        catch (MalformedModuleException earlier)
        {
            return earlier;
        }
    }

    /// <summary>Looks for a section out of order behind the place of an error.</summary>
    private static void ReadHeaders(ModuleInfo module)
    {
        var reader = new ByteReader(module.Bytes.Span, module.Begin + 8, module.End);
        var order = new SectionOrder();
        while (!reader.AtEnd)
        {
            int at = reader.Position;
            byte id = reader.U8();
            uint size = reader.U32();
            if (id > SectionId.Last || size > (uint)reader.Remaining) return;
            reader.Position += (int)size;
            if (id != 0) order.Add(id, at);
        }
        if (!order.HasLinking) CheckOrder(module, order.FreeOrderAt);
    }

    private static void ReadBodies(ModuleInfo module, long before)
    {
        ReadOnlySpan<byte> bytes = module.Bytes.Span;
        for (int i = module.ImportedFuncs; i < module.Funcs.Count; i++)
        {
            FuncInfo func = module.Funcs[i];
            if (func.BodyEnd == 0 || func.BodyStart >= before) return;
            int start;
            try
            {
                start = func.CodeStart;
            }
            catch (InvalidModuleException)
            {
                // Locals of an undefined type do not make the module malformed. The validator rejects them.
                continue;
            }
            var code = new CodeReader(bytes, start, func.BodyEnd);
            while (!code.AtEnd) code.Read(out _);
        }
    }

    private void Run()
    {
        progress.Decoding = module.Info;
        int begin = module.Info.Begin, end = module.Info.End;
        ReadOnlySpan<byte> own = bytes[begin..end];
        if (own.Length < 4) throw new MalformedModuleException(own.IsEmpty ? "unexpected end" : "unexpected end of magic header", begin);
        if (!own[..4].SequenceEqual("\0asm"u8)) throw new MalformedModuleException("magic header not detected", begin);
        if (own.Length < 8) throw new MalformedModuleException("unexpected end of version", begin + 4);
        if (!own[4..8].SequenceEqual(stackalloc byte[] { 1, 0, 0, 0 })) throw new MalformedModuleException("unknown binary version", begin + 4);
        var reader = new ByteReader(bytes, begin + 8, end);
        var order = new SectionOrder();
        byte lastId = 0;
        while (!reader.AtEnd)
        {
            int at = reader.Position;
            byte id = reader.U8();
            if (id > SectionId.Last) throw reader.Error("malformed section id", at);
            int sizeAt = reader.Position;
            uint size = reader.U32();
            if (size > (uint)reader.Remaining) throw reader.Error("length out of bounds", sizeAt);
            var section = new ByteReader(bytes, reader.Position, reader.Position + (int)size);
            if (id == SectionId.Custom)
            {
                ReadCustom(ref section, lastId);
            }
            else
            {
                // An empty section of the extension does not make a module one of the extension, so the core specification's rule holds.
                if (id > SectionId.LastCore && size == 1 && section.Peek() == 0) throw reader.Error("malformed section id", at);
                order.Add(id, at);
                module.FreeOrderAt = order.FreeOrderAt;
                lastId = id;
                module.Sections.Add(id);
                ReadSection(id, ref section);
                if (!section.AtEnd) throw section.Error("section size mismatch", section.Position);
            }
            reader.Position += (int)size;
        }
        CheckOrder(module.Info, module.FreeOrderAt);
        if (declaredFuncs != bodies)
            throw new MalformedModuleException("function and code section have inconsistent lengths", end);
        if (module.DataCount is { } count && count != module.Datas.Count)
            throw new MalformedModuleException("data count and data section have inconsistent lengths", end);
        BranchHints.Read(module);
        module.Complete();
        progress.Decoding = module.Info.Parent;
    }

    private void ReadCustom(ref ByteReader section, byte after)
    {
        string name = section.Name();
        module.CustomSections.Add(new CustomSectionInfo(name, section.Position, section.Remaining, after));
    }

    private void ReadSection(byte id, ref ByteReader section)
    {
        var types = new TypeDecoder(module);
        if (id == SectionId.Start)
        {
            module.StartOffset = section.Position;
            module.Start = section.U32();
            return;
        }
        if (id == SectionId.DataCount)
        {
            module.DataCount = section.U32();
            return;
        }
        if (id == SectionId.Code) module.CodeOffset = section.Position;
        int count = section.Count();
        switch (id)
        {
            case SectionId.Type:
                for (int i = 0; i < count; i++)
                {
                    progress.Poll();
                    int at = section.Position, first = module.Types.Count;
                    types.ReadRecType(ref section);
                    module.EarlyItems.Add(new EarlyItem(SectionId.Type, at, first, module.Types.Count - first));
                }
                break;
            case SectionId.Import:
                for (int i = 0; i < count; i++, progress.Poll()) ReadImport(ref section, ref types);
                break;
            case SectionId.Function:
                declaredFuncs = count;
                module.FuncTypeIndices.EnsureCapacity(count);
                module.Funcs.EnsureCapacity(module.Funcs.Count + count);
                for (int i = 0; i < count; i++, progress.Poll())
                {
                    module.FuncTypeIndices.Add(PeekIndex(section, 0));
                    module.Funcs.Add(new FuncInfo(types.ReadFuncIndex(ref section), false));
                }
                break;
            case SectionId.Table:
                for (int i = 0; i < count; i++, progress.Poll()) ReadTable(ref section, ref types);
                break;
            case SectionId.Memory:
                for (int i = 0; i < count; i++)
                {
                    module.MemoryOffsets.Add(section.Position);
                    module.Memories.Add(types.ReadMemoryType(ref section));
                }
                break;
            case SectionId.Tag:
                for (int i = 0; i < count; i++)
                {
                    module.TagTypeIndices.Add(PeekIndex(section, 1));
                    module.Tags.Add(types.ReadTagIndex(ref section));
                }
                break;
            case SectionId.Global:
                for (int i = 0; i < count; i++, progress.Poll())
                {
                    int at = section.Position;
                    module.Globals.Add(new GlobalInfo(types.ReadGlobalType(ref section), ReadExpr(ref section), at));
                }
                break;
            case SectionId.Export:
                for (int i = 0; i < count; i++, progress.Poll()) ReadExport(ref section);
                break;
            case SectionId.Scope:
                for (int i = 0; i < count; i++, progress.Poll()) ReadScope(ref section);
                break;
            case SectionId.Element:
                for (int i = 0; i < count; i++, progress.Poll()) ReadElem(ref section, ref types);
                break;
            case SectionId.Code:
                bodies = count;
                for (int i = 0; i < count; i++, progress.Poll()) ReadBody(ref section, i < declaredFuncs ? module.Funcs[module.ImportedFuncs + i] : null);
                break;
            case SectionId.Data:
                // A segment takes two bytes at least.
                module.Datas.EnsureCapacity(Math.Min(count, section.Remaining / 2));
                for (int i = 0; i < count; i++, progress.Poll()) ReadData(ref section);
                break;
            case SectionId.Module:
                for (int i = 0; i < count; i++) ReadModule(ref section);
                break;
            case SectionId.Instance:
                for (int i = 0; i < count; i++, progress.Poll()) ReadInstance(ref section);
                break;
            case SectionId.Alias:
                for (int i = 0; i < count; i++, progress.Poll()) ReadAlias(ref section);
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
        string first = types.ReadImportNames(ref section, out string? second);
        ByteReader description = section;
        ExternType type = types.ReadExternType(ref section);
        module.EarlyItems.Add(new EarlyItem(SectionId.Import, at, module.Imports.Count));
        if (module.Initialisers.Count > 0) module.AddInitialiser(new Initialiser(InitialiserKind.Import, type.Kind, module.Imports.Count));
        if (second is not null) module.ImplyInstance(first);
        module.Imports.Add(new ImportInfo(first, second, type, at) { Number = module.Imports.Count, Index = module.Info.CountOf(type.Kind) });
        module.AddItem(type, at, PeekIndex(description, type.Kind == ExternKind.Tag ? 2 : 1));
    }

    private readonly void ReadTable(ref ByteReader section, ref TypeDecoder types)
    {
        int at = section.Position;
        ConstExpr? init = null;
        TableType type;
        if (section.Peek() == TableByte.WithInit)
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
        ExternKind kind = ReadSort(ref section, "malformed export kind");
        uint index = section.U32();
        // Without modules and instances the extension's kinds are unknown kinds.
        if (kind is ExternKind.Module or ExternKind.Instance && module.LinkingUse is null)
            throw section.Error("malformed export kind", section.Position - 1);
        module.Exports.Add(new ExportInfo(name, kind, index, at));
        if (kind == ExternKind.Func) module.Declare(index);
    }

    /// <summary>Finds the end of an expression. The validator checks its contents.</summary>
    private readonly ConstExpr ReadExpr(ref ByteReader section)
    {
        int start = section.Position;
        if (ConstExpr.LengthOfConstant(bytes[start..section.End], out _) is var length and not 0)
        {
            section.Position += length;
            return new ConstExpr(start, section.Position);
        }
        var code = new CodeReader(bytes, start, section.End);
        int depth = 0;
        while (true)
        {
            progress.Poll();
            code.Read(out Instr instr);
            if (instr.Id == OpId.RefFunc) module.Declare(instr.A);
            if (instr.Op.Has(OpTraits.Opens)) depth++;
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
        SegmentMode mode = (flags & ElementFlags.NotActive) == 0 ? SegmentMode.Active
            : (flags & ElementFlags.Declarative) == 0 ? SegmentMode.Passive : SegmentMode.Declarative;
        bool hasTable = mode == SegmentMode.Active && (flags & ElementFlags.HasTable) != 0;
        uint table = hasTable ? section.U32() : 0;
        ConstExpr where = mode == SegmentMode.Active ? ReadExpr(ref section) : default;
        bool exprs = (flags & ElementFlags.HasExpressions) != 0;
        ValType type = exprs ? ValType.FuncRef : ValType.Ref(HeapType.Func, false);
        if (mode != SegmentMode.Active || hasTable)
        {
            if (exprs) type = types.ReadRefType(ref section);
            else if (section.U8() != ElementFlags.FuncKind) throw section.Error("malformed element kind", section.Position - 1);
        }
        uint[]? funcs = null;
        ConstExpr[] items = ElemInfo.NoExprs;
        if (exprs)
        {
            items = new ConstExpr[section.Count()];
            for (int i = 0; i < items.Length; i++, progress.Poll()) items[i] = ReadExpr(ref section);
        }
        else
        {
            funcs = ReadIndices(ref section);
            foreach (uint func in funcs) module.Declare(func);
        }
        module.Elems.Add(new ElemInfo { Mode = mode, Type = type, Offset = at, Table = table, HasTable = hasTable, Where = where, Funcs = funcs, Exprs = items });
    }

    private readonly void ReadData(ref ByteReader section)
    {
        int at = section.Position;
        uint flags = section.U32();
        if (flags > DataFlags.HasMemory) throw section.Error("malformed data segment kind", at);
        uint target = flags == DataFlags.HasMemory ? section.U32() : 0;
        ConstExpr where = flags != DataFlags.Passive ? ReadExpr(ref section) : default;
        uint length = section.U32();
        int start = section.Position;
        section.Bytes(length);
        module.Datas.Add(new DataInfo(flags == DataFlags.Passive ? SegmentMode.Passive : SegmentMode.Active, target, where, start, (int)length, at));
    }

    /// <summary>Notes where a body is. Bodies beyond the number of functions are only counted.</summary>
    private readonly void ReadBody(ref ByteReader section, FuncInfo? func)
    {
        int at = section.Position;
        uint size = section.U32();
        if (size > (uint)section.Remaining) throw section.Error("unexpected end of section or function", at);
        int end = section.Position + (int)size;
        func?.SetBody(module.Info, section.Position, end);
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
            if (total > Limits.Locals) throw reader.Error("too many locals", at);
            runs.Add(new LocalRun((int)count, types.ReadValType(ref reader)));
        }
        return reader.Position;
    }
}
