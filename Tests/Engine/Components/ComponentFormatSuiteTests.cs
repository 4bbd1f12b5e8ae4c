using WasmJit.Components;
using WasmJit.Text;
using Xunit;

namespace WasmJit.Tests;

/// <summary>The official tests of the component model, as far as they are about the format: what is valid, what is not, and why.</summary>
public sealed class ComponentFormatSuiteTests
{
    /// <summary>What the tests say and what is said here for the same, which core modules have in other words.</summary>
    private static readonly (string Expected, string Reason)[] Wordings =
    [
        ("unexpected end-of-file", "unexpected end"),
        ("unexpected end-of-file", "length out of bounds"),
        ("section out of order", "unexpected content after last section"),
        ("type index out of bounds", "unknown type"),
    ];

    public static TheoryData<string> Files() => ComponentSuiteTests.Files();

    [ComponentSuiteTheory]
    [MemberData(nameof(Files))]
    public void EveryComponentIsJudged(string file)
    {
        var wrong = new List<string>();
        foreach (WastCommand command in WastReader.Read(File.ReadAllBytes(Path.Combine(ComponentSuite.Folder!, file)), file).Commands)
        {
            WastModule? module = command is ModuleCommand definition ? definition.Module : (command as AssertFailure)?.Module;
            if (module is null or { IsComponent: false }) continue;
            string? problem = Judge(module, command is AssertFailure { Kind: "assert_invalid" or "assert_malformed" } failure ? failure : null);
            if (problem is not null) wrong.Add($"{file}:{command.Line}: {problem}");
        }
        Assert.True(wrong.Count == 0, string.Join("\n", wrong));
    }

    private static string? Judge(WastModule module, AssertFailure? expected)
    {
        try
        {
            ComponentDefinition component = ComponentDecoder.Decode(module.Encode());
            ComponentValidator.Validate(component);
            return expected is null ? null : $"\"{expected.Message}\" expected, and it is valid";
        }
        catch (WatException e)
        {
            return expected is { Kind: "assert_malformed" } ? null : e.ToString();
        }
        catch (ModuleException e)
        {
            if (expected is null || (expected.Kind == "assert_malformed") != e is MalformedModuleException) return $"{expected?.Message}: {e.GetType().Name} {e.Message}";
            bool isMeant = e.Reason.Contains(expected.Message, StringComparison.Ordinal)
                || Wordings.Any(w => expected.Message.Contains(w.Expected, StringComparison.Ordinal) && e.Reason.Contains(w.Reason, StringComparison.Ordinal));
            return isMeant ? null : $"\"{expected.Message}\" expected, got \"{e.Reason}\"";
        }
    }
}
