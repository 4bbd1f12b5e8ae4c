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

    public async Task InitializeAsync()
    {
        await Dotnet.Run(Dotnet.InRepository("."), "pack", "WasmJit.sln", "-c", Dotnet.Configuration, "--no-build", "-o", Feed, "-v", "quiet");
        // Nothing of a project around the temporary folder, and nothing for a project around it.
        foreach (string name in new[] { "Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props" })
            await File.WriteAllTextAsync(Path.Combine(Root, name), "<Project />");
        // Packages are unpacked here. Those of others may come from where this machine has them; ours may be there too, from another build.
        string cache = (await Dotnet.Run(Root, "nuget", "locals", "global-packages", "--list")).Split(": ", 2)[1].Trim();
        Environment.SetEnvironmentVariable("NUGET_PACKAGES", Path.Combine(Root, "unpacked"));
        Environment.SetEnvironmentVariable("NUGET_FALLBACK_PACKAGES", WithoutOurs(cache));
    }

    /// <summary>The folder itself if it has none of our packages; otherwise one with links to all the others.</summary>
    private string WithoutOurs(string cache)
    {
        string[] folders = Directory.Exists(cache) ? Directory.GetDirectories(cache) : [];
        if (!folders.Any(IsOurs)) return cache;
        string links = Directory.CreateDirectory(Path.Combine(Root, "others")).FullName;
        foreach (string folder in folders.Where(f => !IsOurs(f))) Directory.CreateSymbolicLink(Path.Combine(links, Path.GetFileName(folder)), folder);
        return links;

        static bool IsOurs(string folder) => Path.GetFileName(folder).StartsWith("wasmjit", StringComparison.OrdinalIgnoreCase);
    }

    public Task DisposeAsync()
    {
        Directory.Delete(Root, recursive: true);
        return Task.CompletedTask;
    }

    /// <summary>Writes the project of a program. What warns is an error.</summary>
    /// <param name="folder">Where.</param>
    /// <param name="name">Its name, which the program has, too.</param>
    /// <param name="properties">Further properties.</param>
    /// <param name="items">What it refers to.</param>
    internal static Task WriteProject(string folder, string name, string properties, string items) => File.WriteAllTextAsync(Path.Combine(folder, $"{name}.csproj"), $"""
        <Project Sdk="Microsoft.NET.Sdk">
          <PropertyGroup>
            <OutputType>Exe</OutputType>
            <TargetFramework>net10.0</TargetFramework>
            <Nullable>enable</Nullable>
            <ImplicitUsings>enable</ImplicitUsings>
            <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
            <NuGetAudit>false</NuGetAudit>
            {properties}
          </PropertyGroup>
          <ItemGroup>
            {items}
          </ItemGroup>
        </Project>
        """);

    /// <summary>Makes a folder for a project whose packages come from the feed.</summary>
    /// <param name="name">The folder.</param>
    /// <param name="isOnline">Whether what this machine does not have may be downloaded.</param>
    internal async Task<string> ProjectFolder(string name, bool isOnline)
    {
        string folder = Directory.CreateDirectory(Path.Combine(Root, name)).FullName;
        await File.WriteAllTextAsync(Path.Combine(folder, "nuget.config"), $"""
            <configuration>
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
