using System.Globalization;
using System.Runtime.Intrinsics;
using Xunit;

namespace WasmJit.Tests.PublicApi;

/// <summary>Calls in both directions of functions whose types are known at run time.</summary>
public sealed class UntypedTests
{
    private static readonly Vector128<byte> Vector = Vector128.Create(1L, 2L).AsByte();

    private static Instance Make(string text, Imports? imports = null, EngineOptions? options = null) => new Engine(options).CompileText(text).Instantiate(imports);

    private const string All = "i32 i64 f32 f64 v128 funcref externref";

    private static Value[] Values(Delegate function, object reference) =>
        [-1, 1L << 40, 1.5f, double.NaN, Vector, Value.FromReference(function), Value.FromReference(reference)];

    [Fact]
    public void EveryTypeCrossesBothWays()
    {
        string gets = string.Concat(Enumerable.Range(0, 7).Select(i => $"(local.get {i})"));
        FuncType type = new([ValType.I32, ValType.I64, ValType.F32, ValType.F64, ValType.V128, ValType.FuncRef, ValType.ExternRef],
            [ValType.I32, ValType.I64, ValType.F32, ValType.F64, ValType.V128, ValType.FuncRef, ValType.ExternRef]);
        Value[]? seen = null;
        Instance instance = Make($"""
            (module (import "env" "host" (func $host (param {All}) (result {All})))
              (func (export "f") (param {All}) (result {All}) (call $host {gets}))
              (func (export "seven") (result i32) (i32.const 7)))
            """, new Imports
        {
            {
                "env", "host", type, (caller, arguments, results) =>
                {
                    Assert.NotNull(caller);
                    seen = arguments.ToArray();
                    Assert.All(results.ToArray(), r => Assert.Equal(default, r.Kind == ValKind.I32 ? r : default));
                    arguments.CopyTo(results);
                }
            },
        });
        Value[] arguments = Values(instance.GetExport<Func<int>>("seven"), "text");
        var results = new Value[7];
        instance.Invoke("f", arguments, results);
        Assert.Equal(arguments, results);
        Assert.Equal(arguments, seen);
        Assert.Equal(arguments, instance.GetFunction("f").Invoke(arguments));
        Assert.Equal(7, UntypedFunction.Of((Delegate)results[5].AsReference()!).Invoke()[0].AsInt32());
    }

    /// <summary>Tuples nest behind seven values, and delegate types end at sixteen parameters.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(40)]
    public void AnyNumberOfValues(int count)
    {
        string types = string.Concat(Enumerable.Range(0, count).Select(i => i % 2 == 0 ? "i32 " : "f64 "));
        ValType[] list = [.. Enumerable.Range(0, count).Select(i => i % 2 == 0 ? ValType.I32 : ValType.F64)];
        Value[] values = [.. Enumerable.Range(0, count).Select(i => i % 2 == 0 ? (Value)(i) : (Value)((double)i))];
        Instance instance = Make($"""
            (module (import "env" "host" (func $host (param {types}) (result {types})))
              (func (export "f") (param {types}) (result {types}) (call $host {string.Concat(Enumerable.Range(0, count).Select(i => $"(local.get {i})"))})))
            """, new Imports { { "env", "host", new FuncType([.. list], [.. list]), (_, arguments, results) => arguments.CopyTo(results) } });
        Assert.Equal(values, instance.GetFunction("f").Invoke(values));
    }

    [Fact]
    public void MistakesAreNamed()
    {
        Instance instance = Make("""(module (func (export "f") (param i32 f64) (result i32) (i32.const 1)) (memory (export "m") 1))""");
        UntypedFunction f = instance.GetFunction("f");
        Assert.Equal("(func (param i32 f64) (result i32))", f.Type.ToString());
        Assert.Contains("takes 2 arguments, not 1", Assert.Throws<ArgumentException>(() => f.Invoke(1)).Message, StringComparison.Ordinal);
        Assert.Contains("Argument 1 is i64, not f64", Assert.Throws<ArgumentException>(() => f.Invoke(1, 2L)).Message, StringComparison.Ordinal);
        Assert.Contains("has 1 results, not 0", Assert.Throws<ArgumentException>(() => f.Invoke([1, 2.0], [])).Message, StringComparison.Ordinal);
        Assert.Throws<KeyNotFoundException>(() => instance.GetFunction("g"));
        Assert.Throws<InvalidCastException>(() => instance.GetFunction("m"));
        Assert.Throws<InvalidCastException>(() => ((Value)(1)).AsInt64());
        Assert.Throws<ArgumentException>(() => Value.From(1, ValType.I64));
        Assert.Throws<ArgumentException>(() => Value.From(null, ValType.FuncRef.AsNonNull));
    }

    [Fact]
    public void ReferencesAreChecked()
    {
        Instance instance = Make("""
            (module (type $f (func (param i32) (result i32)))
              (func (export "call") (param (ref $f)) (result i32) (call_ref $f (i32.const 4) (local.get 0)))
              (func (export "i31") (param (ref i31)) (result i32) (i31.get_s (local.get 0))))
            """);
        UntypedFunction call = instance.GetFunction("call");
        var type = new FuncType([ValType.I32], [ValType.I32]);
        Delegate twice = HostFunction.Create(type, (_, arguments, results) => results[0] = arguments[0].AsInt32() * 2);
        Assert.Equal(8, call.Invoke(Value.FromReference(twice))[0].AsInt32());
        Assert.Equal(8, UntypedFunction.Of(twice).Invoke(4)[0].AsInt32());
        Assert.Throws<ArgumentException>(() => call.Invoke(Value.FromReference(null)));
        Assert.Throws<ArgumentException>(() => call.Invoke(Value.FromReference("text")));
        Assert.Throws<ArgumentException>(() => call.Invoke(Value.FromReference((Action)(() => { }))));
        Assert.Throws<ArgumentException>(() => instance.GetFunction("i31").Invoke(Value.FromReference("text")));
    }

    [Fact]
    public void AHostFunctionOfAnotherTypeIsRefused()
    {
        var imports = new Imports { { "env", "f", new FuncType([ValType.I64], []), (_, _, _) => { } } };
        LinkException e = Assert.Throws<LinkException>(() => Make("""(module (import "env" "f" (func (param i32))))""", imports));
        Assert.Contains("(func (param i64))", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AResultOfAnotherKindGoesToTheHost()
    {
        Instance instance = Make("""(module (import "env" "f" (func $f (result i32))) (func (export "run") (result i32) (call $f)))""",
            new Imports { { "env", "f", new FuncType([], [ValType.I32]), (_, _, results) => results[0] = 1L } });
        Assert.Contains("is i64, not i32", Assert.Throws<InvalidCastException>(() => instance.GetFunction("run").Invoke()).Message, StringComparison.Ordinal);
    }

    /// <summary>Each instance is the caller of its own calls, also where one host function calls back into a guest that calls it again.</summary>
    [Fact]
    public void CallersAndNestedCalls()
    {
        var seen = new List<string>();
        var type = new FuncType([ValType.I32], [ValType.I32]);
        Delegate host = HostFunction.Create(type, (caller, arguments, results) =>
        {
            int n = arguments[0].AsInt32();
            seen.Add($"{caller!.Instance.Module.Name}{n}");
            if (n > 0) results[0] = caller.Instance.GetFunction("f").Invoke(n - 1)[0];
            results[0] = results[0].AsInt32() + arguments[0].AsInt32();
        });
        Instance Of(string name) => Make($"""
            (module ${name} (import "env" "host" (func $host (param i32) (result i32))) (func (export "f") (param i32) (result i32) (call $host (local.get 0))))
            """, new Imports { { "env", "host", host } });
        Assert.Equal(3, Of("a").GetFunction("f").Invoke(2)[0].AsInt32());
        Assert.Equal(1, Of("b").GetFunction("f").Invoke(1)[0].AsInt32());
        Assert.Equal(["a2", "a1", "a0", "b1", "b0"], seen);
    }

    [Fact]
    public void LimitsHold()
    {
        using var source = new CancellationTokenSource();
        Instance counted = Make("""
            (module (import "env" "begins" (func $begins))
              (func (export "spin") (loop $l (br $l))) (func (export "beginAndSpin") (call $begins) (loop $l (br $l))))
            """, new Imports { { "env", "begins", (Action)source.Cancel } }, new EngineOptions { CountFuel = true, Interruptible = true });
        counted.Fuel = new Fuel(1000);
        Assert.Equal(TrapKind.OutOfFuel, Assert.Throws<TrapException>(() => counted.GetFunction("spin").Invoke()).Kind);
        counted.Fuel = new Fuel(long.MaxValue);
        Assert.Throws<GuestCanceledException>(() => counted.GetFunction("beginAndSpin").Invoke([], [], source.Token));
        Assert.ThrowsAny<OperationCanceledException>(() => counted.GetFunction("spin").Invoke([], [], new CancellationToken(canceled: true)));
        Instance plain = Make("""(module (func (export "f")))""");
        Assert.Throws<InvalidOperationException>(() => plain.GetFunction("f").Invoke([], [], source.Token));
    }

    [Fact]
    public void ValuesHaveText()
    {
        Assert.Equal("i32 0", default(Value).ToString());
        Assert.Equal("f64 1.5", ((Value)(1.5)).ToString());
        Assert.Equal("ref null", Value.FromReference(null).ToString());
        Assert.Equal((Value)(0), default);
        Assert.NotEqual((Value)(0.0), (Value)(-0.0));
        Assert.Equal((Value)(float.NaN), (Value)(float.NaN));
        Assert.Equal(1L, ((Value)(1L)).ToObject());
        Assert.Equal(Vector.ToString(), string.Create(CultureInfo.InvariantCulture, $"{((Value)(Vector)).AsVector()}"));
    }
}
