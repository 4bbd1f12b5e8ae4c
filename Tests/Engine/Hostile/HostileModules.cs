using WasmJit.Jit.Format;
using WasmJit.Runtime;
using static WasmJit.Jit.Format.Opcode;

namespace WasmJit.Tests;

/// <summary>Modules that are large in one respect alone. The export <c>run</c>, where there is one, is () -> i32.</summary>
internal static class HostileModules
{
    private const byte I32 = TypeByte.I32, I64 = TypeByte.I64, Empty = TypeByte.EmptyBlock;

    /// <summary>By name: what makes the bytes, given what a million is: tests take less of everything.</summary>
    internal static readonly Dictionary<string, Func<int, byte[]>> All = new()
    {
        ["a function of 5 MB"] = million => OneFunction(body =>
        {
            // Three locals, sums of products, a store now and then.
            for (int i = 0; body.Length < 5 * million; i++)
            {
                body.Bytes([LocalGet, (byte)(i % 3), LocalGet, (byte)((i + 1) % 3), I32Mul, I32Const, (byte)(i & 63), I32Add, LocalSet, (byte)((i + 2) % 3)]);
                if (i % 16 == 0) body.Bytes([I32Const, 0, LocalGet, 0, I32Store, 2, 4]);
            }
        }, locals: 3),
        ["a function of 5 MB with control flow"] = million => OneFunction(body =>
        {
            for (int i = 0; body.Length < 5 * million; i++)
                body.Bytes([LocalGet, (byte)(i % 3), If, Empty, LocalGet, 0, I32Const, 1, I32Add, LocalSet, 0, Else, LocalGet, 1, I32Const, 3, I32Add, LocalSet, 2, End]);
        }, locals: 3),
        ["a function of 5 MB of calls"] = million => OneFunction(body =>
        {
            body.Bytes([LocalGet, 0, If, Empty]);
            while (body.Length < 5 * million) body.Bytes([Call, 0, LocalSet, 1]);
            body.U8(End);
        }, locals: 3),
        ["a hundred thousand calls and a tail call"] = _ => OneFunction(body =>
        {
            body.Bytes([LocalGet, 0, If, Empty]);
            for (int i = 0; i < 100_000; i++) body.Bytes([Call, 0, LocalSet, 1]);
            body.Bytes([ReturnCall, 0, End]);
        }, locals: 3),
        ["br_table with a million targets"] = million => OneFunction(body =>
        {
            body.Bytes([Block, Empty, Block, Empty, LocalGet, 0, BrTable]);
            body.U32((uint)million);
            for (int i = 0; i < million; i++) body.U8((byte)(i & 1));
            body.Bytes([0, End, End]);
        }, locals: 1),
        ["br_table with a million targets and a hundred results"] = million => OneFunction(body =>
        {
            for (int i = 0; i < 2; i++) body.Bytes([Block, 1]);
            for (int i = 0; i < 100; i++) body.Bytes([I32Const, 0]);
            body.Bytes([LocalGet, 0, BrTable]);
            body.U32((uint)million);
            for (int i = 0; i < million; i++) body.U8((byte)(i & 1));
            body.Bytes([0, End, End]);
            for (int i = 0; i < 100; i++) body.U8(Drop);
        }, locals: 1, [TypeByte.Func, 0, 100, .. Enumerable.Repeat(I32, 100)]),
        ["fifty thousand locals"] = million => OneFunction(body =>
        {
            for (int i = 1; i < 50_000; i++)
            {
                body.U8(LocalGet);
                body.U32((uint)i);
                body.Bytes([I32Const, 1, I32Add, LocalSet]);
                body.U32((uint)(i - 1));
            }
        }, locals: 50_000),
        ["fifty thousand declarations of locals"] = million => OneFunction(body =>
        {
            for (int i = 0; i < million / 5; i++) body.Bytes([LocalGet, .. Leb(49_998), Drop]);
        }, locals: 50_000, alternate: true),
        ["a hundred thousand blocks in each other"] = million => OneFunction(body => Nest(body, million / 10, Block)),
        ["a hundred thousand loops in each other"] = million => OneFunction(body => Nest(body, million / 10, Loop)),
        ["a hundred thousand ifs in each other"] = million => OneFunction(body => Nest(body, million / 10, If)),
        ["branches out of a hundred thousand blocks"] = million => OneFunction(body =>
        {
            for (int i = 0; i < million / 10; i++) body.Bytes([Block, Empty]);
            for (int i = 0; i < million / 10; i++)
            {
                body.Bytes([LocalGet, 0, BrIf]);
                body.U32((uint)i);
            }
            for (int i = 0; i < million / 10; i++) body.U8(End);
        }, locals: 1),
        ["a million functions"] = million => Functions(million),
        ["a million types"] = million => Module((SectionId.Type, Vector(million, (w, i) =>
        {
            // Different ones: the digits of the number are the parameters.
            w.Bytes([TypeByte.Func, 20]);
            for (int bit = 0; bit < 20; bit++) w.U8((i >> bit & 1) == 0 ? I32 : I64);
            w.U8(0);
        }))),
        ["a million times a type"] = million => Module((SectionId.Type, Vector(million, (w, _) => w.Bytes([TypeByte.Func, 0, 0])))),
        ["a million types in a group"] = million => Module((SectionId.Type, Vector(1, (w, _) =>
        {
            w.U8(TypeByte.Rec);
            w.U32((uint)million);
            for (int i = 0; i < million; i++) w.Bytes([TypeByte.Struct, 1, TypeByte.RefNull, 0, 0]);
        }))),
        ["a hundred thousand super types"] = million => Module((SectionId.Type, Vector(1, (w, _) =>
        {
            w.U8(TypeByte.Rec);
            w.U32((uint)(million / 10));
            for (int i = 0; i < million / 10; i++)
            {
                w.U8(TypeByte.Sub);
                if (i == 0)
                {
                    w.U8(0);
                }
                else
                {
                    w.U8(1);
                    w.U32((uint)(i - 1));
                }
                w.Bytes([TypeByte.Struct, 0]);
            }
        }))),
        ["a hundred thousand parameters"] = million => Module((SectionId.Type, Vector(1, (w, _) =>
        {
            w.U8(TypeByte.Func);
            w.U32((uint)(million / 10));
            for (int i = 0; i < million / 10; i++) w.U8(I32);
            w.U8(0);
        }))),
        ["blocks with a thousand parameters"] = million => OneFunction(body =>
        {
            for (int i = 0; i < 1000; i++) body.Bytes([I32Const, 0]);
            for (int i = 0; i < million / 50; i++) body.Bytes([Block, 1, End]);
            for (int i = 0; i < 1000; i++) body.U8(Drop);
        }, locals: 1, [TypeByte.Func, .. Leb(1000), .. Enumerable.Repeat(I32, 1000), .. Leb(1000), .. Enumerable.Repeat(I32, 1000)]),
        ["an operand stack of a million"] = million => OneFunction(body =>
        {
            for (int i = 0; i < million; i++) body.Bytes([I32Const, 1]);
            for (int i = 0; i < million; i++) body.U8(Drop);
        }),
        ["blocks and writes above a million operands"] = million => OneFunction(body =>
        {
            for (int i = 0; i < million; i++) body.Bytes([LocalGet, 0]);
            for (int i = 0; i < million / 5; i++) body.Bytes([Block, Empty, I32Const, 0, I32Load, 2, 0, LocalSet, 1, End]);
            for (int i = 0; i < million; i++) body.U8(Drop);
        }, locals: 2),
        ["a million pending reads, each local written"] = million => OneFunction(body =>
        {
            for (int i = 0; i < 50_000; i++)
            {
                body.U8(LocalGet);
                body.U32((uint)i);
            }
            for (int i = 0; i < million; i++) body.Bytes([I32Const, 0]);
            for (int i = 0; i < 50_000; i++)
            {
                body.Bytes([I32Const, 7, LocalSet]);
                body.U32((uint)i);
            }
            for (int i = 0; i < million + 50_000; i++) body.U8(Drop);
        }, locals: 50_000),
        ["a sum of a million in one expression"] = million => OneFunction(body =>
        {
            for (int i = 0; i < million; i++) body.Bytes([LocalGet, 0]);
            for (int i = 0; i < million - 1; i++) body.U8(I32Add);
            body.U8(Drop);
        }, locals: 1),
        ["a hundred thousand loads in one expression"] = million => Loads(million / 10),
        ["a function with a thousand parameters"] = million => OneFunction(body =>
        {
            for (int i = 0; i < 1000; i++) body.Bytes([I32Const, 1]);
            body.Bytes([Call, 1, Drop]);
        }, locals: 1, [TypeByte.Func, .. Leb(1000), .. Enumerable.Repeat(I32, 1000), 1, I32], callee: [0, LocalGet, .. Leb(999), End]),
        ["a function with a thousand results"] = million => OneFunction(body =>
        {
            body.Bytes([Call, 1]);
            for (int i = 0; i < 1000; i++) body.U8(Drop);
        }, locals: 1, [TypeByte.Func, 0, .. Leb(1000), .. Enumerable.Repeat(I32, 1000)], callee:
            [0, .. Enumerable.Repeat((byte[])[I32Const, 5], 1000).SelectMany(b => b), End]),
        ["branches with a thousand results"] = million => OneFunction(body =>
        {
            body.Bytes([Block, 1]);
            for (int i = 0; i < 1000; i++) body.Bytes([I32Const, 0]);
            for (int i = 0; i < 5_000; i++) body.Bytes([LocalGet, 0, BrIf, 0]);
            body.U8(End);
            for (int i = 0; i < 1000; i++) body.U8(Drop);
        }, locals: 1, [TypeByte.Func, 0, .. Leb(1000), .. Enumerable.Repeat(I32, 1000)]),
        ["a structure of ten thousand fields"] = million => OneFunction(body => body.Bytes([OperatorPrefix.Gc, (byte)GcOpcode.StructNewDefault, 1, Drop]), locals: 1,
            [TypeByte.Struct, .. Leb(10_000), .. Enumerable.Repeat((byte[])[I32, 1], 10_000).SelectMany(b => b)]),
        ["memory types that differ in their maximum"] = million => Module((SectionId.Type, Vector(million / 10, (w, i) =>
        {
            w.Bytes([TypeByte.Memory, LimitsFlags.HasMaximum | LimitsFlags.Is64, 0]);
            w.U32((uint)i);
        }))),
        ["an instance type of many exports"] = million => Module((SectionId.Type, Vector(1, (w, _) =>
        {
            w.U8(TypeByte.Instance);
            w.U32((uint)(million / 5));
            for (int i = 0; i < million / 5; i++)
            {
                w.U8(DefinitionByte.Export);
                w.Name($"{i:x6}");
                w.Bytes([ExternByte.Global, I32, 0]);
            }
        }))),
        ["a million globals"] = million => Module((SectionId.Global, Vector(million, (w, _) => w.Bytes([I32, 1, I32Const, 0, End])))),
        ["a million exports"] = million => Module(
            (SectionId.Type, [1, TypeByte.Func, 0, 1, I32]),
            (SectionId.Function, [1, 0]),
            (SectionId.Export, Vector(million, (w, i) =>
            {
                w.Name(i == 0 ? "run" : $"{i:x}");
                w.Bytes([0, 0]);
            })),
            (SectionId.Code, [1, 4, 0, I32Const, 42, End])),
        ["a million imports"] = million => Module(
            (SectionId.Type, [1, TypeByte.Func, 0, 1, I32]),
            (SectionId.Import, Vector(million, (w, i) =>
            {
                w.Name("m");
                w.Name($"{i:x}");
                w.Bytes([0, 0]);
            }))),
        ["a hundred thousand memories"] = million => Module((SectionId.Memory, Vector(million / 10, (w, _) => w.Bytes([0, 1])))),
        ["a hundred thousand tables"] = million => Module((SectionId.Table, Vector(million / 10, (w, _) => w.Bytes([HeapByte.Func, 0, 1])))),
        ["tables of four thousand million elements"] = million => Module((SectionId.Table, Vector(10, (w, _) =>
        {
            w.Bytes([HeapByte.Func, 0]);
            w.U32(uint.MaxValue);
        }))),
        ["a million expressions in an element segment"] = million => Module(
            (SectionId.Table, [1, HeapByte.Func, 0, 0]),
            (SectionId.Element, Vector(1, (w, _) =>
            {
                w.Bytes([(byte)(ElementFlags.NotActive | ElementFlags.HasExpressions), HeapByte.Func]);
                w.U32((uint)million);
                for (int i = 0; i < million; i++) w.Bytes([RefNull, HeapByte.Func, End]);
            }))),
        ["a million data segments"] = million => Module(
            (SectionId.Memory, [1, 0, 1]),
            (SectionId.Data, Vector(million, (w, _) => w.Bytes([0, I32Const, 0, End, 1, 42])))),
        ["a data segment of 200 MB"] = million => Module(
            (SectionId.Memory, [1, 0, 0x80, 32]),
            (SectionId.Data, Vector(1, (w, _) =>
            {
                w.Bytes([0, I32Const, 0, End]);
                w.U32((uint)(200 * million));
                w.Bytes(new byte[200 * million]);
            }))),
        ["a constant expression of a million sums"] = million => Module((SectionId.Global, Vector(1, (w, _) =>
        {
            w.Bytes([I32, 0]);
            for (int i = 0; i < million; i++) w.Bytes([I32Const, 1]);
            for (int i = 0; i < million - 1; i++) w.U8(I32Add);
            w.U8(End);
        }))),
        ["a million names of one function"] = million => [.. Functions(1), .. Named(w =>
        {
            w.U32((uint)million);
            for (int i = 0; i < million; i++)
            {
                w.U32((uint)i);
                w.Name("some name");
            }
        })],
        ["type error above a million operands"] = million => OneFunction(body =>
        {
            body.Bytes([Block, Empty]);
            for (int i = 0; i < million; i++) body.Bytes([I32Const, 1]);
            body.U8(End);
        }),
    };

    /// <summary>The sum of so many loads, all of which come before the first addition.</summary>
    /// <param name="count">How many.</param>
    /// <param name="between">How many are dropped again while the others wait.</param>
    internal static byte[] Loads(int count, int between = 0) => OneFunction(body =>
    {
        for (int i = 0; i < count; i++) body.Bytes([I32Const, 0, I32Load, 2, 0]);
        for (int i = 0; i < between; i++) body.Bytes([I32Const, 0, I32Load, 2, 0, Drop]);
        for (int i = 0; i < count - 1; i++) body.U8(I32Add);
        body.U8(Drop);
    });

    private static void Nest(ByteWriter body, int depth, byte kind)
    {
        for (int i = 0; i < depth; i++) body.Bytes(kind == If ? [I32Const, 1, If, Empty] : [kind, Empty]);
        for (int i = 0; i < depth; i++) body.U8(End);
    }

    private static byte[] Functions(int count) => Module(
        (SectionId.Type, [1, TypeByte.Func, 0, 1, I32]),
        (SectionId.Function, Vector(count, (w, _) => w.U8(0))),
        (SectionId.Export, [1, 3, .. "run"u8, ExternByte.Func, 0]),
        (SectionId.Code, Vector(count, (w, _) => w.Bytes([4, 0, I32Const, 42, End]))));

    private static byte[] OneFunction(Action<ByteWriter> body, int locals = 0, byte[]? type = null, bool alternate = false, byte[]? callee = null)
    {
        var code = new ByteWriter();
        if (alternate)
        {
            code.U32((uint)locals);
            for (int i = 0; i < locals; i++) code.Bytes([1, i % 2 == 0 ? I32 : I64]);
        }
        else
        {
            code.U8(1);
            code.U32((uint)locals);
            code.U8(I32);
        }
        body(code);
        code.Bytes([I32Const, 42, End]);
        return Module(
            (SectionId.Type, [type is null ? (byte)1 : (byte)2, TypeByte.Func, 0, 1, I32, .. type ?? []]),
            (SectionId.Function, callee is null ? [1, 0] : [2, 0, 1]),
            (SectionId.Memory, [1, 0, 1]),
            (SectionId.Export, [1, 3, .. "run"u8, ExternByte.Func, 0]),
            (SectionId.Code, Vector(callee is null ? 1 : 2, (w, i) =>
            {
                if (i == 0)
                {
                    w.Sized(code);
                    return;
                }
                w.U32((uint)callee!.Length);
                w.Bytes(callee);
            })));
    }

    private static byte[] Named(Action<ByteWriter> functions)
    {
        var map = new ByteWriter();
        functions(map);
        var content = new ByteWriter();
        content.Name("name");
        content.U8(NameSubsection.Function);
        content.Sized(map);
        var section = new ByteWriter();
        section.U8(SectionId.Custom);
        section.Sized(content);
        return section.ToArray();
    }

    private static byte[] Leb(uint value)
    {
        var writer = new ByteWriter();
        writer.U32(value);
        return writer.ToArray();
    }

    private static byte[] Vector(int count, Action<ByteWriter, int> item)
    {
        var writer = new ByteWriter();
        writer.U32((uint)count);
        for (int i = 0; i < count; i++) item(writer, i);
        return writer.ToArray();
    }

    private static byte[] Module(params (byte Id, byte[] Content)[] sections)
    {
        var module = new ByteWriter();
        module.Bytes("\0asm\x01\0\0\0"u8);
        foreach ((byte id, byte[] content) in sections)
        {
            module.U8(id);
            module.U32((uint)content.Length);
            module.Bytes(content);
        }
        return module.ToArray();
    }
}
