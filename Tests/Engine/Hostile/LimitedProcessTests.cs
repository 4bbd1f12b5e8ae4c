using System.Diagnostics;
using WasmJit.Cli;
using Xunit;

namespace WasmJit.Tests.Hostile;

/// <summary>
/// Processes that may not take as much address space, or as deep a stack, as usual: engines with explicit checks work, or a typed
/// exception says what is missing. Child processes, because limits can only be lowered.
/// </summary>
public sealed class LimitedProcessTests
{
    /// <summary>The exit code for limits that cannot be set here.</summary>
    private const int NotTested = 99;

    private static async Task<(int Code, string Output)> Run(string limits, string checks, string file, string function, params string[] arguments)
    {
        string tool = typeof(Tool).Assembly.Location;
        // The limits of the tests' process may be lower than those to be set: then there is nothing to test.
        string command = $"({limits}) 2>/dev/null || exit {NotTested}; {limits}; exec dotnet '{tool}' run --memory-checks {checks} '{(Path.IsPathRooted(file) ? file : Golden.InRepository("Tests/Engine/Hostile/" + file))}' --invoke {function} {string.Join(' ', arguments)}";
        var start = new ProcessStartInfo("bash", ["-c", command]);
        // What .NET and the C library take of the address space for themselves goes with the number of processors.
        start.Environment["DOTNET_PROCESSOR_COUNT"] = "2";
        start.Environment["MALLOC_ARENA_MAX"] = "2";
        (int code, string output, string error) = await ChildProcess.Run(start);
        return (code, output + error);
    }

    /// <summary>A memory of which the type says 4 GiB can be made, and grow by 64 MiB.</summary>
    [Theory]
    [InlineData("ulimit -v 4000000", "guard")]
    [InlineData("ulimit -v 4000000", "explicit")]
    [InlineData("ulimit -v 8000000", "guard")]
    [InlineData("ulimit -v 8000000", "explicit")]
    [InlineData("ulimit -v 20000000", "guard")]
    [InlineData("ulimit -v 20000000", "explicit")]
    [InlineData("ulimit -v 8000000; ulimit -s 256", "explicit")]
    [InlineData("ulimit -v 8000000; ulimit -s 8192", "explicit")]
    [InlineData("ulimit -v 4000000; ulimit -s unlimited", "explicit")]
    [InlineData("ulimit -v 20000000; ulimit -s unlimited", "guard")]
    [InlineData("ulimit -v 2000000; export DOTNET_GCRegionRange=0x8000000", "explicit")]
    [InlineData("ulimit -s 256", "guard")]
    [InlineData("ulimit -s 256", "explicit")]
    public async Task MemoriesWork(string limits, string checks)
    {
        if (!OperatingSystem.IsLinux()) return;
        (int code, string output) = await Run(limits, checks, "limited-address-space.wat", "g", "1000");
        if (code == NotTested) return;
        Assert.Equal((0, "1\n"), (code, output));
        (code, output) = await Run(limits, checks, "limited-address-space.wat", "o", "65536");
        Assert.Equal(Tool.Trapped, code);
        Assert.StartsWith("trap: out of bounds memory access\n", output);
    }

    /// <summary>A heap that is too small for a function's code is the guest's trap, not an end of the process.</summary>
    [Fact]
    public async Task NoMemoryForCodeIsATrap()
    {
        if (!OperatingSystem.IsLinux()) return;
        string folder = Directory.CreateTempSubdirectory("wasmjit-heap").FullName;
        try
        {
            string file = Path.Combine(folder, "large.wasm");
            string steps = string.Concat(Enumerable.Repeat("(local.set 1 (i32.add (local.get 0) (i32.mul (local.get 1) (i32.const 3))))", 400_000));
            await File.WriteAllBytesAsync(file, Wat.ToBinary($"(module (func (export \"f\") (param i32) (result i32) (local i32) {steps} (local.get 1)))"));
            (int code, string output) = await Run("export DOTNET_GCHeapHardLimit=0x1c00000", "guard", file, "f", "3");
            Assert.StartsWith("trap: out of memory", output);
            Assert.Equal(Tool.Trapped, code);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Where .NET itself hardly starts, what is missing is said.</summary>
    [Fact]
    public async Task WhatIsMissingIsSaid()
    {
        if (!OperatingSystem.IsLinux()) return;
        (int code, string output) = await Run("ulimit -v 2000000", "explicit", "limited-address-space.wat", "g", "1");
        if (code == 0) Assert.Equal("1\n", output);
        else Assert.Contains("bytes of address space (ulimit -v)", output);
    }

    [Theory]
    [InlineData("keep32", "guard")]
    [InlineData("keep32", "explicit")]
    [InlineData("keep64", "guard")]
    public async Task ManyMemoriesInLittleAddressSpaceAreATrap(string function, string checks)
    {
        if (!OperatingSystem.IsLinux()) return;
        (int code, string output) = await Run("ulimit -v 6000000", checks, "live-memories.wat", function, "100000");
        Assert.Equal(Tool.Trapped, code);
        Assert.StartsWith("trap: out of memory", output);
        Assert.Contains("ulimit -v", output);
    }

    /// <summary>The kernel's number of mappings is not used up: the runtime would end the process.</summary>
    [Theory]
    [InlineData("many-memories.wat", "f", "guard")]
    [InlineData("many-memories.wat", "f", "explicit")]
    [InlineData("live-memories.wat", "keep32", "explicit")]
    [InlineData("live-memories.wat", "keep32", "guard")]
    [InlineData("live-memories.wat", "keep64", "guard")]
    [InlineData("many-memories.wat", "grown", "explicit")]
    [InlineData("many-memories.wat", "grown", "guard")]
    public async Task MemoriesWithoutEndAreATrap(string file, string function, string checks)
    {
        if (!OperatingSystem.IsLinux()) return;
        // Where the system allows a process many more mappings than usual there is room for all.
        if (long.Parse(await File.ReadAllTextAsync("/proc/sys/vm/max_map_count"), System.Globalization.CultureInfo.InvariantCulture) > 70_000 && (checks, function) != ("guard", "f")) return;
        (int code, string output) = await Run("true", checks, file, function, "70000");
        Assert.Equal(Tool.Trapped, code);
        Assert.StartsWith("trap: out of memory: No address space or memory is left", output);
    }
}
