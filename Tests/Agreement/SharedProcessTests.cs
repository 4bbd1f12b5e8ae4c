using System.Diagnostics;
using System.Runtime.InteropServices;
using Xunit;

namespace WasmJit.Agreement;

/// <summary>Faults arrive at the engine that caused them in processes that Wasmtime is in, too. Each order has a process of its own.</summary>
public sealed class SharedProcessTests
{
    [Theory]
    [InlineData("here")]
    [InlineData("there")]
    [InlineData("here-then-another")]
    [InlineData("there-then-another")]
    public void FaultsArriveWhereTheyBelong(string order)
    {
        if (order.EndsWith("another", StringComparison.Ordinal) && !HasHandlers) return;
        Assert.Equal(("here 50 there 50 null 50", 0), Run("shared", order));
    }

    /// <summary>A handler that ends the process: an engine that compares is not touched by it.</summary>
    [Fact]
    public void AHandlerThatCallsNoOtherGetsAllFaults()
    {
        if (HasHandlers) Assert.Equal(("here 50", SharedProcess.Deaf), Run("deaf"));
    }

    /// <summary>Whether the tests have machine code for a handler.</summary>
    private static bool HasHandlers => OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64;

    private static (string Output, int Code) Run(params string[] arguments)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true };
        foreach (string argument in arguments.Prepend(typeof(Program).Assembly.Location)) start.ArgumentList.Add(argument);
        using Process child = Process.Start(start)!;
        string output = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        return (output.Trim(), child.ExitCode);
    }
}
