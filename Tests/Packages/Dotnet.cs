using System.Diagnostics;
using System.Reflection;
using System.Runtime.CompilerServices;
using Xunit;

namespace WasmJit.Tests.Packages;

/// <summary>The command <c>dotnet</c>, as a user calls it who has the packages and not this repository.</summary>
internal static class Dotnet
{
    /// <summary>The configuration that the tests were built with, and with them the assemblies to pack.</summary>
    internal static string Configuration { get; } =
        typeof(Dotnet).Assembly.GetCustomAttribute<AssemblyConfigurationAttribute>()!.Configuration;

    /// <summary>A path in the repository.</summary>
    internal static string InRepository(string path) => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Here())!, "..", "..", path));

    private static string Here([CallerFilePath] string path = "") => path;

    /// <summary>Runs it, and fails with what it said if it fails.</summary>
    internal static async Task<string> Run(string folder, params string[] args)
    {
        (int code, string output, string error) = await Start(HostPath(), folder, args);
        Assert.True(code == 0, $"dotnet {string.Join(' ', args)}: {code}\n{output}{error}");
        return output;
    }

    /// <summary>Runs a program to its end.</summary>
    internal static async Task<(int Code, string Output, string Error)> Start(string program, string folder, params string[] args)
    {
        var start = new ProcessStartInfo(program, args) { WorkingDirectory = folder };
        // The tests may run below an SDK of their own choice; and no node of a build is to outlive its build.
        foreach (string name in start.Environment.Keys.Where(k => k.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToArray())
            start.Environment.Remove(name);
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        start.Environment["DOTNET_NOLOGO"] = "1";
        start.Environment["DOTNET_ROOT"] = Path.GetDirectoryName(HostPath());
        return await ChildProcess.Run(start);
    }

    /// <summary>The executable that runs the tests, or what <c>dotnet test</c> says that it is.</summary>
    private static string HostPath() => Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? Environment.ProcessPath!;
}
