using System.Collections.Immutable;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Operators;

namespace WasmJit.Jit.Validation;

/// <summary>Calls (spec 3.4.10): what a callee takes and gives.</summary>
internal sealed class CallValidator(ModuleInfo module, IndexSpaces spaces, TypeStack stack, CodePosition position)
{
    /// <summary>The results of the function that is validated.</summary>
    internal ImmutableArray<ValType> Results { get; set; } = ValTypes.None;

    /// <summary>A call whose other operands have been popped.</summary>
    internal void Call(Operator op, FuncType type)
    {
        stack.Pop(type.Params);
        if (!op.IsTailCall)
        {
            stack.Push(type.Results);
            return;
        }
        if (!module.State.HasTailCalls) module.State.HasTailCalls = true;
        if (type.Results.Length != Results.Length) throw position.Error("type mismatch: the callee's results are not the caller's");
        for (int i = 0; i < Results.Length; i++)
            if (!Subtyping.IsSubtype(type.Results[i], Results[i])) throw position.Error("type mismatch: the callee's results are not the caller's");
    }

    /// <summary>A call through a table, of the module or behind a reference.</summary>
    internal void CallIndirect(Operator op, uint type, uint table)
    {
        TableType callees = spaces.TableOf(op, table);
        if (!Subtyping.IsSubtype(callees.Element, ValType.FuncRef)) throw position.Error("type mismatch: call_indirect through a table that does not hold functions");
        FuncType callee = spaces.FuncTypeOf(type);
        stack.Pop(callees.AddressType);
        if (op.IsThroughReference) stack.Pop(ValType.Ref(spaces.Type(table), true));
        Call(op, callee);
    }

    /// <summary>A call of a reference.</summary>
    internal void CallRef(Operator op, uint type)
    {
        FuncType callee = spaces.FuncTypeOf(type);
        stack.Pop(ValType.Ref(spaces.Type(type), true));
        Call(op, callee);
    }
}
