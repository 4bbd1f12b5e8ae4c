using System.Diagnostics;

namespace WasmJit.Perf;

/// <summary>
/// What runtime linking costs beside the same work inside one module: accesses through references and slices, exports asked for
/// again and again. Both sides of a ratio run by turns.
/// </summary>
internal static class Linking
{
    private const int Rounds = 15;
    private const int Length = 32_000;
    private const int Repeats = 200;
    private const int Calls = 2_000_000;

    private const string Accesses = """
        (module
          (type $m (memory 1))
          (type $box (struct (field $m (mut (ref $m)))))
          (memory $own 1)
          (func (export "own") (param $n i32) (param $repeats i32) (result i32)
            (local $i i32) (local $sum i32)
            (loop $again
              (local.set $i (i32.const 0))
              (loop $next
                (local.set $sum (i32.add (local.get $sum) (i32.load (local.get $i))))
                (i32.store offset=32768 (local.get $i) (local.get $sum))
                (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 4))) (local.get $n))))
              (br_if $again (local.tee $repeats (i32.sub (local.get $repeats) (i32.const 1)))))
            (local.get $sum))
          (func $through (param $m (ref null $m)) (param $n i32) (param $repeats i32) (result i32)
            (local $i i32) (local $sum i32)
            (loop $again
              (local.set $i (i32.const 0))
              (loop $next
                (local.set $sum (i32.add (local.get $sum) (i32.load (ref $m) (local.get $m) (local.get $i))))
                (i32.store (ref $m) offset=32768 (local.get $m) (local.get $i) (local.get $sum))
                (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 4))) (local.get $n))))
              (br_if $again (local.tee $repeats (i32.sub (local.get $repeats) (i32.const 1)))))
            (local.get $sum))
          (func (export "reference") (param i32 i32) (result i32)
            (call $through (ref.memory $own) (local.get 0) (local.get 1)))
          (func $field (param $b (ref $box)) (param $n i32) (param $repeats i32) (result i32)
            (local $i i32) (local $sum i32)
            (loop $again
              (local.set $i (i32.const 0))
              (loop $next
                (local.set $sum (i32.add (local.get $sum) (i32.load (ref $m) (struct.get $box $m (local.get $b)) (local.get $i))))
                (i32.store (ref $m) offset=32768 (struct.get $box $m (local.get $b)) (local.get $i) (local.get $sum))
                (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 4))) (local.get $n))))
              (br_if $again (local.tee $repeats (i32.sub (local.get $repeats) (i32.const 1)))))
            (local.get $sum))
          (func (export "field") (param i32 i32) (result i32)
            (call $field (struct.new $box (ref.memory $own)) (local.get 0) (local.get 1)))
          (func $slice (param $s (ref null slice)) (param $n i64) (param $repeats i32) (result i32)
            (local $i i64) (local $sum i32)
            (loop $again
              (local.set $i (i64.const 0))
              (loop $next
                (local.set $sum (i32.add (local.get $sum) (i32.load (ref slice) (local.get $s) (local.get $i))))
                (i32.store (ref slice) offset=32768 (local.get $s) (local.get $i) (local.get $sum))
                (br_if $next (i64.lt_u (local.tee $i (i64.add (local.get $i) (i64.const 4))) (local.get $n))))
              (br_if $again (local.tee $repeats (i32.sub (local.get $repeats) (i32.const 1)))))
            (local.get $sum))
          (func (export "slice") (param i32 i32) (result i32)
            (call $slice (slice.new $own (i32.const 0) (i32.const 65536)) (i64.extend_i32_u (local.get 0)) (local.get 1)))
          (func (export "reset") (memory.fill (i32.const 0) (i32.const 1) (i32.const 65536))))
        """;

    // The instance is of a module of its own; the guest makes it from bytes.
    private const string Exports = """
        (module
          (type $f (func (param i32) (result i32)))
          (type $T (module (export "f" (func (type $f)))))
          (type $I (instance (export "f" (func (type $f)))))
          (memory 1)
          (data (i32.const 0)
            (module (memory 1)
              (func (param i32) (result i32) (i32.store (i32.const 0) (local.get 0)) (i32.add (local.get 0) (i32.const 1)))
              (export "g" (memory 0)) (export "h" (func 0)) (export "f" (func 0)))
            "\de\ad\be\ef")
          (func $length (result i32) (local $at i32)
            (loop $next (result i32)
              (if (result i32) (i32.eq (i32.load (local.get $at)) (i32.const 0xefbeadde))
                (then (local.get $at))
                (else (local.set $at (i32.add (local.get $at) (i32.const 1))) (br $next)))))
          (global $i (mut (ref null $I)) (ref.null $I))
          (global $f (mut (ref null $f)) (ref.null $f))
          (func (export "make")
            (global.set $i (instantiate $T (compile $T (i32.const 0) (call $length))))
            (global.set $f (get_export $I "f" (global.get $i))))
          (func (export "kept") (param $n i32) (result i32) (local $x i32)
            (loop $next
              (local.set $x (call_ref $f (local.get $x) (global.get $f)))
              (br_if $next (i32.lt_u (local.get $x) (local.get $n))))
            (local.get $x))
          (func (export "asked") (param $n i32) (result i32) (local $x i32)
            (loop $next
              (local.set $x (call_ref $f (local.get $x) (get_export $I "f" (global.get $i))))
              (br_if $next (i32.lt_u (local.get $x) (local.get $n))))
            (local.get $x)))
        """;

    public static void Run(EngineOptions options)
    {
        Instance accesses = new Engine(options).CompileText(Accesses).Instantiate();
        Console.WriteLine($"A loop of a load and a store, ns for both ({options.MemoryChecks} checks):");
        string[] ways = ["own", "reference", "field", "slice"];
        double[] times = Interleave(ways.Length, way => Time(accesses, ways[way], Length, Repeats, Length / 4.0 * Repeats));
        for (int i = 0; i < ways.Length; i++) Console.WriteLine($"  {Describe(ways[i]),-44}{times[i],8:f3}{times[i] / times[0],8:f2} x");

        Instance exports = new Engine(options).CompileText(Exports).Instantiate();
        exports.GetExport<Action>("make")();
        Console.WriteLine("A call of a function of another instance, ns:");
        double[] calls = Interleave(2, way => Time(exports, way == 0 ? "kept" : "asked", Calls));
        Console.WriteLine($"  {"call_ref of a function that was kept",-44}{calls[0],8:f2}");
        Console.WriteLine($"  {"call_ref of get_export each time",-44}{calls[1],8:f2}{calls[1] - calls[0],8:f2} for get_export");
    }

    private static string Describe(string way) => way switch
    {
        "own" => "the own memory",
        "reference" => "a reference in a parameter",
        "field" => "a reference in a struct's field",
        _ => "a slice in a parameter",
    };

    /// <summary>The best time of each way; they run by turns.</summary>
    private static double[] Interleave(int ways, Func<int, double> measure)
    {
        var best = new double[ways];
        Array.Fill(best, double.MaxValue);
        for (int round = 0; round < Rounds; round++)
            for (int way = 0; way < ways; way++) best[way] = Math.Min(best[way], measure(way));
        return best;
    }

    private static double Time(Instance instance, string export, int n, int repeats, double accesses)
    {
        instance.GetExport<Action>("reset")();
        var run = instance.GetExport<Func<int, int, int>>(export);
        long start = Stopwatch.GetTimestamp();
        run(n, repeats);
        return Stopwatch.GetElapsedTime(start).TotalNanoseconds / accesses;
    }

    private static double Time(Instance instance, string export, int calls)
    {
        var run = instance.GetExport<Func<int, int>>(export);
        long start = Stopwatch.GetTimestamp();
        if (run(calls) != calls) throw new InvalidOperationException("Wrong result.");
        return Stopwatch.GetElapsedTime(start).TotalNanoseconds / calls;
    }
}
