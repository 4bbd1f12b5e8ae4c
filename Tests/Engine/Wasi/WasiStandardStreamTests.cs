using System.Diagnostics;
using System.IO.Pipes;
using WasmJit.Cli;
using WasmJit.Wasi;
using Xunit;

namespace WasmJit.Tests;

/// <summary>The standard streams of a process that was started without some, or with pipes that are full; and streams of .NET's that are.</summary>
public sealed class WasiStandardStreamTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("wasmjit-test").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    /// <summary>A program whose exit code is what <paramref name="code"/> leaves.</summary>
    private string Program(string code)
    {
        var text = new System.Text.StringBuilder("(module");
        foreach ((string name, string type) in WasiGuest.Functions) text.Append($"(import \"wasi_snapshot_preview1\" \"{name}\" (func ${name} {type}))");
        // A list of one buffer at 16: 60,000 bytes at 1024.
        text.Append("(memory (export \"memory\") 1) (data (i32.const 16) \"\\00\\04\\00\\00\\60\\ea\\00\\00\")")
            .Append($"(func (export \"_start\") (local $e i32) (call $proc_exit {code})))");
        string path = Path.Combine(folder, Guid.NewGuid().ToString("N") + ".wat");
        File.WriteAllText(path, text.ToString());
        return path;
    }

    /// <summary>Runs the tool with redirections of the shell's.</summary>
    private static Process Start(string program, string redirection = "", string options = "")
    {
        var start = new ProcessStartInfo("bash") { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add($"exec dotnet '{typeof(Tool).Assembly.Location}' run {options} '{program}' {redirection}");
        return Process.Start(start)!;
    }

    private static async Task<int> ExitOf(Process process)
    {
        using var late = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        try
        {
            await process.WaitForExitAsync(late.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            throw;
        }
        return process.ExitCode;
    }

    private async Task<int> Run(string code, string redirection)
    {
        using Process process = Start(Program(code), redirection);
        return await ExitOf(process);
    }

    [Theory]
    [InlineData("(call $fd_read (i32.const 0) (i32.const 16) (i32.const 1) (i32.const 8))", "<&-")]
    [InlineData("(call $fd_write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 8))", ">&-")]
    [InlineData("(call $fd_write (i32.const 2) (i32.const 16) (i32.const 1) (i32.const 8))", "2>&-")]
    [InlineData("(call $fd_fdstat_get (i32.const 0) (i32.const 64))", "<&- >&- 2>&-")]
    [InlineData("(call $fd_close (i32.const 1))", "<&- >&-")]
    public async Task AStreamThatTheProcessDoesNotHaveIsABadDescriptor(string call, string redirection)
    {
        if (!OperatingSystem.IsLinux()) return;
        Assert.Equal((int)Errno.Badf, await Run(call, redirection));
    }

    [Fact]
    public async Task NoFileGetsTheNumberOfAStreamThatIsClosed()
    {
        if (!OperatingSystem.IsLinux()) return;
        string code = """
            (i32.add (call $path_open (i32.const 3) (i32.const 0) (i32.const 200) (i32.const 1) (i32.const 1) (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 64))
              (i32.load (i32.const 64)))
            """;
        string program = Program(code).Replace("'", "", StringComparison.Ordinal);
        File.WriteAllText(program, File.ReadAllText(program).Replace("(func (export", "(data (i32.const 200) \"f\") (func (export", StringComparison.Ordinal));
        using Process process = Start(program, "<&- >&-", $"--dir '{folder}::/'");
        Assert.Equal(4, await ExitOf(process));
    }

    [Theory]
    [InlineData("<&-", "(call $fd_write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 8))", 0)]
    [InlineData("</dev/null", "(call $fd_read (i32.const 0) (i32.const 16) (i32.const 1) (i32.const 8))", 0)]
    public async Task TheOthersWork(string redirection, string call, int code)
    {
        if (!OperatingSystem.IsLinux()) return;
        using Process process = Start(Program(call), redirection);
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Assert.Equal(code, await ExitOf(process));
        Assert.Equal(redirection == "<&-" ? 60_000 : 0, (await output).Length);
    }

    [Fact]
    public async Task NothingIsNoTerminal()
    {
        if (!OperatingSystem.IsLinux()) return;
        // What the C library asks: a character device without the right to seek. It is a device all the same.
        const string isTerminal = """
            (i32.and (i32.eq (i32.load8_u (i32.const 64)) (i32.const 2)) (i64.eqz (i64.and (i64.load (i32.const 72)) (i64.const 0x24))))
            """;
        const string ask = "(local.set $e (call $fd_fdstat_get (i32.const 0) (i32.const 64)))";
        Assert.Equal(0, await Run($"(block (result i32) {ask} {isTerminal})", "</dev/null"));
        Assert.Equal(2, await Run($"(block (result i32) {ask} (i32.load8_u (i32.const 64)))", "</dev/null"));
        Assert.Equal(0, await Run("(call $fd_seek (i32.const 0) (i64.const 5) (i32.const 0) (i32.const 64))", "</dev/null"));
    }

    private const string WriteForEver = """
        (block (result i32)
          {0}
          (loop $more (br_if $more (i32.eqz (local.tee $e (call $fd_write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 8))))))
          (local.get $e))
        """;

    [Fact]
    public async Task WhoDoesNotWantToWaitForAFullPipeIsToldSo()
    {
        if (!OperatingSystem.IsLinux()) return;
        string code = WriteForEver.Replace("{0}", "(drop (call $fd_fdstat_set_flags (i32.const 1) (i32.const 4)))", StringComparison.Ordinal);
        // The pipe is not read.
        using Process process = Start(Program(code));
        Assert.Equal((int)Errno.Again, await ExitOf(process));
    }

    [Fact]
    public async Task AWriteToAFullPipeCanBeStopped()
    {
        if (!OperatingSystem.IsLinux()) return;
        using Process process = Start(Program(WriteForEver.Replace("{0}", "", StringComparison.Ordinal)), options: "--timeout 500ms");
        Assert.Equal(124, await ExitOf(process));
    }

    [Fact]
    public void AWriteToAFullStreamCanBeStoppedOrLeft()
    {
        using var pipe = new AnonymousPipeServerStream(PipeDirection.Out);
        using var reader = new AnonymousPipeClientStream(PipeDirection.In, pipe.ClientSafePipeHandle);
        var guest = new WasiGuest(new WasiOptions { Output = pipe, Input = Stream.Null, Error = Stream.Null });
        guest.WriteList(128, (1024, 60_000));
        using (var stop = new CancellationTokenSource(TimeSpan.FromMilliseconds(300)))
            Assert.ThrowsAny<OperationCanceledException>(() => Guest.Run(() => { while (guest.Invoke("fd_write", 1, 128, 1, 64) == Errno.Success) { } }, stop.Token));
        Assert.Equal(Errno.Success, guest.Invoke("fd_fdstat_set_flags", 1, 4));
        // On a busy machine it may have been stopped before the pipe was full.
        Assert.True(Eventually.Holds(() => guest.Invoke("fd_write", 1, 128, 1, 64) == Errno.Again));
        // When it is read there is room again.
        var drain = new Thread(() =>
        {
            var bytes = new byte[1 << 16];
            while (reader.Read(bytes) > 0) { }
        });
        drain.Start();
        Errno error = Errno.Again;
        Eventually.Holds(() => (error = guest.Invoke("fd_write", 1, 128, 1, 64)) != Errno.Again);
        Assert.Equal(Errno.Success, error);
        Assert.True(guest.Memory.Read<int>(64) > 0);
        Eventually.Holds(() => guest.Invoke("fd_write", 1, 128, 1, 64) != Errno.Again);
        pipe.Dispose();
        drain.Join();
    }

    [Fact]
    public void WhatWasWrittenWithoutWaitingIsThereAtTheEnd()
    {
        using var pipe = new AnonymousPipeServerStream(PipeDirection.Out);
        using var reader = new AnonymousPipeClientStream(PipeDirection.In, pipe.ClientSafePipeHandle);
        long read = 0;
        var thread = new Thread(() =>
        {
            var bytes = new byte[1000];
            for (int count; (count = reader.Read(bytes)) > 0;) read += count;
        });
        using (var host = new WasiHost(new WasiOptions { Output = pipe, Input = Stream.Null, Error = Stream.Null }))
        {
            Module module = new Engine().CompileText("""
                (module (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
                  (import "wasi_snapshot_preview1" "fd_fdstat_set_flags" (func $flags (param i32 i32) (result i32)))
                  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
                  (memory (export "memory") 2) (data (i32.const 16) "\00\04\00\00\00\00\01\00")
                  (func (export "_start") (drop (call $flags (i32.const 1) (i32.const 4))) (drop (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 8)))
                    (call $exit (i32.load (i32.const 8)))))
                """);
            thread.Start();
            Assert.Equal(65_536, host.Run(module));
        }
        pipe.Dispose();
        thread.Join();
        Assert.Equal(65_536, read);
    }
}
