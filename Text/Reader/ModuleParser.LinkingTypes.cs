using System.Text;
using WasmJit.Jit;

namespace WasmJit.Text;

/// <summary>
/// Module and instance types. Each has a type index space of its own, empty at first: a name of an enclosing type, or of a type of
/// the module, stands for an alias; a number is an index of its own.
/// </summary>
internal sealed partial class ModuleParser
{
    /// <summary>The inside of a module or instance type.</summary>
    private sealed class TypeScope(TypeScope? outer)
    {
        private readonly Dictionary<(uint Depth, uint Index), uint> aliases = [];
        private readonly Dictionary<string, uint> plain = [];

        internal TypeScope? Outer { get; } = outer;

        /// <summary>How many such types there are, from this one outwards.</summary>
        internal uint Level { get; } = outer is null ? 1 : outer.Level + 1;

        internal Dictionary<string, uint> Names { get; } = [];

        internal ByteWriter Definitions { get; } = new();

        internal uint Count { get; set; }

        internal uint Types { get; private set; }

        internal void Add(ByteWriter item)
        {
            Definitions.Bytes(item.Span);
            Count++;
        }

        internal uint FindOrAdd(string key, ByteWriter body) => plain.TryGetValue(key, out uint known) ? known : Define(body);

        /// <summary>Adds a type; a type use may find it.</summary>
        internal uint Define(ByteWriter body)
        {
            Definitions.U8(DefinitionByte.Type);
            Definitions.Bytes(body.Span);
            Count++;
            plain.TryAdd(Convert.ToHexString(body.Span), Types);
            return Types++;
        }

        /// <summary>The index of a type of an enclosing thing.</summary>
        internal uint Alias(uint depth, uint index) => aliases.TryGetValue((depth, index), out uint known) ? known : DefineAlias(depth, index);

        internal uint DefineAlias(uint depth, uint index)
        {
            Definitions.U8(DefinitionByte.Alias);
            Definitions.Bytes(OuterAliasItem(7, depth, index));
            Count++;
            aliases.TryAdd((depth, index), Types);
            return Types++;
        }
    }

    private TypeScope? scope;

    /// <summary>A type index, in the index space of here.</summary>
    private uint TypeIndex()
    {
        if (scope is null) return Index(types);
        if (IsInlineAlias(types))
        {
            Position += 3;
            (uint depth, uint index) = Outer(types);
            Close();
            return scope.Alias(depth, index);
        }
        if (Current.Kind != TokenKind.Id) return (uint)Unsigned(32);
        if (scope.Names.TryGetValue(Current.Text, out uint own)) return Take(own);
        uint level = 0;
        for (TypeScope? around = scope.Outer; around is not null; around = around.Outer, level++)
            if (around.Names.TryGetValue(Current.Text, out uint found)) return Take(scope.Alias(level, found));
        if (types.Find(Current.Text, out uint index2)) return Take(scope.Alias(level, index2));
        throw Error($"unknown type {Current.Text}");
    }

    /// <summary><c>(type $t)</c>, <c>(type outer $m $t)</c>.</summary>
    private uint TypeReference()
    {
        if (IsInlineAlias(types)) return TypeIndex();
        Open("type");
        uint index = TypeIndex();
        Close();
        return index;
    }

    /// <summary>The type of a module or instance: a reference, or written out.</summary>
    private uint LinkingTypeUse(string kind)
    {
        bool reference = IsOpen("type") && (Peek(2).Text == "outer" || Peek(3).Kind == TokenKind.Close);
        if (reference) return TypeReference();
        var body = new ByteWriter();
        body.U8(kind == "module" ? TypeByte.Module : TypeByte.Instance);
        LinkingBody(body, kind == "module");
        return FindOrAdd(body, null);
    }

    private void LinkingBody(ByteWriter writer, bool isModule)
    {
        System.Runtime.CompilerServices.RuntimeHelpers.EnsureSufficientExecutionStack();
        var inside = new TypeScope(scope);
        scope = inside;
        while (Current.Kind == TokenKind.Open)
        {
            string keyword = Peek(1).Kind == TokenKind.Atom ? Peek(1).Text : "";
            switch (keyword)
            {
                case "type":
                    {
                        Position += 2;
                        string? id = TakeId();
                        uint index;
                        if (TakeOpen("alias"))
                        {
                            index = OuterInside();
                            Close();
                        }
                        else
                        {
                            var body = new ByteWriter();
                            Composite(body, uint.MaxValue);
                            index = inside.Define(body);
                        }
                        NameInside(id, index);
                        break;
                    }
                case "alias":
                    {
                        Position += 2;
                        uint index = OuterInside();
                        Open("type");
                        NameInside(TakeId(), index);
                        Close();
                        break;
                    }
                case "import" when isModule:
                    {
                        Position += 2;
                        byte[] first = Name();
                        byte[]? second = Current.Kind == TokenKind.String ? Name() : null;
                        if (Current.Kind != TokenKind.Open) throw Unexpected();
                        Position++;
                        Description(Atom(), first, second, true);
                        Close();
                        break;
                    }
                case "export":
                    Position += 2;
                    if (Current.Kind != TokenKind.String)
                    {
                        InjectExports();
                        break;
                    }
                    byte[] name = Name();
                    if (Current.Kind != TokenKind.Open) throw Unexpected();
                    Position++;
                    Description(Atom(), name, null, false);
                    Close();
                    break;
                case "func" or "table" or "memory" or "global" or "tag" or "module" or "instance":
                    Position += 2;
                    Abbreviated(keyword, isModule);
                    break;
                default: Position++; throw Unexpected();
            }
            Close();
        }
        scope = inside.Outer;
        writer.U32(inside.Count);
        writer.Bytes(inside.Definitions.Span);
    }

    private void NameInside(string? id, uint index)
    {
        if (id is not null && !scope!.Names.TryAdd(id, index)) throw Error($"duplicate type {id}");
    }

    private uint OuterInside()
    {
        if (!TakeAtom("outer")) throw Unexpected();
        (uint depth, uint index) = Outer(types);
        return scope!.DefineAlias(depth, index);
    }

    /// <summary>An import or export, behind the keyword of its kind; types that it implies come before it.</summary>
    private void Description(string kind, byte[] first, byte[]? second, bool import)
    {
        TakeId();
        var item = new ByteWriter();
        item.U8(import ? DefinitionByte.Import : DefinitionByte.Export);
        if (import) WriteImportNames(item, first, second);
        else WriteName(item, first);
        ExternDescription(item, kind);
        scope!.Add(item);
    }

    /// <summary><c>(func (import "a") (param i32))</c>, <c>(memory (export "m") 1)</c>.</summary>
    private void Abbreviated(string kind, bool isModule)
    {
        TakeId();
        if (isModule && TakeOpen("import"))
        {
            byte[] first = Name();
            byte[]? second = Current.Kind == TokenKind.String ? Name() : null;
            Close();
            Description(kind, first, second, true);
            return;
        }
        var names = new List<byte[]>();
        while (IsOpen("export") && Peek(3).Kind == TokenKind.Close)
        {
            Position += 2;
            names.Add(Name());
            Close();
        }
        if (names.Count == 0) throw Unexpected();
        int at = Position;
        foreach (byte[] name in names)
        {
            Position = at;
            Description(kind, name, null, false);
        }
    }

    /// <summary><c>(export $I)</c>: all exports of an instance type, behind the keyword.</summary>
    private void InjectExports()
    {
        int at = Position;
        uint index = IsOpen("type") ? TypeReference() : TypeIndex();
        int after = Position;
        Position = at;
        TypeInjector injector = InjectorOf(index, out DefType type);
        if (type.Composite is not InstanceType instance) throw Error("type mismatch: an instance type is expected");
        foreach (ExportType export in instance.Exports)
        {
            var item = new ByteWriter();
            item.U8(DefinitionByte.Export);
            WriteName(item, Encoding.UTF8.GetBytes(export.Name));
            injector.Extern(item, export.Type);
            scope!.Add(item);
        }
        Position = after;
    }

    /// <summary>
    /// Finds out what a type of the current scope is: decodes the module so far, with the types around the place as one more type
    /// that ends there and exports an instance of the type in question.
    /// </summary>
    private TypeInjector InjectorOf(uint index, out DefType type)
    {
        // No export of a source is called so.
        const string name = "\u0001";
        Jit.ModuleInfo known = Partial();
        var probe = new ByteWriter();
        probe.U8(DefinitionByte.Export);
        probe.Name(name);
        probe.U8(ExternByte.Instance);
        probe.U32(index);
        ByteWriter inner = probe;
        for (TypeScope? around = scope; around is not null; around = around.Outer)
        {
            var body = new ByteWriter();
            body.U8(TypeByte.Module);
            body.U32(around.Count + 1);
            body.Bytes(around.Definitions.Span);
            body.Bytes(inner.Span);
            if (around.Outer is null)
            {
                inner = body;
                break;
            }
            // An instance of the inner type is exported by the outer one.
            var wrapped = new ByteWriter();
            wrapped.U8(DefinitionByte.Type);
            wrapped.Bytes(body.Span);
            var export = new ByteWriter();
            export.U8(DefinitionByte.Export);
            export.Name(name);
            export.U8(ExternByte.Module);
            export.U32(around.Outer.Types);
            wrapped.Bytes(export.Span);
            around.Outer.Count++;
            inner = wrapped;
        }
        for (TypeScope? around = scope!.Outer; around is not null; around = around.Outer) around.Count--;
        DefType found;
        try
        {
            found = Jit.TypeDecoder.DecodeAlone(inner.Span, PartialContents());
        }
        catch (ModuleException e)
        {
            throw Error(e.Reason);
        }
        for (uint i = 1; i < scope.Level; i++) found = ((ModuleType)found.Composite).Exports[^1].Type.Def;
        type = ((ModuleType)found.Composite).Exports[^1].Type.Def;
        return new TypeInjector(this, known);
    }
}
