using System.Text;
using Xunit;

namespace WasmJit.Tests.PublicApi;

/// <summary>WASI as a user of the library has it; the guest is compiled from its text.</summary>
public sealed class WasiTests : IDisposable
{
    /// <summary>Copies the standard input to the file "copy" in its directory and to the standard output, and exits with the count.</summary>
    private const string Copy = """
        (module
          (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
          (memory (export "memory") 1)
          (data (i32.const 0) "\00\04\00\00\00\10\00\00")
          (data (i32.const 16) "copy")
          (func $check (param i32) (if (local.get 0) (then (call $exit (i32.add (i32.const 100) (local.get 0))))))
          (func (export "_start")
            (call $check (call $open (i32.const 3) (i32.const 0) (i32.const 16) (i32.const 4) (i32.const 1) (i64.const 64) (i64.const 0)
              (i32.const 0) (i32.const 32)))
            (call $check (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 4)))
            (call $check (call $write (i32.load (i32.const 32)) (i32.const 0) (i32.const 1) (i32.const 36)))
            (call $check (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 36)))
            (call $exit (i32.load (i32.const 36)))))
        """;

    private readonly string folder = Directory.CreateTempSubdirectory("wasi-public-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void ACommandHasWhatItIsGiven()
    {
        Module module = new Engine().CompileText(Copy);
        using var output = new MemoryStream();
        using var wasi = new WasiHost(new WasiOptions
        {
            Directories = [new WasiDirectory(folder, "/")],
            Input = new MemoryStream("hello"u8.ToArray()),
            Output = output,
        });
        Assert.Equal(5, wasi.Run(module));
        Assert.Equal("hello", Encoding.UTF8.GetString(output.ToArray()));
        Assert.Equal("hello", File.ReadAllText(Path.Combine(folder, "copy")));
    }

    [Fact]
    public void ACommandHasNothingElse()
    {
        Module module = new Engine().CompileText(Copy);
        const int badf = 8, rofs = 69;
        Assert.Equal(100 + badf, new WasiHost(new WasiOptions()).Run(module));
        using var wasi = new WasiHost(new WasiOptions { Directories = [new WasiDirectory(folder, "/", ReadOnly: true)] });
        Assert.Equal(100 + rofs, wasi.Run(module));
        Assert.Empty(Directory.GetFiles(folder));
    }

    [Fact]
    public void UnknownImportsCanBeMadeUp()
    {
        Module module = new Engine().CompileText("""
            (module
              (import "env" "f" (func $f (param i32) (result i64 f32)))
              (import "env" "m" (memory 2))
              (import "env" "t" (table 3 funcref))
              (import "env" "g" (global (mut f64)))
              (func (export "run") (result i64 f32) (call $f (i32.const 1))))
            """);
        var defaults = new Imports();
        Assert.Equal(["f", "m", "t", "g"], defaults.AddUnknown(module, UnknownImports.Default).Select(i => i.Name));
        Assert.Empty(defaults.AddUnknown(module, UnknownImports.Default));
        Assert.Equal((0L, 0f), module.Instantiate(defaults).GetExport<Func<(long, float)>>("run")());
        var traps = new Imports();
        traps.AddUnknown(module, UnknownImports.Trap);
        var run = module.Instantiate(traps).GetExport<Func<(long, float)>>("run");
        var trap = Assert.Throws<TrapException>(() => run());
        Assert.Equal(TrapKind.UnknownImport, trap.Kind);
        Assert.Contains("\"env\" \"f\"", trap.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ImportsWithoutAnyValueCannotBeMadeUp()
    {
        Module module = new Engine().CompileText("""(module (type $f (func)) (import "env" "g" (global (ref $f))))""");
        Assert.Throws<LinkException>(() => new Imports().AddUnknown(module, UnknownImports.Default));
    }
}
