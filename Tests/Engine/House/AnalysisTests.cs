using System.Text.RegularExpressions;
using Xunit;

namespace WasmJit.Tests;

/// <summary>The analyzers look at all that is handed out, and not at some of it.</summary>
public sealed partial class AnalysisTests
{
    [Fact]
    public void RecommendedRulesHoldForAllProducts()
    {
        Match products = ProductNames().Match(File.ReadAllText(Golden.InRepository("Directory.Build.props")));
        Assert.True(products.Success);
        string[] projects = [.. Products.Folders.Select(folder =>
            Path.GetFileNameWithoutExtension(Directory.EnumerateFiles(Golden.InRepository(folder), "*.csproj").Single()))];
        Assert.True(projects.Length > 10);
        Assert.All(projects, project => Assert.Matches(products.Groups[1].Value, project));
    }

    /// <summary>The rules beside the recommended ones. The folder <c>Build</c> has no code.</summary>
    [Fact]
    public void OtherRulesHoldForAllProducts()
    {
        Match folders = FolderNames().Match(File.ReadAllText(Golden.InRepository(".editorconfig")));
        Assert.Equal(Products.Folders.Except(["Build"]).Order(StringComparer.Ordinal), folders.Groups[1].Value.Split(',').Order(StringComparer.Ordinal));
    }

    [GeneratedRegex(@"<IsProduct>.*'(\^WasmJit[^']*)'")]
    private static partial Regex ProductNames();

    [GeneratedRegex(@"^\[\{(Runtime,[^}]*)\}/\*\*\.cs\]", RegexOptions.Multiline)]
    private static partial Regex FolderNames();
}
