using System.Globalization;
using System.Text;

namespace WasmJit.Tests;

/// <summary>
/// A random program that throws: functions that call one another, with protected regions of both kinds nested in each other
/// and in loops, and with many values that live across them. What <c>run</c> gives depends on all of these values.
/// </summary>
internal sealed class ThrowingProgram
{
    private const int Functions = 9;

    private static readonly string[] Payloads = ["i32", "i64 externref", "f64 v128 (ref null $s)", ""];

    private readonly Random random;
    private readonly StringBuilder text = new();
    private int labels;
    private int budget;
    private int self;

    private ThrowingProgram(int seed) => random = new Random(seed);

    internal static string Text(int seed) => new ThrowingProgram(seed).Write();

    private string Write()
    {
        text.Append("""
            (module $program
              (type $s (struct (field $n (mut i32)) (field $next (mut (ref null $s)))))
              (type $f (func (param i32 i64 f64 externref (ref null $s)) (result i64)))
              (import "host" "collect" (func $collect))
              (import "host" "number" (func $number (param externref) (result i32)))

            """);
        for (int i = 0; i < Payloads.Length; i++) text.Append(CultureInfo.InvariantCulture, $"  (tag $t{i} (param {Payloads[i]}))\n");
        text.Append(CultureInfo.InvariantCulture, $"  (table funcref (elem {string.Join(' ', Enumerable.Range(0, Functions).Select(i => $"$f{i}"))}))\n");
        for (self = 0; self < Functions; self++) Function();
        text.Append("""
              (func (export "run") (param $x i32) (param $o externref) (result i64)
                (call $f0 (local.get $x) (i64.const 5) (f64.const 1.5) (local.get $o) (ref.null $s))))
            """);
        return text.ToString();
    }

    private void Line(string line) => text.Append("    ").Append(line).Append('\n');

    private int Next(int below) => random.Next(below);

    private void Function()
    {
        labels = 0;
        budget = 22;
        text.Append(CultureInfo.InvariantCulture, $$"""
              (func $f{{self}} (type $f) (param $x i32) (param $a i64) (param $d f64) (param $o externref) (param $g (ref null $s)) (result i64)
                (local $p i32) (local $q i64) (local $r f64) (local $v v128) (local $t (ref null $s)) (local $e exnref)
                (local $k0 i32) (local $k1 i32) (local $k2 i32)
                (local.set $p (i32.mul (local.get $x) (i32.const {{Next(1000) | 1}})))
                (local.set $q (i64.add (local.get $a) (i64.const {{Next(1000)}})))
                (local.set $r (f64.add (local.get $d) (f64.const {{Next(100)}})))
                (local.set $v (i64x2.splat (local.get $q)))
                (local.set $t (struct.new $s (local.get $p) (local.get $g)))

            """);
        Statements(3 + Next(4), 0);
        Line("(local.set $q (i64.add (i64.rotl (local.get $q) (i64.const 7)) (i64.extend_i32_s (local.get $p))))");
        Line("(local.set $q (i64.xor (local.get $q) (i64.reinterpret_f64 (local.get $r))))");
        Line("(local.set $q (i64.add (local.get $q) (i64x2.extract_lane 1 (local.get $v))))");
        Line("(local.set $q (i64.add (local.get $q) (i64.extend_i32_u (call $number (local.get $o)))))");
        Line("(if (ref.is_null (local.get $t)) (then) (else (local.set $q (i64.sub (local.get $q) (i64.extend_i32_s (struct.get $s $n (local.get $t)))))))");
        Line("(local.set $q (i64.add (i64.add (local.get $q) (local.get $a)) (i64.extend_i32_s (local.get $x))))");
        if (self < Functions - 1 && Next(4) == 0) Line($"(return_call ${"f" + (self + 1)} {Arguments()})");
        else Line("(local.get $q)");
        text.Append("  )\n");
    }

    private string Arguments() =>
        $"(i32.add (local.get $p) (i32.const {Next(50)})) (local.get $q) (local.get $r) (local.get $o) (local.get $t)";

    private void Statements(int count, int depth)
    {
        for (int i = 0; i < count && budget-- > 0; i++) Statement(depth);
    }

    private void Statement(int depth)
    {
        switch (Next(depth < 3 ? 15 : 11))
        {
            case 0: Line($"(local.set $q (i64.add (i64.mul (local.get $q) (i64.const {Next(99) | 1})) (i64.extend_i32_u (local.get $p))))"); break;
            case 1: Line($"(local.set $p (i32.xor (i32.rotl (local.get $p) (i32.const {Next(32)})) (i32.wrap_i64 (local.get $q))))"); break;
            case 2:
                Line("(local.set $r (f64.add (local.get $r) (f64.convert_i32_s (i32.and (local.get $p) (i32.const 1023)))))");
                Line("(local.set $v (i64x2.add (local.get $v) (i64x2.splat (local.get $q))))");
                break;
            case 3: Line("(local.set $t (struct.new $s (i32.add (local.get $p) (local.get $x)) (local.get $t)))"); break;
            case 4 or 5 or 6 when self < Functions - 1:
                int callee = self + 1 + Next(Math.Min(3, Functions - 1 - self));
                string call = Next(4) switch
                {
                    0 => $"(call_indirect (type $f) {Arguments()} (i32.const {callee}))",
                    1 => $"(call_ref $f {Arguments()} (ref.func $f{callee}))",
                    _ => $"(call $f{callee} {Arguments()})",
                };
                Line($"(local.set $q (i64.xor (local.get $q) {call}))");
                break;
            case 4 or 7 or 8:
                Line($"(if (i32.eq (i32.and (local.get $p) (i32.const {3 + (4 * Next(2))})) (i32.const {Next(4)})) (then {Throw()}))");
                break;
            case 9: if (Next(3) == 0) Line("(call $collect)"); break;
            case 10: Line("(struct.set $s $n (local.get $t) (i32.add (struct.get $s $n (local.get $t)) (i32.const 3)))"); break;
            case 11: Loop(depth); break;
            case 12: LegacyTry(depth); break;
            case 13 or 14: TryTable(depth); break;
        }
    }

    private string Throw()
    {
        int tag = Next(Payloads.Length);
        string values = tag switch
        {
            0 => "(local.get $p)",
            1 => "(local.get $q) (local.get $o)",
            2 => "(local.get $r) (local.get $v) (local.get $t)",
            _ => "",
        };
        return $"(throw $t{tag} {values})";
    }

    /// <summary>Takes the values of a tag from the stack.</summary>
    private void Take(int tag)
    {
        switch (tag)
        {
            case 0: Line("(local.set $p (i32.add (local.get $x)))"); break;
            case 1:
                Line("(local.set $p (call $number))");
                Line("(local.set $q (i64.sub (local.get $q)))");
                break;
            case 2:
                Line("(local.set $t)");
                Line("(local.set $v (i64x2.sub (local.get $v)))");
                Line("(local.set $r (f64.sub (local.get $r)))");
                break;
            default: Line("(local.set $p (i32.add (local.get $p) (i32.const 17)))"); break;
        }
    }

    private void Loop(int depth)
    {
        if (depth > 2) return;
        string label = $"$l{labels++}", counter = $"$k{depth}";
        Line($"(local.set {counter} (i32.const {2 + Next(3)}))");
        Line($"(loop {label}");
        Statements(1 + Next(3), depth + 1);
        Line($"(br_if {label} (local.tee {counter} (i32.sub (local.get {counter}) (i32.const 1)))))");
    }

    private void TryTable(int depth)
    {
        int n = labels++;
        int tag = Next(Payloads.Length);
        bool all = Next(3) == 0, withRef = all && Next(2) == 0;
        Line($"(block $out{n}");
        if (all) Line($"(block $all{n} {(withRef ? "(result exnref)" : "")}");
        Line($"(block $c{n} (result {Payloads[tag]})");
        Line($"(try_table (catch $t{tag} $c{n}) {(all ? withRef ? $"(catch_all_ref $all{n})" : $"(catch_all $all{n})" : "")}");
        Statements(1 + Next(4), depth + 1);
        Line($") (br $out{n}))");
        Take(tag);
        Statements(Next(2), depth + 1);
        Line($"(br $out{n})");
        if (all)
        {
            Line(")");
            if (withRef)
            {
                Line("(local.set $e)");
                if (Next(2) == 0) Line($"(if (i32.and (local.get $p) (i32.const {1 + Next(3)})) (then (throw_ref (local.get $e))))");
            }
            Line("(local.set $p (i32.add (local.get $p) (i32.const 1)))");
        }
        Line(")");
    }

    private void LegacyTry(int depth)
    {
        if (Next(4) == 0)
        {
            // What is thrown in it is the caller's, or of the try around it.
            string outer = $"$try{labels++}";
            Line($"(try {outer} (do");
            Line($"(try (do");
            Statements(1 + Next(3), depth + 1);
            Line($") (delegate {outer}))");
            Line($") (catch_all (local.set $p (i32.add (local.get $p) (i32.const 5)))))");
            return;
        }
        int tag = Next(Payloads.Length);
        Line("(try (do");
        Statements(1 + Next(4), depth + 1);
        Line($") (catch $t{tag}");
        Take(tag);
        Statements(Next(2), depth + 1);
        if (Next(3) == 0)
        {
            Line(") (catch_all");
            Line($"(if (i32.and (local.get $p) (i32.const {1 + Next(3)})) (then (rethrow 1)))");
            Line("(local.set $p (i32.add (local.get $p) (i32.const 9)))");
        }
        Line("))");
    }
}
