using WasmJit.Text;
using Xunit;

namespace WasmJit.Tests;

/// <summary>The official tests of the component model.</summary>
public sealed class ComponentSuiteTests
{
    public static TheoryData<string> Files()
    {
        var data = new TheoryData<string>();
        foreach (string file in ComponentSuite.Scripts) data.Add(file);
        if (data.Count == 0) data.Add(ComponentSuite.HowTo);
        return data;
    }

    private static WastScript Read(string file) => WastReader.Read(File.ReadAllBytes(Path.Combine(ComponentSuite.Folder!, file)), file);

    /// <summary>None is left out: so many files, and so many commands in them.</summary>
    [ComponentSuiteFact]
    public void AreAllThere()
    {
        Assert.Equal(63, ComponentSuite.Scripts.Count());
        Assert.Equal(1425, ComponentSuite.Scripts.Sum(file => Read(file).Commands.Count));
    }

    /// <summary>Every component that the text can have is read; those that are malformed as text are rejected by the reader.</summary>
    [ComponentSuiteTheory]
    [MemberData(nameof(Files))]
    public void EveryComponentIsRead(string file)
    {
        foreach (WastCommand command in Read(file).Commands)
        {
            WastModule? module = command is ModuleCommand definition ? definition.Module : (command as AssertFailure)?.Module;
            if (module is null) continue;
            bool isMalformed = command is AssertFailure { Kind: "assert_malformed" } && module.Kind == WastModuleKind.Quote;
            WatException? error = null;
            byte[] bytes = [];
            try
            {
                bytes = module.Encode();
            }
            catch (WatException e)
            {
                error = e;
            }
            Assert.True(isMalformed == error is not null, $"{file}:{command.Line}: {error?.Message ?? "read"}");
            if (error is null && module.Kind == WastModuleKind.Text) Assert.Equal("\0asm\x0d\0\x1\0"u8.ToArray(), bytes[..8]);
        }
    }

    /// <summary>Whole files: no assertion failed, none skipped.</summary>
    [ComponentSuiteTheory]
    [MemberData(nameof(Files))]
    public void Guard(string file) => Run(file, MemoryChecks.Guard);

    [ComponentSuiteTheory]
    [MemberData(nameof(Files))]
    public void Explicit(string file) => Run(file, MemoryChecks.Explicit);

    /// <summary>Each component saved, and run as it is loaded from there.</summary>
    [ComponentSuiteTheory]
    [MemberData(nameof(Files))]
    public void Saved(string file) => Run(file, MemoryChecks.Guard, true);

    private static void Run(string file, MemoryChecks checks, bool saved = false)
    {
        WastResult result = WastRunner.Run(
            Path.Combine(ComponentSuite.Folder!, file), Tiers.Compiled with { MemoryChecks = checks }, saved);
        Assert.Equal(Read(file).Commands.Count, result.Passed + result.Failures.Count + result.Skipped);
        Assert.True(result.Failures.Count == 0 && result.Skipped == 0, $"{result.Skipped} skipped; " + string.Join("\n", result.Failures.Select(f => $"{file}:{f.Line}: {f.Reason}")));
    }
}
