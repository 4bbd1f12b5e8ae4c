using System.Text;
using Xunit;

namespace WasmJit.Tests.Runtime;

/// <summary>Functions whose frames are larger than the red zone: they must not step over it.</summary>
public sealed class HugeFrameTests
{
    internal static string Text(int locals, bool leaf)
    {
        var text = new StringBuilder("(module (memory 1) (func $none (export \"none\")) (func $huge (result i64) (local");
        for (int i = 0; i < locals; i++) text.Append(" i64");
        text.Append(')');
        for (int i = 0; i < locals; i++) text.Append($"(local.set {i} (i64.load offset={i % 1000} (i32.const 0)))");
        if (!leaf) text.Append("(call $none)");
        text.Append("(i64.const 0)");
        for (int i = 0; i < locals; i++) text.Append($"(i64.add (local.get {i}))");
        text.Append("""
            )
              (func $deep (export "deep") (result i64) (i64.add (call $huge) (call $deep)))
              (func (export "once") (result i64) (call $huge)))
            """);
        return text.ToString();
    }

    [Theory]
    [InlineData(2000, true, 512)]
    [InlineData(2000, true, 128)]
    [InlineData(40_000, true, 1024)]
    [InlineData(40_000, false, 1024)]
    [InlineData(40_000, true, 256)]
    public void RecursionThatCallsOneIsExhaustionOfTheStack(int locals, bool leaf, int kilobytes)
    {
        IsExhaustion(new Engine(Tiers.Compiled).CompileText(Text(locals, leaf)).Instantiate(), kilobytes);
    }

    internal static void IsExhaustion(Instance instance, int kilobytes)
    {
        instance.GetExport<Action>("none")();
        Assert.Equal(0, instance.GetExport<Func<long>>("once")());
        Exception? error = null;
        var thread = new Thread(() => error = Record.Exception(() => instance.GetExport<Func<long>>("deep")()), kilobytes << 10);
        thread.Start();
        thread.Join();
        Assert.Equal(TrapKind.CallStackExhausted, Assert.IsType<TrapException>(error).Kind);
    }
}
