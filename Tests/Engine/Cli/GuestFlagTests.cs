using Xunit;

namespace WasmJit.Tests;

/// <summary>What <c>run</c> gives a program besides directories: clocks, random numbers, threads, and limits on files.</summary>
public sealed class GuestFlagTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("wasmjit-given").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    /// <summary>Runs a program with a memory, whose exit code is a number that it computes.</summary>
    private (int Code, string Out, string Error) Run(string imports, string body, params string[] options)
    {
        string file = Path.Combine(folder, "program.wat");
        File.WriteAllText(file, $"""
            (module
              {imports}
              (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
              (memory (export "memory") 2)
              (data (i32.const 64) "file")
              (func (export "_start") (local $n i32) (call $exit {body})))
            """);
        return ToolRun.Of(["run", .. options, file]);
    }

    private const string Clock = """(import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))""";

    private const string Seconds = "(block (result i32) (drop (call $clock (i32.const 0) (i64.const 1) (i32.const 0))) (i32.wrap_i64 (i64.div_u (i64.load (i32.const 0)) (i64.const 1000000000))))";

    [Theory]
    [InlineData("1970-01-01T00:01:40Z", 100)]
    [InlineData("1970-01-01T01:01:40+01:00", 100)]
    [InlineData("1970-01-01T00:00:07", 7)]
    public void ClocksBeginWhereTheyAreTold(string time, int seconds) => Assert.Equal((seconds, "", ""), Run(Clock, Seconds, "--clock", time));

    [Fact]
    public void RandomNumbersAreThoseOfTheSeed()
    {
        int Number(params string[] options) => Run("""(import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))""",
            "(block (result i32) (drop (call $random (i32.const 0) (i32.const 1))) (i32.and (i32.load8_u (i32.const 0)) (i32.const 63)))", options).Code;
        int[] numbers = [.. Enumerable.Range(0, 16).Select(seed => Number("--random-seed", $"{seed}"))];
        Assert.Equal(numbers, Enumerable.Range(0, 16).Select(seed => Number("--random-seed", $"{seed}")));
        Assert.True(numbers.Distinct().Count() > 4, string.Join(' ', numbers));
    }

    [Fact]
    public void OpenFilesAreLimited()
    {
        File.WriteAllText(Path.Combine(folder, "file"), "");
        // Three streams and the directory are open at the beginning.
        Assert.Equal((3, "", ""), Run("""(import "wasi_snapshot_preview1" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))""", """
            (block (result i32)
              (block $full (loop $l
                (br_if $full (call $open (i32.const 3) (i32.const 0) (i32.const 64) (i32.const 4) (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 0)))
                (local.set $n (i32.add (local.get $n) (i32.const 1)))
                (br_if $l (i32.lt_u (local.get $n) (i32.const 50)))))
              (local.get $n))
            """, "--max-open-files", "7", "--dir", $"{folder}::/"));
    }

    [Fact]
    public void WrittenBytesAreLimited()
    {
        (int code, _, string error) = Run("""(import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))""", """
            (block (result i32)
              (i32.store (i32.const 0) (i32.const 1024)) (i32.store (i32.const 4) (i32.const 4096))
              (block $full (loop $l
                (br_if $full (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 8)))
                (local.set $n (i32.add (local.get $n) (i32.const 1)))
                (br_if $l (i32.lt_u (local.get $n) (i32.const 50)))))
              (local.get $n))
            """, "--max-written", "12K");
        Assert.Equal((3, ""), (code, error));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void ThreadsAreCounted(int threads)
    {
        string file = Path.Combine(folder, "threads.wat");
        File.WriteAllText(file, """
            (module
              (import "env" "memory" (memory 1 1 shared))
              (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
              (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
              (export "memory" (memory 0))
              (func (export "wasi_thread_start") (param i32 i32)
                (i32.atomic.store (i32.const 8) (i32.const 7))
                (drop (memory.atomic.notify (i32.const 8) (i32.const 1))))
              (func (export "_start")
                (if (i32.lt_s (call $spawn (i32.const 0)) (i32.const 0)) (then (call $exit (i32.const 3))))
                (drop (memory.atomic.wait32 (i32.const 8) (i32.const 0) (i64.const -1)))
                (call $exit (i32.atomic.load (i32.const 8)))))
            """);
        string[] options = threads == 0 ? [] : ["--threads", $"{threads}"];
        (int code, _, string error) = ToolRun.Of(["run", .. options, file]);
        if (threads == 0) Assert.Contains("has unknown imports:\n  \"env\" \"memory\" (memory 1 1 shared)\n  \"wasi\" \"thread-spawn\"", error, StringComparison.Ordinal);
        else Assert.Equal("", error);
        Assert.Equal(threads == 0 ? 1 : 7, code);
    }

    [Theory]
    [InlineData("--clock", "yesterday", "the value must be a time since 1970 such as 2026-01-31T12:00:00Z")]
    [InlineData("--clock", "1969-12-31T00:00:00Z", "the value must be a time since 1970 such as 2026-01-31T12:00:00Z")]
    [InlineData("--random-seed", "x", "the value must be a number from 0 to 9223372036854775807")]
    [InlineData("--threads", "10001", "the value must be a number from 0 to 10000")]
    [InlineData("--max-open-files", "-1", "the value must be a number from 0 to 2147483647")]
    [InlineData("--max-written", "much", "the value must be a number of bytes, such as 512K, 64M or 1G")]
    public void OtherValuesAreErrors(string option, string value, string problem)
    {
        (int code, string output, string error) = Run("", "(i32.const 0)", $"{option}={value}");
        Assert.Equal((1, "", $"error: {option} {value}: {problem}\n"), (code, output, error));
    }
}
