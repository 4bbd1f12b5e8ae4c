using WasmJit.Jit.Format;
using WasmJit.Jit.Operators;

namespace WasmJit.Fuzz;

/// <summary>
/// Writes steps as compilers write them: what is loaded, added or shifted goes to a local at once, addresses are in locals, branches compare what
/// has just been made. The interpreter executes pairs of such steps as one.
/// </summary>
internal static class StraightCode
{
    private static readonly Operator Load = Named("i32.load"), Load8 = Named("i32.load8_u"), Store = Named("i32.store"), Eqz = Named("i32.eqz"), Ne = Named("i32.ne"),
        Add = Named("i32.add"), Sub = Named("i32.sub"), And = Named("i32.and"), Xor = Named("i32.xor"), Shl = Named("i32.shl"), ShiftRight = Named("i32.shr_u"),
        Rotate = Named("i32.rotl");

    private static Operator Named(string mnemonic) => OperatorTable.Find(mnemonic) ?? throw new ArgumentException($"There is no operator {mnemonic}.", nameof(mnemonic));

    /// <summary>Writes some steps, which leave the operand stack as it is. They need two locals of type i32, memory 0, and global 1 of type i32.</summary>
    /// <param name="code">The code of a function.</param>
    /// <param name="random">Where decisions come from.</param>
    /// <param name="locals">The types of the function's locals.</param>
    /// <param name="results">The types of its results.</param>
    internal static void Write(ByteWriter code, Random random, List<ValType> locals, ValType[] results)
    {
        int[] usable = [.. Enumerable.Range(0, locals.Count).Where(i => locals[i] == ValType.I32)];
        if (usable.Length < 2) return;
        int address = usable[random.Next(usable.Length)];
        int[] others = [.. usable.Where(i => i != address)];
        int Other() => others[random.Next(others.Length)];
        void Get(int local) => Indexed(code, OpId.LocalGet, local);
        void Set(int local) => Indexed(code, OpId.LocalSet, local);
        void Number(int value)
        {
            code.Code(OpId.I32Const);
            code.S64(value);
        }
        void Access(Operator op)
        {
            code.Code(op);
            code.U8(0);
            code.U32(4u * (uint)random.Next(16));
        }
        void Either()
        {
            if (random.Next(2) == 0) Get(Other());
            else Number(random.Next(-3, 100));
        }
        void Change(params ReadOnlySpan<Operator> last)
        {
            int local = Other();
            Get(local);
            Number(random.Next(-40, 40));
            code.Code(last[0]);
            if (last.Length > 1)
            {
                Get(Other());
                code.Code(last[1]);
                local = Other();
            }
            Set(local);
        }

        Get(address);
        Number(0xff0);
        code.Code(And);
        Set(address);
        for (int i = random.Next(2, 9); i > 0; i--)
        {
            switch (random.Next(19))
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
                    code.Code(Add);
                    Set(Other());
                    break;
                case 5: Change(Add); break;
                case 6: Change(Shl, Add); break;
                case 7: Change(Rotate, Xor); break;
                case 8: Change(ShiftRight, Xor); break;
                case 9:
                    Indexed(code, OpId.GlobalGet, 1);
                    Number(16);
                    code.Code(Sub);
                    Indexed(code, OpId.LocalTee, Other());
                    Indexed(code, OpId.GlobalSet, 1);
                    break;
                case 10:
                    Get(Other());
                    Number(random.Next(100));
                    code.Code(random.Next(2) == 0 ? Sub : Add);
                    Indexed(code, OpId.GlobalSet, 1);
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
                    code.Code(OpId.Block);
                    code.U8(TypeByte.EmptyBlock);
                    Get(address);
                    Access(Load);
                    if (random.Next(3) == 0) code.Code(Eqz);
                    Indexed(code, OpId.BrIf, 0);
                    Get(address);
                    Access(Load);
                    Set(Other());
                    code.Code(OpId.End);
                    break;
                case 14:
                    // A loop of a few turns that ends with a store.
                    int turns = Other();
                    Number(random.Next(1, 4));
                    Set(turns);
                    code.Code(OpId.Loop);
                    code.U8(TypeByte.EmptyBlock);
                    code.Code(OpId.Block);
                    code.U8(TypeByte.EmptyBlock);
                    Get(turns);
                    Number(1);
                    code.Code(Sub);
                    Indexed(code, OpId.LocalTee, turns);
                    code.Code(Eqz);
                    Indexed(code, OpId.BrIf, 0);
                    Get(address);
                    Get(Other());
                    Access(Store);
                    Indexed(code, OpId.Br, 1);
                    code.Code(OpId.End);
                    code.Code(OpId.End);
                    break;
                case 15:
                    // A number in memory is increased.
                    Get(address);
                    Get(address);
                    Access(Load);
                    Number(random.Next(-2, 3));
                    code.Code(Add);
                    Access(Store);
                    break;
                case 16:
                    // Variables that are kept in memory.
                    Get(address);
                    Get(Other());
                    Access(Store);
                    Get(address);
                    Access(Load);
                    Get(address);
                    Access(Load);
                    code.Code(Add);
                    Set(Other());
                    break;
                case 17 when results is [var only] && only == ValType.I32:
                    // The end of a function that gives its frame back.
                    code.Code(OpId.Block);
                    code.U8(TypeByte.EmptyBlock);
                    Get(Other());
                    Indexed(code, OpId.BrIf, 0);
                    Get(Other());
                    if (random.Next(2) == 0)
                    {
                        Number(32);
                        code.Code(Add);
                    }
                    Indexed(code, OpId.GlobalSet, 1);
                    Get(Other());
                    code.Code(OpId.Return);
                    code.Code(OpId.End);
                    break;
                default:
                    code.Code(OpId.Block);
                    code.U8(TypeByte.EmptyBlock);
                    int counter = Other();
                    Get(counter);
                    Number(random.Next(-2, 3));
                    code.Code(Add);
                    Indexed(code, OpId.LocalTee, counter);
                    Either();
                    code.Code(Ne);
                    Indexed(code, OpId.BrIf, 0);
                    Get(Other());
                    Set(Other());
                    code.Code(OpId.End);
                    break;
            }
        }
    }

    private static void Indexed(ByteWriter code, OpId op, int index)
    {
        code.Code(op);
        code.U32((uint)index);
    }
}
