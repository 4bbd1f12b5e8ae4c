using WasmJit.Components;

namespace WasmJit.Perf;

/// <summary>
/// What calls of components cost: four numbers, a string of 100 characters, a list of 1,000 records; from the host, and from component to component. Beside
/// each what the same takes by hand.
/// </summary>
internal static class ComponentCalls
{
    private const string Allocator = """
        (memory (export "mem") 4)
        (global $next (mut i32) (i32.const 65536))
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) (global.get $next))
        """;

    private const string Functions = """
        (func (export "numbers") (param i32 i64 f32 f64) (result i64) (i64.add (i64.extend_i32_u (local.get 0)) (local.get 1)))
        (func (export "text") (param i32 i32) (result i32) (local.get 1))
        (func (export "long") (param i32 i32) (result i32) (local.get 1))
        (func (export "records") (param i32 i32) (result i32) (local.get 1))
        (func (export "peek") (param i32) (result i32) (local.get 0))
        """;

    private static readonly (string Name, string Type)[] Types =
    [
        ("numbers", "(param \"a\" u32) (param \"b\" u64) (param \"c\" f32) (param \"d\" f64) (result u64)"),
        ("text", "(param \"a\" string) (result u32)"),
        ("long", "(param \"a\" string) (result u32)"),
        ("records", "(param \"a\" (list (tuple u32 u32 f64))) (result u32)"),
    ];

    private static string Lifts(string from) => string.Concat(Types.Select(t =>
        $"(func (export \"{t.Name}\") {t.Type} (canon lift (core func $m \"{t.Name}\") (memory (core memory ${from} \"mem\")) (realloc (core func ${from} \"realloc\"))))"));

    private static string Callee => $"(core module $M {Allocator} {Functions}) (core instance $m (instantiate $M)) {Lifts("m")} {Resource}";

    private const string Resource = """
        (type $thing' (resource (rep i32)))
        (export $thing "thing" (type $thing'))
        (core func $new (canon resource.new $thing'))
        (func (export "make") (param "x" u32) (result (own $thing)) (canon lift (core func $new)))
        (func (export "peek") (param "x" (borrow $thing)) (result u32) (canon lift (core func $m "peek")))
        """;

    /// <summary>A component that calls another in a loop.</summary>
    private static string Pair => $"""
        (component
          (component $C {Callee})
          (component $D
            {string.Concat(Types.Select(t => $"(import \"{t.Name}\" (func ${t.Name} {t.Type}))"))}
            (import "thing" (type $thing (sub resource)))
            (import "make" (func $make (param "x" u32) (result (own $thing))))
            (import "peek" (func $peek (param "x" (borrow $thing)) (result u32)))
            (core module $Libc {Allocator})
            (core instance $libc (instantiate $Libc))
            (core func $make' (canon lower (func $make)))
            (core func $peek' (canon lower (func $peek)))
            {string.Concat(Types.Select(t => $"(core func ${t.Name}' (canon lower (func ${t.Name}) (memory (core memory $libc \"mem\"))))"))}
            (core module $M
              (import "" "numbers" (func $numbers (param i32 i64 f32 f64) (result i64)))
              (import "" "text" (func $text (param i32 i32) (result i32)))
              (import "" "long" (func $long (param i32 i32) (result i32)))
              (import "" "records" (func $records (param i32 i32) (result i32)))
              (import "" "make" (func $make (param i32) (result i32)))
              (import "" "peek" (func $peek (param i32) (result i32)))
              (func (export "handle") (param $n i32) (local $h i32)
                (local.set $h (call $make (i32.const 7)))
                (loop $l (drop (call $peek (local.get $h))) (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
              (func (export "numbers") (param $n i32)
                (loop $l (drop (call $numbers (i32.const 1) (i64.const 2) (f32.const 3) (f64.const 4)))
                  (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
              (global $hundred (mut i32) (i32.const 100))
              (func (export "text") (param $n i32)
                (loop $l (drop (call $text (i32.const 0) (global.get $hundred))) (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
              (func (export "long") (param $n i32)
                (loop $l (drop (call $long (i32.const 0) (i32.const 10000))) (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
              (func (export "records") (param $n i32)
                (loop $l (drop (call $records (i32.const 0) (i32.const 1000))) (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))
            (core instance $m (instantiate $M (with "" (instance
              (export "numbers" (func $numbers')) (export "text" (func $text')) (export "long" (func $long')) (export "records" (func $records'))
              (export "make" (func $make')) (export "peek" (func $peek'))))))
            (func (export "handle") (param "n" u32) (canon lift (core func $m "handle")))
            {string.Concat(Types.Select(t => $"(func (export \"{t.Name}\") (param \"n\" u32) (canon lift (core func $m \"{t.Name}\")))"))})
          (instance $c (instantiate $C))
          (instance $d (instantiate $D (with "thing" (type $c "thing")) (with "make" (func $c "make")) (with "peek" (func $c "peek")) {string.Concat(Types.Select(t => $"(with \"{t.Name}\" (func $c \"{t.Name}\"))"))}))
          (func (export "handle") (alias export $d "handle"))
          {string.Concat(Types.Select(t => $"(func (export \"{t.Name}\") (alias export $d \"{t.Name}\"))"))})
        """;

    internal static void Run(EngineOptions options)
    {
        var engine = new Engine(options);
        using ComponentInstance callee = engine.CompileComponent(Wat.ToBinary($"(component {Callee})")).Instantiate();
        Instance core = engine.CompileText($"(module {Allocator} {Functions})").Instantiate();
        Memory memory = core.GetExport<Memory>("mem");
        var coreNumbers = core.GetExport<Func<int, long, float, double, long>>("numbers");
        var coreText = core.GetExport<Func<int, int, int>>("text");
        var coreRecords = core.GetExport<Func<int, int, int>>("records");
        var allocate = core.GetExport<Func<int, int, int, int, int>>("realloc");
        var numbers = callee.GetFunction<Func<uint, ulong, float, double, ulong>>("numbers");
        var text = callee.GetFunction<Func<string, uint>>("text");
        var records = callee.GetFunction<Func<(uint, uint, double)[], uint>>("records");
        string hundred = new('x', 100);
        (uint, uint, double)[] thousand = [.. Enumerable.Range(0, 1000).Select(i => ((uint)i, (uint)i, (double)i))];
        Console.WriteLine("from the host, ns a call        component   by hand");
        Row("four numbers", 3_000_000, () => numbers(1, 2, 3, 4), () => coreNumbers(1, 2, 3, 4));
        Row("a string of 100", 2_000_000, () => text(hundred), () =>
        {
            int at = allocate(0, 0, 1, 100);
            int length = memory.WriteString((ulong)at, hundred);
            return coreText(at, length);
        });
        string thousands = new('x', 10_000);
        Row("a string of 10,000", 100_000, () => text(thousands), () =>
        {
            int at = allocate(0, 0, 1, 10_000);
            int length = memory.WriteString((ulong)at, thousands);
            return coreText(at, length);
        });
        Row("a list of 1,000 records", 100_000, () => records(thousand), () =>
        {
            int at = allocate(0, 0, 8, 16_000);
            Span<byte> window = memory.Slice((ulong)at, 16_000);
            for (int i = 0; i < thousand.Length; i++)
            {
                BitConverter.TryWriteBytes(window[(i * 16)..], thousand[i].Item1);
                BitConverter.TryWriteBytes(window[((i * 16) + 4)..], thousand[i].Item2);
                BitConverter.TryWriteBytes(window[((i * 16) + 8)..], thousand[i].Item3);
            }
            return coreRecords(at, thousand.Length);
        });
        using ComponentInstance pair = engine.CompileComponent(Wat.ToBinary(Pair)).Instantiate();
        // By hand a caller has memory from the callee, copies into it, and calls. How far memories lie from one another matters to copies: here it is as far as there.
        core = core.Module.Instantiate();
        Instance loop = engine.CompileText("""
            (module
              (import "m" "numbers" (func $numbers (param i32 i64 f32 f64) (result i64)))
              (import "m" "text" (func $text (param i32 i32) (result i32)))
              (import "m" "records" (func $records (param i32 i32) (result i32)))
              (import "m" "realloc" (func $realloc (param i32 i32 i32 i32) (result i32)))
              (import "m" "peek" (func $peek (param i32) (result i32)))
              (import "m" "mem" (memory $to 1))
              (memory $from 4)
              ;; No text has a length that the compiler knows: copies of few bytes would be some instructions.
              (global $hundred (mut i32) (i32.const 100))
              (func (export "handle") (param $n i32)
                (loop $l (drop (call $peek (i32.const 7))) (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
              (func (export "numbers") (param $n i32)
                (loop $l (drop (call $numbers (i32.const 1) (i64.const 2) (f32.const 3) (f64.const 4)))
                  (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
              (func (export "text") (param $n i32) (local $at i32)
                (loop $l
                  (local.set $at (call $realloc (i32.const 0) (i32.const 0) (i32.const 1) (global.get $hundred)))
                  (memory.copy $to $from (local.get $at) (i32.const 0) (global.get $hundred))
                  (drop (call $text (local.get $at) (global.get $hundred)))
                  (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
              (func (export "long") (param $n i32) (local $at i32)
                (loop $l
                  (local.set $at (call $realloc (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 10000)))
                  (memory.copy $to $from (local.get $at) (i32.const 0) (i32.const 10000))
                  (drop (call $text (local.get $at) (i32.const 10000)))
                  (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
              (func (export "records") (param $n i32) (local $at i32)
                (loop $l
                  (local.set $at (call $realloc (i32.const 0) (i32.const 0) (i32.const 8) (i32.const 16000)))
                  (memory.copy $to $from (local.get $at) (i32.const 0) (i32.const 16000))
                  (drop (call $records (local.get $at) (i32.const 1000)))
                  (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))
            """).Instantiate(new Imports { { "m", core } });
        Console.WriteLine("from component to component     component   by hand");
        foreach ((string name, string what, int count) in new[] { ("numbers", "four numbers", 5_000_000), ("text", "a string of 100", 3_000_000), ("long", "a string of 10,000", 300_000), ("records", "a list of 1,000 records", 300_000), ("handle", "a borrowed handle", 3_000_000) })
        {
            var linked = pair.GetFunction<Action<uint>>(name);
            var plain = loop.GetExport<Action<int>>(name);
            Loops(what, count, n => linked((uint)n), n => plain(n));
        }
        Instances(engine);
    }

    /// <summary>What it costs that instances come and go, and components that a guest makes.</summary>
    private static void Instances(Engine engine)
    {
        WasmComponent component = engine.CompileComponent(Wat.ToBinary($"(component {Callee})"));
        Many("instances made, called and disposed of", count =>
        {
            for (int i = 0; i < count; i++)
            {
                using ComponentInstance instance = component.Instantiate();
                _ = instance.GetFunction<Func<string, uint>>("text")("x");
            }
        });
        using Stream wat = typeof(ComponentCalls).Assembly.GetManifestResourceStream("component-maker.wat")!;
        var host = new ComponentHost();
        new ComponentLinkingHost(engine, new ComponentLinkingOptions { AllowCompile = true }).AddTo(host);
        using ComponentInstance maker = engine.CompileComponent(Wat.ToBinary(new StreamReader(wat).ReadToEnd())).Instantiate(host);
        var run = maker.GetFunction<Func<byte[], uint, uint, uint, uint>>("run");
        byte[] adder = Wat.ToBinary("""
            (component
              (core module $M (memory 1) (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))
              (core instance $m (instantiate $M))
              (func (export "add") (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $m "add"))))
            """);
        Many("components compiled, instantiated, called and dropped by a guest", count =>
        {
            // It gives the sum of results of 42.
            if (run(adder, (uint)count, 72, 2) != unchecked((uint)count * 42)) throw new InvalidOperationException("The guest failed.");
        });
    }

    private static void Many(string what, Action<int> make)
    {
        const int Count = 100_000;
        make(1000);
        long heap = GC.GetTotalMemory(true), resident = Environment.WorkingSet, allocated = GC.GetTotalAllocatedBytes();
        int full = GC.CollectionCount(2), young = GC.CollectionCount(0);
        TimeSpan before = Environment.CpuUsage.TotalTime;
        make(Count);
        TimeSpan used = Environment.CpuUsage.TotalTime - before;
        young = GC.CollectionCount(0) - young;
        full = GC.CollectionCount(2) - full;
        allocated = GC.GetTotalAllocatedBytes() - allocated;
        Console.WriteLine($"{Count} {what}: {used.TotalMicroseconds / Count:F1} us of processor time and {allocated / Count} bytes each, {young} collections, {full} of them full,");
        Console.WriteLine($"heap {heap >> 10} KB before and {GC.GetTotalMemory(true) >> 10} KB after, resident {resident >> 20} MB and {Environment.WorkingSet >> 20} MB");
    }

    private static void Row<TComponent, THand>(string what, int count, Func<TComponent> component, Func<THand> hand) =>
        Loops(what, count, n => Repeat(n, component), n => Repeat(n, hand));

    private static void Repeat<T>(int count, Func<T> action)
    {
        for (int i = 0; i < count; i++) action();
    }

    private static void Loops(string what, int count, Action<int> component, Action<int> hand)
    {
        // Many short turns: some of them are disturbed by nothing else that runs on the machine.
        double[] best = ByTurns.Nanoseconds(100, (component, count / 50), (hand, count / 50));
        Console.WriteLine($"  {what,-28}{best[0],11:F1}{best[1],10:F1}");
    }
}
