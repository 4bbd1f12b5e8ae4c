using System.Globalization;
using WasmJit.Components;
using Xunit;

namespace WasmJit.Tests;

/// <summary>
/// Calls from guest to guest when they have become one method, beside the first ones, which have not: guests whose allocators lie, wherever they are called.
/// </summary>
public sealed class FusedCallTests
{
    private static readonly string[] Encodings = ["utf8", "utf16", "latin1+utf16"];

    /// <summary>What a <c>realloc</c> does in place of its work, and what the call then ends with: a reason, a kind of trap, or the result of an honest one.</summary>
    private static readonly Dictionary<string, (string Body, string? Reason, TrapKind? Kind)> Lies = new()
    {
        ["far"] = ("(return (A.const -16))", ComponentTrap.StringOutOfBounds, null),
        ["end"] = ("(return (A.const 131072))", ComponentTrap.StringOutOfBounds, null),
        ["a byte beyond"] = ("(return (A.add (A.const 2) (A.and (A.sub (A.const 131072) (local.get $size)) (A.const -2))))", ComponentTrap.StringOutOfBounds, null),
        ["at the end"] = ($"(return {Moved("(A.and (A.sub (A.const 131072) (local.get $size)) (A.const -2))")})", null, null),
        ["over other values"] = ("(return (A.const 64))", null, null),
        ["grows"] = ($"(drop (memory.grow (A.const 1))) (return {Moved("(A.sub (A.mul (memory.size) (A.const 65536)) (A.and (A.add (local.get $size) (A.const 3)) (A.const -4)))")})", null, null),
        ["traps"] = ("(unreachable)", null, TrapKind.Unreachable),
        ["throws"] = ("(throw $t)", ComponentTrap.UncaughtException, null),
        ["recurses"] = ("(return (A.add (A.const 1) (call $realloc (local.get $old) (local.get $osize) (local.get $align) (local.get $size))))", null, TrapKind.CallStackExhausted),
        ["leaves"] = ("(call $out)", ComponentTrap.CannotLeave, null),
        ["drops a handle"] = ("(call $drop (i32.const 1))", ComponentTrap.CannotLeave, null),
        ["makes a handle"] = ("(drop (call $new (i32.const 1)))", ComponentTrap.CannotLeave, null),
    };

    public static TheoryData<string> All => [.. Lies.Keys];

    private static string Moved(string to) => $"(call $move (local.get $old) (local.get $osize) (local.get $size) {to})";

    /// <summary>Text with an address type in place of A.</summary>
    private static string Wide(bool is64, string text) =>
        text.Replace("A.", is64 ? "i64." : "i32.", StringComparison.Ordinal).Replace("A)", is64 ? "i64)" : "i32)", StringComparison.Ordinal);

    private const string Sum = """
        (func $sum (param $at A) (param $bytes A) (result i32) (local $sum i32)
          (block $end (loop $l
            (br_if $end (A.eqz (local.get $bytes)))
            (local.set $sum (i32.add (i32.mul (local.get $sum) (i32.const 31)) (i32.load8_u (local.get $at))))
            (local.set $at (A.add (local.get $at) (A.const 1)))
            (local.set $bytes (A.sub (local.get $bytes) (A.const 1)))
            (br $l)))
          (local.get $sum))
        """;

    /// <summary>An instance <c>$o</c> with a function "out", for components that call out of themselves.</summary>
    private const string Out = """
        (component $Out
          (core module $M (func (export "out")))
          (core instance $m (instantiate $M))
          (func (export "out") (canon lift (core func $m "out"))))
        (instance $o (instantiate $Out))
        """;

    /// <summary>Built-ins of a component that has an allocator.</summary>
    private const string Own = """
        (import "out" (func $out))
        (core func $out' (canon lower (func $out)))
        (type $r (resource (rep i32)))
        (core func $new (canon resource.new $r))
        (core func $drop (canon resource.drop $r))
        """;

    private const string WithOwn = """(with "own" (instance (export "out" (func $out')) (export "new" (func $new)) (export "drop" (func $drop))))""";

    /// <summary>A memory and a <c>realloc</c> that lies when it is armed.</summary>
    private static string Allocator(string body, bool is64) => Wide(is64, $$"""
        (import "own" "out" (func $out))
        (import "own" "new" (func $new (param i32) (result i32)))
        (import "own" "drop" (func $drop (param i32)))
        (memory (export "mem") {{(is64 ? "i64" : "")}} 2 100)
        (tag $t)
        (global $armed (mut i32) (i32.const 0))
        (func (export "arm") (param i32) (global.set $armed (local.get 0)))
        (func $move (param $old A) (param $osize A) (param $size A) (param $to A) (result A)
          (memory.copy (local.get $to) (local.get $old) (select (local.get $osize) (local.get $size) (A.lt_u (local.get $osize) (local.get $size))))
          (local.get $to))
        (func $realloc (export "realloc") (param $old A) (param $osize A) (param $align A) (param $size A) (result A)
          (if (global.get $armed) (then {{body}}))
          (if (result A) (A.eqz (local.get $old)) (then (A.const 1024)) (else (local.get $old))))
        """);

    /// <summary>How many bytes a string of so many units has.</summary>
    private static string Bytes(string encoding, string units) => encoding switch
    {
        "utf8" => units,
        "utf16" => $"(A.mul {units} (A.const 2))",
        _ => $"(select (A.mul {units} (A.const 2)) {units} (A.lt_s {units} (A.const 0)))",
    };

    /// <summary>One component passes a string to another, and gets one from it; what comes back is a sum over the bytes.</summary>
    private static string Pair(string calleeBody, string callerBody, string inner, string outer, bool inner64, bool outer64)
    {
        string callee = Wide(inner64, $$"""
            (global $at (mut A) (A.const 0))
            (global $units (mut A) (A.const 0))
            (func (export "take") (param $at A) (param $units A) (result i32) (call $sum (local.get $at) {{Bytes(inner, "(local.get $units)")}}))
            (func (export "keep") (param $at A) (param $units A) (global.set $at (local.get $at)) (global.set $units (local.get $units)))
            (func (export "give") (result A)
              (A.store (A.const 16) (global.get $at)) (A.store offset={{(inner64 ? 8 : 4)}} (A.const 16) (global.get $units)) (A.const 16))
            {{Sum}}
            """);
        string caller = Wide(outer64, $$"""
            (import "" "mem" (memory {{(outer64 ? "i64" : "")}} 2))
            (import "" "take" (func $take (param A A) (result i32)))
            (import "" "give" (func $give (param A)))
            (func (export "take") (param $at A) (param $units A) (result i32) (call $take (local.get $at) (local.get $units)))
            (func (export "give") (result i32)
              (call $give (A.const 32))
              (call $sum (A.load (A.const 32)) {{Bytes(outer, $"(A.load offset={(outer64 ? 8 : 4)} (A.const 32))")}}))
            {{Sum}}
            """).Replace("(param A A)", outer64 ? "(param i64 i64)" : "(param i32 i32)", StringComparison.Ordinal).Replace("(param A ", outer64 ? "(param i64 " : "(param i32 ", StringComparison.Ordinal);
        return $$"""
            (component
              {{Out}}
              (component $C
                {{Own}}
                (core module $M {{Allocator(calleeBody, inner64)}} {{callee}})
                (core instance $m (instantiate $M {{WithOwn}}))
                (func (export "arm") (param "x" u32) (canon lift (core func $m "arm")))
                (func (export "take") (param "x" string) (result u32)
                  (canon lift (core func $m "take") string-encoding={{inner}} (memory (core memory $m "mem")) (realloc (core func $m "realloc"))))
                (func (export "keep") (param "x" string)
                  (canon lift (core func $m "keep") string-encoding={{inner}} (memory (core memory $m "mem")) (realloc (core func $m "realloc"))))
                (func (export "give") (result string)
                  (canon lift (core func $m "give") string-encoding={{inner}} (memory (core memory $m "mem")))))
              (component $D
                (import "take" (func $take (param "x" string) (result u32)))
                (import "give" (func $give (result string)))
                {{Own}}
                (core module $Libc {{Allocator(callerBody, outer64)}})
                (core instance $libc (instantiate $Libc {{WithOwn}}))
                (core func $take' (canon lower (func $take) string-encoding={{outer}} (memory (core memory $libc "mem"))))
                (core func $give' (canon lower (func $give) string-encoding={{outer}} (memory (core memory $libc "mem")) (realloc (core func $libc "realloc"))))
                (core module $M {{caller}})
                (core instance $m (instantiate $M (with "" (instance (export "mem" (memory $libc "mem")) (export "take" (func $take')) (export "give" (func $give'))))))
                (func (export "arm") (param "x" u32) (canon lift (core func $libc "arm")))
                (func (export "take") (param "x" string) (result u32)
                  (canon lift (core func $m "take") string-encoding={{outer}} (memory (core memory $libc "mem")) (realloc (core func $libc "realloc"))))
                (func (export "give") (result u32) (canon lift (core func $m "give"))))
              (instance $c (instantiate $C (with "out" (func $o "out"))))
              (instance $d (instantiate $D (with "out" (func $o "out")) (with "take" (func $c "take")) (with "give" (func $c "give"))))
              (export "take" (func $d "take"))
              (export "give" (func $d "give"))
              (export "keep" (func $c "keep"))
              (export "arm-callee" (func $c "arm"))
              (export "arm-caller" (func $d "arm")))
            """;
    }

    private static readonly string[] Texts =
    [
        new('x', 100), "h\u00f6flich", "", "a", new string('\u00e9', 70), "\U0001f370 cake \u2603", new string('y', 300) + "\u2603",
    ];

    /// <summary>
    /// The callee's allocator, which gets the string, or the caller's, which is given one, lies: in the first call, or after so many others that the call is one method.
    /// </summary>
    [Theory]
    [MemberData(nameof(All))]
    public void AllocatorsThatLie(string lie)
    {
        (string body, string? reason, TrapKind? kind) = Lies[lie];
        var random = new Random(lie.Length);
        // A stack takes its time.
        IEnumerable<string> texts = kind == TrapKind.CallStackExhausted ? Texts.Take(1) : Texts;
        for (int round = 0; round < 4; round++)
        {
            bool calleeLies = round % 2 == 0;
            // Text that is copied as it is, and other pairs.
            (string inner, string outer) = round < 2 ? ("utf8", "utf8") : (Encodings[random.Next(3)], Encodings[random.Next(3)]);
            (bool inner64, bool outer64) = (round >= 2 && random.Next(2) == 0, round >= 2 && random.Next(2) == 0);
            var engine = new Engine(new EngineOptions { MemoryChecks = random.Next(2) == 0 ? MemoryChecks.Guard : MemoryChecks.Explicit });
            WasmComponent component = engine.CompileComponent(Wat.ToBinary(Pair(calleeLies ? body : "", calleeLies ? "" : body, inner, outer, inner64, outer64)));
            foreach (string text in texts)
            {
                string first = End(component, calleeLies, text, 0, true), later = End(component, calleeLies, text, 2 * FusedCall.Threshold, true);
                string where = $"{lie}, callee {calleeLies}, {inner} {inner64}, {outer} {outer64}, {text.Length}: {first} at first, {later} later";
                Assert.True(first == later, where);
                // A string without bytes has room at the end.
                bool isHonest = (reason ?? $"{kind}") == "" || (text.Length == 0 && lie == "end");
                string expected = isHonest ? End(component, calleeLies, text, 0, false) : reason ?? $"{kind}";
                Assert.True(first.Contains(expected, StringComparison.Ordinal), $"{where}, not {expected}");
            }
        }
    }

    /// <summary>How a call ends after so many others.</summary>
    private static string End(WasmComponent component, bool calleeLies, string text, int others, bool lies)
    {
        using ComponentInstance instance = component.Instantiate();
        instance.GetFunction<Action<string>>("keep")(text);
        var take = instance.GetFunction<Func<string, uint>>("take");
        var give = instance.GetFunction<Func<uint>>("give");
        uint Call() => calleeLies ? take(text) : give();
        for (int i = 0; i < others; i++) Call();
        if (lies) instance.GetFunction<Action<uint>>(calleeLies ? "arm-callee" : "arm-caller")(1);
        try
        {
            return Call().ToString(CultureInfo.InvariantCulture);
        }
        catch (TrapException e)
        {
            // Nobody comes in again.
            Assert.Contains(ComponentTrap.CannotEnter, Assert.Throws<TrapException>(() => Call()).Message, StringComparison.Ordinal);
            return e.Kind == TrapKind.ComponentModel ? e.Message : $"{e.Kind}";
        }
    }

    // ---- other places where memory is asked for, and what is called behind the function ----

    private const string Seventeen = "(tuple u64 u64 u64 u64 u64 u64 u64 u64 u64 u64 u64 u64 u64 u64 u64 u64 u64)";

    /// <summary>A list, and arguments that are passed in memory.</summary>
    [Theory]
    [InlineData("(list u64)", "(i32.const 131072)", ComponentTrap.ListOutOfBounds)]
    [InlineData("(list u64)", "(i32.const 1028)", ComponentTrap.Unaligned)]
    [InlineData("(list (tuple u64 string))", "(i32.const -8)", ComponentTrap.ListOutOfBounds)]
    [InlineData("(list (tuple u64 char))", "(i32.const 1025)", ComponentTrap.Unaligned)]
    [InlineData("(list (tuple u64 char))", "(i32.const 131064)", ComponentTrap.ListOutOfBounds)]
    [InlineData(Seventeen, "(i32.const 131056)", ComponentTrap.ResultOutOfBounds)]
    [InlineData(Seventeen, "(i32.const 1028)", ComponentTrap.Unaligned)]
    [InlineData("(list u64)", "(i32.const 8) (call $out)", ComponentTrap.CannotLeave)]
    public void PlacesThatLie(string type, string place, string reason) => EndsWith(reason, type, place, "(drop (i32.const 0))", "call");

    /// <summary>What <c>post-return</c> may not do.</summary>
    [Theory]
    [InlineData("(unreachable)", "unreachable")]
    [InlineData("(throw $t)", ComponentTrap.UncaughtException)]
    [InlineData("(call $out)", ComponentTrap.CannotLeave)]
    public void PostReturnsThatFail(string body, string reason) => EndsWith(reason, "(list u64)", "(i32.const 1024)", body, "call");

    /// <summary>The place that a caller names for the result.</summary>
    [Theory]
    [InlineData("unaligned", ComponentTrap.Unaligned)]
    [InlineData("beyond", ComponentTrap.ResultOutOfBounds)]
    public void PlacesOfResults(string name, string reason) => EndsWith(reason, "(list u64)", "(i32.const 1024)", "(drop (i32.const 0))", name);

    private static void EndsWith(string reason, string type, string place, string after, string name)
    {
        WasmComponent component = new Engine().CompileComponent(Wat.ToBinary($$"""
            (component
              {{Out}}
              (component $C
                (import "out" (func $out))
                (core func $out' (canon lower (func $out)))
                (core module $M
                  (import "" "out" (func $out))
                  (tag $t)
                  (memory (export "mem") 2)
                  (global $armed (mut i32) (i32.const 0))
                  (func (export "arm") (global.set $armed (i32.const 1)))
                  (func (export "realloc") (param i32 i32 i32 i32) (result i32)
                    (if (global.get $armed) (then (return {{place}})))
                    (i32.const 1024))
                  (func (export "f") (param {{(type == Seventeen ? "i32" : "i32 i32")}}) (result i32) (i32.const 16))
                  (func (export "after") (param i32) (if (global.get $armed) (then {{after}}))))
                (core instance $m (instantiate $M (with "" (instance (export "out" (func $out'))))))
                (func (export "arm") (canon lift (core func $m "arm")))
                (func (export "f") (param "x" {{type}}) (result (tuple u32 u32))
                  (canon lift (core func $m "f") (memory (core memory $m "mem")) (realloc (core func $m "realloc")) (post-return (core func $m "after")))))
              (component $D
                (import "f" (func $f (param "x" {{type}}) (result (tuple u32 u32))))
                (core module $Libc (memory (export "mem") 2) (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))
                (core instance $libc (instantiate $Libc))
                (core func $f' (canon lower (func $f) (memory (core memory $libc "mem")) (realloc (core func $libc "realloc"))))
                (core module $M
                  (import "" "f" (func $f (param {{(type == Seventeen ? "i32 i32" : "i32 i32 i32")}})))
                  (func (export "call") (call $f (i32.const 64) {{(type == Seventeen ? "" : "(i32.const 2)")}} (i32.const 8)))
                  (func (export "unaligned") (call $f (i32.const 64) {{(type == Seventeen ? "" : "(i32.const 2)")}} (i32.const 10)))
                  (func (export "beyond") (call $f (i32.const 64) {{(type == Seventeen ? "" : "(i32.const 2)")}} (i32.const 131068))))
                (core instance $m (instantiate $M (with "" (instance (export "f" (func $f'))))))
                (func (export "call") (canon lift (core func $m "call")))
                (func (export "unaligned") (canon lift (core func $m "unaligned")))
                (func (export "beyond") (canon lift (core func $m "beyond"))))
              (instance $c (instantiate $C (with "out" (func $o "out"))))
              (instance $d (instantiate $D (with "f" (func $c "f"))))
              (export "call" (func $d "call"))
              (export "unaligned" (func $d "unaligned"))
              (export "beyond" (func $d "beyond"))
              (export "arm" (func $c "arm")))
            """));
        foreach (int others in new[] { 0, 2 * FusedCall.Threshold })
        {
            using ComponentInstance instance = component.Instantiate();
            var call = instance.GetFunction<Action>("call");
            for (int i = 0; i < others; i++) call();
            instance.GetFunction<Action>("arm")();
            TrapException trap = Assert.Throws<TrapException>(() => instance.GetFunction<Action>(name)());
            Assert.True(trap.Message.Contains(reason, StringComparison.Ordinal), $"after {others}: {trap.Message}");
            Assert.Contains(ComponentTrap.CannotEnter, Assert.Throws<TrapException>(call).Message, StringComparison.Ordinal);
        }
    }
}
