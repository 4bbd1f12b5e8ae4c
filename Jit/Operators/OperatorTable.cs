using System.Collections.Immutable;
using System.Globalization;

namespace WasmJit.Jit;

/// <summary>
/// Every operator of Wasm 3.0, threads, wide arithmetic, custom descriptors, legacy exceptions and the runtime-linking
/// extension, one row each: the only place that knows mnemonic, encoding, immediates, stack signature, proposal and
/// emission. Decoder, validator, emitter, text reader, printer and the reference page read it.
/// </summary>
internal static partial class OperatorTable
{
    private static readonly Operator?[][] ByCode = new Operator?[256][];
    private static readonly Dictionary<string, Operator> ByMnemonic = new(700);
    private static readonly List<Operator> Rows = new(700);

    private static readonly string[] CompiledProposals =
    [
        "core", "sign-extension", "sat-float-to-int", "bulk-memory", "reference-types", "function-references", "tail-call",
        "gc", "simd", "relaxed-simd", "exceptions", "legacy-exceptions", "threads", "custom-descriptors",
        "wide-arithmetic", "runtime-linking", "runtime-compile",
    ];

    static OperatorTable()
    {
        foreach (string part in new[] { Core, Gc, Simd, Atomics, Linking })
            foreach (ReadOnlySpan<char> line in part.AsSpan().EnumerateLines())
                Add(line);
    }

    /// <summary>Stands for the address type of the memory or table that the immediates name.</summary>
    internal static ValType At => ValType.Bottom;

    internal static IReadOnlyList<Operator> All => Rows;

    /// <summary>The operator of an encoding, or null. Prefix 0 is none.</summary>
    internal static Operator? Find(byte prefix, uint code)
    {
        Operator?[]? codes = ByCode[prefix];
        return codes is not null && code < (uint)codes.Length ? codes[code] : null;
    }

    /// <summary>The operators without prefix by their byte.</summary>
    internal static Operator?[] OneByte => ByCode[0];

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
        string emission = line.Trim().ToString();
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
            Proposal = proposal,
            Feature = FeatureOf(proposal),
            IsCompiled = Array.IndexOf(CompiledProposals, proposal) >= 0,
            Emission = emission,
        };
        Rows.Add(op);
        ByMnemonic.Add(mnemonic, op);
        Operator?[] codes = ByCode[prefix] ?? [];
        if (code >= codes.Length) Array.Resize(ref codes, prefix == 0 ? 256 : 320);
        codes[code] = op;
        ByCode[prefix] = codes;
    }

    private static Features FeatureOf(string proposal) => proposal switch
    {
        "reference-types" => Features.ReferenceTypes,
        "simd" => Features.Simd,
        "relaxed-simd" => Features.RelaxedSimd,
        "tail-call" => Features.TailCalls,
        "function-references" => Features.FunctionReferences,
        "gc" => Features.Gc,
        "exceptions" => Features.Exceptions,
        "legacy-exceptions" => Features.LegacyExceptions,
        "threads" => Features.Threads,
        "wide-arithmetic" => Features.WideArithmetic,
        "custom-descriptors" => Features.CustomDescriptors,
        _ => Features.None,
    };

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
