using Xunit;

namespace WasmJit.Tests;

/// <summary>The tool with components: programs, calls of exports, saved ones.</summary>
public sealed class ComponentToolTests : IDisposable
{
    /// <summary>A program that says that it has failed, and functions.</summary>
    private const string Text = """
        (component
          (core module $M
            (memory (export "mem") 1)
            (global $next (mut i32) (i32.const 1024))
            (func (export "realloc") (param i32 i32 i32 i32) (result i32)
              (global.set $next (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
              (memory.copy (global.get $next) (local.get 0) (local.get 1))
              (global.get $next)
              (global.set $next (i32.add (global.get $next) (local.get 3))))
            (func (export "fail") (result i32) (i32.const 1))
            (func (export "forever") (loop $l (br $l)))
            (func (export "sum") (param $list i32) (param $count i32) (param $has i32) (param $more i32) (result i32)
              (local $sum i32)
              (local.set $sum (select (local.get $more) (i32.const 0) (local.get $has)))
              (block $end (loop $l
                (br_if $end (i32.eqz (local.get $count)))
                (local.set $sum (i32.add (local.get $sum) (i32.load (local.get $list))))
                (local.set $list (i32.add (local.get $list) (i32.const 4)))
                (local.set $count (i32.sub (local.get $count) (i32.const 1)))
                (br $l)))
              (local.get $sum))
            (func (export "same") (param i32 i32) (result i32)
              (i32.store (i32.const 16) (local.get 0)) (i32.store (i32.const 20) (local.get 1)) (i32.const 16)))
          (core instance $m (instantiate $M))
          (func $run (result (result)) (canon lift (core func $m "fail")))
          (instance $cli (export "run" (func $run)))
          (export "wasi:cli/run@0.2.3" (instance $cli))
          (func (export "forever") (canon lift (core func $m "forever")))
          (func (export "sum") (param "items" (list u32)) (param "more" (option u32)) (result u32)
            (canon lift (core func $m "sum") (memory (core memory $m "mem")) (realloc (core func $m "realloc"))))
          (func (export "same") (param "text" string) (result string)
            (canon lift (core func $m "same") (memory (core memory $m "mem")) (realloc (core func $m "realloc")))))
        """;

    private readonly string folder = Directory.CreateTempSubdirectory("wasmjit-test").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private string Component
    {
        get
        {
            string path = Path.Combine(folder, "app.wat");
            File.WriteAllText(path, Text);
            return path;
        }
    }

    private (int Code, string Out, string Error) Run(params string[] args) => ToolRun.In(folder, args);

    [Fact]
    public void AProgramHasItsExitCode() => Assert.Equal((1, "", ""), Run("run", Component));

    [Theory]
    [InlineData("sum([1, 2, 3], none)", "6\n")]
    [InlineData("sum([], some(7))", "7\n")]
    [InlineData("sum([10], 7)", "17\n")]
    [InlineData("same(\"a\\u{1f370}\\\"\")", "\"a\U0001f370\"\"\n")]
    [InlineData("wasi:cli/run@0.2.3#run()", "error\n")]
    public void ExportsAreCalled(string call, string result) => Assert.Equal((0, result, ""), Run("run", "--invoke", call, Component));

    [Fact]
    public void ArgumentsMayStandBehindTheFile()
    {
        Assert.Equal((0, "12\n", ""), Run("run", "--invoke", "sum", Component, "[5, 6]", "1"));
        Assert.Equal((0, "\"plain text\"\n", ""), Run("run", "--invoke", "same", Component, "plain text"));
    }

    [Theory]
    [InlineData("nothing()", "unknown exported function \"nothing\"")]
    [InlineData("sum([1)", "',' or ']' is expected at \")\"")]
    [InlineData("sum([-1], none)", "\"-1\" is not a valid UInt32 at \"], none)\"")]
    [InlineData("sum([1])", "sum takes 2 arguments, not 1")]
    [InlineData("sum([1], none, 3)", "it takes 2 arguments at \"3)\"")]
    [InlineData("same(\"x)", "\" is expected at \"the end\"")]
    public void MistakesAreExplained(string call, string message)
    {
        (int code, string output, string error) = Run("run", "--invoke", call, Component);
        Assert.Equal((1, ""), (code, output));
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    [Fact]
    public void ExportsThatCanBeCalledAreNamed() =>
        Assert.Contains("wasi:cli/run@0.2.3#run, forever, sum, same", Run("run", "--invoke", "x", Component).Error, StringComparison.Ordinal);

    [Fact]
    public void LimitsHold()
    {
        Assert.Equal(134, Run("run", "--fuel", "1000", "--invoke", "forever", Component).Code);
        Assert.Equal(124, Run("run", "--timeout", "50ms", "--invoke", "forever", Component).Code);
        Assert.Contains("a component: --allow-compile works with modules alone", Run("run", "--allow-compile", Component).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void RulesForTheNetworkAreChecked()
    {
        Assert.Equal((1, "", ""), Run("run", "--allow-connect", "127.0.0.1:80", "--allow-connect", "[::1]:80", "--allow-listen", "*:0", "--allow-lookup", "*.org", "--allow-http", "*", Component));
        Assert.Contains("--allow-connect localhost:80: the value must be an address", Run("run", "--allow-connect", "localhost:80", Component).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void SavedComponentsRun()
    {
        string saved = Path.Combine(folder, "app.saved");
        Assert.Equal((0, "", ""), Run("compile", Component));
        Assert.Equal((1, "", ""), Run("run", saved));
        Assert.Equal((0, "3\n", ""), Run("run", "--invoke", "sum([1], 2)", saved));
        Assert.Equal(0, Run("validate", saved).Code);
        byte[] damaged = File.ReadAllBytes(saved);
        File.WriteAllBytes(saved, damaged[..^100]);
        Assert.Contains("not as it was saved", Run("run", saved).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void WhatIsMissingIsNamed()
    {
        string path = Path.Combine(folder, "other.wat");
        File.WriteAllText(path, "(component (import \"my:own/thing\" (func)) (instance $i) (export \"wasi:cli/run@0.2.0\" (instance $i)))");
        (int code, _, string error) = Run("run", path);
        Assert.Equal(1, code);
        Assert.Contains("\"my:own/thing\" is missing", error, StringComparison.Ordinal);
        Assert.Contains("WASI 0.2", error, StringComparison.Ordinal);
        File.WriteAllText(path, "(component)");
        Assert.Contains("is not a program: it does not export wasi:cli/run", Run("run", path).Error, StringComparison.Ordinal);
    }
}
