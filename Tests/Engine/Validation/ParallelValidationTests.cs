using WasmJit.Jit.Binary;
using WasmJit.Jit.Validation;
using WasmJit.Runtime;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Large modules are validated by several threads, and what these share is done once.</summary>
public sealed class ParallelValidationTests
{
    private static string Function(bool isValid) =>
        $"(func (result i32) {string.Concat(Enumerable.Repeat("(drop (i32.add (i32.const 1) (i32.const 2)))", 40))} ({(isValid ? "i32" : "i64")}.const 3))";

    private static ModuleInfo ModuleWith(params int[] wrong) =>
        ModuleDecoder.Decode(Wat.ToBinary($"(module {string.Concat(Enumerable.Range(0, 2000).Select(i => Function(!wrong.Contains(i))))})"));

    [Fact]
    public void TheFirstErrorIsReported()
    {
        ModuleValidator.Validate(ModuleWith());
        for (int round = 0; round < 5; round++)
        {
            InvalidModuleException error = Assert.Throws<InvalidModuleException>(() => ModuleValidator.Validate(ModuleWith(1999, 1301, 700)));
            Assert.Equal(700, error.FunctionIndex);
        }
    }

    [Fact]
    public void SharedWorkIsDoneOnce()
    {
        int[] done = new int[10_000];
        int next = -1;
        SharedWork.Run(8, () =>
        {
            for (int i; (i = Interlocked.Increment(ref next)) < done.Length;) Interlocked.Increment(ref done[i]);
        });
        Assert.All(done, count => Assert.Equal(1, count));
    }

    /// <summary>Whatever thread meets it, the caller throws it, and no thread is at work any more.</summary>
    [Fact]
    public void ErrorsOfSharedWorkAreThrown()
    {
        int next = -1, working = 0;
        for (int wrong = 0; wrong < 200; wrong++)
        {
            next = -1;
            Assert.Throws<InvalidOperationException>(() => SharedWork.Run(8, () =>
            {
                Interlocked.Increment(ref working);
                try
                {
                    for (int i; (i = Interlocked.Increment(ref next)) < 200;)
                        if (i == wrong) throw new InvalidOperationException();
                }
                finally
                {
                    Interlocked.Decrement(ref working);
                }
            }));
            Assert.Equal(0, working);
        }
    }
}
