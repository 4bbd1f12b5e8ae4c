using System.CommandLine;
using WasmJit.Cli;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Only the commands are made that a command line may mean.</summary>
public sealed class NeededCommandTests
{
    [Fact]
    public void CommandsHaveTheNamesThatAreAskedFor()
    {
        Command root = Tool.Root(new Terminal(TextWriter.Null, TextWriter.Null), Tool.Commands);
        Assert.Equal(Tool.Commands, root.Subcommands.Select(c => c.Name));
        Assert.Equal(Tool.Commands.Distinct(), Tool.Commands);
    }

    [Fact]
    public void ThoseThatMayBeMeantAreMade()
    {
        foreach (string name in Tool.Commands) Assert.Contains(name, Tool.NeededFor([name, "x"]));
        Assert.Equal(["run"], Tool.NeededFor(["run", "fuzz"]));
        Assert.Equal(["run"], Tool.NeededFor(["./program.wasm", "compile"]));
        Assert.Equal(["run", "compile"], Tool.NeededFor(["compile", "program.wasm"]));
        foreach (string[] all in new[] { [], ["help"], ["help", "run"], ["--help"], ["--version"], ["rum"], ["--memory-checks", "guard", "compile"], new[] { "completion", "bash" }, ["run", "-h"], ["compile", "x.wasm", "--help"] })
            Assert.Equal(Tool.Commands, Tool.NeededFor(all));
    }

    /// <summary>What needs no parser, and what is left to it.</summary>
    [Fact]
    public void PlainRunsAreUnderstoodWithoutTheParser()
    {
        Assert.Equal(("x", "", "a --dir"), Plain("run", "x", "a", "--dir"));
        Assert.Equal(("x", "", "-c pass"), Plain("run", "x", "--", "-c", "pass"));
        Assert.Equal(("fuzz", "", ""), Plain("run", "fuzz"));
        Assert.Equal(("x.dll", "d e::f", "-1"), Plain("run", "--dir", "d", "--dir", "e::f", "x.dll", "-1"));
        Assert.Equal(("./x", "", "run"), Plain("./x", "run"));
        Assert.Equal(("x.wasm", "", ""), Plain("x.wasm", "--"));
        foreach (string[] other in new[]
        {
            [], ["run"], ["run", "-"], ["run", "--", "x"], ["run", ""], ["run", "--dir"], ["run", "--dir", "d"], ["run", "--dir", "--", "x"], ["run", "--dir", "", "x"], ["run", "--dir=d", "x"],
            ["run", "--tier", "compiler", "x"], ["run", "x", "--invoke", "f"], ["run", "x", "--", "--help"], ["run", "x", "--", "--"], ["run", "--help"], ["--dir", "d", "x.wasm"], ["-h"], ["help"], ["help", "run"], ["serve", "x.wasm"],
            new[] { "no-command-and-no-file" },
        }) Assert.Null(PlainRun.Of(other));
    }

    private static (string, string, string)? Plain(params string[] arguments) =>
        PlainRun.Of(arguments) is { } run ? (run.File, string.Join(' ', run.Directories), string.Join(' ', run.Arguments)) : null;

    /// <summary>Such runs do what they do through the parser, which all runs go through with a configuration.</summary>
    [Fact]
    public void PlainRunsAreTheSame()
    {
        string folder = Directory.CreateTempSubdirectory("wasmjit-test").FullName;
        try
        {
            string config = Path.Combine(folder, "config.json"), program = Path.Combine(folder, "program.wasm"), library = Path.Combine(folder, "library.wasm");
            File.WriteAllText(config, "{}");
            // It ends with the number of its arguments and of their bytes, and ten more for each directory.
            File.WriteAllBytes(program, Wat.ToBinary("""
                (module
                  (import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
                  (import "wasi_snapshot_preview1" "fd_prestat_get" (func $prestat (param i32 i32) (result i32)))
                  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
                  (memory (export "memory") 1)
                  (func (export "_start") (local $fd i32)
                    (drop (call $sizes (i32.const 0) (i32.const 4)))
                    (local.set $fd (i32.const 3))
                    (block $end (loop $more
                      (br_if $end (call $prestat (local.get $fd) (i32.const 8)))
                      (local.set $fd (i32.add (local.get $fd) (i32.const 1)))
                      (br $more)))
                    (call $exit (i32.add (i32.add (i32.load (i32.const 0)) (i32.load (i32.const 4))) (i32.mul (i32.const 10) (i32.sub (local.get $fd) (i32.const 3)))))))
                """));
            File.WriteAllBytes(library, Wat.ToBinary("(module (func (export \"f\") unreachable) (func $start unreachable) (start $start))"));
            string missing = Path.Combine(folder, "missing.wasm");
            foreach (string[] arguments in new[]
            {
                ["run", program], ["run", program, "a", "bc"], ["run", "--dir", folder, program, "--", "a"], ["run", "--dir", folder + "::x", "--dir", folder + "::y::ro", program], [program, "-a", "--dir"],
                ["run", library], [library, "f"], ["run", missing], [missing], ["run", folder], ["run", "--dir", missing, program], new[] { "run", "--dir", "::x", program },
            })
            {
                Assert.NotNull(PlainRun.Of(arguments));
                Assert.Equal(Run(arguments, config), Run(arguments, ""));
            }
            Assert.Equal(2 + "program.wasm a ".Length + 10, Run(["run", "--dir", folder, program, "--", "a"], "").Item1);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>What is written does not depend on it: the same help, errors and suggestions as with all commands.</summary>
    [Theory]
    [InlineData("run", "--help")]
    [InlineData("run", "--unknown", "x.wasm")]
    [InlineData("run")]
    [InlineData("compile", "--help")]
    [InlineData("compile", "x.wasm", "--natve")]
    [InlineData("./x.wasm", "--dirr")]
    public void MessagesAreTheSame(params string[] arguments)
    {
        string config = Path.GetTempFileName();
        try
        {
            // With a configuration all commands are made, since it may name any.
            File.WriteAllText(config, "{}");
            Assert.Equal(Run(arguments, config), Run(arguments, ""));
        }
        finally
        {
            File.Delete(config);
        }
    }

    private static (int, string, string) Run(string[] arguments, string config)
    {
        StringWriter output = new(), error = new();
        int code = Tool.Run(arguments, output, error, config);
        return (code, output.ToString(), error.ToString());
    }
}
