using System.Text;
using WasmJit.Jit;

namespace WasmJit.Text;

/// <summary>
/// Module linking: nested modules, instances, aliases. Imports and aliases come before a module's own definitions in each index
/// space, whatever the order of the text; an alias that an index position implies comes right before the field that has it, or
/// behind all others if that is a definition of the module's own.
/// </summary>
internal sealed partial class ModuleParser
{
    /// <summary>What the first sections are made of, in order: a field of the text, or an alias that one implies.</summary>
    private readonly record struct Step(int Field, byte[]? Alias);

    /// <summary>The items of the first sections by section: explicit types; what type uses imply; all else.</summary>
    private readonly List<(byte Section, byte[] Item)> headItems = [], impliedItems = [], earlyItems = [];

    private int flushed;

    /// <summary>Whether types name modules, so that they cannot all come before them.</summary>
    private bool hasLateTypes;

    private bool headIsDone;
    private Plan? planned;
    private readonly Dictionary<(string Kind, uint Instance, string Name), uint> exportAliases = [];
    private readonly Dictionary<(uint Depth, uint Index), uint> outerModules = [];
    private readonly Dictionary<(uint Depth, uint Index), uint> outerTypes = [];

    // ---- planning ----

    private void PlanEarly(Plan plan, List<int> fields)
    {
        planned = plan;
        HashSet<string> typeIds = [.. fields.SelectMany(TypeIdsIn)];
        ImportsFirst(fields, typeIds);
        foreach (int field in fields)
        {
            Position = field;
            if (IsTypeField())
            {
                hasLateTypes = hasLateTypes || MentionsModule(field, typeIds);
                if (hasLateTypes) plan.Early.Add(new Step(field, null));
                else plan.Types.Add(field);
                continue;
            }
            FindInlineAliases(plan, field);
            plan.Early.Add(new Step(field, null));
            Position = field + 1;
            DefineEarly();
        }
    }

    /// <summary>In the binary format imports come before modules and instances; in the text they need not.</summary>
    private void ImportsFirst(List<int> fields, HashSet<string> typeIds)
    {
        int first = fields.FindIndex(f => Source.Tokens[f + 1].Text is "module" or "instance" && !IsImport(f));
        if (first < 0) return;
        for (int i = first + 1; i < fields.Count; i++)
        {
            if (!IsImport(fields[i]) || MentionsModule(fields[i], typeIds)) continue;
            fields.Insert(first++, fields[i]);
            fields.RemoveAt(i + 1);
        }
    }

    private bool IsImport(int field)
    {
        Position = field + 1;
        if (Atom() == "import") return true;
        TakeId();
        while (IsOpen("export") && Peek(3).Kind == TokenKind.Close) Skip();
        return IsInlineImport;
    }

    /// <summary>A type, a group, or an alias of a type, which only enclosing modules have.</summary>
    private bool IsTypeField() =>
        IsOpen("type") || IsOpen("rec")
        || (IsOpen("alias") && Peek(2) is { Kind: TokenKind.Atom, Text: "outer" } && Peek(5).Kind == TokenKind.Open && Peek(6).Text == "type");

    private int EndOf(int field)
    {
        int saved = Position;
        Position = field;
        Skip();
        int end = Position;
        Position = saved;
        return end;
    }

    private IEnumerable<string> TypeIdsIn(int field)
    {
        if (Source.Tokens[field + 1].Text is not ("type" or "rec" or "alias")) yield break;
        for (int i = field, end = EndOf(field); i < end; i++)
            if (Source.Tokens[i] is { Kind: TokenKind.Atom, Text: "type" } && Source.Tokens[i + 1].Kind == TokenKind.Id) yield return Source.Tokens[i + 1].Text;
    }

    private bool MentionsModule(int field, HashSet<string> typeIds)
    {
        for (int i = field, end = EndOf(field); i < end; i++)
        {
            if (Source.Tokens[i] is not { Kind: TokenKind.Atom, Text: "exact" }) continue;
            Token next = Source.Tokens[i + 1];
            if (next.Kind == TokenKind.Open || (next.Kind == TokenKind.Id && !typeIds.Contains(next.Text))) return true;
        }
        return false;
    }

    /// <summary>Gives what a field of the first sections defines its index and name.</summary>
    private void DefineEarly()
    {
        string keyword = Atom();
        switch (keyword)
        {
            case "import":
                String();
                if (Current.Kind == TokenKind.String) String();
                DefineInParentheses();
                break;
            case "alias":
                if (TakeAtom("outer"))
                {
                    Position += 2;
                    DefineInParentheses();
                    break;
                }
                uint instance = Index(instances);
                string name = NameText();
                string kind = Peek(1).Text;
                exportAliases.TryAdd((kind, instance, name), DefineInParentheses());
                break;
            default:
                uint index = Define(SpaceOf(keyword)!);
                while (IsOpen("export") && Peek(3).Kind == TokenKind.Close) Skip();
                if (IsOpen("alias") && Peek(2).Text != "outer")
                {
                    Position += 2;
                    uint source = Index(instances);
                    exportAliases.TryAdd((keyword, source, NameText()), index);
                }
                break;
        }
    }

    private uint DefineInParentheses()
    {
        if (Current.Kind != TokenKind.Open) throw Unexpected();
        Position++;
        IndexSpace? space = SpaceOf(Atom());
        if (space is null)
        {
            Position--;
            throw Unexpected();
        }
        return Define(space);
    }

    private string NameText() => Encoding.UTF8.GetString(Name());

    // ---- the fields ----

    private void Emit(byte section, ByteWriter item)
    {
        if (!headIsDone || hasLateTypes) Flush();
        (headIsDone ? earlyItems : headItems).Add((section, item.ToArray()));
    }

    /// <summary>Puts what types imply before what comes next.</summary>
    private void Flush()
    {
        for (; flushed < impliedItems.Count; flushed++) (headIsDone ? earlyItems : headItems).Add(impliedItems[flushed]);
    }

    private void Early(Step step)
    {
        headIsDone = true;
        if (step.Alias is { } alias)
        {
            var implied = new ByteWriter();
            implied.Bytes(alias);
            CountItem(KindOf(alias));
            Emit(SectionId.Alias, implied);
            return;
        }
        Position = step.Field;
        if (IsTypeField())
        {
            TypeField();
            return;
        }
        int field = Position++;
        string keyword = Atom();
        switch (keyword)
        {
            case "import": ImportField(); break;
            case "alias": AliasField(); break;
            case "instance": InstanceField(); break;
            case "module": ModuleField(field); break;
            default:
                InlineExports(keyword, NextOf(keyword));
                if (!InlineImport(keyword)) InlineAliasDefinition(keyword);
                break;
        }
        Close();
    }

    private static string KindOf(byte[] alias)
    {
        var reader = new ByteReader(alias, 1, alias.Length);
        reader.U32();
        byte sort = reader.U8();
        return sort switch { 0 => "func", 1 => "table", 2 => "memory", 3 => "global", 4 => "tag", 5 => "module", _ => "instance" };
    }

    private uint nextModule, nextInstance;

    private uint NextOf(string kind) => kind switch
    {
        "func" => nextFunc,
        "table" => nextTable,
        "memory" => nextMemory,
        "global" => nextGlobal,
        "module" => nextModule,
        "instance" => nextInstance,
        _ => nextTag,
    };

    private void CountItem(string kind)
    {
        switch (kind)
        {
            case "func": nextFunc++; break;
            case "table": nextTable++; break;
            case "memory": nextMemory++; break;
            case "global": nextGlobal++; break;
            case "module": nextModule++; break;
            case "instance": nextInstance++; break;
            default: nextTag++; break;
        }
    }

    private void ImportField()
    {
        byte[] first = Name();
        byte[]? second = Current.Kind == TokenKind.String ? Name() : null;
        if (Current.Kind != TokenKind.Open) throw Unexpected();
        Position++;
        string kind = Atom();
        TakeId();
        Import(first, second, kind);
        Close();
    }

    /// <summary>The import inside of a definition, and the description behind it.</summary>
    private bool InlineImport(string kind)
    {
        if (!TakeOpen("import")) return false;
        byte[] first = Name();
        byte[]? second = Current.Kind == TokenKind.String ? Name() : null;
        Close();
        Import(first, second, kind);
        return true;
    }

    private void Import(byte[] first, byte[]? second, string kind)
    {
        var item = new ByteWriter();
        WriteImportNames(item, first, second);
        currentFunc = nextFunc;
        List<string?>? parameters = kind == "func" ? [] : null;
        ExternDescription(item, kind, parameters);
        if (parameters is not null) AddLocalNames(parameters);
        Emit(SectionId.Import, item);
        CountItem(kind);
    }

    /// <summary>A single-level import has an empty second name and a byte that begins no description.</summary>
    private void WriteImportNames(ByteWriter writer, byte[] first, byte[]? second)
    {
        WriteName(writer, first);
        if (second is not null)
        {
            WriteName(writer, second);
            return;
        }
        writer.U8(0);
        writer.U8(ExternByte.SingleLevel);
    }

    private void AliasField()
    {
        var item = new ByteWriter();
        string kind;
        if (TakeAtom("outer"))
        {
            (uint depth, uint index) = Outer(modules);
            item.Bytes(OuterAliasItem(ExternByte.Module, depth, index));
            kind = "module";
            Open(kind);
            outerModules.TryAdd((depth, index), nextModule);
        }
        else
        {
            uint instance = Index(instances);
            string name = NameText();
            if (Current.Kind != TokenKind.Open) throw Unexpected();
            Position++;
            kind = Atom();
            item.Bytes(ExportAliasItem(kind, instance, name));
        }
        TakeId();
        Close();
        Emit(SectionId.Alias, item);
        CountItem(kind);
    }

    /// <summary><c>(func $f (alias $i "f"))</c>, <c>(module $m (alias outer $o $m))</c>.</summary>
    private void InlineAliasDefinition(string kind)
    {
        Open("alias");
        var item = new ByteWriter();
        if (kind == "module" && TakeAtom("outer"))
        {
            (uint depth, uint index) = Outer(modules);
            item.Bytes(OuterAliasItem(ExternByte.Module, depth, index));
            outerModules.TryAdd((depth, index), nextModule);
        }
        else
        {
            uint instance = Index(instances);
            item.Bytes(ExportAliasItem(kind, instance, NameText()));
        }
        Close();
        Emit(SectionId.Alias, item);
        CountItem(kind);
    }

    private void InstanceField()
    {
        InlineExports("instance", nextInstance);
        if (InlineImport("instance")) return;
        if (IsOpen("alias"))
        {
            InlineAliasDefinition("instance");
            return;
        }
        Open("instantiate");
        var item = new ByteWriter();
        item.U8(0);
        item.U32(Index(modules));
        var arguments = new ByteWriter();
        uint count = 0;
        while (TakeOpen("import"))
        {
            WriteName(arguments, Name());
            (string kind, uint index) = Item();
            arguments.U8(ExternByte.Of(kind));
            arguments.U32(index);
            count++;
            Close();
        }
        Close();
        item.U32(count);
        item.Bytes(arguments.Span);
        Emit(SectionId.Instance, item);
        CountItem("instance");
    }

    /// <summary>Whether <c>(import "a")</c> stands here, and no import field of a nested module.</summary>
    private bool IsInlineImport => IsOpen("import")
        && (Peek(3).Kind == TokenKind.Close || (Peek(3).Kind == TokenKind.String && Peek(4).Kind == TokenKind.Close));

    /// <summary>
    /// Whether <c>(alias ...)</c> is all that a module field has, and names the module itself: an alias field of a nested module says
    /// at its end what it defines.
    /// </summary>
    private bool IsModuleAlias(int end) =>
        IsOpen("alias") && EndOf(Position) + 1 == end && Source.Tokens[end - 3].Kind != TokenKind.Close;

    private void ModuleField(int field)
    {
        string? id = Current.Kind == TokenKind.Id ? Current.Text : null;
        int behindId = Position + (id is null ? 0 : 1);
        InlineExports("module", nextModule);
        if (IsInlineImport)
        {
            InlineImport("module");
            return;
        }
        int end = EndOf(field) - 1;
        if (IsModuleAlias(end + 1))
        {
            InlineAliasDefinition("module");
            return;
        }
        int at = Position;
        Position = behindId;
        string? name = NameAnnotation("module") ?? id;
        var nested = new ModuleParser(Source, at, end, id, name, this);
        byte[] bytes = nested.Run();
        Position = end;
        var item = new ByteWriter();
        item.U32((uint)bytes.Length);
        item.Bytes(bytes);
        Emit(SectionId.Module, item);
        CountItem("module");
    }

    /// <summary><c>(export $i)</c>: all exports of an instance, through aliases.</summary>
    private void ZeroLevelExport()
    {
        headIsDone = true;
        int at = Position;
        Position += 2;
        int place = Position;
        uint instance = Index(instances);
        Close();
        ModuleInfo known = Partial();
        if (instance >= known.Instances.Count)
        {
            Position = place;
            throw Error($"unknown instance {instance}");
        }
        foreach (ExportType export in ((InstanceType)known.Instances[(int)instance].Composite).Exports)
        {
            string kind = export.Type.Kind.ToString().ToLowerInvariant();
            if (!exportAliases.TryGetValue((kind, instance, export.Name), out uint index))
            {
                IndexSpace space = SpaceOf(kind)!;
                space.Define(null);
                index = exportAliases[(kind, instance, export.Name)] = space.Count - 1;
                var item = new ByteWriter();
                item.Bytes(ExportAliasItem(kind, instance, export.Name));
                Emit(SectionId.Alias, item);
            }
            AddExport(at, Encoding.UTF8.GetBytes(export.Name), ExternByte.Of(kind), index);
        }
    }
}
