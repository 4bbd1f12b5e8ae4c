using WasmJit.Jit.Format;

namespace WasmJit.Tests;

/// <summary>Modules that are large in one respect alone. The export <c>run</c>, where there is one, is () -> i32.</summary>
internal static class HostileModules
{
    private const byte I32 = TypeByte.I32, I64 = TypeByte.I64, Block = 0x02, Loop = 0x03, If = 0x04, End = 0x0b, Empty = TypeByte.EmptyBlock;

    /// <summary>By name: what makes the bytes, given what a million is: tests take less of everything.</summary>
    internal static readonly Dictionary<string, Func<int, byte[]>> All = new()
    {
        ["a function of 5 MB"] = million => OneFunction(body =>
        {
            // Three locals, sums of products, a store now and then.
            for (int i = 0; body.Length < 5 * million; i++)
            {
                body.Bytes([0x20, (byte)(i % 3), 0x20, (byte)((i + 1) % 3), 0x6c, 0x41, (byte)(i & 63), 0x6a, 0x21, (byte)((i + 2) % 3)]);
                if (i % 16 == 0) body.Bytes([0x41, 0x00, 0x20, 0x00, 0x36, 0x02, 0x04]);
            }
        }, locals: 3),
        ["a function of 5 MB with control flow"] = million => OneFunction(body =>
        {
            for (int i = 0; body.Length < 5 * million; i++)
                body.Bytes([0x20, (byte)(i % 3), If, Empty, 0x20, 0x00, 0x41, 0x01, 0x6a, 0x21, 0x00, 0x05, 0x20, 0x01, 0x41, 0x03, 0x6a, 0x21, 0x02, End]);
        }, locals: 3),
        ["a function of 5 MB of calls"] = million => OneFunction(body =>
        {
            body.Bytes([0x20, 0x00, If, Empty]);
            while (body.Length < 5 * million) body.Bytes([0x10, 0x00, 0x21, 0x01]);
            body.U8(End);
        }, locals: 3),
        ["a hundred thousand calls and a tail call"] = _ => OneFunction(body =>
        {
            body.Bytes([0x20, 0x00, If, Empty]);
            for (int i = 0; i < 100_000; i++) body.Bytes([0x10, 0x00, 0x21, 0x01]);
            body.Bytes([0x12, 0x00, End]);
        }, locals: 3),
        ["br_table with a million targets"] = million => OneFunction(body =>
        {
            body.Bytes([Block, Empty, Block, Empty, 0x20, 0x00, 0x0e]);
            body.U32((uint)million);
            for (int i = 0; i < million; i++) body.U8((byte)(i & 1));
            body.Bytes([0x00, End, End]);
        }, locals: 1),
        ["br_table with a million targets and a hundred results"] = million => OneFunction(body =>
        {
            for (int i = 0; i < 2; i++) body.Bytes([Block, 0x01]);
            for (int i = 0; i < 100; i++) body.Bytes([0x41, 0x00]);
            body.Bytes([0x20, 0x00, 0x0e]);
            body.U32((uint)million);
            for (int i = 0; i < million; i++) body.U8((byte)(i & 1));
            body.Bytes([0x00, End, End]);
            for (int i = 0; i < 100; i++) body.U8(0x1a);
        }, locals: 1, [0x60, 0x00, 100, .. Enumerable.Repeat(I32, 100)]),
        ["fifty thousand locals"] = million => OneFunction(body =>
        {
            for (int i = 1; i < 50_000; i++)
            {
                body.U8(0x20);
                body.U32((uint)i);
                body.Bytes([0x41, 0x01, 0x6a, 0x21]);
                body.U32((uint)(i - 1));
            }
        }, locals: 50_000),
        ["fifty thousand declarations of locals"] = million => OneFunction(body =>
        {
            for (int i = 0; i < million / 5; i++) body.Bytes([0x20, 0xce, 0x86, 0x03, 0x1a]);
        }, locals: 50_000, alternate: true),
        ["a hundred thousand blocks in each other"] = million => OneFunction(body => Nest(body, million / 10, Block)),
        ["a hundred thousand loops in each other"] = million => OneFunction(body => Nest(body, million / 10, Loop)),
        ["a hundred thousand ifs in each other"] = million => OneFunction(body => Nest(body, million / 10, If)),
        ["branches out of a hundred thousand blocks"] = million => OneFunction(body =>
        {
            for (int i = 0; i < million / 10; i++) body.Bytes([Block, Empty]);
            for (int i = 0; i < million / 10; i++)
            {
                body.Bytes([0x20, 0x00, 0x0d]);
                body.U32((uint)i);
            }
            for (int i = 0; i < million / 10; i++) body.U8(End);
        }, locals: 1),
        ["a million functions"] = million => Functions(million),
        ["a million types"] = million => Module((SectionId.Type, Vector(million, (w, i) =>
        {
            // Different ones: the digits of the number are the parameters.
            w.Bytes([0x60, 20]);
            for (int bit = 0; bit < 20; bit++) w.U8((i >> bit & 1) == 0 ? I32 : I64);
            w.U8(0);
        }))),
        ["a million times a type"] = million => Module((SectionId.Type, Vector(million, (w, _) => w.Bytes([0x60, 0x00, 0x00])))),
        ["a million types in a group"] = million => Module((SectionId.Type, Vector(1, (w, _) =>
        {
            w.U8(0x4e);
            w.U32((uint)million);
            for (int i = 0; i < million; i++) w.Bytes([0x5f, 0x01, 0x63, 0x00, 0x00]);
        }))),
        ["a hundred thousand super types"] = million => Module((SectionId.Type, Vector(1, (w, _) =>
        {
            w.U8(0x4e);
            w.U32((uint)(million / 10));
            for (int i = 0; i < million / 10; i++)
            {
                w.U8(0x50);
                if (i == 0)
                {
                    w.U8(0);
                }
                else
                {
                    w.U8(1);
                    w.U32((uint)(i - 1));
                }
                w.Bytes([0x5f, 0x00]);
            }
        }))),
        ["a hundred thousand parameters"] = million => Module((SectionId.Type, Vector(1, (w, _) =>
        {
            w.U8(0x60);
            w.U32((uint)(million / 10));
            for (int i = 0; i < million / 10; i++) w.U8(I32);
            w.U8(0);
        }))),
        ["blocks with a thousand parameters"] = million => OneFunction(body =>
        {
            for (int i = 0; i < 1000; i++) body.Bytes([0x41, 0x00]);
            for (int i = 0; i < million / 50; i++) body.Bytes([Block, 0x01, End]);
            for (int i = 0; i < 1000; i++) body.U8(0x1a);
        }, locals: 1, [0x60, 0xe8, 0x07, .. Enumerable.Repeat(I32, 1000), 0xe8, 0x07, .. Enumerable.Repeat(I32, 1000)]),
        ["an operand stack of a million"] = million => OneFunction(body =>
        {
            for (int i = 0; i < million; i++) body.Bytes([0x41, 0x01]);
            for (int i = 0; i < million; i++) body.U8(0x1a);
        }),
        ["blocks and writes above a million operands"] = million => OneFunction(body =>
        {
            for (int i = 0; i < million; i++) body.Bytes([0x20, 0x00]);
            for (int i = 0; i < million / 5; i++) body.Bytes([Block, Empty, 0x41, 0x00, 0x28, 0x02, 0x00, 0x21, 0x01, End]);
            for (int i = 0; i < million; i++) body.U8(0x1a);
        }, locals: 2),
        ["a million pending reads, each local written"] = million => OneFunction(body =>
        {
            for (int i = 0; i < 50_000; i++)
            {
                body.U8(0x20);
                body.U32((uint)i);
            }
            for (int i = 0; i < million; i++) body.Bytes([0x41, 0x00]);
            for (int i = 0; i < 50_000; i++)
            {
                body.Bytes([0x41, 0x07, 0x21]);
                body.U32((uint)i);
            }
            for (int i = 0; i < million + 50_000; i++) body.U8(0x1a);
        }, locals: 50_000),
        ["a sum of a million in one expression"] = million => OneFunction(body =>
        {
            for (int i = 0; i < million; i++) body.Bytes([0x20, 0x00]);
            for (int i = 0; i < million - 1; i++) body.U8(0x6a);
            body.U8(0x1a);
        }, locals: 1),
        ["a hundred thousand loads in one expression"] = million => Loads(million / 10),
        ["a function with a thousand parameters"] = million => OneFunction(body =>
        {
            for (int i = 0; i < 1000; i++) body.Bytes([0x41, 0x01]);
            body.Bytes([0x10, 0x01, 0x1a]);
        }, locals: 1, [0x60, 0xe8, 0x07, .. Enumerable.Repeat(I32, 1000), 0x01, I32], callee: [0x00, 0x20, 0xe7, 0x07, End]),
        ["a function with a thousand results"] = million => OneFunction(body =>
        {
            body.Bytes([0x10, 0x01]);
            for (int i = 0; i < 1000; i++) body.U8(0x1a);
        }, locals: 1, [0x60, 0x00, 0xe8, 0x07, .. Enumerable.Repeat(I32, 1000)], callee:
            [0x00, .. Enumerable.Repeat((byte[])[0x41, 0x05], 1000).SelectMany(b => b), End]),
        ["branches with a thousand results"] = million => OneFunction(body =>
        {
            body.Bytes([Block, 0x01]);
            for (int i = 0; i < 1000; i++) body.Bytes([0x41, 0x00]);
            for (int i = 0; i < 5_000; i++) body.Bytes([0x20, 0x00, 0x0d, 0x00]);
            body.U8(End);
            for (int i = 0; i < 1000; i++) body.U8(0x1a);
        }, locals: 1, [0x60, 0x00, 0xe8, 0x07, .. Enumerable.Repeat(I32, 1000)]),
        ["a structure of ten thousand fields"] = million => OneFunction(body => body.Bytes([0xfb, 0x01, 0x01, 0x1a]), locals: 1,
            [0x5f, 0x90, 0x4e, .. Enumerable.Repeat((byte[])[I32, 0x01], 10_000).SelectMany(b => b)]),
        ["memory types that differ in their maximum"] = million => Module((SectionId.Type, Vector(million / 10, (w, i) =>
        {
            w.Bytes([0x5a, 0x05, 0x00]);
            w.U32((uint)i);
        }))),
        ["an instance type of many exports"] = million => Module((SectionId.Type, Vector(1, (w, _) =>
        {
            w.U8(0x62);
            w.U32((uint)(million / 5));
            for (int i = 0; i < million / 5; i++)
            {
                w.U8(0x07);
                w.Name($"{i:x6}");
                w.Bytes([0x03, I32, 0x00]);
            }
        }))),
        ["a million globals"] = million => Module((SectionId.Global, Vector(million, (w, _) => w.Bytes([I32, 0x01, 0x41, 0x00, End])))),
        ["a million exports"] = million => Module(
            (SectionId.Type, [0x01, 0x60, 0x00, 0x01, I32]),
            (SectionId.Function, [0x01, 0x00]),
            (SectionId.Export, Vector(million, (w, i) =>
            {
                w.Name(i == 0 ? "run" : $"{i:x}");
                w.Bytes([0x00, 0x00]);
            })),
            (SectionId.Code, [0x01, 0x04, 0x00, 0x41, 0x2a, End])),
        ["a million imports"] = million => Module(
            (SectionId.Type, [0x01, 0x60, 0x00, 0x01, I32]),
            (SectionId.Import, Vector(million, (w, i) =>
            {
                w.Name("m");
                w.Name($"{i:x}");
                w.Bytes([0x00, 0x00]);
            }))),
        ["a hundred thousand memories"] = million => Module((SectionId.Memory, Vector(million / 10, (w, _) => w.Bytes([0x00, 0x01])))),
        ["a hundred thousand tables"] = million => Module((SectionId.Table, Vector(million / 10, (w, _) => w.Bytes([0x70, 0x00, 0x01])))),
        ["tables of four thousand million elements"] = million => Module((SectionId.Table, Vector(10, (w, _) =>
        {
            w.Bytes([0x70, 0x00]);
            w.U32(uint.MaxValue);
        }))),
        ["a million expressions in an element segment"] = million => Module(
            (SectionId.Table, [0x01, 0x70, 0x00, 0x00]),
            (SectionId.Element, Vector(1, (w, _) =>
            {
                w.Bytes([0x05, 0x70]);
                w.U32((uint)million);
                for (int i = 0; i < million; i++) w.Bytes([0xd0, 0x70, End]);
            }))),
        ["a million data segments"] = million => Module(
            (SectionId.Memory, [0x01, 0x00, 0x01]),
            (SectionId.Data, Vector(million, (w, _) => w.Bytes([0x00, 0x41, 0x00, End, 0x01, 0x2a])))),
        ["a data segment of 200 MB"] = million => Module(
            (SectionId.Memory, [0x01, 0x00, 0x80, 0x20]),
            (SectionId.Data, Vector(1, (w, _) =>
            {
                w.Bytes([0x00, 0x41, 0x00, End]);
                w.U32((uint)(200 * million));
                w.Bytes(new byte[200 * million]);
            }))),
        ["a constant expression of a million sums"] = million => Module((SectionId.Global, Vector(1, (w, _) =>
        {
            w.Bytes([I32, 0x00]);
            for (int i = 0; i < million; i++) w.Bytes([0x41, 0x01]);
            for (int i = 0; i < million - 1; i++) w.U8(0x6a);
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
            for (int i = 0; i < million; i++) body.Bytes([0x41, 0x01]);
            body.U8(End);
        }),
    };

    /// <summary>The sum of so many loads, all of which come before the first addition.</summary>
    /// <param name="count">How many.</param>
    /// <param name="between">How many are dropped again while the others wait.</param>
    internal static byte[] Loads(int count, int between = 0) => OneFunction(body =>
    {
        for (int i = 0; i < count; i++) body.Bytes([0x41, 0x00, 0x28, 0x02, 0x00]);
        for (int i = 0; i < between; i++) body.Bytes([0x41, 0x00, 0x28, 0x02, 0x00, 0x1a]);
        for (int i = 0; i < count - 1; i++) body.U8(0x6a);
        body.U8(0x1a);
    });

    private static void Nest(ByteWriter body, int depth, byte kind)
    {
        for (int i = 0; i < depth; i++) body.Bytes(kind == If ? [0x41, 0x01, If, Empty] : [kind, Empty]);
        for (int i = 0; i < depth; i++) body.U8(End);
    }

    private static byte[] Functions(int count) => Module(
        (SectionId.Type, [0x01, 0x60, 0x00, 0x01, I32]),
        (SectionId.Function, Vector(count, (w, _) => w.U8(0))),
        (SectionId.Export, [0x01, 0x03, (byte)'r', (byte)'u', (byte)'n', 0x00, 0x00]),
        (SectionId.Code, Vector(count, (w, _) => w.Bytes([0x04, 0x00, 0x41, 0x2a, End]))));

    private static byte[] OneFunction(Action<ByteWriter> body, int locals = 0, byte[]? type = null, bool alternate = false, byte[]? callee = null)
    {
        var code = new ByteWriter();
        if (alternate)
        {
            code.U32((uint)locals);
            for (int i = 0; i < locals; i++) code.Bytes([0x01, i % 2 == 0 ? I32 : I64]);
        }
        else
        {
            code.U8(1);
            code.U32((uint)locals);
            code.U8(I32);
        }
        body(code);
        code.Bytes([0x41, 0x2a, End]);
        return Module(
            (SectionId.Type, [type is null ? (byte)1 : (byte)2, 0x60, 0x00, 0x01, I32, .. type ?? []]),
            (SectionId.Function, callee is null ? [0x01, 0x00] : [0x02, 0x00, 0x01]),
            (SectionId.Memory, [0x01, 0x00, 0x01]),
            (SectionId.Export, [0x01, 0x03, (byte)'r', (byte)'u', (byte)'n', 0x00, 0x00]),
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
        content.U8(1);
        content.Sized(map);
        var section = new ByteWriter();
        section.U8(0);
        section.Sized(content);
        return section.ToArray();
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
