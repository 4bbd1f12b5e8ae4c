using System.Runtime.InteropServices;
using Xunit;

namespace WasmJit.Tests.Packages;

/// <summary>A program that uses the packages, published in the forms that .NET has: it does the same in each, and nothing warns.</summary>
[Collection(PackageCollection.Name)]
public sealed class DeploymentTests(PackageFeed packages)
{
    /// <summary>What one use of the instance prints; there are three tiers and a saved module.</summary>
    private const string Use = """
        40
        42
        (1, 2)
        <67305985, 16909060, 16909060, 16909060>
        2.5
        3
        6765
        out of bounds memory access in published!trap
        5
        text 1 2 True
        42
        (1, 2, 3, 4, 5, 6, 7, 8, 9)

        """;

    /// <summary>What the generated classes print.</summary>
    private const string Generated = """
        log: plug-in
        plug-in 7 42 2
        2147483647 Point { X = 2, Y = 1 } True
        Size { N = 7 } Large

        """;

    private static string Expected { get; } = ("code is made at run time\n" + Generated + Use + Use + Use + Use + "1\n").ReplaceLineEndings("\n");

    /// <summary>Trimmed without a root, with .NET in it, as one file.</summary>
    [Fact]
    public async Task TrimmedSelfContainedSingleFile()
    {
        string program = await SingleFile();
        Assert.Equal([Path.GetFileName(program)], Directory.GetFiles(Path.GetDirectoryName(program)!).Select(Path.GetFileName).Where(n => Path.GetExtension(n) is not (".pdb" or ".xml")));
        Assert.Equal((0, Expected, ""), await Dotnet.Start(program, packages.Root));
    }

    /// <summary>
    /// In a file system that has the program, the C and C++ libraries, OpenSSL, <c>/tmp</c>, <c>/proc</c> and <c>/dev</c>, and nothing else, as images without a distribution have it: no shell, no
    /// users, no certificates, no time zones. The user has no rights outside.
    /// </summary>
    [NamespaceFact]
    public async Task WithNothingButItsLibraries()
    {
        string program = await SingleFile(), root = Path.Combine(packages.Root, "small-root");
        foreach (string folder in new[] { "app", "tmp", "proc", "dev" }) Directory.CreateDirectory(Path.Combine(root, folder));
        File.Copy(program, Path.Combine(root, "app", "published"));
        await new SmallRoot(root).AddLibraries(program);
        Assert.Equal(
            (0, Expected, ""),
            await Dotnet.Start("unshare", packages.Root, "--map-root-user", "--mount", "sh", "-c", $"mount --rbind /proc '{root}/proc' && mount --rbind /dev '{root}/dev' && exec chroot '{root}' /app/published"));
    }

    private static Task<string>? single;

    /// <summary>The program as one file, published once.</summary>
    private Task<string> SingleFile() => single ??= PublishSingleFile();

    private async Task<string> PublishSingleFile()
    {
        string output = await Publish("trimmed", "<PublishTrimmed>true</PublishTrimmed><PublishSingleFile>true</PublishSingleFile><SelfContained>true</SelfContained>");
        return Path.Combine(output, OperatingSystem.IsWindows() ? "published.exe" : "published");
    }

    /// <summary>With machine code of everything; and the same where no code may be made.</summary>
    [Fact]
    public async Task ReadyToRunAndWithoutCodeMadeAtRunTime()
    {
        string output = await Publish("ready", "<PublishReadyToRun>true</PublishReadyToRun><SelfContained>false</SelfContained>");
        string program = Path.Combine(output, "published.dll");
        Assert.Equal(Expected, await Dotnet.Run(packages.Root, program));
        string config = Path.Combine(output, "published.runtimeconfig.json"), text = await File.ReadAllTextAsync(config);
        const string properties = "\"configProperties\": {";
        Assert.Contains(properties, text, StringComparison.Ordinal);
        await File.WriteAllTextAsync(config, text.Replace(properties, properties + "\"System.Runtime.CompilerServices.RuntimeFeature.IsDynamicCodeSupported\": false,", StringComparison.Ordinal));
        string[] lines = (await Dotnet.Run(packages.Root, program)).Split('\n');
        Assert.Equal(
            ["no code is made at run time", "40", "42", "(1, 2)", "6765", "out of bounds memory access in published!trap", "text 1 2 True", "42", "1 2 3 4 5 6 7 8 9", "5", "<67305985, 16909060, 16909060, 16909060>", "2.5", "3"],
            lines[..^2]);
        Assert.Contains("Publish without PublishAot", lines[^2], StringComparison.Ordinal);
    }

    /// <summary>Publishes the program; what warns is an error.</summary>
    private async Task<string> Publish(string name, string properties)
    {
        string folder = await packages.ProjectFolder(name, isOnline: true), output = Path.Combine(folder, "out");
        foreach (string file in new[] { "Packages/Published/Program.cs", "Packages/Published/shapes.wit", "Generators/Modules/plugin.wasm" })
            File.Copy(Dotnet.InRepository("Tests/" + file), Path.Combine(folder, Path.GetFileName(file)));
        string platform = RuntimeInformation.RuntimeIdentifier.Replace("debian.12", "linux", StringComparison.Ordinal);
        await PackageFeed.WriteProject(
            folder, "published",
            $"<InvariantGlobalization>true</InvariantGlobalization><RuntimeIdentifier>{platform}</RuntimeIdentifier><TrimmerSingleWarn>false</TrimmerSingleWarn>{properties}", $"""
            <PackageReference Include="WasmJit.Text" Version="{packages.Version}" />
            <PackageReference Include="WasmJit.Wasi" Version="{packages.Version}" />
            <PackageReference Include="WasmJit.Generators" Version="{packages.Version}" PrivateAssets="all" />
            <WasmModule Include="plugin.wasm" Namespace="App" />
            <WitFile Include="shapes.wit" Namespace="App" />
            """);
        await Dotnet.Run(folder, "publish", "-c", "Release", "-v", "quiet", "-o", output);
        return output;
    }
}
