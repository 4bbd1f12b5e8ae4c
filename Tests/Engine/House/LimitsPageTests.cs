using System.Globalization;
using System.Reflection;
using WasmJit.Jit.Format;
using Xunit;

namespace WasmJit.Tests;

/// <summary><c>Docs/limits.md</c> has every limit: those that hosts set, those that modules have, and the options of the tool.</summary>
public sealed class LimitsPageTests
{
    private static readonly string Page = File.ReadAllText(Golden.InRepository("Docs/limits.md"));

    [Fact]
    public void LimitsOfHostsAreThere()
    {
        (string Type, string Name)[] limits =
        [
            .. new[] { typeof(EngineOptions), typeof(ResourceLimits), typeof(LinkingQuota), typeof(WasiOptions) }.SelectMany(type =>
                type.GetProperties().Where(property => property.Name.StartsWith("Maximum", StringComparison.Ordinal)).Select(property => (type.Name, property.Name))),
        ];
        Assert.True(limits.Length > 12);
        Assert.Equal([], limits.Where(limit => !Page.Contains(limit.Name, StringComparison.Ordinal)));
    }

    [Fact]
    public void LimitsOfModulesAreThere()
    {
        string sizes = Page[Page.IndexOf("\n## Sizes", StringComparison.Ordinal)..];
        FieldInfo[] limits = [.. typeof(Limits).GetFields(BindingFlags.Static | BindingFlags.NonPublic).Where(field => field.IsLiteral)];
        Assert.True(limits.Length >= 5);
        Assert.Equal([], limits.Where(limit => !sizes.Contains(((int)limit.GetRawConstantValue()!).ToString("N0", CultureInfo.InvariantCulture), StringComparison.Ordinal)).Select(l => l.Name));
    }

    [Fact]
    public void LimitsOfTheToolAreThere()
    {
        string help = ToolRun.Of("run", "--help").Out;
        string[] options = [.. help.Split([' ', '\n', ','], StringSplitOptions.RemoveEmptyEntries).Where(word => word.StartsWith("--max-", StringComparison.Ordinal)).Distinct()];
        Assert.True(options.Length >= 6, string.Join(' ', options));
        Assert.Equal([], options.Where(option => !Page.Contains($"`{option}`", StringComparison.Ordinal)));
    }
}
