using System.Diagnostics;
using System.Text;
using Xunit;

namespace WasmJit.Tests;

/// <summary>What profilers of the system and of .NET call the functions of guests: the names are in what .NET writes for them.</summary>
public sealed class ProfilerNameTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("wasmjit-profiler").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private async Task RunGuest(params (string Name, string Value)[] variables)
    {
        string module = Path.Combine(folder, "app.wat");
        await File.WriteAllTextAsync(module, """
            (module $app
              (func $square (param i32) (result i32) (i32.mul (local.get 0) (local.get 0)))
              (func (export "sum") (param i32) (result i32) (local i32)
                (loop $l
                  (local.set 1 (i32.add (local.get 1) (call $square (local.get 0))))
                  (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
                (local.get 1)))
            """);
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "WasmJit.Cli.dll"), "run", "--tier", "compiler", "--invoke", "sum", module, "3"]);
        foreach ((string name, string value) in variables) start.Environment[name] = value;
        Assert.Equal((0, "14\n", ""), await ChildProcess.Run(start));
    }

    /// <summary><c>perf</c> reads a file with address, length and name of each method.</summary>
    [LinuxFact]
    public async Task PerfFindsFunctionsByTheirNames()
    {
        await RunGuest(("DOTNET_PerfMapEnabled", "1"), ("DOTNET_PerfMapJitDumpPath", folder));
        string map = Assert.Single(Directory.GetFiles(folder, "perf-*.map"));
        string[] lines = await File.ReadAllLinesAsync(map);
        string line = Assert.Single(lines, l => l.Contains("wasm:app!sum", StringComparison.Ordinal));
        string[] parts = line.Split(' ', 3);
        Assert.True(Convert.ToUInt64(parts[0], 16) > 0 && Convert.ToUInt64(parts[1], 16) > 0, line);
        Assert.Contains(" dynamicClass::wasm:app!sum(", parts[2], StringComparison.Ordinal);
    }

    /// <summary><c>dotnet-trace</c> and its like read the events with which .NET tells of each method.</summary>
    [Fact]
    public async Task TracesHaveFunctionsByTheirNames()
    {
        string trace = Path.Combine(folder, "app.nettrace");
        // The keyword of methods that are compiled, with their names.
        await RunGuest(("DOTNET_EnableEventPipe", "1"), ("DOTNET_EventPipeOutputPath", trace), ("DOTNET_EventPipeConfig", "Microsoft-Windows-DotNETRuntime:0x10:5"));
        byte[] bytes = await File.ReadAllBytesAsync(trace);
        Assert.True(bytes.AsSpan().IndexOf(Encoding.Unicode.GetBytes("dynamicClass\0wasm:app!sum\0")) > 0);
    }
}
