using System.Diagnostics;
using WasmJit.Cli;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Random numbers for guests, without OpenSSL: .NET ends a process that asks for it where it is not installed.</summary>
public sealed class WasiRandomTests
{
    /// <summary>A process whose libraries the loader of glibc names as it loads them.</summary>
    [LinuxFact]
    public async Task NoLibraryIsLoadedForThem()
    {
        string file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, """
                (module (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
                  (memory (export "memory") 2)
                  (func (export "_start")
                    (if (call $random (i32.const 0) (i32.const 100000)) (then (unreachable)))
                    (if (i64.eqz (i64.load (i32.const 99992))) (then (unreachable)))))
                """);
            var start = new ProcessStartInfo("dotnet", [typeof(Tool).Assembly.Location, "run", file]);
            start.Environment["LD_DEBUG"] = "files";
            (int code, _, string loaded) = await ChildProcess.Run(start);
            Assert.Equal(0, code);
            // musl's loader says nothing.
            if (!loaded.Contains("libcoreclr.so", StringComparison.Ordinal)) return;
            Assert.DoesNotContain("libssl", loaded);
            Assert.DoesNotContain("libSystem.Security.Cryptography", loaded);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
