using System.Collections.Immutable;
using System.Globalization;

namespace WasmJit.Jit;

/// <summary>
/// Every operator of Wasm 3.0, threads, wide arithmetic, custom descriptors, legacy exceptions and the runtime-linking
/// extension, one row each: the only place that knows mnemonic, encoding, immediates, stack signature, proposal,
/// emission and traits. Decoder, validator, emitter, text reader, printer and the reference page read it.
/// </summary>
internal static partial class OperatorTable
{
    private static readonly Operator?[][] ByCode = new Operator?[256][];
    private static readonly Dictionary<string, Operator> ByMnemonic = new(700);
    private static readonly List<Operator> Rows = new(700);
    private static readonly Operator[] ById = new Operator[Enum.GetValues<OpId>().Length];

    static OperatorTable()
    {
        foreach (string part in new[] { Core, Gc, Simd, Atomics, Linking })
            foreach (ReadOnlySpan<char> line in part.AsSpan().EnumerateLines())
                Add(line);
    }

    /// <summary>Stands for the address type of the memory or table that the immediates name.</summary>
    internal static ValType At => ValType.Bottom;

    internal static IReadOnlyList<Operator> All => Rows;

    /// <summary>The operator of an encoding, or null. The prefix is 0 for operators without one.</summary>
    internal static Operator? Find(byte prefix, uint code)
    {
        Operator?[]? codes = ByCode[prefix];
        return codes is not null && code < (uint)codes.Length ? codes[code] : null;
    }

    /// <summary>The operators without prefix by their byte.</summary>
    internal static Operator?[] OneByte => ByCode[0];

    /// <summary>The operator that has an id of its own.</summary>
    internal static Operator Of(OpId id) => ById[(int)id];

    internal static Operator? Find(string mnemonic) => ByMnemonic.GetValueOrDefault(mnemonic);

    internal static Operator? Find(ReadOnlySpan<char> mnemonic) =>
        ByMnemonic.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(mnemonic, out Operator? op) ? op : null;

    private static void Add(ReadOnlySpan<char> line)
    {
        line = line.Trim();
        if (line.IsEmpty) return;
        ReadOnlySpan<char> codeText = Next(ref line);
        int colon = codeText.IndexOf(':');
        byte prefix = colon < 0 ? (byte)0 : (byte)Number(codeText[..colon]);
        uint code = Number(colon < 0 ? codeText : codeText[(colon + 1)..]);
        string mnemonic = Next(ref line).ToString();

        var immediates = ImmutableArray.CreateBuilder<Immediate>(2);
        string[] immediateWords = Column(ref line).ToString().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        foreach (string word in immediateWords)
            if (word != "-") immediates.Add(ParseImmediate(word));

        string signature = Column(ref line).ToString();
        // Behind the star stands, for people, what the validator works out.
        bool hasSignature = !signature.StartsWith('*');
        var types = ImmutableArray.CreateBuilder<ValType>(4);
        ImmutableArray<ValType> parameters = [];
        if (hasSignature)
        {
            foreach (string word in signature.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                if (word == "->")
                {
                    parameters = types.ToImmutable();
                    types.Clear();
                }
                else
                {
                    types.Add(ParseType(word));
                }
            }
        }
        string proposal = Next(ref line).ToString();
        string emission = Next(ref line).ToString();
        RowWords words = ParseWords(mnemonic, line.Trim());
        var op = new Operator
        {
            Prefix = prefix,
            Code = code,
            Mnemonic = mnemonic,
            Immediates = immediates.ToImmutable(),
            Params = parameters,
            Results = types.ToImmutable(),
            HasSignature = hasSignature,
            TypeText = hasSignature ? "" : signature[1..].Trim(),
            Id = emission == "custom" ? Enum.Parse<OpId>(Pascal(mnemonic)) : OpId.Plain,
            Proposal = Proposal.Of(proposal),
            Traits = words.Traits,
            Operation = words.Operation,
            Lanes = words.Lanes,
            Form = words.Form,
            Base = words.Base,
            Emission = emission,
            Cost = words.Cost ?? (emission == "custom" ? throw new FormatException($"The row of {mnemonic} does not say what it costs.") : OperatorCost.One),
        };
        Check(op, line);
        words.Base?.AddForm(op);
        Rows.Add(op);
        ByMnemonic.Add(mnemonic, op);
        if (op.Id != OpId.Plain) ById[(int)op.Id] = op;
        Operator?[] codes = ByCode[prefix] ?? [];
        if (code >= codes.Length) Array.Resize(ref codes, prefix == 0 ? 256 : 320);
        codes[code] = op;
        ByCode[prefix] = codes;
    }

    /// <summary>What the words behind the emission say.</summary>
    private record struct RowWords(OpTraits Traits, Operation Operation, LaneShape Lanes, OpForm Form, Operator? Base, OperatorCost? Cost);

    /// <summary>
    /// Reads the words behind the emission: traits with commas between them, '-' for none. Words with a colon say what the operator costs
    /// (<c>cost:</c>), what it computes (<c>is:</c>), on which lanes (<c>lanes:</c>), or that it is a form of another operator.
    /// </summary>
    private static RowWords ParseWords(string mnemonic, ReadOnlySpan<char> text)
    {
        var words = default(RowWords);
        foreach (string word in text.ToString().Split([' ', ','], StringSplitOptions.RemoveEmptyEntries))
        {
            if (word == "-") continue;
            int colon = word.IndexOf(':');
            string value = word[(colon + 1)..];
            switch (colon < 0 ? "" : word[..colon])
            {
                case "": words.Traits |= Named<OpTraits>(value); break;
                case "cost": words.Cost = OperatorCost.Parse(value); break;
                case "is": words.Operation = Named<Operation>(value); break;
                case "lanes": words.Lanes = Named<LaneShape>(value); break;
                case var form:
                    words.Form = Named<OpForm>(form);
                    words.Base = Find(value) ?? throw new FormatException($"{mnemonic} is a form of an operator that is not before it: {word}.");
                    break;
            }
        }
        return words;
    }

    /// <summary>The value of an enumeration from its name in lower case with hyphens.</summary>
    private static T Named<T>(string name)
        where T : struct, Enum => Enum.Parse<T>(name.Replace("-", "", StringComparison.Ordinal), ignoreCase: true);

    /// <summary>What a row says must go together. A trait that is forgotten is an error here or in the tests of the table.</summary>
    private static void Check(Operator op, ReadOnlySpan<char> traits)
    {
        if (op.Id != OpId.Plain && traits.Trim().IsEmpty) throw Wrong("has rules of its own and no traits; '-' says that there are none");
        foreach (Immediate immediate in op.Immediates)
        {
            string? missing = immediate.Kind switch
            {
                ImmediateKind.BlockType when !op.Has(OpTraits.Opens) => "a block type, but does not open a block",
                ImmediateKind.Label or ImmediateKind.Labels or ImmediateKind.CastFlags when !op.Has(OpTraits.Branches | OpTraits.Throws | OpTraits.Closes) =>
                    "a label, but does not branch",
                ImmediateKind.MemArg or ImmediateKind.Memory when !op.Has(OpTraits.ReadsMemory | OpTraits.WritesMemory | OpTraits.Constant) =>
                    "a memory, but neither reads nor writes it",
                ImmediateKind.Table when !op.Has(OpTraits.ReadsTable | OpTraits.WritesTable | OpTraits.Constant) =>
                    "a table, but neither reads nor writes it",
                ImmediateKind.Global when !op.Has(OpTraits.ReadsGlobal | OpTraits.WritesGlobal | OpTraits.Constant) =>
                    "a global, but neither reads nor writes it",
                ImmediateKind.Local when !op.Has(OpTraits.ReadsLocal | OpTraits.WritesLocal) => "a local, but neither reads nor writes it",
                ImmediateKind.Func when !op.Has(OpTraits.Calls | OpTraits.Constant) => "a function, but does not call it",
                _ => null,
            };
            if (missing is not null) throw Wrong($"has {missing}");
        }
        if (op.MemArg is not null && op.HasSignature && op.Results.IsEmpty != ((op.Traits & (OpTraits.ReadsMemory | OpTraits.WritesMemory)) == OpTraits.WritesMemory))
            throw Wrong("an access that gives nothing writes, one that gives a result reads");
        if (op.Base is { } other && (op.Traits & Accesses) != (other.Traits & Accesses) && op.Form == OpForm.Ref)
            throw Wrong($"accesses something else than {other.Mnemonic}");

        if (op.Emission.StartsWith("il:", StringComparison.Ordinal) && KindOf(op) is var kind && kind != op.Operation)
            throw Wrong($"computes {kind}, not {op.Operation}");
        bool isLanewise = op.Operation is >= Operation.Splat || (op.Operation != Operation.None && op.Params[0] == ValType.V128);
        if (isLanewise && op.Lanes == LaneShape.None) throw Wrong("does not say on which lanes it works");

        FormatException Wrong(string reason) => new($"The row of {op.Mnemonic}: {reason}.");
    }

    /// <summary>What the IL of an operator computes: comparisons, or its last instruction but conversions.</summary>
    private static Operation KindOf(Operator op)
    {
        string il = op.Emission["il:".Length..];
        if (il.Contains("ceq", StringComparison.Ordinal) || il.Contains("clt", StringComparison.Ordinal) || il.Contains("cgt", StringComparison.Ordinal))
            return Operation.Compare;
        return il[(il.LastIndexOf(',') + 1)..] switch
        {
            "add" => Operation.Add,
            "sub" => Operation.Sub,
            "mul" => Operation.Mul,
            "div" => Operation.Div,
            "and" => Operation.And,
            "or" => Operation.Or,
            "xor" => Operation.Xor,
            "shl" => Operation.Shl,
            "shr" => Operation.ShrS,
            "shr.un" => Operation.ShrU,
            _ when il.StartsWith("conv.i1", StringComparison.Ordinal) => Operation.Narrow8,
            _ when il.StartsWith("conv.i2", StringComparison.Ordinal) => Operation.Narrow16,
            _ when il.StartsWith("conv.i4", StringComparison.Ordinal) => Operation.Narrow32,
            "conv.r4" when op.Params[0] == ValType.F64 => Operation.Demote,
            "conv.r8" when op.Params[0] == ValType.F32 => Operation.Promote,
            _ => Operation.None,
        };
    }

    private const OpTraits Accesses = OpTraits.ReadsMemory | OpTraits.WritesMemory | OpTraits.ReadsTable | OpTraits.WritesTable
        | OpTraits.ReadsGlobal | OpTraits.WritesGlobal;

    /// <summary>The next word.</summary>
    private static ReadOnlySpan<char> Next(ref ReadOnlySpan<char> text)
    {
        text = text.TrimStart();
        int end = text.IndexOf(' ');
        if (end < 0) end = text.Length;
        ReadOnlySpan<char> word = text[..end];
        text = text[end..];
        return word;
    }

    /// <summary>The next column: up to two spaces in a row.</summary>
    private static ReadOnlySpan<char> Column(ref ReadOnlySpan<char> text)
    {
        text = text.TrimStart();
        int end = text.IndexOf("  ");
        if (end < 0) end = text.Length;
        ReadOnlySpan<char> column = text[..end].TrimEnd();
        text = text[end..];
        return column;
    }

    private static uint Number(ReadOnlySpan<char> text) =>
        text.StartsWith("0x") ? uint.Parse(text[2..], NumberStyles.HexNumber, CultureInfo.InvariantCulture) : uint.Parse(text, CultureInfo.InvariantCulture);

    private static Immediate ParseImmediate(string text)
    {
        int colon = text.IndexOf(':');
        int number = colon < 0 ? 0 : int.Parse(text.AsSpan(colon + 1), CultureInfo.InvariantCulture);
        string name = colon < 0 ? text : text[..colon];
        return new Immediate(name switch
        {
            "block" => ImmediateKind.BlockType,
            "mem" => ImmediateKind.Memory,
            _ => Enum.Parse<ImmediateKind>(name, ignoreCase: true),
        }, number);
    }

    private static ValType ParseType(string text) => text switch
    {
        "at" => At,
        "i32" => ValType.I32,
        "i64" => ValType.I64,
        "f32" => ValType.F32,
        "f64" => ValType.F64,
        "v128" => ValType.V128,
        "eqref" => ValType.Ref(HeapType.Eq, true),
        "i31ref" => ValType.Ref(HeapType.I31, true),
        "arrayref" => ValType.Ref(HeapType.Array, true),
        _ => throw new FormatException($"Unknown type '{text}' in the operator table."),
    };

    private static string Pascal(string mnemonic) =>
        string.Concat(mnemonic.Split('.', '_').Select(p => p.Length == 0 ? "" : char.ToUpperInvariant(p[0]) + p[1..]));
}
