using WasmJit.Jit.Binary;
using WasmJit.Jit.Format;

namespace WasmJit.Text;

/// <summary>The first sections: types, imports, nested modules, instances and aliases, in the order of the bytes.</summary>
internal sealed partial class WatPrinter
{
    private void Type(int index, int indent)
    {
        ByteReader reader = typeText.At(module.TypeOffsets[index]);
        Line($"(type{ids.Types.Numbered((uint)index)} {typeText.SubType(ref reader, (uint)index)})", indent);
    }

    private static readonly ExternKind[] Kinds =
    [
        ExternKind.Func, ExternKind.Table, ExternKind.Memory, ExternKind.Global, ExternKind.Tag, ExternKind.Module, ExternKind.Instance,
    ];

    /// <summary>The number of items of each kind so far.</summary>
    private readonly uint[] defined = new uint[8];

    private void Early(EarlyItem item)
    {
        ByteReader reader = typeText.At(item.Offset);
        switch (item.Section)
        {
            case SectionId.Type: TypeItem(ref reader, item); break;
            case SectionId.Import: Import(module.Imports[item.Index]); break;
            case SectionId.Module: Nested(item); break;
            case SectionId.Instance: Instance(ref reader); break;
            default: Alias(ref reader, item.Index); break;
        }
    }

    private void TypeItem(ref ByteReader reader, EarlyItem item)
    {
        if (reader.Peek() != TypeByte.Rec)
        {
            Type(item.Index, 2);
            return;
        }
        if (item.Count == 0)
        {
            Line("(rec)");
            return;
        }
        Indent(2).Append("(rec\n");
        for (int i = 0; i < item.Count; i++) Type(item.Index + i, 4);
        Indent(2).Append(")\n");
    }

    /// <summary>The id of the next item of an index space, with a blank before it; if it has no id, its index in a comment.</summary>
    private string Next(ExternKind kind, out uint index)
    {
        index = defined[(int)kind]++;
        return ids.SpaceOf(kind).Numbered(index);
    }

    private void Import(ImportInfo import)
    {
        // Two-level imports of one first name are an instance that has no place of its own in the text.
        if (import.Name is not null && defined[(int)ExternKind.Instance] < module.Instances.Count
            && module.Instances[(int)defined[(int)ExternKind.Instance]].First == import.Module)
        {
            defined[(int)ExternKind.Instance]++;
        }
        string id = Next(import.Type.Kind, out uint index);
        ByteReader reader = typeText.At(import.Offset);
        string names = TypePrinter.ImportNames(ref reader);
        string parameters = "";
        if (import.Type.Kind == ExternKind.Func)
        {
            CodePrinter code = Code(index);
            if (code.HasLocalNames) parameters = code.Parameters(module.FuncTypeIndices[(int)index]);
        }
        Line($"(import {names} {typeText.Extern(ref reader, id, parameters)})");
    }

    private void Nested(EarlyItem item)
    {
        ModuleInfo nested = module.Modules[item.Index].Definition!;
        string id = Next(ExternKind.Module, out uint index);
        var printer = new WatPrinter(nested, ids, output);
        printer.ids.CanBeSaid = nested.Names.Module == module.Names.Modules.GetValueOrDefault(index);
        printer.Module("(module" + id);
    }

    private void Instance(ref ByteReader reader)
    {
        string id = Next(ExternKind.Instance, out _);
        reader.U8();
        string target = ids.Modules[reader.U32()];
        uint count = reader.U32();
        string arguments = "";
        for (uint i = 0; i < count; i++)
        {
            string name = TextStrings.Quote(reader.Name());
            ExternKind kind = Kinds[reader.U8()];
            arguments += $" (import {name} ({kind.ToString().ToLowerInvariant()} {ids.SpaceOf(kind)[reader.U32()]}))";
        }
        Line($"(instance{id} (instantiate {target}{arguments}))");
    }

    private void Alias(ref ByteReader reader, int typeIndex)
    {
        if (reader.U8() == 0)
        {
            string source = ids.Instances[reader.U32()];
            ExternKind kind = Kinds[reader.U8()];
            string name = TextStrings.Quote(reader.Name());
            Line($"(alias {source} {name} ({kind.ToString().ToLowerInvariant()}{Next(kind, out _)}))");
            return;
        }
        uint depth = reader.U32();
        bool isType = reader.U8() == 7;
        uint index = reader.U32();
        string target = ids.OuterItem(depth, index, isType);
        string id = isType ? ids.Types.Numbered((uint)typeIndex) : Next(ExternKind.Module, out _);
        Line($"(alias outer {depth} {target} ({(isType ? "type" : "module")}{id}))");
    }
}
