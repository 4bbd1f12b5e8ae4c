using System.Text;
using Xunit;

namespace WasmJit.Tests.PublicApi;

/// <summary>A core dump read back: the custom sections by a reader of their own, memories and globals by the engine.</summary>
public sealed class CoreDumpTests
{
    private const string Text = """
        (module $app
          (memory (export "memory") 3 9)
          (global (export "counter") (mut i32) (i32.const 7))
          (global (export "ratio") f64 (f64.const 1.5))
          (data (i32.const 70000) "here")
          (func $fail (param i32) (local i64) (i32.store (i32.const 140000) (i32.const 99)) (unreachable))
          (func $outer (export "run") (global.set 0 (i32.const -3)) (call $fail (i32.const 1)) (call $fail (i32.const 2))))
        """;

    /// <summary>Reads numbers and names in the binary format.</summary>
    private sealed class Reader(ReadOnlyMemory<byte> bytes)
    {
        internal int At { get; private set; }

        internal bool AtEnd => At == bytes.Length;

        internal byte U8() => bytes.Span[At++];

        internal uint U32()
        {
            uint value = 0;
            for (int shift = 0; ; shift += 7)
            {
                byte next = U8();
                value |= (uint)(next & 0x7f) << shift;
                if (next < 0x80) return value;
            }
        }

        internal string Name()
        {
            int length = (int)U32();
            string name = Encoding.UTF8.GetString(bytes.Span.Slice(At, length));
            Skip(length);
            return name;
        }

        internal void Skip(int count) => At += count;
    }

    /// <summary>A frame: its instance, function, offset, and the types of its locals' values.</summary>
    private sealed record Frame(uint Instance, uint Function, uint Offset, byte[] Locals);

    private static Reader Section(Module dump, string name) => new(Assert.Single(dump.GetCustomSections(name)));

    private static List<Frame> Frames(Module dump)
    {
        Reader reader = Section(dump, "corestack");
        Assert.Equal(0, reader.U8());
        Assert.Equal("main", reader.Name());
        var frames = new List<Frame>();
        for (uint count = reader.U32(); count > 0; count--)
        {
            Assert.Equal(0, reader.U8());
            uint instance = reader.U32(), function = reader.U32(), offset = reader.U32();
            byte[] locals = new byte[reader.U32()];
            for (int i = 0; i < locals.Length; i++) locals[i] = reader.U8();
            Assert.Equal(0u, reader.U32());
            frames.Add(new Frame(instance, function, offset, locals));
        }
        Assert.True(reader.AtEnd);
        return frames;
    }

    [Theory]
    [InlineData(Compilation.Interpreted, true)]
    [InlineData(Compilation.Lazy, true)]
    [InlineData(Compilation.Lazy, false)]
    public void ACoreDumpHasStackMemoryAndGlobals(Compilation way, bool inlines)
    {
        var engine = new Engine(new EngineOptions { Compilation = way, Inlining = inlines });
        Instance instance = engine.CompileText(Text).Instantiate();
        TrapException trap = Assert.Throws<TrapException>(instance.GetExport<Action>("run"));
        var file = new MemoryStream();
        CoreDump.Write(file, trap, instance);

        Module dump = new Engine().Compile(file.ToArray());
        Reader core = Section(dump, "core");
        Assert.Equal(0, core.U8());
        Assert.Equal("app", core.Name());
        Reader modules = Section(dump, "coremodules");
        Assert.Equal(1u, modules.U32());
        Assert.Equal(0, modules.U8());
        Assert.Equal("app", modules.Name());
        Reader instances = Section(dump, "coreinstances");
        Assert.Equal(1u, instances.U32());
        Assert.Equal(0, instances.U8());
        // Its module, its memory, its globals.
        Assert.Equal([0u, 1u, 0u, 2u, 0u, 1u], Enumerable.Range(0, 6).Select(_ => instances.U32()));
        Assert.True(instances.AtEnd);

        List<Frame> frames = Frames(dump);
        Assert.Equal([0u, 1u], frames.Select(f => f.Function));
        Assert.All(frames, f => Assert.Equal(0u, f.Instance));
        // The parameter and the local, whose values are not known.
        Assert.Equal([1, 1], frames[0].Locals);
        Assert.Empty(frames[1].Locals);
        WasmFrame outer = trap.WasmStack[^1];
        Assert.Equal((uint)outer.FunctionOffset!.Value, frames[1].Offset);
        Assert.True(frames[0].Offset > 0);
    }

    [Fact]
    public void MemoriesAndGlobalsAreThoseOfTheTrap()
    {
        Instance instance = new Engine().CompileText(Text).Instantiate();
        TrapException trap = Assert.Throws<TrapException>(instance.GetExport<Action>("run"));
        var file = new MemoryStream();
        CoreDump.Write(file, trap, instance);
        Assert.True(file.Length < 3 * 65536);
        // The same sections with exports are a module that can be looked into.
        byte[] dump = file.ToArray();
        int data = Find(dump, 11);
        byte[] section = [7, 9, 2, 1, (byte)'m', 2, 0, 1, (byte)'g', 3, 0];
        Instance copy = new Engine().Compile([.. dump[..data], .. section, .. dump[data..]]).Instantiate();
        Memory memory = copy.GetExport<Memory>("m");
        Assert.Equal(instance.GetExport<Memory>("memory").Span.ToArray(), memory.Span.ToArray());
        Assert.Equal("here", memory.ReadString(70000, 4));
        Assert.Equal(99, memory.Read<int>(140000));
        Assert.Equal(-3, copy.GetExport<Global>("g").Value);
    }

    /// <summary>Where a section begins.</summary>
    private static int Find(byte[] module, byte id)
    {
        var reader = new Reader(module);
        reader.Skip(8);
        while (!reader.AtEnd)
        {
            int at = reader.At;
            if (reader.U8() == id) return at;
            reader.Skip((int)reader.U32());
        }
        throw new InvalidDataException("There is no such section.");
    }

    /// <summary>To look for each global among those before it would take minutes.</summary>
    [Fact]
    public void ManyGlobalsAreWrittenInTheirOrder()
    {
        const int many = 300_000;
        string globals = string.Concat(Enumerable.Repeat("(global i32 (i32.const 5))", many - 1));
        Instance instance = new Engine().CompileText($"(module {globals} (global (export \"last\") (mut i32) (i32.const 7)) (func (export \"f\") (unreachable)))").Instantiate();
        TrapException trap = Assert.Throws<TrapException>(instance.GetExport<Action>("f"));
        var dump = new MemoryStream();
        CoreDump.Write(dump, trap, instance, instance);
        byte[] bytes = dump.ToArray();
        int at = Find(bytes, 6);
        // The last of the section: i32, constant, i32.const 7, end.
        const byte i32 = 0x7f, i32Const = 0x41, end = 0x0b;
        Assert.Equal([i32, 0, i32Const, 7, end], bytes[^5..]);
        Assert.True(at < bytes.Length - (5 * many));
    }

    [Fact]
    public void OtherExceptionsHaveNoStack() =>
        Assert.Throws<ArgumentException>(() => CoreDump.Write(new MemoryStream(), new InvalidOperationException()));
}
