using System.Reflection.Emit;

namespace WasmJit.Jit;

/// <summary>Locals and globals (spec 4.6.5).</summary>
internal sealed partial class FunctionEmitter
{
    private void LocalGet(uint local) => stack.PushLocal(LocalType(local), local);

    private ValType LocalType(uint local)
    {
        FuncType type = func.Func;
        if (local < type.Params.Length) return type.Params[(int)local];
        int rest = (int)local - type.Params.Length;
        foreach (LocalRun run in func.Locals)
        {
            if (rest < run.Count) return run.Type;
            rest -= run.Count;
        }
        throw new InvalidOperationException("The function has not been validated.");
    }

    private void StoreLocal(uint local)
    {
        (bool isArg, int index) = LocalOf(local);
        if (isArg) il.Starg(index);
        else il.Stloc(index);
    }

    private void LocalSet(uint local)
    {
        if (stack[0].Kind == OperandKind.Local && stack[0].Index == (int)local)
        {
            stack.Remove();
            return;
        }
        stack.BeforeWrite(local, below: 1);
        stack.Take(1);
        StoreLocal(local);
    }

    private void LocalTee(uint local)
    {
        if (stack[0].Kind == OperandKind.Local && stack[0].Index == (int)local) return;
        ValType type = stack[0].Type;
        stack.BeforeWrite(local, below: 1);
        stack.Take(1);
        StoreLocal(local);
        stack.PushLocal(type, local);
    }

    private bool IsOwnNumber(int global) => global >= module.ImportedGlobals && !module.Globals[global].Type.Type.IsRef;

    /// <summary>Pushes the address of a numeric global, after <paramref name="at"/>.</summary>
    private int GlobalAddressAt(int at, int global)
    {
        usesMemory = true;
        at = il.LdargAt(at, 0);
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
            LoadElementAt(il.LdargAt(start, 0), Members.Globals, global);
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
