using System.Reflection.Emit;
using WasmJit.Jit.Calls;
using WasmJit.Jit.Il;
using WasmJit.Runtime;

namespace WasmJit.Jit.Emit;

/// <summary>
/// For the verifying mode: operands wait in temporaries, or in locals that are read later. A second IL local, which nothing else uses, keeps the value of each, and the two are compared
/// where the operand is loaded.
/// </summary>
internal sealed class Shadows(IlBuffer il, OperandStack stack)
{
    /// <summary>IL can have 65,535 locals. Larger functions go without shadows from there on.</summary>
    private const int MostLocals = 30_000;

    /// <summary>What assertions begin with: the operator and its place.</summary>
    internal string Where { get; set; } = "";

    /// <summary>Keeps the value of an operand that has none yet, from a position on where it is in its place; gives the new position.</summary>
    internal int Keep(ref Operand operand, int at)
    {
        if (operand.Shadow != 0 || operand.Kind is not (OperandKind.Temp or OperandKind.Local) || il.Locals.Count > MostLocals) return at;
        int shadow = il.DeclareLocal(Signature.ClrType(operand.Type));
        operand.Shadow = shadow + 1;
        return il.StlocAt(stack.LoadPlaceAt(at, operand), shadow);
    }

    /// <summary>Compares the value of an operand, which is on the IL stack and stays there, with what it was.</summary>
    internal int CompareAt(int at, in Operand operand)
    {
        if (operand.Shadow == 0) return at;
        at = il.EmitAt(at, OpCodes.Dup);
        at = il.LdlocAt(at, operand.Shadow - 1);
        at = il.LdstrAt(at, Where + (operand.Kind == OperandKind.Local ? "a read of a local that waits" : "an operand in a temporary"));
        return il.CallAt(at, Members.Assertion(operand.Type.Kind switch
        {
            ValKind.I32 => nameof(EmitterAssertions.SameI32),
            ValKind.I64 => nameof(EmitterAssertions.SameI64),
            ValKind.F32 => nameof(EmitterAssertions.SameF32),
            ValKind.F64 => nameof(EmitterAssertions.SameF64),
            ValKind.V128 => nameof(EmitterAssertions.SameV128),
            _ => nameof(EmitterAssertions.SameObject),
        }));
    }
}
