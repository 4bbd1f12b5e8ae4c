using System.Globalization;
using System.Text;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Format;
using WasmJit.Jit.Operators;

namespace WasmJit.Text;

/// <summary>
/// Prints types from the bytes: a canonical type may stand at several indices, and the one that was written is printed.
/// </summary>
/// <param name="module">The module.</param>
/// <param name="ids">Its ids.</param>
internal sealed partial class TypePrinter(ModuleInfo module, ModuleIds ids)
{
    private readonly Dictionary<uint, (string[] Params, string[] Results)?> signatures = [];

    internal ByteReader At(int offset) => new(module.Bytes.Span, offset, module.Bytes.Length);

    internal string SubType(ref ByteReader reader, uint index)
    {
        string? head = SubTypeHead(ref reader);
        string body = Clauses(ref reader) + Composite(ref reader, index);
        return head is null ? body : $"({head} {body})";
    }

    /// <summary><c>sub</c> and the supertypes, null without them.</summary>
    internal string? SubTypeHead(ref ByteReader reader)
    {
        if (reader.Peek() is not (TypeByte.Sub or TypeByte.SubFinal)) return null;
        string head = reader.U8() == TypeByte.SubFinal ? "sub final" : "sub";
        uint count = reader.U32();
        for (uint i = 0; i < count; i++) head += " " + ids.Types[reader.U32()];
        return head;
    }

    internal string Clauses(ref ByteReader reader)
    {
        string clauses = "";
        if (reader.Peek() == TypeByte.Describes)
        {
            reader.U8();
            clauses += $"(describes {ids.Types[reader.U32()]}) ";
        }
        if (reader.Peek() == TypeByte.Descriptor)
        {
            reader.U8();
            clauses += $"(descriptor {ids.Types[reader.U32()]}) ";
        }
        return clauses;
    }

    /// <summary>The parameters and results of a function type.</summary>
    /// <param name="type">Its index.</param>
    /// <param name="isKnown">Whether they can be written here: those of an enclosing module's type may name types of there.</param>
    internal (string[] Params, string[] Results) SignatureOf(uint type, out bool isKnown)
    {
        if (!signatures.TryGetValue(type, out (string[] Params, string[] Results)? known))
            signatures[type] = known = module.TypeOffsets[(int)type] < 0 ? AliasedSignature(type) : WrittenSignature(type);
        isKnown = known is not null;
        return known ?? ([], []);
    }

    private (string[] Params, string[] Results) WrittenSignature(uint type)
    {
        ByteReader reader = At(module.TypeOffsets[(int)type]);
        SubTypeHead(ref reader);
        Clauses(ref reader);
        reader.U8();
        string[] parameters = Vals(ref reader);
        return (parameters, Vals(ref reader));
    }

    /// <summary>A function type of an enclosing module, in the indices of this one; null if there are none for it.</summary>
    private (string[] Params, string[] Results)? AliasedSignature(uint type)
    {
        var func = (FuncType)module.Types[(int)type].Composite;
        string?[] parameters = [.. func.Params.Select(Known)], results = [.. func.Results.Select(Known)];
        return parameters.Contains(null) || results.Contains(null) ? null : ([.. parameters.OfType<string>()], [.. results.OfType<string>()]);
    }

    private Dictionary<DefType, int>? typeIndices;

    private string? Known(ValType type)
    {
        if (type.Heap is null or AbstractHeapType) return type.ToString();
        DefType? def = type.Heap is ExactType exact ? exact.Type : type.Heap as DefType;
        if (typeIndices is null)
        {
            typeIndices = [];
            for (int i = 0; i < module.Types.Count; i++) typeIndices.TryAdd(module.Types[i], i);
        }
        return def is null || !typeIndices.TryGetValue(def, out int index) ? null : RefText(new HeapTypeCode(index, type.Heap is ExactType), type.IsNullable);
    }

    internal string[] Vals(ref ByteReader reader)
    {
        var list = new string[reader.U32()];
        for (int i = 0; i < list.Length; i++) list[i] = Val(ref reader);
        return list;
    }

    private string Signature(ref ByteReader reader)
    {
        string[] parameters = Vals(ref reader), results = Vals(ref reader);
        return Clause("param", parameters) + Clause("result", results);
    }

    internal static string Clause(string keyword, string[] list) => list.Length == 0 ? "" : $" ({keyword} {string.Join(' ', list)})";

    internal string Composite(ref ByteReader reader, uint index)
    {
        switch (reader.U8())
        {
            case TypeByte.Func: return $"(func{Signature(ref reader)})";
            case TypeByte.Struct: return Structure(ref reader, index);
            case TypeByte.Array: return $"(array {Field(ref reader)})";
            case TypeByte.Memory: return $"(memory {MemoryBody(ref reader)})";
            case TypeByte.Table: return $"(table {TableBody(ref reader)})";
            case TypeByte.Global: return $"(global {GlobalBody(ref reader)})";
            case TypeByte.Tag:
                reader.U8();
                return $"(tag {TypeUse(reader.U32())})";
            case TypeByte.Module: return $"(module{LinkingBody(ref reader)})";
            default: return $"(instance{LinkingBody(ref reader)})";
        }
    }

    /// <summary>A structure. Fields with names have a clause each, others share one.</summary>
    private string Structure(ref ByteReader reader, uint index)
    {
        var body = new StringBuilder("(struct");
        PrintedNames names = ids.FieldNames(index);
        uint count = reader.U32();
        bool open = false;
        for (uint i = 0; i < count; i++)
        {
            string field = Field(ref reader);
            if (names.Has(i))
            {
                if (open) body.Append(')');
                open = false;
                body.Append(CultureInfo.InvariantCulture, $" (field{names.Definition(i)} {field})");
                continue;
            }
            body.Append(open ? " " : " (field ").Append(field);
            open = true;
        }
        return body.Append(open ? "))" : ")").ToString();
    }

    private string Field(ref ByteReader reader)
    {
        string type;
        if (reader.Peek() is TypeByte.I8 or TypeByte.I16) type = reader.U8() == TypeByte.I8 ? "i8" : "i16";
        else type = Val(ref reader);
        return Mutable(ref reader, type);
    }

    private static string Mutable(ref ByteReader reader, string type) => reader.U8() == 1 ? $"(mut {type})" : type;

    internal string Val(ref ByteReader reader)
    {
        byte code = reader.U8();
        switch (code)
        {
            case TypeByte.I32: return "i32";
            case TypeByte.I64: return "i64";
            case TypeByte.F32: return "f32";
            case TypeByte.F64: return "f64";
            case TypeByte.V128: return "v128";
            case TypeByte.RefNull or TypeByte.Ref: return RefText(CodeReader.ReadHeapType(ref reader), code == TypeByte.RefNull);
            default: return ValType.Ref(HeapType.FromCode(code)!, true).ToString();
        }
    }

    internal string RefText(HeapTypeCode code, bool nullable)
    {
        if (nullable && code.Code < 0) return ValType.Ref(HeapType.FromCode((int)code.Code & 0x7f)!, true).ToString();
        return $"(ref {(nullable ? "null " : "")}{HeapText(code)})";
    }

    internal string HeapText(HeapTypeCode code)
    {
        if (code.IsModule) return ids.ExactModule((uint)code.Code);
        if (code.Code < 0) return HeapType.FromCode((int)code.Code & 0x7f)!.ToString();
        string name = TypeName((uint)code.Code);
        return code.IsExact ? $"(exact {name})" : name;
    }

    /// <summary>A type index where a type is expected.</summary>
    private string TypeName(uint index) => inside is null ? ids.Types[index] : inside.Reference(index);

    /// <summary>A type index where a type use is expected.</summary>
    internal string TypeUse(uint index) => inside is null ? $"(type {ids.Types[index]})" : inside.Use(index);

    private static string Limits(ref ByteReader reader, out bool hasPageSize)
    {
        byte flags = reader.U8();
        ulong min = reader.U64();
        string max = (flags & LimitsFlags.HasMaximum) == 0 ? "" : $" {reader.U64()}";
        hasPageSize = (flags & LimitsFlags.HasPageSize) != 0;
        return $"{((flags & LimitsFlags.Is64) != 0 ? "i64 " : "")}{min}{max}{((flags & LimitsFlags.Shared) != 0 ? " shared" : "")}";
    }

    internal string TableBody(ref ByteReader reader)
    {
        string element = Val(ref reader);
        return $"{Limits(ref reader, out _)} {element}";
    }

    internal static string MemoryBody(ref ByteReader reader)
    {
        string limits = Limits(ref reader, out bool hasPageSize);
        return hasPageSize ? $"{limits} (pagesize {1UL << (int)reader.U32()})" : limits;
    }

    internal string GlobalBody(ref ByteReader reader) => Mutable(ref reader, Val(ref reader));

    /// <summary>The description of an import or export.</summary>
    /// <param name="reader">Stands at the description.</param>
    /// <param name="id">The id behind a blank, or nothing.</param>
    /// <param name="parameters">What follows the type use of a function.</param>
    internal string Extern(ref ByteReader reader, string id, string parameters = "")
    {
        switch (reader.U8())
        {
            case ExternByte.Func: return $"(func{Spaced(id, TypeUse(reader.U32()))}{parameters})";
            case ExternByte.ExactFunc: return $"(func{id} (exact {TypeUse(reader.U32())}{parameters}))";
            case ExternByte.Table: return $"(table{id} {TableBody(ref reader)})";
            case ExternByte.Memory: return $"(memory{id} {MemoryBody(ref reader)})";
            case ExternByte.Global: return $"(global{id} {GlobalBody(ref reader)})";
            case ExternByte.Module: return $"(module{Spaced(id, TypeUse(reader.U32()))})";
            case ExternByte.Instance: return $"(instance{Spaced(id, TypeUse(reader.U32()))})";
            default:
                reader.U8();
                return $"(tag{Spaced(id, TypeUse(reader.U32()))})";
        }
    }

    private static string Spaced(string id, string text) => text.Length == 0 ? id : $"{id} {text}";

    /// <summary>The names of an import; a single-level one has one.</summary>
    internal static string ImportNames(ref ByteReader reader)
    {
        string names = TextStrings.Quote(reader.Name());
        if (reader.Remaining > 1 && reader.Peek() == 0 && reader.PeekAt(1) == ExternByte.SingleLevel)
        {
            reader.Position += 2;
            return names;
        }
        return $"{names} {TextStrings.Quote(reader.Name())}";
    }
}
