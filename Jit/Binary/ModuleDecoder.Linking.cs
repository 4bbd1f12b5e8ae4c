using WasmJit.Jit.Format;

namespace WasmJit.Jit.Binary;

/// <summary>
/// The sections of module linking: nested modules, instances and aliases. Index spaces grow as the bytes are read, and an item can name only what is
/// there already.
/// </summary>
internal ref partial struct ModuleDecoder
{
    /// <summary>Core modules have each section once, types first.</summary>
    private static void CheckOrder(ModuleInfo module, int freeOrderAt)
    {
        if (freeOrderAt > 0 && module.LinkingUse is null)
            throw new MalformedModuleException("unexpected content after last section", freeOrderAt);
    }

    private static ExternKind ReadSort(ref ByteReader section, string malformed) =>
        ExternByte.KindOf(section.U8()) ?? throw section.Error(malformed, section.Position - 1);

    private readonly void ReadModule(ref ByteReader section)
    {
        int at = section.Position;
        module.UseLinking("nested module", at);
        if (module.Info.Nesting >= ModuleInfo.MaxNesting)
            throw new InvalidModuleException($"modules are nested more than {ModuleInfo.MaxNesting} deep", at);
        if (++progress.NestedModules > ModuleInfo.MaxNested)
            throw new InvalidModuleException($"there are more than {ModuleInfo.MaxNested} nested modules", at);
        uint size = section.U32();
        if (size > (uint)section.Remaining) throw section.Error("length out of bounds", at);
        ModuleContents contents = ModuleContents.Nest(module, section.Position, section.Position + (int)size);
        new ModuleDecoder(contents).Run();
        contents.UseLinking("nested module", at);
        ModuleInfo nested = contents.Info;
        section.Position += (int)size;
        ExportNames.Check(nested);
        if (TypeSize.Problem(nested.ModuleType) is { } problem) throw new InvalidModuleException(problem, at);
        module.AddInitialiser(new Initialiser(InitialiserKind.Module, ExternKind.Module, module.Nested.Count));
        module.EarlyItems.Add(new EarlyItem(SectionId.Module, at, module.Modules.Count));
        module.Nested.Add(nested);
        module.Modules.Add(new ModuleDecl(module.Modules.Count, nested.ModuleType, nested));
    }

    /// <summary>A scope: what functions that are made at run time may refer to.</summary>
    private readonly void ReadScope(ref ByteReader section)
    {
        int at = section.Position;
        module.UseLinking("scope", at);
        var items = new ScopeItem[section.Count()];
        for (int i = 0; i < items.Length; i++, progress.Poll())
        {
            int place = section.Position;
            byte sort = section.U8();
            if (sort is not (ExternByte.Func or ExternByte.Table or ExternByte.Memory or ExternByte.Global or ExternByte.Tag or ExternByte.Type))
                throw section.Error("malformed scope item", place);
            items[i] = new ScopeItem(sort, section.U32());
            if (sort == ExternByte.Func) module.Declare(items[i].Index);
        }
        module.Scopes.Add(new ScopeInfo(module.Info, items, at));
    }

    private readonly void ReadInstance(ref ByteReader section)
    {
        int at = section.Position;
        module.UseLinking("instance", at);
        if (section.U8() != 0) throw section.Error("malformed instance", at);
        uint target = section.U32();
        if (target >= module.Modules.Count) throw new InvalidModuleException($"unknown module {target}", at);
        var arguments = new InstanceArgument[section.Count()];
        var types = new Dictionary<string, ExternType>(arguments.Length);
        for (int i = 0; i < arguments.Length; i++)
        {
            int place = section.Position;
            string name = section.Name();
            ExternKind kind = ReadSort(ref section, "malformed import kind");
            uint index = section.U32();
            Check(kind, index, place);
            if (!types.TryAdd(name, module.Info.TypeOf(kind, index))) throw new InvalidModuleException($"duplicate import argument \"{name}\"", place);
            arguments[i] = new InstanceArgument(name, kind, (int)index);
        }
        var type = (ModuleType)module.Modules[(int)target].Type.Composite;
        if (Subtyping.CheckArguments(type, types) is { } problem) throw new InvalidModuleException(problem, at);
        module.AddInitialiser(new Initialiser(InitialiserKind.Instance, ExternKind.Instance, (int)target) { Arguments = arguments });
        module.EarlyItems.Add(new EarlyItem(SectionId.Instance, at, module.Instances.Count));
        module.AddInstance(type.InstanceType);
    }

    private readonly void Check(ExternKind kind, uint index, int at)
    {
        if (index >= module.Info.CountOf(kind)) throw new InvalidModuleException($"unknown {ExportNames.NameOf(kind)} {index}", at);
    }

    private readonly void ReadAlias(ref ByteReader section)
    {
        int at = section.Position;
        module.UseLinking("alias", at);
        switch (section.U8())
        {
            case AliasByte.InstanceExport:
                {
                    uint source = section.U32();
                    Check(ExternKind.Instance, source, at);
                    ExternKind kind = ReadSort(ref section, "malformed alias");
                    string name = section.Name();
                    if (module.Instances[(int)source].Find(name) is not { } export || export.Kind != kind)
                        throw new InvalidModuleException($"unknown export \"{name}\": instance {source} has no such {ExportNames.NameOf(kind)}", at);
                    module.EarlyItems.Add(new EarlyItem(SectionId.Alias, at, module.Info.CountOf(kind)));
                    module.AddInitialiser(new Initialiser(InitialiserKind.Alias, kind, (int)source) { Name = name });
                    module.AddItem(export, at, uint.MaxValue);
                    break;
                }
            case AliasByte.Outer: ReadOuterAlias(ref section, at); break;
            default: throw section.Error("malformed alias", at);
        }
    }

    private readonly void ReadOuterAlias(ref ByteReader section, int at)
    {
        uint depth = section.U32();
        byte sort = section.U8();
        if (sort is not (ExternByte.Module or ExternByte.Type)) throw section.Error("malformed alias", at);
        uint index = section.U32();
        ModuleInfo? outer = module.Info.Parent;
        for (uint i = 0; i < depth && outer is not null; i++) outer = outer.Parent;
        if (outer is null) throw new InvalidModuleException($"unknown outer module {depth}", at);
        if (sort == ExternByte.Type)
        {
            if (index >= outer.Types.Count) throw new InvalidModuleException($"unknown type {index}", at);
            module.EarlyItems.Add(new EarlyItem(SectionId.Alias, at, module.Types.Count));
            module.TypeOffsets.Add(-1);
            module.Types.Add(outer.Types[(int)index]);
            return;
        }
        if (index >= outer.Modules.Count) throw new InvalidModuleException($"unknown module {index}", at);
        ModuleDecl target = outer.Modules[(int)index];
        module.EarlyItems.Add(new EarlyItem(SectionId.Alias, at, module.Modules.Count));
        module.AddInitialiser(new Initialiser(InitialiserKind.Captured, ExternKind.Module, module.CaptureOf(depth, (int)index)));
        module.Modules.Add(new ModuleDecl(module.Modules.Count, target.Type, target.Definition));
    }
}
