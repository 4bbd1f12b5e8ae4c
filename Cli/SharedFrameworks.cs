using System.Reflection;
using System.Runtime.Loader;

namespace WasmJit.Cli;

/// <summary>
/// ASP.NET, for the one command that needs it: it is found beside the .NET that runs the tool, or in a folder of a tool that has .NET in it. Were it a framework of the tool's, each start
/// would look through it.
/// </summary>
internal static class SharedFrameworks
{
    private const string AspNet = "Microsoft.AspNetCore.App";

    /// <summary>Where a self-contained tool has it (WasmJit.Cli.csproj).</summary>
    private const string OwnFolder = "aspnet";

    private static string? folder;

    /// <summary>Lets its assemblies be found from now on.</summary>
    /// <exception cref="ToolException">It is not installed.</exception>
    internal static void UseAspNet()
    {
        if (folder is not null) return;
        string own = Path.Combine(AppContext.BaseDirectory, OwnFolder);
        folder = (Directory.Exists(own) ? own : Find(Path.GetDirectoryName(typeof(object).Assembly.Location)))
            ?? throw new ToolException("ASP.NET Core is not installed beside the .NET that runs wasmjit", "install the ASP.NET Core runtime, or the SDK, which has it");
        AssemblyLoadContext.Default.Resolving += Load;
    }

    private static Assembly? Load(AssemblyLoadContext context, AssemblyName name)
    {
        string file = Path.Combine(folder!, name.Name + ".dll");
        return File.Exists(file) ? context.LoadFromAssemblyPath(file) : null;
    }

    /// <summary>The newest version of it that fits.</summary>
    /// <param name="runtime">The folder of the runtime, such as shared/Microsoft.NETCore.App/10.0.1; null of a program that is one file.</param>
    /// <returns>Null if there is none.</returns>
    internal static string? Find(string? runtime)
    {
        if (!Version.TryParse(Path.GetFileName(runtime), out Version? own)) return null;
        string versions = Path.GetFullPath(Path.Combine(runtime!, "..", "..", AspNet));
        if (!Directory.Exists(versions)) return null;
        // Each patch of both comes out together; any patch of the same version works with any other.
        return Directory.EnumerateDirectories(versions)
            .Select(path => (Path: path, Version: Version.TryParse(Path.GetFileName(path), out Version? version) ? version : new Version()))
            .Where(v => v.Version.Major == own.Major && v.Version.Minor == own.Minor)
            .OrderBy(v => v.Version != own).ThenByDescending(v => v.Version)
            .Select(v => v.Path).FirstOrDefault();
    }
}
