using System.Globalization;
using System.Text;
using WasmJit.Components;
using WasmJit.Tests;
using Xunit;
using Xunit.Abstractions;

namespace WasmJit.Agreement;

/// <summary>
/// Components in text go through this project's reader and through Wasmtime's, and their bytes through both validators. What does not come out
/// the same is in the file component-disagreements.txt with its reason.
/// </summary>
public sealed class ComponentAgreementTests(ITestOutputHelper log)
{
    [ComponentSuiteFact]
    public void WasmtimeReadsAndJudgesTheSame()
    {
        var report = new StringBuilder("Components in text: the official tests and our forms, in this project and in Wasmtime.\n");
        var differences = new List<string>();
        int sameBytes = 0, valid = 0, invalid = 0;
        foreach ((string where, string text) in ComponentTexts.Official().Concat(ComponentTexts.Forms()))
        {
            byte[] bytes = Wat.ToBinary(text);
            byte[]? theirs = Encode(text, out string problem);
            if (theirs is null) differences.Add($"{Reason(problem)}|{where}");
            else if (theirs.AsSpan().SequenceEqual(bytes)) sameBytes++;
            else differences.Add($"{BytesReason(where, text)}|{where}");
            string? mine = Problem(bytes), other = WasmtimeComponents.Problem(bytes);
            if ((mine is null) != (other is null)) differences.Add($"{Reason(other ?? $"Wasmtime accepts: {mine}")}|{where}");
            else if (mine is null) valid++;
            else invalid++;
        }
        report.Append(CultureInfo.InvariantCulture, $"\nWhat agrees:\n{sameBytes,7} texts, byte for byte\n{valid,7} valid\n{invalid,7} invalid\n");
        foreach (IGrouping<string, string> group in differences.GroupBy(d => d.Split('|')[0]).OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            report.Append(CultureInfo.InvariantCulture, $"\n{group.Key} ({group.Count()}):\n");
            foreach (string difference in group) report.Append(difference.Split('|')[1]).Append('\n');
        }
        log.WriteLine(report.ToString());
        Assert.DoesNotContain(NotExplained, report.ToString(), StringComparison.Ordinal);
        Golden.EqualFile(Golden.InRepository("Tests/Agreement/component-disagreements.txt"), report.ToString());
    }

    /// <summary>Texts with changes: what can be read is valid in both or in none. WASMJIT_RANDOM_SEED and WASMJIT_RANDOM_COUNT make longer runs.</summary>
    [ComponentSuiteFact]
    public void WasmtimeJudgesChangedTextsTheSame()
    {
        int seed = Number("WASMJIT_RANDOM_SEED", 1), count = Number("WASMJIT_RANDOM_COUNT", 2000);
        string[][] texts =
            [.. ComponentTexts.Official().Concat(ComponentTexts.Forms()).Where(t => t.Text.Length < 1500).Select(t => ComponentTexts.Tokens(t.Text)).Where(t => t.Length > 5)];
        var random = new Random(seed);
        int valid = 0, invalid = 0;
        var wrong = new List<string>();
        while (valid + invalid < count)
        {
            string text = ComponentTexts.Changed(texts, random);
            byte[] bytes;
            try
            {
                bytes = Wat.ToBinary(text);
            }
            catch (WatException)
            {
                continue;
            }
            string? mine = Problem(bytes), other = WasmtimeComponents.Problem(bytes);
            if (mine is null) valid++;
            else invalid++;
            if ((mine is null) != (other is null) && Reason(other ?? "Wasmtime accepts") == NotExplained) wrong.Add($"{text}\n  here: {mine}\n  there: {other}");
        }
        log.WriteLine($"{valid} valid, {invalid} invalid");
        Assert.True(wrong.Count == 0, string.Join("\n\n", wrong.Take(10)));
        Assert.True(valid > count / 10 && invalid > count / 10, $"{valid} valid, {invalid} invalid");
    }

    private static int Number(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out int number) ? number : otherwise;

    private static byte[]? Encode(string text, out string problem)
    {
        problem = "";
        try
        {
            return Wasmtime.Module.ConvertText(text);
        }
        catch (Wasmtime.WasmtimeException e)
        {
            problem = e.Message.Split('\n')[0];
            return null;
        }
    }

    private static string? Problem(byte[] bytes)
    {
        try
        {
            ComponentValidator.Validate(ComponentDecoder.Decode(bytes));
            return null;
        }
        catch (ModuleException e)
        {
            return e.Message;
        }
    }

    private const string NotExplained = "Not explained";

    /// <summary>Why Wasmtime rejects what is accepted here.</summary>
    private static string Reason(string problem) => problem switch
    {
        _ when Has(problem, "threading feature") => "Wasmtime's library cannot be told to accept the built-ins of threads",
        _ when Has(problem, "fixed-length lists") || Has(problem, "Fixed-length lists") => "Wasmtime's library cannot be told to accept lists of a fixed length",
        _ when Has(problem, "cancellable") => "Wasmtime has no cancellable waits any more, and the tests have",
        _ when Has(problem, "`value`s is not enabled") || Has(problem, "expected valid component field")
            => "Wasmtime has no value definitions, or another form of a definition that the specification has",
        _ when Has(problem, "root-level component imports") || Has(problem, "exporting a component from the root") || Has(problem, "reexport of an imported function")
            || Has(problem, "unsupported type export") => "Wasmtime does not run such components",
        _ when Has(problem, "require the `") || Has(problem, "immediate must be zero") || Has(problem, "error-context") => "a feature that Wasmtime does not enable",
        _ when Has(problem, "resource types are not the same") && Has(problem, "ascribed type") => "Wasmtime has no abstract type as the type of an exported resource",
        _ when Has(problem, "conflicts with previous name `a1`") || Has(problem, "conflicts with previous name `B1`") => "Wasmtime takes a-1 and a1 for one name",
        _ when Has(problem, "malformed section id") || Has(problem, "external kind") || Has(problem, "invalid value type") => "core modules with the runtime-linking extension",
        _ when Has(problem, "unexpected token") || Has(problem, "expected valid module field") || Has(problem, "expected keyword") || Has(problem, "expected `(`") => "a form that Wasmtime's reader does not have",
        _ => NotExplained,
    };

    /// <summary>Why a text has other bytes there.</summary>
    private static string BytesReason(string where, string text) => text switch
    {
        _ when Has(text, "(elem (table") || Has(text, "(elem (i32.const") || Has(text, "(table funcref (elem") || Has(text, "(elem (global.get")
            => "segments of functions of tables other than the first are written otherwise",
        _ when Has(where, "drop-cross-task-borrow") => OuterAliases,
        _ when Has(text, "(core type") || Has(where, "shared-everything-dynamic-linking.wast:4") => "function types that are equal are shared in a module type here",
        _ when Has(text, "(start $f (value") => "names of values are in the name section here",
        _ when Has(text, "canon lift (core func $") => "an inline type of a lift stands before the alias there",
        _ => OuterAliases,
    };

    private const string OuterAliases = "an alias of an outer item is there once for each use";

    private static bool Has(string text, string words) => text.Contains(words, StringComparison.Ordinal);
}
