using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using WasmJit.Cli;
using Xunit;

namespace WasmJit.Tests;

/// <summary>The claims of Docs/machine-code.md, on processors that have what it is about.</summary>
public sealed class MachineCodeTests
{
    private static readonly Lazy<Dictionary<string, List<string>>> Code = new(Compile);

    /// <summary>In a process of its own: what other tests do with methods that the JIT inlines would count as their profile.</summary>
    private static Dictionary<string, List<string>> Compile()
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true };
        foreach (string arg in new[] { typeof(Tool).Assembly.Location, "disasm", Golden.InRepository("Docs/machine-code.wat"), "--only", "asm" })
            start.ArgumentList.Add(arg);
        using Process process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        var code = new Dictionary<string, List<string>>();
        List<string> lines = [];
        foreach (string line in output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (line.StartsWith("(func $", StringComparison.Ordinal)) code[line[7..line.IndexOf(' ', 7)]] = lines = [];
            else if (!line.StartsWith("machine code", StringComparison.Ordinal)) lines.Add("  " + line);
        }
        return code;
    }

    [Theory]
    [InlineData("load", 4, "mov")]
    [InlineData("add", 5, "vpaddd")]
    [InlineData("reverse", 5, "vpshufb")]
    [InlineData("interleave", 5, "vpunpcklbw")]
    [InlineData("mix", 8, "vpshufb", "vpermt2b")]
    [InlineData("get", 2, "mov")]
    [InlineData("element", 9, "cmp")]
    [InlineData("cast", 16, "cmp")]
    [InlineData("branch", 13, "cmp")]
    [InlineData("reference", 19, "mov")]
    [InlineData("slice", 32, "cmp")]
    [InlineData("atomic", 14, "lock xadd")]
    [InlineData("count", 10, "lock add")]
    public void IsAsTheDocumentSays(string function, int most, params string[] mnemonics)
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64 || !Avx2.IsSupported || !OperatingSystem.IsLinux()) return;
        List<string> lines = Code.Value[function];
        string text = string.Join('\n', lines);
        Assert.True(lines.Count(l => !l.EndsWith(':')) <= most, text);
        // Which of several depends on the processor.
        Assert.Contains(lines, l => mnemonics.Any(m => l.Contains($"  {m} ", StringComparison.Ordinal)));
        // Only ways out that trap call anything, and they stand behind the way that does not.
        int ret = lines.FindLastIndex(l => l.EndsWith("ret", StringComparison.Ordinal));
        Assert.DoesNotContain(lines[..ret], l => l.Contains(" call ", StringComparison.Ordinal));
    }
}
