using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using WasmJit.Programs;
using Xunit;

namespace WasmJit.Tests.Packages;

/// <summary>
/// Programs that use the packages as native programs, which make no code: the sample Samples/NativeAot does there what it does on CoreCLR, the official suite and our own scripts
/// pass, programs of WASI print what they print natively, guests that compile themselves do. Nothing warns.
/// </summary>
[Collection(PackageCollection.Name)]
public sealed partial class NativeAotTests(PackageFeed packages)
{
    private const string Native = "WasmJit.Tests.Native";

    /// <summary>The programs by name, each published once.</summary>
    private static readonly Dictionary<string, Task<string>> Published = [];

    internal static readonly string? SuiteFolder = Environment.GetEnvironmentVariable("WASM_TESTSUITE") is { Length: > 0 } folder && Directory.Exists(folder) ? folder : null;

    [NativeAotFact]
    public async Task DoesWhatItDoesWithoutCode()
    {
        string program = await Sample(), folder = Path.GetDirectoryName(Path.GetDirectoryName(program))!;
        // As it is it makes no code either, but is run by CoreCLR.
        await Dotnet.Run(folder, "build", "-c", "Release", "-v", "quiet", "-o", Path.Combine(folder, "built"));
        string expected = await Dotnet.Run(folder, Path.Combine(folder, "built", "native.dll"));
        Assert.StartsWith("no code can be made\n", expected, StringComparison.Ordinal);
        Assert.Equal((0, expected, ""), await Dotnet.Start(program, folder));
    }

    /// <summary>All of the official suite and its proposals. Nothing is left out.</summary>
    [NativeAotFact(needsSuite: true)]
    public async Task TheSuitePasses() => Assert.Equal("67119 passed, 0 failed, 0 skipped\n", await Suite(SuiteFolder!));

    [NativeAotFact]
    public async Task OurScriptsPass() => Assert.Matches("^[0-9]{4} passed, 0 failed, 0 skipped\n$", await Suite(Dotnet.InRepository("Tests/Conformance")));

    private async Task<string> Suite(string folder)
    {
        string[] scripts = [.. Directory.GetFiles(folder, "*.wast", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];
        (_, string output, string error) = await Dotnet.Start(await Host(), packages.Root, ["suite", .. scripts]);
        Assert.Equal("", error);
        return output;
    }

    /// <summary>Programs in C and Rust: arguments, streams, files, exit codes.</summary>
    [NativeAotFact]
    public async Task ProgramsPrintWhatTheyPrintNatively()
    {
        string program = await Host();
        foreach (ProgramCase item in ProgramCase.All.Where(c => !c.IsLong))
        {
            string directory = Directory.CreateDirectory(Path.Combine(packages.Root, "run", item.Name)).FullName;
            var start = new ProcessStartInfo("sh", ["-c", "exec \"$0\" \"$@\" < \"$INPUT\"", program, "run", ProgramCase.FileOf(item.Program), .. item.Arguments]) { WorkingDirectory = directory };
            start.Environment["SCRIPTS"] = ProgramCase.Scripts;
            start.Environment["INPUT"] = item.Input is null ? "/dev/null" : Path.Combine(ProgramCase.Scripts, Path.GetFileName(item.Input));
            (int code, string output, string error) = await ChildProcess.Run(start);
            Assert.Equal(item.ReadExpected(), ProgramCase.Transcript(output, error, code));
        }
    }

    /// <summary>Its table, and the same sums by its own interpreter and by the module that it has made.</summary>
    [NativeAotFact]
    public async Task TheGuestThatCompilesItselfDoes()
    {
        (int code, string output, string error) = await Dotnet.Start(await Host(), packages.Root, "run", Dotnet.InRepository("Samples/JitGuest/jitguest.wat"));
        Assert.Equal((0, ""), (code, error));
        Assert.Matches(@"\n +x +f\(x\)\n +0\.00 +-204\.000000\n", output);
        string[] sums = [.. Checksum().Matches(output).Select(match => match.Groups[1].Value)];
        Assert.Equal(2, sums.Length);
        Assert.Equal(sums[0], sums[1]);
    }

    [NativeAotTheory]
    [InlineData("fib", 17, "1597")]
    [InlineData("sieve", 2_000, "303")]
    [InlineData("collatz", 1_000, "871")]
    [InlineData("matrix", 16, "6630731741607340000")]
    [InlineData("mandelbrot", 24, "152")]
    public async Task AGuestMakesFunctions(string name, int argument, string expected)
    {
        (int code, string output, string error) = await Dotnet.Start(
            await Sprig(), packages.Root, Dotnet.InRepository($"Samples/MethodJit/Programs/{name}.sprig"), argument.ToString(System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal((0, expected), (code, output.TrimEnd().Split('\n')[^1]));
        Assert.Matches("^[0-9]+ ms, [1-9][0-9]* functions and loops compiled\n$", error);
    }

    /// <summary>Components are validated, and an instance is refused with the reason.</summary>
    [NativeAotFact]
    public async Task ComponentsSayWhatTheyNeed()
    {
        (int code, string output, string error) = await Dotnet.Start(await Host(), packages.Root, "component", ProgramCase.ComponentOf("words"));
        Assert.Equal((0, ""), (code, error));
        Assert.StartsWith("exports wasi:cli/run@0.2.", output, StringComparison.Ordinal);
        Assert.Contains("\nInstances of components need code that is made at run time, and this process can make none", output, StringComparison.Ordinal);
    }

    [GeneratedRegex(@"checksum (\S+)\n")]
    private static partial Regex Checksum();

    private Task<string> Sample() => Publish("native", ["Samples/NativeAot/Program.cs"], Package("WasmJit.Text"));

    private Task<string> Host() => Publish(Native, ["Tests/Packages/Native/Program.cs"], Package("WasmJit.Text") + Package("WasmJit.Wasi"),
        // It asks for components, which need code: then the compiler warns of .NET's own Reflection.Emit.
        "<IlcTreatWarningsAsErrors>false</IlcTreatWarningsAsErrors>");

    private Task<string> Sprig() => Publish(
        "sprig", [.. Directory.GetFiles(Dotnet.InRepository("Samples/MethodJit"), "*.cs").Select(file => "Samples/MethodJit/" + Path.GetFileName(file))],
        Package("WasmJit.Text") + $"""<EmbeddedResource Include="{Dotnet.InRepository("Samples/MethodJit/machine.wat")}" LogicalName="machine.wat" />""");

    private string Package(string name) => $"""<PackageReference Include="{name}" Version="{packages.Version}" />""";

    /// <summary>Publishes a program, once.</summary>
    /// <returns>Its file.</returns>
    private Task<string> Publish(string name, string[] sources, string items, string properties = "")
    {
        if (!Published.TryGetValue(name, out Task<string>? program)) Published[name] = program = Make();
        return program;

        async Task<string> Make()
        {
            string folder = await packages.ProjectFolder(name, isOnline: true), output = Path.Combine(folder, "out");
            foreach (string source in sources) File.Copy(Dotnet.InRepository(source), Path.Combine(folder, Path.GetFileName(source)));
            await PackageFeed.WriteProject(
                folder, name, $"<PublishAot>true</PublishAot><InvariantGlobalization>true</InvariantGlobalization><RuntimeIdentifier>linux-{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}</RuntimeIdentifier><TrimmerSingleWarn>false</TrimmerSingleWarn>{properties}",
                items);
            await Dotnet.Run(folder, "publish", "-c", "Release", "-v", "quiet", "-o", output);
            return Path.Combine(output, name);
        }
    }
}

/// <summary>A test that publishes a native program, which takes a minute of two processors: only where it is asked for, and a linker is there.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class NativeAotFactAttribute : FactAttribute
{
    private const string Variable = "WASMJIT_NATIVE_AOT";

    public NativeAotFactAttribute(bool needsSuite = false) =>
        Skip = Reason ?? (needsSuite && NativeAotTests.SuiteFolder is null ? "not run: WASM_TESTSUITE does not name the official suite" : null);

    /// <summary>Why such tests are not run; null if they are.</summary>
    internal static string? Reason { get; } =
        !OperatingSystem.IsLinux() ? "not run: it is for Linux"
        : Environment.GetEnvironmentVariable(Variable) != "1" ? $"not run: set {Variable}=1; it publishes a native program"
        : !(Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, "clang"))) ? "not run: PublishAot needs clang"
        : null;
}

/// <summary>The same with data.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class NativeAotTheoryAttribute : TheoryAttribute
{
    public NativeAotTheoryAttribute() => Skip = NativeAotFactAttribute.Reason;
}
