using WasmJit.DynamicLinking;
using WasmJit.Jit.Binary;
using WasmJit.Runtime;

namespace WasmJit.Linking;

/// <summary>
/// The imports of one library. Their definitions are settled before anything of the library exists, their values when it is instantiated, and values
/// that could not be known then when all libraries that are loaded together are instantiated.
/// </summary>
internal sealed class ImportBinder
{
    private readonly DynamicLinker linker;
    private readonly LinkMap map;
    private readonly SymbolResolver symbols;
    private readonly DynamicLibrary library;
    private readonly Items<ImportInfo> imports;

    /// <summary>The library that defines a function or tag, by the import's position; null for all other imports.</summary>
    private readonly DynamicLibrary?[] definers;

    /// <summary>Values that are known from the beginning.</summary>
    private readonly object?[] values;

    /// <exception cref="DynamicLinkException">A symbol has no definition and must have one.</exception>
    internal ImportBinder(DynamicLinker linker, DynamicLibrary library, bool isLazy)
    {
        this.linker = linker;
        map = linker.Map;
        symbols = linker.Symbols;
        this.library = library;
        imports = library.Module.Info.Imports;
        definers = new DynamicLibrary?[imports.Count];
        values = new object?[imports.Count];
        for (int i = 0; i < imports.Count; i++) Settle(i, isLazy);
    }

    /// <summary>Whether all tags that it imports are there.</summary>
    internal bool HasTags
    {
        get
        {
            for (int i = 0; i < definers.Length; i++)
                if (imports[i].Type.Kind == ExternKind.Tag && definers[i] is { Instance: null } definer && definer != library) return false;
            return true;
        }
    }

    private bool IsWeak(string name) => library.Section?.Weak.Contains(name) == true;

    private void Settle(int index, bool isLazy)
    {
        ImportInfo import = imports[index];
        if (import.Name is not { } name) throw new DynamicLinkException($"{library.Name}: unknown import: {import.Names} is not a symbol");
        switch (import.Module)
        {
            case "env" when import.Type.Kind == ExternKind.Func:
                if (linker.Functions.Find(library, name) is { } own) values[index] = Adapt(own, import);
                else if (map.Definer(library, name, ExternKind.Func) is { } definer) definers[index] = definer;
                else if (symbols.Host.Find("env", name) is Delegate host) values[index] = Adapt(host, import);
                else if (!isLazy && !IsWeak(name)) throw Undefined(name);
                break;
            case "env" when import.Type.Kind == ExternKind.Tag:
                definers[index] = map.Definer(library, name, ExternKind.Tag);
                if (definers[index] is null) values[index] = symbols.Host.Find("env", name) ?? map.SharedTag(name, import.Type.Def);
                break;
            case "env" when IsOfTheLoader(import):
                break;
            case "GOT.mem" or "GOT.func" when import.Type is { Kind: ExternKind.Global, Global: { IsMutable: true } type } && type.Type == linker.AddressType:
                SettleAddress(index, name, import.Module == "GOT.func", isLazy);
                break;
            default:
                object value = symbols.Host.Find(import.Module, name)
                    ?? throw new DynamicLinkException($"{library.Name}: unknown import: {import.Names}");
                values[index] = value is Delegate function ? Adapt(function, import) : value;
                break;
        }
    }

    private void SettleAddress(int index, string name, bool isFunction, bool isLazy)
    {
        bool isKnown = isFunction ? symbols.HasFunction(library, name) : symbols.HasAddress(library, name);
        if (!isKnown && symbols.Host.Find(imports[index].Module, name) is Global given)
        {
            values[index] = given;
            return;
        }
        if (!isKnown && !IsWeak(name) && !(isFunction && isLazy)) throw Undefined(name);
        Global global = linker.MakeAddress(0, isMutable: true);
        values[index] = global;
        var entry = new GotEntry(global, name, isFunction) { MayBeMissing = isFunction && isLazy && !IsWeak(name) };
        library.Got.Add(entry);
        library.Offsets.Add(entry);
    }

    private static bool IsOfTheLoader(ImportInfo import) => import.Type.Kind switch
    {
        ExternKind.Memory => import.Name == "memory",
        ExternKind.Table => import.Name == "__indirect_function_table",
        ExternKind.Global => import.Name is "__stack_pointer" or "__memory_base" or "__table_base" or "__table_base32",
        _ => false,
    };

    private DynamicLinkException Undefined(string name) => new($"{library.Name}: undefined symbol: {name}");

    private object Adapt(Delegate function, ImportInfo import)
    {
        if (FuncRef.Behind(function) is { } func && ReferenceEquals(func.Delegate, function)) return func;
        if (import.Type.Kind != ExternKind.Func) return function;
        try
        {
            return HostFunctions.Make(function, import.Type.Def, library.Module.SavedCode);
        }
        catch (ArgumentException e)
        {
            throw new DynamicLinkException($"{library.Name}: incompatible import type: \"{import.Module}\" \"{import.Name}\": {e.Message}", e);
        }
    }

    /// <summary>The values to instantiate with.</summary>
    /// <param name="compiler">Pays for the functions that have to be made.</param>
    internal object[] Values(ModuleCompiler compiler)
    {
        var result = new object[imports.Count];
        for (int i = 0; i < result.Length; i++)
        {
            CancellationScope.ThrowIfStopped();
            ImportInfo import = imports[i];
            DynamicLibrary? definer = definers[i];
            result[i] = values[i]
                ?? Definition(definer, import) ?? import.Name switch
                {
                    "memory" when import.Type.Kind == ExternKind.Memory => linker.SharedMemory,
                    "__indirect_function_table" when import.Type.Kind == ExternKind.Table => linker.SharedTable,
                    "__stack_pointer" when import.Type.Kind == ExternKind.Global => linker.StackPointer,
                    "__memory_base" when import.Type.Kind == ExternKind.Global => linker.MakeAddress(library.MemoryBase, isMutable: false),
                    "__table_base" when import.Type.Kind == ExternKind.Global => linker.MakeAddress(library.TableBase, isMutable: false),
                    "__table_base32" when import.Type.Kind == ExternKind.Global =>
                        new Global(new GlobalType(ValType.I32, IsMutable: false), (int)library.TableBase),
                    _ when import.Type.Kind == ExternKind.Tag => map.SharedTag(import.Name!, import.Type.Def),
                    _ => Missing(import, compiler),
                };
        }
        return result;
    }

    private FuncRef Missing(ImportInfo import, ModuleCompiler compiler)
    {
        compiler.Pay(LazyFunction.Cost);
        return new LazyFunction(linker, library, import.Name!, import.Type.Def).Make();
    }

    private static object? Definition(DynamicLibrary? definer, ImportInfo import)
    {
        if (definer?.Instance is null) return null;
        return import.Type.Kind == ExternKind.Func ? definer.FunctionOf(import.Name!) : definer.TagOf(import.Name!);
    }

    /// <summary>Replaces stand-ins by definitions, and puts addresses into the offset table.</summary>
    /// <exception cref="DynamicLinkException">A definition has another type.</exception>
    internal void Complete()
    {
        int func = 0;
        for (int i = 0; i < imports.Count; i++)
        {
            ImportInfo import = imports[i];
            if (import.Type.Kind != ExternKind.Func) continue;
            int place = func++;
            if (definers[i] is not { } definer) continue;
            library.Bound.Add(definer);
            FuncRef defined = definer.FunctionOf(import.Name!);
            if (!Subtyping.Matches(ExternType.OfFunc(defined.Type, true), import.Type))
                throw new DynamicLinkException($"{library.Name}: {import.Name} is {defined.Type} in {definer.Name}, {import.Type} is needed");
            library.Instance.Funcs[place] = HostFunctions.ForCaller(defined, library.Instance);
        }
        symbols.FillOffsets(library);
        symbols.FillMissing(library);
    }
}
