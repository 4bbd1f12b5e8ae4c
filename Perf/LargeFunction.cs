using WasmJit.Jit.Format;

namespace WasmJit.Perf;

/// <summary>
/// Writes one function of a <see cref="LargeModule"/>. Locals: the parameters; two pointers, which always lie within the
/// memory; a loop counter for each level; and values of each type, on which anything is computed.
/// </summary>
internal sealed class LargeFunction
{
    private const int MaxNesting = 5;
    private const int Pointers = 2;
    private const int PerType = 6;

    private readonly Random random;
    private readonly byte[] parameters;
    private readonly byte? result;
    private readonly int size;
    private readonly Func<bool, (int Index, int Type, byte[] Params, byte? Result)?> callee;
    private readonly ByteWriter code = new();
    private readonly int firstLocal;
    private int nesting;

    internal LargeFunction(
        Random random, byte[] parameters, byte? result, int size, Func<bool, (int Index, int Type, byte[] Params, byte? Result)?> callee)
    {
        this.random = random;
        this.parameters = parameters;
        this.result = result;
        this.size = size;
        this.callee = callee;
        firstLocal = parameters.Length;
    }

    internal ByteWriter Write()
    {
        code.Bytes([5, Pointers + MaxNesting, LargeModule.I32]);
        foreach (byte type in (ReadOnlySpan<byte>)[LargeModule.I32, LargeModule.I64, LargeModule.F32, LargeModule.F64]) code.Bytes([PerType, type]);
        bool hasFrame = size > 150;
        if (hasFrame) MoveStackPointer(-32);
        MaskedPointer(0);
        while (code.Length < size) Statement();
        if (hasFrame) MoveStackPointer(32);
        if (result is { } type1) Value(type1, 2);
        code.U8(Opcode.End);
        return code;
    }

    internal static void Zero(ByteWriter code, byte type)
    {
        switch (type)
        {
            case LargeModule.I32: code.Bytes([Opcode.I32Const, 0]); break;
            case LargeModule.I64: code.Bytes([Opcode.I64Const, 0]); break;
            case LargeModule.F32: code.U8(Opcode.F32Const); code.Fixed32(0); break;
            default: code.U8(Opcode.F64Const); code.Fixed64(0); break;
        }
    }

    private void Op(byte op, uint immediate)
    {
        code.U8(op);
        code.U32(immediate);
    }

    /// <summary>One of the operators from one to another, which have the opcodes between.</summary>
    private byte Between(byte first, byte last) => (byte)(first + random.Next(last - first + 1));

    private void Const(int value)
    {
        code.U8(Opcode.I32Const);
        code.S64(value);
    }

    private void MoveStackPointer(int by)
    {
        Op(Opcode.GlobalGet, 0);
        Const(by);
        code.U8(Opcode.I32Add);
        Op(Opcode.LocalTee, (uint)(firstLocal + 1));
        Op(Opcode.GlobalSet, 0);
    }

    private void MaskedPointer(int pointer)
    {
        Value(LargeModule.I32, 2);
        Const(0xffff8);
        code.U8(Opcode.I32And);
        Op(Opcode.LocalSet, (uint)(firstLocal + pointer));
    }

    private uint Local(byte type)
    {
        int at = random.Next(parameters.Length + PerType);
        if (at < parameters.Length && parameters[at] == type) return (uint)at;
        int group = type switch { LargeModule.I32 => 0, LargeModule.I64 => 1, LargeModule.F32 => 2, _ => 3 };
        return (uint)(firstLocal + Pointers + MaxNesting + (group * PerType) + random.Next(PerType));
    }

    private byte Type() => random.Next(10) switch
    {
        < 6 => LargeModule.I32,
        < 8 => LargeModule.I64,
        8 => LargeModule.F32,
        _ => LargeModule.F64,
    };

    private void Pointer() => Op(Opcode.LocalGet, (uint)(firstLocal + random.Next(Pointers)));

    private void MemArg(int align)
    {
        code.U8((byte)align);
        code.U32((uint)(random.Next(4) == 0 ? random.Next(1 << 16) : random.Next(32) * 4));
    }

    private void Statement()
    {
        switch (random.Next(100))
        {
            case < 34:
                {
                    byte type = Type();
                    Value(type, 3);
                    Op(Opcode.LocalSet, Local(type));
                    break;
                }
            case < 56: Store(); break;
            case < 60: MaskedPointer(1); break;
            case < 72 when nesting < MaxNesting: If(); break;
            case < 76 when nesting < MaxNesting: Loop(); break;
            case < 78 when nesting < MaxNesting - 1: Switch(); break;
            case < 93: RareCall(); break;
            case < 96: EarlyExit(); break;
            default:
                Value(LargeModule.I32, 1);
                Op(Opcode.LocalTee, Local(LargeModule.I32));
                Op(Opcode.LocalSet, Local(LargeModule.I32));
                break;
        }
    }

    private void Store()
    {
        Pointer();
        byte type = Type();
        Value(type, 2);
        (byte op, int align) = (type, random.Next(4)) switch
        {
            (LargeModule.I32, 0) => (Opcode.I32Store8, 0),
            (LargeModule.I32, 1) => (Opcode.I32Store16, 1),
            (LargeModule.I32, _) => (Opcode.I32Store, 2),
            (LargeModule.I64, _) => (Opcode.I64Store, 3),
            (LargeModule.F32, _) => (Opcode.F32Store, 2),
            _ => (Opcode.F64Store, 3),
        };
        code.U8(op);
        MemArg(align);
    }

    private void Statements(int most)
    {
        nesting++;
        for (int i = 1 + random.Next(most); i > 0; i--) Statement();
        nesting--;
    }

    private void If()
    {
        Condition();
        code.Bytes([Opcode.If, TypeByte.EmptyBlock]);
        Statements(4);
        if (random.Next(3) == 0)
        {
            code.U8(Opcode.Else);
            Statements(3);
        }
        code.U8(Opcode.End);
    }

    private void Loop()
    {
        uint counter = (uint)(firstLocal + Pointers + nesting);
        Const(1 + random.Next(2));
        Op(Opcode.LocalSet, counter);
        code.Bytes([Opcode.Loop, TypeByte.EmptyBlock]);
        Statements(4);
        Op(Opcode.LocalGet, counter);
        Const(1);
        code.U8(Opcode.I32Sub);
        Op(Opcode.LocalTee, counter);
        code.Bytes([Opcode.BrIf, 0, Opcode.End]);
    }

    private void Switch()
    {
        int cases = 3 + random.Next(random.Next(4, 24));
        for (int i = 0; i <= cases; i++) code.Bytes([Opcode.Block, TypeByte.EmptyBlock]);
        Value(LargeModule.I32, 1);
        code.U8(Opcode.BrTable);
        code.U32((uint)cases);
        for (int i = 0; i < cases; i++) code.U32((uint)(random.Next(4) == 0 ? 0 : i));
        code.U32((uint)cases);
        for (int i = 0; i < cases; i++)
        {
            code.U8(Opcode.End);
            Statements(2);
            Op(Opcode.Br, (uint)(cases - i - 1));
        }
        code.U8(Opcode.End);
    }

    /// <summary>A call that is there, as most in a program, for a case that does not come: running anything ends soon.</summary>
    private void RareCall()
    {
        bool isIndirect = random.Next(8) == 0;
        if (callee(isIndirect) is not { } target) return;
        Op(Opcode.LocalGet, Local(LargeModule.I32));
        Const(1_000_000_000 + random.Next(1_000_000));
        code.Bytes([Opcode.I32Eq, Opcode.If, TypeByte.EmptyBlock]);
        foreach (byte parameter in target.Params) Value(parameter, 1);
        if (isIndirect)
        {
            Value(LargeModule.I32, 1);
            Op(Opcode.CallIndirect, (uint)target.Type);
            code.U8(0);
        }
        else
        {
            Op(Opcode.Call, (uint)target.Index);
        }
        if (target.Result is { } type) Op(Opcode.LocalSet, Local(type));
        code.U8(Opcode.End);
    }

    /// <summary>Leaves the function for a case that does not come.</summary>
    private void EarlyExit()
    {
        Op(Opcode.LocalGet, Local(LargeModule.I32));
        Const(-1_000_000_000 - random.Next(1_000_000));
        code.Bytes([Opcode.I32Eq, Opcode.If, TypeByte.EmptyBlock]);
        if (result is { } type) Value(type, 1);
        code.Bytes([Opcode.Return, Opcode.End]);
    }

    private void Condition()
    {
        Value(LargeModule.I32, 1);
        switch (random.Next(3))
        {
            case 0: code.U8(Opcode.I32Eqz); break;
            case 1:
                Const(random.Next(100));
                code.U8(Between(Opcode.I32Eq, Opcode.I32GeU));
                break;
        }
    }

    private void Value(byte type, int depth)
    {
        if (depth == 0 || random.Next(5) == 0)
        {
            if (random.Next(4) != 0) Op(Opcode.LocalGet, Local(type));
            else Constant(type);
            return;
        }
        switch (random.Next(10))
        {
            case < 4: Load(type); break;
            case < 8: Binary(type, depth); break;
            case 8: Convert(type, depth); break;
            default:
                Value(type, depth - 1);
                Value(type, depth - 1);
                Op(Opcode.LocalGet, Local(LargeModule.I32));
                code.U8(Opcode.Select);
                break;
        }
    }

    private void Constant(byte type)
    {
        switch (type)
        {
            case LargeModule.I32: Const(random.Next(8) == 0 ? random.Next() : random.Next(256)); break;
            case LargeModule.I64:
                code.U8(Opcode.I64Const);
                code.S64(random.Next(8) == 0 ? random.NextInt64() : random.Next(256));
                break;
            case LargeModule.F32:
                code.U8(Opcode.F32Const);
                code.Fixed32(BitConverter.SingleToUInt32Bits(random.NextSingle()));
                break;
            default:
                code.U8(Opcode.F64Const);
                code.Fixed64(BitConverter.DoubleToUInt64Bits(random.NextDouble()));
                break;
        }
    }

    private void Load(byte type)
    {
        Pointer();
        (byte op, int align) = (type, random.Next(4)) switch
        {
            (LargeModule.I32, 0) => (Opcode.I32Load8U, 0),
            (LargeModule.I32, 1) => (Opcode.I32Load16U, 1),
            (LargeModule.I32, _) => (Opcode.I32Load, 2),
            (LargeModule.I64, 0) => (Opcode.I64Load32U, 2),
            (LargeModule.I64, _) => (Opcode.I64Load, 3),
            (LargeModule.F32, _) => (Opcode.F32Load, 2),
            _ => (Opcode.F64Load, 3),
        };
        code.U8(op);
        MemArg(align);
    }

    private void Binary(byte type, int depth)
    {
        Value(type, depth - 1);
        Value(type, depth - 1);
        // Division is left out: it could trap.
        code.U8(type switch
        {
            LargeModule.I32 => random.Next(3) switch { 0 => Between(Opcode.I32Add, Opcode.I32Mul), 1 => Between(Opcode.I32And, Opcode.I32ShrU), _ => Between(Opcode.I32Eq, Opcode.I32GeU) },
            LargeModule.I64 => random.Next(2) == 0 ? Between(Opcode.I64Add, Opcode.I64Mul) : Between(Opcode.I64And, Opcode.I64ShrU),
            LargeModule.F32 => Between(Opcode.F32Add, Opcode.F32Div),
            _ => Between(Opcode.F64Add, Opcode.F64Div),
        });
    }

    private void Convert(byte type, int depth)
    {
        (byte from, byte op) = (type, random.Next(2)) switch
        {
            (LargeModule.I32, 0) => (LargeModule.I64, Opcode.I32WrapI64),
            (LargeModule.I32, _) => (LargeModule.F64, Opcode.F64Lt),
            (LargeModule.I64, 0) => (LargeModule.I32, Opcode.I64ExtendI32S),
            (LargeModule.I64, _) => (LargeModule.I32, Opcode.I64ExtendI32U),
            (LargeModule.F32, 0) => (LargeModule.I32, Opcode.F32ConvertI32S),
            (LargeModule.F32, _) => (LargeModule.F64, Opcode.F32DemoteF64),
            (LargeModule.F64, 0) => (LargeModule.I32, Opcode.F64ConvertI32S),
            _ => (LargeModule.F32, Opcode.F64PromoteF32),
        };
        Value(from, depth - 1);
        if (op == Opcode.F64Lt) Value(from, depth - 1);
        code.U8(op);
    }
}
