using System.Diagnostics;
using WasmJit.Cli;
using Xunit;

namespace WasmJit.Tests;

/// <summary>The tool in processes whose main thread has more stack, or less, than usual.</summary>
public sealed class UnlimitedStackTests
{
    [Theory]
    [InlineData("unlimited", "guard")]
    [InlineData("unlimited", "explicit")]
    [InlineData("256", "guard")]
    [InlineData("200000", "guard")]
    public async Task RunawayRecursionIsATrap(string stack, string checks)
    {
        if (!OperatingSystem.IsLinux()) return;
        string folder = Directory.CreateTempSubdirectory("wasmjit-stack").FullName;
        try
        {
            string file = Path.Combine(folder, "endless.wat");
            await File.WriteAllTextAsync(file, """
                (module (memory 1) (func $f (export "f") (param i32) (result i32) (i32.add (i32.const 1) (call $f (local.get 0)))))
                """);
            // The hard limit of the tests' process may be lower: then there is nothing to test.
            var start = new ProcessStartInfo("sh")
            {
                ArgumentList =
                {
                    "-c", "ulimit -s $0 || exit 0; exec dotnet \"$1\" run --memory-checks $2 \"$3\" --invoke f 1",
                    stack, typeof(Tool).Assembly.Location, checks, file,
                },
            };
            (int code, string output, string error) = await ChildProcess.Run(start);
            if (code == 0 && output == "") return;
            Assert.StartsWith("trap: call stack exhausted\n", error, StringComparison.Ordinal);
            Assert.Equal(Tool.Trapped, code);
            Assert.InRange(error.Length, 1, 1000);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
