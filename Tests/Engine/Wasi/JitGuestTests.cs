using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Xunit;

namespace WasmJit.Tests;

/// <summary>The sample that compiles its own code: its table, its two checksums, and its messages.</summary>
public sealed partial class JitGuestTests
{
    private static readonly Lazy<Module> Guest = new(() => Compile(new EngineOptions()));

    /// <summary>Expressions, and what they mean.</summary>
    public static TheoryData<string, Func<double, double>> Expressions => new()
    {
        { "x", x => x },
        { "1.25", _ => 1.25 },
        { "  2 + 3*x - x/4 ", x => 2 + (3 * x) - (x / 4) },
        { "10-4-3", _ => 3 },
        { "64/4/2", _ => 8 },
        { "-x*-x", x => x * x },
        { "--(x-5)", x => x - 5 },
        { "(1+x)*(2-x)", x => (1 + x) * (2 - x) },
        { "x<5", x => x < 5 ? 1 : 0 },
        { "x>5", x => x > 5 ? 1 : 0 },
        { "x<=5", x => x <= 5 ? 1 : 0 },
        { "x>=5", x => x >= 5 ? 1 : 0 },
        { "x==5", x => x == 5 ? 1 : 0 },
        { "x!=5", x => x != 5 ? 1 : 0 },
        { "(x>2)*(x<7)", x => x > 2 && x < 7 ? 1 : 0 },
        { "1/x", x => 1 / x },
        { "-1/x", x => -1 / x },
        { "x/x", x => x / x },
        { "sum(i, 1, 5, i*x)", x => 15 * x },
        { "sum(i, -3, 3, i)", _ => 0 },
        { "sum(i, 2, 2, i)", _ => 2 },
        { "sum(i, 0, 999, 1)", _ => 1000 },
        { "sum(i, 1, 3, sum(j, 1, 4, i*j + x))", x => 60 + (12 * x) },
        { "sum(i, 1, 3, sum(i, 1, 4, i))", _ => 30 },
        { "sum(i, 1, 2, i) + sum(i, 1, 3, i)", _ => 9 },
        { "sum(s, 1, 4, s)", _ => 10 },
    };

    /// <summary>Wrong expressions, where the caret stands, and what the message is about.</summary>
    public static TheoryData<string, int, string> Mistakes => new()
    {
        { "", 0, "a number" },
        { "2 +", 3, "a number" },
        { "2 + * x", 4, "a number" },
        { "(x + 1", 6, ") is expected" },
        { "x + 1)", 5, "no operator" },
        { "x x", 2, "no operator" },
        { "x = 5", 2, "no operator" },
        { "x ! 5", 2, "no operator" },
        { "1 < x < 2", 6, "no operator" },
        { "x + y", 4, "no such name" },
        { "x + xx", 4, "no such name" },
        { "sum(i, 1, 2, i) + i", 18, "no such name" },
        { "sum", 3, "a sum is written" },
        { "sum(x, 1, 2, x)", 4, "a sum is written" },
        { "sum(i 1, 2, i)", 6, "a sum is written" },
        { "sum(i, 1, 2)", 11, "a sum is written" },
        { "sum(i, 1.5, 2, i)", 7, "whole number" },
        { "sum(i, x, 2, i)", 7, "whole number" },
        { "sum(i, 2, 1, i)", 7, "at most 1000 terms" },
        { "sum(i, 0, 1000, i)", 7, "at most 1000 terms" },
        { "sum(i, 1, 2, i", 14, ") is expected" },
        { "2 $ 3", 2, "no operator" },
        { "é", 0, "a number" },
    };

    [Theory]
    [MemberData(nameof(Expressions))]
    public void Tabulates(string expression, Func<double, double> meaning)
    {
        const int Points = 1000;
        (int code, string output, string error) = Run(Guest.Value, expression, $"{Points}");
        Assert.Equal("", error);
        Assert.Equal(0, code);
        string[] lines = output.TrimEnd('\n').Split('\n');
        Assert.Equal(2 + 11 + 3, lines.Length);
        Assert.Matches(Written(), lines[0]);
        Assert.Equal(["x", "f(x)"], lines[1].Split(' ', StringSplitOptions.RemoveEmptyEntries));
        for (int x = 0; x <= 10; x++)
        {
            string[] row = lines[2 + x].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            Assert.Equal([Fixed(x, 2), Fixed(meaning(x), 6)], row);
        }

        double sum = Enumerable.Range(0, Points).Sum(i => meaning(i * (10.0 / Points)));
        Match interpreted = Measured().Match(lines[13]), compiled = Measured().Match(lines[14]);
        Assert.StartsWith("interpreted: ", lines[13], StringComparison.Ordinal);
        Assert.StartsWith("compiled: ", lines[14], StringComparison.Ordinal);
        Assert.Equal($"{Points}", interpreted.Groups["points"].Value);
        Assert.Equal($"{Points}", compiled.Groups["points"].Value);
        Assert.Equal(interpreted.Groups["sum"].Value, compiled.Groups["sum"].Value);
        string printed = compiled.Groups["sum"].Value;
        if (double.IsFinite(sum))
            Assert.Equal(sum, double.Parse(printed, CultureInfo.InvariantCulture), 1e-6 * Math.Max(1, Math.Abs(sum)));
        else
            Assert.Equal(Fixed(sum, 6), printed);
        Assert.Matches(Ratio(), lines[15]);
    }

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void MistakesHaveAPlaceAndAMessage(string expression, int column, string message)
    {
        (int code, string output, string error) = Run(Guest.Value, expression, "1000");
        Assert.Equal("", output);
        Assert.Equal(1, code);
        string[] lines = error.TrimEnd('\n').Split('\n');
        Assert.Equal(3, lines.Length);
        Assert.Equal(expression, lines[0]);
        Assert.Equal(new string(' ', column) + "^", lines[1]);
        Assert.Contains(message, lines[2], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("many")]
    [InlineData("0")]
    [InlineData("-5")]
    [InlineData("")]
    [InlineData("12x")]
    [InlineData("99999999999")]
    public void PointsAreAPositiveNumber(string points)
    {
        (int code, _, string error) = Run(Guest.Value, "x", points);
        Assert.Equal(1, code);
        Assert.Contains("number of points", error, StringComparison.Ordinal);
    }

    /// <summary>Exact results at full size; how fast it was is the guest's own to say, not a test's.</summary>
    [Fact]
    public void WithoutArgumentsTenMillionPointsOfTheDefaultExpression()
    {
        (int code, string output, _) = Run(Guest.Value);
        Assert.Equal(0, code);
        Assert.Matches(Table(), output);
        Assert.Equal(2, Regex.Count(output, " ms for 10000000 points, checksum -1387916675\\.416986\n"));
        Assert.Matches(Ratio(), output.TrimEnd('\n').Split('\n')[^1]);
    }

    /// <summary>The operands that wait at each level reach far into the interpreter's stack.</summary>
    [Theory]
    [InlineData(150)]
    [InlineData(158)]
    [InlineData(159)]
    [InlineData(198)]
    [InlineData(300)]
    public void DeepExpressionsAreRightOrRefused(int depth)
    {
        string deep = "x";
        for (int i = 0; i < depth; i++) deep = $"0<1+1*({deep})";
        (int code, string output, string error) = Run(Guest.Value, $"sum(i,1,3,{deep})", "100");
        if (code == 1)
        {
            Assert.Contains("too deeply nested", error, StringComparison.Ordinal);
            Assert.Equal("", output);
            Assert.True(depth > 150);
            return;
        }
        Assert.Equal(0, code);
        Assert.Equal(2, Regex.Count(output, "checksum 300.000000"));
    }

    [Theory]
    [InlineData("-", "1", 5000, "too deeply nested")]
    [InlineData("(", "1", 5000, "too deeply nested")]
    [InlineData("1+", "1", 3000, "too long")]
    [InlineData("sum(i,1,2,", "1", 17, "too deeply nested")]
    [InlineData("1 + ", "1", 5000, "too long")]
    public void LongExpressionsAreRefused(string part, string end, int count, string message)
    {
        string expression = string.Concat(Enumerable.Repeat(part, count)) + end;
        (int code, string output, string error) = Run(Guest.Value, expression, "10");
        Assert.Equal(1, code);
        Assert.Equal("", output);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    [Fact]
    public void RunsWithExplicitChecksToo()
    {
        Module module = Compile(new EngineOptions { MemoryChecks = MemoryChecks.Explicit });
        (int code, string output, _) = Run(module, "sum(i, 1, 4, x*i)", "1000");
        Assert.Equal(0, code);
        Assert.Contains("100.000000\n", output, StringComparison.Ordinal);
    }

    [Fact]
    public void IsRejectedWhereGuestsMustNotCompile()
    {
        ModuleException error = Assert.ThrowsAny<ModuleException>(() => Compile(new EngineOptions { RuntimeCompile = false }));
        Assert.Contains("compile", error.Message, StringComparison.Ordinal);
    }

    private static Module Compile(EngineOptions options)
    {
        string root = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root, "WasmJit.sln"))) root = Path.GetDirectoryName(root)!;
        return new Engine(options).CompileText(File.ReadAllText(Path.Combine(root, "Samples", "JitGuest", "jitguest.wat")));
    }

    private static (int Code, string Output, string Error) Run(Module module, params string[] arguments)
    {
        using var output = new MemoryStream();
        using var error = new MemoryStream();
        string[] all = ["jitguest", .. arguments];
        var options = new WasiOptions { Arguments = all, Input = Stream.Null, Output = output, Error = error };
        int code = new WasiHost(options).Run(module);
        return (code, Encoding.UTF8.GetString(output.ToArray()), Encoding.UTF8.GetString(error.ToArray()));
    }

    /// <summary>A number as the guest prints it, up to 1e12.</summary>
    private static string Fixed(double value, int decimals) =>
        double.IsNaN(value) ? "nan"
        : double.IsInfinity(value) ? value > 0 ? "inf" : "-inf"
        : value.ToString("F" + decimals, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^written, compiled and linked in \d+ us: \d+ bytes of code$")]
    private static partial Regex Written();

    [GeneratedRegex(@"\d+\.\d\d ms for (?<points>\d+) points, checksum (?<sum>\S+)$")]
    private static partial Regex Measured();

    [GeneratedRegex(@"^ratio: +(\d+\.\d\d|inf)$")]
    private static partial Regex Ratio();

    [GeneratedRegex(@"\n +x +f\(x\)\n +0\.00 +-204\.000000\n")]
    private static partial Regex Table();
}
