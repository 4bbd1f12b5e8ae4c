using System.Diagnostics;
using Xunit;

namespace WasmJit.Tests.Packages;

/// <summary>A test in another root of the file system: Linux, where users may have namespaces of their own.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class NamespaceFactAttribute : FactAttribute
{
    private static readonly bool HasNamespaces = OperatingSystem.IsLinux() && Works();

    public NamespaceFactAttribute()
    {
        if (!HasNamespaces) Skip = "not run: needs unshare, and namespaces for users";
    }

    private static bool Works()
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo("unshare", ["--map-root-user", "--mount", "true"]) { RedirectStandardError = true })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
