using System.Collections.Concurrent;
using System.Runtime.Intrinsics;
using System.Text;
using WasmJit.Builtins;
using Xunit;

namespace WasmJit.Tests.PublicApi;

/// <summary>Host functions that ask who calls them.</summary>
public sealed class CallerTests
{
    private const string Logs = """
        (module
          (import "env" "log" (func $log (param i32 i32)))
          (memory (export "memory") 1)
          (func (export "say") (param i32 i32) (call $log (local.get 0) (local.get 1))))
        """;

    private readonly List<string> lines = [];

    private Imports Env(Delegate log) => new() { { "env", "log", log } };

    private void Log(Caller caller, int address, int length) => lines.Add(caller.Memory.ReadString((uint)address, length));

    private static Instance With(Instance instance, string text)
    {
        instance.GetExport<Memory>("memory").WriteString(0, text);
        return instance;
    }

    [Fact]
    public void EachInstanceHasTheStateThatItsHostGave()
    {
        Module module = new Engine().CompileText("""
            (module (import "env" "note" (func $note)) (func (export "run") (call $note)) (start $note))
            """);
        var imports = new Imports { { "env", "note", (Action<Caller>)(caller => caller.GetState<List<string>>().Add("called")) } };
        List<string> first = [], second = [];
        Instance a = module.Instantiate(imports, state: first), b = module.Instantiate(imports, state: second);
        Assert.Equal((1, 1), (first.Count, second.Count));
        a.GetExport<Action>("run")();
        Assert.Equal((2, 1), (first.Count, second.Count));
        Assert.Same(first, a.State);
        b.State = "other";
        Assert.Contains("System.String, not System.Collections.Generic.List", Assert.Throws<InvalidOperationException>(b.GetExport<Action>("run")).Message, StringComparison.Ordinal);
        b.State = null;
        Assert.Throws<InvalidOperationException>(b.GetExport<Action>("run"));
        using var pool = new InstancePool(module, new InstancePoolOptions { Imports = () => new Imports { { "env", "note", (Action<Caller>)(_ => { }) } } });
        using (PooledInstance rented = pool.Rent()) rented.Instance.State = first;
        using (PooledInstance rented = pool.Rent()) Assert.Null(rented.Instance.State);
    }

    [Fact]
    public void EachInstanceIsItsOwnCaller()
    {
        Module module = new Engine().CompileText(Logs);
        Imports imports = Env(Log);
        Instance a = With(module.Instantiate(imports), "from a"), b = With(module.Instantiate(imports), "from b");
        a.GetExport<Action<int, int>>("say")(0, 6);
        b.GetExport<Action<int, int>>("say")(0, 6);
        a.GetExport<Action<int, int>>("say")(5, 1);
        Assert.Equal(["from a", "from b", "a"], lines);
    }

    [Fact]
    public void TheCallerIsTheInnermostInstance()
    {
        var seen = new List<Instance>();
        var engine = new Engine();
        Imports imports = Env((Caller caller, int _, int _) => seen.Add(caller.Instance));
        Instance inner = engine.CompileText(Logs).Instantiate(imports);
        imports.Add("inner", inner);
        Instance outer = engine.CompileText("""
            (module (import "env" "log" (func $log (param i32 i32))) (import "inner" "say" (func $say (param i32 i32)))
              (func (export "go") (call $log (i32.const 0) (i32.const 0)) (call $say (i32.const 0) (i32.const 0)) (call $log (i32.const 0) (i32.const 0))))
            """).Instantiate(imports);
        outer.GetExport<Action>("go")();
        Assert.Equal([outer, inner, outer], seen);
    }

    [Fact]
    public void WhoImportsAFunctionThatAnotherPassesOnIsItsCaller()
    {
        var engine = new Engine();
        Instance first = With(engine.CompileText("""
            (module (import "env" "log" (func $log (param i32 i32))) (memory (export "memory") 1) (export "log" (func $log)))
            """).Instantiate(Env(Log)), "one");
        Instance second = With(engine.CompileText(Logs).Instantiate(new Imports { { "env", first } }), "two");
        second.GetExport<Action<int, int>>("say")(0, 3);
        // The delegate of the first one's export is the first one's.
        var exported = first.GetExport<Action<int, int>>("log");
        exported(0, 3);
        Instance third = With(engine.CompileText(Logs).Instantiate(Env(exported)), "tri");
        third.GetExport<Action<int, int>>("say")(0, 3);
        Assert.Equal(["two", "one", "tri"], lines);
    }

    [Fact]
    public void AnAliasOfAnInstanceThatIsImportedIsTheImporters()
    {
        var engine = new Engine();
        Instance guest = With(engine.CompileText("""
            (module (import "env" (instance $env (export "log" (func (param i32 i32)))))
              (alias $env "log" (func $log)) (memory (export "memory") 1)
              (func (export "say") (param i32 i32) (call $log (local.get 0) (local.get 1))))
            """).Instantiate(Env(Log)), "alias");
        guest.GetExport<Action<int, int>>("say")(0, 5);
        Assert.Equal(["alias"], lines);
    }

    [Fact]
    public void ThroughAReferenceItIsWhoTookIt()
    {
        var engine = new Engine();
        var table = new Table(new TableType(ValType.FuncRef, 1));
        Imports imports = Env(Log);
        imports.Add("env", "table", table);
        Instance owner = With(engine.CompileText("""
            (module (import "env" "log" (func $log (param i32 i32))) (import "env" "table" (table 1 funcref)) (memory (export "memory") 1)
              (elem (i32.const 0) $log))
            """).Instantiate(imports), "owner");
        Instance other = With(engine.CompileText("""
            (module (import "env" "table" (table 1 funcref)) (memory (export "memory") 1)
              (func (export "go") (call_indirect (param i32 i32) (i32.const 0) (i32.const 5) (i32.const 0))))
            """).Instantiate(imports), "other");
        other.GetExport<Action>("go")();
        Assert.Equal(["owner"], lines);
        GC.KeepAlive(owner);
    }

    private delegate long Odd(Caller caller, int a, long b);

    private static int Static(Caller caller, int a) => a + (int)caller.GetExport<Global>("g").Value!;

    [Fact]
    public async Task AnyKindOfHostFunctionCanAsk()
    {
        using var stop = new CancellationTokenSource();
        Instance instance = new Engine(new EngineOptions { CountFuel = true, Interruptible = true }).CompileText("""
            (module
              (import "env" "none" (func $none (result i32))) (import "env" "static" (func $static (param i32) (result i32)))
              (import "env" "odd" (func $odd (param i32 i64) (result i64)))
              (import "env" "task" (func $task (param i32) (result i32)))
              (import "env" "two" (func $two (param i32) (result i32 i64)))
              (import "env" "many" (func $many (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
              (import "env" "pass" (func $pass (param funcref v128) (result v128)))
              (memory (export "memory") 1) (global (export "g") i32 (i32.const 7)) (func $f (export "f"))
              (func (export "none") (result i32) (call $none)) (func (export "static") (result i32) (call $static (i32.const 1)))
              (func (export "odd") (result i64) (call $odd (i32.const 2) (i64.const 3)))
              (func (export "task") (result i32) (call $task (i32.const 4)))
              (func (export "two") (result i32 i64) (call $two (i32.const 5)))
              (func (export "pass") (result v128) (call $pass (ref.func $f) (v128.const i64x2 1 2)))
              (func (export "many") (result i32) (call $many (i32.const 1) (i32.const 2) (i32.const 3) (i32.const 4) (i32.const 5) (i32.const 6)
                (i32.const 7) (i32.const 8) (i32.const 9) (i32.const 10) (i32.const 11) (i32.const 12) (i32.const 13) (i32.const 14) (i32.const 15))))
            """).Instantiate(new Imports
        {
            { "env", "none", (Caller caller) => caller.TryGetExport("nothing", out Memory? _) ? 0 : (int)caller.Memory.PageCount },
            { "env", "static", (Func<Caller, int, int>)Static },
            { "env", "odd", (Odd)((caller, a, b) => caller.Fuel!.Remaining > 0 ? a + b : 0) },
            {
                "env", "task", async (Caller caller, int a, CancellationToken token) =>
                {
                    await Task.Delay(10, token);
                    return token == caller.CancellationToken || token.CanBeCanceled ? a + (int)caller.Memory.PageCount : 0;
                }
            },
            { "env", "two", (Caller caller, int a) => (a, (long)caller.Memory.PageCount) },
            {
                "env", "many", (Caller caller, int a, int b, int c, int d, int e, int f, int g, int h, int i, int j, int k, int l, int m, int n, int o) =>
                    (int)caller.Memory.PageCount * (a + b + c + d + e + f + g + h + i + j + k + l + m + n + o)
            },
            {
                "env", "pass", (Caller caller, Delegate f, Vector128<byte> v) =>
                    ReferenceEquals(f, caller.GetExport<Delegate>("f")) ? v : default
            },
        });
        Assert.Equal(1, instance.GetExport<Func<int>>("none")());
        Assert.Equal(8, instance.GetExport<Func<int>>("static")());
        Assert.Equal(5, instance.GetExport<Func<long>>("odd")());
        Assert.Equal(5, await instance.InvokeAsync<int>("task", stop.Token));
        Assert.Equal((5, 1L), instance.GetExport<Func<(int, long)>>("two")());
        Assert.Equal(120, instance.GetExport<Func<int>>("many")());
        Assert.Equal(Vector128.Create(1L, 2L).AsByte(), instance.GetExport<Func<Vector128<byte>>>("pass")());
    }

    [Fact]
    public void WhatDoesNotFitSaysSo()
    {
        Module module = new Engine().CompileText(Logs);
        string message = Assert.Throws<LinkException>(() => module.Instantiate(Env((Caller caller, long _) => { }))).Message;
        Assert.Contains("Action<int, int>", message, StringComparison.Ordinal);
        Assert.Throws<LinkException>(() => module.Instantiate(Env((int _, Caller caller, int _) => { })));
        // A function in a table of the host's has no caller.
        var table = new Table(new TableType(ValType.FuncRef, 1));
        Assert.Throws<ArgumentException>(() => table[0] = (Action<Caller, int, int>)Log);
        // Without a memory there is none to be had.
        Instance bare = new Engine().CompileText("""(module (import "env" "log" (func $log (param i32 i32))) (func (export "say") (call $log (i32.const 0) (i32.const 0))))""")
            .Instantiate(Env(Log));
        Assert.Throws<InvalidOperationException>(bare.GetExport<Action>("say"));
    }

    private const string Writer = """
        (module
          (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
          (memory (export "memory") 1)
          (data (i32.const 0) "\10\00\00\00\02\00\00\00")
          (func (export "write") (result i32) (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
          (func (export "random") (result i32) (call $random (i32.const 100) (i32.const 8))))
        """;

    [Fact]
    public void InstancesThatShareAWasiHostWriteTheirOwnMemory()
    {
        using var output = new MemoryStream();
        using var wasi = new WasiHost(new WasiOptions { Output = output });
        Module module = new Engine().CompileText(Writer);
        Instance a = module.Instantiate(wasi.Imports), b = wasi.Instantiate(module);
        // It does not depend on which is attached last.
        wasi.Attach(b);
        a.GetExport<Memory>("memory").WriteString(16, "a\n");
        b.GetExport<Memory>("memory").WriteString(16, "b\n");
        foreach (Instance each in new[] { a, b, b, a }) Assert.Equal(0, each.GetExport<Func<int>>("write")());
        Assert.Equal("a\nb\nb\na\n", Encoding.UTF8.GetString(output.ToArray()));
        a.GetExport<Func<int>>("random")();
        Assert.Equal(0L, b.GetExport<Memory>("memory").Read<long>(100));
        Assert.NotEqual(0L, a.GetExport<Memory>("memory").Read<long>(100));
    }

    [Fact]
    public void ThreadsOfManyInstancesDoNotMixTheirOutput()
    {
        const int threads = 8, writes = 500;
        using var output = new MemoryStream();
        using var wasi = new WasiHost(new WasiOptions { Output = output });
        Module module = new Engine().CompileText(Writer);
        var failures = new ConcurrentQueue<int>();
        Thread[] all = [.. Enumerable.Range(0, threads).Select(t => new Thread(() =>
        {
            Instance instance = module.Instantiate(wasi.Imports);
            instance.GetExport<Memory>("memory").WriteString(16, $"{(char)('a' + t)}\n");
            var write = instance.GetExport<Func<int>>("write");
            for (int i = 0; i < writes; i++)
                if (write() is not 0 and var error) failures.Enqueue(error);
        }))];
        foreach (Thread each in all) each.Start();
        foreach (Thread each in all) each.Join();
        Assert.Empty(failures);
        string[] written = Encoding.UTF8.GetString(output.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(threads * writes, written.Length);
        Assert.All(written.GroupBy(l => l), g => Assert.Equal((1, writes), (g.Key.Length, g.Count())));
    }

    [Fact]
    public void LinkingBuiltinsServeTheInstanceThatCalls()
    {
        var host = new LinkingHost(new LinkingOptions { AllowCompile = true });
        Module module = new Engine().CompileText("""
            (module
              (import "wasm:linking" "compile" (func $compile (param i32 i32) (result i32)))
              (import "wasm:linking" "self" (func $self (result i32)))
              (memory (export "memory") 1)
              (func (export "self") (result i32) (call $self))
              (func (export "compile") (param i32) (result i32) (call $compile (i32.const 0) (local.get 0))))
            """);
        Instance a = module.Instantiate(host.Imports), b = module.Instantiate(host.Imports);
        host.Attach(b);
        byte[] bytes = Wat.ToBinary("(module (func (export \"f\")))");
        a.GetExport<Memory>("memory").WriteBytes(0, bytes);
        Assert.True(a.GetExport<Func<int, int>>("compile")(bytes.Length) > 0);
        Assert.True(b.GetExport<Func<int, int>>("compile")(bytes.Length) < 0);
        Assert.Same(a, host.Find(a.GetExport<Func<int>>("self")()));
        Assert.Same(b, host.Find(b.GetExport<Func<int>>("self")()));
    }
}
