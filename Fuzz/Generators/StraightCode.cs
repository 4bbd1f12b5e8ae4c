using WasmJit.Jit.Format;

namespace WasmJit.Fuzz;

/// <summary>
/// Writes steps as compilers write them: what is loaded, added or shifted goes to a local at once, addresses are in locals, branches compare what
/// has just been made. The interpreter executes pairs of such steps as one.
/// </summary>
internal static class StraightCode
{
    private const byte LocalGet = 0x20, LocalSet = 0x21, LocalTee = 0x22, GlobalGet = 0x23, GlobalSet = 0x24, Const = 0x41, BrIf = 0x0d,
        Load = 0x28, Load8 = 0x2d, Store = 0x36, Eqz = 0x45, Ne = 0x47, Add = 0x6a, Sub = 0x6b, And = 0x71, Xor = 0x73, Shl = 0x74, ShiftRight = 0x76, Rotate = 0x77;

    /// <summary>Writes some steps, which leave the operand stack as it is. They need two locals of type i32, memory 0, and global 1 of type i32.</summary>
    /// <param name="code">The code of a function.</param>
    /// <param name="random">Where decisions come from.</param>
    /// <param name="locals">The types of the function's locals.</param>
    internal static void Write(ByteWriter code, Random random, List<ValType> locals)
    {
        int[] usable = [.. Enumerable.Range(0, locals.Count).Where(i => locals[i] == ValType.I32)];
        if (usable.Length < 2) return;
        int address = usable[random.Next(usable.Length)];
        int[] others = [.. usable.Where(i => i != address)];
        int Other() => others[random.Next(others.Length)];
        void Get(int local) => Indexed(code, LocalGet, local);
        void Set(int local) => Indexed(code, LocalSet, local);
        void Number(int value)
        {
            code.U8(Const);
            code.S64(value);
        }
        void Access(byte op)
        {
            code.U8(op);
            code.U8(0);
            code.U32(4u * (uint)random.Next(16));
        }
        void Either()
        {
            if (random.Next(2) == 0) Get(Other());
            else Number(random.Next(-3, 100));
        }
        void Change(params ReadOnlySpan<byte> last)
        {
            int local = Other();
            Get(local);
            Number(random.Next(-40, 40));
            code.U8(last[0]);
            if (last.Length > 1)
            {
                Get(Other());
                code.U8(last[1]);
                local = Other();
            }
            Set(local);
        }

        Get(address);
        Number(0xff0);
        code.U8(And);
        Set(address);
        for (int i = random.Next(2, 9); i > 0; i--)
        {
            switch (random.Next(15))
            {
                case 0 or 1:
                    Get(address);
                    Access(Load);
                    Set(Other());
                    break;
                case 2 or 3:
                    Get(address);
                    Either();
                    Access(Store);
                    break;
                case 4:
                    Get(Other());
                    Get(Other());
                    code.U8(Add);
                    Set(Other());
                    break;
                case 5: Change(Add); break;
                case 6: Change(Shl, Add); break;
                case 7: Change(Rotate, Xor); break;
                case 8: Change(ShiftRight, Xor); break;
                case 9:
                    Indexed(code, GlobalGet, 1);
                    Number(16);
                    code.U8(Sub);
                    Indexed(code, LocalTee, Other());
                    Indexed(code, GlobalSet, 1);
                    break;
                case 10:
                    Get(Other());
                    Number(random.Next(100));
                    code.U8(random.Next(2) == 0 ? Sub : Add);
                    Indexed(code, GlobalSet, 1);
                    break;
                case 11:
                    Get(Other());
                    Set(Other());
                    break;
                case 12:
                    Get(address);
                    Access(Load8);
                    Set(Other());
                    break;
                case 13:
                    // Out of a block if what has been loaded is, or is not, a number.
                    code.Bytes([0x02, 0x40]);
                    Get(address);
                    Access(Load);
                    if (random.Next(3) == 0) code.U8(Eqz);
                    code.Bytes([BrIf, 0]);
                    Get(address);
                    Access(Load);
                    Set(Other());
                    code.U8(0x0b);
                    break;
                default:
                    code.Bytes([0x02, 0x40]);
                    int counter = Other();
                    Get(counter);
                    Number(random.Next(-2, 3));
                    code.U8(Add);
                    Indexed(code, LocalTee, counter);
                    Either();
                    code.U8(Ne);
                    code.Bytes([BrIf, 0]);
                    Get(Other());
                    Set(Other());
                    code.U8(0x0b);
                    break;
            }
        }
    }

    private static void Indexed(ByteWriter code, byte op, int index)
    {
        code.U8(op);
        code.U32((uint)index);
    }
}
