using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace WasmJit.Perf;

/// <summary>A kernel on V8, in a process of the command <c>node</c>, as <see cref="Comparison"/> runs it: compiled anew for each round.</summary>
internal static class NodeKernel
{
    private const string Script = """
        const [file, n, sum, rounds, runs] = process.argv.slice(1), bytes = require('fs').readFileSync(file);
        const clock = process.threadCpuUsage ? () => { const { user, system } = process.threadCpuUsage(); return (user + system) / 1e3; } : () => performance.now();
        const times = [];
        for (let round = 0; round < +rounds; round++) {
          const { run } = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports;
          let best = Infinity;
          // The first is not counted, nor is the one in which V8 changes to its better code.
          for (let i = -2; i < +runs; i++) {
            const start = clock(), result = run(+n), time = clock() - start;
            if (BigInt.asUintN(64, result) !== BigInt(sum)) throw new Error('Wrong sum.');
            if (i >= 0) best = Math.min(best, time);
          }
          times.push(best);
        }
        console.log(Math.min(...times), Math.max(...times));
        """;

    /// <summary>The milliseconds of a run; null where there is no node, or it does not run the module.</summary>
    internal static Figure? Measure(Kernel kernel, int rounds, int runs)
    {
        try
        {
            string[] arguments = ["-e", Script, "--", kernel.Path, kernel.N.ToString(CultureInfo.InvariantCulture), $"0x{kernel.Checksum:x}", $"{rounds}", $"{runs}"];
            string[] words = Output(arguments).Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            return words.Length == 2 ? new Figure(double.Parse(words[0], CultureInfo.InvariantCulture), double.Parse(words[1], CultureInfo.InvariantCulture)) : null;
        }
        catch (Win32Exception)
        {
            return null;
        }
    }

    /// <summary>The versions of node and V8; null where there is none.</summary>
    internal static string? Version()
    {
        try
        {
            return Output("-p", "`${process.versions.v8} (node ${process.versions.node})`").Trim() is { Length: > 0 } version ? version : null;
        }
        catch (Win32Exception)
        {
            return null;
        }
    }

    /// <summary>What node prints; nothing if it fails.</summary>
    /// <exception cref="Win32Exception">There is no node.</exception>
    internal static string Output(params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo("node", arguments) { RedirectStandardOutput = true })!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : "";
    }
}
