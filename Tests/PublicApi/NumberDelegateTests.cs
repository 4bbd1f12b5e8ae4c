using Xunit;

namespace WasmJit.Tests.PublicApi;

/// <summary>Delegates over uint, bool, small integers and enums, for exports and as host functions.</summary>
public sealed class NumberDelegateTests
{
    private enum Colour : byte { Red, Green, Blue }

    private const string Text = """
        (module
          (type $unary (func (param i32) (result i32)))
          (import "env" "next" (func $next (param i32) (result i32)))
          (import "env" "all" (func $all (param i32 i32 i32 i32 i64 f32) (result i64)))
          (func $half (export "half") (param i32) (result i32) (i32.div_u (local.get 0) (i32.const 2)))
          (func (export "odd") (param i32) (result i32) (i32.mul (i32.and (local.get 0) (i32.const 1)) (i32.const 256)))
          (func (export "wide") (param i64) (result i64) (i64.shr_u (local.get 0) (i64.const 1)))
          (func (export "same") (param i32) (result i32) (local.get 0))
          (func (export "next") (param i32) (result i32) (call $next (local.get 0)))
          (func (export "all") (result i64) (call $all (i32.const -1) (i32.const 2) (i32.const 0x1ff) (i32.const 0x18001) (i64.const -1) (f32.const 1.5)))
          (func (export "apply") (param (ref null $unary) i32) (result i32) (call_ref $unary (local.get 1) (local.get 0)))
          (func (export "half_ref") (result (ref $unary)) (ref.func $half)))
        """;

    private delegate ulong All(uint a, bool b, byte c, short d, ulong e, float f);

    private static Instance Make(Delegate next, List<object>? seen = null) => new Engine().CompileText(Text).Instantiate(new Imports
    {
        { "env", "next", next },
        {
            "env", "all", (All)((a, b, c, d, e, f) =>
            {
                seen?.AddRange([a, b, c, d, e, f]);
                return ulong.MaxValue;
            })
        },
    });

    [Fact]
    public void ExportsAreDelegatesOverAnyNumbers()
    {
        Instance instance = Make((Func<int, int>)(value => value));
        Assert.Equal(0x7fffffffu, instance.GetExport<Func<uint, uint>>("half")(uint.MaxValue));
        Assert.True(instance.GetExport<Func<int, bool>>("odd")(3));
        Assert.False(instance.GetExport<Func<uint, bool>>("odd")(2));
        Assert.Equal(0x7fffffffffffffffUL, instance.GetExport<Func<ulong, ulong>>("wide")(ulong.MaxValue));
        Assert.Equal(Colour.Blue, instance.GetExport<Func<Colour, Colour>>("same")(Colour.Blue));
        // What comes out is narrowed, what goes in is what the number is.
        Assert.Equal((sbyte)-2, instance.GetExport<Func<int, sbyte>>("same")(0x1fe));
        Assert.Equal(-2, instance.GetExport<Func<sbyte, int>>("same")(-2));
        Assert.Equal('x', instance.GetExport<Func<int, char>>("same")(0x10078));
        Assert.True(instance.TryGetExport("odd", out Func<bool, bool>? odd));
        Assert.True(odd(true));
        Assert.False(instance.TryGetExport("odd", out Func<ulong, bool>? _));
        Assert.Throws<InvalidCastException>(() => instance.GetExport<Func<uint, ulong>>("half"));
        Assert.Throws<InvalidCastException>(() => instance.GetExport<Action<uint>>("half"));
    }

    [Fact]
    public void HostFunctionsAreDelegatesOverAnyNumbers()
    {
        List<object> seen = [];
        Instance instance = Make((Func<Colour, Colour>)(colour => colour + 1), seen);
        var next = instance.GetExport<Func<int, int>>("next");
        Assert.Equal(2, next(1));
        Assert.Equal(2, next(0x101));
        Assert.Equal(-1L, instance.GetExport<Func<long>>("all")());
        Assert.Equal([uint.MaxValue, true, (byte)0xff, (short)-32767, ulong.MaxValue, 1.5f], seen);
        Assert.Equal(1, Make((Func<uint, bool>)(value => value == 7)).GetExport<Func<int, int>>("next")(7));
        Assert.Throws<LinkException>(() => Make((Func<ulong, bool>)(value => value == 7)));
        Assert.Throws<LinkException>(() => Make((Func<uint, Task<bool>>)(_ => Task.FromResult(true))));
    }

    /// <summary>One that takes its caller gets the instance that calls, of several.</summary>
    [Fact]
    public void CallersAreTold()
    {
        List<Instance> callers = [];
        Func<Caller, uint, bool> next = (caller, _) =>
        {
            callers.Add(caller.Instance);
            return true;
        };
        Instance first = Make(next), second = Make(next);
        Assert.Equal(1, first.GetExport<Func<int, int>>("next")(7));
        Assert.Equal(1, second.GetExport<Func<int, int>>("next")(7));
        Assert.Equal([first, second], callers);
    }

    [Fact]
    public void ReferencesAreDelegatesOverAnyNumbers()
    {
        Instance instance = Make((Func<int, int>)(value => value));
        Assert.Equal(1, instance.GetExport<Func<Delegate, int, int>>("apply")((Func<uint, bool>)(value => value > 5), -1));
        Assert.Equal(uint.MaxValue / 2, instance.As<IReferences>().HalfRef()(uint.MaxValue));
        Assert.Equal(uint.MaxValue / 2, instance.As<IReferences>().Half(uint.MaxValue));
        var half = UntypedFunction.Of((Func<uint, bool>)(value => value > 5));
        Assert.Equal("(func (param i32) (result i32))", half.Type.ToString());
        Assert.Equal(1, half.Invoke(-1)[0].AsInt32());
    }

    public interface IReferences
    {
        Func<uint, uint> HalfRef();

        Func<uint, uint> Half { get; }
    }
}
