using WasmJit.Jit.Format;

namespace WasmJit.Jit.Binary;

/// <summary>An import; single-level ones, of the runtime-linking extension, have no second name.</summary>
internal sealed record ImportInfo(string Module, string? Name, ExternType Type, int Offset)
{
    /// <summary>Its place among the imports.</summary>
    internal int Number { get; init; }

    /// <summary>Its index in the index space of its kind.</summary>
    internal int Index { get; init; }

    /// <summary>The names as messages show them.</summary>
    internal string Names => Name is null ? $"\"{Module}\"" : $"\"{Module}\" \"{Name}\"";
}

internal readonly record struct LocalRun(int Count, ValType Type);

/// <summary>A function; imported ones have no body.</summary>
internal sealed class FuncInfo(DefType type, bool isImported, bool isExact = true)
{
    internal DefType Type { get; } = type;

    /// <summary>
    /// Whether it has exactly its type, and no proper subtype. True for functions that the module defines, and for imports that say so.
    /// </summary>
    internal bool IsExact { get; } = isExact;
    internal FuncType Func => (FuncType)Type.Composite;
    internal bool IsImported { get; } = isImported;
    internal int BodyStart { get; private set; }
    internal int BodyEnd { get; private set; }

    private ModuleInfo? module;
    private LocalRun[]? locals;
    private int codeStart;

    internal void SetBody(ModuleInfo owner, int start, int end) => (module, BodyStart, BodyEnd) = (owner, start, end);

    /// <summary>Where the locals' declarations end and the code begins.</summary>
    /// <exception cref="MalformedModuleException">The declarations are malformed; in a valid module they are not.</exception>
    internal int CodeStart
    {
        get
        {
            _ = Locals;
            return codeStart;
        }
    }

    private static readonly LocalRun[] NoLocals = Runs(0);

    private static LocalRun[] Runs(int count) => new LocalRun[count];

    /// <summary>The locals. They are read when they are asked for: most functions of a large module never are.</summary>
    /// <exception cref="MalformedModuleException">The declarations are malformed; in a valid module they are not.</exception>
    internal LocalRun[] Locals
    {
        get
        {
            if (Volatile.Read(ref locals) is { } known) return known;
            if (module is null) return [];
            var runs = new List<LocalRun>(1);
            codeStart = ModuleDecoder.ReadLocals(module, this, runs);
            LocalRun[] read = runs.Count == 0 ? NoLocals : [.. runs];
            Volatile.Write(ref locals, read);
            return read;
        }
    }

    /// <summary>Whether <c>ref.func</c> may name it (spec 3.4.10): exports, element segments and constant expressions do.</summary>
    internal bool IsDeclared { get; private set; }

    internal void Declare() => IsDeclared = true;
}

/// <summary>A recursion group that was written as a group.</summary>
/// <param name="First">Its first type.</param>
/// <param name="Count">How many it has.</param>
internal readonly record struct WrittenGroup(int First, int Count);

/// <summary>A constant expression: a range of the module's bytes, its <c>end</c> included.</summary>
internal readonly record struct ConstExpr(int Start, int End)
{
    /// <summary>
    /// Reads an expression that is one <c>i32.const</c>, as programs have thousands before their data and in globals. Nothing else of the operators is needed for it.
    /// </summary>
    /// <param name="code">What begins with the expression.</param>
    /// <param name="value">The constant.</param>
    /// <returns>The length of the expression; 0 if it is another one, or malformed.</returns>
    internal static int LengthOfConstant(ReadOnlySpan<byte> code, out int value)
    {
        const int MostBytes = 5, Bits = 7, More = 1 << Bits, Sign = More >> 1;
        value = 0;
        if (code.IsEmpty || code[0] != Opcode.I32Const) return 0;
        for (int i = 0; i < MostBytes && i + 2 < code.Length; i++)
        {
            int next = code[i + 1];
            value |= (next & (More - 1)) << (Bits * i);
            if (next >= More) continue;
            // The bits of the last byte that no number of 32 bits has must be those of its sign.
            if (i == MostBytes - 1 && next >> 3 is not (0 or (More - 1) >> 3)) return 0;
            if ((next & Sign) != 0 && i < MostBytes - 1) value |= -1 << (Bits * (i + 1));
            return code[i + 2] == Opcode.End ? i + 3 : 0;
        }
        return 0;
    }
}

internal sealed record TableInfo(TableType Type, ConstExpr? Init, int Offset);

internal sealed record GlobalInfo(GlobalType Type, ConstExpr Init, int Offset);

internal sealed record ExportInfo(string Name, ExternKind Kind, uint Index, int Offset);

internal enum SegmentMode : byte { Passive, Active, Declarative }

internal sealed class ElemInfo
{
    internal required SegmentMode Mode { get; init; }
    internal required ValType Type { get; init; }
    internal required int Offset { get; init; }
    internal uint Table { get; init; }

    /// <summary>Whether the table is given. Index 0 need not be.</summary>
    internal bool HasTable { get; init; }
    internal ConstExpr Where { get; init; }

    /// <summary>Function indices; or null, and <see cref="Exprs"/> has expressions.</summary>
    internal uint[]? Funcs { get; init; }
    internal ConstExpr[] Exprs { get; init; } = NoExprs;

    /// <summary>No expressions. What .NET has for empty arrays is compiled for each structure of ours.</summary>
    internal static ConstExpr[] NoExprs { get; } = Some(0);

    private static ConstExpr[] Some(int count) => new ConstExpr[count];

    internal int Count => Funcs?.Length ?? Exprs.Length;
}

/// <summary>A data segment. It is no object: programs have ten thousands.</summary>
internal readonly record struct DataInfo(SegmentMode Mode, uint Memory, ConstExpr Where, int Start, int Length, int Offset);

/// <summary>A custom section, and the id of the last other section before it (0 if none).</summary>
internal sealed record CustomSectionInfo(string Name, int Start, int Length, byte After);

/// <summary>An error in a custom section, and where it is.</summary>
internal sealed record CustomProblem(string Reason, long Offset);
