using Xunit;

namespace WasmJit.Tests.PublicApi;

/// <summary>What the README shows, through the public API alone.</summary>
public sealed class GettingStartedTests
{
    private readonly Engine engine = new();

    [Fact]
    public void CallsAnExport()
    {
        Module module = engine.CompileText("""(module (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))""");
        var add = module.Instantiate().GetExport<Func<int, int, int>>("add");
        Assert.Equal(42, add(40, 2));
    }

    [Fact]
    public void GivesTheSameDelegateEachTime()
    {
        Instance instance = engine.CompileText("""(module (func (export "f")))""").Instantiate();
        Assert.Same(instance.GetExport<Action>("f"), instance.GetExport<Action>("f"));
    }

    [Fact]
    public void TakesHostDelegatesAsTheyAre()
    {
        int seen = 0;
        Module module = engine.CompileText("""
            (module (import "host" "see" (func $see (param i32) (result i64)))
              (func (export "run") (result i64) (call $see (i32.const 7))))
            """);
        var imports = new Imports { { "host", "see", (Func<int, long>)(v => { seen = v; return v * 2L; }) } };
        Assert.Equal(14, module.Instantiate(imports).GetExport<Func<long>>("run")());
        Assert.Equal(7, seen);
    }

    [Fact]
    public void ReturnsSeveralResultsAsTuple()
    {
        Module module = engine.CompileText("""(module (func (export "two") (result i32 f64) (i32.const 1) (f64.const 2.5)))""");
        Assert.Equal((1, 2.5), module.Instantiate().GetExport<Func<(int, double)>>("two")());
    }

    [Fact]
    public void TrapsHaveKindAndStack()
    {
        const string Demo = """
            (module $demo (memory 1)
              (func $inner (param i32) (result i32) (i32.load (local.get 0)))
              (func $outer (export "outer") (param i32) (result i32) (i32.add (i32.const 1) (call $inner (local.get 0)))))
            """;
        Assert.Equal(["demo!inner", "demo!outer"], Stack(new Engine(new EngineOptions { Inlining = false })));
        // The inner function is small and is compiled into the outer one. While they are interpreted it has a line.
        Assert.Equal(["demo!inner", "demo!outer"], Stack(engine));
        Assert.Equal(["demo!outer"], Stack(new Engine(new EngineOptions { Compilation = Compilation.Lazy })));

        static IEnumerable<string> Stack(Engine engine)
        {
            var outer = engine.CompileText(Demo).Instantiate().GetExport<Func<int, int>>("outer");
            Assert.Equal(1, outer(0));
            var trap = Assert.Throws<TrapException>(() => outer(-1));
            Assert.Equal(TrapKind.OutOfBoundsMemoryAccess, trap.Kind);
            return trap.WasmStack.Select(f => f.ToString());
        }
    }

    [Fact]
    public void HostExceptionsArriveAsThemselves()
    {
        Module module = engine.CompileText("""(module (import "host" "fail" (func $f)) (func (export "run") (call $f)))""");
        var thrown = new InvalidOperationException("mine");
        var run = module.Instantiate(new Imports { { "host", "fail", (Action)(() => throw thrown) } }).GetExport<Action>("run");
        Assert.Same(thrown, Assert.Throws<InvalidOperationException>(run));
    }

    [Fact]
    public void GenuineNullReferencesStayThemselves()
    {
        Module module = engine.CompileText("""(module (import "host" "fail" (func $f)) (func (export "run") (call $f)))""");
        string? nothing = null;
        var run = module.Instantiate(new Imports { { "host", "fail", (Action)(() => _ = nothing!.Length) } }).GetExport<Action>("run");
        Assert.Throws<NullReferenceException>(run);
    }

    [Fact]
    public void MemoryIsASpan()
    {
        Instance instance = engine.CompileText("""(module (memory (export "m") 1 3) (data (i32.const 8) "hello"))""").Instantiate();
        var memory = instance.GetExport<Memory>("m");
        Assert.Equal("hello", memory.ReadString(8, 5));
        memory.Write(100, 0x0102030405060708L);
        Assert.Equal(8, memory.Span[100]);
        Assert.Equal(1, memory.Grow(2));
        Assert.Equal(3UL, memory.PageCount);
        Assert.Equal(-1, memory.Grow(1));
        Assert.Throws<ArgumentOutOfRangeException>(() => memory.Read<int>(3 * 65536 - 3));
    }

    [Fact]
    public void MissingImportsAreNamed()
    {
        Module module = engine.CompileText("""(module (import "a" "b" (func)))""");
        Assert.Contains("\"a\" \"b\"", Assert.Throws<LinkException>(() => module.Instantiate()).Message);
    }

    [Fact]
    public void MessagesNameTypesAsCSharpDoes()
    {
        Module module = engine.CompileText("""
            (module (import "a" "b" (func (param i32 externref) (result i64 f64))) (func (export "f") (param i32)) (memory (export "m") 1))
            """);
        LinkException e = Assert.Throws<LinkException>(() => module.Instantiate(new Imports { { "a", "b", (Action<string[]>)(_ => { }) } }));
        Assert.EndsWith("must be Func<int, object, (long, double)>, not Action<string[]>.", e.Message, StringComparison.Ordinal);
        Instance instance = module.Instantiate(new Imports { { "a", "b", (Func<int, object?, (long, double)>)((_, _) => default) } });
        Assert.EndsWith("(func (param i32)): Action<int>.", Assert.Throws<InvalidCastException>(() => instance.GetExport<Action>("f")).Message, StringComparison.Ordinal);
        Assert.EndsWith("is Memory, not Table.", Assert.Throws<InvalidCastException>(() => instance.GetExport<Table>("m")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void RunawayRecursionIsATrapOnAnyThread()
    {
        Module module = engine.CompileText("""(module (func $f (export "f") (param i32) (result i32) (i32.add (i32.const 1) (call $f (local.get 0)))))""");
        var f = module.Instantiate().GetExport<Func<int, int>>("f");
        foreach (int stack in new[] { 256 * 1024, 1 << 20, 16 << 20 })
        {
            TrapKind? kind = null;
            var thread = new Thread(() => kind = Assert.Throws<TrapException>(() => f(0)).Kind, stack);
            thread.Start();
            thread.Join();
            Assert.Equal(TrapKind.CallStackExhausted, kind);
        }
    }

    [Fact]
    public void AGuestCompilesItsOwnCode()
    {
        Module module = engine.CompileText("""
            (module
              (type $f (func (param i32) (result i32)))
              (type $M (module (export "f" (func (type $f)))))
              (type $I (instance (export "f" (func (type $f)))))
              (memory 1)
              (data (i32.const 0) (module (func (export "f") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 3)))))
              (func (export "run") (param i32 i32) (result i32)
                (call_ref $f (local.get 0)
                  (get_export $I "f" (instantiate $M (compile $M (i32.const 0) (local.get 1)))))))
            """);
        int length = Wat.ToBinary("""(module (func (export "f") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 3))))""").Length;
        var run = module.Instantiate().GetExport<Func<int, int, int>>("run");
        Assert.Equal(42, run(14, length));
        Assert.Equal(TrapKind.MalformedModule, Assert.Throws<TrapException>(() => run(14, length - 1)).Kind);
    }
}
