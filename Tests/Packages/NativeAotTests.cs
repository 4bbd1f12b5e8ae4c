using System.Runtime.InteropServices;
using Xunit;

namespace WasmJit.Tests.Packages;

/// <summary>The sample Samples/NativeAot, which uses the packages, as a native program: it does there what it does on CoreCLR, and nothing warns.</summary>
[Collection(PackageCollection.Name)]
public sealed class NativeAotTests(PackageFeed packages)
{
    [NativeAotFact]
    public async Task DoesWhatItDoesWithoutCode()
    {
        string folder = await packages.ProjectFolder("native", isOnline: true), output = Path.Combine(folder, "out");
        File.Copy(Dotnet.InRepository("Samples/NativeAot/Program.cs"), Path.Combine(folder, "Program.cs"));
        await PackageFeed.WriteProject(
            folder, "native", $"<PublishAot>true</PublishAot><InvariantGlobalization>true</InvariantGlobalization><RuntimeIdentifier>linux-{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}</RuntimeIdentifier><TrimmerSingleWarn>false</TrimmerSingleWarn>",
            $"""<PackageReference Include="WasmJit.Text" Version="{packages.Version}" />""");
        // As it is it makes no code either, but is run by CoreCLR.
        await Dotnet.Run(folder, "build", "-c", "Release", "-v", "quiet", "-o", Path.Combine(folder, "built"));
        string expected = await Dotnet.Run(folder, Path.Combine(folder, "built", "native.dll"));
        Assert.StartsWith("no code can be made\n", expected, StringComparison.Ordinal);
        await Dotnet.Run(folder, "publish", "-c", "Release", "-v", "quiet", "-o", output);
        Assert.Equal((0, expected, ""), await Dotnet.Start(Path.Combine(output, "native"), folder));
    }
}

/// <summary>A test that publishes a native program, which takes a minute of two processors: only where it is asked for, and a linker is there.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class NativeAotFactAttribute : FactAttribute
{
    private const string Variable = "WASMJIT_NATIVE_AOT";

    public NativeAotFactAttribute()
    {
        if (!OperatingSystem.IsLinux()) Skip = "not run: it is for Linux";
        else if (Environment.GetEnvironmentVariable(Variable) != "1") Skip = $"not run: set {Variable}=1; it publishes a native program";
        else if (!(Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, "clang")))) Skip = "not run: PublishAot needs clang";
    }
}
