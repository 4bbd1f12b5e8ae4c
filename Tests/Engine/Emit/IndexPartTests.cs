using Xunit;

namespace WasmJit.Tests;

/// <summary>Accesses whose index is computed with 64 bits go where 32 bits say, and trap where they trap.</summary>
public sealed class IndexPartTests
{
    /// <summary>Indices made of <c>$i</c> and constants: at the ends of the memory of 65,536 bytes, and where 32 bits wrap around.</summary>
    public static TheoryData<string> Indices => new(
        "(i32.add (i32.and (local.get $i) (i32.const 0xffff)) (i32.const 65528))",
        "(i32.add (i32.and (local.get $i) (i32.const 0xffff)) (i32.const -8))",
        "(i32.add (i32.and (local.get $i) (i32.const 7)) (i32.const -8))",
        "(i32.add (i32.and (local.get $i) (i32.const 8)) (i32.const -8))",
        "(i32.add (i32.and (local.get $i) (i32.const 7)) (i32.const 0x7ffffff8))",
        "(i32.add (local.get $i) (i32.const 16))",
        "(i32.add (i32.shr_u (local.get $i) (i32.const 16)) (i32.const 4))",
        "(i32.add (i32.shr_u (local.get $i) (i32.const 0)) (i32.const 4))",
        "(i32.shl (i32.and (local.get $i) (i32.const 0x3fffffff)) (i32.const 2))",
        "(i32.shl (i32.and (local.get $i) (i32.const 0x7fffffff)) (i32.const 2))",
        "(i32.add (i32.shl (i32.and (local.get $i) (i32.const 0x3fff)) (i32.const 2)) (i32.const 0x10))",
        "(i32.add (i32.shl (i32.and (local.get $i) (i32.const 0x1fffffff)) (i32.const 3)) (i32.const 7))",
        "(i32.add (i32.shl (i32.and (local.get $i) (i32.const 0x1fffffff)) (i32.const 3)) (i32.const 8))",
        "(i32.add (i32.add (i32.and (local.get $i) (i32.const 0xff)) (i32.const 0xfff0)) (i32.const 1))",
        "(i32.add (i32.shl (i32.add (i32.and (local.get $i) (i32.const 3)) (i32.const 5)) (i32.const 3)) (i32.const 1))",
        "(i32.shl (i32.add (i32.load8_u (local.get $i)) (i32.const 5)) (i32.const 3))",
        "(i32.add (i32.load16_u (local.get $i)) (i32.const 5))",
        "(local.set $j (i32.add (i32.and (local.get $i) (i32.const 0xfff8)) (i32.const 1))) (local.set $i (local.get $j)) (i32.add (local.get $i) (i32.const 4))");

    public static uint[] Numbers =>
    [
        0, 1, 7, 8, 15, 0x3fff, 0x4000, 0xfff0, 0xfff8, 0xffff, 0x10000, 0x1fffffff, 0x20000000, 0x3fffffff, 0x40000000, 0x7fffffff, 0x80000000,
        0xfffffff0, 0xfffffff8, 0xffffffff,
    ];

    [Theory]
    [MemberData(nameof(Indices))]
    public void AccessesGoWhere32BitsSay(string index)
    {
        string text = $"""
            (module (memory 1)
              (func $fill (param i32) (loop $l
                (i32.store8 (local.get 0) (i32.mul (local.get 0) (i32.const 0x9e3779b1)))
                (br_if $l (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 65536)))))
              (func (export "load") (param $i i32) (result i32) (local $j i32) (call $fill (i32.const 0)) (i32.load offset=3 {index}))
              (func (export "store") (param $i i32) (result i32) (local $j i32) (local $at i32) (local $sum i32)
                {index} (i32.xor (local.get $i) (i32.const 0x5a5a5a5a)) (i32.store offset=1)
                (loop $l
                  (local.set $sum (i32.add (i32.mul (local.get $sum) (i32.const 31)) (i32.load8_u (local.get $at))))
                  (br_if $l (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 1))) (i32.const 65536))))
                (local.get $sum)))
            """;
        foreach (string name in new[] { "load", "store" })
        {
            object[] expected = Results(Tiers.Interpreted, text, name);
            foreach (MemoryChecks checks in Enum.GetValues<MemoryChecks>())
                Assert.Equal(expected, Results(Tiers.Compiled with { MemoryChecks = checks }, text, name));
            Assert.Equal(expected, Results(Tiers.Compiled with { Verify = true }, text, name));
        }
    }

    private static object[] Results(EngineOptions options, string text, string name)
    {
        var f = new Engine(options).CompileText(text).Instantiate().GetExport<Func<int, int>>(name);
        return [.. Numbers.Select(number => Result(f, number))];
    }

    private static object Result(Func<int, int> f, uint number)
    {
        try
        {
            return f((int)number);
        }
        catch (TrapException e)
        {
            return e.Kind;
        }
    }
}
