using System.Text;
using WasmJit.Jit.Tiers;
using Xunit;

namespace WasmJit.Tests;

/// <summary>
/// A load that straddles the end of memory traps, whatever becomes of its value: RyuJIT leaves out, and narrows, what it finds unneeded.
/// Every load that is wider than a byte, every way in which its value is not needed or only a part of it, at all addresses on the end.
/// </summary>
public sealed class LoadGuardTests
{
    private static readonly (string Op, string Type, int Width)[] Loads =
    [
        ("i32.load", "i32", 4), ("i32.load16_u", "i32", 2), ("i32.load16_s", "i32", 2),
        ("i64.load", "i64", 8), ("i64.load32_u", "i64", 4), ("i64.load32_s", "i64", 4), ("i64.load16_u", "i64", 2), ("i64.load16_s", "i64", 2),
        ("f32.load", "f32", 4), ("f64.load", "f64", 8),
        ("v128.load", "v128", 16), ("v128.load8x8_s", "v128", 8), ("v128.load16x4_u", "v128", 8), ("v128.load32x2_s", "v128", 8),
        ("v128.load16_splat", "v128", 2), ("v128.load32_splat", "v128", 4), ("v128.load64_splat", "v128", 8),
        ("v128.load32_zero", "v128", 4), ("v128.load64_zero", "v128", 8),
    ];

    /// <summary>For V, an expression, and T, its type: what does with it as little as possible. $v, $k, $i are locals; $k is never written.</summary>
    private static readonly string[] Uses =
    [
        "(drop V)",
        "(local.set $v V)",
        "(local.set $v V) (local.set $v ZERO) (drop (local.get $v))",
        "(local.set $v V) (drop (local.get $v))",
        "(drop (select V ZERO (local.get $p)))",
        "(drop (select ZERO V (local.get $p)))",
        "(drop (select ZERO V (i32.const 1)))",
        "(drop (block (result T) (br_if 0 V (local.get $p)) (drop) ZERO))",
        "(drop (if (result T) (local.get $p) (then V) (else V)))",
        "(local.set $v V) (if (i32.const 0) (then (call $need-T (local.get $v))))",
        "(local.set $v V) (if (local.get $zero) (then (call $need-T (local.get $v))))",
        "(local.set $v V) (if (local.get $p) (then (local.set $v ZERO)) (else (return))) (call $need-T (local.get $v))",
        "(local.set $v V) (br_if 0 (i32.const 1)) (call $need-T (local.get $v))",
        "(local.set $v V) (block (br_table 0 0 (local.get $p))) (drop (local.get $v))",
        "(local.set $v V) (loop (if (local.tee $i (i32.sub (local.get $i) (i32.const 1))) (then (br 1)))) (drop (local.get $v))",
        "(local.set $i (i32.const 3)) (loop (local.set $v V) (br_if 0 (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))",
        "(local.set $v V) (loop (call $stop) (br 0))",
        "(call $ignore-T V)",
        "V (local.get $p) (br_if 0) (drop)",
        "V (return)",
        "(drop (call $same-T V))",
    ];

    private static readonly Dictionary<string, string[]> UsesOf = new()
    {
        ["i32"] =
        [
            "(call $need-i32 (i32.and V (i32.const 1)))", "(local.set $k (i32.const 255)) (call $need-i32 (i32.and V (local.get $k)))",
            "(call $need-i32 (i32.mul V (local.get $k)))", "(call $need-i32 (i32.or V (i32.const -1)))",
            "(local.set $v V) (call $need-i32 (i32.sub (local.get $v) (local.get $v)))",
            "(local.set $v V) (call $need-i32 (i32.xor (local.get $v) (local.get $v)))", "(i32.store8 (i32.const 0) V)", "(i32.store16 (i32.const 0) V)",
            "(if (i32.eqz V) (then))", "(if V (then (local.set $v (i32.const 1))))", "(call $need-i32 (i32.lt_u V (local.get $k)))",
            "(if V (then (i32.store (i32.const 0) (i32.const 1))) (else (i32.store (i32.const 0) (i32.const 1))))",
            "(block (br_if 0 V))", "(block (br_table 0 0 V))", "(call $need-i32 (i32.shl V (i32.const 24)))", "(call $need-i32 (i32.extend8_s V))",
            "(call $need-i32 (i32.rem_u V (i32.const 8)))", "(call $need-i32 (i32.rem_s V (i32.const 1)))",
            "(call $need-i32 (i32.shr_s (i32.shl V (i32.const 24)) (i32.const 24)))", "(call $need-i32 (i32.shl (local.get $p) V))",
            "(call $need-i32 (i32.and (i32.add V (local.get $p)) (i32.const 15)))", "(i32.store8 (i32.const 0) (i32.add V (i32.const 3)))",
            "(call $need-i32 (i32.eq V (i32.const 70000)))", "(call $need-i32 (i32.ge_u V (i32.const 0)))",
            "(local.set $v V) (drop (i32.add (local.get $v) (i32.const 1))) (call $need-i32 (i32.and (local.get $v) (i32.const 255)))",
            "(call $need-i64 (i64.and (i64.extend_i32_u V) (i64.const 255)))", "(call $need-i32 (i31.get_s (ref.i31 (i32.and V (i32.const 7)))))",
            "(local.set $v V) (call $need-i32 (i32.xor (i32.rotl (local.get $v) (i32.const 7)) (i32.rotl (local.get $v) (i32.const 7))))",
            "(local.set $v V) (call $need-i32 (i32.xor (i32.rotl (local.get $v) (i32.const 7)) (i32.rotr (local.get $v) (i32.const 25))))",
            "(local.set $v V) (call $need-i32 (i32.xor (local.get $v) (i32.rotl (local.get $v) (i32.const 32))))",
            "(local.set $v V) (call $need-i32 (i32.xor (local.get $v) (i32.shr_u (local.get $v) (i32.const 32))))",
            "(local.set $v V) (call $need-i32 (i32.xor (local.get $v) (i32.shl (local.get $v) (i32.const 0))))",
            "(local.set $v V) (call $need-i32 (i32.xor (i32.xor (local.get $v) (i32.shl (local.get $v) (i32.const 3))) (i32.xor (i32.shl (local.get $v) (i32.const 3)) (local.get $v))))",
            "(local.set $v V) (call $need-i32 (i32.xor (i32.xor (local.get $v) (i32.shl (local.get $v) (i32.const 3))) (i32.shl (local.get $v) (i32.const 3))))",
            "(local.set $v V) (call $need-i32 (i32.sub (i32.shr_u (local.get $v) (i32.const 3)) (i32.shr_s (local.get $v) (i32.const 3))))",
            "(local.set $v V) (call $need-i32 (i32.and (i32.xor (local.get $v) (i32.shr_u (local.get $v) (i32.const 4))) (i32.const 15)))",
            "(call $need-v128 (i8x16.splat V))", "(call $need-i32 (i32.popcnt (i32.and V (i32.const 3))))",
            .. Cancelled("i32"),
        ],
        ["i64"] =
        [
            "(call $need-i32 (i32.wrap_i64 V))", "(local.set $v V) (call $need-i32 (i32.wrap_i64 (local.get $v)))",
            "(call $need-i32 (i32.wrap_i64 (i64.add V (i64.extend_i32_u (local.get $p)))))", "(call $need-i32 (i32.wrap_i64 (i64.mul V V)))",
            "(call $need-i32 (i32.wrap_i64 (i64.xor V (i64.const 77))))", "(call $need-i32 (i32.wrap_i64 (select V (i64.const 1) (local.get $p))))",
            "(call $need-i64 (i64.and V (i64.const 255)))", "(call $need-i64 (i64.mul V (local.get $k)))", "(call $need-i64 (i64.or V (i64.const -1)))",
            "(local.set $v V) (call $need-i64 (i64.sub (local.get $v) (local.get $v)))", "(i64.store8 (i32.const 0) V)", "(i64.store16 (i32.const 0) V)",
            "(i64.store32 (i32.const 0) V)", "(call $need-i64 (i64.extend8_s V))", "(call $need-i64 (i64.extend32_s V))",
            "(call $need-i64 (i64.shl V (i64.const 56)))", "(call $need-i64 (i64.shr_s (i64.shl V (i64.const 32)) (i64.const 32)))",
            "(call $need-i64 (i64.rem_u V (i64.const 8)))", "(call $need-i32 (i64.lt_u V (local.get $k)))", "(if (i64.eqz V) (then))",
            "(call $need-i32 (i64.eqz (i64.and V (i64.const 4))))", "(call $need-f32 (f32.convert_i32_s (i32.wrap_i64 V)))",
            "(call $need-i64 (i64.shl (i64.const 1) V))", "(call $need-i64 (i64.rotl (i64.const 1) V))", "(call $need-v128 (i32x4.splat (i32.wrap_i64 V)))",
            "(local.set $v V) (if (local.get $p) (then (call $need-i32 (i32.wrap_i64 (local.get $v)))) (else (call $need-i32 (i32.wrap_i64 (local.get $v)))))",
            "(call $need-i32 (i64.gt_u V (i64.const 0x1ffffffff)))", "(call $need-i32 (call $wrap V))",
            "(call $need-i64 (select (i64.const 4) (i64.const 4) (i64.eqz V)))", "(call $need-i64 (if (result i64) (i64.eqz V) (then (i64.const 7)) (else (i64.const 7))))",
            "(call $need-i64 (if (result i64) (i64.eqz V) (then (local.get $k)) (else (local.get $k))))",
            "(local.set $v V) (call $need-i64 (i64.add (local.get $v) (i64.sub (i64.const 0) (local.get $v))))",
            "(local.set $v V) (call $need-i64 (i64.sub (i64.add (local.get $v) (local.get $v)) (i64.mul (local.get $v) (i64.const 2))))",
            "(call $need-i64 (i64.xor V V))", "(local.set $v V) (call $need-i64 (i64.sub (local.get $v) V))",
            "(local.set $v V) (local.set $u (i64.shr_u (local.get $v) (i64.const 16))) (call $need-i64 (i64.xor (local.get $u) (i64.shr_u (local.get $v) (i64.const 16))))",
            "(local.set $v V) (local.set $u (i64.add (local.get $v) (i64.const 5))) (call $need-i64 (i64.sub (local.get $u) (local.get $v)))",
            .. Cancelled("i64"),
        ],
        ["f32"] =
        [
            "(call $need-i32 (i32.and (i32.reinterpret_f32 V) (i32.const 255)))", "(i32.store8 (i32.const 0) (i32.reinterpret_f32 V))",
            "(drop (f32.add V (f32.const 1)))", "(drop (f64.promote_f32 V))", "(if (f32.eq V V) (then))",
            .. BesideNaN("f32"),
        ],
        ["f64"] =
        [
            "(call $need-i32 (i32.wrap_i64 (i64.reinterpret_f64 V)))", "(i64.store32 (i32.const 0) (i64.reinterpret_f64 V))",
            "(drop (f32.demote_f64 V))", "(drop (f64.mul V (f64.const 2)))", "(drop (i32.trunc_sat_f64_s V))",
            .. BesideNaN("f64"),
        ],
        ["v128"] =
        [
            "(call $need-i32 (i32x4.extract_lane 0 V))", "(local.set $v V) (call $need-i32 (i8x16.extract_lane_u 0 (local.get $v)))",
            "(call $need-v128 (f32x4.eq V (v128.const i64x2 -1 -1)))", "(call $need-v128 (f32x4.lt (f32x4.splat (f32.const nan)) V))",
            "(call $need-v128 (f32x4.add V (f32x4.splat (f32.const nan))))", "(local.set $k (v128.const i64x2 -1 -1)) (call $need-v128 (f32x4.mul V (local.get $k)))",
            "(local.set $k (i64x2.eq (local.get $k) (local.get $k))) (call $need-v128 (f32x4.sub (local.get $k) V))",
            "(call $need-v128 (f64x2.eq V (v128.const i64x2 -1 -1)))", "(call $need-v128 (f64x2.lt (f64x2.splat (f64.const nan)) V))",
            "(call $need-v128 (f64x2.add V (f64x2.splat (f64.const nan))))", "(local.set $k (v128.const i64x2 -1 -1)) (call $need-v128 (f64x2.mul V (local.get $k)))",
            "(local.set $k (i64x2.eq (local.get $k) (local.get $k))) (call $need-v128 (f64x2.sub (local.get $k) V))",
            "(call $need-f32 (f32x4.extract_lane 1 V))", "(call $need-f64 (f64x2.extract_lane 0 V))", "(call $need-v128 (v128.and V (v128.const i64x2 0 0)))",
            "(call $need-v128 (v128.and V (local.get $k)))", "(call $need-v128 (v128.or V (v128.const i64x2 -1 -1)))",
            "(local.set $v V) (call $need-v128 (v128.xor (local.get $v) (local.get $v)))",
            "(call $need-v128 (i16x8.extend_low_i8x16_s V))", "(call $need-v128 (f64x2.promote_low_f32x4 V))", "(call $need-v128 (f64x2.convert_low_i32x4_s V))",
            "(call $need-v128 (i8x16.shuffle 0 1 2 3 0 1 2 3 0 1 2 3 0 1 2 3 V V))", "(call $need-v128 (i64x2.replace_lane 1 V (i64.const 1)))",
            "(v128.store8_lane 0 (i32.const 0) V)", "(v128.store32_lane 0 (i32.const 0) V)", "(call $need-v128 (i32x4.mul V (local.get $k)))",
            "(local.set $v V) (call $need-v128 (i32x4.sub (local.get $v) (local.get $v)))", "(call $need-i32 (v128.any_true (v128.and V (local.get $k))))",
            "(call $need-v128 (v128.bitselect V (local.get $k) (v128.const i64x2 0 0)))", "(call $need-v128 (v128.load64_lane 1 (i32.const 0) V))",
            "(local.set $v V) (local.set $u (local.get $v)) (call $need-v128 (v128.xor (local.get $v) (local.get $u)))",
            "(local.set $v V) (local.set $u (v128.or (local.get $v) (local.get $v))) (call $need-v128 (i64x2.sub (local.get $v) (local.get $u)))",
        ],
    };

    /// <summary>What has gone through locals, and is equal in the end, cancels itself.</summary>
    private static IEnumerable<string> Cancelled(string type)
    {
        string v = "(local.get $v)", u = "(local.get $u)", nothing = $"({type}.const 0)";
        string[] copies =
        [
            v, $"(block (result {type}) {v})", $"(select {v} {v} (local.get $p))", $"(if (result {type}) (local.get $p) (then {v}) (else {v}))", $"({type}.add {v} {nothing})",
            $"({type}.or {v} {v})", $"(call $same-{type} {v})", $"({type}.xor {v} (local.get $k))", $"({type}.rotl {v} ({type}.const 64))", $"({type}.mul {v} ({type}.const 1))",
        ];
        string[] results =
        [
            $"({type}.xor {v} {u})", $"({type}.sub {v} {u})", $"({type}.xor ({type}.shl {v} ({type}.const 3)) ({type}.shl {u} ({type}.const 3)))",
            $"({type}.xor ({type}.rotl {v} ({type}.const 7)) ({type}.rotl {u} ({type}.const 7)))", $"({type}.sub ({type}.mul {v} ({type}.const 3)) ({type}.mul {u} ({type}.const 3)))",
            $"({type}.add {v} ({type}.sub {nothing} {u}))", $"({type}.xor ({type}.add {v} (local.get $k)) ({type}.add {u} (local.get $k)))",
        ];
        foreach (string copy in copies)
        {
            string both = $"(local.set $v V) (local.set $u {copy}) ";
            foreach (string result in results) yield return $"{both}(call $need-{type} {result})";
            foreach (string test in new[] { "eq", "lt_s", "ge_u" }) yield return $"{both}(call $need-i32 ({type}.{test} {v} {u}))";
        }
        yield return $"(local.set $v V) (loop (local.set $u {v})) (call $need-{type} ({type}.xor {v} {u}))";
        yield return $"(local.set $v V) (if (local.get $p) (then (local.set $u {v})) (else (local.set $u V))) (call $need-{type} ({type}.xor {v} {u}))";
        yield return $"(local.set $v V) (block (local.set $u {v}) (br_if 0 (local.get $p)) (local.set $i (i32.const 5))) (call $need-{type} ({type}.sub {v} {u}))";
    }

    /// <summary>With a number that is not one the result is known.</summary>
    private static IEnumerable<string> BesideNaN(string type)
    {
        string nan = $"({type}.const nan)";
        foreach ((string op, string result) in new[]
            { ("add", type), ("sub", type), ("mul", type), ("div", type), ("min", type), ("eq", "i32"), ("ne", "i32"), ("lt", "i32"), ("ge", "i32") })
        {
            yield return $"(call $need-{result} ({type}.{op} V {nan}))";
            yield return $"(call $need-{result} ({type}.{op} {nan} V))";
        }
        yield return $"(local.set $k {nan}) (call $need-{type} ({type}.add V (local.get $k)))";
        yield return $"(local.set $k {nan}) (call $need-i32 ({type}.lt V (local.get $k)))";
    }

    private static readonly string[] Types = ["i32", "i64", "f32", "f64", "v128"];

    private static string Zero(string type) => type == "v128" ? "(v128.const i64x2 0 0)" : $"({type}.const 0)";

    public static TheoryData<string> Operators()
    {
        var data = new TheoryData<string>();
        foreach ((string op, _, _) in Loads) data.Add(op);
        return data;
    }

    /// <summary>The address is a parameter, and a constant: a function each.</summary>
    private static string Module(string op, string type, int width, string[] uses)
    {
        var text = new StringBuilder("(module (memory (export \"m\") 1 1) (func $stop (unreachable))\n");
        text.Append("(global $sum (mut i64) (i64.const 0)) (func $wrap (param i64) (result i32) (i32.wrap_i64 (local.get 0)))\n");
        foreach (string t in Types)
        {
            text.Append($"(global $g-{t} (mut {t}) {Zero(t)}) (func $need-{t} (param {t}) (global.set $g-{t} (local.get 0)))");
            text.Append($"(func $ignore-{t} (param {t})) (func $same-{t} (param {t}) (result {t}) (local.get 0))\n");
        }
        int number = 0;
        foreach (string use in uses)
        {
            string body = use.Replace("ZERO", Zero(type), StringComparison.Ordinal).Replace("(result T)", $"(result {type})", StringComparison.Ordinal)
                .Replace("-T", $"-{type}", StringComparison.Ordinal).Replace("V", $"({op} (local.get $a))", StringComparison.Ordinal);
            text.Append($"(func (export \"f{number}\") (param $a i32) (param $p i32) (local $zero i32) (local $i i32) (local $v {type}) (local $k {type}) (local $u {type}) {body})\n");
            text.Append($"(func (export \"c{number}\") (param $p i32) (local $zero i32) (local $i i32) (local $v {type}) (local $k {type}) (local $u {type}) ");
            text.Append(body.Replace("(local.get $a)", $"(i32.const {65536 - width + 1})", StringComparison.Ordinal)).Append(")\n");
            number++;
        }
        return text.Append(')').ToString();
    }

    [Theory]
    [MemberData(nameof(Operators))]
    public void StraddlingLoadsTrap(string op)
    {
        (_, string type, int width) = Loads.First(load => load.Op == op);
        string[] uses = [.. Uses, .. UsesOf[type]];
        foreach (MemoryChecks checks in Enum.GetValues<MemoryChecks>())
        {
            Instance instance = new Engine(Tiers.Compiled with { MemoryChecks = checks }).CompileText(Module(op, type, width, uses)).Instantiate();
            var silent = new List<string>();
            for (int i = 0; i < uses.Length; i++)
            {
                var f = instance.GetExport<Action<int, int>>($"f{i}");
                bool isEndless = uses[i].Contains("$stop", StringComparison.Ordinal);
                if (!isEndless) f(65536 - width, 1);
                for (int address = 65536 - width + 1; address < 65536; address++)
                    for (int p = 0; p < 2; p++)
                        if (!Traps(() => f(address, p))) silent.Add($"{checks}: {uses[i]} at {address}");
                if (!Traps(() => instance.GetExport<Action<int>>($"c{i}")(1))) silent.Add($"{checks}: {uses[i]} at a constant");
            }
            Assert.True(silent.Count == 0, string.Join("\n", silent));
        }
    }

    private static bool Traps(Action call)
    {
        try
        {
            call();
            return false;
        }
        catch (TrapException e)
        {
            return e.Kind == TrapKind.OutOfBoundsMemoryAccess;
        }
    }

    /// <summary>Operators that trap for certain, some where only a branch tells so. $zero, $zero64, $none and $null are what their names say, $p and $p64 after a branch.</summary>
    private static readonly string[] CertainTraps =
    [
        "(drop (i32.rem_u (i32.const 1) (local.get $zero)))", "(drop (i64.div_s (i64.const 5) (i64.const 0)))", "(drop (i64.div_s (i64.const 0x8000000000000000) (i64.const -1)))",
        "(drop (i32.div_u (i32.const 7) (local.get $p)))", "(drop (i64.rem_s (local.get $p64) (local.get $p64)))", "(drop (call $divide (local.get $zero)))",
        "(drop (i32.trunc_f32_s (f32.const nan)))", "(drop (i64.trunc_f64_u (local.get $none)))", "(call $stop)", "(call $stop-if (i32.const 1))", "(call $stop-if (i32.eqz (local.get $zero)))",
        "(drop (ref.as_non_null (ref.null $struct)))", "(drop (ref.as_non_null (local.get $null)))", "(drop (struct.get $struct 0 (local.get $null)))",
        "(drop (array.get $array (array.new_fixed $array 2 (i64.const 1) (i64.const 2)) (i32.const 5)))", "(drop (array.get $array (ref.null $array) (i32.const 0)))",
        "(drop (array.len (ref.null $array)))", "(drop (ref.cast (ref $struct) (ref.i31 (i32.const 1))))", "(drop (ref.cast (ref $struct) (ref.null any)))",
        "(drop (ref.cast (ref $array) (struct.new $struct (i64.const 1))))", "(drop (i31.get_s (ref.null i31)))", "(call_ref $func (ref.null $func))", "(drop (table.get $table (i32.const 9)))",
        "(call_indirect $table (i32.const 9))", "(call_indirect $table (i32.const 0))", "(table.set $table (i32.const 9) (ref.null func))", "(throw_ref (ref.null exn))",
        "(memory.fill (i32.const -1) (i32.const 0) (i32.const 1))", "(memory.init $data (i32.const 0) (i32.const 0) (i32.const 9))", "(i64.atomic.store (i32.const 1) (i64.const 0))",
        "(drop (array.new_data $array $data (i32.const 0) (i32.const 9)))", "(array.fill $array (array.new_fixed $array 0) (i32.const 1) (i64.const 1) (i32.const 9))", "(unreachable)",
    ];

    /// <summary>For V, a load, T, its type, and TRAP: ways in which the load comes first, and its value would be needed behind the trap.</summary>
    private static readonly string[] WaysToTraps =
    [
        "V TRAP (call $need-T)", "(local.set $v V) TRAP (call $need-T (local.get $v))", "V TRAP (unreachable)", "(call $need-T V) TRAP", "(local.set $v V) (br_if 0 (local.get $zero)) TRAP (call $need-T (local.get $v))",
        "(if (i32.eqz (local.get $p)) (then (if (i64.eqz (local.get $p64)) (then (local.set $v V) TRAP (call $need-T (local.get $v))))))",
        "(loop (local.set $v V) TRAP (br_if 0 (local.get $p)) (call $need-T (local.get $v)))",
    ];

    /// <summary>Of operators of a load of eight bytes what traps or leaves its operand out.</summary>
    private static readonly string[] UsesThatTrap =
    [
        "(call $need-i64 (i64.rem_u V (i64.const 0)))", "(call $need-i64 (i64.div_s V (local.get $zero64)))", "(call $need-i64 (i64.add V (i64.div_u (i64.const 1) (local.get $zero64))))",
        "(call $need-i64 (i64.div_u (i64.div_u V (i64.const 3)) (local.get $zero64)))", "(array.set $array (ref.null $array) (i32.const 0) V)", "(struct.set $struct 0 (local.get $null) V)",
        "(array.set $array (array.new_fixed $array 0) (i32.const 3) V)", "(array.fill $array (ref.null $array) (i32.const 3) V (i32.const 1))",
        "(drop (array.new $array V (i32.const 0)))", "(drop (struct.new $struct V))", "(drop (struct.get $struct 0 (struct.new $struct V)))", "(drop (array.len (array.new_fixed $array 1 V)))",
        "(struct.set $struct 0 (struct.new_default $struct) V)", "(drop (struct.get $pair 1 (struct.new $pair V (i64.const 2))))", "(call $need-i64 (array.get $array (array.new_fixed $array 2 V (i64.const 7)) (i32.const 1)))",
        "(local.set $null (struct.new_default $struct)) (struct.set $struct 0 (local.get $null) V) (call $need-i64 (i64.and (struct.get $struct 0 (local.get $null)) (i64.const 1)))",
    ];

    private static string ModuleOfTraps(string op, string type, IEnumerable<string> bodies)
    {
        var text = new StringBuilder("""
            (module (memory 1 1) (type $struct (struct (field (mut i64)))) (type $array (array (mut i64))) (type $pair (struct (field i64 i64))) (type $func (func)) (table $table 1 funcref) (data $data "abc")
              (func $stop unreachable) (func $stop-if (param i32) (if (local.get 0) (then unreachable))) (func $divide (param i32) (result i32) (i32.div_u (i32.const 7) (local.get 0)))

            """);
        foreach (string t in Types) text.Append($"(global $g-{t} (mut {t}) {Zero(t)}) (func $need-{t} (param {t}) (global.set $g-{t} (local.get 0)))\n");
        foreach ((int number, string body) in bodies.Index())
        {
            text.Append($"(func (export \"f{number}\") (param $a i32) (param $p i32) (param $p64 i64) (local $zero i32) (local $zero64 i64) (local $none f64) (local $null (ref null $struct)) (local $v {type}) ");
            text.Append(body.Replace("-T", $"-{type}", StringComparison.Ordinal).Replace("V", $"({op} (local.get $a))", StringComparison.Ordinal)).Append(")\n");
        }
        return text.Append(')').ToString();
    }

    /// <summary>The first trap is the one that comes, though RyuJIT knows that another follows.</summary>
    [Theory]
    [MemberData(nameof(Operators))]
    public void TheFirstOfTwoTrapsComes(string op)
    {
        (_, string type, int width) = Loads.First(load => load.Op == op);
        string[] bodies = [.. WaysToTraps.SelectMany(way => CertainTraps, (way, trap) => way.Replace("TRAP", trap, StringComparison.Ordinal)), .. op == "i64.load" ? UsesThatTrap : []];
        foreach (EngineOptions options in new[] { Tiers.Compiled, Tiers.Compiled with { Verify = true } })
        {
            Instance instance = new Engine(options).CompileText(ModuleOfTraps(op, type, bodies)).Instantiate();
            var wrong = new List<string>();
            for (int i = 0; i < bodies.Length; i++)
            {
                var f = instance.GetExport<Action<int, int, long>>($"f{i}");
                foreach (int address in new[] { 65536 - width + 1, 65536 - (width / 2) })
                    if (!Traps(() => f(address, 0, 0))) wrong.Add($"{(options.Verify ? "verifying: " : "")}{bodies[i]} at {address}");
            }
            Assert.Empty(wrong);
        }
    }

    /// <summary>What is needed for certain is not stored: loops over memory are as they were.</summary>
    [Theory]
    [InlineData("(local.set $s (i64.add (local.get $s) (i64.load (local.get $i))))")]
    [InlineData("(i64.store (local.get $i) (i64.xor (i64.load offset=8 (local.get $i)) (i64.load offset=16 (local.get $i))))")]
    [InlineData("(local.set $i (i32.load (local.get $i)))")]
    [InlineData("(local.set $d (f64.add (local.get $d) (f64.mul (f64.load (local.get $i)) (f64.load offset=8 (local.get $i)))))")]
    [InlineData("(if (i32.gt_s (i32.load (local.get $i)) (i32.load offset=4 (local.get $i))) (then (i32.store (local.get $i) (i32.const 1))))")]
    [InlineData("(local.set $v (i32x4.add (local.get $v) (v128.load (local.get $i))))")]
    [InlineData("(i32.store (local.get $i) (i32.load (i32.load (local.get $i))))")]
    [InlineData("(local.set $t (i64.load (local.get $i))) (local.set $t (i64.xor (local.get $t) (i64.shr_u (local.get $t) (i64.const 7)))) (local.set $s (i64.xor (local.get $s) (local.get $t)))")]
    [InlineData("(local.set $s (i64.mul (i64.xor (local.get $s) (i64.load8_u (local.get $i))) (i64.const 1099511628211)))")]
    [InlineData("(local.set $t (i64.add (local.get $s) (i64.load (local.get $i)))) (local.set $s (i64.xor (local.get $t) (i64.rotl (local.get $s) (i64.const 32))))")]
    public void NeededLoadsAreNotStored(string body)
    {
        var engine = new Engine(Tiers.Compiled);
        Module module = engine.CompileText($"""
            (module (memory 1) (global $g (mut v128) (v128.const i64x2 0 0))
              (func (param $n i32) (result i64 f64) (local $i i32) (local $s i64) (local $t i64) (local $d f64) (local $v v128)
                (loop {body} (local.set $i (i32.add (local.get $i) (i32.const 8))) (br_if 0 (i32.lt_u (local.get $i) (local.get $n))))
                (global.set $g (local.get $v)) (local.get $s) (local.get $d)))
            """);
        Assert.DoesNotContain(
            FunctionCode.Of(module.Info, engine.CodeOptions).EmitIl(0).Listing(), line => line.Text.Contains("Scratch", StringComparison.Ordinal));
    }
}
