using System.Diagnostics;

namespace WasmJit.Perf;

/// <summary>
/// Calls into another module whose code is known, beside calls within one: of a function small enough to be put into its caller, and of
/// one that is not. And what a guest pays to compile, link and find a tiny module.
/// </summary>
internal static class LinkingCalls
{
    private const int Rounds = 15;
    private const int Calls = 3_000_000;
    private const int Modules = 1_000;

    private static readonly string[] Ways = ["call", "call_export", "call_ref"];

    // The same functions on both sides; what has a loop is not put into its callers.
    private const string Small =
        "(param i32 i32) (result i32) (i32.xor (i32.add (i32.mul (local.get 0) (i32.const 3)) (local.get 1)) (i32.const 0x55))";

    private const string Large = """
        (param i32 i32) (result i32)
          (loop $once
            (local.set 0 (i32.xor (i32.add (i32.mul (local.get 0) (i32.const 3)) (local.get 1)) (i32.const 0x55)))
            (br_if $once (i32.eq (local.get 0) (i32.const 0x1234567))))
          (local.get 0)
        """;

    private static string Loop(string export, string call) => $"""
          (func (export "{export}") (param $n i32) (result i32)
            (local $x i32) (local $i (ref null (exact $lib))) (local $f (ref null $f))
            (local.set $i (instantiate (module $lib)))
            (local.set $f (get_export $I "{export.Split(' ')[1]}" (local.get $i)))
            (loop $next
              (local.set $x {call})
              (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
            (local.get $x))

        """;

    private static string Text()
    {
        string loops = "";
        foreach (string size in new[] { "small", "large" })
        {
            loops += Loop($"call {size}", $"(call ${size} (local.get $x) (local.get $n))");
            loops += Loop($"call_export {size}", $"(call_export $lib \"{size}\" (local.get $x) (local.get $n) (local.get $i))");
            loops += Loop($"call_ref {size}", "(call_ref $f (local.get $x) (local.get $n) (local.get $f))");
        }
        return $"""
            (module
              (type $f (func (param i32 i32) (result i32)))
              (type $I (instance (export "small" (func (type $f))) (export "large" (func (type $f)))))
              (module $lib (func (export "small") {Small}) (func (export "large") {Large}))
              (func $small {Small})
              (func $large {Large})
              {loops})
            """;
    }

    public static void Run(EngineOptions options)
    {
        Instance calls = new Engine(options).CompileText(Text()).Instantiate();
        Console.WriteLine("Calls whose target is known, ns:");
        foreach (string size in new[] { "small", "large" })
        {
            var best = new double[Ways.Length];
            Array.Fill(best, double.MaxValue);
            int? expected = null;
            for (int round = 0; round < Rounds; round++)
                for (int way = 0; way < best.Length; way++)
                {
                    var run = calls.GetExport<Func<int, int>>($"{Ways[way]} {size}");
                    long start = Stopwatch.GetTimestamp();
                    int result = run(Calls);
                    best[way] = Math.Min(best[way], Stopwatch.GetElapsedTime(start).TotalNanoseconds / Calls);
                    if ((expected ??= result) != result) throw new InvalidOperationException("Wrong result.");
                }
            string what = size == "small" ? "put into the caller" : "with a loop, called";
            for (int way = 0; way < best.Length; way++)
                Console.WriteLine($"  {$"{Ways[way]}, {(Ways[way] == "call_ref" ? "a function reference" : what)}",-44}{best[way],8:f2}{best[way] / best[0],8:f2} x");
        }

        Instance guest = GuestJit.Make(options);
        var compile = guest.GetExport<Func<int, int, long>>("run");
        compile(0, Modules);
        double least = double.MaxValue;
        for (int round = 1; round <= 5; round++)
        {
            long start = Stopwatch.GetTimestamp();
            compile(round * Modules, Modules);
            least = Math.Min(least, Stopwatch.GetElapsedTime(start).TotalMicroseconds / Modules);
        }
        Console.WriteLine("A tiny module, us:");
        Console.WriteLine($"  {"compile, instantiate, get_export, first call",-44}{least,8:f1}");
    }
}
