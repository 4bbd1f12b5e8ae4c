using WasmJit.Jit.Tiers;
using Xunit;

namespace WasmJit.Tests;

/// <summary>
/// Where code leaves out a charge, because an earlier one pays for it, or stores what is left of the fuel behind a loop alone: guests end at the same place, and with the same
/// amount, as where each charge is made.
/// </summary>
public sealed class FuelChargeTests
{
    private const string Callees = """
        (memory 1) (global $g (mut i32) (i32.const 0))
        (func $double (param i32) (result i32) (i32.add (local.get 0) (local.get 0)))
        (func $twice (param i32) (result i32) (call $double (i32.mul (local.get 0) (i32.const 3))))
        (func $fib (param i32) (result i32) (local i32)
          (if (i32.ge_u (local.get 0) (i32.const 2)) (then
            (loop $l
              (local.set 1 (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1))) (local.get 1)))
              (br_if $l (i32.gt_u (local.tee 0 (i32.sub (local.get 0) (i32.const 2))) (i32.const 1))))))
          (i32.add (local.get 0) (local.get 1)))
        (func $mark (param i32) (i32.store8 (local.get 0) (i32.const 1)))
        (func $never (result i32) (unreachable))
        (tag $t)
        (func $throw (param i32) (loop (if (i32.gt_u (local.get 0) (i32.const 2)) (then (throw $t))) (br_if 0 (i32.eqz (local.tee 0 (i32.add (local.get 0) (i32.const 1)))))))
        """;

    /// <summary>Bodies of functions from i32 to i32, and whether a loop in them does not store what is left.</summary>
    public static TheoryData<string, bool> Bodies => new()
    {
        // One charge for the loop and what it begins with.
        { "(call $fib (i32.const 9))", false },
        { "(call $double (local.get 0))", false },
        { "(call $twice (local.get 0))", false },
        { "(call $double (call $double (local.get 0)))", false },
        { "(global.set $g (i32.const 5)) (call $double (local.get 0))", false },
        { "(i32.store (i32.const 8) (i32.const 5)) (call $double (local.get 0))", false },
        { "(drop (i32.load (local.get 0))) (call $double (local.get 0))", false },
        { "(drop (i32.div_u (i32.const 5) (local.get 0))) (call $double (local.get 0))", false },
        { "(call $mark (i32.const 3)) (call $double (local.get 0))", false },
        { "(if (local.get 0) (then (local.set 0 (call $double (local.get 0))))) (call $double (local.get 0))", false },
        { "(block (br_if 0 (local.get 0)) (local.set 0 (call $double (local.get 0)))) (local.get 0)", false },
        { "(loop (local.set 0 (call $double (i32.sub (local.get 0) (i32.const 40)))) (br_if 0 (i32.gt_s (local.get 0) (i32.const 0)))) (local.get 0)", true },
        { "(block (local.set 0 (call $never))) (local.get 0)", false },
        // Loops that trap nowhere, and end at their end.
        { "(local $i i32) (local.set $i (i32.const 0)) (loop (i32.store8 (local.get $i) (local.get 0)) (br_if 0 (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 7))) (i32.const 100)))) (local.get $i)", true },
        {
            """
            (local $i i32) (local $j i32)
            (loop (local.set $j (i32.const 0))
              (loop (i32.store8 offset=100 (local.get $j) (local.get $i)) (br_if 0 (i32.lt_u (local.tee $j (i32.add (local.get $j) (i32.const 1))) (i32.const 5))))
              (if (i32.and (local.get $i) (i32.const 1)) (then (call $mark (i32.const 9))))
              (br_if 0 (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 6))))
            (local.get $j)
            """, true
        },
        // A quiet one in one that is not.
        {
            """
            (local $i i32) (local $j i32)
            (loop (local.set $j (i32.const 0))
              (loop (br_if 0 (i32.lt_u (local.tee $j (i32.add (local.get $j) (i32.const 1))) (i32.const 5))))
              (i32.store8 (i32.mul (local.get $i) (i32.const 30000)) (i32.const 1))
              (br_if 0 (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 6))))
            (local.get $j)
            """, true
        },
        {
            """
            (local $i i32) (local $j i32)
            (loop (local.set $j (i32.const 0))
              (loop (br_if 0 (i32.lt_u (local.tee $j (i32.add (local.get $j) (i32.const 1))) (i32.const 5))))
              (local.set $j (call $fib (i32.const 8)))
              (br_if 0 (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 3))))
            (local.get $j)
            """, true
        },
        // Fewer calls than charges, and a handler between a call and a charge.
        { "(local $i i32) (loop (local.set 0 (call $fib (i32.const 7))) (if (local.get 0) (then (call $mark (local.get 0)))) (br_if 0 (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 4)))) (local.get $i)", false },
        {
            """
            (local $i i32)
            (loop $l (block $caught (try_table (catch_all $caught) (call $throw (local.get $i)))) (call $mark (local.get $i)) (if (local.get $i) (then (call $mark (i32.const 9))))
              (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 6))))
            (local.get $i)
            """, false
        },
        // Ways out of a loop: by its middle, by a return, by a trap, by an exception, by a table; one in an outer loop that is quiet.
        { "(block $out (loop (br_if $out (i32.lt_u (local.get 0) (i32.const 50))) (local.set 0 (i32.sub (local.get 0) (i32.const 3))) (br 0))) (local.get 0)", false },
        { "(loop (if (i32.lt_u (local.get 0) (i32.const 50)) (then (return (local.get 0)))) (local.set 0 (i32.sub (local.get 0) (i32.const 3))) (br 0)) (unreachable)", false },
        { "(loop (if (i32.lt_u (local.get 0) (i32.const 50)) (then (unreachable))) (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (local.get 0)", false },
        { "(loop (drop (i32.rem_u (i32.const 1) (i32.sub (local.get 0) (i32.const 50)))) (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (local.get 0)", false },
        { "(loop (i32.store8 (i32.mul (local.get 0) (i32.const 1000)) (i32.const 1)) (br_if 0 (local.tee 0 (i32.add (local.get 0) (i32.const 1))))) (local.get 0)", false },
        { "(block $out (loop (br_table 0 $out (i32.lt_u (local.tee 0 (i32.sub (local.get 0) (i32.const 3))) (i32.const 50))))) (local.get 0)", false },
        {
            """
            (local $i i32)
            (loop $outer
              (block $out (loop (br_if $out (i32.and (local.get 0) (i32.const 8))) (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
              (local.set 0 (i32.sub (local.get 0) (i32.const 8)))
              (br_if $outer (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 5))))
            (local.get 0)
            """, true
        },
        { "(loop (result i32) (br_if 0 (i32.gt_s (local.tee 0 (i32.sub (local.get 0) (i32.const 9))) (i32.const 0))) (local.get 0))", false },
        { "(loop (br 0)) (unreachable)", false },
    };

    private static readonly EngineOptions Counting = new() { CountFuel = true, Compilation = Compilation.Lazy };

    private static readonly EngineOptions[] Kinds =
    [
        Counting,
        Counting with { Verify = true },
        Counting with { Interruptible = true },
        Counting with { Interruptible = true, Verify = true },
        Counting with { MemoryChecks = MemoryChecks.Explicit },
        Counting with { MemoryChecks = MemoryChecks.Explicit, Verify = true },
        Counting with { Inlining = false },
        Counting with { Compilation = Compilation.Tiered, TierSeed = 3 },
        Counting with { Compilation = Compilation.Tiered, TierSeed = 4, Verify = true },
    ];

    private static string Text(string body) => $"(module {Callees} (func (export \"f\") (param i32) (result i32) {body}) (export \"memory\" (memory 0)) (export \"g\" (global $g)))";

    [Theory]
    [MemberData(nameof(Bodies))]
    public void GuestsEndAtTheSamePlace(string body, bool storesBehind)
    {
        Module reference = new Engine(Counting with { Compilation = Compilation.Interpreted }).CompileText(Text(body));
        Module[] others = [.. Kinds.Select(options => new Engine(options).CompileText(Text(body)))];
        for (int amount = 1; amount < 700; amount += amount < 120 ? 1 : 13)
        {
            (string, long, int, int) expected = Run(reference, amount);
            foreach (Module module in others) Assert.Equal((module.Engine.CodeOptions.ToString(), expected), (module.Engine.CodeOptions.ToString(), Run(module, amount)));
        }
        string[] il = [.. FunctionCode.Of(others[1].Info, others[1].Engine.CodeOptions).EmitIl(others[1].Info.FindExport("f")!.Index is var index ? (int)index : 0).Listing().Select(line => line.Text)];
        Assert.Equal(storesBehind, il.Any(line => line.Contains("the fuel behind a loop", StringComparison.Ordinal)));
    }

    /// <summary>What a call gives or why it ends, what is left, and what it has done.</summary>
    private static (string Result, long Left, int Memory, int Global) Run(Module module, int amount)
    {
        Instance instance = module.Instantiate(null, new Fuel(amount));
        string result;
        try
        {
            result = $"{instance.GetExport<Func<int, int>>("f")(100)}";
        }
        catch (TrapException e)
        {
            result = $"{e.Kind}";
        }
        int bytes = 0;
        foreach (byte each in instance.GetExport<Memory>("memory").Slice(0, 65536)) bytes = unchecked((bytes * 31) + each);
        return (result, instance.Fuel!.Left, bytes, instance.GetExport<Global>("g").Value is int value ? value : 0);
    }
}
