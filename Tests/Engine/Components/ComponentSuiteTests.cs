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

    /// <summary>The scripts that do not pass yet. What passes must not be here.</summary>
    private static readonly HashSet<string> NotYet =
    [
        "async/async-calls-sync.wast", "async/big-interleaving-test.wast", "async/builtin-trap-poisons-instance.wast", "async/cancel-stream.wast",
        "async/cancel-subtask.wast", "async/cancellable.wast", "async/closed-stream.wast", "async/cross-abi-calls.wast",
        "async/cross-task-future.wast", "async/deadlock.wast", "async/dont-block-start.wast", "async/drop-cross-task-borrow.wast",
        "async/drop-stream.wast", "async/drop-subtask.wast", "async/drop-waitable-set.wast", "async/during-sync-call-may-block-if-other-ready-threads.wast",
        "async/during-sync-call-no-exclusive-resume.wast", "async/during-sync-call-no-sibling-resume.wast", "async/empty-wait.wast",
        "async/futures-must-write.wast", "async/partial-stream-copies.wast", "async/passing-resources.wast",
        "async/same-component-stream-future.wast", "async/sync-barges-in.wast", "async/sync-streams.wast", "async/trap-if-block-and-sync.wast",
        "async/trap-if-done.wast", "async/trap-if-sync-and-waitable-set.wast", "async/trap-if-transfer-in-waitable-set.wast",
        "async/trap-on-reenter.wast", "async/wait-during-callback.wast", "async/zero-length.wast", "binary/binary.wast",
        "linking/link-time-virtualization.wast", "linking/shared-everything-dynamic-linking.wast", "linking/tags.wast", "linking/unit.wast",
        "resources/borrows.wast", "resources/handle-table.wast", "resources/multiple-resources.wast", "validation/abi.wast",
        "validation/annotated-names.wast", "validation/defined-types.wast", "validation/indicies.wast", "validation/instantiation.wast",
        "validation/kebab.wast", "validation/max-value-size.wast", "validation/resources.wast", "values/alignment.wast", "values/concat.wast",
        "values/numerics.wast", "values/post-return.wast", "values/realloc.wast", "values/strings.wast", "values/transcode.wast",
        "values/variants.wast",
    ];

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

    private static void Run(string file, MemoryChecks checks)
    {
        WastResult result = WastRunner.Run(
            Path.Combine(ComponentSuite.Folder!, file), new EngineOptions { Compilation = Compilation.Lazy, MemoryChecks = checks });
        Assert.Equal(Read(file).Commands.Count, result.Passed + result.Failures.Count + result.Skipped);
        if (NotYet.Contains(file)) Assert.False(result.Failures.Count == 0 && result.Skipped == 0, $"{file} passes: strike it off the list");
        else Assert.True(result.Failures.Count == 0 && result.Skipped == 0, $"{result.Skipped} skipped; " + string.Join("\n", result.Failures.Select(f => $"{file}:{f.Line}: {f.Reason}")));
    }
}
