using System.Runtime.CompilerServices;

namespace WasmJit.Runtime;

internal static unsafe partial class Interpreter
{
    /// <summary>
    /// Runs a function whose arguments are at <paramref name="fp"/> and <paramref name="rp"/>. It returns when the function has, with the results in
    /// the same place, or with <see cref="InterpreterThread.NextCode"/> for the caller to go on with. Without a function a run that an exception has ended goes on in
    /// the handler that <see cref="InterpreterThread.GoesOnAt"/> is.
    /// </summary>
    internal static void Run(InterpreterThread thread, InstanceCore instance, FunctionState* callee, ulong* fp, int rp)
    {
        byte* mem = instance.Memory0Base;
        byte* globals = instance.GlobalData;
        object?[] refs = thread.Refs;
        InterpreterFrame* sp = thread.Sp;
        InterpreterFrame* bottom = sp;
        byte local;
        byte* mark = StackGuard.Map is null ? WasmThread.MarkAddress : StackGuard.Map + ((ulong)&local >> StackGuard.GranuleLog2);
        var start = new Instruction { Op = RegisterOp.Enter };
        Instruction* ip = &start;
        if (callee is null)
        {
            bottom = thread.GoesOnFrom;
            ip = thread.GoesOnAt;
        }
        ulong* nextFp = fp;
        int nextRp = rp;
        FunctionState* function;
        FuncRef target;
        nint code;

        // Whatever may throw notes its instruction first, except for loads and stores: a loop of them would take 1.3 to 1.55 times as long.
        Instruction* at = ip;
        thread.At = &at;

        while (true)
        {
            switch (ip->Op)
            {
                case RegisterOp.I32Load: fp[ip->A] = *(uint*)(mem + *(uint*)(fp + ip->B) + (ulong)ip->Imm); ip++; continue;
                case RegisterOp.I64Load: *(long*)(fp + ip->A) = *(long*)(mem + *(uint*)(fp + ip->B) + (ulong)ip->Imm); ip++; continue;
                case RegisterOp.F32Load: fp[ip->A] = *(uint*)(mem + *(uint*)(fp + ip->B) + (ulong)ip->Imm); ip++; continue;
                case RegisterOp.F64Load: *(long*)(fp + ip->A) = *(long*)(mem + *(uint*)(fp + ip->B) + (ulong)ip->Imm); ip++; continue;
                case RegisterOp.I32Load8S: fp[ip->A] = (uint)*(sbyte*)(mem + *(uint*)(fp + ip->B) + (ulong)ip->Imm); ip++; continue;
                case RegisterOp.I32Load8U: fp[ip->A] = *(byte*)(mem + *(uint*)(fp + ip->B) + (ulong)ip->Imm); ip++; continue;
                case RegisterOp.I32Load16S: fp[ip->A] = (uint)*(short*)(mem + *(uint*)(fp + ip->B) + (ulong)ip->Imm); ip++; continue;
                case RegisterOp.I32Load16U: fp[ip->A] = *(ushort*)(mem + *(uint*)(fp + ip->B) + (ulong)ip->Imm); ip++; continue;
                case RegisterOp.I64Load8S: *(long*)(fp + ip->A) = *(sbyte*)(mem + *(uint*)(fp + ip->B) + (ulong)ip->Imm); ip++; continue;
                case RegisterOp.I64Load8U: *(long*)(fp + ip->A) = *(byte*)(mem + *(uint*)(fp + ip->B) + (ulong)ip->Imm); ip++; continue;
                case RegisterOp.I64Load16S: *(long*)(fp + ip->A) = *(short*)(mem + *(uint*)(fp + ip->B) + (ulong)ip->Imm); ip++; continue;
                case RegisterOp.I64Load16U: *(long*)(fp + ip->A) = *(ushort*)(mem + *(uint*)(fp + ip->B) + (ulong)ip->Imm); ip++; continue;
                case RegisterOp.I64Load32S: *(long*)(fp + ip->A) = *(int*)(mem + *(uint*)(fp + ip->B) + (ulong)ip->Imm); ip++; continue;
                case RegisterOp.I64Load32U: *(long*)(fp + ip->A) = *(uint*)(mem + *(uint*)(fp + ip->B) + (ulong)ip->Imm); ip++; continue;
                case RegisterOp.I32Store: *(int*)(mem + *(uint*)(fp + ip->A) + (ulong)ip->Imm) = *(int*)(fp + ip->B); ip++; continue;
                case RegisterOp.I64Store: *(long*)(mem + *(uint*)(fp + ip->A) + (ulong)ip->Imm) = *(long*)(fp + ip->B); ip++; continue;
                case RegisterOp.F32Store: *(int*)(mem + *(uint*)(fp + ip->A) + (ulong)ip->Imm) = *(int*)(fp + ip->B); ip++; continue;
                case RegisterOp.F64Store: *(long*)(mem + *(uint*)(fp + ip->A) + (ulong)ip->Imm) = *(long*)(fp + ip->B); ip++; continue;
                case RegisterOp.I32Store8: *(byte*)(mem + *(uint*)(fp + ip->A) + (ulong)ip->Imm) = *(byte*)(fp + ip->B); ip++; continue;
                case RegisterOp.I32Store16: *(ushort*)(mem + *(uint*)(fp + ip->A) + (ulong)ip->Imm) = *(ushort*)(fp + ip->B); ip++; continue;
                case RegisterOp.I64Store8: *(byte*)(mem + *(uint*)(fp + ip->A) + (ulong)ip->Imm) = *(byte*)(fp + ip->B); ip++; continue;
                case RegisterOp.I64Store16: *(ushort*)(mem + *(uint*)(fp + ip->A) + (ulong)ip->Imm) = *(ushort*)(fp + ip->B); ip++; continue;
                case RegisterOp.I64Store32: *(int*)(mem + *(uint*)(fp + ip->A) + (ulong)ip->Imm) = *(int*)(fp + ip->B); ip++; continue;
                case RegisterOp.I32Const:
                case RegisterOp.I64Const:
                case RegisterOp.F32Const:
                case RegisterOp.F64Const: fp[ip->A] = (ulong)ip->Imm; ip++; continue;
                case RegisterOp.I32Eqz: fp[ip->A] = *(int*)(fp + ip->B) == 0 ? 1UL : 0UL; ip++; continue;
                case RegisterOp.I32Eq: fp[ip->A] = *(int*)(fp + ip->B) == *(int*)(fp + ip->C) ? 1UL : 0UL; ip++; continue;
                case RegisterOp.I32Ne: fp[ip->A] = *(int*)(fp + ip->B) != *(int*)(fp + ip->C) ? 1UL : 0UL; ip++; continue;
                case RegisterOp.I32LtS: fp[ip->A] = *(int*)(fp + ip->B) < *(int*)(fp + ip->C) ? 1UL : 0UL; ip++; continue;
                case RegisterOp.I32LtU: fp[ip->A] = *(uint*)(fp + ip->B) < *(uint*)(fp + ip->C) ? 1UL : 0UL; ip++; continue;
                case RegisterOp.I32GtS: fp[ip->A] = *(int*)(fp + ip->B) > *(int*)(fp + ip->C) ? 1UL : 0UL; ip++; continue;
                case RegisterOp.I32GtU: fp[ip->A] = *(uint*)(fp + ip->B) > *(uint*)(fp + ip->C) ? 1UL : 0UL; ip++; continue;
                case RegisterOp.I32LeS: fp[ip->A] = *(int*)(fp + ip->B) <= *(int*)(fp + ip->C) ? 1UL : 0UL; ip++; continue;
                case RegisterOp.I32LeU: fp[ip->A] = *(uint*)(fp + ip->B) <= *(uint*)(fp + ip->C) ? 1UL : 0UL; ip++; continue;
                case RegisterOp.I32GeS: fp[ip->A] = *(int*)(fp + ip->B) >= *(int*)(fp + ip->C) ? 1UL : 0UL; ip++; continue;
                case RegisterOp.I32GeU: fp[ip->A] = *(uint*)(fp + ip->B) >= *(uint*)(fp + ip->C) ? 1UL : 0UL; ip++; continue;
                case RegisterOp.I64Eqz: fp[ip->A] = *(long*)(fp + ip->B) == 0 ? 1UL : 0UL; ip++; continue;
                case RegisterOp.I64Eq: fp[ip->A] = *(long*)(fp + ip->B) == *(long*)(fp + ip->C) ? 1UL : 0UL; ip++; continue;
                case RegisterOp.I64Ne: fp[ip->A] = *(long*)(fp + ip->B) != *(long*)(fp + ip->C) ? 1UL : 0UL; ip++; continue;
                case RegisterOp.I64LtS: fp[ip->A] = *(long*)(fp + ip->B) < *(long*)(fp + ip->C) ? 1UL : 0UL; ip++; continue;
                case RegisterOp.I64LtU: fp[ip->A] = *(ulong*)(fp + ip->B) < *(ulong*)(fp + ip->C) ? 1UL : 0UL; ip++; continue;
                case RegisterOp.I64GtS: fp[ip->A] = *(long*)(fp + ip->B) > *(long*)(fp + ip->C) ? 1UL : 0UL; ip++; continue;
                case RegisterOp.I64GtU: fp[ip->A] = *(ulong*)(fp + ip->B) > *(ulong*)(fp + ip->C) ? 1UL : 0UL; ip++; continue;
                case RegisterOp.I64LeS: fp[ip->A] = *(long*)(fp + ip->B) <= *(long*)(fp + ip->C) ? 1UL : 0UL; ip++; continue;
                case RegisterOp.I64LeU: fp[ip->A] = *(ulong*)(fp + ip->B) <= *(ulong*)(fp + ip->C) ? 1UL : 0UL; ip++; continue;
                case RegisterOp.I64GeS: fp[ip->A] = *(long*)(fp + ip->B) >= *(long*)(fp + ip->C) ? 1UL : 0UL; ip++; continue;
                case RegisterOp.I64GeU: fp[ip->A] = *(ulong*)(fp + ip->B) >= *(ulong*)(fp + ip->C) ? 1UL : 0UL; ip++; continue;
                case RegisterOp.F32Eq: fp[ip->A] = *(float*)(fp + ip->B) == *(float*)(fp + ip->C) ? 1UL : 0UL; ip++; continue;
                case RegisterOp.F32Ne: fp[ip->A] = *(float*)(fp + ip->B) != *(float*)(fp + ip->C) ? 1UL : 0UL; ip++; continue;
                case RegisterOp.F32Lt: fp[ip->A] = *(float*)(fp + ip->B) < *(float*)(fp + ip->C) ? 1UL : 0UL; ip++; continue;
                case RegisterOp.F32Gt: fp[ip->A] = *(float*)(fp + ip->B) > *(float*)(fp + ip->C) ? 1UL : 0UL; ip++; continue;
                case RegisterOp.F32Le: fp[ip->A] = *(float*)(fp + ip->B) <= *(float*)(fp + ip->C) ? 1UL : 0UL; ip++; continue;
                case RegisterOp.F32Ge: fp[ip->A] = *(float*)(fp + ip->B) >= *(float*)(fp + ip->C) ? 1UL : 0UL; ip++; continue;
                case RegisterOp.F64Eq: fp[ip->A] = *(double*)(fp + ip->B) == *(double*)(fp + ip->C) ? 1UL : 0UL; ip++; continue;
                case RegisterOp.F64Ne: fp[ip->A] = *(double*)(fp + ip->B) != *(double*)(fp + ip->C) ? 1UL : 0UL; ip++; continue;
                case RegisterOp.F64Lt: fp[ip->A] = *(double*)(fp + ip->B) < *(double*)(fp + ip->C) ? 1UL : 0UL; ip++; continue;
                case RegisterOp.F64Gt: fp[ip->A] = *(double*)(fp + ip->B) > *(double*)(fp + ip->C) ? 1UL : 0UL; ip++; continue;
                case RegisterOp.F64Le: fp[ip->A] = *(double*)(fp + ip->B) <= *(double*)(fp + ip->C) ? 1UL : 0UL; ip++; continue;
                case RegisterOp.F64Ge: fp[ip->A] = *(double*)(fp + ip->B) >= *(double*)(fp + ip->C) ? 1UL : 0UL; ip++; continue;
                case RegisterOp.I32Clz: fp[ip->A] = (uint)Integers.Clz32(*(int*)(fp + ip->B)); ip++; continue;
                case RegisterOp.I32Ctz: fp[ip->A] = (uint)Integers.Ctz32(*(int*)(fp + ip->B)); ip++; continue;
                case RegisterOp.I32Popcnt: fp[ip->A] = (uint)Integers.Popcnt32(*(int*)(fp + ip->B)); ip++; continue;
                case RegisterOp.I32Add: fp[ip->A] = (uint)(*(int*)(fp + ip->B) + *(int*)(fp + ip->C)); ip++; continue;
                case RegisterOp.I32Sub: fp[ip->A] = (uint)(*(int*)(fp + ip->B) - *(int*)(fp + ip->C)); ip++; continue;
                case RegisterOp.I32Mul: fp[ip->A] = (uint)(*(int*)(fp + ip->B) * *(int*)(fp + ip->C)); ip++; continue;
                case RegisterOp.I32DivS: at = ip; fp[ip->A] = (uint)Integers.DivS32(*(int*)(fp + ip->B), *(int*)(fp + ip->C)); ip++; continue;
                case RegisterOp.I32DivU: at = ip; fp[ip->A] = (uint)Integers.DivU32(*(int*)(fp + ip->B), *(int*)(fp + ip->C)); ip++; continue;
                case RegisterOp.I32RemS: at = ip; fp[ip->A] = (uint)Integers.RemS32(*(int*)(fp + ip->B), *(int*)(fp + ip->C)); ip++; continue;
                case RegisterOp.I32RemU: at = ip; fp[ip->A] = (uint)Integers.RemU32(*(int*)(fp + ip->B), *(int*)(fp + ip->C)); ip++; continue;
                case RegisterOp.I32And: fp[ip->A] = (uint)(*(int*)(fp + ip->B) & *(int*)(fp + ip->C)); ip++; continue;
                case RegisterOp.I32Or: fp[ip->A] = (uint)(*(int*)(fp + ip->B) | *(int*)(fp + ip->C)); ip++; continue;
                case RegisterOp.I32Xor: fp[ip->A] = (uint)(*(int*)(fp + ip->B) ^ *(int*)(fp + ip->C)); ip++; continue;
                case RegisterOp.I32Shl: fp[ip->A] = (uint)(*(int*)(fp + ip->B) << *(int*)(fp + ip->C)); ip++; continue;
                case RegisterOp.I32ShrS: fp[ip->A] = (uint)(*(int*)(fp + ip->B) >> *(int*)(fp + ip->C)); ip++; continue;
                case RegisterOp.I32ShrU: fp[ip->A] = (uint)(*(int*)(fp + ip->B) >>> *(int*)(fp + ip->C)); ip++; continue;
                case RegisterOp.I32Rotl: fp[ip->A] = (uint)Integers.Rotl32(*(int*)(fp + ip->B), *(int*)(fp + ip->C)); ip++; continue;
                case RegisterOp.I32Rotr: fp[ip->A] = (uint)Integers.Rotr32(*(int*)(fp + ip->B), *(int*)(fp + ip->C)); ip++; continue;
                case RegisterOp.I64Clz: *(long*)(fp + ip->A) = Integers.Clz64(*(long*)(fp + ip->B)); ip++; continue;
                case RegisterOp.I64Ctz: *(long*)(fp + ip->A) = Integers.Ctz64(*(long*)(fp + ip->B)); ip++; continue;
                case RegisterOp.I64Popcnt: *(long*)(fp + ip->A) = Integers.Popcnt64(*(long*)(fp + ip->B)); ip++; continue;
                case RegisterOp.I64Add: *(long*)(fp + ip->A) = *(long*)(fp + ip->B) + *(long*)(fp + ip->C); ip++; continue;
                case RegisterOp.I64Sub: *(long*)(fp + ip->A) = *(long*)(fp + ip->B) - *(long*)(fp + ip->C); ip++; continue;
                case RegisterOp.I64Mul: *(long*)(fp + ip->A) = *(long*)(fp + ip->B) * *(long*)(fp + ip->C); ip++; continue;
                case RegisterOp.I64DivS: at = ip; *(long*)(fp + ip->A) = Integers.DivS64(*(long*)(fp + ip->B), *(long*)(fp + ip->C)); ip++; continue;
                case RegisterOp.I64DivU: at = ip; *(long*)(fp + ip->A) = Integers.DivU64(*(long*)(fp + ip->B), *(long*)(fp + ip->C)); ip++; continue;
                case RegisterOp.I64RemS: at = ip; *(long*)(fp + ip->A) = Integers.RemS64(*(long*)(fp + ip->B), *(long*)(fp + ip->C)); ip++; continue;
                case RegisterOp.I64RemU: at = ip; *(long*)(fp + ip->A) = Integers.RemU64(*(long*)(fp + ip->B), *(long*)(fp + ip->C)); ip++; continue;
                case RegisterOp.I64And: *(long*)(fp + ip->A) = *(long*)(fp + ip->B) & *(long*)(fp + ip->C); ip++; continue;
                case RegisterOp.I64Or: *(long*)(fp + ip->A) = *(long*)(fp + ip->B) | *(long*)(fp + ip->C); ip++; continue;
                case RegisterOp.I64Xor: *(long*)(fp + ip->A) = *(long*)(fp + ip->B) ^ *(long*)(fp + ip->C); ip++; continue;
                case RegisterOp.I64Shl: *(long*)(fp + ip->A) = *(long*)(fp + ip->B) << *(int*)(fp + ip->C); ip++; continue;
                case RegisterOp.I64ShrS: *(long*)(fp + ip->A) = *(long*)(fp + ip->B) >> *(int*)(fp + ip->C); ip++; continue;
                case RegisterOp.I64ShrU: *(long*)(fp + ip->A) = *(long*)(fp + ip->B) >>> *(int*)(fp + ip->C); ip++; continue;
                case RegisterOp.I64Rotl: *(long*)(fp + ip->A) = Integers.Rotl64(*(long*)(fp + ip->B), *(long*)(fp + ip->C)); ip++; continue;
                case RegisterOp.I64Rotr: *(long*)(fp + ip->A) = Integers.Rotr64(*(long*)(fp + ip->B), *(long*)(fp + ip->C)); ip++; continue;
                case RegisterOp.F32Abs: fp[ip->A] = BitConverter.SingleToUInt32Bits(Floats.Abs32(*(float*)(fp + ip->B))); ip++; continue;
                case RegisterOp.F32Neg: fp[ip->A] = BitConverter.SingleToUInt32Bits(Floats.Neg32(*(float*)(fp + ip->B))); ip++; continue;
                case RegisterOp.F32Ceil: fp[ip->A] = BitConverter.SingleToUInt32Bits(Floats.Ceil32(*(float*)(fp + ip->B))); ip++; continue;
                case RegisterOp.F32Floor: fp[ip->A] = BitConverter.SingleToUInt32Bits(Floats.Floor32(*(float*)(fp + ip->B))); ip++; continue;
                case RegisterOp.F32Trunc: fp[ip->A] = BitConverter.SingleToUInt32Bits(Floats.Trunc32(*(float*)(fp + ip->B))); ip++; continue;
                case RegisterOp.F32Nearest: at = ip; fp[ip->A] = BitConverter.SingleToUInt32Bits(Floats.Nearest32(*(float*)(fp + ip->B))); ip++; continue;
                case RegisterOp.F32Sqrt: fp[ip->A] = BitConverter.SingleToUInt32Bits(Floats.Sqrt32(*(float*)(fp + ip->B))); ip++; continue;
                case RegisterOp.F32Add: fp[ip->A] = BitConverter.SingleToUInt32Bits(*(float*)(fp + ip->B) + *(float*)(fp + ip->C)); ip++; continue;
                case RegisterOp.F32Sub: fp[ip->A] = BitConverter.SingleToUInt32Bits(*(float*)(fp + ip->B) - *(float*)(fp + ip->C)); ip++; continue;
                case RegisterOp.F32Mul: fp[ip->A] = BitConverter.SingleToUInt32Bits(*(float*)(fp + ip->B) * *(float*)(fp + ip->C)); ip++; continue;
                case RegisterOp.F32Div: fp[ip->A] = BitConverter.SingleToUInt32Bits(*(float*)(fp + ip->B) / *(float*)(fp + ip->C)); ip++; continue;
                case RegisterOp.F32Min: fp[ip->A] = BitConverter.SingleToUInt32Bits(Floats.Min32(*(float*)(fp + ip->B), *(float*)(fp + ip->C))); ip++; continue;
                case RegisterOp.F32Max: fp[ip->A] = BitConverter.SingleToUInt32Bits(Floats.Max32(*(float*)(fp + ip->B), *(float*)(fp + ip->C))); ip++; continue;
                case RegisterOp.F32Copysign: fp[ip->A] = BitConverter.SingleToUInt32Bits(Floats.Copysign32(*(float*)(fp + ip->B), *(float*)(fp + ip->C))); ip++; continue;
                case RegisterOp.F64Abs: *(double*)(fp + ip->A) = Floats.Abs64(*(double*)(fp + ip->B)); ip++; continue;
                case RegisterOp.F64Neg: *(double*)(fp + ip->A) = Floats.Neg64(*(double*)(fp + ip->B)); ip++; continue;
                case RegisterOp.F64Ceil: *(double*)(fp + ip->A) = Floats.Ceil64(*(double*)(fp + ip->B)); ip++; continue;
                case RegisterOp.F64Floor: *(double*)(fp + ip->A) = Floats.Floor64(*(double*)(fp + ip->B)); ip++; continue;
                case RegisterOp.F64Trunc: *(double*)(fp + ip->A) = Floats.Trunc64(*(double*)(fp + ip->B)); ip++; continue;
                case RegisterOp.F64Nearest: at = ip; *(double*)(fp + ip->A) = Floats.Nearest64(*(double*)(fp + ip->B)); ip++; continue;
                case RegisterOp.F64Sqrt: *(double*)(fp + ip->A) = Floats.Sqrt64(*(double*)(fp + ip->B)); ip++; continue;
                case RegisterOp.F64Add: *(double*)(fp + ip->A) = *(double*)(fp + ip->B) + *(double*)(fp + ip->C); ip++; continue;
                case RegisterOp.F64Sub: *(double*)(fp + ip->A) = *(double*)(fp + ip->B) - *(double*)(fp + ip->C); ip++; continue;
                case RegisterOp.F64Mul: *(double*)(fp + ip->A) = *(double*)(fp + ip->B) * *(double*)(fp + ip->C); ip++; continue;
                case RegisterOp.F64Div: *(double*)(fp + ip->A) = *(double*)(fp + ip->B) / *(double*)(fp + ip->C); ip++; continue;
                case RegisterOp.F64Min: *(double*)(fp + ip->A) = Floats.Min64(*(double*)(fp + ip->B), *(double*)(fp + ip->C)); ip++; continue;
                case RegisterOp.F64Max: *(double*)(fp + ip->A) = Floats.Max64(*(double*)(fp + ip->B), *(double*)(fp + ip->C)); ip++; continue;
                case RegisterOp.F64Copysign: *(double*)(fp + ip->A) = Floats.Copysign64(*(double*)(fp + ip->B), *(double*)(fp + ip->C)); ip++; continue;
                case RegisterOp.I32WrapI64: fp[ip->A] = fp[ip->B]; ip++; continue;
                case RegisterOp.I32TruncF32S: at = ip; fp[ip->A] = (uint)Conversions.I32TruncF32S(*(float*)(fp + ip->B)); ip++; continue;
                case RegisterOp.I32TruncF32U: at = ip; fp[ip->A] = (uint)Conversions.I32TruncF32U(*(float*)(fp + ip->B)); ip++; continue;
                case RegisterOp.I32TruncF64S: at = ip; fp[ip->A] = (uint)Conversions.I32TruncF64S(*(double*)(fp + ip->B)); ip++; continue;
                case RegisterOp.I32TruncF64U: at = ip; fp[ip->A] = (uint)Conversions.I32TruncF64U(*(double*)(fp + ip->B)); ip++; continue;
                case RegisterOp.I64ExtendI32S: *(long*)(fp + ip->A) = *(int*)(fp + ip->B); ip++; continue;
                case RegisterOp.I64ExtendI32U: *(ulong*)(fp + ip->A) = *(uint*)(fp + ip->B); ip++; continue;
                case RegisterOp.I64TruncF32S: at = ip; *(long*)(fp + ip->A) = Conversions.I64TruncF32S(*(float*)(fp + ip->B)); ip++; continue;
                case RegisterOp.I64TruncF32U: at = ip; *(long*)(fp + ip->A) = Conversions.I64TruncF32U(*(float*)(fp + ip->B)); ip++; continue;
                case RegisterOp.I64TruncF64S: at = ip; *(long*)(fp + ip->A) = Conversions.I64TruncF64S(*(double*)(fp + ip->B)); ip++; continue;
                case RegisterOp.I64TruncF64U: at = ip; *(long*)(fp + ip->A) = Conversions.I64TruncF64U(*(double*)(fp + ip->B)); ip++; continue;
                case RegisterOp.F32ConvertI32S: fp[ip->A] = BitConverter.SingleToUInt32Bits(*(int*)(fp + ip->B)); ip++; continue;
                case RegisterOp.F32ConvertI32U: fp[ip->A] = BitConverter.SingleToUInt32Bits(Conversions.F32ConvertI32U(*(int*)(fp + ip->B))); ip++; continue;
                case RegisterOp.F32ConvertI64S: fp[ip->A] = BitConverter.SingleToUInt32Bits(Conversions.F32ConvertI64S(*(long*)(fp + ip->B))); ip++; continue;
                case RegisterOp.F32ConvertI64U: fp[ip->A] = BitConverter.SingleToUInt32Bits(Conversions.F32ConvertI64U(*(long*)(fp + ip->B))); ip++; continue;
                case RegisterOp.F32DemoteF64: fp[ip->A] = BitConverter.SingleToUInt32Bits((float)*(double*)(fp + ip->B)); ip++; continue;
                case RegisterOp.F64ConvertI32S: *(double*)(fp + ip->A) = *(int*)(fp + ip->B); ip++; continue;
                case RegisterOp.F64ConvertI32U: *(double*)(fp + ip->A) = *(uint*)(fp + ip->B); ip++; continue;
                case RegisterOp.F64ConvertI64S: *(double*)(fp + ip->A) = *(long*)(fp + ip->B); ip++; continue;
                case RegisterOp.F64ConvertI64U: *(double*)(fp + ip->A) = Conversions.F64ConvertI64U(*(long*)(fp + ip->B)); ip++; continue;
                case RegisterOp.F64PromoteF32: *(double*)(fp + ip->A) = *(float*)(fp + ip->B); ip++; continue;
                case RegisterOp.I32ReinterpretF32:
                case RegisterOp.I64ReinterpretF64:
                case RegisterOp.F32ReinterpretI32:
                case RegisterOp.F64ReinterpretI64: fp[ip->A] = fp[ip->B]; ip++; continue;
                case RegisterOp.I32Extend8S: fp[ip->A] = (uint)*(sbyte*)(fp + ip->B); ip++; continue;
                case RegisterOp.I32Extend16S: fp[ip->A] = (uint)*(short*)(fp + ip->B); ip++; continue;
                case RegisterOp.I64Extend8S: *(long*)(fp + ip->A) = *(sbyte*)(fp + ip->B); ip++; continue;
                case RegisterOp.I64Extend16S: *(long*)(fp + ip->A) = *(short*)(fp + ip->B); ip++; continue;
                case RegisterOp.I64Extend32S: *(long*)(fp + ip->A) = *(int*)(fp + ip->B); ip++; continue;
                case RegisterOp.I32EqConst: fp[ip->A] = *(int*)(fp + ip->B) == (int)ip->Imm ? 1UL : 0UL; ip++; continue;
                case RegisterOp.I32NeConst: fp[ip->A] = *(int*)(fp + ip->B) != (int)ip->Imm ? 1UL : 0UL; ip++; continue;
                case RegisterOp.I32LtSConst: fp[ip->A] = *(int*)(fp + ip->B) < (int)ip->Imm ? 1UL : 0UL; ip++; continue;
                case RegisterOp.I32LtUConst: fp[ip->A] = *(uint*)(fp + ip->B) < (uint)ip->Imm ? 1UL : 0UL; ip++; continue;
                case RegisterOp.I32GtSConst: fp[ip->A] = *(int*)(fp + ip->B) > (int)ip->Imm ? 1UL : 0UL; ip++; continue;
                case RegisterOp.I32GtUConst: fp[ip->A] = *(uint*)(fp + ip->B) > (uint)ip->Imm ? 1UL : 0UL; ip++; continue;
                case RegisterOp.I32LeSConst: fp[ip->A] = *(int*)(fp + ip->B) <= (int)ip->Imm ? 1UL : 0UL; ip++; continue;
                case RegisterOp.I32LeUConst: fp[ip->A] = *(uint*)(fp + ip->B) <= (uint)ip->Imm ? 1UL : 0UL; ip++; continue;
                case RegisterOp.I32GeSConst: fp[ip->A] = *(int*)(fp + ip->B) >= (int)ip->Imm ? 1UL : 0UL; ip++; continue;
                case RegisterOp.I32GeUConst: fp[ip->A] = *(uint*)(fp + ip->B) >= (uint)ip->Imm ? 1UL : 0UL; ip++; continue;
                case RegisterOp.I32AddConst: fp[ip->A] = (uint)(*(int*)(fp + ip->B) + (int)ip->Imm); ip++; continue;
                case RegisterOp.I32SubConst: fp[ip->A] = (uint)(*(int*)(fp + ip->B) - (int)ip->Imm); ip++; continue;
                case RegisterOp.I32MulConst: fp[ip->A] = (uint)(*(int*)(fp + ip->B) * (int)ip->Imm); ip++; continue;
                case RegisterOp.I32DivSConst: at = ip; fp[ip->A] = (uint)Integers.DivS32(*(int*)(fp + ip->B), (int)ip->Imm); ip++; continue;
                case RegisterOp.I32DivUConst: at = ip; fp[ip->A] = (uint)Integers.DivU32(*(int*)(fp + ip->B), (int)ip->Imm); ip++; continue;
                case RegisterOp.I32RemSConst: at = ip; fp[ip->A] = (uint)Integers.RemS32(*(int*)(fp + ip->B), (int)ip->Imm); ip++; continue;
                case RegisterOp.I32RemUConst: at = ip; fp[ip->A] = (uint)Integers.RemU32(*(int*)(fp + ip->B), (int)ip->Imm); ip++; continue;
                case RegisterOp.I32AndConst: fp[ip->A] = (uint)(*(int*)(fp + ip->B) & (int)ip->Imm); ip++; continue;
                case RegisterOp.I32OrConst: fp[ip->A] = (uint)(*(int*)(fp + ip->B) | (int)ip->Imm); ip++; continue;
                case RegisterOp.I32XorConst: fp[ip->A] = (uint)(*(int*)(fp + ip->B) ^ (int)ip->Imm); ip++; continue;
                case RegisterOp.I32ShlConst: fp[ip->A] = (uint)(*(int*)(fp + ip->B) << (int)ip->Imm); ip++; continue;
                case RegisterOp.I32ShrSConst: fp[ip->A] = (uint)(*(int*)(fp + ip->B) >> (int)ip->Imm); ip++; continue;
                case RegisterOp.I32ShrUConst: fp[ip->A] = (uint)(*(int*)(fp + ip->B) >>> (int)ip->Imm); ip++; continue;
                case RegisterOp.I32RotlConst: fp[ip->A] = (uint)Integers.Rotl32(*(int*)(fp + ip->B), (int)ip->Imm); ip++; continue;
                case RegisterOp.I32RotrConst: fp[ip->A] = (uint)Integers.Rotr32(*(int*)(fp + ip->B), (int)ip->Imm); ip++; continue;
                case RegisterOp.I64EqConst: fp[ip->A] = *(long*)(fp + ip->B) == ip->Imm ? 1UL : 0UL; ip++; continue;
                case RegisterOp.I64NeConst: fp[ip->A] = *(long*)(fp + ip->B) != ip->Imm ? 1UL : 0UL; ip++; continue;
                case RegisterOp.I64LtSConst: fp[ip->A] = *(long*)(fp + ip->B) < ip->Imm ? 1UL : 0UL; ip++; continue;
                case RegisterOp.I64LtUConst: fp[ip->A] = *(ulong*)(fp + ip->B) < (ulong)ip->Imm ? 1UL : 0UL; ip++; continue;
                case RegisterOp.I64GtSConst: fp[ip->A] = *(long*)(fp + ip->B) > ip->Imm ? 1UL : 0UL; ip++; continue;
                case RegisterOp.I64GtUConst: fp[ip->A] = *(ulong*)(fp + ip->B) > (ulong)ip->Imm ? 1UL : 0UL; ip++; continue;
                case RegisterOp.I64LeSConst: fp[ip->A] = *(long*)(fp + ip->B) <= ip->Imm ? 1UL : 0UL; ip++; continue;
                case RegisterOp.I64LeUConst: fp[ip->A] = *(ulong*)(fp + ip->B) <= (ulong)ip->Imm ? 1UL : 0UL; ip++; continue;
                case RegisterOp.I64GeSConst: fp[ip->A] = *(long*)(fp + ip->B) >= ip->Imm ? 1UL : 0UL; ip++; continue;
                case RegisterOp.I64GeUConst: fp[ip->A] = *(ulong*)(fp + ip->B) >= (ulong)ip->Imm ? 1UL : 0UL; ip++; continue;
                case RegisterOp.I64AddConst: *(long*)(fp + ip->A) = *(long*)(fp + ip->B) + ip->Imm; ip++; continue;
                case RegisterOp.I64SubConst: *(long*)(fp + ip->A) = *(long*)(fp + ip->B) - ip->Imm; ip++; continue;
                case RegisterOp.I64MulConst: *(long*)(fp + ip->A) = *(long*)(fp + ip->B) * ip->Imm; ip++; continue;
                case RegisterOp.I64DivSConst: at = ip; *(long*)(fp + ip->A) = Integers.DivS64(*(long*)(fp + ip->B), ip->Imm); ip++; continue;
                case RegisterOp.I64DivUConst: at = ip; *(long*)(fp + ip->A) = Integers.DivU64(*(long*)(fp + ip->B), ip->Imm); ip++; continue;
                case RegisterOp.I64RemSConst: at = ip; *(long*)(fp + ip->A) = Integers.RemS64(*(long*)(fp + ip->B), ip->Imm); ip++; continue;
                case RegisterOp.I64RemUConst: at = ip; *(long*)(fp + ip->A) = Integers.RemU64(*(long*)(fp + ip->B), ip->Imm); ip++; continue;
                case RegisterOp.I64AndConst: *(long*)(fp + ip->A) = *(long*)(fp + ip->B) & ip->Imm; ip++; continue;
                case RegisterOp.I64OrConst: *(long*)(fp + ip->A) = *(long*)(fp + ip->B) | ip->Imm; ip++; continue;
                case RegisterOp.I64XorConst: *(long*)(fp + ip->A) = *(long*)(fp + ip->B) ^ ip->Imm; ip++; continue;
                case RegisterOp.I64ShlConst: *(long*)(fp + ip->A) = *(long*)(fp + ip->B) << (int)ip->Imm; ip++; continue;
                case RegisterOp.I64ShrSConst: *(long*)(fp + ip->A) = *(long*)(fp + ip->B) >> (int)ip->Imm; ip++; continue;
                case RegisterOp.I64ShrUConst: *(long*)(fp + ip->A) = *(long*)(fp + ip->B) >>> (int)ip->Imm; ip++; continue;
                case RegisterOp.I64RotlConst: *(long*)(fp + ip->A) = Integers.Rotl64(*(long*)(fp + ip->B), ip->Imm); ip++; continue;
                case RegisterOp.I64RotrConst: *(long*)(fp + ip->A) = Integers.Rotr64(*(long*)(fp + ip->B), ip->Imm); ip++; continue;
                case RegisterOp.BrIfI32Eqz: if (*(int*)(fp + ip->A) == 0) { ip += ip->Target; continue; } ip++; continue;
                case RegisterOp.BrIfI32Eq: if (*(int*)(fp + ip->A) == *(int*)(fp + ip->B)) { ip += ip->Target; continue; } ip++; continue;
                case RegisterOp.BrIfI32Ne: if (*(int*)(fp + ip->A) != *(int*)(fp + ip->B)) { ip += ip->Target; continue; } ip++; continue;
                case RegisterOp.BrIfI32LtS: if (*(int*)(fp + ip->A) < *(int*)(fp + ip->B)) { ip += ip->Target; continue; } ip++; continue;
                case RegisterOp.BrIfI32LtU: if (*(uint*)(fp + ip->A) < *(uint*)(fp + ip->B)) { ip += ip->Target; continue; } ip++; continue;
                case RegisterOp.BrIfI32GtS: if (*(int*)(fp + ip->A) > *(int*)(fp + ip->B)) { ip += ip->Target; continue; } ip++; continue;
                case RegisterOp.BrIfI32GtU: if (*(uint*)(fp + ip->A) > *(uint*)(fp + ip->B)) { ip += ip->Target; continue; } ip++; continue;
                case RegisterOp.BrIfI32LeS: if (*(int*)(fp + ip->A) <= *(int*)(fp + ip->B)) { ip += ip->Target; continue; } ip++; continue;
                case RegisterOp.BrIfI32LeU: if (*(uint*)(fp + ip->A) <= *(uint*)(fp + ip->B)) { ip += ip->Target; continue; } ip++; continue;
                case RegisterOp.BrIfI32GeS: if (*(int*)(fp + ip->A) >= *(int*)(fp + ip->B)) { ip += ip->Target; continue; } ip++; continue;
                case RegisterOp.BrIfI32GeU: if (*(uint*)(fp + ip->A) >= *(uint*)(fp + ip->B)) { ip += ip->Target; continue; } ip++; continue;
                case RegisterOp.BrIfI64Eqz: if (*(long*)(fp + ip->A) == 0) { ip += ip->Target; continue; } ip++; continue;
                case RegisterOp.BrIfI64Eq: if (*(long*)(fp + ip->A) == *(long*)(fp + ip->B)) { ip += ip->Target; continue; } ip++; continue;
                case RegisterOp.BrIfI64Ne: if (*(long*)(fp + ip->A) != *(long*)(fp + ip->B)) { ip += ip->Target; continue; } ip++; continue;
                case RegisterOp.BrIfI64LtS: if (*(long*)(fp + ip->A) < *(long*)(fp + ip->B)) { ip += ip->Target; continue; } ip++; continue;
                case RegisterOp.BrIfI64LtU: if (*(ulong*)(fp + ip->A) < *(ulong*)(fp + ip->B)) { ip += ip->Target; continue; } ip++; continue;
                case RegisterOp.BrIfI64GtS: if (*(long*)(fp + ip->A) > *(long*)(fp + ip->B)) { ip += ip->Target; continue; } ip++; continue;
                case RegisterOp.BrIfI64GtU: if (*(ulong*)(fp + ip->A) > *(ulong*)(fp + ip->B)) { ip += ip->Target; continue; } ip++; continue;
                case RegisterOp.BrIfI64LeS: if (*(long*)(fp + ip->A) <= *(long*)(fp + ip->B)) { ip += ip->Target; continue; } ip++; continue;
                case RegisterOp.BrIfI64LeU: if (*(ulong*)(fp + ip->A) <= *(ulong*)(fp + ip->B)) { ip += ip->Target; continue; } ip++; continue;
                case RegisterOp.BrIfI64GeS: if (*(long*)(fp + ip->A) >= *(long*)(fp + ip->B)) { ip += ip->Target; continue; } ip++; continue;
                case RegisterOp.BrIfI64GeU: if (*(ulong*)(fp + ip->A) >= *(ulong*)(fp + ip->B)) { ip += ip->Target; continue; } ip++; continue;
                case RegisterOp.BrIfF32Eq: if (*(float*)(fp + ip->A) == *(float*)(fp + ip->B)) { ip += ip->Target; continue; } ip++; continue;
                case RegisterOp.BrIfF32Ne: if (*(float*)(fp + ip->A) != *(float*)(fp + ip->B)) { ip += ip->Target; continue; } ip++; continue;
                case RegisterOp.BrIfF32Lt: if (*(float*)(fp + ip->A) < *(float*)(fp + ip->B)) { ip += ip->Target; continue; } ip++; continue;
                case RegisterOp.BrIfF32Gt: if (*(float*)(fp + ip->A) > *(float*)(fp + ip->B)) { ip += ip->Target; continue; } ip++; continue;
                case RegisterOp.BrIfF32Le: if (*(float*)(fp + ip->A) <= *(float*)(fp + ip->B)) { ip += ip->Target; continue; } ip++; continue;
                case RegisterOp.BrIfF32Ge: if (*(float*)(fp + ip->A) >= *(float*)(fp + ip->B)) { ip += ip->Target; continue; } ip++; continue;
                case RegisterOp.BrIfF64Eq: if (*(double*)(fp + ip->A) == *(double*)(fp + ip->B)) { ip += ip->Target; continue; } ip++; continue;
                case RegisterOp.BrIfF64Ne: if (*(double*)(fp + ip->A) != *(double*)(fp + ip->B)) { ip += ip->Target; continue; } ip++; continue;
                case RegisterOp.BrIfF64Lt: if (*(double*)(fp + ip->A) < *(double*)(fp + ip->B)) { ip += ip->Target; continue; } ip++; continue;
                case RegisterOp.BrIfF64Gt: if (*(double*)(fp + ip->A) > *(double*)(fp + ip->B)) { ip += ip->Target; continue; } ip++; continue;
                case RegisterOp.BrIfF64Le: if (*(double*)(fp + ip->A) <= *(double*)(fp + ip->B)) { ip += ip->Target; continue; } ip++; continue;
                case RegisterOp.BrIfF64Ge: if (*(double*)(fp + ip->A) >= *(double*)(fp + ip->B)) { ip += ip->Target; continue; } ip++; continue;
                case RegisterOp.BrIfI32EqConst: if (*(int*)(fp + ip->A) == ip->Value) { ip += ip->Target; continue; } ip++; continue;
                case RegisterOp.BrIfI32NeConst: if (*(int*)(fp + ip->A) != ip->Value) { ip += ip->Target; continue; } ip++; continue;
                case RegisterOp.BrIfI32LtSConst: if (*(int*)(fp + ip->A) < ip->Value) { ip += ip->Target; continue; } ip++; continue;
                case RegisterOp.BrIfI32LtUConst: if (*(uint*)(fp + ip->A) < (uint)ip->Value) { ip += ip->Target; continue; } ip++; continue;
                case RegisterOp.BrIfI32GtSConst: if (*(int*)(fp + ip->A) > ip->Value) { ip += ip->Target; continue; } ip++; continue;
                case RegisterOp.BrIfI32GtUConst: if (*(uint*)(fp + ip->A) > (uint)ip->Value) { ip += ip->Target; continue; } ip++; continue;
                case RegisterOp.BrIfI32LeSConst: if (*(int*)(fp + ip->A) <= ip->Value) { ip += ip->Target; continue; } ip++; continue;
                case RegisterOp.BrIfI32LeUConst: if (*(uint*)(fp + ip->A) <= (uint)ip->Value) { ip += ip->Target; continue; } ip++; continue;
                case RegisterOp.BrIfI32GeSConst: if (*(int*)(fp + ip->A) >= ip->Value) { ip += ip->Target; continue; } ip++; continue;
                case RegisterOp.BrIfI32GeUConst: if (*(uint*)(fp + ip->A) >= (uint)ip->Value) { ip += ip->Target; continue; } ip++; continue;
                case RegisterOp.BrIfI64EqConst: if (*(long*)(fp + ip->A) == ip->Value) { ip += ip->Target; continue; } ip++; continue;
                case RegisterOp.BrIfI64NeConst: if (*(long*)(fp + ip->A) != ip->Value) { ip += ip->Target; continue; } ip++; continue;
                case RegisterOp.BrIfI64LtSConst: if (*(long*)(fp + ip->A) < ip->Value) { ip += ip->Target; continue; } ip++; continue;
                case RegisterOp.BrIfI64LtUConst: if (*(ulong*)(fp + ip->A) < (ulong)ip->Value) { ip += ip->Target; continue; } ip++; continue;
                case RegisterOp.BrIfI64GtSConst: if (*(long*)(fp + ip->A) > ip->Value) { ip += ip->Target; continue; } ip++; continue;
                case RegisterOp.BrIfI64GtUConst: if (*(ulong*)(fp + ip->A) > (ulong)ip->Value) { ip += ip->Target; continue; } ip++; continue;
                case RegisterOp.BrIfI64LeSConst: if (*(long*)(fp + ip->A) <= ip->Value) { ip += ip->Target; continue; } ip++; continue;
                case RegisterOp.BrIfI64LeUConst: if (*(ulong*)(fp + ip->A) <= (ulong)ip->Value) { ip += ip->Target; continue; } ip++; continue;
                case RegisterOp.BrIfI64GeSConst: if (*(long*)(fp + ip->A) >= ip->Value) { ip += ip->Target; continue; } ip++; continue;
                case RegisterOp.BrIfI64GeUConst: if (*(ulong*)(fp + ip->A) >= (ulong)ip->Value) { ip += ip->Target; continue; } ip++; continue;
                case RegisterOp.BrIfNotF32Eq: if (*(float*)(fp + ip->A) == *(float*)(fp + ip->B)) { ip++; continue; } ip += ip->Target; continue;
                case RegisterOp.BrIfNotF32Ne: if (*(float*)(fp + ip->A) != *(float*)(fp + ip->B)) { ip++; continue; } ip += ip->Target; continue;
                case RegisterOp.BrIfNotF32Lt: if (*(float*)(fp + ip->A) < *(float*)(fp + ip->B)) { ip++; continue; } ip += ip->Target; continue;
                case RegisterOp.BrIfNotF32Gt: if (*(float*)(fp + ip->A) > *(float*)(fp + ip->B)) { ip++; continue; } ip += ip->Target; continue;
                case RegisterOp.BrIfNotF32Le: if (*(float*)(fp + ip->A) <= *(float*)(fp + ip->B)) { ip++; continue; } ip += ip->Target; continue;
                case RegisterOp.BrIfNotF32Ge: if (*(float*)(fp + ip->A) >= *(float*)(fp + ip->B)) { ip++; continue; } ip += ip->Target; continue;
                case RegisterOp.BrIfNotF64Eq: if (*(double*)(fp + ip->A) == *(double*)(fp + ip->B)) { ip++; continue; } ip += ip->Target; continue;
                case RegisterOp.BrIfNotF64Ne: if (*(double*)(fp + ip->A) != *(double*)(fp + ip->B)) { ip++; continue; } ip += ip->Target; continue;
                case RegisterOp.BrIfNotF64Lt: if (*(double*)(fp + ip->A) < *(double*)(fp + ip->B)) { ip++; continue; } ip += ip->Target; continue;
                case RegisterOp.BrIfNotF64Gt: if (*(double*)(fp + ip->A) > *(double*)(fp + ip->B)) { ip++; continue; } ip += ip->Target; continue;
                case RegisterOp.BrIfNotF64Le: if (*(double*)(fp + ip->A) <= *(double*)(fp + ip->B)) { ip++; continue; } ip += ip->Target; continue;
                case RegisterOp.BrIfNotF64Ge: if (*(double*)(fp + ip->A) >= *(double*)(fp + ip->B)) { ip++; continue; } ip += ip->Target; continue;
                case RegisterOp.RawI32Load: fp[ip->A] = *(uint*)fp[ip->B]; ip++; continue;
                case RegisterOp.RawI64Load: *(long*)(fp + ip->A) = *(long*)fp[ip->B]; ip++; continue;
                case RegisterOp.RawF32Load: fp[ip->A] = *(uint*)fp[ip->B]; ip++; continue;
                case RegisterOp.RawF64Load: *(long*)(fp + ip->A) = *(long*)fp[ip->B]; ip++; continue;
                case RegisterOp.RawI32Load8S: fp[ip->A] = (uint)*(sbyte*)fp[ip->B]; ip++; continue;
                case RegisterOp.RawI32Load8U: fp[ip->A] = *(byte*)fp[ip->B]; ip++; continue;
                case RegisterOp.RawI32Load16S: fp[ip->A] = (uint)*(short*)fp[ip->B]; ip++; continue;
                case RegisterOp.RawI32Load16U: fp[ip->A] = *(ushort*)fp[ip->B]; ip++; continue;
                case RegisterOp.RawI64Load8S: *(long*)(fp + ip->A) = *(sbyte*)fp[ip->B]; ip++; continue;
                case RegisterOp.RawI64Load8U: *(long*)(fp + ip->A) = *(byte*)fp[ip->B]; ip++; continue;
                case RegisterOp.RawI64Load16S: *(long*)(fp + ip->A) = *(short*)fp[ip->B]; ip++; continue;
                case RegisterOp.RawI64Load16U: *(long*)(fp + ip->A) = *(ushort*)fp[ip->B]; ip++; continue;
                case RegisterOp.RawI64Load32S: *(long*)(fp + ip->A) = *(int*)fp[ip->B]; ip++; continue;
                case RegisterOp.RawI64Load32U: *(long*)(fp + ip->A) = *(uint*)fp[ip->B]; ip++; continue;
                case RegisterOp.RawI32Store: *(int*)fp[ip->A] = *(int*)(fp + ip->B); ip++; continue;
                case RegisterOp.RawI64Store: *(long*)fp[ip->A] = *(long*)(fp + ip->B); ip++; continue;
                case RegisterOp.RawF32Store: *(int*)fp[ip->A] = *(int*)(fp + ip->B); ip++; continue;
                case RegisterOp.RawF64Store: *(long*)fp[ip->A] = *(long*)(fp + ip->B); ip++; continue;
                case RegisterOp.RawI32Store8: *(byte*)fp[ip->A] = *(byte*)(fp + ip->B); ip++; continue;
                case RegisterOp.RawI32Store16: *(ushort*)fp[ip->A] = *(ushort*)(fp + ip->B); ip++; continue;
                case RegisterOp.RawI64Store8: *(byte*)fp[ip->A] = *(byte*)(fp + ip->B); ip++; continue;
                case RegisterOp.RawI64Store16: *(ushort*)fp[ip->A] = *(ushort*)(fp + ip->B); ip++; continue;
                case RegisterOp.RawI64Store32: *(int*)fp[ip->A] = *(int*)(fp + ip->B); ip++; continue;
                case RegisterOp.I32LoadThenI32Load: fp[ip->A] = *(uint*)(mem + *(uint*)(fp + ip->B) + (ulong)ip->Imm); fp[ip[1].A] = *(uint*)(mem + *(uint*)(fp + ip[1].B) + (ulong)ip[1].Imm); ip += 2; continue;
                case RegisterOp.I32LoadThenI32Store: fp[ip->A] = *(uint*)(mem + *(uint*)(fp + ip->B) + (ulong)ip->Imm); *(int*)(mem + *(uint*)(fp + ip[1].A) + (ulong)ip[1].Imm) = *(int*)(fp + ip[1].B); ip += 2; continue;
                case RegisterOp.I32LoadThenI32Add: fp[ip->A] = *(uint*)(mem + *(uint*)(fp + ip->B) + (ulong)ip->Imm); fp[ip[1].A] = (uint)(*(int*)(fp + ip[1].B) + *(int*)(fp + ip[1].C)); ip += 2; continue;
                case RegisterOp.I32LoadThenI32AddConst: fp[ip->A] = *(uint*)(mem + *(uint*)(fp + ip->B) + (ulong)ip->Imm); fp[ip[1].A] = (uint)(*(int*)(fp + ip[1].B) + (int)ip[1].Imm); ip += 2; continue;
                case RegisterOp.I32LoadThenI32AddConstThenI32Store: fp[ip->A] = *(uint*)(mem + *(uint*)(fp + ip->B) + (ulong)ip->Imm); fp[ip[1].A] = (uint)(*(int*)(fp + ip[1].B) + (int)ip[1].Imm); *(int*)(mem + *(uint*)(fp + ip[2].A) + (ulong)ip[2].Imm) = *(int*)(fp + ip[2].B); ip += 3; continue;
                case RegisterOp.I32LoadThenBrIfI32Eqz: fp[ip->A] = *(uint*)(mem + *(uint*)(fp + ip->B) + (ulong)ip->Imm); if (*(int*)(fp + ip[1].A) == 0) { ip += ip[1].Target + 1; continue; } ip += 2; continue;
                case RegisterOp.I32LoadThenBrIfI32NeConst: fp[ip->A] = *(uint*)(mem + *(uint*)(fp + ip->B) + (ulong)ip->Imm); if (*(int*)(fp + ip[1].A) != ip[1].Value) { ip += ip[1].Target + 1; continue; } ip += 2; continue;
                case RegisterOp.I32LoadThenCall: fp[ip->A] = *(uint*)(mem + *(uint*)(fp + ip->B) + (ulong)ip->Imm); ip++; goto case RegisterOp.Call;
                case RegisterOp.I32StoreThenI32Load: *(int*)(mem + *(uint*)(fp + ip->A) + (ulong)ip->Imm) = *(int*)(fp + ip->B); fp[ip[1].A] = *(uint*)(mem + *(uint*)(fp + ip[1].B) + (ulong)ip[1].Imm); ip += 2; continue;
                case RegisterOp.I32StoreThenI32LoadThenI32Load: *(int*)(mem + *(uint*)(fp + ip->A) + (ulong)ip->Imm) = *(int*)(fp + ip->B); fp[ip[1].A] = *(uint*)(mem + *(uint*)(fp + ip[1].B) + (ulong)ip[1].Imm); fp[ip[2].A] = *(uint*)(mem + *(uint*)(fp + ip[2].B) + (ulong)ip[2].Imm); ip += 3; continue;
                case RegisterOp.I32StoreThenI32Store: *(int*)(mem + *(uint*)(fp + ip->A) + (ulong)ip->Imm) = *(int*)(fp + ip->B); *(int*)(mem + *(uint*)(fp + ip[1].A) + (ulong)ip[1].Imm) = *(int*)(fp + ip[1].B); ip += 2; continue;
                case RegisterOp.I32StoreThenI32AddConst: *(int*)(mem + *(uint*)(fp + ip->A) + (ulong)ip->Imm) = *(int*)(fp + ip->B); fp[ip[1].A] = (uint)(*(int*)(fp + ip[1].B) + (int)ip[1].Imm); ip += 2; continue;
                case RegisterOp.I32StoreThenBr: *(int*)(mem + *(uint*)(fp + ip->A) + (ulong)ip->Imm) = *(int*)(fp + ip->B); ip += ip[1].Target + 1; continue;
                case RegisterOp.I32StoreThenBrLoop: *(int*)(mem + *(uint*)(fp + ip->A) + (ulong)ip->Imm) = *(int*)(fp + ip->B); ip++; goto case RegisterOp.BrLoop;
                case RegisterOp.I32AddThenI32Load: fp[ip->A] = (uint)(*(int*)(fp + ip->B) + *(int*)(fp + ip->C)); fp[ip[1].A] = *(uint*)(mem + *(uint*)(fp + ip[1].B) + (ulong)ip[1].Imm); ip += 2; continue;
                case RegisterOp.I32AddThenI32Add: fp[ip->A] = (uint)(*(int*)(fp + ip->B) + *(int*)(fp + ip->C)); fp[ip[1].A] = (uint)(*(int*)(fp + ip[1].B) + *(int*)(fp + ip[1].C)); ip += 2; continue;
                case RegisterOp.I32AddThenI32AddConst: fp[ip->A] = (uint)(*(int*)(fp + ip->B) + *(int*)(fp + ip->C)); fp[ip[1].A] = (uint)(*(int*)(fp + ip[1].B) + (int)ip[1].Imm); ip += 2; continue;
                case RegisterOp.I32AddConstThenI32Load: fp[ip->A] = (uint)(*(int*)(fp + ip->B) + (int)ip->Imm); fp[ip[1].A] = *(uint*)(mem + *(uint*)(fp + ip[1].B) + (ulong)ip[1].Imm); ip += 2; continue;
                case RegisterOp.I32AddConstThenI32Load8U: fp[ip->A] = (uint)(*(int*)(fp + ip->B) + (int)ip->Imm); fp[ip[1].A] = *(byte*)(mem + *(uint*)(fp + ip[1].B) + (ulong)ip[1].Imm); ip += 2; continue;
                case RegisterOp.I32AddConstThenI32Store: fp[ip->A] = (uint)(*(int*)(fp + ip->B) + (int)ip->Imm); *(int*)(mem + *(uint*)(fp + ip[1].A) + (ulong)ip[1].Imm) = *(int*)(fp + ip[1].B); ip += 2; continue;
                case RegisterOp.I32AddConstThenI32AddConst: fp[ip->A] = (uint)(*(int*)(fp + ip->B) + (int)ip->Imm); fp[ip[1].A] = (uint)(*(int*)(fp + ip[1].B) + (int)ip[1].Imm); ip += 2; continue;
                case RegisterOp.I32AddConstThenBrIfI32Ne: fp[ip->A] = (uint)(*(int*)(fp + ip->B) + (int)ip->Imm); if (*(int*)(fp + ip[1].A) != *(int*)(fp + ip[1].B)) { ip += ip[1].Target + 1; continue; } ip += 2; continue;
                case RegisterOp.I32AddConstThenBrIfI32NeConst: fp[ip->A] = (uint)(*(int*)(fp + ip->B) + (int)ip->Imm); if (*(int*)(fp + ip[1].A) != ip[1].Value) { ip += ip[1].Target + 1; continue; } ip += 2; continue;
                case RegisterOp.I32AddConstThenGlobalSet32: fp[ip->A] = (uint)(*(int*)(fp + ip->B) + (int)ip->Imm); *(ulong*)(globals + ip[1].Imm) = *(uint*)(fp + ip[1].A); ip += 2; continue;
                case RegisterOp.I32AddConstThenGlobalSet32ThenReturnValue: fp[ip->A] = (uint)(*(int*)(fp + ip->B) + (int)ip->Imm); *(ulong*)(globals + ip[1].Imm) = *(uint*)(fp + ip[1].A); ip += 2; goto case RegisterOp.ReturnValue;
                case RegisterOp.I32SubConstThenGlobalSet32: fp[ip->A] = (uint)(*(int*)(fp + ip->B) - (int)ip->Imm); *(ulong*)(globals + ip[1].Imm) = *(uint*)(fp + ip[1].A); ip += 2; continue;
                case RegisterOp.I32SubConstThenI32Store: fp[ip->A] = (uint)(*(int*)(fp + ip->B) - (int)ip->Imm); *(int*)(mem + *(uint*)(fp + ip[1].A) + (ulong)ip[1].Imm) = *(int*)(fp + ip[1].B); ip += 2; continue;
                case RegisterOp.I32ShlConstThenI32Add: fp[ip->A] = (uint)(*(int*)(fp + ip->B) << (int)ip->Imm); fp[ip[1].A] = (uint)(*(int*)(fp + ip[1].B) + *(int*)(fp + ip[1].C)); ip += 2; continue;
                case RegisterOp.I32RotlConstThenI32Xor: fp[ip->A] = (uint)Integers.Rotl32(*(int*)(fp + ip->B), (int)ip->Imm); fp[ip[1].A] = (uint)(*(int*)(fp + ip[1].B) ^ *(int*)(fp + ip[1].C)); ip += 2; continue;
                case RegisterOp.I32ShrUConstThenI32Xor: fp[ip->A] = (uint)(*(int*)(fp + ip->B) >>> (int)ip->Imm); fp[ip[1].A] = (uint)(*(int*)(fp + ip[1].B) ^ *(int*)(fp + ip[1].C)); ip += 2; continue;
                case RegisterOp.GlobalGetThenI32SubConst: fp[ip->A] = *(ulong*)(globals + ip->Imm); fp[ip[1].A] = (uint)(*(int*)(fp + ip[1].B) - (int)ip[1].Imm); ip += 2; continue;
                case RegisterOp.GlobalGetThenI32SubConstThenGlobalSet32: fp[ip->A] = *(ulong*)(globals + ip->Imm); fp[ip[1].A] = (uint)(*(int*)(fp + ip[1].B) - (int)ip[1].Imm); *(ulong*)(globals + ip[2].Imm) = *(uint*)(fp + ip[2].A); ip += 3; continue;
                case RegisterOp.GlobalSet32ThenI32Store: *(ulong*)(globals + ip->Imm) = *(uint*)(fp + ip->A); *(int*)(mem + *(uint*)(fp + ip[1].A) + (ulong)ip[1].Imm) = *(int*)(fp + ip[1].B); ip += 2; continue;
                case RegisterOp.GlobalSet32ThenReturnValue: *(ulong*)(globals + ip->Imm) = *(uint*)(fp + ip->A); ip++; goto case RegisterOp.ReturnValue;
                case RegisterOp.F64ConstThenI32Store: fp[ip->A] = (ulong)ip->Imm; *(int*)(mem + *(uint*)(fp + ip[1].A) + (ulong)ip[1].Imm) = *(int*)(fp + ip[1].B); ip += 2; continue;
                case RegisterOp.F64ConstThenCall: fp[ip->A] = (ulong)ip->Imm; ip++; goto case RegisterOp.Call;
                case RegisterOp.BrIfI32EqzThenI32Load: if (*(int*)(fp + ip->A) == 0) { ip += ip->Target; continue; } fp[ip[1].A] = *(uint*)(mem + *(uint*)(fp + ip[1].B) + (ulong)ip[1].Imm); ip += 2; continue;
                case RegisterOp.BrIfI32NeConstThenI32Load: if (*(int*)(fp + ip->A) != ip->Value) { ip += ip->Target; continue; } fp[ip[1].A] = *(uint*)(mem + *(uint*)(fp + ip[1].B) + (ulong)ip[1].Imm); ip += 2; continue;
                case RegisterOp.MoveThenMove: fp[ip->A] = fp[ip->B]; fp[ip[1].A] = fp[ip[1].B]; ip += 2; continue;
                case RegisterOp.Enter: break;
                case RegisterOp.Move: fp[ip->A] = fp[ip->B]; ip++; continue;
                case RegisterOp.MoveRef: refs[rp + ip->A] = refs[rp + ip->B]; ip++; continue;
                case RegisterOp.NullRef: refs[rp + ip->A] = null; ip++; continue;
                case RegisterOp.Select: fp[ip->A] = *(int*)(fp + ip->Target) != 0 ? fp[ip->B] : fp[ip->C]; ip++; continue;
                case RegisterOp.SelectRef: refs[rp + ip->A] = *(int*)(fp + ip->Target) != 0 ? refs[rp + ip->B] : refs[rp + ip->C]; ip++; continue;
                case RegisterOp.GlobalGet: fp[ip->A] = *(ulong*)(globals + ip->Imm); ip++; continue;
                case RegisterOp.GlobalSet32: *(ulong*)(globals + ip->Imm) = *(uint*)(fp + ip->A); ip++; continue;
                case RegisterOp.GlobalSet64: *(ulong*)(globals + ip->Imm) = fp[ip->A]; ip++; continue;
                case RegisterOp.Br: ip += ip->Target; continue;
                case RegisterOp.BrLoop:
                    ip += ip->Target;
                    goto case RegisterOp.Loop;
                case RegisterOp.BrTable:
                    {
                        uint index = *(uint*)(fp + ip->A);
                        ip += ((int*)(ip + 1))[index < (uint)ip->Target ? index : (uint)ip->Target];
                        continue;
                    }
                case RegisterOp.Loop:
                    function = sp[-1].Function;
                    if (--function->Heat < 0 && instance.Services.OnHotLoop(instance, function, ip->Target) is var resumed and not 0)
                    {
                        thread.Resume(fp, rp);
                        code = resumed;
                        goto compiled;
                    }
                    ip++;
                    continue;
                case RegisterOp.Poll:
                    at = ip;
                    if (Volatile.Read(ref *mark) == StackGuard.Stopped) CancellationScope.Stop();
                    ip++;
                    continue;
                case RegisterOp.Charge:
                    at = ip;
                    if ((instance.FuelTank!.Left -= ip->Imm) < 0) Fuel.Draw(instance.FuelTank);
                    ip++;
                    continue;
                case RegisterOp.ReturnValue:
                    fp[0] = fp[ip->A];
                    goto case RegisterOp.Return;
                case RegisterOp.Return:
                    function = sp[-1].Function;
                    if (function->RefSlots > ip->C) Array.Clear(refs, rp + ip->C, function->RefSlots - ip->C);
                    thread.Sp = --sp;
                    if (sp == bottom) return;
                    ip = sp->Ip; fp = sp->Fp; rp = sp->Rp;
                    continue;
                case RegisterOp.Call:
                    callee = (FunctionState*)ip->Imm;
                    nextFp = fp + ip->A; nextRp = rp + ip->B;
                    ip++;
                    code = Volatile.Read(ref callee->Compiled);
                    if (code == 0 || callee->RefSlots != 0) break;
                    // No frame: the machine code has one of its own.
                    at = ip - 1;
                    if (nextFp + callee->Slots > thread.Limit) Trap.Throw(TrapKind.CallStackExhausted);
                    callee->Entries++;
                    thread.Top = nextFp + callee->Slots;
                    thread.RefTop = nextRp;
                    InterpreterCalls.Call(thread, instance, code, callee->Shape, nextFp, nextRp);
                    refs = thread.Refs;
                    continue;
                case RegisterOp.CallImport:
                    target = instance.Funcs[ip[1].Target]!;
                    goto through;
                case RegisterOp.CallIndirect:
                    at = ip;
                    target = Resolve(instance, ip, fp);
                    goto through;
                case RegisterOp.CallRef:
                    at = ip;
                    target = CodeHelpers.NonNullFunc(Unsafe.As<FuncRef?>(refs[rp + ip->C]));
                    goto through;
                case RegisterOp.CallExport:
                    at = ip;
                    target = LinkingOperations.ResolveExport(instance, ip, refs[rp + ip->C]);
                    goto through;
                case RegisterOp.CallIndirectRef:
                    at = ip;
                    target = LinkingOperations.ResolveIn(instance, ip, fp, refs[rp + ip[1].B]);
                    goto through;
                case RegisterOp.TailCall:
                    callee = (FunctionState*)ip->Imm;
                    function = sp[-1].Function;
                    if (function->RefSlots > ip->C) Array.Clear(refs, rp + ip->C, function->RefSlots - ip->C);
                    nextFp = fp; nextRp = rp;
                    thread.Sp = --sp;
                    ip = sp->Ip; fp = sp->Fp; rp = sp->Rp;
                    break;
                case RegisterOp.TailCallImport:
                    target = instance.Funcs[ip[1].Target]!;
                    goto tailThrough;
                case RegisterOp.TailCallIndirect:
                    at = ip;
                    target = Resolve(instance, ip, fp);
                    goto tailThrough;
                case RegisterOp.TailCallRef:
                    at = ip;
                    target = CodeHelpers.NonNullFunc(Unsafe.As<FuncRef?>(refs[rp + ip->C]));
                    goto tailThrough;
                case RegisterOp.TailCallExport:
                    at = ip;
                    target = LinkingOperations.ResolveExport(instance, ip, refs[rp + ip->C]);
                    goto tailThrough;
                case RegisterOp.Invoke:
                    function = sp[-1].Function;
                    if (sp - 1 == bottom)
                    {
                        thread.Sp = bottom;
                        thread.NextCode = function->Compiled;
                        thread.NextContext = instance;
                        thread.NextShape = function->Shape;
                        thread.NextFunction = null;
                        return;
                    }
                    code = function->Compiled;
                    goto compiled;
                default:
                    at = ip;
                    ip = RareOperations.Execute(thread, instance, ip, fp, rp);
                    refs = thread.Refs;
                    continue;
            }
            goto enter;

        through:
            nextFp = fp + ip->A; nextRp = rp + ip->B;
            if (ReferenceEquals(target.Context, instance))
            {
                callee = instance.Functions + (target.Index - instance.ImportedFuncs);
                ip += 2;
                goto enter;
            }
            function = sp[-1].Function;
            thread.Top = fp + function->Slots;
            thread.RefTop = rp + function->RefSlots;
            at = ip;
            InterpreterCalls.Call(thread, InterpreterCalls.ContextOf(target, (CallShape*)ip->Imm), target.Code, (CallShape*)ip->Imm, nextFp, nextRp);
            refs = thread.Refs;
            ip += 2;
            continue;

        tailThrough:
            function = sp[-1].Function;
            var shape = (CallShape*)ip->Imm;
            if (function->RefSlots > shape->RefParams) Array.Clear(refs, rp + shape->RefParams, function->RefSlots - shape->RefParams);
            thread.Sp = --sp;
            nextFp = fp; nextRp = rp;
            ip = sp->Ip; fp = sp->Fp; rp = sp->Rp;
            if (ReferenceEquals(target.Context, instance))
            {
                callee = instance.Functions + (target.Index - instance.ImportedFuncs);
                goto enter;
            }
            if (sp == bottom)
            {
                thread.NextCode = target.Code;
                thread.NextShape = shape;
                thread.NextFunction = !target.IsGone && target.Context is InstanceCore { Functions: not null } other ? other.Functions + (target.Index - other.ImportedFuncs) : null;
                thread.NextContext = thread.NextFunction is null ? InterpreterCalls.ContextOf(target, shape) : target.Context;
                return;
            }
            thread.Top = nextFp + Math.Max(shape->ParamSlots, shape->ResultSlots);
            thread.RefTop = nextRp + Math.Max(shape->RefParams, shape->RefResults);
            at = ip - 1;
            InterpreterCalls.Call(thread, InterpreterCalls.ContextOf(target, shape), target.Code, shape, nextFp, nextRp);
            refs = thread.Refs;
            if (shape->RefParams > shape->RefResults) Array.Clear(refs, nextRp + shape->RefResults, shape->RefParams - shape->RefResults);
            continue;

        compiled:
            // The frame ends first: the machine code has one of its own, and leaves its results where this one began.
            thread.Sp = --sp;
            nextFp = fp; nextRp = rp;
            ip = sp->Ip; fp = sp->Fp; rp = sp->Rp;
            thread.Top = nextFp + function->Slots;
            thread.RefTop = nextRp + function->RefSlots;
            at = ip - 1;
            InterpreterCalls.Call(thread, instance, code, function->Shape, nextFp, nextRp);
            refs = thread.Refs;
            if (function->RefSlots > function->Shape->RefResults)
                Array.Clear(refs, nextRp + function->Shape->RefResults, function->RefSlots - function->Shape->RefResults);
            if (sp == bottom) return;
            continue;

        enter:
            at = ip - 1;
            if (Volatile.Read(ref *(nint*)&callee->Code) == 0) instance.Services.Prepare(instance, callee);
            if (nextFp + callee->Slots > thread.Limit || sp == thread.FrameLimit) Trap.Throw(TrapKind.CallStackExhausted);
            callee->Entries++;
            if (--callee->Heat < 0) instance.Services.OnHot(instance, callee);
            sp->Ip = ip;
            sp->Fp = fp;
            sp->Rp = rp;
            sp->Function = callee;
            thread.Sp = ++sp;
            // Where a function is stopped, it is in the stack.
            if (*mark != 0)
            {
                at = callee->Code;
                CancellationScope.Stop();
            }
            fp = nextFp;
            rp = nextRp;
            ip = callee->Code;
            for (int i = callee->FirstZero; i < callee->EndZero; i++) fp[i] = 0;
            if (callee->RefSlots != 0)
            {
                refs = thread.Reserve(rp + callee->RefSlots);
                Array.Clear(refs, rp + callee->RefParams, callee->RefSlots - callee->RefParams);
            }
        }
    }
}
