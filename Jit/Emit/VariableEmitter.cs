using System.Reflection;
using System.Reflection.Emit;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Calls;
using WasmJit.Jit.Il;
using WasmJit.Jit.Operators;
using WasmJit.Runtime;

namespace WasmJit.Jit.Emit;

/// <summary>Locals and globals (spec 4.6.5), globals behind references included.</summary>
internal sealed class VariableEmitter(EmitterContext context, Rotations rotations, HiddenZeros zeros, LocalBases bases)
{
    private readonly IlBuffer il = context.Il;
    private readonly OperandStack stack = context.Stack;

    private ModuleInfo module => context.Module;

    internal void LocalGet(uint local)
    {
        stack.Push(context.Current.Locals[local]);
        zeros.NoteRead(local);
    }

    private void StoreLocal(int place)
    {
        (bool isArg, int index) = context.Places[place];
        if (isArg) il.Starg(index);
        else il.Stloc(index);
    }

    /// <summary>Takes the topmost operand into a local.</summary>
    private void StoreTop(uint local, int place)
    {
        rotations.BeforeStore(place);
        (ValueRange Range, int From, ulong Addend) known = context.Known.BeforeWrite();
        stack.BeforeWrite(place, below: 1);
        stack.TakeHidden(1);
        bases.BeforeStore(context.Current.Locals[local]);
        zeros.NoteWrite(local);
        StoreLocal(place);
        context.Known.Write(place, context.Places.TypeOf(place), known);
    }

    internal void LocalSet(uint local)
    {
        int place = context.Current.Locals[local].Index;
        if (IsLocal(stack[0], place))
        {
            stack.Remove();
            return;
        }
        StoreTop(local, place);
    }

    internal void LocalTee(uint local)
    {
        int place = context.Current.Locals[local].Index;
        if (IsLocal(stack[0], place)) return;
        ValType type = stack[0].Type;
        StoreTop(local, place);
        stack.PushLocal(type, place);
    }

    private static bool IsLocal(in Operand operand, int place) => operand.Kind == OperandKind.Local && operand.Index == place;

    private bool IsOwnNumber(int global) => global >= module.ImportedGlobals && !module.Globals[global].Type.Type.IsRef;

    /// <summary>Pushes the address of a numeric global, after <paramref name="at"/>.</summary>
    private int GlobalAddressAt(int at, int global)
    {
        context.Current.Use.UsesMemory = true;
        at = context.LoadInstanceAt(at);
        if (IsOwnNumber(global))
        {
            at = il.FieldAt(at, OpCodes.Ldfld, Members.GlobalData);
            int offset = (global - module.ImportedGlobals) * 16;
            if (offset == 0) return at;
            at = il.LdcI4At(at, offset);
            return il.EmitAt(at, OpCodes.Add);
        }
        at = context.LoadElementAt(at, Members.Globals, global);
        return il.FieldAt(at, OpCodes.Ldfld, Members.GlobalAddress);
    }

    internal void GlobalGet(int global)
    {
        if (bases.TryReadGlobalOnce(global)) return;
        ValType type = module.Globals[global].Type.Type;
        int start = il.Tail;
        if (type.IsRef)
        {
            context.LoadInstanceElement(Members.Globals, global);
            il.Field(OpCodes.Ldfld, Signature.IsFunc(type) ? Members.GlobalFunc : Members.GlobalRef);
        }
        else
        {
            GlobalAddressAt(start, global);
            il.LoadIndirectAt(il.Tail, Signature.ClrType(type));
        }
        stack.PushStack(type, start);
    }

    internal void GlobalSet(int global)
    {
        ValType type = module.Globals[global].Type.Type;
        int start = stack.Take(1);
        if (type.IsRef)
        {
            context.LoadElementAt(context.LoadInstanceAt(start), Members.Globals, global);
            il.Field(OpCodes.Stfld, Signature.IsFunc(type) ? Members.GlobalFunc : Members.GlobalRef);
            return;
        }
        GlobalAddressAt(start, global);
        il.StoreIndirectAt(il.Tail, Signature.ClrType(type));
    }

    /// <summary>The helpers of an operator on globals, by the type of their values.</summary>
    private sealed record GlobalHelpers(string I32, string I64, string F32, string F64, string V128, string Func, string Ref)
    {
        internal MethodInfo Of(ValType type) => Members.GlobalReference(type.Kind switch
        {
            ValKind.I32 => I32,
            ValKind.I64 => I64,
            ValKind.F32 => F32,
            ValKind.F64 => F64,
            ValKind.V128 => V128,
            _ => Signature.IsFunc(type) ? Func : Ref,
        });
    }

    private static readonly GlobalHelpers NewGlobal = new(
        nameof(GlobalReferences.NewI32), nameof(GlobalReferences.NewI64), nameof(GlobalReferences.NewF32), nameof(GlobalReferences.NewF64),
        nameof(GlobalReferences.NewV128), nameof(GlobalReferences.NewFunc), nameof(GlobalReferences.NewRef)),
        GetGlobal = new(
        nameof(GlobalReferences.GetI32), nameof(GlobalReferences.GetI64), nameof(GlobalReferences.GetF32), nameof(GlobalReferences.GetF64),
        nameof(GlobalReferences.GetV128), nameof(GlobalReferences.GetFunc), nameof(GlobalReferences.GetRef)),
        SetGlobal = new(
        nameof(GlobalReferences.SetI32), nameof(GlobalReferences.SetI64), nameof(GlobalReferences.SetF32), nameof(GlobalReferences.SetF64),
        nameof(GlobalReferences.SetV128), nameof(GlobalReferences.SetFunc), nameof(GlobalReferences.SetRef));

    /// <summary>Emits an operator on a global behind a reference.</summary>
    internal bool TryEmitReferences(in Instr instr)
    {
        switch (instr.Id)
        {
            case OpId.GlobalNew:
                {
                    ValType type = context.Entity(instr.A).Global.Type;
                    return context.CallWithIndex(1, instr.A, NewGlobal.Of(type), ValType.Ref(module.Types[(int)instr.A], false));
                }
            case OpId.GlobalGetRef:
                {
                    ValType type = context.Entity(instr.A).Global.Type;
                    return context.CallHelper(1, GetGlobal.Of(type), type);
                }
            case OpId.GlobalSetRef: return context.CallHelper(2, SetGlobal.Of(context.Entity(instr.A).Global.Type));
            default: return false;
        }
    }
}
