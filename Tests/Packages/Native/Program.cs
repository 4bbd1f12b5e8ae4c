using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using WasmJit;
using WasmJit.Components;
using WasmJit.Text;
using WasmJit.Wasi;

// What NativeAotTests runs as a native program.
switch (args)
{
    case ["suite", .. var scripts]: return Scripts.Run(scripts);
    case ["run", var file, .. var arguments]: return Programs.Run(file, arguments);
    case ["component", var file]: return Components.Use(file);
    default: throw new ArgumentException("suite SCRIPT..., run FILE ARGUMENT..., component FILE");
}

/// <summary>Scripts of the official suite, with what the tool's command <c>wast</c> prints.</summary>
internal static class Scripts
{
    internal static int Run(IEnumerable<string> paths)
    {
        long passed = 0, failed = 0, skipped = 0;
        foreach (string path in paths)
        {
            WastResult result = WastRunner.Run(path);
            passed += result.Passed;
            failed += result.Failures.Count;
            skipped += result.Skipped;
            foreach (WastFailure failure in result.Failures) Console.WriteLine($"{path}:{failure.Line}: {failure.Reason}");
            foreach ((string what, int count) in result.Uncovered) Console.WriteLine($"{path}: skipped, since no code can be made for {what}: {count}");
        }
        Console.WriteLine($"{passed} passed, {failed} failed, {skipped} skipped");
        return failed == 0 && !RuntimeFeature.IsDynamicCodeSupported ? 0 : 1;
    }
}

/// <summary>Programs of WASI: the process's streams, its directory as ".", and in "scripts" what the variable SCRIPTS names.</summary>
internal static class Programs
{
    internal static int Run(string file, string[] arguments)
    {
        byte[] bytes = File.ReadAllBytes(file);
        Module module = file.EndsWith(".wat", StringComparison.Ordinal) ? new Engine().CompileText(File.ReadAllText(file)) : new Engine().Compile(bytes);
        List<WasiDirectory> directories = [new(Environment.CurrentDirectory, ".")];
        if (Environment.GetEnvironmentVariable("SCRIPTS") is { } scripts) directories.Add(new WasiDirectory(scripts, "scripts", ReadOnly: true));
        using var wasi = new WasiHost(new WasiOptions { Arguments = [Path.GetFileNameWithoutExtension(file), .. arguments], Directories = directories });
        return wasi.Run(module);
    }
}

/// <summary>A component: it is validated, its exports are listed, and what cannot be done with it says so.</summary>
internal static class Components
{
    [UnconditionalSuppressMessage("AOT", "IL3050", Justification = "The exception is what the test is about.")]
    internal static int Use(string file)
    {
        WasmComponent component = new Engine().CompileComponent(File.ReadAllBytes(file));
        Console.WriteLine($"exports {string.Join(' ', component.Exports)}");
        try
        {
            using ComponentInstance instance = component.Instantiate();
            Console.WriteLine("made an instance");
        }
        catch (PlatformNotSupportedException e)
        {
            Console.WriteLine(e.Message);
        }
        return 0;
    }
}
