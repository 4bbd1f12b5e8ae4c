using System.Diagnostics;
using System.Text;
using WasmJit.Cli;
using WasmJit.Jit.Saved;
using WasmJit.Tests.Runtime;
using Xunit;

namespace WasmJit.Tests.Saved;

/// <summary>Saved modules from inside: versions, processes without dynamic code, large functions.</summary>
public sealed class SavedCodeTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("wasmjit-saved").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static byte[] Save(string text)
    {
        var file = new MemoryStream();
        new Engine().CompileText(text).Save(file);
        return file.ToArray();
    }

    private static Module Load(byte[] file) => new Engine(Tiers.Never).LoadSaved(new MemoryStream(file));

    /// <summary>A file that says it is of another build is as it was saved, but not for this process.</summary>
    [Fact]
    public void AnotherBuildIsRefused()
    {
        byte[] file = Save("(module)");
        int at = file.AsSpan().IndexOf(Encoding.ASCII.GetBytes(SavedHeader.Build));
        Assert.True(at > 0);
        file[at] = (byte)(file[at] == '0' ? '1' : '0');
        Assert.Equal(SavedModuleProblem.OtherVersion, Assert.Throws<SavedModuleException>(() => Load(file)).Problem);
        SavedHeader.Seal(file);
        Assert.Equal(SavedModuleProblem.OtherVersion, Assert.Throws<SavedModuleException>(() => Load(file)).Problem);
    }

    /// <summary>
    /// The proof that nothing is compiled: a process in which .NET itself refuses to make code. Entries, host functions (WASI's,
    /// and those it would need adapters for), stubs, objects, exceptions, vectors.
    /// </summary>
    [Theory]
    [InlineData("guard")]
    [InlineData("explicit")]
    public async Task RunsWhereNoCodeCanBeMade(string checks)
    {
        const string text = """
            (module $program
              (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
              (memory (export "memory") 1)
              (data (i32.const 16) "saved\n")
              (type $point (sub (struct (field (mut i32)) (field (mut anyref)))))
              (type $named (sub final $point (struct (field (mut i32)) (field (mut anyref)) (field i64))))
              (type $bytes (array (mut i8)))
              (tag $oops (param i32))
              (type $f (func (param i32) (result i32 i32)))
              (table 1 funcref)
              (elem (i32.const 0) $two)
              (func $two (type $f) (local.get 0) (i32.add (local.get 0) (i32.const 1)))
              (func $throws (param i32) (throw $oops (local.get 0)))
              (func $catches (result i32)
                (block $h (result i32) (try_table (catch $oops $h) (call $throws (i32.const 5))) (i32.const 0)))
              (func $sum (param $n i32) (result i32)
                (local $p anyref) (local $s i32)
                (loop $l
                  (local.set $p (struct.new $named (local.get $n) (local.get $p) (i64.const 1)))
                  (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
                (block $done
                  (loop $l
                    (br_if $done (ref.is_null (local.get $p)))
                    (local.set $s (i32.add (local.get $s) (struct.get $point 0 (ref.cast (ref $point) (local.get $p)))))
                    (local.set $p (struct.get $point 1 (ref.cast (ref $named) (local.get $p))))
                    (br $l)))
                (local.get $s))
              (func $vector (result i32)
                (i32x4.extract_lane 2 (i8x16.shuffle 8 9 10 11 0 1 2 3 4 5 6 7 12 13 14 15
                  (i32x4.splat (i32.const 3)) (v128.const i32x4 1 2 3 4))))
              (func $start (export "_start")
                (i32.store (i32.const 0) (i32.const 16)) (i32.store (i32.const 4) (i32.const 6))
                (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
                (if (i32.ne (call $catches) (i32.const 5)) (then (unreachable)))
                (if (i32.ne (call $sum (i32.const 100)) (i32.const 5050)) (then (unreachable)))
                (if (i32.ne (call $vector) (i32.const 3)) (then (unreachable)))
                (if (i32.ne (array.get_u $bytes (array.new $bytes (i32.const 300) (i32.const 9)) (i32.const 8)) (i32.const 44)) (then (unreachable)))
                (call_indirect (type $f) (i32.const 1) (i32.const 0))
                (if (i32.ne (i32.const 2)) (then (unreachable)))
                (if (i32.ne (i32.const 1)) (then (unreachable)))
                (drop (i32.load (i32.const 0x20000)))))
            """;
        string source = Path.Combine(folder, "program.wat"), saved = Path.Combine(folder, "program.dll");
        File.WriteAllText(source, text);
        Assert.Equal(0, Tool.Run(["compile", source, "--memory-checks", checks], TextWriter.Null, TextWriter.Null));
        string tool = typeof(Tool).Assembly.Location, config = Path.Combine(folder, "config.json");
        string own = File.ReadAllText(Path.ChangeExtension(tool, ".runtimeconfig.json"));
        int at = own.IndexOf("\"configProperties\": {", StringComparison.Ordinal);
        Assert.True(at > 0);
        const string refuse = "\"System.Runtime.CompilerServices.RuntimeFeature.IsDynamicCodeSupported\": false,";
        File.WriteAllText(config, own.Insert(at + "\"configProperties\": {".Length, refuse));

        Task<(int Code, string Output, string Error)> Run(string file) =>
            ChildProcess.Run(new ProcessStartInfo("dotnet", ["exec", "--runtimeconfig", config, tool, "run", file, "--memory-checks", checks]));

        (int code, string output, string error) = await Run(saved);
        Assert.Equal((Tool.Trapped, "saved\n"), (code, output));
        Assert.StartsWith("trap: out of bounds memory access\n    at program!start", error);
        // The module itself is interpreted in such a process, and does the same.
        (code, output, error) = await Run(source);
        Assert.Equal((Tool.Trapped, "saved\n"), (code, output));
        Assert.StartsWith("trap: out of bounds memory access\n    at program!start", error);
    }

    [Theory]
    [InlineData(2000, true, 512)]
    [InlineData(40_000, true, 256)]
    public void HugeFramesAskForTheStackFirst(int locals, bool leaf, int kilobytes)
    {
        byte[] file = Save(HugeFrameTests.Text(locals, leaf));
        HugeFrameTests.IsExhaustion(Load(file).Instantiate(), kilobytes);
    }

    [Fact]
    public void TheToolRunsAndExplains()
    {
        string source = Path.Combine(folder, "math.wat"), saved = Path.Combine(folder, "math.dll");
        File.WriteAllText(source, """(module $math (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))""");
        (int, string, string) Run(params string[] arguments)
        {
            StringWriter output = new(), error = new();
            int code = Tool.Run(arguments, output, error);
            return (code, output.ToString().ReplaceLineEndings("\n"), error.ToString().Replace(folder, "DIR").ReplaceLineEndings("\n"));
        }

        Assert.Equal((0, "", ""), Run("compile", source));
        Assert.Equal((0, "5\n", ""), Run("run", saved, "--invoke", "add", "2", "3"));
        Assert.Equal((1, "", "error: DIR/math.dll: its code does not count fuel; save it with CountFuel\n"), Run("run", saved, "--fuel", "10", "--invoke", "add", "2", "3"));
        Assert.Equal((0, "", ""), Run("compile", source, "--count-fuel", "-o", saved));
        Assert.Equal((0, "5\n", ""), Run("run", saved, "--fuel", "10", "--invoke", "add", "2", "3"));
        Assert.Equal((1, "", $"error: {typeof(Tool).Assembly.Location}: this is not a module saved by wasmjit\n"), Run("run", typeof(Tool).Assembly.Location));
    }
}
