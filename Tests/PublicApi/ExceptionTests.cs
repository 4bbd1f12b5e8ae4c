using Xunit;

namespace WasmJit.Tests.PublicApi;

/// <summary>Exceptions of WebAssembly between guests and the host.</summary>
public sealed class ExceptionTests
{
    private readonly Engine engine = new();

    private Instance Make(string text, Imports? imports = null) => engine.CompileText(text).Instantiate(imports ?? []);

    [Fact]
    public void TheHostCatchesWhatNoGuestDoes()
    {
        Instance instance = Make("""
            (module $m
              (tag $t (export "t") (param i32 i64 f32 f64 externref))
              (func $inner (throw $t (i32.const -1) (i64.const 2) (f32.const 3.5) (f64.const 4.5) (ref.null extern)))
              (func (export "f") (call $inner)))
            """);
        WasmException e = Assert.Throws<WasmException>(instance.GetExport<Action>("f"));
        Assert.Same(instance.GetExport<Tag>("t"), e.Tag);
        Assert.Equal(5, e.Count);
        Assert.Equal([-1, 2L, 3.5f, 4.5, null], e.GetValues());
        Assert.Equal(-1, e.GetValue<int>(0));
        Assert.Equal(4.5, e.GetValue<double>(3));
        Assert.Throws<InvalidCastException>(() => e.GetValue<long>(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => e.GetValue<int>(5));
        Assert.Equal(["m!inner", "m!f"], e.WasmStack.Select(f => f.ToString()));
    }

    [Fact]
    public void TheGuestCatchesWhatTheHostThrows()
    {
        var tag = new Tag(new FuncType([ValType.I32, ValType.I64], []));
        var imports = new Imports { { "host", "t", tag }, { "host", "fail", (Action<int>)(v => throw new WasmException(tag, v, 10L)) } };
        Instance instance = Make("""
            (module
              (import "host" "t" (tag $t (param i32 i64)))
              (import "host" "fail" (func $fail (param i32)))
              (func (export "f") (param i32) (result i32 i64)
                (block $caught (result i32 i64)
                  (try_table (catch $t $caught) (call $fail (local.get 0)))
                  (i32.const 0) (i64.const 0))))
            """, imports);
        Assert.Equal((7, 10L), instance.GetExport<Func<int, (int, long)>>("f")(7));
    }

    [Fact]
    public void ValuesOfAnotherTypeAreRefused()
    {
        var tag = new Tag(new FuncType([ValType.I32], []));
        Assert.Throws<ArgumentException>(() => new WasmException(tag));
        Assert.Throws<ArgumentException>(() => new WasmException(tag, 1L));
        Assert.Throws<ArgumentException>(() => new WasmException(tag, 1, 2));
        Assert.Equal(3, new WasmException(tag, 3).GetValue<int>(0));
    }

    /// <summary>Neither <c>catch_all</c> nor its legacy form takes what is not an exception of WebAssembly.</summary>
    [Fact]
    public void TrapsAndHostErrorsPass()
    {
        var imports = new Imports { { "host", "fail", (Action)(() => throw new TimeoutException("host")) } };
        Instance instance = Make("""
            (module
              (import "host" "fail" (func $fail))
              (memory 1)
              (func (export "trap") (block $all (try_table (catch_all $all) unreachable)))
              (func (export "fault") (block $all (try_table (catch_all $all) (drop (i32.load (i32.const -1))))))
              (func (export "divide") (param i32) (block $all (try_table (catch_all $all) (drop (i32.div_u (i32.const 1) (local.get 0))))))
              (func $deep (export "deep") (block $all (try_table (catch_all $all) (call $deep))) (call $deep))
              (func (export "host") (block $all (try_table (catch_all $all) (call $fail))))
              (func (export "legacy") (try (do (call $fail)) (catch_all))))
            """, imports);
        Assert.Equal(TrapKind.Unreachable, Assert.Throws<TrapException>(instance.GetExport<Action>("trap")).Kind);
        Assert.Equal(TrapKind.OutOfBoundsMemoryAccess, Assert.Throws<TrapException>(instance.GetExport<Action>("fault")).Kind);
        Assert.Equal(TrapKind.IntegerDivideByZero, Assert.Throws<TrapException>(() => instance.GetExport<Action<int>>("divide")(0)).Kind);
        Assert.Equal(TrapKind.CallStackExhausted, Assert.Throws<TrapException>(instance.GetExport<Action>("deep")).Kind);
        Assert.Throws<TimeoutException>(instance.GetExport<Action>("host"));
        Assert.Throws<TimeoutException>(instance.GetExport<Action>("legacy"));
    }

    [Fact]
    public void PassesThroughHostFramesAndInstances()
    {
        var imports = new Imports();
        int unwound = 0;
        Instance thrower = Make("""(module (tag $t (export "t") (param i32)) (func (export "throw") (param i32) (throw $t (local.get 0))))""");
        var inner = thrower.GetExport<Action<int>>("throw");
        imports.Add("a", "t", thrower.GetExport<Tag>("t"));
        imports.Add("a", "call", (Action<int>)(v =>
        {
            try
            {
                inner(v + 1);
            }
            finally
            {
                unwound++;
            }
        }));
        Instance catcher = Make("""
            (module
              (import "a" "t" (tag $t (param i32)))
              (import "a" "call" (func $call (param i32)))
              (tag $own (param i32))
              (func (export "f") (param i32) (result i32)
                (block $own (result i32)
                  (block $mine (result i32)
                    (try_table (result i32) (catch $own $own) (catch $t $mine) (call $call (local.get 0)) (i32.const 0)))
                  (i32.mul (i32.const 10)))))
            """, imports);
        Assert.Equal(60, catcher.GetExport<Func<int, int>>("f")(5));
        Assert.Equal(1, unwound);
    }

    [Fact]
    public void ExnrefIsTheException()
    {
        object? seen = null;
        var imports = new Imports { { "host", "see", (Action<object?>)(e => seen = e) } };
        Instance instance = Make("""
            (module
              (import "host" "see" (func $see (param exnref)))
              (tag $t (param i32))
              (func (export "f")
                (block $caught (result i32 exnref)
                  (try_table (catch_ref $t $caught) (throw $t (i32.const 9)))
                  (return))
                (call $see) (drop))
              (func (export "again") (param exnref) (throw_ref (local.get 0))))
            """, imports);
        instance.GetExport<Action>("f")();
        Assert.Equal(9, Assert.IsType<WasmException>(seen).GetValue<int>(0));
        Assert.Same(seen, Assert.Throws<WasmException>(() => instance.GetExport<Action<object?>>("again")(seen)));
        Assert.Equal(TrapKind.NullExceptionReference,
            Assert.Throws<TrapException>(() => instance.GetExport<Action<object?>>("again")(null)).Kind);
    }
}
