using System.Diagnostics;
using System.Runtime.CompilerServices;
using Xunit;

namespace WasmJit.Tests;

/// <summary>
/// The tool as it is built, with its assemblies' machine code: how many methods .NET still compiles before an empty program has ended.
/// Each costs a tenth of a millisecond and more.
/// </summary>
public sealed class StartTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("wasmjit-test").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [ImageFact]
    public async Task AnEmptyProgramCompilesFewMethods()
    {
        string[] methods = await Run("(module (memory (export \"memory\") 1) (func (export \"_start\")))");
        Assert.True(methods.Length <= 23, $"{methods.Length} methods were compiled:\n{string.Join('\n', methods)}");
        // Nothing is made at run time for it.
        Assert.DoesNotContain(methods, m => m.Contains("(dynamicClass):wasm", StringComparison.Ordinal));
    }

    /// <summary>Without options nothing of the parser of command lines is needed.</summary>
    [ImageFact]
    public async Task APlainRunCompilesFewerMethods()
    {
        string[] methods = await Run("(module (memory (export \"memory\") 1) (data (i32.const 8) \"data\") (func (export \"_start\")))", isPlain: true);
        Assert.True(methods.Length <= 12, $"{methods.Length} methods were compiled:\n{string.Join('\n', methods)}");
        Assert.DoesNotContain(methods, m => m.Contains("CommandLine", StringComparison.Ordinal));
    }

    /// <summary>A program that was compiled ahead, with what makes loading work: guards of frames, data, names, random numbers.</summary>
    [ImageFact]
    public async Task AProgramCompiledAheadCompilesFewMethods()
    {
        const string Text = """
            (module
              (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
              (import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
              (import "wasi_snapshot_preview1" "clock_time_get" (func $time (param i32 i64 i32) (result i32)))
              (memory (export "memory") 1) (data (i32.const 8) "data") (data (i32.const 16) "more")
              (table 1 funcref) (elem (i32.const 0) $add)
              (func $add (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
              (func (export "_start")
                (drop (call $add (call $random (i32.const 64) (i32.const 16)) (call $sizes (i32.const 64) (i32.const 68))))
                (drop (call $time (i32.const 1) (i64.const 0) (i32.const 64)))))
            """;
        string source = Path.Combine(folder, "source.wasm"), program = Path.Combine(folder, "program.dll");
        await File.WriteAllBytesAsync(source, Wat.ToBinary(Text));
        Assert.Equal((0, "", ""), await ChildProcess.Run(new ProcessStartInfo(Environment.ProcessPath!, [ImageFactAttribute.Tool, "compile", "--native", source, "-o", program])));
        string[] methods = await Compiled(program);
        Assert.True(methods.Length <= 20, $"{methods.Length} methods were compiled:\n{string.Join('\n', methods)}");
        Assert.DoesNotContain(methods, m => m.Contains("wasm:", StringComparison.Ordinal) || m.Contains("Iced", StringComparison.Ordinal));
    }

    private async Task<string[]> Run(string text, bool isPlain = false)
    {
        string program = Path.Combine(folder, "program.wasm");
        await File.WriteAllBytesAsync(program, Wat.ToBinary(text));
        return await Compiled(program, isPlain);
    }

    private async Task<string[]> Compiled(string program, bool isPlain = false)
    {
        string list = Path.Combine(folder, "methods.txt");
        var start = new ProcessStartInfo(Environment.ProcessPath!, [ImageFactAttribute.Tool, "run", .. isPlain ? [] : new[] { "--tier", "tiered" }, program]);
        start.Environment["DOTNET_JitStdOutFile"] = list;
        start.Environment["DOTNET_JitDisasmSummary"] = "1";
        // On a slow machine methods would become hot before the program has ended, and be compiled once more in the background.
        start.Environment["DOTNET_TC_CallCounting"] = "0";
        Assert.Equal((0, "", ""), await ChildProcess.Run(start));
        return await File.ReadAllLinesAsync(list);
    }
}

/// <summary>A test of the tool with machine code, which builds for release on Linux have.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ImageFactAttribute : FactAttribute
{
    public ImageFactAttribute()
    {
#if DEBUG
        Skip = "not run: debug builds have no machine code";
#else
        if (!OperatingSystem.IsLinux() || System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture != System.Runtime.InteropServices.Architecture.X64) Skip = "not run: machine code is made on Linux for x64";
#endif
    }

    internal static string Tool { get; } = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Here())!, "../../../Cli/bin/Release/net10.0/WasmJit.Cli.dll"));

    private static string Here([CallerFilePath] string path = "") => path;
}
