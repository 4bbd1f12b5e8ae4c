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
        if (order.EndsWith("another", StringComparison.Ordinal) && !(OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64)) return;
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true };
        foreach (string argument in new[] { typeof(Program).Assembly.Location, "shared", order }) start.ArgumentList.Add(argument);
        using Process child = Process.Start(start)!;
        string output = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        Assert.Equal("here 50 there 50 null 50", output.Trim());
        Assert.Equal(0, child.ExitCode);
    }
}
