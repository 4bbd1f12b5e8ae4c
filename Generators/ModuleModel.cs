using System.Globalization;
using System.Text;
using WasmJit.Jit.Format;
using WasmJit.Linking;
using WasmJit.Runtime;

namespace WasmJit.Generators;

/// <summary>An import or export.</summary>
/// <param name="Module">The module of an import.</param>
/// <param name="Name">The name.</param>
/// <param name="Kind">A number of <c>ExternByte</c>.</param>
/// <param name="Text">The type as the text format has it.</param>
internal sealed record ExternModel(string Module, string Name, byte Kind, string Text)
{
    /// <summary>Letters of a function's parameters.</summary>
    internal string Parameters { get; init; } = "";

    /// <summary>Letters of a function's results.</summary>
    internal string Results { get; init; } = "";

    /// <summary>For a function the names of its parameters in the name section.</summary>
    internal IReadOnlyDictionary<int, string> ParameterNames { get; init; } = new Dictionary<int, string>();

    /// <summary>The letter of a global.</summary>
    internal char Letter { get; init; }

    /// <summary>Whether a global can be set.</summary>
    internal bool IsMutable { get; init; }
}

/// <summary>What a module in the binary format cannot be read for.</summary>
internal sealed class UnreadableModuleException(string message) : Exception(message);

/// <summary>
/// The imports and exports of a module. The compiler loads generators on .NET Standard, where the library does not run; so this reads the types alone. A
/// test compares what it reads with the library, over the official suite.
/// </summary>
internal sealed class ModuleModel
{
    private const uint MostItems = 1_000_000;

    /// <summary>The most parameters, and the most results, that the library takes.</summary>
    private const int MostValues = 1000;

    private const string UsesLinking = "it uses module linking, whose types only the library knows", UnknownType = "it has types that only the library knows",
        UnknownValue = "it has an initial value that only the library knows";

    private readonly byte[] bytes;
    private readonly List<(string Text, string Parameters, string Results)?> types = [];
    private readonly List<byte> typeForms = [];
    private readonly List<ExternModel> functions = [], tables = [], memories = [], globals = [], tags = [];
    private readonly Dictionary<int, IReadOnlyDictionary<int, string>> locals = [];
    private readonly List<(string Name, byte Kind, int Index)> exported = [];
    private int at, end;

    private ModuleModel(byte[] bytes)
    {
        this.bytes = bytes;
        end = bytes.Length;
    }

    internal List<ExternModel> Imports { get; } = [];

    internal List<ExternModel> Exports { get; } = [];

    /// <summary>The name of the name section.</summary>
    internal string? Name { get; private set; }

    internal bool HasMemory => memories.Count > 0;

    /// <summary>Whether it exports something to allocate with.</summary>
    internal bool HasAllocator => Exports.Exists(e => e.Kind == ExternByte.Func && Array.IndexOf(Conventions.Allocators, (e.Name, e.Parameters, e.Results)) >= 0);

    /// <exception cref="UnreadableModuleException">It is not a module of the core specification.</exception>
    internal static ModuleModel Read(byte[] bytes)
    {
        var model = new ModuleModel(bytes);
        model.Read();
        return model;
    }

    private static UnreadableModuleException Error(string message) => new(message);

    private void Read()
    {
        byte[] header = [0, (byte)'a', (byte)'s', (byte)'m', 1, 0, 0, 0];
        if (bytes.Length < 8 || !bytes.Take(8).SequenceEqual(header)) throw Error("it is not a module in the binary format");
        at = 8;
        while (at < bytes.Length)
        {
            end = bytes.Length;
            byte id = U8();
            int size = (int)U32();
            if (size < 0 || size > bytes.Length - at) throw Error("a section ends outside of the module");
            int next = at + size;
            end = next;
            ReadSection(id);
            at = next;
        }
        foreach ((string name, byte kind, int index) in exported)
        {
            List<ExternModel> space = SpaceOf(kind);
            if ((uint)index >= (uint)space.Count) throw Error($"the export {CodeWriter.Quoted(name)} names an index that does not exist");
            ExternModel found = space[index];
            Exports.Add(found with
            {
                Module = "",
                Name = name,
                ParameterNames = kind == ExternByte.Func && locals.TryGetValue(index, out IReadOnlyDictionary<int, string>? names) ? names : found.ParameterNames,
            });
        }
    }

    private List<ExternModel> SpaceOf(byte kind) => kind switch
    {
        ExternByte.Func => functions,
        ExternByte.Table => tables,
        ExternByte.Memory => memories,
        ExternByte.Global => globals,
        ExternByte.Tag => tags,
        _ => throw Error(UsesLinking),
    };

    private void ReadSection(byte id)
    {
        switch (id)
        {
            case SectionId.Type: Each(ReadRecType); break;
            case SectionId.Import: Each(ReadImport); break;
            case SectionId.Function: Each(() => functions.Add(FunctionOf("", "", (int)U32()))); break;
            case SectionId.Table: Each(ReadTable); break;
            case SectionId.Memory: Each(() => memories.Add(ReadMemoryType("", ""))); break;
            case SectionId.Global:
                Each(() =>
                {
                    globals.Add(ReadGlobalType("", ""));
                    SkipExpression();
                });
                break;
            case SectionId.Tag: Each(() => tags.Add(ReadTagType("", ""))); break;
            case SectionId.Export:
                Each(() =>
                {
                    string name = Text();
                    exported.Add((name, U8(), (int)U32()));
                });
                break;
            case SectionId.Custom: ReadCustom(); break;
            case SectionId.Module or SectionId.Instance or SectionId.Alias or SectionId.Scope: throw Error(UsesLinking);
        }
    }

    private void Each(Action read)
    {
        uint count = U32();
        if (count > MostItems) throw Error("it has too many items");
        for (uint i = 0; i < count; i++) read();
    }

    // ---- numbers and names ----

    private byte U8() => at < end ? bytes[at++] : throw Error("it ends too early");

    private byte Peek() => at < end ? bytes[at] : throw Error("it ends too early");

    private uint U32() => (uint)U64();

    private ulong U64()
    {
        ulong value = 0;
        for (int shift = 0; shift < 70; shift += 7)
        {
            byte b = U8();
            value |= (ulong)(b & 0x7f) << shift;
            if (b < 0x80) return value;
        }
        throw Error("a number is too long");
    }

    private long S33()
    {
        long value = 0;
        int shift = 0;
        byte b;
        do
        {
            b = U8();
            value |= (long)(b & 0x7f) << shift;
            shift += 7;
        }
        while (b >= 0x80 && shift < 70);
        return shift < 64 && (b & 0x40) != 0 ? value | (-1L << shift) : value;
    }

    private string Text()
    {
        int length = (int)U32();
        if (length < 0 || length > end - at) throw Error("a name ends outside of its section");
        string text = Encoding.UTF8.GetString(bytes, at, length);
        at += length;
        return text;
    }

    // ---- types ----

    private void ReadRecType()
    {
        if (Peek() != TypeByte.Rec)
        {
            ReadSubType();
            return;
        }
        at++;
        Each(ReadSubType);
    }

    private void ReadSubType()
    {
        if (Peek() is TypeByte.Sub or TypeByte.SubFinal)
        {
            at++;
            Each(() => U32());
        }
        foreach (byte clause in new[] { TypeByte.Describes, TypeByte.Descriptor })
        {
            if (Peek() != clause) continue;
            at++;
            U32();
        }
        byte form = U8();
        // Types of a group can refer to one another: this one's form must be known before it is read.
        typeForms.Add(form);
        switch (form)
        {
            case TypeByte.Func:
                (string parameters, string parameterText) = ReadValTypes("param");
                (string results, string resultText) = ReadValTypes("result");
                types.Add(($"(func{parameterText}{resultText})", parameters, results));
                break;
            case TypeByte.Struct:
                types.Add(null);
                Each(ReadField);
                break;
            case TypeByte.Array:
                types.Add(null);
                ReadField();
                break;
            default: throw Error(UnknownType);
        }
    }

    private void ReadField()
    {
        if (Peek() is TypeByte.I8 or TypeByte.I16) at++;
        else ReadValType(out _);
        U8();
    }

    private (string Letters, string Text) ReadValTypes(string keyword)
    {
        var letters = new StringBuilder();
        var text = new StringBuilder();
        Each(() =>
        {
            if (letters.Length == MostValues) throw Error($"a function has more than {MostValues} parameters or results");
            letters.Append(ReadValType(out string type));
            text.Append(' ').Append(type);
        });
        return (letters.ToString(), letters.Length == 0 ? "" : $" ({keyword}{text})");
    }

    private static string? AbstractName(int code) => code switch
    {
        HeapByte.Func => "func",
        HeapByte.Extern => "extern",
        HeapByte.Any => "any",
        HeapByte.Eq => "eq",
        HeapByte.I31 => "i31",
        HeapByte.Struct => "struct",
        HeapByte.Array => "array",
        HeapByte.Exn => "exn",
        HeapByte.None => "none",
        HeapByte.NoExtern => "noextern",
        HeapByte.NoFunc => "nofunc",
        HeapByte.NoExn => "noexn",
        _ => null,
    };

    private static string Shorthand(string name) => name switch
    {
        "none" => "nullref",
        "noextern" or "nofunc" or "noexn" => "null" + name.Substring(2) + "ref",
        _ => name + "ref",
    };

    /// <summary>Reads a type: its letter, and its text.</summary>
    private char ReadValType(out string text)
    {
        byte b = U8();
        (char letter, string name) = b switch
        {
            TypeByte.I32 => ('i', "i32"),
            TypeByte.I64 => ('l', "i64"),
            TypeByte.F32 => ('f', "f32"),
            TypeByte.F64 => ('d', "f64"),
            TypeByte.V128 => ('v', "v128"),
            _ => ('\0', ""),
        };
        text = name;
        if (letter != '\0') return letter;
        if (b is not (TypeByte.Ref or TypeByte.RefNull))
        {
            string heap = AbstractName(b) ?? throw Error(UnknownType);
            text = Shorthand(heap);
            return LetterOf(heap, true);
        }
        bool isNull = b == TypeByte.RefNull;
        bool isExact = Peek() == TypeByte.Exact;
        if (isExact) at++;
        if (!isExact && Peek() == TypeByte.ExactModule) throw Error(UsesLinking);
        long code = S33();
        if (code < 0)
        {
            string heap = AbstractName((int)code & 0x7f) ?? throw Error(UnknownType);
            text = isNull ? Shorthand(heap) : $"(ref {heap})";
            return LetterOf(heap, isNull);
        }
        text = $"(ref {(isNull ? "null " : "")}{(isExact ? $"(exact {code})" : code.ToString(CultureInfo.InvariantCulture))})";
        // A type of the group that is being read: only functions come before their own members, since structs are never functions.
        return code < typeForms.Count && typeForms[(int)code] == TypeByte.Func ? 'F' : 'R';
    }

    private static char LetterOf(string heap, bool isNull) => heap switch
    {
        "func" or "nofunc" => 'F',
        "extern" when isNull => 'E',
        _ => 'R',
    };

    private ExternModel FunctionOf(string module, string name, int type)
    {
        if (type < 0 || type >= types.Count || types[type] is not { } found) throw Error("the type of a function is not a function type");
        return new ExternModel(module, name, ExternByte.Func, found.Text) { Parameters = found.Parameters, Results = found.Results };
    }

    private string ReadLimits(out byte flags)
    {
        flags = U8();
        ulong minimum = U64();
        string text = minimum.ToString(CultureInfo.InvariantCulture);
        return (flags & LimitsFlags.HasMaximum) == 0 ? text : $"{text} {U64().ToString(CultureInfo.InvariantCulture)}";
    }

    private ExternModel ReadMemoryType(string module, string name)
    {
        string limits = ReadLimits(out byte flags);
        string page = (flags & LimitsFlags.HasPageSize) != 0 && U32() is var log and not 16 ? $" (pagesize {1UL << (int)(log & 63)})" : "";
        return new ExternModel(module, name, ExternByte.Memory, $"(memory{Is64(flags)} {limits}{((flags & LimitsFlags.Shared) != 0 ? " shared" : "")}{page})");
    }

    private static string Is64(byte flags) => (flags & LimitsFlags.Is64) != 0 ? " i64" : "";

    private ExternModel ReadTableType(string module, string name)
    {
        ReadValType(out string element);
        string limits = ReadLimits(out byte flags);
        return new ExternModel(module, name, ExternByte.Table, $"(table{Is64(flags)} {limits} {element})");
    }

    private void ReadTable()
    {
        bool hasInit = Peek() == TableByte.WithInit;
        if (hasInit) at += 2;
        tables.Add(ReadTableType("", ""));
        if (hasInit) SkipExpression();
    }

    private ExternModel ReadGlobalType(string module, string name)
    {
        char letter = ReadValType(out string type);
        bool isMutable = U8() == 1;
        return new ExternModel(module, name, ExternByte.Global, isMutable ? $"(global (mut {type}))" : $"(global {type})") { Letter = letter, IsMutable = isMutable };
    }

    private ExternModel ReadTagType(string module, string name)
    {
        U8();
        ExternModel type = FunctionOf(module, name, (int)U32());
        return type with { Kind = ExternByte.Tag, Text = "(tag" + type.Text.Substring(5) };
    }

    // ---- imports, initial values, names ----

    private void ReadImport()
    {
        string module = Text(), name = Text();
        byte kind = U8();
        if (kind == ExternByte.SingleLevel) throw Error(UsesLinking);
        ExternModel import = kind switch
        {
            ExternByte.Func or ExternByte.ExactFunc => FunctionOf(module, name, (int)U32()),
            ExternByte.Table => ReadTableType(module, name),
            ExternByte.Memory => ReadMemoryType(module, name),
            ExternByte.Global => ReadGlobalType(module, name),
            ExternByte.Tag => ReadTagType(module, name),
            _ => throw Error(UsesLinking),
        };
        Imports.Add(import);
        SpaceOf(import.Kind).Add(import);
    }

    /// <summary>Steps over a constant expression.</summary>
    private void SkipExpression()
    {
        while (true)
        {
            byte op = U8();
            switch (op)
            {
                case Opcode.End: return;
                case Opcode.I32Const or Opcode.I64Const: U64(); break;
                case Opcode.F32Const: at += 4; break;
                case Opcode.F64Const: at += 8; break;
                case Opcode.GlobalGet or Opcode.RefFunc: U32(); break;
                case Opcode.RefNull:
                    if (Peek() == TypeByte.Exact) at++;
                    S33();
                    break;
                case Opcode.I32Add or Opcode.I32Sub or Opcode.I32Mul or Opcode.I64Add or Opcode.I64Sub or Opcode.I64Mul: break;
                case OperatorPrefix.Vector:
                    if (U32() != VectorOpcode.V128Const) throw Error(UnknownValue);
                    at += 16;
                    break;
                case OperatorPrefix.Gc: SkipObject(U32()); break;
                default: throw Error(UnknownValue);
            }
        }
    }

    private void SkipObject(uint op)
    {
        switch (op)
        {
            case GcOpcode.StructNew or GcOpcode.StructNewDefault or GcOpcode.StructNewDesc or GcOpcode.StructNewDefaultDesc or GcOpcode.ArrayNew or GcOpcode.ArrayNewDefault:
                U32();
                break;
            case GcOpcode.ArrayNewFixed:
                U32();
                U32();
                break;
            case GcOpcode.AnyConvertExtern or GcOpcode.ExternConvertAny or GcOpcode.RefI31: break;
            default: throw Error(UnknownValue);
        }
    }

    /// <summary>Names are for people: what is wrong in their section changes nothing.</summary>
    private void ReadCustom()
    {
        try
        {
            if (Text() != "name") return;
            int sectionEnd = end;
            while (at < sectionEnd)
            {
                end = sectionEnd;
                byte id = U8();
                int next = (int)U32() + at;
                if (next < at || next > sectionEnd) return;
                end = next;
                if (id == NameSubsection.Module) Name = Text();
                if (id == NameSubsection.Local) Each(ReadLocalNames);
                at = next;
            }
        }
        catch (UnreadableModuleException)
        {
        }
    }

    private void ReadLocalNames()
    {
        int function = (int)U32();
        var names = new Dictionary<int, string>();
        Each(() =>
        {
            int local = (int)U32();
            names[local] = Text();
        });
        locals[function] = names;
    }
}
