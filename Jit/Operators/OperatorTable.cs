using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.InteropServices;

namespace WasmJit.Jit.Operators;

/// <summary>
/// Every operator of Wasm 3.0, threads, wide arithmetic, custom descriptors, legacy exceptions and the runtime-linking
/// extension, one row each: the only place that knows mnemonic, encoding, immediates, stack signature, proposal,
/// emission and traits. Decoder, validator, emitter, text reader, printer and the reference page read it.
/// </summary>
internal static class OperatorTable
{
    private static readonly string[] Parts = [CoreRows.Text, GcRows.Text, SimdRows.Text, AtomicsRows.Text, LinkingRows.Text];

    /// <summary>Where the rows are, in their order.</summary>
    private static readonly List<Row> Rows = new(700);

    /// <summary>The operators whose rows have been asked for. Making one takes <see cref="Gate"/>.</summary>
    private static readonly Operator?[]?[] ByCode = new Operator?[256][];

    /// <summary>For each of them the index of its row plus one; 0 if there is no row.</summary>
    private static readonly short[]?[] RowByCode = new short[256][];

    private static readonly Lock Gate = new();

    /// <summary>A row: a part of the table, and where in it.</summary>
    private readonly record struct Row(byte Prefix, ushort Code, int Part, int Start, int Length)
    {
        internal ReadOnlySpan<char> Text => Parts[Part].AsSpan(Start, Length);
    }

    /// <summary>Finds the rows. They are read one by one when they are first asked for: an empty program has three operators.</summary>
    static OperatorTable()
    {
        for (int part = 0; part < Parts.Length; part++)
        {
            string text = Parts[part];
            for (int start = 0; start < text.Length;)
            {
                int length = text.AsSpan(start).IndexOf('\n');
                if (length < 0) length = text.Length - start;
                Locate(part, start, length);
                start += length + 1;
            }
        }
    }

    private static void Locate(int part, int start, int length)
    {
        ReadOnlySpan<char> line = Parts[part].AsSpan(start, length).Trim();
        if (line.IsEmpty) return;
        (byte prefix, uint code) = Encoding(Next(ref line));
        short[]? rows = RowByCode[prefix];
        if (rows is null)
        {
            RowByCode[prefix] = rows = new short[prefix == 0 ? 256 : 320];
            ByCode[prefix] = new Operator?[rows.Length];
        }
        Rows.Add(new Row(prefix, (ushort)code, part, start, length));
        rows[code] = (short)Rows.Count;
    }

    private static (byte Prefix, uint Code) Encoding(ReadOnlySpan<char> text)
    {
        int colon = text.IndexOf(':');
        return colon < 0 ? ((byte)0, Number(text)) : ((byte)Number(text[..colon]), Number(text[(colon + 1)..]));
    }

    /// <summary>All rows, by what is asked for more seldom than encodings.</summary>
    private static class Whole
    {
        internal static readonly Operator[] All = Read();
        internal static readonly Dictionary<string, Operator> ByMnemonic = Name();
        internal static readonly Operator?[] ById = Identify();

        private static Operator[] Read()
        {
            var all = new Operator[Rows.Count];
            for (int i = 0; i < all.Length; i++) all[i] = Find(Rows[i].Prefix, Rows[i].Code)!;
            return all;
        }

        private static Dictionary<string, Operator> Name()
        {
            var known = new Dictionary<string, Operator>(All.Length);
            foreach (Operator op in All) known.Add(op.Mnemonic, op);
            return known;
        }

        private static Operator?[] Identify()
        {
            var known = new Operator?[Enum.GetValues<OpId>().Length];
            foreach (Operator op in All)
                if (op.Id != OpId.Plain) known[(int)op.Id] = op;
            return known;
        }
    }

    /// <summary>Stands for the address type of the memory or table that the immediates name.</summary>
    internal static ValType At => ValType.Bottom;

    internal static IReadOnlyList<Operator> All => Whole.All;

    /// <summary>The operator of an encoding, or null. The prefix is 0 for operators without one.</summary>
    internal static Operator? Find(byte prefix, uint code)
    {
        Operator?[]? codes = ByCode[prefix];
        return codes is null || code >= (uint)codes.Length ? null : codes[code] ?? Make(prefix, code);
    }

    /// <summary>The operators without prefix by their byte, as far as they have been asked for.</summary>
    internal static Operator?[] OneByte => ByCode[0]!;

    /// <summary>The operator that has an id of its own.</summary>
    internal static Operator Of(OpId id) => Whole.ById[(int)id]!;

    internal static Operator? Find(string mnemonic) => Whole.ByMnemonic.GetValueOrDefault(mnemonic);

    internal static Operator? Find(ReadOnlySpan<char> mnemonic) =>
        Whole.ByMnemonic.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(mnemonic, out Operator? op) ? op : null;

    private static Operator? Make(byte prefix, uint code)
    {
        int row = RowByCode[prefix]![code];
        if (row == 0) return null;
        lock (Gate)
        {
            ref Operator? op = ref ByCode[prefix]![code];
            if (op is null)
            {
                Operator made = Parse(Rows[row - 1].Text.Trim());
                made.Base?.AddForm(made);
                Volatile.Write(ref op, made);
            }
            return op;
        }
    }

    /// <summary>The operator whose word a form of it shares; its row is before that of the form.</summary>
    private static Operator? FindBase(ReadOnlySpan<char> mnemonic)
    {
        foreach (Row row in Rows)
        {
            ReadOnlySpan<char> line = row.Text;
            Next(ref line);
            if (Next(ref line).SequenceEqual(mnemonic)) return Find(row.Prefix, row.Code);
        }
        return null;
    }

    /// <summary>The texts of all rows.</summary>
    internal static IEnumerable<string> Texts => Rows.Select(row => row.Text.Trim().ToString());

    /// <summary>Reads a row, and finds out whether it contradicts itself. It becomes no part of the table.</summary>
    /// <exception cref="FormatException">The row is wrong; a word that was forgotten is one reason.</exception>
    internal static Operator Parse(ReadOnlySpan<char> line)
    {
        (byte prefix, uint code) = Encoding(Next(ref line));
        string mnemonic = Next(ref line).ToString();

        var immediates = ImmutableArray.CreateBuilder<Immediate>(2);
        ReadOnlySpan<char> words = Column(ref line);
        while (Next(ref words) is { IsEmpty: false } word)
            if (word is not "-") immediates.Add(ParseImmediate(word));

        ReadOnlySpan<char> signature = Column(ref line);
        // The text behind the star is for people: the validator works out the types.
        bool hasSignature = !signature.StartsWith('*');
        var types = ImmutableArray.CreateBuilder<ValType>(4);
        ImmutableArray<ValType> parameters = ValTypes.None;
        if (hasSignature)
        {
            words = signature;
            while (Next(ref words) is { IsEmpty: false } word)
            {
                if (word is "->")
                {
                    parameters = Finished(types);
                    types.Clear();
                }
                else
                {
                    types.Add(ParseType(word));
                }
            }
        }
        ReadOnlySpan<char> proposal = Next(ref line);
        string emission = Next(ref line).ToString();
        RowWords last = ParseWords(mnemonic, line.Trim());
        var op = new Operator
        {
            Prefix = prefix,
            Code = code,
            Mnemonic = mnemonic,
            Immediates = immediates.Count == 0 ? NoImmediates : immediates.ToImmutable(),
            Params = parameters,
            Results = Finished(types),
            HasSignature = hasSignature,
            TypeText = hasSignature ? "" : signature[1..].Trim().ToString(),
            Id = emission == "custom" ? IdOf(mnemonic) : OpId.Plain,
            Proposal = Proposal.Of(proposal),
            Traits = last.Traits,
            Operation = last.Operation,
            Lanes = last.Lanes,
            Form = last.Form,
            Base = last.Base,
            Emission = emission,
            Cost = last.Cost ?? (emission == "custom" ? throw new FormatException($"The row of {mnemonic} does not say what it costs.") : OperatorCost.One),
        };
        if (!last.HasOperation && (emission.StartsWith("call:", StringComparison.Ordinal) || emission.StartsWith("vec:", StringComparison.Ordinal))
            && !op.Has(OpTraits.ReadsMemory | OpTraits.WritesMemory))
            throw new FormatException($"The row of {mnemonic} does not say what it computes; 'is:none' says that the emitter need not know.");
        Check(op, line);
        return op;
    }

    private static readonly ImmutableArray<Immediate> NoImmediates = ImmutableCollectionsMarshal.AsImmutableArray(Immediates(0));

    private static Immediate[] Immediates(int count) => new Immediate[count];

    private static ImmutableArray<ValType> Finished(ImmutableArray<ValType>.Builder types) => types.Count == 0 ? ValTypes.None : types.ToImmutable();

    /// <summary>What the words behind the emission say.</summary>
    private record struct RowWords(OpTraits Traits, bool HasOperation, Operation Operation, LaneShape Lanes, OpForm Form, Operator? Base, OperatorCost? Cost);

    /// <summary>
    /// Reads the words behind the emission: traits with commas between them, '-' for none. Words with a colon say what the operator costs
    /// (<c>cost:</c>), what it computes (<c>is:</c>), on which lanes (<c>lanes:</c>), or that it is a form of another operator. The method that a row
    /// names does not show what it computes: such a row must say it, if only <c>is:none</c>.
    /// </summary>
    private static RowWords ParseWords(string mnemonic, ReadOnlySpan<char> text)
    {
        var words = default(RowWords);
        while (!text.IsEmpty)
        {
            int end = text.IndexOfAny(' ', ',');
            ReadOnlySpan<char> word = end < 0 ? text : text[..end];
            text = end < 0 ? [] : text[(end + 1)..];
            if (word is "" or "-") continue;
            int colon = word.IndexOf(':');
            ReadOnlySpan<char> value = word[(colon + 1)..];
            switch (colon < 0 ? "" : word[..colon])
            {
                case "": words.Traits |= TraitOf(value); break;
                case "cost": words.Cost = OperatorCost.Parse(value); break;
                case "is":
                    words.HasOperation = true;
                    if (value is not "none") words.Operation = EnumNames<Operation>.Of(value);
                    break;
                case "lanes": words.Lanes = EnumNames<LaneShape>.Of(value); break;
                case var form:
                    words.Form = EnumNames<OpForm>.Of(form);
                    words.Base = FindBase(value) ?? throw new FormatException($"{mnemonic} is a form of an operator that is not before it: {word}.");
                    break;
            }
        }
        return words;
    }

    // Reflection on an enumeration would take a twentieth of the start of an empty program, so words that every program meets are found without it.

    /// <summary>The trait of a word.</summary>
    internal static OpTraits TraitOf(ReadOnlySpan<char> word) => word switch
    {
        "opens" => OpTraits.Opens,
        "divides" => OpTraits.Divides,
        "closes" => OpTraits.Closes,
        "loops" => OpTraits.Loops,
        "handles" => OpTraits.Handles,
        "branches" => OpTraits.Branches,
        "ends" => OpTraits.Ends,
        "throws" => OpTraits.Throws,
        "calls" => OpTraits.Calls,
        "constant" => OpTraits.Constant,
        "reads-memory" => OpTraits.ReadsMemory,
        "writes-memory" => OpTraits.WritesMemory,
        "reads-table" => OpTraits.ReadsTable,
        "writes-table" => OpTraits.WritesTable,
        "reads-global" => OpTraits.ReadsGlobal,
        "writes-global" => OpTraits.WritesGlobal,
        "reads-local" => OpTraits.ReadsLocal,
        "writes-local" => OpTraits.WritesLocal,
        "reads-field" => OpTraits.ReadsField,
        "writes-field" => OpTraits.WritesField,
        "reads-element" => OpTraits.ReadsElement,
        "writes-element" => OpTraits.WritesElement,
        "atomic" => OpTraits.Atomic,
        "signed" => OpTraits.Signed,
        "unsigned" => OpTraits.Unsigned,
        "reads-low" => OpTraits.ReadsLow,
        "absorbs" => OpTraits.Absorbs,
        _ => throw new FormatException($"There is no trait '{word}'."),
    };

    private static OpId IdOf(string mnemonic)
    {
        switch (mnemonic)
        {
            case "end": return OpId.End;
            case "block": return OpId.Block;
            case "loop": return OpId.Loop;
            case "if": return OpId.If;
            case "else": return OpId.Else;
            case "br": return OpId.Br;
            case "br_if": return OpId.BrIf;
            case "return": return OpId.Return;
            case "call": return OpId.Call;
            case "local.get": return OpId.LocalGet;
            case "local.set": return OpId.LocalSet;
            case "local.tee": return OpId.LocalTee;
            case "i32.const": return OpId.I32Const;
        }
        Span<char> name = stackalloc char[mnemonic.Length];
        int length = 0;
        foreach (char c in mnemonic)
            if (c is not ('.' or '_')) name[length++] = c;
        return EnumNames<OpId>.Of(name[..length]);
    }

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
        if (op.Group == OpGroup.Exceptions && !op.Has(OpTraits.Throws | OpTraits.Handles)) throw Wrong("is about exceptions, but neither throws nor handles one");
        if (op.Group == OpGroup.Calls && !op.Has(OpTraits.Calls)) throw Wrong("is a call, but does not say so");
        if (op.MemArg is not null && op.HasSignature && op.Results.IsEmpty != ((op.Traits & (OpTraits.ReadsMemory | OpTraits.WritesMemory)) == OpTraits.WritesMemory))
            throw Wrong("an access without a result must write, and one with a result must read");
        if (op.Base is { } other && (op.Traits & Accesses) != (other.Traits & Accesses) && op.Form == OpForm.Ref)
            throw Wrong($"does not access what {other.Mnemonic} accesses");

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

    private static uint Number(ReadOnlySpan<char> text) => text.StartsWith("0x", StringComparison.Ordinal) ? Number(text[2..], 16) : Number(text, 10);

    private static uint Number(ReadOnlySpan<char> digits, uint numberBase)
    {
        uint number = 0;
        foreach (char c in digits)
        {
            uint digit = c <= '9' ? (uint)(c - '0') : (uint)((c | 0x20) - 'a' + 10);
            if (digit >= numberBase) throw new FormatException($"Not a number: {digits}");
            number = (number * numberBase) + digit;
        }
        return number;
    }

    private static Immediate ParseImmediate(ReadOnlySpan<char> text)
    {
        int colon = text.IndexOf(':');
        int number = colon < 0 ? 0 : int.Parse(text[(colon + 1)..], CultureInfo.InvariantCulture);
        ReadOnlySpan<char> name = colon < 0 ? text : text[..colon];
        return new Immediate(name switch
        {
            "block" => ImmediateKind.BlockType,
            "mem" => ImmediateKind.Memory,
            "label" => ImmediateKind.Label,
            "func" => ImmediateKind.Func,
            "global" => ImmediateKind.Global,
            "local" => ImmediateKind.Local,
            "memarg" => ImmediateKind.MemArg,
            "i32" => ImmediateKind.I32,
            _ => EnumNames<ImmediateKind>.Of(name),
        }, number);
    }

    private static ValType ParseType(ReadOnlySpan<char> text) => text switch
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
}
