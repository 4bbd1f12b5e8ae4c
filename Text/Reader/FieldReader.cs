using System.Runtime.CompilerServices;
using WasmJit.Jit.Binary;

namespace WasmJit.Text;

/// <summary>
/// Reads a module's fields (spec 6.6) into records, once and in the order of the text. Instructions are stepped over:
/// <see cref="InstructionReader"/> reads them when all names are known.
/// </summary>
internal sealed partial class FieldReader : SyntaxReader
{
    private readonly int depth;
    private readonly List<CustomSection> customSections = [];

    /// <summary>The first definition of the module's own, behind which there may be no imports.</summary>
    private string? definedBefore;

    private bool hasStart;

    private FieldReader(Source source, int begin, int end, int depth)
        : base(source, begin, end)
    {
        this.depth = depth;
        // More than validation allows anyway.
        if (depth > 2 * ModuleInfo.MaxNesting) throw Error("nesting too deep");
    }

    /// <summary>Reads the fields between two tokens.</summary>
    /// <param name="source">The text.</param>
    /// <param name="begin">The first token.</param>
    /// <param name="end">The token behind the last.</param>
    /// <param name="id">The module's id.</param>
    /// <param name="name">The name that an annotation gives it, where that has been read.</param>
    internal static ModuleSyntax Read(Source source, int begin, int end, string? id, string? name = null)
    {
        var reader = new FieldReader(source, begin, end, 0);
        return reader.Module(id, name ?? reader.NameAnnotation("module") ?? id);
    }

    private ModuleSyntax Module(string? id, string? name)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        int begin = Position;
        var fields = new List<Field>();
        while (Position < Last)
        {
            ReadCustomSections();
            fields.Add(Field());
        }
        ReadCustomSections();
        return new ModuleSyntax { Begin = begin, End = Last, Id = id, Name = name, Fields = fields, CustomSections = customSections };
    }

    private void ReadCustomSections()
    {
        foreach (Annotation annotation in Source.Annotations.Take(Position, Annotation.Custom)) customSections.Add(CustomSection.Read(Source, annotation));
    }

    private int EndOf(int field)
    {
        int saved = Position;
        Position = field;
        Skip();
        int end = Position;
        Position = saved;
        return end;
    }

    private Field Field()
    {
        if (Current.Kind != TokenKind.Open || Peek(1).Kind != TokenKind.Atom) throw Unexpected();
        int start = Position, end = EndOf(start);
        string keyword = Peek(1).Text;
        List<AliasSyntax> aliases = Aliases = [];
        List<ExactHeapSyntax> exactTypes = ExactTypes = [];
        Position += 2;
        Field field;
        switch (keyword)
        {
            case "type" or "rec": field = Types(keyword, start); break;
            case "import": field = Import(); break;
            case "alias": field = AliasDefinition(); break;
            case "func" or "table" or "memory" or "global" or "tag" or "module" or "instance": field = Definition(keyword, end); break;
            case "scope": field = Scope(); break;
            case "elem": field = Elem(); break;
            case "data": field = Data(); break;
            case "export": field = Export(); break;
            case "start":
                if (hasStart) throw Error("multiple start sections");
                hasStart = true;
                field = new StartField(Index("func"));
                break;
            default: Position--; throw Unexpected();
        }
        Close();
        field.Complete(start, end, aliases, exactTypes);
        return field;
    }

    // ---- types ----

    private Field Types(string keyword, int start)
    {
        if (keyword == "type")
        {
            if (Peek(Current.Kind == TokenKind.Id ? 2 : 1) is { Kind: TokenKind.Atom, Text: "alias" }) return TypeAlias();
            return new TypeField([SubType(start)], false);
        }
        var members = new List<SubTypeSyntax>();
        while (IsOpen("type"))
        {
            int member = Position;
            Position += 2;
            members.Add(SubType(member));
            Close();
        }
        return new TypeField(members, true);
    }

    /// <summary><c>(type $x (alias outer $m $t))</c>.</summary>
    private TypeAliasField TypeAlias()
    {
        string? id = TakeId();
        Open("alias");
        OuterSyntax item = OuterKeyword();
        string? name = NameAnnotation("type");
        Close();
        return new TypeAliasField(id, name, item);
    }

    // ---- code ----

    /// <summary>Steps over instructions up to a closing parenthesis.</summary>
    private CodeSyntax Sequence()
    {
        var code = new CodeSyntax(Position, false);
        while (Current.Kind != TokenKind.Close) StepOver();
        return code;
    }

    /// <summary>Steps over one folded instruction, or over a sequence behind a keyword such as <c>offset</c>.</summary>
    private CodeSyntax Expression(string keyword)
    {
        if (TakeOpen(keyword))
        {
            CodeSyntax sequence = Sequence();
            Close();
            return sequence;
        }
        if (Current.Kind != TokenKind.Open) throw Unexpected();
        var code = new CodeSyntax(Position, true);
        StepOver();
        return code;
    }

    /// <summary>Steps over a parenthesised expression or one other token, and notes the aliases in it.</summary>
    private void StepOver()
    {
        int end = EndOf(Position);
        while (Position < end)
        {
            if (Source.Tokens[Position].Kind == TokenKind.Open && Peek(1) is { Kind: TokenKind.Atom, Text: var kind } && IsDefinitionKind(kind) && IsAlias(kind))
                Alias(kind);
            else
                Position++;
        }
    }
}
