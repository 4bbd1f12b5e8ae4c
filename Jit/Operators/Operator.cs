using System.Collections.Immutable;
using WasmJit.Jit.Format;
using WasmJit.Runtime;

namespace WasmJit.Jit.Operators;

/// <summary>The kinds of immediates behind an opcode, in the order of its row.</summary>
internal enum ImmediateKind : byte
{
    BlockType, Label, Labels, Func, Type, Table, Memory, Global, Local, Tag, Elem, Data, Module, Instance, Scope, Field, Count, Name,
    MemArg, Lane, Lanes16, I32, I64, F32, F64, V128, ValTypes, HeapType, RefType, NullRefType, CastFlags, Catches, Zero,
}

/// <summary>An immediate: its kind, and the natural alignment (log2) of a memarg or the number of lanes.</summary>
internal readonly record struct Immediate(ImmediateKind Kind, int Number);

/// <summary>How the immediates of an operator are read: at once those that most code consists of.</summary>
internal enum ImmediateForm : byte
{
    None,

    /// <summary>One index.</summary>
    Index,
    MemArg,
    I32,

    /// <summary>One by one, by their kinds.</summary>
    Any,
}

/// <summary>An operator: a row of the table.</summary>
internal sealed class Operator
{
    internal required byte Prefix { get; init; }
    internal required uint Code { get; init; }
    internal required string Mnemonic { get; init; }
    internal required ImmutableArray<Immediate> Immediates
    {
        get;
        init
        {
            field = value;
            Reading = value.IsEmpty ? ImmediateForm.None : value.Length > 1 ? ImmediateForm.Any : FormOf(value[0].Kind);
            if (Reading == ImmediateForm.MemArg) NaturalAlignment = value[0].Number;
            foreach (Immediate immediate in value)
            {
                HasCheckedImmediates |= immediate.Kind is ImmediateKind.MemArg or ImmediateKind.Memory or ImmediateKind.Lane or ImmediateKind.Lanes16;
                HasLane |= immediate.Kind == ImmediateKind.Lane;
            }
        }
    }

    /// <summary>How its immediates are read.</summary>
    internal ImmediateForm Reading { get; private set; }

    /// <summary>log2 of the natural alignment, if a memarg is all that it has.</summary>
    internal int NaturalAlignment { get; private set; }

    private static ImmediateForm FormOf(ImmediateKind kind) => kind switch
    {
        ImmediateKind.Label or ImmediateKind.Func or ImmediateKind.Global or ImmediateKind.Local => ImmediateForm.Index,
        ImmediateKind.MemArg => ImmediateForm.MemArg,
        ImmediateKind.I32 => ImmediateForm.I32,
        _ => ImmediateForm.Any,
    };

    /// <summary>Operand types of a plain operator; an address is <see cref="ValType.Bottom"/>, see <see cref="OperatorTable.At"/>.</summary>
    internal required ImmutableArray<ValType> Params { get; init; }
    internal required ImmutableArray<ValType> Results { get; init; }

    /// <summary>For the reference page: operands, an arrow, results, where they depend on more than the row; may be empty.</summary>
    internal required string TypeText { get; init; }

    /// <summary>Whether the row gives the whole stack signature.</summary>
    internal required bool HasSignature { get; init; }

    /// <summary>Names the operator in the code that treats it apart; <see cref="OpId.Plain"/> for all others.</summary>
    internal required OpId Id
    {
        get;
        init
        {
            field = value;
            Group = OpGroups.Of(value);
        }
    }

    /// <summary>Which methods of validator and emitter handle it.</summary>
    internal OpGroup Group { get; private init; }

    internal required Proposal Proposal
    {
        get;
        init
        {
            field = value;
            IsRestricted = value.IsLinking || value.Feature != Features.None;
        }
    }

    /// <summary>Whether a module may be refused because of it.</summary>
    internal bool IsRestricted { get; private init; }

    /// <summary>The host can switch this off, and the operator with it; <see cref="Features.None"/> if it cannot.</summary>
    internal Features Feature => Proposal.Feature;

    internal required OpTraits Traits { get; init; }

    /// <summary>What it computes, where that is of interest.</summary>
    internal Operation Operation { get; init; }

    /// <summary>What it compares if it is a comparison of integers, otherwise null. The opcodes of each type stand in the order of the enumeration.</summary>
    internal IntegerComparison? Comparison => Operation != Operation.Compare ? null : Params[0].Kind switch
    {
        ValKind.I32 => (IntegerComparison)(Code - Opcode.I32Eqz),
        ValKind.I64 => (IntegerComparison)(Code - Opcode.I64Eqz),
        _ => null,
    };

    /// <summary>Whether its operands are of the type i32, and it computes this.</summary>
    internal bool IsOfI32(Operation operation) => Operation == operation && Params[0] == ValType.I32;

    /// <summary>The lanes as which it takes vectors.</summary>
    internal LaneShape Lanes { get; init; }

    /// <summary>The bits of such a lane.</summary>
    internal int LaneBits => Lanes switch
    {
        LaneShape.I8x16 => 8,
        LaneShape.I16x8 => 16,
        LaneShape.I32x4 or LaneShape.F32x4 => 32,
        LaneShape.I64x2 or LaneShape.F64x2 => 64,
        LaneShape.None => 0,
    };

    /// <summary>What it adds to the word of <see cref="Base"/> in the text format.</summary>
    internal OpForm Form { get; init; }

    /// <summary>The operator with whose word it is written in text; null if it has its own.</summary>
    internal Operator? Base { get; init; }

    /// <summary>The first word of the operator in the text format.</summary>
    internal string Word => Base?.Mnemonic ?? Mnemonic;

    /// <summary>Whether it has one of these traits.</summary>
    internal bool Has(OpTraits traits) => (Traits & traits) != 0;

    /// <summary>Whether its memories and tables are behind references: its immediates name their types, and references lie below the operands.</summary>
    internal bool IsThroughReference => Form == OpForm.Ref;

    /// <summary>
    /// Whether its work may charge fuel, run functions, or wait, so that nothing is known behind it of what other code changes. Operators of runtime linking all
    /// count: their helpers go through the engine.
    /// </summary>
    internal bool RunsOtherCode => Has(OpTraits.Calls) || Cost.Unit >= CostUnit.Bytes || Group is OpGroup.Linking or OpGroup.Modules or OpGroup.Waits;

    /// <summary>Whether it is a tail call.</summary>
    internal bool IsTailCall => (Traits & (OpTraits.Calls | OpTraits.Ends)) == (OpTraits.Calls | OpTraits.Ends);

    /// <summary>Whether immediates of a plain operator need more than decoding: memories, lanes.</summary>
    internal bool HasCheckedImmediates { get; private set; }

    /// <summary>Whether one of them is a lane.</summary>
    internal bool HasLane { get; private set; }

    /// <summary>
    /// The operator that has this one's word and adds a form to it; null if there is none. All rows must have been read. That is so if this operator
    /// was found by its word.
    /// </summary>
    internal Operator? WithForm(OpForm form)
    {
        foreach (Operator op in forms)
            if (op.Form == form) return op;
        return null;
    }

    internal void AddForm(Operator op) => forms = [.. forms, op];

    private Operator[] forms = [];

    /// <summary>How it is emitted; parsed at first use by the emitter.</summary>
    internal required string Emission { get; init; }

    /// <summary>Its price in fuel. Operators whose emission is a fixed sequence of instructions cost one unit.</summary>
    internal required OperatorCost Cost { get; init; }

    /// <summary>The parsed emission, kept by the emitter.</summary>
    internal Emission? EmissionCache;

    internal Immediate? MemArg
    {
        get
        {
            foreach (Immediate i in Immediates)
                if (i.Kind == ImmediateKind.MemArg) return i;
            return null;
        }
    }

    public override string ToString() => Mnemonic;
}
