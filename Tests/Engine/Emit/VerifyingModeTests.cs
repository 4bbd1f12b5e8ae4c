using System.Runtime.CompilerServices;
using WasmJit.Gc;
using WasmJit.Jit.Tiers;
using WasmJit.Runtime;
using Xunit;

namespace WasmJit.Tests;

/// <summary>The verifying mode: where a check is left out, an assertion stands that fails when what was relied on is not so.</summary>
public sealed class VerifyingModeTests
{
    private const string Types = """
        (type $A (sub (struct (field i64)))) (type $B (sub $A (struct (field i64 i32)))) (type $arr (array i64)) (type $m (memory 1))
        (memory $own 1)
        (func $callee (call $callee))
        """;

    /// <summary>Something is left out in each body; the assertion in its place names what is relied on.</summary>
    [Theory]
    [InlineData("(drop (ref.cast (ref $A) (struct.new $B (i64.const 1) (i32.const 2))))", "Reference", "ref.cast", "a test that was left out")]
    [InlineData("(drop (ref.test (ref $A) (struct.new $B (i64.const 1) (i32.const 2))))", "Reference", "ref.test", "a test that was left out")]
    [InlineData("(drop (array.len (array.new_fixed $arr 0))) (drop (struct.get $A 0 (struct.new $A (i64.const 1))))", "Reference", "array.len", "a comparison with null that was left out")]
    [InlineData("(drop (ref.eq (struct.new $A (i64.const 1)) (ref.i31 (i32.const 1))))", "Reference", "ref.eq", "a comparison of numbers that was left out")]
    [InlineData("(drop (block (result anyref) (br_on_cast 0 (ref null $A) (ref null $A) (local.get $a))))", "Reference", "br_on_cast", "a test that was left out")]
    [InlineData("(drop (table.get $t (i32.const 0)))", "Reference", "table.get", "an operand that it left")]
    [InlineData("(drop (i64.load (ref $m) (local.get $m) (i32.const 8)))", "GuardedMemoryBase", "i64.load", "the base beside a local")]
    [InlineData("(drop (i64.load (ref slice) (local.get $s) (i64.const 8)))", "SliceLimit", "i64.load", "the limit beside a local")]
    [InlineData("(drop (i64.load (ref slice) (local.get $s) (i64.const 8)))", "SliceBase", "i64.load", "the base beside a local")]
    [InlineData("(i64.store $own (local.get $i) (i64.const 8))", "Address", "i64.store", "the address of an access")]
    [InlineData("(drop (i64.load $own (i32.add (i32.and (local.get $i) (i32.const 15)) (i32.const 8))))", "Sum", "i64.load", "an index that does not wrap around")]
    [InlineData("(drop (i64.load $own (i32.shl (i32.and (local.get $i) (i32.const 15)) (i32.const 3))))", "Shift", "i64.load", "an index that does not wrap around")]
    [InlineData("(drop (i64.load $own (i32.const 65536)))", "Address", "i64.load", "the address of an access")]
    [InlineData("(drop (i32.add (local.get $i) (block (result i32) (local.set $i (i32.const 1)) (i32.const 5))))", "SameI32", "i32.add", "an operand in a temporary")]
    [InlineData("(drop (i32.add (local.get $i) (i32.const 1)))", "SameI32", "i32.add", "a read of a local that waits")]
    [InlineData("(drop (i32.eqz (i32.rotl (local.get $i) (i32.const 5))))", "Comparison", "i32.eqz", "a comparison")]
    [InlineData("(if (i32.rotl (local.get $i) (i32.const 5)) (then (nop)))", "Comparison", "if", "a comparison")]
    [InlineData("(call $callee)", "StackMark", "call", "the stack")]
    public void AssertsWhatCodeReliesOn(string body, string assertion, string op, string what)
    {
        string wat = $"""
            (module {Types} (table $t 1 (ref null $A))
              (func (export "f") (param $a (ref null $A)) (param $m (ref null $m)) (param $s (ref null slice)) (param $i i32) {body}))
            """;
        var verifying = new Engine(new EngineOptions { Verify = true });
        Module module = verifying.CompileText(wat);
        string[] il = Listing(module, verifying);
        Assert.Contains(
            Enumerable.Range(1, il.Length - 1).Where(i => il[i].EndsWith($"EmitterAssertions.{assertion}", StringComparison.Ordinal)),
            i => il[i - 1].Contains($"\"{op} at ", StringComparison.Ordinal) && il[i - 1].EndsWith($"{what}\"", StringComparison.Ordinal));

        var ordinary = new Engine();
        Assert.DoesNotContain(Listing(ordinary.CompileText(wat), ordinary), line => line.Contains("EmitterAssertions", StringComparison.Ordinal));
    }

    private static string[] Listing(Module module, Engine engine) =>
        [.. FunctionCode.Of(module.Info, engine.CodeOptions).EmitIl(1).Listing().Select(line => line.Text)];

    /// <summary>With explicit checks the memory beside a local is asserted, and constant addresses inside the memory's first size are.</summary>
    [Fact]
    public void AssertsWhatExplicitChecksRelyOn()
    {
        var engine = new Engine(new EngineOptions { Verify = true, MemoryChecks = MemoryChecks.Explicit });
        Module module = engine.CompileText($"""
            (module {Types} (func (export "f") (param $m (ref null $m)) (param i32)
              (i64.store $own (i32.const 8) (i64.load (ref $m) (local.get $m) (local.get 1)))))
            """);
        string[] il = Listing(module, engine);
        Assert.Contains(il, line => line.EndsWith("EmitterAssertions.CheckedMemory", StringComparison.Ordinal));
        Assert.Equal(2, il.Count(line => line.EndsWith("EmitterAssertions.Address", StringComparison.Ordinal)));
    }

    [Fact]
    public void AssertionsFail()
    {
        var memory = new Memory(new MemoryType(1, 1));
        var other = new Memory(new MemoryType(1, 1));
        var slice = new MemorySlice(memory, 16, 64, isWritable: false);
        nint start = Slices.Base(new MemorySlice(memory, 0, 1)), window = Slices.Base(slice);
        Instance instance = new Engine().CompileText("(module)").Instantiate();
        int i31 = EmitterAssertions.NumberOf(instance.Definition, ValType.Ref(HeapType.I31, false));
        long before = EmitterAssertions.Failures;
        (Action Holds, Action Fails)[] pairs =
        [
            (() => EmitterAssertions.Reference(I31.New(5), instance, i31, "x"), () => EmitterAssertions.Reference(memory, instance, i31, "x")),
            (() => EmitterAssertions.Reference(I31.New(5), instance, i31, "x"), () => EmitterAssertions.Reference(null, instance, i31, "x")),
            (() => EmitterAssertions.SameObject(memory, memory, "x"), () => EmitterAssertions.SameObject(memory, other, "x")),
            (() => EmitterAssertions.SameI32(1, 1, "x"), () => EmitterAssertions.SameI32(1, 2, "x")),
            (() => EmitterAssertions.SameI64(1, 1, "x"), () => EmitterAssertions.SameI64(1, 2, "x")),
            (() => EmitterAssertions.SameF32(float.NaN, float.NaN, "x"), () => EmitterAssertions.SameF32(0f, -0f, "x")),
            (() => EmitterAssertions.SameF64(double.NaN, double.NaN, "x"), () => EmitterAssertions.SameF64(0, -0.0, "x")),
            (() => EmitterAssertions.SameV128(default, default, "x"),
                () => EmitterAssertions.SameV128(default, System.Runtime.Intrinsics.Vector128<byte>.One, "x")),
            (() => EmitterAssertions.MemoryBase(start, memory, "x"), () => EmitterAssertions.MemoryBase(start, other, "x")),
            (() => EmitterAssertions.MemoryBase(start, memory, "x"), () => EmitterAssertions.MemoryBase(start, slice, "x")),
            (() => EmitterAssertions.CheckedMemory(memory, memory, "x"), () => EmitterAssertions.CheckedMemory(memory, null, "x")),
            (() => EmitterAssertions.SliceBase(window, slice, "x"), () => EmitterAssertions.SliceBase(start, slice, "x")),
            (() => EmitterAssertions.SliceLimit(57, slice, 8, 0, "x"), () => EmitterAssertions.SliceLimit(57, slice, 8, 1, "x")),
            (() => EmitterAssertions.Address(start + 65528, memory, 8, 1, "x"), () => EmitterAssertions.Address(start + 65529, memory, 8, 1, "x")),
            (() => EmitterAssertions.Address(start + 65529, memory, 8, 0, "x"), () => EmitterAssertions.Address(start - 1, memory, 8, 0, "x")),
            (() => EmitterAssertions.Address(window + 56, slice, 8, 1, "x"), () => EmitterAssertions.Address(window + 57, slice, 8, 1, "x")),
            (() => EmitterAssertions.StackMark(StackGuard.Stopped, "x"), () => EmitterAssertions.StackMark(1, "x")),
            (() => EmitterAssertions.Iterations(5, 5, "x"), () => EmitterAssertions.Iterations(6, 5, "x")),
            (() => EmitterAssertions.Comparison(1, -1, 0, IntegerComparison.LtS, "x"), () => EmitterAssertions.Comparison(1, -1, 0, IntegerComparison.LtU, "x")),
            (() => EmitterAssertions.Comparison(1, 0, 0, IntegerComparison.Eqz, "x"), () => EmitterAssertions.Comparison(1, 1, 0, IntegerComparison.Eqz, "x")),
        ];
        foreach ((Action holds, Action fails) in pairs)
        {
            holds();
            Assert.StartsWith("x: ", Assert.Throws<EmitterAssertionException>(fails).Message, StringComparison.Ordinal);
        }
        Assert.True(EmitterAssertions.Failures >= before + pairs.Length);
        GC.KeepAlive(memory);
    }

    /// <summary>The type of instances of a nested module has the module, and with it the one around.</summary>
    [Fact]
    public void TypesThatCodeNamesKeepNoModule()
    {
        Assert.True(Eventually.Collected(Run()));

        [MethodImpl(MethodImplOptions.NoInlining)]
        static WeakReference[] Run()
        {
            Module module = new Engine(new EngineOptions { Verify = true }).CompileText("""
                (module (module $in (func (export "g") (result i32) (i32.const 7)))
                  (func (export "f") (result i32) (call_export $in "g" (instantiate (module $in)))))
                """);
            Assert.Equal(7, module.Instantiate().GetExport<Func<int>>("f")());
            return [new(module.Info), new(module.Info.Nested[0])];
        }
    }

    /// <summary>A failed assertion is neither a trap nor an exception that guests catch.</summary>
    [Fact]
    public void GuestsDoNotCatchFailures()
    {
        Instance instance = new Engine().CompileText("""
            (module (import "h" "f" (func $f))
              (func (export "go") (block (try_table (catch_all 0) (call $f)))))
            """).Instantiate(new Imports { { "h", "f", (Action)(() => throw new EmitterAssertionException("x")) } });
        Assert.Throws<EmitterAssertionException>(instance.GetExport<Action>("go"));
    }
}
