using System.Reflection.Emit;

namespace WasmJit.Jit;

/// <summary>Locals and globals (spec 4.6.5).</summary>
internal sealed partial class FunctionEmitter
{
    private void LocalGet(uint local)
    {
        stack.Push(current.Locals[local]);
        NoteRead(local);
    }

    private void StoreLocal(int place)
    {
        (bool isArg, int index) = places[place];
        if (isArg) il.Starg(index);
        else il.Stloc(index);
    }

    private void LocalSet(uint local)
    {
        int place = current.Locals[local].Index;
        if (IsLocal(stack[0], place))
        {
            stack.Remove();
            return;
        }
        StoreRotation(place);
        stack.BeforeWrite(place, below: 1);
        stack.TakeHidden(1);
        BeforeLocalStore(current.Locals[local]);
        NoteWrite(local);
        StoreLocal(place);
    }

    private void LocalTee(uint local)
    {
        int place = current.Locals[local].Index;
        if (IsLocal(stack[0], place)) return;
        ValType type = stack[0].Type;
        StoreRotation(place);
        stack.BeforeWrite(place, below: 1);
        stack.TakeHidden(1);
        BeforeLocalStore(current.Locals[local]);
        NoteWrite(local);
        StoreLocal(place);
        stack.PushLocal(type, place);
    }

    private static bool IsLocal(in Operand operand, int place) => operand.Kind == OperandKind.Local && operand.Index == place;

    private bool IsOwnNumber(int global) => global >= module.ImportedGlobals && !module.Globals[global].Type.Type.IsRef;

    /// <summary>Pushes the address of a numeric global, after <paramref name="at"/>.</summary>
    private int GlobalAddressAt(int at, int global)
    {
        current.Use.UsesMemory = true;
        at = LoadInstanceAt(at);
        if (IsOwnNumber(global))
        {
            at = il.FieldAt(at, OpCodes.Ldfld, Members.GlobalData);
            int offset = (global - module.ImportedGlobals) * 16;
            if (offset == 0) return at;
            at = il.LdcI4At(at, offset);
            return il.EmitAt(at, OpCodes.Add);
        }
        at = LoadElementAt(at, Members.Globals, global);
        return il.FieldAt(at, OpCodes.Ldfld, Members.GlobalAddress);
    }

    private void GlobalGet(int global)
    {
        if (TryReadGlobalOnce(global)) return;
        ValType type = module.Globals[global].Type.Type;
        int start = il.Tail;
        if (type.IsRef)
        {
            LoadInstanceElement(Members.Globals, global);
            il.Field(OpCodes.Ldfld, Signature.IsFunc(type) ? Members.GlobalFunc : Members.GlobalRef);
        }
        else
        {
            GlobalAddressAt(start, global);
            switch (type.Kind)
            {
                case ValKind.I32: il.Emit(OpCodes.Ldind_I4); break;
                case ValKind.I64: il.Emit(OpCodes.Ldind_I8); break;
                case ValKind.F32: il.Emit(OpCodes.Ldind_R4); break;
                case ValKind.F64: il.Emit(OpCodes.Ldind_R8); break;
                default: il.TypeOp(OpCodes.Ldobj, Signature.ClrType(type)); break;
            }
        }
        stack.PushStack(type, start);
    }

    private void GlobalSet(int global)
    {
        ValType type = module.Globals[global].Type.Type;
        int start = stack.Take(1);
        if (type.IsRef)
        {
            LoadElementAt(LoadInstanceAt(start), Members.Globals, global);
            il.Field(OpCodes.Stfld, Signature.IsFunc(type) ? Members.GlobalFunc : Members.GlobalRef);
            return;
        }
        GlobalAddressAt(start, global);
        switch (type.Kind)
        {
            case ValKind.I32: il.Emit(OpCodes.Stind_I4); break;
            case ValKind.I64: il.Emit(OpCodes.Stind_I8); break;
            case ValKind.F32: il.Emit(OpCodes.Stind_R4); break;
            case ValKind.F64: il.Emit(OpCodes.Stind_R8); break;
            default: il.TypeOp(OpCodes.Stobj, Signature.ClrType(type)); break;
        }
    }
}
