using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Xunit;

namespace WasmJit.Tests;

/// <summary>
/// What users can see, and the rules for it. A change of the public surface is a change of <c>PublicSurface.txt</c>, which a person reads:
/// WASMJIT_UPDATE_GOLDEN=1 writes it anew.
/// </summary>
public sealed partial class PublicSurfaceTests
{
    private static string Golden(string name = "PublicSurface.txt", [CallerFilePath] string here = "") => Path.Combine(Path.GetDirectoryName(here)!, name);

    [Fact]
    public void ThePublicSurfaceIsAsWritten()
    {
        string actual = PublicSurface.Text();
        if (Environment.GetEnvironmentVariable("WASMJIT_UPDATE_GOLDEN") == "1") File.WriteAllText(Golden(), actual);
        Assert.Equal(File.ReadAllText(Golden()), actual);
    }

    /// <summary>
    /// Types that have come or gone since the surface was first written down (<c>PublicSurface.0.1.txt</c>) are named in the changelog, which says why.
    /// </summary>
    [Fact]
    public void TheChangelogNamesTypesThatHaveComeOrGone()
    {
        Dictionary<string, HashSet<string>> before = MembersOf("PublicSurface.0.1.txt"), now = MembersOf("PublicSurface.txt");
        string changelog = File.ReadAllText(Golden("../../CHANGELOG.md"));
        Assert.True(before.Count > 80 && now.Count > 80);
        Assert.Equal([], now.Keys.Except(before.Keys).Where(IsUnnamed));
        Assert.Equal([], before.Keys.Except(now.Keys).Where(IsUnnamed));

        bool IsUnnamed(string type) => !Regex.IsMatch(changelog, $@"\b{type}\b");
    }

    /// <summary>Members that have gone or are others now stand in the table of the changelog, with the reason.</summary>
    [Fact]
    public void TheChangelogGivesReasonsForMembersThatHaveGone()
    {
        Dictionary<string, HashSet<string>> before = MembersOf("PublicSurface.0.1.txt"), now = MembersOf("PublicSurface.txt");
        string changelog = File.ReadAllText(Golden("../../CHANGELOG.md")).ReplaceLineEndings("\n");
        string table = changelog[changelog.IndexOf("\n### Public API, before and after", StringComparison.Ordinal)..changelog.IndexOf("\n### Fixed", StringComparison.Ordinal)];
        int gone = 0;
        var missing = new List<string>();
        foreach ((string type, HashSet<string> members) in before)
        {
            if (!now.TryGetValue(type, out HashSet<string>? left)) continue;
            foreach (string member in members.Except(left))
            {
                gone++;
                string name = MemberName().Match(member).Groups[1].Value;
                if (!Array.Exists(table.Split('\n'), row => Names(row, type) && Names(row, name))) missing.Add($"{type}: {member}");
            }
        }
        Assert.True(gone > 5, $"{gone}");
        Assert.Equal("", string.Join('\n', missing));

        static bool Names(string row, string word) => Regex.IsMatch(row, $@"\b{word}\b");
    }

    private static Dictionary<string, HashSet<string>> MembersOf(string file)
    {
        var members = new Dictionary<string, HashSet<string>>();
        string type = "";
        foreach (string line in File.ReadLines(Golden(file)))
        {
            if (TypeLine().Match(line) is { Success: true } found) members.TryAdd(type = found.Groups[1].Value, []);
            else if (line.StartsWith("    ", StringComparison.Ordinal)) members[type].Add(line.Trim());
        }
        return members;
    }

    /// <summary>The word before parameters, accessors or the value.</summary>
    [GeneratedRegex(@"(\w+)(?:<[^>]*>)?(?:\(| \{| =|$)")]
    private static partial Regex MemberName();

    [GeneratedRegex(@"^(?:static |sealed |abstract |readonly |ref )*(?:class|struct|interface|enum|record|delegate) (\w+)")]
    private static partial Regex TypeLine();

    /// <summary>State is read by properties; constants and the values of enumerations are not state.</summary>
    [Fact]
    public void FieldsAreNotPublic() => Assert.Empty(
        from type in PublicSurface.Types
        where !type.IsEnum
        from field in type.GetFields(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly)
        where !field.IsLiteral
        select $"{type.Name}.{field.Name}");

    /// <summary>What properties hand out cannot be changed behind their back.</summary>
    [Fact]
    public void ListsAreReadOnly() => Assert.Empty(
        from type in PublicSurface.Types
        from property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly)
            // Options are filled by the code that configures.
        where type != typeof(WasmJitOptions) && property.PropertyType is { } given && (given.IsArray || (given.IsGenericType && Changeable.Contains(given.GetGenericTypeDefinition())))
        select $"{type.Name}.{property.Name}");

    private static readonly Type[] Changeable =
        [typeof(List<>), typeof(Dictionary<,>), typeof(HashSet<>), typeof(IList<>), typeof(IDictionary<,>), typeof(ISet<>), typeof(ICollection<>)];

    /// <summary>All but a cancelled guest, and a host that asks an engine to compile which must not, is caught with one base.</summary>
    [Fact]
    public void ExceptionsHaveOneBase() => Assert.Equal(
        ["CompilationNotAllowedException", "GuestCanceledException"],
        PublicSurface.Types.Where(t => t.IsSubclassOf(typeof(Exception)) && !typeof(WasmJitException).IsAssignableFrom(t)).Select(t => t.Name).Order());

    /// <summary>The namespaces that every program has without a using: no type of ours makes a name in them ambiguous.</summary>
    [Fact]
    public void NamesDoNotCollideWithImplicitUsings()
    {
        string[] implicitly = ["System", "System.IO", "System.Linq", "System.Net.Http", "System.Threading", "System.Threading.Tasks", "System.Collections.Generic"];
        _ = typeof(HttpClient).Assembly;
        HashSet<string> taken =
        [
            .. AppDomain.CurrentDomain.GetAssemblies().Where(a => a.GetName().Name!.StartsWith("System.", StringComparison.Ordinal))
                .SelectMany(a => a.GetExportedTypes()).Where(t => implicitly.Contains(t.Namespace)).Select(t => t.Name),
        ];
        Assert.Contains("Memory`1", taken);
        Assert.Equal([], PublicSurface.Types.Select(t => t.Name).Where(taken.Contains));
    }

    /// <summary>Names are in American English, as those of .NET.</summary>
    [Fact]
    public void NamesAreSpelledAlike()
    {
        string[] british = ["Initialis", "Cancelled", "Cancelling", "Canonicalis", "Serialis", "Optimis", "Behaviour", "Licence"];
        Assert.Equal([], PublicSurface.Text().Split('\n').Where(line => british.Any(line.Contains)));
    }
}
