using System.Text;
using WasmJit.Jit.Format;
using WasmJit.Runtime;

namespace WasmJit.Perf;

/// <summary>
/// A module of any size that looks like what a C++ compiler makes of a large program: tens of thousands of functions, most of
/// them small, some of many kilobytes; loops, switches, memory accesses, direct and indirect calls, a stack pointer, tables,
/// data segments and mangled names. The same size always gives the same bytes. Its export <c>first</c> (i32 to i32) calls a
/// handful of functions, <c>many</c> some thousand in all parts of the module; neither traps nor loops long.
/// </summary>
internal sealed class LargeModule
{
    internal const byte I32 = TypeByte.I32, I64 = TypeByte.I64, F32 = TypeByte.F32, F64 = TypeByte.F64;

    private const int TableSize = 4096;
    private const int MemoryPages = 512;

    private readonly record struct Shape(byte[] Params, byte? Result);

    private readonly Random random = new(20261126);
    private readonly List<Shape> shapes = [];
    private readonly List<int> typeOf = [];
    private readonly List<ByteWriter> bodies = [];

    private LargeModule()
    {
    }

    /// <summary>Makes the module.</summary>
    /// <param name="bytes">Its size, of which code takes four fifths; what comes out is larger or smaller by some percent.</param>
    internal static byte[] Make(int bytes) => new LargeModule().Build(bytes);

    private byte[] Build(int bytes)
    {
        shapes.Add(new Shape([I32], I32));
        for (int i = 0; i < 80; i++)
        {
            var parameters = new byte[1 + random.Next(random.Next(1, 8))];
            for (int j = 0; j < parameters.Length; j++) parameters[j] = j == 0 ? I32 : Pick(I32, I32, I32, I32, I64, F64, F32);
            shapes.Add(new Shape(parameters, Pick(0, I32, I32, I32, I64, F64) is var result and not 0 ? result : null));
        }
        // Functions call functions with a lower index, so they are made from the last called to the first.
        long size = 0, wanted = bytes * 8L / 10;
        while (size < wanted)
        {
            int type = random.Next(shapes.Count);
            var body = new LargeFunction(random, shapes[type].Params, shapes[type].Result, FunctionSize(), Callee);
            bodies.Add(body.Write());
            typeOf.Add(type);
            size += bodies[^1].Length;
        }
        int first = bodies.Count;
        AddCaller(Enumerable.Range(1, 12).Select(i => first * i / 13));
        AddCaller(Enumerable.Range(0, Math.Min(2000, first)).Select(i => (int)((long)first * i / 2000)));
        return Sections(first, bytes / 10);
    }

    /// <summary>As in real programs: half of the functions below 200 bytes, few of many thousand, those with much of the code.</summary>
    private int FunctionSize()
    {
        double normal = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
        return (int)Math.Clamp(200 * Math.Exp(normal * 1.4), 12, 120_000);
    }

    private byte Pick(params ReadOnlySpan<byte> items) => items[random.Next(items.Length)];

    private (int Index, int Type, byte[] Params, byte? Result)? Callee(bool isIndirect)
    {
        if (isIndirect)
        {
            int type = random.Next(shapes.Count);
            return (-1, type, shapes[type].Params, shapes[type].Result);
        }
        if (bodies.Count == 0) return null;
        // Mostly neighbours, as linkers leave them.
        int index = random.Next(3) == 0 ? random.Next(bodies.Count) : bodies.Count - 1 - random.Next(Math.Min(bodies.Count, 200));
        Shape shape = shapes[typeOf[index]];
        return (index, typeOf[index], shape.Params, shape.Result);
    }

    private void AddCaller(IEnumerable<int> callees)
    {
        var code = new ByteWriter();
        code.U8(0);
        foreach (int callee in callees)
        {
            Shape shape = shapes[typeOf[callee]];
            foreach (byte parameter in shape.Params) LargeFunction.Zero(code, parameter);
            code.U8(Opcode.Call);
            code.U32((uint)callee);
            if (shape.Result is not null) code.U8(Opcode.Drop);
        }
        code.U8(Opcode.LocalGet);
        code.U8(0);
        code.U8(Opcode.End);
        bodies.Add(code);
        typeOf.Add(0);
    }

    private byte[] Sections(int first, int dataBytes)
    {
        var module = new ByteWriter();
        module.Bytes("\0asm\x01\0\0\0"u8);
        Section(module, SectionId.Type, shapes.Count, (w, i) =>
        {
            w.U8(TypeByte.Func);
            w.U32((uint)shapes[i].Params.Length);
            w.Bytes(shapes[i].Params);
            w.U8(shapes[i].Result is null ? (byte)0 : (byte)1);
            if (shapes[i].Result is { } result) w.U8(result);
        });
        Section(module, SectionId.Function, bodies.Count, (w, i) => w.U32((uint)typeOf[i]));
        Section(module, SectionId.Table, 1, (w, _) => w.Bytes([HeapByte.Func, 0, .. Leb(TableSize)]));
        Section(module, SectionId.Memory, 1, (w, _) => w.Bytes([0, .. Leb(MemoryPages)]));
        Section(module, SectionId.Global, 1, (w, _) => w.Bytes([I32, 1, Opcode.I32Const, .. SignedLeb(1 << 20), Opcode.End]));
        string[] exports = ["first", "many", "memory"];
        Section(module, SectionId.Export, exports.Length, (w, i) =>
        {
            w.Name(exports[i]);
            w.U8(i == 2 ? ExternByte.Memory : ExternByte.Func);
            w.U32(i == 2 ? 0 : (uint)(first + i));
        });
        Section(module, SectionId.Element, 1, (w, _) =>
        {
            w.Bytes([0, Opcode.I32Const, 0, Opcode.End]);
            w.U32(TableSize);
            for (int i = 0; i < TableSize; i++) w.U32((uint)((long)first * i / TableSize));
        });
        Section(module, SectionId.Code, bodies.Count, (w, i) => w.Sized(bodies[i]));
        const int segments = 64;
        var data = new byte[dataBytes / segments];
        Section(module, SectionId.Data, segments, (w, i) =>
        {
            w.Bytes([0, Opcode.I32Const, .. SignedLeb((1 << 20) + (i * (((MemoryPages << 16) - (1 << 20)) / segments))), Opcode.End]);
            for (int j = 0; j < data.Length; j++) data[j] = (byte)(random.Next(4) == 0 ? random.Next(256) : 32 + (j % 90));
            w.U32((uint)data.Length);
            w.Bytes(data);
        });
        var names = new ByteWriter();
        names.Name("name");
        Section(names, NameSubsection.Function, bodies.Count, (w, i) =>
        {
            w.U32((uint)i);
            w.Name(i >= first ? exports[i - first] : Mangled(i));
        });
        module.U8(SectionId.Custom);
        module.Sized(names);
        return module.ToArray();
    }

    private string Mangled(int index)
    {
        string[] words = ["render", "buffer", "node", "parse", "update", "stream", "layout", "value", "visit", "index", "shader", "token"];
        var name = new StringBuilder("_ZN");
        for (int i = 1 + random.Next(4); i > 0; i--)
        {
            string word = words[random.Next(words.Length)];
            name.Append(word.Length).Append(word);
        }
        return name.Append('E').Append(index).Append("RKNSt3__212basic_stringIcEE").ToString();
    }

    private static byte[] Leb(uint value)
    {
        var writer = new ByteWriter();
        writer.U32(value);
        return writer.ToArray();
    }

    private static byte[] SignedLeb(int value)
    {
        var writer = new ByteWriter();
        writer.S64(value);
        return writer.ToArray();
    }

    private static void Section(ByteWriter module, byte id, int count, Action<ByteWriter, int> item)
    {
        var content = new ByteWriter();
        content.U32((uint)count);
        for (int i = 0; i < count; i++) item(content, i);
        module.U8(id);
        module.Sized(content);
    }
}
