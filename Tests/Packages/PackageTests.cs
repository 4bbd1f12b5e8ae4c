using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Xml.Linq;
using Xunit;

namespace WasmJit.Tests.Packages;

/// <summary>
/// The packages as others get them: packed into a folder, installed from there, and run. The program is what is in the
/// README files of the libraries.
/// </summary>
[Collection(PackageCollection.Name)]
public sealed class PackageTests(PackageFeed packages)
{
    private const string Using = "using WasmJit;\n";

    private static readonly string[] Libraries = ["WasmJit", "WasmJit.Text", "WasmJit.Wasi"];

    private string Feed => packages.Feed;

    [Fact]
    public async Task InstallAndRun()
    {
        Dictionary<string, XElement> metadata = Directory.GetFiles(Feed, "*.nupkg").Select(Metadata).ToDictionary(m => Value(m, "id"));
        Assert.Equal(
            ["WasmJit", "WasmJit.AspNetCore", "WasmJit.Build", "WasmJit.Components", "WasmJit.Extensions.DependencyInjection", "WasmJit.Generators", "WasmJit.Text", "WasmJit.Tool", "WasmJit.Wasi"],
            metadata.Keys.Order(StringComparer.Ordinal));
        string version = Value(metadata["WasmJit"], "version");
        Assert.All(metadata.Values, p => Assert.Equal((version, "README.md"), (Value(p, "version"), Value(p, "readme"))));
        Assert.All(metadata.Values, p => Assert.NotEqual("", Value(p, "description")));
        // The library depends on Iced alone; the others on the library, on exactly the one that they were built with.
        Assert.Equal(["Iced"], Dependencies(metadata["WasmJit"]).Select(d => d.Id));
        Assert.Equal([("WasmJit", $"[{version}]")], Dependencies(metadata["WasmJit.Components"]));
        Assert.Equal([("WasmJit", $"[{version}]"), ("WasmJit.Components", $"[{version}]")], Dependencies(metadata["WasmJit.Text"]).OrderBy(d => d.Id, StringComparer.Ordinal));
        Assert.Equal([("WasmJit", $"[{version}]"), ("WasmJit.Components", $"[{version}]")], Dependencies(metadata["WasmJit.Wasi"]).OrderBy(d => d.Id, StringComparer.Ordinal));
        Assert.Equal(
            [("WasmJit", $"[{version}]"), ("WasmJit.Components", $"[{version}]"), ("WasmJit.Wasi", $"[{version}]")],
            Dependencies(metadata["WasmJit.AspNetCore"]).OrderBy(d => d.Id, StringComparer.Ordinal));
        Assert.Equal(
            ["Microsoft.Extensions.DependencyInjection.Abstractions", "Microsoft.Extensions.Logging.Abstractions", "Microsoft.Extensions.Options", "WasmJit"],
            Dependencies(metadata["WasmJit.Extensions.DependencyInjection"]).Select(d => d.Id).Order(StringComparer.Ordinal));
        Assert.Equal([("WasmJit", $"[{version}]")], Dependencies(metadata["WasmJit.Build"]));
        Assert.Empty(Dependencies(metadata["WasmJit.Tool"]));
        Assert.Empty(Dependencies(metadata["WasmJit.Generators"]));
        CheckImages();

        await RunLibraries(version);
        await RunTool();
    }

    /// <summary>Packages of a release built on Linux have machine code beside each portable assembly.</summary>
    private void CheckImages()
    {
        if (Dotnet.Configuration != "Release" || !OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64) return;
        // The generators run in the compiler.
        foreach (string package in Directory.GetFiles(Feed, "*.nupkg").Where(p => !Path.GetFileName(p).StartsWith("WasmJit.Generators.", StringComparison.Ordinal)))
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
        string scratch = await packages.ProjectFolder("scratch", isOnline: false), built = Path.Combine(packages.Root, "built");
        await File.WriteAllTextAsync(Path.Combine(scratch, "Program.cs"), Using + string.Concat(samples.Select(s => s.Code)));
        await PackageFeed.WriteProject(
            scratch, "scratch", "<UseAppHost>false</UseAppHost>", string.Concat(Libraries.Select(l => $"<PackageReference Include=\"{l}\" Version=\"{version}\" />")));
        await Dotnet.Run(scratch, "build", "-c", "Release", "-v", "quiet", "-o", built);
        Assert.Equal(string.Concat(samples.Select(s => s.Prints)), await Dotnet.Run(scratch, Path.Combine(built, "scratch.dll")));
    }

    /// <summary>The tool, installed to a folder of its own.</summary>
    private async Task RunTool()
    {
        string root = packages.Root, tools = Path.Combine(root, "tools");
        await InstallAsTheReadmeSays(root);
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

    /// <summary>README.md's file and command: the feed is where it says, and nothing but the tool's folder is ours.</summary>
    private static async Task InstallAsTheReadmeSays(string root)
    {
        string readme = (await File.ReadAllTextAsync(Dotnet.InRepository("README.md"))).ReplaceLineEndings("\n");
        int start = readme.IndexOf("```xml\n", StringComparison.Ordinal) + 7;
        await File.WriteAllTextAsync(Path.Combine(root, "nuget.config"), readme[start..readme.IndexOf("```", start, StringComparison.Ordinal)]);
        string command = readme.Split('\n').Single(l => l.StartsWith("dotnet tool install --global WasmJit.Tool", StringComparison.Ordinal));
        await Dotnet.Run(root, [.. command.Replace("--global", "--tool-path tools", StringComparison.Ordinal).Split(' ')[1..], "--no-cache"]);
        // A new program as it says, too.
        foreach (string line in readme.Split('\n').Where(l => l.StartsWith("dotnet new console", StringComparison.Ordinal) || l.StartsWith("dotnet add ", StringComparison.Ordinal)))
            await Dotnet.Run(root, line.Split(' ')[1..]);
        await File.WriteAllTextAsync(Path.Combine(root, "hello", "Program.cs"), """
            var module = new WasmJit.Engine().Compile([0, (byte)'a', (byte)'s', (byte)'m', 1, 0, 0, 0]);
            Console.WriteLine(module.Instantiate().Exports.Count);
            """);
        Assert.Equal("0\n", await Dotnet.Run(root, "run", "--project", "hello"));
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
