using System.Collections.Immutable;
using System.Text;
using WasmJit.Builtins;
using WasmJit.Runtime;

namespace WasmJit.Linking;

/// <summary>Imports and exports with their types in the text format, one a line.</summary>
internal readonly struct TypeLists
{
    /// <summary>Types in types may double at each level, so that a few lines of a guest would be gigabytes here.</summary>
    private const int MostCharacters = 16 << 20;

    private readonly StringBuilder text = new();

    public TypeLists()
    {
    }

    /// <exception cref="LinkingFailure">The list is too long.</exception>
    internal static string Of(IEnumerable<ImportType> imports)
    {
        var list = new TypeLists();
        foreach (ImportType import in imports)
        {
            list.Import(import);
            list.text.Append('\n');
        }
        return list.text.ToString();
    }

    /// <exception cref="LinkingFailure">The list is too long.</exception>
    internal static string Of(IEnumerable<ExportType> exports)
    {
        var list = new TypeLists();
        foreach (ExportType export in exports)
        {
            list.Export(export);
            list.text.Append('\n');
        }
        return list.text.ToString();
    }

    /// <summary>Names alone.</summary>
    /// <exception cref="LinkingFailure">The list is too long.</exception>
    internal static string Of(string kind, IEnumerable<string> names)
    {
        var list = new TypeLists();
        foreach (string name in names)
        {
            list.Check();
            list.text.Append('(').Append(kind).Append(' ');
            list.Quote(name);
            list.text.Append(")\n");
        }
        return list.text.ToString();
    }

    private void Check()
    {
        CancellationScope.ThrowIfStopped();
        if (text.Length > MostCharacters) throw new LinkingFailure(LinkingError.QuotaExceeded, $"quota exceeded: the list has more than {MostCharacters} characters");
    }

    private void Import(ImportType import)
    {
        Check();
        text.Append("(import ");
        Quote(import.Module);
        text.Append(' ');
        if (import.Name is not null)
        {
            Quote(import.Name);
            text.Append(' ');
        }
        Type(import.Type);
        text.Append(')');
    }

    private void Export(ExportType export)
    {
        Check();
        text.Append("(export ");
        Quote(export.Name);
        text.Append(' ');
        Type(export.Type);
        text.Append(')');
    }

    private void Type(ExternType type)
    {
        switch (type.Kind)
        {
            case ExternKind.Module when type.Def.Composite is ModuleType module:
                text.Append("(module");
                foreach (ImportType import in module.Imports)
                {
                    text.Append(' ');
                    Import(import);
                }
                Exports(module.Exports);
                break;
            case ExternKind.Instance when type.Def.Composite is InstanceType instance:
                text.Append("(instance");
                Exports(instance.Exports);
                break;
            default:
                text.Append(type);
                return;
        }
        text.Append(')');
    }

    private void Exports(ImmutableArray<ExportType> exports)
    {
        foreach (ExportType export in exports)
        {
            text.Append(' ');
            Export(export);
        }
    }

    /// <summary>A name as the text format writes it. Characters other than printable ASCII are written as bytes.</summary>
    private void Quote(string name)
    {
        text.Append('"');
        foreach (byte b in Encoding.UTF8.GetBytes(name))
        {
            if (b is (byte)'"' or (byte)'\\') text.Append('\\').Append((char)b);
            else if (b is >= 0x20 and < 0x7f) text.Append((char)b);
            else text.Append('\\').Append(b.ToString("x2", System.Globalization.CultureInfo.InvariantCulture));
        }
        text.Append('"');
    }
}
