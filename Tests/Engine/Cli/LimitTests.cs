using System.Diagnostics;
using WasmJit.Cli;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Runs of the tool that do not end by themselves.</summary>
public sealed class LimitTests : IDisposable
{
    private const string Spin = """
        (module $spin
          (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
          (memory (export "memory") 1)
          (data (i32.const 8) "\10\00\00\00\03\00\00\00run")
          (func $work (param i32) (result i32) (local i32)
            (loop $l (br_if $l (i32.lt_u (local.tee 1 (i32.add (local.get 1) (i32.const 1))) (local.get 0))))
            (local.get 1))
          (func $once (export "once") (result i32) (call $work (i32.const 1000)))
          (func $main (export "_start") (loop $l (drop (call $work (i32.const 10000000))) (br $l))))
        """;

    private readonly string folder = Directory.CreateTempSubdirectory("wasmjit-limits").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private string File(string text)
    {
        string path = Path.Combine(folder, "spin.wat");
        System.IO.File.WriteAllText(path, text);
        return path;
    }

    private static (int Code, string Out, string Error) Run(params string[] args) => ToolRun.Of(args);

    /// <summary>The instruction of a frame. Which it is depends on where the guest was met.</summary>
    private const string Offset = @"\+0x[0-9a-f]+";

    private static void IsOutOfFuel(string caller, (int Code, string Out, string Error) run)
    {
        Assert.Equal((Tool.Trapped, ""), (run.Code, run.Out));
        Assert.Matches($"^trap: out of fuel\n    at spin!work{Offset}\n    at spin!{caller}{Offset}\n$", run.Error);
    }

    [Fact]
    public void TheTimeoutSaysWhereTheGuestWas()
    {
        string error = "";
        // On a busy machine the time may be over before the guest has begun.
        foreach (string time in new[] { "0.3", "3", "30" })
        {
            (int code, string output, error) = Run("run", "--timeout", time + "s", File(Spin));
            Assert.Equal((RunLimits.TimedOut, ""), (code, output));
            Assert.StartsWith($"stopped: the time limit of {time} s is over\n", error, StringComparison.Ordinal);
            if (error.Contains("spin!", StringComparison.Ordinal)) break;
        }
        Assert.Matches($"is over\n(    at spin!work{Offset}\n)?    at spin!main{Offset}\n$", error);
    }

    [Fact]
    public void WhatEndsInTimeIsNotDisturbed() =>
        Assert.Equal((0, "1000\n", ""), Run("run", "--timeout", "1h", "--fuel", "100_000", "--invoke", "once", File(Spin)));

    [Fact]
    public void FuelIsATrap()
    {
        IsOutOfFuel("main", Run("run", "--fuel", "1_000_000", File(Spin)));
        IsOutOfFuel("once", Run("run", "--fuel", "999", "--invoke", "once", File(Spin)));
    }

    private const string Having = """
        (module $have
          (memory 1) (table 4 funcref)
          (func (export "memory") (result i32) (memory.grow (i32.const 16)))
          (func (export "table") (result i32) (table.grow (ref.null func) (i32.const 100)))
          (func $deep (export "deep") (param i32) (result i32)
            (if (result i32) (local.get 0) (then (i32.add (i32.const 1) (call $deep (i32.sub (local.get 0) (i32.const 1))))) (else (i32.const 0)))))
        """;

    /// <summary>What a program may have: growth beyond it is -1, what cannot be made at the start an error.</summary>
    [Theory]
    [InlineData("memory", "1", "--max-memory", "2M")]
    [InlineData("memory", "-1", "--max-memory", "1M")]
    [InlineData("memory", null, "--max-memory", "65_535")]
    [InlineData("memory", null, "--max-memories", "0")]
    [InlineData("table", "4", "--max-table-elements", "104")]
    [InlineData("table", "-1", "--max-table-elements", "103")]
    [InlineData("table", null, "--max-tables", "0")]
    [InlineData("table", null, "--max-instances", "0")]
    public void WhatAProgramHasIsLimited(string export, string? result, string option, string value)
    {
        (int code, string output, string error) = Run("run", option, value, File(Having), "--invoke", export);
        Assert.Equal((result is null ? Tool.Failure : 0, result is null ? "" : result + "\n"), (code, output));
        if (result is null) Assert.Contains("limit reached: ", error, StringComparison.Ordinal);
    }

    [Fact]
    public void TheStackIsLimited()
    {
        Assert.Equal((0, "4000\n", ""), Run("run", "--max-stack", "1M", File(Having), "--invoke", "deep", "4000"));
        (int code, _, string error) = Run("run", "--max-stack", "64K", File(Having), "--invoke", "deep", "4000");
        Assert.Equal(Tool.Trapped, code);
        Assert.StartsWith("trap: call stack exhausted\n", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--timeout", "soon", "--timeout soon: the value must be a time")]
    [InlineData("--timeout", "0", "--timeout 0: the value must be a time")]
    [InlineData("--timeout", "-1s", "--timeout -1s: the value must be a time")]
    [InlineData("--fuel", "1.5", "--fuel 1.5: the value must be a number")]
    [InlineData("--max-memory", "much", "--max-memory much: the value must be a number of bytes")]
    [InlineData("--max-memory", "9000000000G", "--max-memory 9000000000G: the value must be a number of bytes")]
    [InlineData("--max-stack", "1K", "--max-stack 1K: the value must be a number of bytes, at least 64K")]
    [InlineData("--max-tables", "-1", "--max-tables -1: the value must be a number of at least 0")]
    public void LimitsMustBeSome(string option, string value, string message)
    {
        (int code, _, string error) = Run("run", option, value, File(Spin));
        Assert.Equal(Tool.Failure, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    /// <summary>With --timeout loops look whether they are to stop; without it the process ends a moment later.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task CtrlCInterrupts(bool looks)
    {
        if (!OperatingSystem.IsLinux()) return;
        // The process that runs the tests may ignore the signal, and what they start would do so too.
        var start = new ProcessStartInfo("env") { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (string arg in new[] { "--default-signal=INT", "dotnet", typeof(Tool).Assembly.Location, "run" }) start.ArgumentList.Add(arg);
        if (looks)
        {
            start.ArgumentList.Add("--timeout");
            start.ArgumentList.Add("10m");
        }
        // It says that it runs.
        start.ArgumentList.Add(File(Spin.Replace("(loop $l (drop (call $work", """
            (drop (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 0)))
            (loop $l (drop (call $work
            """, StringComparison.Ordinal)));
        using Process process = Process.Start(start)!;
        var said = new char[3];
        Assert.Equal(3, await process.StandardOutput.ReadBlockAsync(said));
        await Task.Delay(100);
        using (Process kill = Process.Start("kill", ["-INT", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)])) await kill.WaitForExitAsync();
        string error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.Equal(RunLimits.Interrupted, process.ExitCode);
        Assert.StartsWith("interrupted\n", error, StringComparison.Ordinal);
        if (looks) Assert.Matches($"    at spin!main{Offset}\n$", error);
    }

    [Fact]
    public async Task LongWorkShowsALine()
    {
        var quick = new StringWriter();
        new ProgressLine(quick, "compiling", TimeSpan.FromMinutes(1)).Dispose();
        Assert.Equal("", quick.ToString());
        var writer = new StringWriter();
        using (new ProgressLine(TextWriter.Synchronized(writer), "compiling x.wasm, 80.0 MB", TimeSpan.FromMilliseconds(1)))
            for (int i = 0; i < 12_000 && writer.GetStringBuilder().Length == 0; i++) await Task.Delay(10);
        string shown = writer.ToString();
        Assert.Matches("^\rcompiling x\\.wasm, 80\\.0 MB \\.\\.\\. [0-9]+\\.[0-9] s", shown);
        // The line is gone at the end: blanks over it.
        Assert.Matches("\r +\r$", shown);
    }
}
