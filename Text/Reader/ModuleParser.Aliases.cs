using WasmJit.Jit;

namespace WasmJit.Text;

/// <summary>Aliases that index positions imply, such as <c>(func $i "a")</c> and names of enclosing modules.</summary>
internal sealed partial class ModuleParser
{
    /// <summary>Whether <c>(func $instance "export" ...)</c>, <c>(type outer $module $type)</c> or the like stands here.</summary>
    private bool IsInlineAlias(IndexSpace space)
    {
        if (!IsOpen(space.Kind)) return false;
        Token next = Peek(2);
        if (next is { Kind: TokenKind.Atom, Text: "outer" }) return space == types || space == modules;
        return space != types && (next.Kind == TokenKind.Id || (next.Kind == TokenKind.Atom && char.IsAsciiDigit(next.Text[0])))
            && Peek(3).Kind == TokenKind.String;
    }

    /// <summary>Plans the aliases that a field implies.</summary>
    private void FindInlineAliases(Plan plan, int field)
    {
        int end = EndOf(field);
        string keyword = Source.Tokens[field + 1].Text;
        planned = plan;
        Position = field;
        if (keyword == "module")
        {
            // What is in a nested module is its own.
            Position += 2;
            TakeId();
            while (IsOpen("export") && Peek(3).Kind == TokenKind.Close) Skip();
            if (!IsModuleAlias(end)) return;
        }
        for (; Position < end; Position++)
        {
            if (Current.Kind != TokenKind.Open || Peek(1).Kind != TokenKind.Atom) continue;
            if (SpaceOf(Peek(1).Text) is not { } space) continue;
            int at = Position;
            if (IsInlineAlias(space)) InlineAlias(space);
            else if (space == modules && keyword is "data" or "memory") Skip();
            else continue;
            Position = Math.Max(Position - 1, at);
        }
        planned = null;
    }

    /// <summary>The index that an inline alias stands for.</summary>
    private uint InlineAlias(IndexSpace space)
    {
        Position += 2;
        uint index;
        if (TakeAtom("outer"))
        {
            (uint depth, uint item) = Outer(space);
            index = space == types ? OuterType(depth, item) : OuterModule(depth, item);
        }
        else
        {
            index = Index(instances);
            while (Current.Kind == TokenKind.String)
            {
                string name = NameText();
                IndexSpace target = Current.Kind == TokenKind.String ? instances : space;
                index = ExportAlias(target, index, name);
            }
        }
        Close();
        return index;
    }

    private uint ExportAlias(IndexSpace space, uint instance, string name)
    {
        (string, uint, string) key = (space.Kind, instance, name);
        if (exportAliases.TryGetValue(key, out uint known)) return known;
        if (planned is null) throw Error($"unknown {space.Kind} alias of \"{name}\"");
        planned.Early.Add(new Step(-1, ExportAliasItem(space.Kind, instance, name)));
        space.Define(null);
        return exportAliases[key] = space.Count - 1;
    }

    private static byte[] ExportAliasItem(string kind, uint instance, string name)
    {
        var item = new ByteWriter();
        item.U8(AliasByte.InstanceExport);
        item.U32(instance);
        item.U8(ExternByte.Of(kind));
        item.Name(name);
        return item.ToArray();
    }

    private static byte[] OuterAliasItem(byte sort, uint depth, uint index)
    {
        var item = new ByteWriter();
        item.U8(AliasByte.Outer);
        item.U32(depth);
        item.U8(sort);
        item.U32(index);
        return item.ToArray();
    }

    private uint OuterModule(uint depth, uint index)
    {
        if (outerModules.TryGetValue((depth, index), out uint known)) return known;
        if (planned is null) throw Error($"unknown outer module {depth}");
        planned.Early.Add(new Step(-1, OuterAliasItem(ExternByte.Module, depth, index)));
        modules.Define(null);
        return outerModules[(depth, index)] = modules.Count - 1;
    }

    /// <summary>A type of an enclosing module, as a type of this one.</summary>
    private uint OuterType(uint depth, uint index)
    {
        if (outerTypes.TryGetValue((depth, index), out uint known)) return known;
        impliedItems.Add((SectionId.Alias, OuterAliasItem(ExternByte.Type, depth, index)));
        return AliasType(depth, index, null);
    }

    private uint AliasType(uint depth, uint index, string? id)
    {
        uint own = DefineType(id, -1);
        outerTypes.TryAdd((depth, index), own);
        ModuleParser? around = outer;
        for (uint i = 0; i < depth && around is not null; i++) around = around.outer;
        aliasedTypes.Add(own);
        if (around is not null && around.shapes.TryGetValue(index, out FuncShape? shape)) shapes[own] = shape;
        return own;
    }

    /// <summary>
    /// The enclosing module and the item in it, behind <c>outer</c>. Module and instance types are enclosing things too; they have
    /// no ids that could be named here, but count.
    /// </summary>
    private (uint Depth, uint Index) Outer(IndexSpace space)
    {
        uint scopes = scope?.Level ?? 0;
        uint depth = 0;
        ModuleParser? target = this;
        if (Current.Kind == TokenKind.Id)
        {
            string id = Current.Text;
            depth = scopes;
            if (scopes == 0) target = outer;
            else depth--;
            while (target is not null && target.moduleId != id)
            {
                target = target.outer;
                depth++;
            }
            if (target is null) throw Error($"unknown outer module {id}");
            Position++;
        }
        else
        {
            depth = (uint)Unsigned(32);
            if (scopes > 0 && depth < scopes - 1)
            {
                TypeScope inner = scope!;
                for (uint i = 0; i <= depth; i++) inner = inner.Outer!;
                return (depth, Current.Kind == TokenKind.Id && inner.Names.TryGetValue(Current.Text, out uint local) ? Take(local) : (uint)Unsigned(32));
            }
            uint steps = scopes == 0 ? depth + 1 : depth - (scopes - 1);
            for (uint i = 0; i < steps && target is not null; i++) target = target.outer;
        }
        if (Current.Kind != TokenKind.Id) return (depth, (uint)Unsigned(32));
        IndexSpace? named = target is null ? null : space == types ? target.types : target.modules;
        uint index = 0;
        bool known = named is not null && named.Find(Current.Text, out index);
        // What comes behind this module in the text is not there yet, wherever its bytes are.
        if (known && target != this && space == types && target!.typePositions[(int)index] > beginning) known = false;
        if (!known) throw Error($"unknown {space.Kind} {Current.Text}");
        return (depth, Take(index));
    }

    private uint Take(uint value)
    {
        Position++;
        return value;
    }
}
