using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using WasmJit.Jit.Saved;

namespace WasmJit.Cli;

/// <summary>
/// .NET's own compiler that runs ahead of time (crossgen2, a package of its own): it makes machine code of a saved module's IL. The module's code and the library are
/// compiled as one version bubble, so that methods of the library are inlined: saved modules fit one build of it anyway.
/// </summary>
internal static class AheadCompiler
{
    private const string Executable = "crossgen2";

    private static string System { get; } = OperatingSystem.IsWindows() ? "windows" : OperatingSystem.IsMacOS() ? "osx" : "linux";

    private static string Processor { get; } = RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant();

    private static string Package { get; } = $"Microsoft.NETCore.App.Crossgen2.{(OperatingSystem.IsWindows() ? "win" : System)}-{Processor}";

    /// <summary>Compiles an assembly that was written for this.</summary>
    /// <param name="assembly">The assembly's file.</param>
    /// <param name="folder">Where the compiler is; null for the folder of NuGet's packages.</param>
    /// <returns>The file with machine code.</returns>
    /// <exception cref="ToolException">The compiler is not there, or fails.</exception>
    internal static byte[] Compile(byte[] assembly, string? folder)
    {
        string work = Directory.CreateTempSubdirectory("wasmjit-native").FullName;
        try
        {
            string input = Path.Combine(work, "module.dll"), output = Path.Combine(work, "native.dll");
            File.WriteAllBytes(input, assembly);
            Run(folder, output + ".rsp", [input, "-o:" + output]);
            return Sealed(output);
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }

    /// <summary>Compiles files, each by itself, but in one process. What comes of them takes their places.</summary>
    internal static void CompileAll(string[] files)
    {
        Run(null, files[0] + ".rsp", [.. files, "--single-file-compilation", "--out-near-input"]);
        foreach (string file in files)
        {
            string compiled = Path.ChangeExtension(file, ".ni.dll");
            File.WriteAllBytes(file, Sealed(compiled));
            File.Delete(compiled);
        }
    }

    private static byte[] Sealed(string file)
    {
        byte[] compiled = File.ReadAllBytes(file);
        SavedHeader.Seal(compiled);
        return compiled;
    }

    /// <summary>Runs the compiler. Its arguments are in a file: a command line is not long enough for many.</summary>
    private static void Run(string? folder, string response, string[] arguments)
    {
        string library = typeof(InstanceCore).Assembly.Location;
        if (library.Length == 0) throw new ToolException("--native needs the library's assemblies as files", "use the tool that is installed by \"dotnet tool install\"");
        (string program, string[] first) = Find(folder);
        string[] ours = [library, typeof(SavedHeader).Assembly.Location];
        File.WriteAllLines(response,
        [
            .. arguments, "--targetos:" + System, "--targetarch:" + Processor, "-O", .. InstructionSets(), "--inputbubble",
            .. ours.SelectMany(path => new[] { "--inputbubbleref:" + path, "-r:" + path }), "-r:" + Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "*.dll"),
        ]);
        Run(program, [.. first, "@" + response]);
    }

    /// <summary>Code for this processor. Where it runs .NET looks whether the processor has what was used, and compiles anew if not.</summary>
    private static string[] InstructionSets() =>
        Avx2.X64.IsSupported && Bmi1.X64.IsSupported && Bmi2.X64.IsSupported && Fma.IsSupported && Lzcnt.X64.IsSupported ? ["--instruction-set:x86-64-v3"] : [];

    private static (string Program, string[] First) Find(string? folder)
    {
        // A home that does not exist has a name all the same: without one the packages would be those below the current directory.
        string packages = Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } given
            ? given : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify), ".nuget", "packages");
        string place = folder ?? Path.Combine(packages, Package.ToLowerInvariant(), Environment.Version.ToString(3), "tools");
        string program = Path.Combine(place, OperatingSystem.IsWindows() ? Executable + ".exe" : Executable), assembly = Path.Combine(place, Executable + ".dll");
        if (File.Exists(program)) return (program, []);
        if (File.Exists(assembly)) return (Environment.ProcessPath!, [assembly]);
        throw new ToolException($"--native needs .NET's compiler {Executable}, and {place} does not have it",
            $"it is the package {Package}, version {Environment.Version.ToString(3)}: a project with <PackageDownload Include=\"{Package}\" Version=\"[{Environment.Version.ToString(3)}]\" /> restores it; --crossgen DIR says where it is");
    }

    private static void Run(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start) ?? throw new ToolException($"{program} does not start");
        var said = new List<string>();
        void Note(object sender, DataReceivedEventArgs e)
        {
            lock (said)
                if (e.Data is { Length: > 0 } line) said.Add(line);
        }

        process.OutputDataReceived += Note;
        process.ErrorDataReceived += Note;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        process.WaitForExit();
        if (process.ExitCode != 0) throw new ToolException($"{program} failed with exit code {process.ExitCode}") { Items = [.. said.TakeLast(10)] };
    }
}
