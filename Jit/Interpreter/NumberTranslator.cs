using System.Collections.Immutable;
using WasmJit.Jit.Format;
using WasmJit.Jit.Operators;
using WasmJit.Runtime;

namespace WasmJit.Jit.Interpreter;

/// <summary>
/// The fast path for most code: operators of one byte on numbers, straight from the bytes, which the validator has read. What the table
/// below says of an operator is taken from its row. All others are left to the general way.
/// </summary>
/// <param name="general">The general way.</param>
/// <param name="stack">Its stack.</param>
/// <param name="code">Its code.</param>
/// <param name="bodyEnd">Where the function ends.</param>
/// <param name="hasDirectMemory">Whether memory 0 is addressed by loads and stores themselves.</param>
internal sealed class NumberTranslator(RegisterTranslator general, RegisterStack stack, RegisterBuffer code, int bodyEnd, bool hasDirectMemory)
{
    /// <summary>What an operator is to this loop.</summary>
    private enum Quick : byte
    {
        /// <summary>Not met yet.</summary>
        Unknown,
        General,
        Unary, Binary, Load, Store, I32Const, I64Const, F32Const, F64Const, LocalGet, LocalSet, LocalTee, Drop,

        // Those that may be much work, or end what can be reached.
        Block, Loop, If, Else, End, Br, BrIf, Return, Call, GlobalGet, GlobalSet, Select,
    }

    /// <summary>By the byte of an operator: a <see cref="Quick"/>, and then its operation.</summary>
    private static readonly uint[] QuickTable = new uint[256];
    private const int OperationAt = 8;

    /// <summary>The bytes between two polls (whether the guest is to stop).</summary>
    private const int BytesUntilPoll = 1 << 14;

    /// <summary>The type of a block with one result, by its byte.</summary>
    private static readonly ImmutableArray<ValType>[] OneNumber = [[ValType.F64], [ValType.F32], [ValType.I64], [ValType.I32]];

    private static uint Learn(byte first)
    {
        uint entry = OperatorTable.Find(0, first) is { } op ? EntryOf(op) : (uint)Quick.General;
        QuickTable[first] = entry;
        return entry;
    }

    private static uint EntryOf(Operator op)
    {
        Quick kind = op.Id switch
        {
            OpId.LocalGet => Quick.LocalGet,
            OpId.LocalSet => Quick.LocalSet,
            OpId.LocalTee => Quick.LocalTee,
            OpId.I32Const => Quick.I32Const,
            OpId.I64Const => Quick.I64Const,
            OpId.F32Const => Quick.F32Const,
            OpId.F64Const => Quick.F64Const,
            OpId.Drop => Quick.Drop,
            OpId.Block => Quick.Block,
            OpId.Loop => Quick.Loop,
            OpId.If => Quick.If,
            OpId.Else => Quick.Else,
            OpId.End => Quick.End,
            OpId.Br => Quick.Br,
            OpId.BrIf => Quick.BrIf,
            OpId.Return => Quick.Return,
            OpId.Call => Quick.Call,
            OpId.GlobalGet => Quick.GlobalGet,
            OpId.GlobalSet => Quick.GlobalSet,
            OpId.Select => Quick.Select,
            _ => Quick.General,
        };
        if (kind != Quick.General) return (uint)kind;
        if (op.Group != OpGroup.Plain || InterpretedOperators.PlainOf(op) is not { } operation) return (uint)Quick.General;
        if (op.Reading == ImmediateForm.MemArg) kind = op.Results.IsEmpty ? Quick.Store : Quick.Load;
        else if (op.Reading == ImmediateForm.None) kind = op.Params.Length == 1 ? Quick.Unary : Quick.Binary;
        return (uint)kind | ((uint)operation << OperationAt);
    }

    /// <summary>Translates operators as long as they are of this kind, can be reached, and no poll is due.</summary>
    /// <param name="bytes">The module.</param>
    /// <param name="at">Where the code goes on.</param>
    /// <returns>Where it goes on in the general way.</returns>
    internal int Translate(ReadOnlySpan<byte> bytes, int at)
    {
        uint[] table = QuickTable;
        int first = at, last = Math.Min(bodyEnd - 1, at + BytesUntilPoll);
        while (at <= last)
        {
            uint entry = table[bytes[at]];
            if (entry == (uint)Quick.Unknown) entry = Learn(bytes[at]);
            if ((byte)entry == (byte)Quick.General) break;
            code.Source = at++;
            var operation = (RegisterOp)(entry >> OperationAt);
            switch ((Quick)(byte)entry)
            {
                case Quick.LocalGet: stack.LocalGet((int)U32(bytes, ref at)); continue;
                case Quick.LocalSet: stack.LocalSet((int)U32(bytes, ref at)); continue;
                case Quick.LocalTee: stack.LocalTee((int)U32(bytes, ref at)); continue;
                case Quick.I32Const: stack.PushConst((int)Signed(bytes, ref at)); continue;
                case Quick.I64Const: stack.PushConst(Signed(bytes, ref at)); continue;
                case Quick.F32Const:
                    stack.PushConst(BitConverter.ToUInt32(bytes[at..]));
                    at += sizeof(uint);
                    continue;
                case Quick.F64Const:
                    stack.PushConst(BitConverter.ToInt64(bytes[at..]));
                    at += sizeof(ulong);
                    continue;
                case Quick.Unary: stack.PushResult(false, operation, stack.PopSlot()); continue;
                case Quick.Binary: general.Binary(operation); continue;
                case Quick.Drop: stack.Pop(); continue;
                case Quick.Load:
                    if (!hasDirectMemory || bytes[at] >= MemArgFlags.HasMemory) break;
                    at++;
                    long offset = U32(bytes, ref at);
                    stack.PushResult(false, operation, stack.PopSlot(), imm: offset);
                    continue;
                case Quick.Store:
                    if (!hasDirectMemory || bytes[at] >= MemArgFlags.HasMemory) break;
                    at++;
                    offset = U32(bytes, ref at);
                    ref RegisterOperand value = ref stack.Pop(), index = ref stack.Pop();
                    int address = stack.SlotOf(index);
                    code.Emit(operation, address, stack.SlotOf(value), 0, offset);
                    continue;
                case Quick.Call:
                    general.Call((int)U32(bytes, ref at));
                    if (!general.GoesOn(at - first)) return at;
                    continue;
                default:
                    if (!Control((Quick)(byte)entry, bytes, ref at)) break;
                    if (!general.GoesOn(at - first)) return at;
                    continue;
            }
            // The general way has this one.
            return code.Source;
        }
        return at;
    }

    /// <summary>What changes the blocks, calls, and what may need a look at a type. False, and nothing changed, if that is not the usual one.</summary>
    private bool Control(Quick kind, ReadOnlySpan<byte> bytes, ref int at)
    {
        switch (kind)
        {
            case Quick.Block or Quick.Loop or Quick.If:
                uint type = bytes[at];
                ImmutableArray<ValType> end;
                if (type == TypeByte.EmptyBlock) end = ValTypes.None;
                else if (type is >= TypeByte.F64 and <= TypeByte.I32) end = OneNumber[(int)type - TypeByte.F64];
                else return false;
                at++;
                general.BeginBlock(kind == Quick.Block ? OpId.Block : kind == Quick.Loop ? OpId.Loop : OpId.If, ValTypes.None, end, code.Source);
                return true;
            case Quick.Else: general.Else(); return true;
            case Quick.End: general.End(); return true;
            case Quick.Br: general.Br(U32(bytes, ref at)); return true;
            case Quick.BrIf: general.BrIf(U32(bytes, ref at)); return true;
            case Quick.Return:
                general.Return();
                general.SetUnreachable();
                return true;
            case Quick.GlobalGet: general.GlobalGet((int)U32(bytes, ref at)); return true;
            case Quick.GlobalSet: general.GlobalSet((int)U32(bytes, ref at)); return true;
            case Quick.Select: general.Select(); return true;
            default: return false;
        }
    }

    private static uint U32(ReadOnlySpan<byte> bytes, ref int at)
    {
        uint value = bytes[at++];
        if (value < 0x80) return value;
        value &= 0x7f;
        for (int shift = 7; ; shift += 7)
        {
            uint more = bytes[at++];
            value |= (more & 0x7f) << shift;
            if (more < 0x80) return value;
        }
    }

    private static long Signed(ReadOnlySpan<byte> bytes, ref int at)
    {
        long value = 0;
        for (int shift = 0; ;)
        {
            byte more = bytes[at++];
            value |= (long)(more & 0x7f) << shift;
            shift += 7;
            if (more >= 0x80) continue;
            return shift >= 64 ? value : value << (64 - shift) >> (64 - shift);
        }
    }
}
