using WasmJit.Cli;
using Xunit;

namespace WasmJit.Tests;

/// <summary>The tool, run in this process: exit codes, results, messages.</summary>
public sealed class ToolTests : IDisposable
{
    private const string Math = """
        (module $math
          (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
          (type $binary (func (param i32 i32) (result i32)))
          (memory (export "memory") 1)
          (global $g (mut i64) (i64.const -7))
          (table $t 2 funcref)
          (elem (i32.const 0) $add)
          (data (i32.const 8) "caf\c3\a9\00\"")
          (func $add (export "add") (type $binary) (param $a i32) (param $b i32) (result i32)
            local.get $a
            local.get $b
            i32.add)
          (func $first (export "first") (result i32)
            call $reach)
          (func $reach (result i32)
            (loop $large (result i32) (i32.load (i32.const -4))))
          (func (export "kinds") (param i64 f32 f64 externref) (result i64 f32 f64 externref)
            local.get 0 local.get 1 local.get 2 local.get 3)
          (func (export "loop") (param $n i32) (result i32)
            (local $sum i32)
            (loop $again
              (local.set $sum (i32.add (local.get $sum) (local.get $n)))
              (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
            (local.get $sum)))
        """;

    private readonly string folder = Directory.CreateTempSubdirectory("wasmjit-test").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private string File(string name, string content)
    {
        string path = Path.Combine(folder, name);
        System.IO.File.WriteAllText(path, content);
        return path;
    }

    private (int Code, string Out, string Error) Run(params string[] args) => ToolRun.In(folder, args);

    [Theory]
    [InlineData("help.txt", "--help")]
    [InlineData("help-run.txt", "run", "--help")]
    [InlineData("help-wast.txt", "wast", "--help")]
    [InlineData("help-compile.txt", "compile", "--help")]
    [InlineData("help-disasm.txt", "disasm", "--help")]
    [InlineData("help-fuzz.txt", "fuzz", "--help")]
    public void HelpTeaches(string golden, params string[] args)
    {
        (int code, string text, string error) = Run(args);
        Assert.Equal((0, ""), (code, error));
        Golden.Equal(golden, text);
    }

    /// <summary>A command that is new has a line in the README's list, and is on the tool's page.</summary>
    [Fact]
    public void PagesNameEveryCommand()
    {
        string help = Run("--help").Out;
        string[] commands = [.. help[(help.IndexOf("\nCommands:", StringComparison.Ordinal) + 1)..].Split('\n').Skip(1).TakeWhile(line => line.StartsWith("  ", StringComparison.Ordinal))
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[0])];
        Assert.True(commands.Length > 12, string.Join(' ', commands));
        string readme = System.IO.File.ReadAllText(Golden.InRepository("README.md")), page = System.IO.File.ReadAllText(Golden.InRepository("Docs/tool.md"));
        Assert.Equal([], commands.Where(command => !readme.Contains($"\nwasmjit {command}", StringComparison.Ordinal) && command != "run"));
        Assert.Equal([], commands.Where(command => !page.Contains($"wasmjit {command}", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("guard")]
    [InlineData("explicit")]
    public void RunInvokesExports(string checks)
    {
        string file = File("math.wat", Math);
        Assert.Equal((0, "-1\n", ""), Run("run", file, "--memory-checks", checks, "--invoke", "add", "2", "-3"));
        Assert.Equal((0, "55\n", ""), Run("--memory-checks", checks, "run", "--invoke", "loop", file, "10"));
        Assert.Equal((0, "-8\nnan\n0.1\nnull\n", ""), Run("run", file, "--invoke", "kinds", "-8", "nan", "0.1", "null"));
        (int code, string output, string error) = Run("run", file, "--invoke", "first", "--memory-checks", checks);
        Assert.Equal((Tool.Trapped, ""), (code, output));
        Assert.Equal("trap: out of bounds memory access\n    at math!reach+0x5\n    at math!first+0x1\n", error);
    }

    [Fact]
    public void RunGivesTheProgramsExitCode()
    {
        string file = File("exit.wat", """
            (module
              (import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
              (import "wasi_snapshot_preview1" "environ_sizes_get" (func $environ (param i32 i32) (result i32)))
              (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
              (memory (export "memory") 1)
              (func (export "_start")
                (drop (call $sizes (i32.const 0) (i32.const 8)))
                (drop (call $environ (i32.const 4) (i32.const 8)))
                (call $exit (i32.add (i32.mul (i32.load (i32.const 0)) (i32.const 10)) (i32.load (i32.const 4))))))
            """);
        Assert.Equal((10, "", ""), Run("run", file));
        // Behind the FILE nothing is the tool's; a "--" is not needed there, and only the first word can be one that is left out.
        Assert.Equal((41, "", ""), Run("run", "--env", "A=1", file, "--", "x", "--memory-checks", "y"));
        Assert.Equal((51, "", ""), Run("run", "--env", "A=1", file, "x", "--", "--memory-checks", "y"));
        Assert.Equal((51, "", ""), Run("--env", "A=1", file, "--env", "B=2", "--help", "@y"));
        Assert.Equal((10, "", ""), Run("run", "--timeout", "1h", "--", file));
    }

    [Fact]
    public void RunGivesDirectories()
    {
        string file = File("open.wat", """
            (module
              (import "wasi_snapshot_preview1" "path_open"
                (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
              (import "wasi_snapshot_preview1" "fd_prestat_get" (func $prestat (param i32 i32) (result i32)))
              (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
              (memory (export "memory") 1)
              (data (i32.const 16) "made")
              (func (export "_start")
                (drop (call $prestat (i32.const 3) (i32.const 0)))
                (if (call $open (i32.const 3) (i32.const 0) (i32.const 16) (i32.const 4) (i32.const 1) (i64.const 2) (i64.const 0)
                                (i32.const 0) (i32.const 8))
                  (then (call $exit (i32.const 99))))
                (call $exit (i32.load (i32.const 4)))))
            """);
        Assert.Equal((99, "", ""), Run("run", file));
        // Nothing can be made in a directory that can only be read.
        Assert.Equal((99, "", ""), Run("run", "--dir", folder + "::/data::ro", file));
        Assert.Equal((5, "", ""), Run("run", "--dir", folder + "::/data", file));
        Assert.True(System.IO.File.Exists(Path.Combine(folder, "made")));
        // Without another name the guest finds it under its own.
        Assert.Equal((folder.Length, "", ""), Run("run", "--dir", folder, file));
        Wrong("the value must be HOST::GUEST, two paths, or HOST::GUEST::ro", "run", "--dir", folder + "::/data::rw", file);
        Wrong("the directory DIR/none does not exist", "run", "--dir", Path.Combine(folder, "none") + "::/", file);
        Wrong("DIR/open.wat is a file; give its directory", "run", "--dir", file, file);
        Wrong("the value must be HOST::GUEST, two paths", "run", "--dir", "::/x", file);
    }

    [Fact]
    public void RunTakesUnknownImportsAsAsked()
    {
        string file = File("unknown.wat", """
            (module $m
              (import "env" "f" (func $f (param i32) (result i32)))
              (import "env" "g" (global $g i32))
              (import "env" "memory" (memory 1))
              (func (export "test") (param i32) (result i32) (i32.add (call $f (local.get 0)) (i32.add (local.get 0) (global.get $g)))))
            """);
        Wrong("""
            DIR/unknown.wat has unknown imports:
              "env" "f" (func (param i32) (result i32))
              "env" "g" (global i32)
              "env" "memory" (memory 1)
            help: the tool gives WASI preview 1; with --unknown-imports trap
            """, "run", file, "--invoke", "test", "7");
        Assert.Equal((0, "7\n", ""), Run("run", file, "--unknown-imports", "default", "--invoke", "test", "7"));
        (int code, string output, string error) = Run("run", file, "--unknown-imports", "trap", "--invoke", "test", "7");
        Assert.Equal((Tool.Trapped, ""), (code, output));
        Assert.StartsWith("trap: unknown import called: \"env\" \"f\"\n    at m!", error, StringComparison.Ordinal);
        Wrong("--unknown-imports ignore: the value must be trap or default", "run", file, "--unknown-imports", "ignore");
    }

    [Fact]
    public void MessagesSayWhatIsWrong()
    {
        string file = File("math.wat", Math);
        Wrong("DIR is a directory\nhelp: give a module in it: DIR/math.wat\n", "run", folder);
        Wrong("help: the directory has no modules; give a file", "run", Directory.CreateDirectory(Path.Combine(folder, "none")).FullName);
        Wrong("DIR/none.wasm does not exist", "run", Path.Combine(folder, "none.wasm"));
        Wrong("DIR/math.wasm does not exist; did you mean DIR/math.wat?", "inspect", Path.Combine(folder, "math.wasm"));
        Wrong("DIR/junk.wasm is not a WebAssembly module", "run", File("junk.wasm", "junk"));
        Wrong("DIR/empty.wat is empty", "validate", File("empty.wat", ""));
        Wrong("DIR/short.wasm: malformed module: unexpected end", "run", File("short.wasm", "\0asm\x1\0\0\0\x1"));
        Wrong("DIR/text.wat:2:3: unknown operator", "run", File("text.wat", "(module\n (fun))"));
        Wrong("invalid module: type mismatch", "run", File("invalid.wat", "(module (func (result i32) i64.const 0))"));
        Wrong("unknown exported function \"sub\"\nhelp: --invoke can call add, first, kinds, loop\n", "run", file, "--invoke", "sub");
        Wrong("add takes 2 arguments, not 1: (func (param i32 i32) (result i32))", "run", file, "--invoke", "add", "1");
        Wrong("\"x\" is not a valid i32", "run", file, "--invoke", "add", "1", "x");
        Wrong("4294967296 is out of the range of i32", "run", file, "--invoke", "add", "1", "4294967296");
        Wrong("is not a program: it does not export _start\nhelp: --invoke can call add", "run", file);
        string needy = File("import.wat", "(module (import \"env\" \"f\" (func)) (start 0))");
        Wrong("has unknown imports:\n  \"env\" \"f\" (func)\nhelp: ", "run", needy);
        string links = File("links.wat", "(module (import \"wasm:linking\" \"compile\" (func (param i32 i32) (result i32))) (func (export \"_start\")))");
        Wrong("has unknown imports:\n  \"wasm:linking\" \"compile\" (func (param i32 i32) (result i32))\nhelp: with --allow-compile", "run", links);
        string shared = File("shared.wat", "(module (@custom \"dylink.0\" \"\") (import \"lib\" \"f\" (func)) (func (export \"_start\")))");
        Wrong("help: with --library-dir the program finds", "run", shared);
        string opens = File("opens.wat", "(module (import \"env\" \"dlopen\" (func (param i32 i32) (result i32))) (func (export \"_start\")))");
        Wrong("help: with --library-dir DIR the program may load the shared libraries in DIR", "run", opens);
        Wrong("unknown function nothing", "disasm", file, "nothing");
        Wrong("function 0 is imported", "disasm", file, "0");
        Wrong("unknown command \"frobnicate\"\nhelp: wasmjit --help", "frobnicate");
        Wrong("--memory-checks none: the value must be guard or explicit\nhelp: wasmjit run --help", "run", file, "--memory-checks", "none");
        Wrong("unknown option --nope", "--nope");
        Wrong("--fuel needs a value: UNITS", "run", file, "--fuel");
        Wrong("unknown option --invok\nhelp: did you mean --invoke?", "run", "--invok", "add", file);
    }

    private void Wrong(string message, params string[] args)
    {
        (int code, string output, string error) = Run(args);
        Assert.Equal(Tool.Failure, code);
        Assert.Contains(message, error + output, StringComparison.Ordinal);
    }

    [Fact]
    public void LibrariesAreInitialised()
    {
        string file = File("library.wat", """
            (module
              (global $ready (mut i32) (i32.const 0))
              (func (export "_initialize") (global.set $ready (i32.add (global.get $ready) (i32.const 1))))
              (func (export "ready") (result i32) (global.get $ready)))
            """);
        Assert.Equal((0, "1\n", ""), Run("run", file, "--invoke", "ready"));
        Assert.Equal((0, "", ""), Run("run", file));
    }

    [Fact]
    public void StartFunctionsCanUseWasi()
    {
        string file = File("start.wat", """
            (module
              (import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
              (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
              (memory (export "memory") 1)
              (func $main (if (i32.eqz (call $sizes (i32.const 0) (i32.const 4))) (then (call $exit (i32.load (i32.const 0))))))
              (start $main))
            """);
        Assert.Equal((2, "", ""), Run("run", file, "x"));
    }

    [Fact]
    public void ValidateTellsEachFile()
    {
        string good = File("good.wat", "(module)"), bad = File("bad.wat", "(module (func $f (result i32)))");
        (int code, string output, _) = Run("validate", good, bad);
        Assert.Equal(Tool.Failure, code);
        Assert.StartsWith("DIR/good.wat: valid\nDIR/bad.wat:1:30: invalid module: type mismatch", output, StringComparison.Ordinal);
        Assert.Contains("in function 0 $f", output, StringComparison.Ordinal);
        Assert.Equal((0, "DIR/good.wat: valid\n", ""), Run("validate", good));
    }

    [Fact]
    public void TextAndBinaryConvertBothWays()
    {
        string wat = File("math.wat", Math), wasm = Path.Combine(folder, "math.wasm"), again = Path.Combine(folder, "again.wasm");
        Assert.Equal((0, "", ""), Run("wat2wasm", wat));
        (int code, string text, string error) = Run("wasm2wat", wasm);
        Assert.Equal((0, ""), (code, error));
        Golden.Equal("math.wat", text);
        Assert.Equal((0, "", ""), Run("wat2wasm", File("printed.wat", text), "-o", again));
        Assert.Equal(System.IO.File.ReadAllBytes(wasm), System.IO.File.ReadAllBytes(again));
        string invalid = File("invalid.wat", "(module (func (result i32)))");
        Assert.Equal(Tool.Failure, Run("wat2wasm", invalid).Code);
        Assert.False(System.IO.File.Exists(Path.ChangeExtension(invalid, ".wasm")));
        Assert.Equal(0, Run("wat2wasm", invalid, "--no-check").Code);
    }

    [Fact]
    public void ComponentsConvertAndAreValidated()
    {
        string wat = File("c.wat", "(component $c (import \"f\" (func $f)) (export \"g\" (func $f)))"), wasm = Path.Combine(folder, "c.wasm");
        Assert.Equal((0, "", ""), Run("wat2wasm", wat));
        (int code, string text, string error) = Run("wasm2wat", wasm);
        Assert.Equal((0, ""), (code, error));
        Assert.Equal(
            "(component $c\n  (type (;0;) (func))\n  (import \"f\" (func $f (type 0)))\n  (export (;1;) \"g\" (func $f))\n)\n", text);
        Assert.Equal((0, "DIR/c.wat: valid\nDIR/c.wasm: valid\n", ""), Run("validate", wat, wasm));
        string invalid = File("i.wat", "(component (export \"g\" (func 0)))");
        (code, string output, _) = Run("validate", invalid);
        Assert.Equal(Tool.Failure, code);
        Assert.StartsWith("DIR/i.wat: invalid component: ", output, StringComparison.Ordinal);
        (code, _, error) = Run("wat2wasm", invalid);
        Assert.Equal(Tool.Failure, code);
        Assert.Contains("DIR/i.wat: invalid component: ", error, StringComparison.Ordinal);
        Assert.Equal(0, Run("wat2wasm", invalid, "--no-check").Code);
        Wrong("DIR/c.wat is a component, not a module", "disasm", wat);
        Wrong("DIR/c.wat is not a program: it does not export wasi:cli/run", "run", wat);
    }

    [Fact]
    public void InspectAndDisasmShowNestedModules()
    {
        string file = File("nested.wat", """
            (module $outer
              (type $F (instance (export "read" (func (param i32) (result i32)))))
              (import "files" (instance $files (type $F)))
              (import "lib" (module $lib (import "files" (instance (type $F))) (export "run" (func))))
              (module $child (import "files" (instance (type outer $outer $F))) (memory 1) (func $go (export "go") (loop)))
              (instance $c (instantiate $child (import "files" (instance $files))))
              (export "child" (module $child))
              (export "go" (func $c "go")))
            """);
        Golden.Equal("inspect-nested.txt", Run("inspect", file).Out);
        Assert.Contains("of the nested module $child", Run("disasm", file, "$go", "--only", "wat").Out, StringComparison.Ordinal);
    }

    [Fact]
    public void InspectShowsTypesImportsExports() => Golden.Equal("inspect.txt", Run("inspect", File("math.wat", Math)).Out);

    /// <summary>Libraries as lld has linked them: what they need, where that is, their thread-local variables.</summary>
    [Fact]
    public void InspectShowsWhatLibrariesNeed()
    {
        foreach (string name in new[] { "libneeds", "libthreads" })
        {
            string file = Path.Combine(folder, $"{name}.so");
            System.IO.File.Copy(Golden.InRepository($"Tests/Engine/Dynamic/Guests/{name}.so"), file);
            Golden.Equal($"inspect-{name}.txt", Run("inspect", file).Out);
        }
    }

    [Fact]
    public void DisasmShowsThreeListings()
    {
        string file = File("math.wat", Math);
        Golden.Equal("disasm-wat.txt", Run("disasm", file, "loop", "--only", "wat").Out);
        (int code, string output, string error) = Run("disasm", file, "$add", "--width", "200");
        Assert.Equal((0, ""), (code, error));
        string[] lines = output.Split('\n');
        Assert.StartsWith("(func $add (type $binary)", lines[0], StringComparison.Ordinal);
        Assert.Contains(lines, l => l.StartsWith("i32.add ", StringComparison.Ordinal) && l.Split('│')[1].Trim() == "ldarg 1");
        Assert.Contains("│   ret", output, StringComparison.Ordinal);
        string machine = Run("disasm", file, "add", "--only", "asm").Out;
        Assert.Contains("machine code, ", machine, StringComparison.Ordinal);
        Assert.Equal("ret", machine.TrimEnd().Split(' ')[^1]);
    }

    [Fact]
    public void WastTellsFilesAndFailures()
    {
        string good = File("a.wast", """
            (module (func (export "f") (result i32) i32.const 1))
            (assert_return (invoke "f") (i32.const 1))
            """);
        string bad = File("b.wast", """
            (module (func (export "f") (result i32) i32.const 1))
            (assert_return (invoke "f") (i32.const 2))
            (assert_trap (invoke "f") "unreachable")
            """);
        Assert.Equal((0, "DIR/a.wast: 2 passed, 0 failed, 0 skipped\n2 passed, 0 failed, 0 skipped\n", ""), Run("wast", good));
        (int code, string output, string error) = Run("wast", good, bad);
        Assert.Equal((Tool.Failure, ""), (code, error));
        Golden.Equal("wast.txt", output);
        Assert.Equal(output, Run("wast", folder).Out);
        Wrong("DIR/c.wast does not exist", "wast", Path.Combine(folder, "c.wast"));
    }
}
