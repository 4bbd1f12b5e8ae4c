using System.Runtime.CompilerServices;

namespace WasmJit.Text;

/// <summary>
/// Reads component types and encodes them as it reads. A type that is written in the place of an index is defined before what has it there.
/// </summary>
internal abstract partial class ComponentTypeReader : ComponentCursor
{
    private readonly CoreTypeWriter coreTypes;

    protected ComponentTypeReader(Source source, int position, int end)
        : base(source, position, end) => coreTypes = new CoreTypeWriter(source, this);

    // ---- value types ----

    /// <summary>A value type: an index, a primitive type, or a type that is defined here.</summary>
    protected void ValueType(ByteWriter writer)
    {
        if (IsIndex || IsReference(ItemSort.Type, false))
        {
            writer.S64(Reference(ItemSort.Type, false));
            return;
        }
        if (Current.Kind == TokenKind.Atom)
        {
            writer.U8(Primitive());
            return;
        }
        var body = new ByteWriter();
        DefinedType(body);
        writer.S64(ImplyType(body));
    }

    /// <summary>Defines a type that is written in the place of its index.</summary>
    private uint ImplyType(ByteWriter body)
    {
        Scope.Add(DefinitionKind.Type, body.Span);
        return DefineType((null, null, Position), new TypeOrigin(Scope, body.ToArray()));
    }

    private byte Primitive()
    {
        byte code = ComponentTypeByte.Primitive(Current.Text);
        if (code == 0) throw Unexpected();
        Position++;
        return code;
    }

    private bool IsValueType => IsIndex || Current.Kind == TokenKind.Open || (Current.Kind == TokenKind.Atom && ComponentTypeByte.Primitive(Current.Text) != 0);

    private void OptionalType(ByteWriter writer)
    {
        bool isThere = IsValueType;
        writer.U8((byte)(isThere ? 1 : 0));
        if (isThere) ValueType(writer);
    }

    /// <summary>A defined value type, in parentheses unless it is primitive.</summary>
    private void DefinedType(ByteWriter writer)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        if (Current.Kind == TokenKind.Atom)
        {
            writer.U8(Primitive());
            return;
        }
        if (Current.Kind != TokenKind.Open) throw Unexpected();
        Position++;
        switch (Atom())
        {
            case "record":
                writer.U8(ComponentTypeByte.Record);
                Counted(writer, items =>
                {
                    Open("field");
                    Label(items);
                    ValueType(items);
                    Close();
                });
                break;
            case "variant":
                writer.U8(ComponentTypeByte.Variant);
                Counted(writer, items =>
                {
                    Open("case");
                    TakeId();
                    Label(items);
                    OptionalType(items);
                    Close();
                    items.U8(0);
                });
                break;
            case "list":
                {
                    var element = new ByteWriter();
                    ValueType(element);
                    bool isFixed = Current.Kind == TokenKind.Atom;
                    writer.U8(isFixed ? ComponentTypeByte.FixedList : ComponentTypeByte.List);
                    writer.Bytes(element.Span);
                    if (isFixed) writer.U32((uint)Unsigned(32));
                    break;
                }
            case "tuple":
                writer.U8(ComponentTypeByte.Tuple);
                Counted(writer, ValueType);
                break;
            case "flags":
                writer.U8(ComponentTypeByte.Flags);
                Counted(writer, Label);
                break;
            case "enum":
                writer.U8(ComponentTypeByte.Enum);
                Counted(writer, Label);
                break;
            case "option":
                writer.U8(ComponentTypeByte.Option);
                ValueType(writer);
                break;
            case "result":
                writer.U8(ComponentTypeByte.Result);
                if (IsOpen("error")) writer.U8(0);
                else OptionalType(writer);
                bool hasError = TakeOpen("error");
                writer.U8((byte)(hasError ? 1 : 0));
                if (hasError)
                {
                    ValueType(writer);
                    Close();
                }
                break;
            case "map":
                writer.U8(ComponentTypeByte.Map);
                ValueType(writer);
                ValueType(writer);
                break;
            case "own":
                writer.U8(ComponentTypeByte.Own);
                writer.U32(Reference(ItemSort.Type, false));
                break;
            case "borrow":
                writer.U8(ComponentTypeByte.Borrow);
                writer.U32(Reference(ItemSort.Type, false));
                break;
            case "stream":
                writer.U8(ComponentTypeByte.Stream);
                OptionalType(writer);
                break;
            case "future":
                writer.U8(ComponentTypeByte.Future);
                OptionalType(writer);
                break;
            default: Position--; throw Unexpected();
        }
        Close();
    }

    /// <summary>Items up to a closing parenthesis, behind their number.</summary>
    private void Counted(ByteWriter writer, Action<ByteWriter> read)
    {
        var items = new ByteWriter();
        uint count = 0;
        for (; Current.Kind != TokenKind.Close; count++) read(items);
        writer.U32(count);
        writer.Bytes(items.Span);
    }

    // ---- types of functions, components, instances, resources ----

    /// <summary>A function type behind its keyword.</summary>
    private void FuncType(ByteWriter writer)
    {
        writer.U8(TakeAtom("async") ? ComponentTypeByte.AsyncFunc : ComponentTypeByte.Func);
        var parameters = new ByteWriter();
        uint count = 0;
        for (; TakeOpen("param"); count++)
        {
            Label(parameters);
            ValueType(parameters);
            Close();
        }
        writer.U32(count);
        writer.Bytes(parameters.Span);
        Result(writer);
    }

    /// <summary>A result or none.</summary>
    protected void Result(ByteWriter writer)
    {
        if (!TakeOpen("result"))
        {
            writer.U8(1);
            writer.U8(0);
            return;
        }
        writer.U8(0);
        ValueType(writer);
        Close();
    }

    /// <summary>The declarations of a component or instance type, behind the keyword.</summary>
    private void DeclaredType(ByteWriter writer, bool isComponent, string? id)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        Scope = new ComponentScope(isComponent ? ScopeKind.ComponentType : ScopeKind.InstanceType, id, Scope);
        while (Current.Kind != TokenKind.Close)
        {
            if (Current.Kind != TokenKind.Open) throw Unexpected();
            Position++;
            switch (Atom())
            {
                case "core":
                    if (TakeAtom("rec")) CoreRecursionGroup();
                    else if (TakeAtom("type")) CoreTypeDefinition();
                    else throw Unexpected();
                    break;
                case "type": TypeDefinition(isInComponent: false); break;
                case "alias": Alias(null, default); break;
                case "import" when isComponent: ExternDeclaration(DefinitionKind.Import, ExternName()); break;
                case "export": ExternDeclaration(DefinitionKind.Export, ExternName()); break;
                default: Position--; throw Unexpected();
            }
            Close();
        }
        writer.U8(isComponent ? ComponentTypeByte.Component : ComponentTypeByte.Instance);
        Scope.WriteDeclarations(writer);
        Scope = Scope.Outer!;
    }

    /// <summary>An import or an export's type: a name, then what has it.</summary>
    protected void ExternDeclaration(DefinitionKind kind, byte[] name)
    {
        (ItemSort sort, var label, byte[] type, TypeOrigin? origin) = ExternType(isBound: true);
        AddExtern(kind, name, type);
        if (sort == ItemSort.Type) DefineType(label, origin);
        else Define(sort, label);
    }

    protected void AddExtern(DefinitionKind kind, byte[] name, byte[] type)
    {
        var item = new ByteWriter();
        item.Bytes(name);
        item.Bytes(type);
        Scope.Add(kind, item.Span);
    }

    private void ResourceType(ByteWriter writer)
    {
        writer.U8(ComponentTypeByte.Resource);
        Open("rep");
        CoreValueType(writer);
        Close();
        bool hasDestructor = TakeOpen("dtor");
        writer.U8((byte)(hasDestructor ? 1 : 0));
        if (!hasDestructor) return;
        writer.U32(Reference(ItemSort.CoreFunc));
        Close();
    }

    /// <summary>A type definition behind its keyword.</summary>
    /// <param name="isInComponent">Whether it stands in a component, where it can have exports and be an alias.</param>
    protected void TypeDefinition(bool isInComponent)
    {
        var label = Label(ItemSort.Type);
        List<byte[]> exports = isInComponent ? InlineExports() : [];
        if (isInComponent && TakeOpen("alias"))
        {
            Alias(ItemSort.Type, label);
            Close();
            AddExports(ItemSort.Type, Scope.Space(ItemSort.Type).Count - 1, exports);
            return;
        }
        var body = new ByteWriter();
        string keyword = Current.Kind == TokenKind.Open ? Peek(1).Text : "";
        if (keyword is "func" or "component" or "instance" or "resource")
        {
            Position += 2;
            switch (keyword)
            {
                case "func": FuncType(body); break;
                case "resource": ResourceType(body); break;
                default: DeclaredType(body, keyword == "component", label.Id); break;
            }
            Close();
        }
        else
        {
            DefinedType(body);
        }
        Scope.Add(DefinitionKind.Type, body.Span);
        uint index = DefineType(label, new TypeOrigin(Scope, body.ToArray()));
        AddExports(ItemSort.Type, index, exports);
    }

    // ---- types of imports and exports ----

    /// <summary>The type of an import or export in its parentheses.</summary>
    /// <param name="isBound">Whether it has an id.</param>
    protected (ItemSort Sort, (string? Id, string? Name, int Token) Label, byte[] Type, TypeOrigin? Origin) ExternType(bool isBound)
    {
        if (Current.Kind != TokenKind.Open) throw Unexpected();
        int at = ++Position;
        ItemSort sort = Sort();
        var label = isBound ? Label(sort) : (null, null, Position);
        var type = new ByteWriter();
        TypeOrigin? origin = null;
        switch (sort)
        {
            case ItemSort.Type: origin = TypeBound(type); break;
            case ItemSort.Value: ValueBound(type); break;
            default:
                if (sort.IsCore() && sort != ItemSort.CoreModule) throw Source.ErrorAt(at, $"unexpected token: a {sort.Title()} cannot leave its component");
                sort.Write(type);
                type.U32(TypeUse(sort));
                break;
        }
        Close();
        return (sort, label, type.ToArray(), origin);
    }

    private TypeOrigin? TypeBound(ByteWriter writer)
    {
        ItemSort.Type.Write(writer);
        TypeOrigin? origin = null;
        if (TakeOpen("eq"))
        {
            uint index = Reference(ItemSort.Type, false);
            writer.U8(0);
            writer.U32(index);
            origin = Scope.TypeAt(index);
        }
        else
        {
            Open("sub");
            if (!TakeAtom("resource")) throw Unexpected();
            writer.U8(1);
        }
        Close();
        return origin;
    }

    private void ValueBound(ByteWriter writer)
    {
        ItemSort.Value.Write(writer);
        if (TakeOpen("eq"))
        {
            writer.U8(0);
            writer.U32(Reference(ItemSort.Value, false));
            Close();
            return;
        }
        writer.U8(1);
        ValueType(writer);
    }

    /// <summary>The type of a function, component, instance or core module: named by its index, or written out and defined here.</summary>
    protected uint TypeUse(ItemSort sort)
    {
        if (IsReference(ItemSort.Type, false)) return Reference(sort == ItemSort.CoreModule ? ItemSort.CoreType : ItemSort.Type, false);
        var body = new ByteWriter();
        switch (sort)
        {
            case ItemSort.Func: FuncType(body); break;
            case ItemSort.CoreModule:
                ModuleType(body, null);
                Scope.Add(DefinitionKind.CoreType, body.Span);
                return Define(ItemSort.CoreType);
            default: DeclaredType(body, sort == ItemSort.Component, null); break;
        }
        return ImplyType(body);
    }
}

/// <summary>The first bytes of component types.</summary>
internal static class ComponentTypeByte
{
    internal const byte Resource = 0x3f, Func = 0x40, Component = 0x41, Instance = 0x42, AsyncFunc = 0x43, Record = 0x72, Variant = 0x71, List = 0x70,
        Tuple = 0x6f, Flags = 0x6e, Enum = 0x6d, Option = 0x6b, Result = 0x6a, Own = 0x69, Borrow = 0x68, FixedList = 0x67, Stream = 0x66, Future = 0x65,
        Map = 0x63;

    /// <summary>The byte of a primitive type, 0 if it is none.</summary>
    internal static byte Primitive(string keyword) => keyword switch
    {
        "bool" => 0x7f,
        "s8" => 0x7e,
        "u8" => 0x7d,
        "s16" => 0x7c,
        "u16" => 0x7b,
        "s32" => 0x7a,
        "u32" => 0x79,
        "s64" => 0x78,
        "u64" => 0x77,
        "f32" => 0x76,
        "f64" => 0x75,
        "char" => 0x74,
        "string" => 0x73,
        "error-context" => 0x64,
        _ => 0,
    };
}
