using Xunit;

namespace WasmJit.Tests.Packages;

/// <summary>The packages, packed once for all tests into a folder outside of the repository, and what a project needs to get them from there.</summary>
public sealed class PackageFeed : IAsyncLifetime
{
    /// <summary>The folder of everything that the tests write.</summary>
    internal string Root { get; } = Directory.CreateTempSubdirectory("wasmjit-packages").FullName;

    /// <summary>The folder of the packages, where README.md has it.</summary>
    internal string Feed => Path.Combine(Root, "artifacts", "packages");

    /// <summary>The version of all packages.</summary>
    internal string Version => Path.GetFileNameWithoutExtension(Directory.GetFiles(Feed, "WasmJit.Tool.*.nupkg").Single())["WasmJit.Tool.".Length..];

    /// <summary>Where this machine has packages that were downloaded before.</summary>
    internal string Cache { get; private set; } = "";

    public async Task InitializeAsync()
    {
        await Dotnet.Run(Dotnet.InRepository("."), "pack", "WasmJit.sln", "-c", Dotnet.Configuration, "--no-build", "-o", Feed, "-v", "quiet");
        // Nothing of a project around the temporary folder, and nothing for a project around it.
        foreach (string name in new[] { "Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props" })
            await File.WriteAllTextAsync(Path.Combine(Root, name), "<Project />");
        Cache = (await Dotnet.Run(Root, "nuget", "locals", "global-packages", "--list")).Split(": ", 2)[1].Trim();
    }

    public Task DisposeAsync()
    {
        Directory.Delete(Root, recursive: true);
        return Task.CompletedTask;
    }

    /// <summary>Makes a folder for a project: our packages come from the feed alone and are unpacked beside it.</summary>
    /// <param name="name">The folder.</param>
    /// <param name="isOnline">Whether what this machine does not have may be downloaded.</param>
    internal async Task<string> ProjectFolder(string name, bool isOnline)
    {
        string folder = Directory.CreateDirectory(Path.Combine(Root, name)).FullName;
        await File.WriteAllTextAsync(Path.Combine(folder, "nuget.config"), $"""
            <configuration>
              <config><add key="globalPackagesFolder" value="{Path.Combine(Root, "unpacked")}" /></config>
              <fallbackPackageFolders><add key="cache" value="{Cache}" /></fallbackPackageFolders>
              <packageSources>{(isOnline ? "" : "<clear />")}<add key="feed" value="{Feed}" /></packageSources>
            </configuration>
            """);
        return folder;
    }
}

/// <summary>Tests that share the packages.</summary>
[CollectionDefinition(Name)]
public sealed class PackageCollection : ICollectionFixture<PackageFeed>
{
    internal const string Name = "packages";
}
