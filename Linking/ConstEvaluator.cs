using System.Runtime.Intrinsics;
using WasmJit.Gc;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Operators;
using WasmJit.Runtime;

namespace WasmJit.Linking;

/// <summary>Evaluates constant expressions (spec 3.4.11) of an instance that is being made. Functions are FuncRefs.</summary>
internal static class ConstEvaluator
{
    /// <summary>Evaluates where a segment goes.</summary>
    /// <param name="instance">The instance.</param>
    /// <param name="bytes">The bytes of its module.</param>
    /// <param name="expr">The expression.</param>
    internal static ulong EvaluateAddress(Instance instance, ReadOnlySpan<byte> bytes, ConstExpr expr) =>
        IsConstant(instance, bytes, expr, out int value) ? (uint)value : Address(Evaluate(instance, expr));

    /// <summary>Whether it is one constant, as nearly all are, and need not be paid for.</summary>
    private static bool IsConstant(Instance instance, ReadOnlySpan<byte> bytes, ConstExpr expr, out int value)
    {
        value = 0;
        return instance.FuelTank is null && IsConstant(bytes, expr, out value);
    }

    /// <summary>Whether it is one constant of 32 bits, and which.</summary>
    internal static bool IsConstant(ReadOnlySpan<byte> bytes, ConstExpr expr, out int value) =>
        ConstExpr.LengthOfConstant(bytes[expr.Start..expr.End], out value) == expr.End - expr.Start;

    internal static object? Evaluate(Instance instance, ConstExpr expr)
    {
        ModuleInfo module = instance.Module.Info;
        if (IsConstant(instance, module.Bytes.Span, expr, out int value)) return value;
        var code = new CodeReader(module.Bytes.Span, expr.Start, expr.End);
        var stack = new Stack<object?>();
        Fuel? fuel = instance.FuelTank;
        for (uint read = 1; ; read++)
        {
            if ((read & 0xff) == 0) CancellationScope.ThrowIfStopped();
            code.Read(out Instr instr);
            Fuel.Pay(fuel, (ulong)instr.Op.Cost.Units);
            switch (instr.Id)
            {
                case OpId.End: return stack.Pop();
                case OpId.I32Const: stack.Push((int)instr.Bits); break;
                case OpId.I64Const: stack.Push((long)instr.Bits); break;
                case OpId.F32Const: stack.Push(BitConverter.UInt32BitsToSingle((uint)instr.Bits)); break;
                case OpId.F64Const: stack.Push(BitConverter.UInt64BitsToDouble(instr.Bits)); break;
                case OpId.V128Const: stack.Push(Vector128.Create(instr.Bits, instr.High).AsByte()); break;
                case OpId.RefNull: stack.Push(null); break;
                case OpId.RefFunc: stack.Push(instance.GetFunc((int)instr.A)); break;
                case OpId.GlobalGet:
                    Global global = instance.Globals[(int)instr.A];
                    stack.Push(global.IsFunc ? global.Func : global.Value);
                    break;
                case OpId.RefMemory: stack.Push(instance.Memories[(int)instr.A]); break;
                case OpId.RefTable: stack.Push(instance.Tables[(int)instr.A]); break;
                case OpId.RefGlobal: stack.Push(instance.Globals[(int)instr.A]); break;
                case OpId.RefTag: stack.Push(instance.Tags[(int)instr.A]); break;
                case OpId.RefModule: stack.Push(instance.Modules[(int)instr.A]); break;
                case OpId.RefInstance: stack.Push(instance.InstanceAt((int)instr.A)); break;
                case OpId.RefI31: stack.Push(I31.From((int)stack.Pop()!)); break;
                case OpId.AnyConvertExtern or OpId.ExternConvertAny: break;
                case OpId.StructNew or OpId.StructNewDefault or OpId.StructNewDesc or OpId.StructNewDefaultDesc:
                    NewStruct(ClassOf(module, instr.A), instr.Id, stack, fuel);
                    break;
                case OpId.ArrayNew or OpId.ArrayNewDefault or OpId.ArrayNewFixed:
                    NewArray(ClassOf(module, instr.A), instr, stack, fuel);
                    break;
                default: Arithmetic(instr.Op, stack); break;
            }
        }
    }

    private static GcClass ClassOf(ModuleInfo module, uint type) => GcClass.Of(module.Types[(int)type], module.State.GcBatch);

    private static void NewStruct(GcClass type, OpId op, Stack<object?> stack, Fuel? fuel)
    {
        Fuel.Pay(fuel, (ulong)type.FieldCount);
        WasmStruct made = type.NewStruct();
        if (op is OpId.StructNewDesc or OpId.StructNewDefaultDesc)
            type.Field<object?>(made, type.FieldCount) = Casts.NonNullDescriptor(stack.Pop());
        if (op is OpId.StructNew or OpId.StructNewDesc)
            for (int i = type.FieldCount - 1; i >= 0; i--) GcObjects.SetField(type, made, i, stack.Pop());
        stack.Push(made);
    }

    private static void NewArray(GcClass type, in Instr instr, Stack<object?> stack, Fuel? fuel)
    {
        int length = instr.Id == OpId.ArrayNewFixed ? (int)instr.B : (int)stack.Pop()!;
        Fuel.Pay(fuel, (uint)length);
        object made = type.NewArray(length);
        Array items = GcClass.ItemsOf(made);
        if (instr.Id == OpId.ArrayNew)
        {
            GcObjects.Fill(type, items, stack.Pop());
        }
        else if (instr.Id == OpId.ArrayNewFixed)
        {
            for (int i = length - 1; i >= 0; i--) GcObjects.SetElement(type, items, i, stack.Pop());
        }
        stack.Push(made);
    }

    private static void Arithmetic(Operator op, Stack<object?> stack)
    {
        object b = stack.Pop()!, a = stack.Pop()!;
        stack.Push((op.Operation, op.Params[0].Kind) switch
        {
            (Operation.Add, ValKind.I32) => (int)a + (int)b,
            (Operation.Sub, ValKind.I32) => (int)a - (int)b,
            (Operation.Mul, ValKind.I32) => (int)a * (int)b,
            (Operation.Add, ValKind.I64) => (object)((long)a + (long)b),
            (Operation.Sub, ValKind.I64) => (long)a - (long)b,
            (Operation.Mul, ValKind.I64) => (long)a * (long)b,
            _ => throw new InvalidOperationException($"Constant expressions have no case for {op.Mnemonic}."),
        });
    }

    /// <summary>An address or index: of i32 without sign.</summary>
    internal static ulong Address(object? value) => value is int i ? (uint)i : (ulong)(long)value!;
}
