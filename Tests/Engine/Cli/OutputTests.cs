using WasmJit.Cli;
using Xunit;

namespace WasmJit.Tests;

/// <summary>The files that commands write: nothing touches them before there is something to write.</summary>
public sealed class OutputTests : IDisposable
{
    private const string Program = """(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32))) (memory (export "memory") 1) (func (export "_start") (call $exit (i32.const 3))))""";

    private readonly string folder = Directory.CreateTempSubdirectory("wasmjit-outputs").FullName;

    public OutputTests()
    {
        Write("program.wat", Program);
        Write("library.wat", "(module (memory (export \"memory\") 1) (func (export \"add\") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))");
        Write("imports.wat", """(module (import "env" "missing" (func $f)) (func (export "_start") (call $f)))""");
        Write("invalid.wat", "(module (func (result i32)))");
        Write("text.wat", "(module (func");
        Write("empty.wat", "(module)");
        Write("component.wat", "(component (import \"f\" (func)))");
        Write("other.wat", "(component)");
        Write("wide.wat", $"(module (func {string.Concat(Enumerable.Repeat("(local i32)", 1000))}))");
        File.WriteAllBytes(Path.Combine(folder, "malformed.wasm"), [0, (byte)'a', (byte)'s', (byte)'m', 1, 0, 0, 0, 99]);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private void Write(string name, string text) => File.WriteAllText(Path.Combine(folder, name), text);

    /// <summary>The names that end in a dot and three or four letters are files of the folder.</summary>
    private string[] Expand(string arguments) =>
        [.. arguments.Split(' ').Select(a => Path.GetExtension(a) is ".wat" or ".wasm" or ".out" ? Path.Combine(folder, a) : a == "EMPTY" ? "" : a)];

    /// <summary>Whatever is wrong with a command line or a module.</summary>
    [Theory]
    [InlineData("compile none.wat -o old.out")]
    [InlineData("compile invalid.wat -o old.out")]
    [InlineData("compile text.wat -o old.out")]
    [InlineData("compile malformed.wasm -o old.out")]
    [InlineData("compile program.wat -o old.out --natvie")]
    [InlineData("compile program.wat -o old.out --native --crossgen /none")]
    [InlineData("compile component.wat -o old.out --native")]
    [InlineData("compile program.wat -o")]
    [InlineData("compile program.wat -o EMPTY")]
    [InlineData("wat2wasm text.wat -o old.out")]
    [InlineData("wat2wasm invalid.wat -o old.out")]
    [InlineData("wasm2wat malformed.wasm -o old.out")]
    [InlineData("wasm2wat wide.wat -o old.out --max-length 100")]
    [InlineData("wasm2wat none.wasm -o old.out")]
    [InlineData("explore empty.wat -o old.out")]
    [InlineData("explore invalid.wat -o old.out")]
    [InlineData("explore program.wat -o old.out --functions few")]
    [InlineData("explore program.wat -o old.out --profile none.out")]
    [InlineData("explore program.wat -o old.out --profile program.wat")]
    [InlineData("explore program.wat -o old.out --profle x")]
    [InlineData("profile -o old.out library.wat")]
    [InlineData("profile -o old.out none.wat")]
    [InlineData("profile -o old.out imports.wat")]
    [InlineData("profile -o old.out invalid.wat")]
    [InlineData("profile -o old.out --fuel 10 program.wat")]
    [InlineData("profile -o old.out --sample-every few program.wat")]
    [InlineData("profile -o old.out --tier interpreter program.wat")]
    [InlineData("profile -o old.out --invoke sub library.wat 1 2")]
    [InlineData("profile -o old.out --invoke add library.wat 1")]
    [InlineData("profile -o old.out --invoke add library.wat 1 two")]
    [InlineData("run --profile old.out --invoke add library.wat 1 2 3")]
    [InlineData("run --coredump old.out library.wat")]
    [InlineData("run --coredump old.out imports.wat")]
    [InlineData("run --coredump old.out --invoke sub library.wat")]
    [InlineData("compose program.wat --with other.wat -o old.out")]
    [InlineData("compose component.wat --with other.wat -o old.out")]
    [InlineData("compose component.wat --with none.wat -o old.out")]
    [InlineData("compose component.wat -o old.out")]
    public void AnErrorLeavesTheFile(string arguments)
    {
        Write("old.out", "old");
        string[] before = [.. Directory.GetFileSystemEntries(folder).Order(StringComparer.Ordinal)];
        (int code, string output, string error) = ToolRun.Of(Expand(arguments));
        Assert.Equal((Tool.Failure, ""), (code, output));
        Assert.StartsWith("error: ", error, StringComparison.Ordinal);
        Assert.Equal("old", File.ReadAllText(Path.Combine(folder, "old.out")));
        Assert.Equal(before, Directory.GetFileSystemEntries(folder).Order(StringComparer.Ordinal));
        // Where there was none, there is none.
        File.Delete(Path.Combine(folder, "old.out"));
        Assert.Equal(code, ToolRun.Of(Expand(arguments)).Code);
        Assert.Equal(before.Where(f => !f.EndsWith("old.out", StringComparison.Ordinal)), Directory.GetFileSystemEntries(folder).Order(StringComparer.Ordinal));
    }

    /// <summary>Where no file can be, the command says so before it does the work: a profile would be lost when the program has ended.</summary>
    [Theory]
    [InlineData("compile program.wat -o")]
    [InlineData("explore program.wat -o")]
    [InlineData("profile program.wat -o")]
    [InlineData("run --coredump")]
    [InlineData("run --profile")]
    public void APlaceThatIsNoneIsSaidFirst(string arguments)
    {
        string[] args = [.. Expand(arguments), Path.Combine(folder, "none", "x"), Path.Combine(folder, "program.wat")];
        if (arguments[0] != 'r') args = arguments[0] == 'p' ? ["profile", "-o", args[3], args[1]] : args[..^1];
        (int code, string output, string error) = ToolRun.In(folder, args);
        Assert.Equal((Tool.Failure, "", "error: DIR/none/x: there is no directory DIR/none\n"), (code, output, error.Replace('\\', '/')));
        args[Array.FindIndex(args, a => a.EndsWith('x'))] = folder;
        Assert.Equal((Tool.Failure, "", "error: DIR is a directory\n"), ToolRun.In(folder, args));
    }

    /// <summary>What has worked replaces the file as a whole.</summary>
    [Theory]
    [InlineData(0, "compile program.wat -o old.out")]
    [InlineData(0, "wat2wasm program.wat -o old.out")]
    [InlineData(0, "wasm2wat program.wat -o old.out")]
    [InlineData(0, "explore program.wat -o old.out")]
    [InlineData(3, "profile -o old.out program.wat")]
    [InlineData(0, "profile -o old.out --invoke add library.wat 1 2")]
    public void TheFileIsReplaced(int code, string arguments)
    {
        Write("old.out", new string('x', 1_000_000));
        Assert.Equal(code, ToolRun.Of(Expand(arguments)).Code);
        Assert.False(File.ReadAllBytes(Path.Combine(folder, "old.out")).AsSpan().EndsWith("x"u8));
        Assert.DoesNotContain(Directory.GetFileSystemEntries(folder), f => f.EndsWith(".tmp", StringComparison.Ordinal));
    }
}
