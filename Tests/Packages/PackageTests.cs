using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Xml.Linq;
using Xunit;

namespace WasmJit.Tests.Packages;

/// <summary>
/// The packages as others get them: packed into a folder, installed from there, and run. The program is what is in the
/// README files of the libraries.
/// </summary>
public sealed class PackageTests : IAsyncLifetime, IDisposable
{
    private const string Using = "using WasmJit;\n";

    private static readonly string[] Libraries = ["WasmJit", "WasmJit.Text", "WasmJit.Wasi"];

    private readonly string root = Directory.CreateTempSubdirectory("wasmjit-packages").FullName;

    private string Feed => Path.Combine(root, "feed");

    private string Scratch => Path.Combine(root, "scratch");

    public async Task InitializeAsync()
    {
        Directory.CreateDirectory(Scratch);
        await Dotnet.Run(Dotnet.InRepository("."), "pack", "WasmJit.sln", "-c", Dotnet.Configuration, "--no-build", "-o", Feed, "-v", "quiet");
        // Nothing of a project around the temporary folder, and nothing for a project around it.
        await File.WriteAllTextAsync(Path.Combine(root, "Directory.Build.props"), "<Project />");
        await File.WriteAllTextAsync(Path.Combine(root, "Directory.Build.targets"), "<Project />");
        await File.WriteAllTextAsync(Path.Combine(root, "Directory.Packages.props"), "<Project />");
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Fact]
    public async Task InstallAndRun()
    {
        Dictionary<string, XElement> packages = Directory.GetFiles(Feed, "*.nupkg").Select(Metadata).ToDictionary(m => Value(m, "id"));
        Assert.Equal(["WasmJit", "WasmJit.Components", "WasmJit.Text", "WasmJit.Tool", "WasmJit.Wasi"], packages.Keys.Order(StringComparer.Ordinal));
        string version = Value(packages["WasmJit"], "version");
        Assert.All(packages.Values, p => Assert.Equal((version, "README.md"), (Value(p, "version"), Value(p, "readme"))));
        Assert.All(packages.Values, p => Assert.NotEqual("", Value(p, "description")));
        // The library depends on Iced alone; the others on the library, on exactly the one that they were built with.
        Assert.Equal(["Iced"], Dependencies(packages["WasmJit"]).Select(d => d.Id));
        Assert.Equal([("WasmJit", $"[{version}]")], Dependencies(packages["WasmJit.Components"]));
        Assert.Equal([("WasmJit", $"[{version}]"), ("WasmJit.Components", $"[{version}]")], Dependencies(packages["WasmJit.Text"]));
        Assert.Equal([("WasmJit", $"[{version}]")], Dependencies(packages["WasmJit.Wasi"]));
        Assert.Empty(Dependencies(packages["WasmJit.Tool"]));
        CheckImages();

        await RunLibraries(version);
        await RunTool();
    }

    /// <summary>Packages of a release built on Linux have machine code beside each portable assembly.</summary>
    private void CheckImages()
    {
        if (Dotnet.Configuration != "Release" || !OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64) return;
        foreach (string package in Directory.GetFiles(Feed, "*.nupkg"))
        {
            using ZipArchive archive = ZipFile.OpenRead(package);
            string[] portable = [.. archive.Entries.Select(e => e.FullName).Where(n => n.EndsWith(".dll", StringComparison.Ordinal) && !n.Contains("linux-x64", StringComparison.Ordinal))];
            Assert.NotEmpty(portable);
            foreach (string name in portable)
            {
                string image = name.StartsWith("tools/", StringComparison.Ordinal)
                    ? name.Replace("/any/", "/linux-x64/", StringComparison.Ordinal) : "runtimes/linux-x64/" + name;
                Assert.True(archive.GetEntry(image)!.Length > archive.GetEntry(name)!.Length, image);
            }
        }
    }

    /// <summary>A project that has nothing but the packages, with the code of their README files.</summary>
    private async Task RunLibraries(string version)
    {
        IEnumerable<(string Code, string Prints)> samples = new[] { "Linking", "Text", "Wasi" }.Select(ReadSample);
        await File.WriteAllTextAsync(Path.Combine(Scratch, "Program.cs"), Using + string.Concat(samples.Select(s => s.Code)));
        await File.WriteAllTextAsync(Path.Combine(Scratch, "scratch.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <Nullable>enable</Nullable>
                <ImplicitUsings>enable</ImplicitUsings>
                <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
                <UseAppHost>false</UseAppHost>
                <NuGetAudit>false</NuGetAudit>
              </PropertyGroup>
              <ItemGroup>
                {string.Concat(Libraries.Select(l => $"<PackageReference Include=\"{l}\" Version=\"{version}\" />"))}
              </ItemGroup>
            </Project>
            """);
        // Ours come from the folder alone and are unpacked beside it; whatever else is needed comes from where this machine has it.
        string cache = (await Dotnet.Run(root, "nuget", "locals", "global-packages", "--list")).Split(": ", 2)[1].Trim();
        await File.WriteAllTextAsync(Path.Combine(Scratch, "nuget.config"), $"""
            <configuration>
              <config><add key="globalPackagesFolder" value="{Path.Combine(root, "unpacked")}" /></config>
              <fallbackPackageFolders><add key="cache" value="{cache}" /></fallbackPackageFolders>
              <packageSources><add key="feed" value="{Feed}" /></packageSources>
            </configuration>
            """);
        await Dotnet.Run(Scratch, "build", "-c", "Release", "-v", "quiet", "-o", Path.Combine(root, "built"));
        Assert.Equal(string.Concat(samples.Select(s => s.Prints)), await Dotnet.Run(Scratch, Path.Combine(root, "built", "scratch.dll")));
    }

    /// <summary>The tool, installed to a folder of its own.</summary>
    private async Task RunTool()
    {
        string config = Path.Combine(root, "tool.config"), tools = Path.Combine(root, "tools");
        await File.WriteAllTextAsync(config, $"""
            <configuration>
              <packageSources><clear /><add key="feed" value="{Feed}" /></packageSources>
            </configuration>
            """);
        await Dotnet.Run(root, "tool", "install", "WasmJit.Tool", "--tool-path", tools, "--configfile", config, "--no-cache");
        string tool = Path.Combine(tools, OperatingSystem.IsWindows() ? "wasmjit.exe" : "wasmjit");
        await File.WriteAllTextAsync(Path.Combine(root, "add.wat"),
            "(module (func (export \"add\") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))");
        Assert.Equal((0, "42\n", ""), await Dotnet.Start(tool, root, "run", "add.wat", "--invoke", "add", "40", "2"));
        (int code, _, string error) = await Dotnet.Start(tool, root, "run", "none.wasm");
        Assert.Equal((1, "error: none.wasm does not exist\n"), (code, error));
        if (OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64 && Dotnet.Configuration == "Release")
            Assert.Contains("linux-x64", Directory.GetFiles(tools, "WasmJit.Jit.dll", SearchOption.AllDirectories).Select(f => Path.GetFileName(Path.GetDirectoryName(f))));
        Assert.StartsWith("Description:", (await Dotnet.Start(tool, root, "--help")).Output, StringComparison.Ordinal);
    }

    /// <summary>The program in a README, as a block of a larger one, and what it says that it prints.</summary>
    private static (string Code, string Prints) ReadSample(string folder)
    {
        string text = File.ReadAllText(Dotnet.InRepository(Path.Combine(folder, "README.md"))).ReplaceLineEndings("\n");
        string code = Block("```csharp\n");
        return ($"{{\n{code.Replace(Using, "", StringComparison.Ordinal)}}}\n", Block("```text\n"));

        string Block(string fence)
        {
            int start = text.IndexOf(fence, StringComparison.Ordinal) + fence.Length;
            Assert.True(start >= fence.Length, $"{folder}/README.md has no {fence}");
            return text[start..text.IndexOf("```", start, StringComparison.Ordinal)];
        }
    }

    private static XElement Metadata(string path)
    {
        using ZipArchive archive = ZipFile.OpenRead(path);
        ZipArchiveEntry nuspec = archive.Entries.Single(e => e.FullName.EndsWith(".nuspec", StringComparison.Ordinal));
        using Stream stream = nuspec.Open();
        XElement metadata = XDocument.Load(stream).Root!.Elements().Single(e => e.Name.LocalName == "metadata");
        Assert.NotNull(archive.GetEntry(Value(metadata, "readme")));
        return metadata;
    }

    private static string Value(XElement metadata, string name) => metadata.Elements().Single(e => e.Name.LocalName == name).Value;

    private static IEnumerable<(string Id, string Version)> Dependencies(XElement metadata) =>
        metadata.Descendants().Where(e => e.Name.LocalName == "dependency")
            .Select(e => (Id: e.Attribute("id")!.Value, Version: e.Attribute("version")!.Value)).OrderBy(d => d.Id, StringComparer.Ordinal);
}
