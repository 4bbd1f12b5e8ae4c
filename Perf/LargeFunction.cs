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
        code.Bytes([0x05, Pointers + MaxNesting, LargeModule.I32]);
        foreach (byte type in (ReadOnlySpan<byte>)[LargeModule.I32, LargeModule.I64, LargeModule.F32, LargeModule.F64]) code.Bytes([PerType, type]);
        bool hasFrame = size > 150;
        if (hasFrame) MoveStackPointer(-32);
        MaskedPointer(0);
        while (code.Length < size) Statement();
        if (hasFrame) MoveStackPointer(32);
        if (result is { } type1) Value(type1, 2);
        code.U8(0x0b);
        return code;
    }

    internal static void Zero(ByteWriter code, byte type)
    {
        switch (type)
        {
            case LargeModule.I32: code.Bytes([0x41, 0x00]); break;
            case LargeModule.I64: code.Bytes([0x42, 0x00]); break;
            case LargeModule.F32: code.U8(0x43); code.Fixed32(0); break;
            default: code.U8(0x44); code.Fixed64(0); break;
        }
    }

    private void Op(byte op, uint immediate)
    {
        code.U8(op);
        code.U32(immediate);
    }

    private void Const(int value)
    {
        code.U8(0x41);
        code.S64(value);
    }

    private void MoveStackPointer(int by)
    {
        Op(0x23, 0);
        Const(by);
        code.U8(0x6a);
        Op(0x22, (uint)(firstLocal + 1));
        Op(0x24, 0);
    }

    private void MaskedPointer(int pointer)
    {
        Value(LargeModule.I32, 2);
        Const(0xffff8);
        code.U8(0x71);
        Op(0x21, (uint)(firstLocal + pointer));
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

    private void Pointer() => Op(0x20, (uint)(firstLocal + random.Next(Pointers)));

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
                    Op(0x21, Local(type));
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
                Op(0x22, Local(LargeModule.I32));
                Op(0x21, Local(LargeModule.I32));
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
            (LargeModule.I32, 0) => ((byte)0x3a, 0),
            (LargeModule.I32, 1) => ((byte)0x3b, 1),
            (LargeModule.I32, _) => ((byte)0x36, 2),
            (LargeModule.I64, _) => ((byte)0x37, 3),
            (LargeModule.F32, _) => ((byte)0x38, 2),
            _ => ((byte)0x39, 3),
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
        code.Bytes([0x04, 0x40]);
        Statements(4);
        if (random.Next(3) == 0)
        {
            code.U8(0x05);
            Statements(3);
        }
        code.U8(0x0b);
    }

    private void Loop()
    {
        uint counter = (uint)(firstLocal + Pointers + nesting);
        Const(1 + random.Next(2));
        Op(0x21, counter);
        code.Bytes([0x03, 0x40]);
        Statements(4);
        Op(0x20, counter);
        Const(1);
        code.U8(0x6b);
        Op(0x22, counter);
        code.Bytes([0x0d, 0x00, 0x0b]);
    }

    private void Switch()
    {
        int cases = 3 + random.Next(random.Next(4, 24));
        for (int i = 0; i <= cases; i++) code.Bytes([0x02, 0x40]);
        Value(LargeModule.I32, 1);
        code.U8(0x0e);
        code.U32((uint)cases);
        for (int i = 0; i < cases; i++) code.U32((uint)(random.Next(4) == 0 ? 0 : i));
        code.U32((uint)cases);
        for (int i = 0; i < cases; i++)
        {
            code.U8(0x0b);
            Statements(2);
            Op(0x0c, (uint)(cases - i - 1));
        }
        code.U8(0x0b);
    }

    /// <summary>A call that is there, as most in a program, for a case that does not come: running anything ends soon.</summary>
    private void RareCall()
    {
        bool isIndirect = random.Next(8) == 0;
        if (callee(isIndirect) is not { } target) return;
        Op(0x20, Local(LargeModule.I32));
        Const(1_000_000_000 + random.Next(1_000_000));
        code.Bytes([0x46, 0x04, 0x40]);
        foreach (byte parameter in target.Params) Value(parameter, 1);
        if (isIndirect)
        {
            Value(LargeModule.I32, 1);
            Op(0x11, (uint)target.Type);
            code.U8(0);
        }
        else
        {
            Op(0x10, (uint)target.Index);
        }
        if (target.Result is { } type) Op(0x21, Local(type));
        code.U8(0x0b);
    }

    /// <summary>Leaves the function for a case that does not come.</summary>
    private void EarlyExit()
    {
        Op(0x20, Local(LargeModule.I32));
        Const(-1_000_000_000 - random.Next(1_000_000));
        code.Bytes([0x46, 0x04, 0x40]);
        if (result is { } type) Value(type, 1);
        code.Bytes([0x0f, 0x0b]);
    }

    private void Condition()
    {
        Value(LargeModule.I32, 1);
        switch (random.Next(3))
        {
            case 0: code.U8(0x45); break;
            case 1:
                Const(random.Next(100));
                code.U8((byte)(0x46 + random.Next(10)));
                break;
        }
    }

    private void Value(byte type, int depth)
    {
        if (depth == 0 || random.Next(5) == 0)
        {
            if (random.Next(4) != 0) Op(0x20, Local(type));
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
                Op(0x20, Local(LargeModule.I32));
                code.U8(0x1b);
                break;
        }
    }

    private void Constant(byte type)
    {
        switch (type)
        {
            case LargeModule.I32: Const(random.Next(8) == 0 ? random.Next() : random.Next(256)); break;
            case LargeModule.I64:
                code.U8(0x42);
                code.S64(random.Next(8) == 0 ? random.NextInt64() : random.Next(256));
                break;
            case LargeModule.F32:
                code.U8(0x43);
                code.Fixed32(BitConverter.SingleToUInt32Bits(random.NextSingle()));
                break;
            default:
                code.U8(0x44);
                code.Fixed64(BitConverter.DoubleToUInt64Bits(random.NextDouble()));
                break;
        }
    }

    private void Load(byte type)
    {
        Pointer();
        (byte op, int align) = (type, random.Next(4)) switch
        {
            (LargeModule.I32, 0) => ((byte)0x2d, 0),
            (LargeModule.I32, 1) => ((byte)0x2f, 1),
            (LargeModule.I32, _) => ((byte)0x28, 2),
            (LargeModule.I64, 0) => ((byte)0x35, 2),
            (LargeModule.I64, _) => ((byte)0x29, 3),
            (LargeModule.F32, _) => ((byte)0x2a, 2),
            _ => ((byte)0x2b, 3),
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
            LargeModule.I32 => (byte)(random.Next(3) switch { 0 => 0x6a + random.Next(3), 1 => 0x71 + random.Next(6), _ => 0x46 + random.Next(10) }),
            LargeModule.I64 => (byte)(random.Next(2) == 0 ? 0x7c + random.Next(3) : 0x83 + random.Next(6)),
            LargeModule.F32 => (byte)(0x92 + random.Next(4)),
            _ => (byte)(0xa0 + random.Next(4)),
        });
    }

    private void Convert(byte type, int depth)
    {
        (byte from, byte op) = (type, random.Next(2)) switch
        {
            (LargeModule.I32, 0) => (LargeModule.I64, (byte)0xa7),
            (LargeModule.I32, _) => (LargeModule.F64, (byte)0x63),
            (LargeModule.I64, 0) => (LargeModule.I32, (byte)0xac),
            (LargeModule.I64, _) => (LargeModule.I32, (byte)0xad),
            (LargeModule.F32, 0) => (LargeModule.I32, (byte)0xb2),
            (LargeModule.F32, _) => (LargeModule.F64, (byte)0xb6),
            (LargeModule.F64, 0) => (LargeModule.I32, (byte)0xb7),
            _ => (LargeModule.F32, (byte)0xbb),
        };
        Value(from, depth - 1);
        if (op == 0x63) Value(from, depth - 1);
        code.U8(op);
    }
}
