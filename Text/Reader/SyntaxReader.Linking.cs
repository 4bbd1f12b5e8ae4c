using System.Runtime.CompilerServices;
using WasmJit.Jit.Binary;

namespace WasmJit.Text;

/// <summary>Module and instance types.</summary>
internal abstract partial class SyntaxReader
{
    private int linkingTypes;

    /// <summary>Whether a module or instance type is being read; ids in it are types' alone.</summary>
    private bool IsInLinkingType => linkingTypes > 0;

    /// <summary>A module or instance type, behind its keyword.</summary>
    private LinkingTypeSyntax LinkingType(string kind)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        // More than validation allows anyway.
        if (++linkingTypes > 2 * ModuleInfo.MaxNesting) throw Error("nesting too deep");
        var declarations = new List<DeclarationSyntax>();
        while (Current.Kind == TokenKind.Open)
        {
            string keyword = Peek(1).Kind == TokenKind.Atom ? Peek(1).Text : "";
            switch (keyword)
            {
                case "type": declarations.Add(TypeDeclaration()); break;
                case "alias": declarations.Add(AliasDeclaration()); break;
                case "import" when kind == "module":
                    {
                        Position += 2;
                        ImportNames names = ImportNames();
                        declarations.Add(new ImportDeclarationSyntax(names, ParenthesisedType()));
                        break;
                    }
                case "export":
                    Position += 2;
                    if (Current.Kind == TokenKind.String)
                    {
                        byte[] name = Name();
                        declarations.Add(new ExportDeclarationSyntax(name, ParenthesisedType()));
                        break;
                    }
                    declarations.Add(new AllExportsDeclarationSyntax(IsOpen("type") ? TypeReference() : Index("type")));
                    break;
                case "func" or "table" or "memory" or "global" or "tag" or "module" or "instance":
                    Position += 2;
                    Abbreviated(declarations, keyword, kind == "module");
                    break;
                default: Position++; throw Unexpected();
            }
            Close();
        }
        linkingTypes--;
        return new LinkingTypeSyntax(kind, declarations);
    }

    /// <summary><c>(type $t (func))</c>, <c>(type $t (alias outer $m $u))</c>.</summary>
    private TypeDeclarationSyntax TypeDeclaration()
    {
        Position += 2;
        string? id = TakeId();
        if (!TakeOpen("alias"))
        {
            CompositeSyntax type = Composite();
            return new TypeDeclarationSyntax(Position, id, type, null);
        }
        OuterSyntax item = OuterKeyword();
        Close();
        return new TypeDeclarationSyntax(Position, id, null, item);
    }

    /// <summary><c>(alias outer $m $u (type $t))</c>.</summary>
    private TypeDeclarationSyntax AliasDeclaration()
    {
        Position += 2;
        OuterSyntax item = OuterKeyword();
        Open("type");
        string? id = TakeId();
        int at = Position;
        Close();
        return new TypeDeclarationSyntax(at, id, null, item);
    }

    /// <summary>An item of an enclosing module; no other aliases are possible here.</summary>
    protected OuterSyntax OuterKeyword()
    {
        if (!TakeAtom("outer")) throw Unexpected();
        return Outer();
    }

    private ExternSyntax ParenthesisedType()
    {
        if (Current.Kind != TokenKind.Open) throw Unexpected();
        Position++;
        string kind = Atom();
        TakeId();
        ExternSyntax type = ExternType(kind, ParameterIds.Ignored);
        Close();
        return type;
    }

    /// <summary><c>(func (import "a") (param i32))</c>, <c>(memory (export "m") 1)</c>.</summary>
    private void Abbreviated(List<DeclarationSyntax> declarations, string kind, bool isModule)
    {
        TakeId();
        if (isModule && TakeOpen("import"))
        {
            ImportNames imported = ImportNames();
            Close();
            TakeId();
            declarations.Add(new ImportDeclarationSyntax(imported, ExternType(kind, ParameterIds.Ignored)));
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
        TakeId();
        ExternSyntax type = ExternType(kind, ParameterIds.Ignored);
        foreach (byte[] name in names) declarations.Add(new ExportDeclarationSyntax(name, type));
    }
}
