using System.Reflection;
using WasmJit.Jit.Calls;
using WasmJit.Runtime;
using Xunit;

namespace WasmJit.Tests.Runtime;

/// <summary>
/// What stands between host and guest has a frame in proportion to what is passed. Its prologue takes the frame before anything can be
/// asked, so one that were larger than a stack's red zone would end the process.
/// </summary>
public sealed class ResultFrameTests
{
    private static string Repeat(string text, int count) => string.Concat(Enumerable.Repeat(text, count));

    private static long FrameOf(MethodInfo method) =>
        Prologue.FrameOf(CodeAddress.Of((System.Reflection.Emit.DynamicMethod)method));

    [Theory]
    [InlineData("i32", 1000)]
    [InlineData("i64", 1000)]
    [InlineData("v128", 300)]
    [InlineData("v128", 1000)]
    [InlineData("funcref", 1000)]
    [InlineData("externref", 1000)]
    [InlineData("eqref", 1000)]
    public void FramesOfEntriesAndAdaptersAreNoLargerThanAFewTimesWhatIsPassed(string type, int results)
    {
        Instance instance = new Engine(Tiers.Compiled).CompileText($"""
            (module (func (export "f") (result {Repeat(type + " ", results)}) unreachable))
            """).Instantiate();
        Signature signature = Signature.Of(instance.GetFunc(0).Type);
        Assert.InRange(FrameOf(instance.GetExport<Delegate>("f").Method), 0, 4L * signature.PassedBytes);
        Assert.InRange(FrameOf(HostAdapter.Make(signature)), 0, 4L * signature.PassedBytes);
    }

    [Theory]
    [InlineData("v128", "(v128.const i64x2 1 2)", 256)]
    [InlineData("i64", "(i64.const 1)", 256)]
    [InlineData("funcref", "(ref.null func)", 256)]
    [InlineData("v128", "(v128.const i64x2 1 2)", 1024)]
    public void RecursionWithAThousandResultsIsExhaustionOfTheStack(string type, string value, int kilobytes)
    {
        foreach (EngineOptions tier in Tiers.Both)
        {
            Instance instance = new Engine(tier).CompileText($"""
                (module
                  (func $deep (export "deep") (result {Repeat(type + " ", 1000)}) (call $deep))
                  (func $mutual (export "mutual") (call $back) {Repeat("drop ", 1000)})
                  (func $back (result {Repeat(type + " ", 1000)}) (call $mutual) {Repeat(value, 1000)}))
                """).Instantiate();
            Delegate deep = instance.GetExport<Delegate>("deep");
            var mutual = instance.GetExport<Action>("mutual");
            IsExhausted(kilobytes, () => deep.DynamicInvoke());
            IsExhausted(kilobytes, mutual);
        }
    }

    [Theory]
    [InlineData(256)]
    [InlineData(1024)]
    public void HostFunctionsWithAThousandResultsFitIntoWhatIsLeftOfAStack(int kilobytes)
    {
        foreach (EngineOptions tier in Tiers.Both)
        {
            Module module = new Engine(tier).CompileText($"""
                (module
                  (import "h" "v" (func $vectors (result {Repeat("v128 ", 1000)})))
                  (import "h" "f" (func $funcs (result {Repeat("funcref ", 1000)})))
                  (func (export "once") (call $vectors) {Repeat("drop ", 1000)} (call $funcs) {Repeat("drop ", 1000)})
                  (func $deep (export "deep")
                    (call $vectors) {Repeat("drop ", 1000)}
                    (call $funcs) {Repeat("drop ", 1000)}
                    (call $deep)
                    (nop)))
                """);
            var imports = new Imports();
            imports.AddUnknown(module, UnknownImports.Default);
            Instance instance = module.Instantiate(imports);
            instance.GetExport<Action>("once")();
            IsExhausted(kilobytes, instance.GetExport<Action>("deep"));
        }
    }

    [Fact]
    public void ResultsKeepTheirValuesAndPlaces()
    {
        foreach (EngineOptions tier in Tiers.Both)
        {
            Instance instance = new Engine(tier).CompileText($"""
                (module
                  (func $a (export "a")) (func $b (export "b"))
                  (func (export "mixed") (result i32 funcref i64 v128 f32 funcref f64 i32 funcref i32 externref i32 i32 i32 funcref i32)
                    (i32.const 1) (ref.func $a) (i64.const 2) (v128.const i64x2 3 4) (f32.const 5) (ref.null func) (f64.const 6) (i32.const 7)
                    (ref.func $b) (i32.const 8) (ref.null extern) (i32.const 9) (i32.const 10) (i32.const 11) (ref.func $a) (i32.const 12)))
                """).Instantiate();
            var tuple = (System.Runtime.CompilerServices.ITuple)instance.GetExport<Delegate>("mixed").DynamicInvoke()!;
            Delegate a = instance.GetExport<Delegate>("a"), b = instance.GetExport<Delegate>("b");
            object?[] expected = [1, a, 2L, System.Runtime.Intrinsics.Vector128.Create(3L, 4L), 5f, null, 6d, 7, b, 8, null, 9, 10, 11, a, 12];
            for (int i = 0; i < expected.Length; i++)
            {
                object? value = tuple[i] is System.Runtime.Intrinsics.Vector128<byte> vector
                    ? System.Runtime.Intrinsics.Vector128.AsInt64(vector) : tuple[i];
                Assert.Equal(expected[i], value);
            }
        }
    }

    private static void IsExhausted(int kilobytes, Action action)
    {
        Exception? error = null;
        var thread = new Thread(() => error = Record.Exception(action), kilobytes << 10);
        thread.Start();
        thread.Join();
        if (error is TargetInvocationException { InnerException: { } inner }) error = inner;
        Assert.Equal(TrapKind.CallStackExhausted, Assert.IsType<TrapException>(error).Kind);
    }
}
