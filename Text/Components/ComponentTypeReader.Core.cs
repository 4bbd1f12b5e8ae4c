using System.Runtime.CompilerServices;
using WasmJit.Components;
using WasmJit.Jit.Format;

namespace WasmJit.Text;

/// <summary>Core types: those of core WebAssembly, which are read and written as modules do it, and module types.</summary>
internal abstract partial class ComponentTypeReader
{
    /// <summary>Whether a core type is being defined. It may name itself, so that it has its index before its aliases could get theirs.</summary>
    private bool isDefiningCoreType;

    /// <summary>What writes core types in each scope: it knows the function types that have been defined there.</summary>
    private readonly Dictionary<ComponentScope, CoreTypeWriter> coreTypeWriters = [];

    private CoreTypeWriter CoreTypes
    {
        get
        {
            if (!coreTypeWriters.TryGetValue(Scope, out CoreTypeWriter? known)) coreTypeWriters[Scope] = known = new CoreTypeWriter(Source, this);
            return known;
        }
    }

    /// <summary>A core value type.</summary>
    protected void CoreValueType(ByteWriter writer) => CoreTypes.Value(writer, ValType());

    /// <summary>A core type behind <c>core type</c>, or behind <c>type</c> in a module type.</summary>
    protected void CoreTypeDefinition()
    {
        int behindId = Position + (Current.Kind == TokenKind.Id ? 1 : 0);
        bool isModule = Source.Tokens[behindId].Kind == TokenKind.Open && Source.Tokens[behindId + 1] is { Kind: TokenKind.Atom, Text: "module" };
        if (!isModule)
        {
            Members([SubType(Position)], isGroup: false);
            return;
        }
        var label = Label(Sort.CoreType);
        Position += 2;
        var body = new ByteWriter();
        ModuleType(body, label.Id);
        Close();
        Scope.Add(ComponentSectionId.CoreType, body.Span);
        Define(Sort.CoreType, label);
    }

    /// <summary>A recursion group behind its keyword.</summary>
    protected void CoreRecursionGroup()
    {
        var members = new List<SubTypeSyntax>();
        while (Current.Kind != TokenKind.Close)
        {
            int start = Position;
            Open("type");
            members.Add(SubType(start));
            Close();
        }
        Members(members, isGroup: true);
    }

    private void Members(List<SubTypeSyntax> members, bool isGroup)
    {
        var indices = new List<uint>();
        foreach (SubTypeSyntax member in members) indices.Add(Define(Sort.CoreType, (member.Id, member.Name, member.BehindId)));
        var item = new ByteWriter();
        if (isGroup)
        {
            item.U8(TypeByte.Rec);
            item.U32((uint)members.Count);
        }
        isDefiningCoreType = true;
        for (int i = 0; i < members.Count; i++) CoreTypes.Define(item, members[i], indices[i]);
        isDefiningCoreType = false;
        // The byte of a type that is not final is that of a module type.
        if (item.Span[0] == TypeByte.Sub)
        {
            var prefixed = new ByteWriter();
            prefixed.U8(ComponentTypeByte.CoreSubPrefix);
            prefixed.Bytes(item.Span);
            item = prefixed;
        }
        if (members.Count == 1 && members[0].Type is FuncSyntax) Scope.AddFuncType(ModuleTypes.KeyOf(item.Span), indices[0]);
        Scope.Add(ComponentSectionId.CoreType, item.Span);
    }

    /// <summary>The declarations of a module type, behind the keyword.</summary>
    private void ModuleType(ByteWriter writer, string? id)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        Scope = new ComponentScope(ScopeKind.ModuleType, id, Scope);
        while (Current.Kind != TokenKind.Close)
        {
            if (Current.Kind != TokenKind.Open) throw Unexpected();
            Position++;
            switch (Atom())
            {
                case "type": CoreTypeDefinition(); break;
                case "rec": CoreRecursionGroup(); break;
                case "alias":
                    if (!IsAtom("outer")) throw Unexpected();
                    Alias(null, default);
                    break;
                case "import":
                    {
                        var item = new ByteWriter();
                        item.Vector(Name());
                        item.Vector(Name());
                        CoreExtern(item);
                        Scope.Add(ComponentSectionId.Import, item.Span);
                        break;
                    }
                case "export":
                    {
                        var item = new ByteWriter();
                        item.Vector(Name());
                        CoreExtern(item);
                        Scope.Add(ComponentSectionId.Export, item.Span);
                        break;
                    }
                default: Position--; throw Unexpected();
            }
            Close();
        }
        writer.U8(ComponentTypeByte.CoreModule);
        Scope.WriteDeclarations(writer);
        Scope = Scope.Outer!;
    }

    private void CoreExtern(ByteWriter writer)
    {
        if (Current.Kind != TokenKind.Open) throw Unexpected();
        Position++;
        string kind = Atom();
        if (kind is not ("func" or "table" or "memory" or "global" or "tag"))
        {
            Position--;
            throw Unexpected();
        }
        TakeId();
        CoreTypes.Extern(writer, ExternType(kind, ParameterIds.Ignored));
        Close();
    }

    /// <summary>Writes core types with the indices of the scope that is being read.</summary>
    private sealed class CoreTypeWriter(Source source, ComponentTypeReader reader) : TypeWriter(new ModuleNames(source, NoModule, null), source, null)
    {
        private static readonly ModuleSyntax NoModule = new() { Begin = 0, End = 0, Id = null, Name = null, Fields = [], CustomSections = [] };

        private readonly Source source = source;

        internal void Define(ByteWriter writer, SubTypeSyntax syntax, uint index) => Definition(writer, syntax, index, isAlone: false);

        internal override uint Index(IndexSyntax index)
        {
            if (index.Alias is not null) throw source.ErrorAt(index.Token, "unexpected token: an alias of a core type is a definition of its own");
            if (index.Id is not { } id) return index.Number;
            if (reader.Scope.Space(Sort.CoreType).Find(id, out uint found)) return found;
            if (!reader.isDefiningCoreType)
            {
                int saved = reader.Position;
                reader.Position = index.Token;
                found = reader.Index(Sort.CoreType);
                reader.Position = saved;
                return found;
            }
            throw source.ErrorAt(index.Token, $"unknown core type {id}");
        }

        /// <summary>Only types that are written here can be compared with what is written behind them.</summary>
        protected override bool IsComparable(uint index) => ShapeOf(index) is not null;

        protected override uint FindOrAdd(ByteWriter body, FuncSyntax? func, bool namesModules)
        {
            if (reader.isDefiningCoreType || func is null) throw reader.Error("unexpected token: a core type is named by its index here");
            string key = ModuleTypes.KeyOf(body.Span);
            if (reader.Scope.FindFuncType(key, out uint known)) return known;
            reader.Scope.Add(ComponentSectionId.CoreType, body.Span);
            uint index = reader.Define(Sort.CoreType);
            reader.Scope.AddFuncType(key, index);
            return index;
        }
    }
}
