using System.Runtime.CompilerServices;
using WasmJit.Components;
using WasmJit.Jit.Format;

namespace WasmJit.Text;

/// <summary>
/// Reads component types and encodes them as it reads. A type that is written in the place of an index is defined before what has it there.
/// </summary>
internal abstract partial class ComponentTypeReader : ComponentCursor
{
    /// <summary>The bytes of primitive types by their names.</summary>
    private static readonly Dictionary<string, byte> Primitives = MakePrimitives();

    protected ComponentTypeReader(Source source, int position, int end)
        : base(source, position, end)
    {
    }

    private static Dictionary<string, byte> MakePrimitives()
    {
        var primitives = new Dictionary<string, byte>();
        for (int code = 0; code < 0x80; code++)
            if (PrimitiveType.KindOf((byte)code) is { } kind) primitives[PrimitiveType.NameOf(kind)] = (byte)code;
        return primitives;
    }

    // ---- value types ----

    /// <summary>A value type: an index, a primitive type, or a type that is defined here.</summary>
    protected void ValueType(ByteWriter writer)
    {
        if (IsIndex || IsReference(Sort.Type, false))
        {
            writer.S64(Reference(Sort.Type, false));
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
        Scope.Add(ComponentSectionId.Type, body.Span);
        return DefineType((null, null, Position), new TypeOrigin(Scope, body.ToArray()));
    }

    private byte Primitive()
    {
        if (!Primitives.TryGetValue(Current.Text, out byte code)) throw Unexpected();
        Position++;
        return code;
    }

    private bool IsValueType => IsIndex || Current.Kind == TokenKind.Open || (Current.Kind == TokenKind.Atom && Primitives.ContainsKey(Current.Text));

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
                    items.U8(ComponentTypeByte.NoRefines);
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
                writer.U32(Reference(Sort.Type, false));
                break;
            case "borrow":
                writer.U8(ComponentTypeByte.Borrow);
                writer.U32(Reference(Sort.Type, false));
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
    private void Counted(ByteWriter writer, Action<ByteWriter> read) => Counted(writer, () => Current.Kind != TokenKind.Close, read);

    /// <summary>Items as long as there are more, behind their number.</summary>
    protected static void Counted(ByteWriter writer, Func<bool> hasMore, Action<ByteWriter> read)
    {
        var items = new ByteWriter();
        uint count = 0;
        for (; hasMore(); count++) read(items);
        writer.U32(count);
        writer.Bytes(items.Span);
    }

    // ---- types of functions, components, instances, resources ----

    /// <summary>A function type behind its keyword.</summary>
    private void FuncType(ByteWriter writer)
    {
        writer.U8(TakeAtom("async") ? ComponentTypeByte.AsyncFunc : ComponentTypeByte.Func);
        Counted(writer, () => TakeOpen("param"), parameters =>
        {
            Label(parameters);
            ValueType(parameters);
            Close();
        });
        Result(writer);
    }

    /// <summary>A result or none.</summary>
    protected void Result(ByteWriter writer)
    {
        if (!TakeOpen("result"))
        {
            writer.U8(ComponentTypeByte.NoResult);
            writer.U8(0);
            return;
        }
        writer.U8(ComponentTypeByte.OneResult);
        ValueType(writer);
        Close();
    }

    /// <summary>The declarations of a component or instance type, behind the keyword.</summary>
    private void DeclaredType(ByteWriter writer, bool isComponent, string? id)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        Scope = new ComponentScope(isComponent ? ScopeKind.ComponentType : ScopeKind.InstanceType, id, Scope);
        if (Scope.IsTooDeep) throw Error("nesting too deep");
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
                case "import" when isComponent: ExternDeclaration(ComponentSectionId.Import, ExternName()); break;
                case "export": ExternDeclaration(ComponentSectionId.Export, ExternName()); break;
                default: Position--; throw Unexpected();
            }
            Close();
        }
        writer.U8(isComponent ? ComponentTypeByte.Component : ComponentTypeByte.Instance);
        Scope.WriteDeclarations(writer);
        Scope = Scope.Outer!;
    }

    /// <summary>An import or an export's type: a name, then what has it.</summary>
    protected void ExternDeclaration(byte kind, byte[] name)
    {
        (Sort sort, var label, byte[] type, TypeOrigin? origin) = ExternType(isBound: true);
        AddExtern(kind, name, type);
        if (sort == Sort.Type) DefineType(label, origin);
        else Define(sort, label);
    }

    protected void AddExtern(byte kind, byte[] name, byte[] type)
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
        writer.U32(Reference(Sort.CoreFunc));
        Close();
    }

    /// <summary>A type definition behind its keyword.</summary>
    /// <param name="isInComponent">Whether it stands in a component, where it can have exports and be an alias.</param>
    protected void TypeDefinition(bool isInComponent)
    {
        var label = Label(Sort.Type);
        List<byte[]> exports = isInComponent ? InlineExports() : [];
        if (isInComponent && TakeOpen("alias"))
        {
            Alias(Sort.Type, label);
            Close();
            AddExports(Sort.Type, Scope.Space(Sort.Type).Count - 1, exports);
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
        Scope.Add(ComponentSectionId.Type, body.Span);
        uint index = DefineType(label, new TypeOrigin(Scope, body.ToArray()));
        AddExports(Sort.Type, index, exports);
    }

    // ---- types of imports and exports ----

    /// <summary>The type of an import or export in its parentheses.</summary>
    /// <param name="isBound">Whether it has an id.</param>
    protected (Sort Sort, (string? Id, string? Name, int Token) Label, byte[] Type, TypeOrigin? Origin) ExternType(bool isBound)
    {
        if (Current.Kind != TokenKind.Open) throw Unexpected();
        int at = ++Position;
        Sort sort = SortKeyword();
        var label = isBound ? Label(sort) : (null, null, Position);
        var type = new ByteWriter();
        TypeOrigin? origin = null;
        switch (sort)
        {
            case Sort.Type: origin = TypeBound(type); break;
            case Sort.Value: ValueBound(type); break;
            default:
                if (sort.IsCore() && sort != Sort.CoreModule) throw Source.ErrorAt(at, $"unexpected token: a {sort.Text()} cannot leave its component");
                sort.Write(type);
                type.U32(TypeUse(sort));
                break;
        }
        Close();
        return (sort, label, type.ToArray(), origin);
    }

    private TypeOrigin? TypeBound(ByteWriter writer)
    {
        Sort.Type.Write(writer);
        TypeOrigin? origin = null;
        if (TakeOpen("eq"))
        {
            uint index = Reference(Sort.Type, false);
            writer.U8(BoundByte.Eq);
            writer.U32(index);
            origin = Scope.TypeAt(index);
        }
        else
        {
            Open("sub");
            if (!TakeAtom("resource")) throw Unexpected();
            writer.U8(BoundByte.SubResource);
        }
        Close();
        return origin;
    }

    private void ValueBound(ByteWriter writer)
    {
        Sort.Value.Write(writer);
        if (TakeOpen("eq"))
        {
            writer.U8(BoundByte.Eq);
            writer.U32(Reference(Sort.Value, false));
            Close();
            return;
        }
        writer.U8(BoundByte.ValueType);
        ValueType(writer);
    }

    /// <summary>The type of a function, component, instance or core module: named by its index, or written out and defined here.</summary>
    protected uint TypeUse(Sort sort)
    {
        if (IsReference(Sort.Type, false)) return Reference(sort == Sort.CoreModule ? Sort.CoreType : Sort.Type, false);
        var body = new ByteWriter();
        switch (sort)
        {
            case Sort.Func: FuncType(body); break;
            case Sort.CoreModule:
                ModuleType(body, null);
                Scope.Add(ComponentSectionId.CoreType, body.Span);
                return Define(Sort.CoreType);
            default: DeclaredType(body, sort == Sort.Component, null); break;
        }
        return ImplyType(body);
    }
}
