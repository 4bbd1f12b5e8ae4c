using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using WasmJit.Cli;
using WasmJit.Jit.Saved;
using WasmJit.Text;
using Xunit;

namespace WasmJit.Tests.Saved;

/// <summary>A test that needs .NET's compiler that runs ahead, which the build restores for Linux on x64.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class AheadFactAttribute : FactAttribute
{
    public AheadFactAttribute()
    {
        if (!HasCompiler) Skip = "not run: Linux on x64 only";
    }

    internal static bool HasCompiler { get; } = OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64;
}

/// <summary>A module of each kind of code, compiled ahead once for all tests.</summary>
public sealed class NativeModule : IDisposable
{
    private const string Text = """
        (module $native
          (import "env" "twice" (func $twice (param i32) (result i32)))
          (memory (export "memory") 1)
          (data (i32.const 8) "hello")
          (type $binary (func (param i32 i32) (result i32)))
          (type $pair (sub (struct (field i32) (field (mut f64)))))
          (type $triple (sub final $pair (struct (field i32) (field (mut f64)) (field i64))))
          (type $list (array (mut i32)))
          (tag $oops (param i32))
          (table 2 funcref)
          (elem (i32.const 0) $add)
          (global $count (export "count") (mut i32) (i32.const 0))
          (func $add (export "add") (type $binary) (i32.add (local.get 0) (local.get 1)))
          (func $fib (export "fib") (param i32) (result i32)
            (if (result i32) (i32.lt_s (local.get 0) (i32.const 2)) (then (local.get 0))
              (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1))) (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
          (func (export "call") (param i32 i32 i32) (result i32)
            (global.set $count (i32.add (global.get $count) (i32.const 1)))
            (call_indirect (type $binary) (local.get 1) (local.get 2) (local.get 0)))
          (func (export "host") (param i32) (result i32) (call $twice (local.get 0)))
          (func (export "several") (param i32) (result i32 i64 f64) (local.get 0) (i64.extend_i32_s (local.get 0)) (f64.convert_i32_s (local.get 0)))
          (func (export "load") (param i32) (result i32) (i32.load (local.get 0)))
          (func (export "straddle") (param i32) (drop (v128.load (local.get 0))))
          (func (export "divide") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
          (func $deep (export "deep") (result i32) (i32.add (call $deep) (i32.const 1)))
          (func (export "objects") (param i32) (result i32)
            (local $p (ref null $pair)) (local $l (ref null $list))
            (local.set $p (struct.new $triple (local.get 0) (f64.const 0.5) (i64.const 7)))
            (struct.set $pair 1 (local.get $p) (f64.const 2))
            (local.set $l (array.new $list (i32.const 3) (i32.const 4)))
            (array.set $list (local.get $l) (i32.const 1) (i32.const 9))
            (i32.add
              (i32.add (struct.get $pair 0 (local.get $p)) (i32.trunc_f64_s (struct.get $pair 1 (local.get $p))))
              (i32.add (i32.wrap_i64 (struct.get $triple 2 (ref.cast (ref $triple) (local.get $p)))) (array.get $list (local.get $l) (i32.const 1)))))
          (func (export "cast") (param anyref) (result i32) (struct.get $pair 0 (ref.cast (ref $pair) (local.get 0))))
          (func $throws (param i32) (throw $oops (local.get 0)))
          (func (export "caught") (param i32) (result i32) (block $h (result i32) (try_table (catch $oops $h) (call $throws (local.get 0))) (i32.const 0)))
          (func (export "lanes") (param i32) (result i32)
            (i32x4.extract_lane 2 (i32x4.add (i32x4.splat (local.get 0)) (v128.const i32x4 1 2 3 4))))
          (func (export "vector") (param v128 v128) (result v128) (i32x4.add (local.get 0) (local.get 1)))
          (func $count-down (export "tail") (param i32) (result i32)
            (if (i32.eqz (local.get 0)) (then (return (i32.const 42))))
            (return_call $count-down (i32.sub (local.get 0) (i32.const 1))))
          ;; No register for integers is left for a number, and none at all.
          (func $six (param i32 i32 i32 i32 i32 i32) (result i32) (i32.sub (local.get 5) (local.get 0)))
          (func $none (param i32 i32 i32 i32 i32 i32 f64 f64 f64 f64 f64 f64 f64 f64) (result f64) (f64.sub (local.get 13) (f64.convert_i32_s (local.get 5))))
          (func $float (param f32 i64) (result f32) (f32.add (local.get 0) (f32.convert_i64_s (local.get 1))))
          (func (export "registers") (param i32) (result f64)
            (f64.add
              (f64.add
                (f64.convert_i32_s (call $six (local.get 0) (i32.const 1) (i32.const 2) (i32.const 3) (i32.const 4) (i32.const 100)))
                (f64.promote_f32 (call $float (f32.const 0.5) (i64.const 3))))
              (call $none (i32.const 0) (i32.const 1) (i32.const 2) (i32.const 3) (i32.const 4) (i32.const 7)
                (f64.const 0) (f64.const 1) (f64.const 2) (f64.const 3) (f64.const 4) (f64.const 5) (f64.const 6) (f64.const 1000)))))
        """;

    /// <summary>More locals than fit into the red zone at the end of a stack, all in use at once.</summary>
    private const int HugeLocals = 5000;

    private static string HugeFrame { get; } = $"""
          (func $huge (export "huge") (result i64) (local {Each("i64 ")})
            {Each("(local.set {0} (i64.load offset={0} (i32.const 1024)))")}
            (i64.const 0) {Each("(i64.add (local.get {0}))")})
          (func $deeper (export "deeper") (result i64) (i64.add (call $huge) (call $deeper)))
        """;

    private static string Each(string text) => string.Concat(Enumerable.Range(0, HugeLocals).Select(i => text.Replace("{0}", $"{i}", StringComparison.Ordinal)));

    public NativeModule()
    {
        if (!AheadFactAttribute.HasCompiler) return;
        File.WriteAllText(Wat, Text.TrimEnd()[..^1] + HugeFrame + ")");
        Assert.Equal((0, "", ""), ToolRun.Of("compile", "--native", Wat, "-o", Saved));
    }

    internal string Folder { get; } = Directory.CreateTempSubdirectory("wasmjit-native-tests").FullName;

    internal string Wat => Path.Combine(Folder, "native.wat");

    /// <summary>The file with machine code.</summary>
    internal string Saved => Path.Combine(Folder, "native.dll");

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}

/// <summary>Saved modules with machine code that .NET's compiler has made ahead of time.</summary>
[Collection("JIT events")]
public sealed class NativeTests(NativeModule native) : IClassFixture<NativeModule>
{
    private static readonly Engine Loader = new(Tiers.Never);

    private static Imports Host() => new() { { "env", "twice", (Func<int, int>)(x => 2 * x) } };

    private Instance Instance() => Loader.LoadSaved(native.Saved).Instantiate(Host());

    [AheadFact]
    public void DoesWhatTheModuleDoes()
    {
        Instance instance = Instance();
        Assert.Equal(42, instance.GetExport<Func<int, int, int>>("add")(40, 2));
        Assert.Equal(6765, instance.GetExport<Func<int, int>>("fib")(20));
        Assert.Equal(42, instance.GetExport<Func<int, int, int, int>>("call")(0, 40, 2));
        Assert.Equal(1, instance.GetExport<Global>("count").Value);
        Assert.Equal(42, instance.GetExport<Func<int, int>>("host")(21));
        Assert.Equal((3, 3L, 3.0), instance.GetExport<Func<int, (int, long, double)>>("several")(3));
        Assert.Equal("hello", instance.GetExport<Memory>("memory").ReadString(8, 5));
        Assert.Equal(10 + 2 + 7 + 9, instance.GetExport<Func<int, int>>("objects")(10));
        Assert.Equal(5, instance.GetExport<Func<int, int>>("caught")(5));
        Assert.Equal(13, instance.GetExport<Func<int, int>>("lanes")(10));
        var two = Vector128.Create(2).AsByte();
        Assert.Equal(Vector128.Create(4).AsByte(), instance.GetExport<Func<Vector128<byte>, Vector128<byte>, Vector128<byte>>>("vector")(two, two));
        Assert.Equal(42, instance.GetExport<Func<int, int>>("tail")(3_000_000));
        Assert.Equal(90 + 3.5 + 993, instance.GetExport<Func<int, double>>("registers")(10));
    }

    [AheadFact]
    public void TrapsTellWhatTheyAlwaysTell()
    {
        Instance instance = Instance();
        var load = Assert.Throws<TrapException>(() => instance.GetExport<Func<int, int>>("load")(-4));
        Assert.Equal(TrapKind.OutOfBoundsMemoryAccess, load.Kind);
        Assert.Equal("native!load", load.WasmStack[0].ToString());
        Assert.Equal(TrapKind.OutOfBoundsMemoryAccess, Assert.Throws<TrapException>(() => instance.GetExport<Action<int>>("straddle")(0x10000 - 15)).Kind);
        Assert.Equal(TrapKind.IntegerDivideByZero, Assert.Throws<TrapException>(() => instance.GetExport<Func<int, int, int>>("divide")(1, 0)).Kind);
        Assert.Equal(TrapKind.CallStackExhausted, Assert.Throws<TrapException>(() => instance.GetExport<Func<int>>("deep")()).Kind);
        Assert.Equal(TrapKind.UninitializedElement, Assert.Throws<TrapException>(() => instance.GetExport<Func<int, int, int, int>>("call")(1, 0, 0)).Kind);
        Assert.Equal(TrapKind.CastFailure, Assert.Throws<TrapException>(() => instance.GetExport<Func<object?, int>>("cast")(null)).Kind);
    }

    /// <summary>No method of functions that can be compiled ahead is compiled when they run; of the same module as IL each is.</summary>
    [AheadFact]
    public void TheJitHasNothingToDo()
    {
        string portable = Path.Combine(native.Folder, "portable.dll");
        new Engine().CompileText(File.ReadAllText(native.Wat)).Save(portable);
        using var listener = new JitListener();
        Instance instance = Instance(), other = Loader.LoadSaved(portable).Instantiate(Host());
        foreach (Instance each in new[] { instance, other })
        {
            Assert.Equal(6765, each.GetExport<Func<int, int>>("fib")(20));
            Assert.Equal(28, each.GetExport<Func<int, int>>("objects")(10));
            Assert.Equal(13, each.GetExport<Func<int, int>>("lanes")(10));
            Assert.Equal(5, each.GetExport<Func<int, int>>("caught")(5));
        }
        foreach ((string name, string method) in new[] { ("fib", "wasm:native!fib"), ("objects", "wasm-struct:native!objects"), ("lanes", "wasm:native!lanes"), ("caught", "wasm:native!caught") })
            Assert.Equal([2], listener.TiersOf(method, () => Loader.LoadSaved(portable).Instantiate(Host()).GetExport<Func<int, int>>(name)(1)));
    }

    /// <summary>What the file says of its methods is what the JIT has nothing to do for; the pointers that guests call lead into it.</summary>
    [AheadFact]
    public void PointersLeadIntoTheImage()
    {
        Module module = Loader.LoadSaved(native.Saved);
        var code = (SavedCode)module.Code;
        string[] later = [.. Enumerable.Range(module.Info.ImportedFuncs, module.Info.Funcs.Count - module.Info.ImportedFuncs).Where(f => !code.WasCompiledAhead(f)).Select(f => module.Info.ShownName(f))];
        // Code that only throws is not made ahead.
        Assert.Equal(["throws"], later);
        string[] maps = [.. File.ReadLines("/proc/self/maps").Where(l => l.Contains(native.Folder, StringComparison.Ordinal)).Select(l => l.Split(' ')[0])];
        bool IsMapped(nint address) => maps.Any(m => m.Split('-') is [var from, var to] && address >= nint.Parse(from, NumberStyles.HexNumber, null) && address < nint.Parse(to, NumberStyles.HexNumber, null));
        for (int func = module.Info.ImportedFuncs; func < module.Info.Funcs.Count; func++)
            Assert.Equal((module.Info.ShownName(func), code.WasCompiledAhead(func)), (module.Info.ShownName(func), IsMapped(code.Compile(func))));
    }

    /// <summary>Functions that call nothing have no call: .NET's compiler could put one before them, which asks whether their class is initialised.</summary>
    [AheadFact]
    public unsafe void FunctionsWithoutCallsCallNothing()
    {
        const int most = 400;
        Module module = Loader.LoadSaved(native.Saved);
        foreach (string name in new[] { "add", "load" })
        {
            nint code = module.Code.Compile((int)module.Info.FindExport(name)!.Index);
            var decoder = Iced.Intel.Decoder.Create(64, new ReadOnlySpan<byte>((byte*)code, most).ToArray());
            var flows = new List<Iced.Intel.FlowControl>();
            while (!flows.Contains(Iced.Intel.FlowControl.Return) && flows.Count < most / 16) flows.Add(decoder.Decode().FlowControl);
            Assert.Equal((name, Iced.Intel.FlowControl.Return), (name, flows[^1]));
            Assert.DoesNotContain(Iced.Intel.FlowControl.IndirectCall, flows);
            Assert.DoesNotContain(Iced.Intel.FlowControl.Call, flows);
        }
    }

    /// <summary>The short way to read a frame's size reads what the decoder reads.</summary>
    [AheadFact]
    public void FramesAreReadFromTheImage()
    {
        Module module = Loader.LoadSaved(native.Saved);
        int read = 0;
        for (int func = module.Info.ImportedFuncs; func < module.Info.Funcs.Count; func++)
        {
            nint code = module.Code.Compile(func);
            if (WasmJit.Runtime.Prologue.QuickFrameOf(code) is not { } frame) continue;
            Assert.Equal(WasmJit.Runtime.Prologue.FrameOf(code), frame);
            read++;
        }
        Assert.True(read > 5, $"{read}");
    }

    [AheadFact]
    public void HugeFramesAskForTheStackFirst()
    {
        Instance instance = Instance();
        Assert.Equal(0, instance.GetExport<Func<long>>("huge")());
        Exception? error = null;
        var thread = new Thread(() => error = Record.Exception(() => instance.GetExport<Func<long>>("deeper")()), 512 << 10);
        thread.Start();
        thread.Join();
        Assert.Equal(TrapKind.CallStackExhausted, Assert.IsType<TrapException>(error).Kind);
    }

    /// <summary>The file is mapped once, whoever loads it, and may be replaced meanwhile; a stream gives the IL in it.</summary>
    [AheadFact]
    public void FilesAreMappedOnce()
    {
        string path = Path.Combine(native.Folder, "mapped.dll");
        File.Copy(native.Saved, path);
        Module first = Loader.LoadSaved(path);
        Assert.Same(first.Code, new Engine(Tiers.Never).LoadSaved(native.Saved).Code);
        new Engine().CompileText("(module (func (export \"f\") (result i32) (i32.const 7)))").Save(path);
        Assert.Equal(42, first.Instantiate(Host()).GetExport<Func<int, int, int>>("add")(40, 2));
        Assert.Equal(7, Loader.LoadSaved(path).Instantiate().GetExport<Func<int>>("f")());
        Module streamed = Loader.LoadSaved(new MemoryStream(File.ReadAllBytes(native.Saved)));
        Assert.NotSame(first.Code, streamed.Code);
        Instance instance = streamed.Instantiate(Host());
        Assert.Equal(6765, instance.GetExport<Func<int, int>>("fib")(20));
        Assert.Equal(28, instance.GetExport<Func<int, int>>("objects")(10));
        Assert.Equal(42, instance.GetExport<Func<int, int, int, int>>("call")(0, 40, 2));
        Assert.Equal(90 + 3.5 + 993, instance.GetExport<Func<int, double>>("registers")(10));
    }

    /// <summary>
    /// A memory with much data is the file, until it is written: each instance has its own, others find nothing of it, and what is damaged there is found by those who read the whole file.
    /// </summary>
    [AheadFact]
    public void DataAreMapped()
    {
        // Two segments that overlap, a piece without data between them and the third, and more than the file has behind that.
        string wat = $"""
            (module
              (memory (export "memory") 40)
              (data (i32.const 70001) "{new string('a', 600_000)}")
              (data (i32.const 600000) "{new string('b', 600_000)}")
              (data (i32.const 1300000) "end")
              (data $passive "passive")
              (func (export "init") (memory.init $passive (i32.const 0) (i32.const 0) (i32.const 7)))
              (func (export "write") (param i32 i32) (i32.store8 (local.get 0) (local.get 1)))
              (func (export "read") (param i32) (result i32) (i32.load8_u (local.get 0)))
              (func (export "grow") (result i32) (memory.grow (i32.const 1))))
            """;
        string text = Path.Combine(native.Folder, "data.wat"), path = Path.Combine(native.Folder, "data.dll");
        File.WriteAllText(text, wat);
        Assert.Equal((0, "", ""), ToolRun.Of("compile", "--native", text, "-o", path));
        byte[] expected = new Engine().CompileText(wat).Instantiate().GetExport<Memory>("memory").Span.ToArray();
        Module module = Loader.LoadSaved(path);
        Assert.NotNull(module.Code.Content);
        int mapped = Mappings();
        Instance first = module.Instantiate(), second = module.Instantiate();
        Assert.Equal(mapped + 2, Mappings());
        Memory memory = first.GetExport<Memory>("memory");
        Assert.True(memory.Span.SequenceEqual(expected));
        for (int i = 0; i < expected.Length; i += 997) first.GetExport<Action<int, int>>("write")(i, i);
        Assert.Equal(40, first.GetExport<Func<int>>("grow")());
        Assert.True(second.GetExport<Memory>("memory").Span.SequenceEqual(expected));
        first.GetExport<Action>("init")();
        Assert.Equal("passive", memory.ReadString(0, 7));
        // The next owners of the addresses find zeros.
        memory.Recycle();
        second.GetExport<Memory>("memory").Dispose();
        Assert.Equal(mapped, Mappings());
        for (int i = 0; i < 20; i++) Assert.False(new Memory(new MemoryType(40)).Span.ContainsAnyExcept((byte)0));
        Assert.True(module.Instantiate().GetExport<Memory>("memory").Span.SequenceEqual(expected));
        // Pools bring it back; with fuel each segment is paid for, and in no file that is only read there are pages.
        using (var pool = new InstancePool(module))
        {
            for (int i = 0; i < 3; i++)
            {
                using PooledInstance rented = pool.Rent();
                Assert.True(rented.Instance.GetExport<Memory>("memory").Span.SequenceEqual(expected));
                rented.Instance.GetExport<Action<int, int>>("write")(100_000 + i, 1);
            }
        }
        Module streamed = Loader.LoadSaved(new MemoryStream(File.ReadAllBytes(path)));
        Assert.Null(streamed.Code.Content);
        Assert.True(streamed.Instantiate().GetExport<Memory>("memory").Span.SequenceEqual(expected));
        // So is what a program has loaded itself, as its own assemblies are.
        string copy = Path.Combine(native.Folder, "copy.dll");
        File.Copy(path, copy);
        Module referred = Loader.LoadSaved(new System.Runtime.Loader.AssemblyLoadContext("own").LoadFromAssemblyPath(copy));
        Assert.NotNull(referred.Code.Content);
        Assert.True(referred.Instantiate().GetExport<Memory>("memory").Span.SequenceEqual(expected));
        byte[] bytes = SavedHeader.ReadFile(File.ReadAllBytes(path)).Module.ToArray();
        Assert.Equal(5, new Engine().Compile(bytes).Exports.Count);

        int Mappings() => File.ReadLines("/proc/self/maps").Count(l => l.Contains("rw-p", StringComparison.Ordinal) && l.EndsWith("data.dll", StringComparison.Ordinal));
    }

    /// <summary>Data whose place is not known, that do not fit, that are few, or that go to memories of others, are copied.</summary>
    [Fact]
    public void DataThatCannotBeMapped()
    {
        string large = new('a', 1 << 20);
        Assert.NotNull(Of($"(memory 20) (data (i32.const 5) \"{large}\")"));
        Assert.NotNull(Of($"(memory 1) (memory 20) (data (memory 1) (i32.const 5) \"{large}\")"));
        Assert.Null(Of($"(memory 20) (data (i32.const 5) \"{large[..9000]}\")"));
        Assert.Null(Of($"(memory 17) (data (i32.const 131000) \"{large}\")"));
        Assert.Null(Of($"(memory 20) (data (i32.const -5) \"{large}\")"));
        Assert.Null(Of($"(import \"m\" \"m\" (memory 20)) (data (i32.const 5) \"{large}\")"));
        Assert.Null(Of($"(import \"m\" \"g\" (global i32)) (memory 20) (data (global.get 0) \"{large}\")"));
        Assert.Null(Of($"(memory i64 20) (data (i64.const 5) \"{large}\")"));
        Assert.Null(Of($"(memory 20 20 shared) (data (i32.const 5) \"{large}\")"));
        Assert.Null(Of($"(memory 20) (memory 1) (data (i32.const 5) \"{large}\") (data (memory 1) (i32.const 5) \"b\")"));
        Assert.Null(Of($"(memory 200) (data (i32.const 5) \"{large}\") (data (i32.const 9000000) \"b\")"));
        Assert.Null(Of($"(memory 20) (data \"{large}\")"));
        Assert.Null(Of("(memory 20)"));

        static InitialContent? Of(string fields) => InitialContent.Of(new Engine().CompileText($"(module {fields})").Info);
    }

    /// <summary>What is read of a file before its code runs is as it was saved; the whole is checked where it is read.</summary>
    [AheadFact]
    public void WhatIsReadIsChecked()
    {
        byte[] file = File.ReadAllBytes(native.Saved);
        Assert.True(SavedHeader.ReadFile(file).IsNative);
        string path = Path.Combine(native.Folder, "damaged.dll");
        SavedModuleProblem Problem(byte[] content)
        {
            File.WriteAllBytes(path, content);
            return Assert.Throws<SavedModuleException>(() => Loader.LoadSaved(path)).Problem;
        }

        Assert.Equal(SavedModuleProblem.Damaged, Problem(file[..^100]));
        Assert.Equal(SavedModuleProblem.Damaged, Problem([.. file, 0]));
        Assert.Equal(SavedModuleProblem.NotSaved, Problem(file[..100]));
        int header = file.AsSpan().IndexOf("wasmjit: saved module"u8), build = file.AsSpan().IndexOf(System.Text.Encoding.ASCII.GetBytes(SavedHeader.Build));
        byte[] damaged = [.. file];
        damaged[header + 60] ^= 1;
        Assert.Equal(SavedModuleProblem.Damaged, Problem(damaged));
        damaged = [.. file];
        damaged[build] = (byte)(damaged[build] == '0' ? '1' : '0');
        Assert.Equal(SavedModuleProblem.OtherVersion, Problem(damaged));
        // So are the tables: the metadata, those of the machine code, the module's types.
        using (var reader = new System.Reflection.PortableExecutable.PEReader(new MemoryStream(file)))
        {
            System.Reflection.PortableExecutable.CorHeader cor = reader.PEHeaders.CorHeader!;
            foreach (System.Reflection.PortableExecutable.DirectoryEntry table in new[] { cor.MetadataDirectory, cor.ManagedNativeHeaderDirectory })
            {
                Assert.True(reader.PEHeaders.TryGetDirectoryOffset(table, out int at));
                foreach (int place in new[] { at, at + (table.Size / 2), at + table.Size - 1 })
                {
                    damaged = [.. file];
                    damaged[place] ^= 1;
                    Assert.Equal(SavedModuleProblem.Damaged, Problem(damaged));
                }
            }
        }
        damaged = [.. file];
        damaged[file.AsSpan().IndexOf("\0asm"u8) + 12] ^= 1;
        Assert.Equal(SavedModuleProblem.Damaged, Problem(damaged));
        // Behind these nothing is read, and so nothing is checked, until the file is read.
        damaged = [.. file];
        damaged[^1] ^= 1;
        Assert.Equal(SavedModuleProblem.Damaged, Assert.Throws<SavedModuleException>(() => Loader.LoadSaved(new MemoryStream(damaged))).Problem);
        Assert.Equal(SavedModuleProblem.Damaged, Assert.Throws<SavedModuleException>(() => SavedHeader.ReadFile(damaged)).Problem);
    }

    [AheadFact]
    public void TheToolRunsIt()
    {
        Assert.Equal((0, "6765\n", ""), ToolRun.Of("run", native.Saved, "--unknown-imports", "trap", "--invoke", "fib", "20"));
        (int code, _, string error) = ToolRun.Of("compile", "--native", "--crossgen", native.Folder, native.Wat, "-o", Path.Combine(native.Folder, "none.dll"));
        Assert.Equal(1, code);
        Assert.StartsWith("error: --native needs .NET's compiler crossgen2, and ", error, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(native.Folder, "none.dll")));
    }

    /// <summary>Scripts of the official suite of each kind, all their modules compiled ahead; `wasmjit wast --native` runs all.</summary>
    [AheadFact]
    public void OfficialSuite()
    {
        if (Suite.Folder is null) return;
        string[] files = [.. new[] { "call.wast", "call_indirect.wast", "memory_trap.wast", "return_call.wast", "struct.wast", "array_copy.wast", "try_table.wast", "simd_load.wast", "linking.wast", "global.wast" }
            .Select(f => Path.Combine(Suite.Folder!, f))];
        using var modules = new NativeModules();
        foreach (string file in files) WastRunner.Run(file, exchange: modules.Add);
        modules.Compile();
        foreach (string file in files)
        {
            WastResult result = WastRunner.Run(file, exchange: modules.Exchange);
            Assert.Empty(result.Failures.Select(f => $"{file}:{f.Line}: {f.Reason}"));
            Assert.True(result.Passed > 1);
        }
    }
}
