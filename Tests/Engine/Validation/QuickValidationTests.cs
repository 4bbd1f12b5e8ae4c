using System.Reflection;
using System.Reflection.Emit;
using WasmJit.Fuzz;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Format;
using WasmJit.Jit.Il;
using WasmJit.Jit.Validation;
using WasmJit.Runtime;
using Xunit;

namespace WasmJit.Tests;

/// <summary>The validator's fast path says what the general path says, to the offset and the reason.</summary>
public sealed class QuickValidationTests
{
    private static string Judge(ModuleInfo module, int func, bool isGeneral)
    {
        try
        {
            new FunctionValidator(module) { IsGeneral = isGeneral }.ValidateBody(func);
            return "valid";
        }
        catch (ModuleException e)
        {
            return $"{e.GetType().Name} at {e.Offset}: {e.Reason}";
        }
    }

    /// <summary>Judges each function both ways; gives how many are valid and how many are not.</summary>
    private static (int Valid, int Invalid) Compare(byte[] bytes)
    {
        int valid = 0, invalid = 0;
        ModuleInfo module;
        try
        {
            module = ModuleDecoder.Decode(bytes);
        }
        catch (ModuleException)
        {
            return (0, 0);
        }
        for (int i = module.ImportedFuncs; i < module.Funcs.Count; i++)
        {
            string general = Judge(module, i, isGeneral: true);
            Assert.Equal(general, Judge(module, i, isGeneral: false));
            if (general == "valid") valid++;
            else invalid++;
        }
        return (valid, invalid);
    }

    /// <summary>Random modules of numbers and of references, and each with some bytes of its functions changed.</summary>
    [Fact]
    public void BothWaysAgreeOnRandomModules()
    {
        int valid = 0, invalid = 0;
        foreach (ModuleGenerator generator in ModuleGenerator.All([]).Where(generator => generator.MakesPrograms))
        {
            for (int seed = 1; seed <= 6; seed++)
            {
                byte[] bytes = generator.Make(seed);
                Count(Compare(bytes));
                ModuleInfo module = ModuleDecoder.Decode(bytes);
                int first = module.Funcs[module.ImportedFuncs].BodyStart, end = module.Funcs[^1].BodyEnd;
                var random = new Random(seed);
                for (int i = 0; i < 60; i++)
                {
                    byte[] changed = [.. bytes];
                    for (int change = random.Next(3); change >= 0; change--) changed[random.Next(first, end)] = (byte)random.Next(random.Next(2) == 0 ? 256 : 0x45);
                    Count(Compare(changed));
                }
            }
        }
        Assert.True(valid > 1000 && invalid > 300, $"{valid} valid, {invalid} not");

        void Count((int Valid, int Invalid) counts)
        {
            valid += counts.Valid;
            invalid += counts.Invalid;
        }
    }

    /// <summary>The type of a block is a signed number: C0 00 is index 64, of which the first seven bits are those of an empty block.</summary>
    [Theory]
    [InlineData(64)]
    [InlineData(124)]
    [InlineData(127)]
    public void IndicesOfBlockTypesAreNoTypes(int index)
    {
        string types = string.Concat(Enumerable.Range(0, 130).Select(i => i == index ? "(type (func (result i64 i64)))" : $"(type (func (param i32) (result {Numbers(i)})))"));
        // Code behind it, so that the block is not near the end of the module.
        string rest = string.Concat(Enumerable.Repeat("(drop (i32.const 1))", 20));
        byte[] valid = Wat.ToBinary($"(module {types} (func (block (type {index}) (i64.const 1) (i64.const 2)) drop drop {rest}) (func {rest}))");
        Assert.Equal((2, 0), Compare(valid));
        byte[] invalid = Wat.ToBinary($"(module {types} (func (block (type {index})) {rest}) (func {rest}))");
        Assert.Equal((1, 1), Compare(invalid));

        static string Numbers(int i) => string.Concat(Enumerable.Range(0, 8).Select(bit => (i >> bit & 1) != 0 ? "i32 " : "i64 "));
    }

    /// <summary>Immediates of every length, that end in the function and behind it.</summary>
    [Fact]
    public void BothWaysAgreeOnImmediatesOfAnyLength()
    {
        byte[] operators =
        [
            Opcode.LocalGet, Opcode.LocalSet, Opcode.LocalTee, Opcode.GlobalGet, Opcode.GlobalSet, Opcode.Br, Opcode.BrIf, Opcode.Call, Opcode.I32Load, Opcode.I32Store,
            Opcode.I32Const, Opcode.I64Const, Opcode.Block, Opcode.Loop, Opcode.If, Opcode.CallIndirect, Opcode.MemorySize,
        ];
        int valid = 0;
        foreach (byte op in operators)
        {
            for (int length = 1; length <= 11; length++)
            {
                foreach (byte value in new byte[] { 0, 1, 2, 0x3f, 0x40, 0x7f })
                {
                    for (int behind = 0; behind < 3; behind++)
                    {
                        byte[] immediate = [.. Enumerable.Repeat((byte)(value | 0x80), length - 1), value];
                        byte[] code =
                        [
                            Opcode.I32Const, 0, Opcode.I32Const, 0, op, .. op is Opcode.I32Load or Opcode.I32Store ? [(byte)2] : Array.Empty<byte>(), .. immediate,
                            .. op == Opcode.CallIndirect ? [(byte)0] : Array.Empty<byte>(), .. Enumerable.Repeat((byte)0, behind), Opcode.End, Opcode.End,
                        ];
                        valid += Compare(Module(code)).Valid;
                    }
                }
            }
        }
        Assert.True(valid > 10, $"{valid}");
    }

    /// <summary>A module with a memory, a table, a global, and two functions, of which the first has this code.</summary>
    private static byte[] Module(byte[] code)
    {
        byte[] second = [0, .. Enumerable.Repeat((byte)1, 40), Opcode.End];
        byte[] bodies = [2, (byte)(code.Length + 3), 1, 1, TypeByte.I32, .. code, (byte)second.Length, .. second];
        return
        [
            .. "\0asm\x01\0\0\0"u8,
            SectionId.Type, 4, 1, TypeByte.Func, 0, 0,
            SectionId.Function, 3, 2, 0, 0,
            SectionId.Table, 4, 1, HeapByte.Func, 0, 1,
            SectionId.Memory, 3, 1, 0, 1,
            SectionId.Global, 6, 1, TypeByte.I32, 1, Opcode.I32Const, 0, Opcode.End,
            SectionId.Code, (byte)bodies.Length, .. bodies,
        ];
    }

    [Fact]
    public void ConstantsOfOpcodesAreThoseOfDotNet()
    {
        foreach (IlOp op in Enum.GetValues<IlOp>())
        {
            FieldInfo field = typeof(OpCodes).GetField(op.ToString())!;
            Assert.Equal(((OpCode)field.GetValue(null)!).Value, (short)op);
        }
    }
}
