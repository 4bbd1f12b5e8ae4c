using WasmJit.Jit.Binary;
using WasmJit.Jit.Operators;
using WasmJit.Jit.Validation;

namespace WasmJit.Jit.Emit;

/// <summary>
/// The validator's proof of the operands of the operator that is about to be emitted. It is the validator itself, and the one authority on which the
/// emitter leaves out a check. The emitter's <see cref="Operand"/> says where an operand is and which CLR type holds it, and nothing about what it
/// refers to. The first question starts the validator, which goes through the code up to the operator in question. Most functions ask nothing.
/// </summary>
internal sealed class ProvenTypes(ModuleInfo module, int func)
{
    private FunctionValidator? started;
    private int reached = module.Funcs[func].CodeStart;

    /// <summary>The position of the operator in question. The types are those before it.</summary>
    internal int Position
    {
        get;
        set
        {
            // A loop is emitted again.
            if (value < reached) (started, reached) = (null, module.Funcs[func].CodeStart);
            field = value;
        }
    } = module.Funcs[func].CodeStart;

    private FunctionValidator validator
    {
        get
        {
            if (started is null)
            {
                started = new FunctionValidator(module);
                started.Begin(func);
            }
            if (reached >= Position) return started;
            var code = new CodeReader(module.Bytes.Span, reached, module.Funcs[func].BodyEnd);
            while (code.Position < Position)
            {
                code.Read(out Instr instr);
                started.Step(ref code, ref instr);
            }
            reached = code.Position;
            return started;
        }
    }

    /// <summary>How many operands the function has.</summary>
    internal int Count => validator.Height;

    /// <summary>How many of them belong to the innermost block.</summary>
    internal int CountInBlock => validator.Height - validator.BlockHeight;

    /// <summary>The type of an operand, counted from the top.</summary>
    internal ValType this[int fromTop] => validator.Operand(fromTop);

    /// <summary>Whether an operand is a reference that cannot be null.</summary>
    internal bool IsNonNull(int fromTop)
    {
        ValType type = this[fromTop];
        return type.IsRef && !type.IsNullable;
    }

    /// <summary>Whether whatever an operand refers to, if it is not null, is of a heap type.</summary>
    internal bool RefersTo(int fromTop, HeapType heap)
    {
        ValType type = this[fromTop];
        return type.IsRef && Subtyping.IsSubtype(type.Heap!, heap);
    }

    /// <summary>Whether an operand is equal to another only if both are one object.</summary>
    internal bool IsNeverI31(int fromTop)
    {
        HeapType? heap = this[fromTop].Heap;
        return heap is DefType or ExactType || ReferenceEquals(heap, HeapType.Struct) || ReferenceEquals(heap, HeapType.Array)
            || ReferenceEquals(heap, HeapType.None);
    }

    /// <summary>Whether a local can hold nothing but memories of some type, and null.</summary>
    internal static bool IsMemory(ValType type) =>
        type.IsRef && type.Heap is DefType { Composite: EntityType { Entity.Kind: ExternKind.Memory } };

    /// <summary>Whether a local can hold nothing but slices and null.</summary>
    internal static bool IsSlice(ValType type) => type.IsRef && ReferenceEquals(type.Heap, HeapType.Slice);
}
