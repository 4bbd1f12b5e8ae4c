using System.Reflection;
using System.Text.RegularExpressions;
using Xunit;

namespace WasmJit.Tests;

/// <summary>The namespaces of the compiler are its folders, and each uses only those that stand before it.</summary>
public sealed partial class LayerTests
{
    /// <summary>From below: what stands here may use all that stands before it.</summary>
    private static readonly string[] Layers =
        ["Format", "Symbols", "Il", "Operators", "Binary", "Validation", "Calls", "Emit", "Interpreter", "Tiers", "Saved"];

    private const string Prefix = "WasmJit.Jit.";

    private static Assembly Compiler => typeof(Features).Assembly;

    private static int LayerOf(Type type)
    {
        string space = type.Namespace ?? "";
        if (type.Assembly != Compiler || !space.StartsWith(Prefix, StringComparison.Ordinal)) return -1;
        int layer = Array.IndexOf(Layers, space[Prefix.Length..]);
        Assert.True(layer >= 0, $"{type.FullName} is in a namespace without a place among the layers");
        return layer;
    }

    [Fact]
    public void ProjectsHaveOneDirection()
    {
        for (int i = 0; i < Products.Groups.Length; i++)
        {
            string[] allowed = [.. Products.Groups[..i].SelectMany(group => group).Select(a => a.GetName().Name!), "WasmJit.Fuzz"];
            foreach (Assembly project in Products.Groups[i])
            {
                string[] used = [.. project.GetReferencedAssemblies().Select(a => a.Name!).Where(n => n.StartsWith("WasmJit", StringComparison.Ordinal))];
                Assert.True(i == 0 || used.Length > 0);
                Assert.Empty(used.Except(allowed));
            }
        }
    }

    [Fact]
    public void NamespacesHaveOneDirection()
    {
        var wrong = new SortedSet<string>(StringComparer.Ordinal);
        int edges = 0;
        foreach (Type type in Compiler.GetTypes())
        {
            int own = LayerOf(type);
            foreach (Type used in TypeReferences.Of(type))
            {
                int layer = LayerOf(used);
                if (layer >= 0 && layer != own) edges++;
                if (own >= 0 && layer > own) wrong.Add($"{type.FullName} ({Layers[own]}) uses {used.FullName} ({Layers[layer]})");
            }
        }
        Assert.True(edges > 500, "The types that types name are not found any more.");
        Assert.Empty(wrong);
    }

    /// <summary>The public types apart, which are all in <c>WasmJit</c>.</summary>
    [Fact]
    public void FoldersAreNamespaces()
    {
        string root = Golden.InRepository("Jit");
        var wrong = new List<string>();
        int files = 0;
        foreach (string file in SourceFiles.In("Jit"))
        {
            string path = Path.GetRelativePath(root, file);
            files++;
            string space = NamespaceLine().Match(File.ReadAllText(file)).Groups[1].Value;
            // A folder inside of one, such as Emit/RyuJit, belongs to the namespace of the outer one.
            string folder = path.Split(Path.DirectorySeparatorChar)[0];
            if (space != "WasmJit" && space != Prefix + folder) wrong.Add($"{path} is in {space}");
        }
        Assert.True(files > 80);
        Assert.Empty(wrong);
    }

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex NamespaceLine();
}
