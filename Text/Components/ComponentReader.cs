using System.Runtime.CompilerServices;
using WasmJit.Components;
using WasmJit.Jit.Format;

namespace WasmJit.Text;

/// <summary>Reads a component's definitions and encodes them in the order of the text.</summary>
internal sealed class ComponentReader : CanonReader
{
    private ComponentReader(Source source, int position, int end)
        : base(source, position, end)
    {
    }

    /// <summary>Encodes the definitions between two tokens.</summary>
    /// <param name="source">The text.</param>
    /// <param name="begin">The first token.</param>
    /// <param name="end">The token behind the last.</param>
    /// <param name="id">The component's id.</param>
    /// <exception cref="WatException">The text is not in the format.</exception>
    /// <exception cref="InsufficientExecutionStackException">The text is nested too deeply.</exception>
    internal static byte[] Encode(Source source, int begin, int end, string? id)
    {
        var reader = new ComponentReader(source, begin, end);
        return reader.Component(new ComponentScope(ScopeKind.Component, id, null), () => reader.Position < reader.Last);
    }

    // ---- components ----

    /// <summary>Definitions up to the end of a component.</summary>
    private byte[] Component(ComponentScope scope, Func<bool> hasMore)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        if (scope.IsTooDeep) throw Error("nesting too deep");
        ComponentScope saved = Scope;
        Scope = scope;
        scope.Name ??= NameAnnotation("component") ?? scope.Id;
        bool hasNames = false;
        CustomSections(ref hasNames);
        while (hasMore())
        {
            Definition();
            CustomSections(ref hasNames);
        }
        foreach ((Sort sort, uint index, byte[] name) in scope.LateExports) AddExport(sort, index, name, null);
        if (!hasNames && scope.NameSection() is { Length: > 0 } names) scope.Add(ComponentSectionId.Custom, names);
        Scope = saved;
        return scope.Assemble();
    }

    /// <summary>The custom sections that are written before the next definition.</summary>
    private void CustomSections(ref bool hasNames)
    {
        foreach (Annotation annotation in Source.Annotations.Take(Position, Annotation.Custom))
        {
            CustomSection custom = CustomSection.Read(Source, annotation);
            if (custom.Place != CustomSection.LastPlace) throw Error(annotation, "@custom annotation: a component's custom sections stand in their place");
            var section = new ByteWriter();
            section.Vector(custom.Name);
            section.Bytes(custom.Content);
            Scope.Add(ComponentSectionId.Custom, section.Span);
            hasNames |= custom.Name.AsSpan().SequenceEqual("component-name"u8);
        }
    }

    private void Definition()
    {
        if (Current.Kind != TokenKind.Open) throw Unexpected();
        Position++;
        switch (Atom())
        {
            case "core": CoreDefinition(); break;
            case "component": NestedComponent(); break;
            case "instance": Instance(); break;
            case "alias": Alias(null, default); break;
            case "type": TypeDefinition(isInComponent: true); break;
            case "canon": Canon(); break;
            case "func": Func(); break;
            case "import": ExternDeclaration(ComponentSectionId.Import, ExternName()); break;
            case "export": Export(); break;
            case "start": Start(); break;
            case "value": Value(); break;
            default: Position--; throw Unexpected();
        }
        Close();
    }

    /// <summary>Takes the parts that stand before a definition: its exports, then an import or alias in place of the definition.</summary>
    /// <returns>Whether it is an import or alias, and is complete.</returns>
    private bool Head(Sort sort, out (string? Id, string? Name, int Token) label, out List<byte[]> exports)
    {
        label = Label(sort);
        exports = InlineExports();
        uint index;
        if (IsInline("import"))
        {
            Position += 2;
            byte[] name = ExternName();
            Close();
            uint type = TypeUse(sort);
            var item = new ByteWriter();
            sort.Write(item);
            item.U32(type);
            AddExtern(ComponentSectionId.Import, name, item.ToArray());
            index = Define(sort, label);
        }
        else if (IsInvertedAlias)
        {
            Position += 2;
            Alias(sort, label);
            Close();
            index = Scope.Space(sort).Count - 1;
        }
        else
        {
            return false;
        }
        AddExports(sort, index, exports);
        return true;
    }

    private void NestedComponent()
    {
        if (Head(Sort.Component, out var label, out List<byte[]> exports)) return;
        var item = new ByteWriter();
        item.Bytes(Component(new ComponentScope(ScopeKind.Component, label.Id, Scope) { Name = label.Name ?? label.Id }, () => Current.Kind != TokenKind.Close));
        Scope.Add(ComponentSectionId.Component, item.Span);
        AddExports(Sort.Component, Define(Sort.Component, label), exports);
    }

    // ---- core definitions ----

    private void CoreDefinition()
    {
        Sort sort = Current.Kind == TokenKind.Atom && Sorts.Find(Current.Text, isCore: true) is { } known ? known : Sort.Value;
        if (TakeAtom("rec"))
        {
            CoreRecursionGroup();
            return;
        }
        if (sort == Sort.Value) throw Unexpected();
        Position++;
        switch (sort)
        {
            case Sort.CoreModule: CoreModule(); break;
            case Sort.CoreInstance: CoreInstance(); break;
            case Sort.CoreType: CoreTypeDefinition(); break;
            default:
                var label = Label(sort);
                if (IsInvertedAlias)
                {
                    Position += 2;
                    Alias(sort, label);
                    Close();
                    break;
                }
                if (sort != Sort.CoreFunc) throw Unexpected();
                Open("canon");
                Scope.Add(ComponentSectionId.Canon, CoreFunction());
                Close();
                Define(sort, label);
                break;
        }
    }

    private void CoreModule()
    {
        int start = Position;
        if (Head(Sort.CoreModule, out var label, out List<byte[]> exports)) return;
        int end = Source.EndOf(start - 3) - 1;
        byte[] module = ModuleEncoder.Encode(Source, Position, end, label.Id, label.Name).ToArray();
        Position = end;
        Scope.Add(ComponentSectionId.CoreModule, module);
        AddExports(Sort.CoreModule, Define(Sort.CoreModule, label), exports);
    }

    private void CoreInstance()
    {
        var label = Label(Sort.CoreInstance);
        var item = new ByteWriter();
        if (TakeOpen("instantiate"))
        {
            item.U8(InstanceByte.Instantiate);
            item.U32(CoreModuleReference());
            Arguments(item, arguments =>
            {
                arguments.U8(SortByte.CoreInstance);
                arguments.U32(CoreArgument());
            });
            Close();
        }
        else
        {
            CoreExports(item);
        }
        Scope.Add(ComponentSectionId.CoreInstance, item.Span);
        Define(Sort.CoreInstance, label);
    }

    /// <summary>A module in a core definition, where it needs no prefix.</summary>
    private uint CoreModuleReference() => Reference(Sort.CoreModule, isPrefixed: IsOpen("core"));

    private uint CoreArgument()
    {
        if (IsReference(Sort.CoreInstance, isPrefixed: false)) return Reference(Sort.CoreInstance, isPrefixed: false);
        Open("instance");
        var bundle = new ByteWriter();
        CoreExports(bundle);
        Close();
        Scope.Add(ComponentSectionId.CoreInstance, bundle.Span);
        return Define(Sort.CoreInstance);
    }

    /// <summary>Core items that make an instance.</summary>
    private void CoreExports(ByteWriter writer)
    {
        writer.U8(InstanceByte.Exports);
        Counted(writer, () => TakeOpen("export"), items =>
        {
            items.Vector(Name());
            if (Current.Kind != TokenKind.Open) throw Unexpected();
            Position++;
            if (Current.Kind != TokenKind.Atom || Sorts.Find(Current.Text, isCore: true) is not { } sort) throw Unexpected();
            Position++;
            items.U8(sort.Byte());
            items.U32(Target(sort));
            Close();
            Close();
        });
    }

    // ---- instances ----

    /// <summary>The named arguments of an instantiation.</summary>
    private void Arguments(ByteWriter writer, Action<ByteWriter> argument) => Counted(writer, () => TakeOpen("with"), arguments =>
    {
        arguments.Vector(Name());
        argument(arguments);
        Close();
    });

    private void Instance()
    {
        if (Head(Sort.Instance, out var label, out List<byte[]> exports)) return;
        var item = new ByteWriter();
        if (TakeOpen("instantiate"))
        {
            item.U8(InstanceByte.Instantiate);
            item.U32(Reference(Sort.Component));
            Arguments(item, Argument);
            Close();
        }
        else
        {
            Exports(item);
        }
        Scope.Add(ComponentSectionId.Instance, item.Span);
        AddExports(Sort.Instance, Define(Sort.Instance, label), exports);
    }

    private void Argument(ByteWriter writer)
    {
        if (!IsOpen("instance") || IsReference(Sort.Instance, false))
        {
            Item(writer);
            return;
        }
        Position += 2;
        var bundle = new ByteWriter();
        Exports(bundle);
        Close();
        Scope.Add(ComponentSectionId.Instance, bundle.Span);
        Sort.Instance.Write(writer);
        writer.U32(Define(Sort.Instance));
    }

    /// <summary>Items that make an instance.</summary>
    private void Exports(ByteWriter writer)
    {
        writer.U8(InstanceByte.Exports);
        Counted(writer, () => TakeOpen("export"), items =>
        {
            items.Bytes(ExternName());
            Item(items);
            Close();
        });
    }

    /// <summary>An item with its sort, in parentheses.</summary>
    private (Sort Sort, uint Index) ExternItem()
    {
        if (Current.Kind != TokenKind.Open) throw Unexpected();
        Position++;
        Sort sort = SortKeyword();
        uint index = Target(sort);
        Close();
        return (sort, index);
    }

    private void Item(ByteWriter writer)
    {
        (Sort sort, uint index) = ExternItem();
        sort.Write(writer);
        writer.U32(index);
    }

    // ---- functions, exports, start ----

    private void Func()
    {
        if (Head(Sort.Func, out var label, out List<byte[]> exports)) return;
        uint type = TypeUse(Sort.Func);
        AddExports(Sort.Func, InvertedLift(type, label), exports);
    }

    private void Export()
    {
        // The sort of its id is known behind the name.
        string? id = TakeId();
        int behindId = Position;
        string? name = NameAnnotation("export");
        byte[] externName = ExternName();
        (Sort sort, uint index) = ExternItem();
        byte[]? type = null;
        if (Current.Kind == TokenKind.Open)
        {
            (_, _, type, _) = ExternType(isBound: false);
        }
        AddExport(sort, index, externName, type);
        TypeOrigin? origin = sort == Sort.Type ? Scope.TypeAt(index) : null;
        if (sort == Sort.Type) DefineType((id, name, behindId), origin);
        else Define(sort, (id, name, behindId));
    }

    private void AddExport(Sort sort, uint index, byte[] name, byte[]? type)
    {
        var item = new ByteWriter();
        item.Bytes(name);
        sort.Write(item);
        item.U32(index);
        item.U8((byte)(type is null ? 0 : 1));
        if (type is not null) item.Bytes(type);
        Scope.Add(ComponentSectionId.Export, item.Span);
    }

    private void Start()
    {
        var item = new ByteWriter();
        item.U32(Reference(Sort.Func));
        Counted(item, () => IsOpen("value"), arguments => arguments.U32(Reference(Sort.Value)));
        uint results = 0;
        var labels = new List<(string?, string?, int)>();
        for (; TakeOpen("result"); results++)
        {
            Open("value");
            labels.Add(Label(Sort.Value));
            Close();
            Close();
        }
        item.U32(results);
        Scope.Add(ComponentSectionId.Start, item.Span);
        foreach (var label in labels) Define(Sort.Value, label);
    }

    private void Value()
    {
        var label = Label(Sort.Value);
        var item = new ByteWriter();
        var type = new ByteWriter();
        ValueType(type);
        item.Bytes(type.Span);
        var bytes = new ByteWriter();
        if (TakeOpen("binary"))
        {
            while (Current.Kind != TokenKind.Close) bytes.Bytes(String());
            Close();
        }
        else
        {
            Position = new ComponentValueReader(Source, Position, Last, Scope).Read(type.ToArray(), bytes);
        }
        item.Vector(bytes.Span);
        Scope.Add(ComponentSectionId.Value, item.Span);
        Define(Sort.Value, label);
    }
}
