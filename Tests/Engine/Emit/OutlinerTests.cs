using System.Diagnostics;
using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using WasmJit.Jit.Emit;
using WasmJit.Jit.Il;
using WasmJit.Runtime;
using Xunit;
using Xunit.Abstractions;

namespace WasmJit.Tests;

/// <summary>Tests that listen to the JIT's events: with nothing beside them, so that none are lost.</summary>
[CollectionDefinition("JIT events", DisableParallelization = true)]
public sealed class JitEvents;

/// <summary>Functions beyond RyuJIT's limits are optimised all the same, and compute the same.</summary>
[Collection("JIT events")]
public sealed class OutlinerTests(ITestOutputHelper output)
{
    private static readonly EngineOptions Lazy = new() { Compilation = Compilation.Lazy };

    private static ushort[] Program(int cases, int length)
    {
        var random = new Random(1);
        var program = new ushort[length];
        foreach (ref ushort c in program.AsSpan()) c = (ushort)random.Next(cases);
        return program;
    }

    /// <summary>The limits of <see cref="JitLimits"/> are RyuJIT's: below them methods are optimised, a little above them they are not.</summary>
    [Theory]
    [InlineData("bytes", JitLimits.Bytes, JitLimits.BytesThatPreventOptimising)]
    [InlineData("instructions", JitLimits.Instructions, 20_100)]
    [InlineData("blocks", JitLimits.Blocks, 2_100)]
    [InlineData("locals", JitLimits.Locals, 2_100)]
    [InlineData("uses", JitLimits.LocalRefs, 8_100)]
    public void MethodsBeyondALimitAreNotOptimised(string limit, int below, int above)
    {
        using var listener = new JitListener();
        foreach ((int count, int tier) in new[] { (below, 2), (above, 1) })
        {
            string name = $"{limit} {count} {Guid.NewGuid()}";
            Compile();
            Assert.Equal([tier], listener.TiersOf(name, Compile));

            void Compile()
            {
                var method = new DynamicMethod(name, typeof(int), [typeof(int)]);
                Write(method.GetILGenerator(), limit, count);
                Assert.Equal(7, method.CreateDelegate<Func<int, int>>()(7));
            }
        }
    }

    private static void Write(ILGenerator il, string limit, int count)
    {
        switch (limit)
        {
            case "locals":
                for (int i = 0; i < count - 1; i++) il.DeclareLocal(typeof(int));
                break;
            case "uses":
                for (int i = 0; i < (count - 1) / 2; i++)
                {
                    il.Emit(OpCodes.Ldarg_0);
                    il.Emit(OpCodes.Starg_S, (byte)0);
                }
                break;
            case "blocks":
                for (int i = 0; i < (count / 2) - 1; i++)
                {
                    Label next = il.DefineLabel();
                    il.Emit(OpCodes.Ldarg_0);
                    il.Emit(OpCodes.Brtrue, next);
                    il.Emit(OpCodes.Nop);
                    il.MarkLabel(next);
                }
                break;
            case "instructions":
                for (int i = 0; i < count - 2; i++) il.Emit(OpCodes.Nop);
                break;
        }
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ret);
        if (limit != "bytes") return;
        while (il.ILOffset < count - 10)
        {
            il.Emit(OpCodes.Ldc_I8, 0L);
            il.Emit(OpCodes.Pop);
        }
        il.Emit(OpCodes.Ldnull);
        il.Emit(OpCodes.Throw);
    }

    [Theory]
    [InlineData(10, 5, 3, false)]
    [InlineData(1000, 8, 4, true)]
    [InlineData(1000, 20, 3, true)]
    [InlineData(350, 70, 12, true)]
    public void ASwitchOfAThousandCasesIsOptimised(int cases, int locals, int steps, bool large)
    {
        var source = new SwitchProgram(cases, locals, steps);
        using var listener = new JitListener();
        string text = $"(module $switch{cases}x{locals} " + source.Text()["(module ".Length..];
        Module module = new Engine(Lazy).CompileText(text);
        Assert.Equal(large, Outliner.ExceedsLimits(module.Code.EmitIl(0), 2));

        Instance instance = module.Instantiate();
        ushort[] program = Program(cases, 100_000);
        MemoryMarshal.AsBytes<ushort>(program).CopyTo(instance.GetExport<Memory>("m").Span);
        var run = instance.GetExport<Func<int, long>>("run");
        var watch = Stopwatch.StartNew();
        Assert.Equal(source.Expected(program.AsSpan(0, 1)), run(1));
        TimeSpan first = watch.Elapsed;
        watch.Restart();
        Assert.Equal(source.Expected(program), run(program.Length));
        output.WriteLine($"{cases} cases, {locals} locals: first call {first.TotalMilliseconds:f0} ms");
        watch.Restart();
        run(program.Length);
        output.WriteLine($"{watch.Elapsed.TotalNanoseconds / program.Length:f2} ns a case");

        // One method: the outlined body was inlined, otherwise it would have been compiled under the same name.
        Assert.Equal([2], listener.TiersOf(module.Code.NameOf(0), () => new Engine(Lazy).CompileText(text).Instantiate().GetExport<Func<int, long>>("run")(1)));
    }

    [Fact]
    public void TrapsOfOutlinedFunctionsAreTheirOwn()
    {
        string many = string.Concat(Enumerable.Repeat(Part, 1500));
        Module module = new Engine(Lazy).CompileText($"""
            (module $m (memory 1) (func $large (export "f") (param $x i32) (param $address i32) (result i32)
              {many}
              local.get $x
              local.get $address i32.load
              i32.div_s))
            """);
        Assert.True(Outliner.ExceedsLimits(module.Code.EmitIl(0), 3));
        Instance instance = module.Instantiate();
        var f = instance.GetExport<Func<int, int, int>>("f");
        Assert.Equal(TrapKind.OutOfBoundsMemoryAccess, Check(() => f(1, 65536)));
        Assert.Equal(TrapKind.IntegerDivideByZero, Check(() => f(1, 0)));

        TrapKind Check(Action call)
        {
            TrapException trap = Assert.Throws<TrapException>(call);
            Assert.Equal(["large"], trap.WasmStack.Select(frame => frame.Function));
            return trap.Kind;
        }
    }

    private const string Part = "local.get $x i32.const 1024 i32.and if local.get $x i32.const 3 i32.mul local.set $x end ";

    [Fact]
    public void OutlinedFunctionsCallAndReachEverything()
    {
        using var listener = new JitListener();
        Module module = new Engine(Lazy).CompileText($"""
            (module $everything
              (type $if (func (param i32) (result i32)))
              (import "host" "twice" (func $twice (param i32) (result i32)))
              (import "host" "global" (global $imported (mut i64)))
              (global $own (mut f64) (f64.const 1.5))
              (memory 1) (memory $second 1)
              (table $t 4 funcref) (table $objects 2 externref)
              (elem (table $t) (i32.const 1) func $inc)
              (elem declare func $pair)
              (func $inc (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
              (func $pair (param i32) (result i32 i64) (local.get 0) (i64.const 40))
              (func (export "f") (param $x i32) (param $o externref) (result i32) (local $i i32) (local $l i64) (local $f f32)
                {string.Concat(Enumerable.Range(0, 40).Select(i => $"(local $extra{i} i32) "))}
                {string.Concat(Enumerable.Range(0, 40).Select(i => $"local.get $x i32.const {i} i32.add local.set $extra{i} "))}
                {string.Concat(Enumerable.Repeat(Part, 1500))}
                (call $inc (local.get $x)) (call $twice) local.set $x
                (call_indirect $t (type $if) (local.get $x) (i32.const 1)) local.set $x
                (call_ref $if (local.get $x) (ref.func $inc)) local.set $x
                (call $pair (local.get $x)) local.set $l local.set $i
                (global.set $imported (i64.add (global.get $imported) (local.get $l)))
                (global.set $own (f64.add (global.get $own) (f64.sqrt (f64.const 4))))
                (table.set $objects (i32.const 1) (local.get $o))
                (i32.store $second (i32.const 8) (local.get $i))
                (memory.copy $second $second (i32.const 16) (i32.const 8) (i32.const 4))
                (memory.fill (i32.const 0) (i32.const 1) (i32.const 4))
                (local.set $f (f32.min (f32.const 100) (f32.convert_i32_u (i32.rem_s (local.get $i) (i32.const 50)))))
                (i32.load $second (i32.const 16))
                (i32.add (i32.load (i32.const 0)))
                (i32.add (i32.trunc_f64_s (global.get $own)))
                (i32.add (i32.trunc_f32_u (local.get $f)))
                {string.Concat(Enumerable.Range(0, 40).Select(i => $"local.get $extra{i} i32.add "))}
                (i32.add (ref.is_null (table.get $objects (i32.const 1))))))
            """);
        Assert.True(Outliner.ExceedsLimits(module.Code.EmitIl(module.Info.ImportedFuncs + 2), 3));
        var global = new Global(new GlobalType(ValType.I64, true), 2L);
        Instance instance = module.Instantiate(new Imports
        {
            { "host", "twice", (Func<int, int>)(x => x * 2) },
            { "host", "global", global },
        });
        var f = instance.GetExport<Func<int, object?, int>>("f");
        // x = 5: 12, 13, 14; the memory's ones; the global 3.5; 14 as float; 40 locals.
        Assert.Equal(14 + 0x01010101 + 3 + 14 + (40 * 5) + 780, f(5, "object"));
        Assert.Equal(42L, global.Value);
        Assert.Equal([2], listener.TiersOf(module.Code.NameOf(module.Info.ImportedFuncs + 2), () => module.Code.Compile(module.Info.ImportedFuncs + 2)));
    }

    /// <summary>
    /// RyuJIT makes temporaries as it reads the IL of a call, or of a value that is used twice, and inlines nothing into a method with 1,024 locals. So these must
    /// not take any.
    /// </summary>
    [Theory]
    [InlineData("calls", "(local.set $x (call $step (local.get $x) (i32.const 3)))")]
    [InlineData("calls of what is imported", "(local.set $x (call $host (local.get $x) (i32.const 3)))")]
    [InlineData("calls through a table", "(local.set $x (call_indirect (type $step) (local.get $x) (i32.const 3) (i32.const 0)))")]
    [InlineData("values used twice", "(local.set $x (i32.add (local.tee $y (i32.mul (local.get $x) (i32.const 3))) (i32.sub (i32.const 1) (i32.shr_s (local.get $y) (i32.const 31))))) (local.set $x (i32.add (local.get $x) (i32.shr_s (local.get $y) (i32.const 31))))")]
    public void WhatIsThereAThousandTimesTakesNoTemporary(string what, string statement)
    {
        const int count = 1_500;
        using var listener = new JitListener();
        string text = $"""
            (module $m
              (type $step (func (param i32 i32) (result i32)))
              (import "host" "step" (func $host (type $step)))
              (table funcref (elem $step))
              (func $step (type $step) (i32.add (i32.mul (local.get 0) (local.get 1)) (i32.const 1)))
              (func $large (export "f") (param $x i32) (result i32) (local $y i32)
                {string.Concat(Enumerable.Repeat(Part, count))}
                {string.Concat(Enumerable.Repeat(statement, count))}
                local.get $x))
            """;
        var options = new EngineOptions { Compilation = Compilation.Lazy, Inlining = false };
        Module module = new Engine(options).CompileText(text);
        Assert.True(Outliner.ExceedsLimits(module.Code.EmitIl(2), 2));
        int expected = 5;
        for (int i = 0; i < count; i++) expected = (expected * 3) + 1;
        Assert.Equal(expected, Run(module)(5));
        Assert.True(module.Code.FormOf(2) is { IsOutlined: true, Slow: null }, $"{what}: {module.Code.FormOf(2)}");
        Assert.Equal(", inlined as a whole", module.Code.FormOf(2).Describe());
        Assert.Equal([2], listener.TiersOf(module.Code.NameOf(2), () => Run(new Engine(options).CompileText(text))(5)));

        static Func<int, int> Run(Module module) =>
            module.Instantiate(new Imports { { "host", "step", (Func<int, int, int>)((x, y) => (x * y) + 1) } }).GetExport<Func<int, int>>("f");
    }

    /// <summary>An interpreter in C++: each of many cases may throw, some catch.</summary>
    [Fact]
    public void FunctionsThatCatchAreOutlinedToo()
    {
        const int cases = 400;
        using var listener = new JitListener();
        var text = new System.Text.StringBuilder("""
            (module $m (tag $odd (param i32)) (tag $other)
              (func $check (param $x i32) (param $case i32) (result i32)
                (if (i32.and (local.get $x) (i32.const 1)) (then (throw $odd (i32.xor (local.get $x) (local.get $case)))))
                (if (i32.eqz (i32.rem_u (local.get $x) (i32.const 5))) (then (throw $other)))
                (i32.add (local.get $x) (local.get $case)))
              (func $large (export "f") (param $x i32) (param $n i32) (result i32) (local $case i32)
                (block $other
                (try_table (catch $other $other)
                (loop $again
                (block $done
                (br_if $done (i32.eqz (local.get $n)))
                (local.set $n (i32.sub (local.get $n) (i32.const 1)))

            """);
        for (int i = cases - 1; i >= 0; i--) text.Append($"(block $c{i} ");
        text.AppendLine($"(br_table {string.Join(' ', Enumerable.Range(0, cases).Select(i => $"$c{i}"))} $c0 (i32.rem_u (local.get $x) (i32.const {cases}))))");
        for (int i = 0; i < cases; i++)
        {
            text.AppendLine(i % 3 == 2
                ? $"(local.set $x (block $caught (result i32) (try_table (catch $odd $caught) (local.set $x (call $check (local.get $x) (i32.const {i})))) (local.get $x)))"
                : $"(local.set $x (i32.add (i32.mul (local.get $x) (i32.const {(2 * i) + 3})) (i32.rotl (local.get $x) (i32.const {i % 32}))))");
            text.AppendLine($"(if (i32.and (local.get $x) (i32.const 64)) (then (local.set $x (i32.xor (local.get $x) (i32.const {i})))))");
            text.AppendLine($"(if (i32.and (local.get $x) (i32.const 32)) (then (local.set $x (i32.sub (local.get $x) (i32.const {i})))))");
            text.AppendLine(i < cases - 1 ? "(br $again))" : "(br $again)");
        }
        text.AppendLine(")) (return (local.get $x)))) (i32.add (local.get $n) (i32.mul (local.get $x) (i32.const 16)))))");
        Module module = new Engine(Lazy).CompileText(text.ToString());
        Assert.True(Outliner.ExceedsLimits(module.Code.EmitIl(1), 3));
        var f = module.Instantiate().GetExport<Func<int, int, int>>("f");
        int caught = 0, others = 0;
        for (int x = 1; x < 200; x++) Assert.Equal(Expected(x, 50), f(x, 50));
        Assert.True(caught > 50 && others > 5, $"{caught} {others}");
        Assert.True(module.Code.FormOf(1) is { IsOutlined: true, Slow: null }, $"{module.Code.FormOf(1)}");
        Assert.Equal([2], listener.TiersOf(module.Code.NameOf(1), () => new Engine(Lazy).CompileText(text.ToString()).Instantiate().GetExport<Func<int, int, int>>("f")(1, 1)));

        int Expected(int x, int n)
        {
            while (n-- > 0)
            {
                int i = (int)((uint)x % cases);
                if (i % 3 != 2)
                {
                    x = (x * ((2 * i) + 3)) + (int)System.Numerics.BitOperations.RotateLeft((uint)x, i % 32);
                }
                else if ((x & 1) != 0)
                {
                    caught++;
                    x ^= i;
                }
                else if ((uint)x % 5 == 0)
                {
                    others++;
                    return n + (x * 16);
                }
                else
                {
                    x += i;
                }
                if ((x & 64) != 0) x ^= i;
                if ((x & 32) != 0) x -= i;
            }
            return x;
        }
    }

    [Fact]
    public void OutlinedCodeIsCollected()
    {
        Assert.True(Eventually.Collected(Run()));

        [MethodImpl(MethodImplOptions.NoInlining)]
        static WeakReference[] Run()
        {
            Module module = new Engine(Lazy).CompileText(
                $"""
                (module (func (export "f") (param $x i32) (result i32)
                  {string.Concat(Enumerable.Repeat(Part, 1500))} local.get $x))
                """);
            Assembly[] before = Outlined();
            Assert.Equal(5, module.Instantiate().GetExport<Func<int, int>>("f")(5));
            // What was hot in tests before this one may be compiled meanwhile; it goes, too.
            WeakReference[] made = [.. Outlined().Except(before).Select(a => new WeakReference(a))];
            Assert.NotEmpty(made);
            return made;
        }

        static Assembly[] Outlined() => [.. AppDomain.CurrentDomain.GetAssemblies().Where(a => a.GetName().Name == "wasm")];
    }

    [Fact]
    public void LimitsCountBlocksAsTheJitDoes()
    {
        var il = new IlBuffer();
        int label = il.DefineLabel();
        il.Mark(label);
        il.LdcI4(1);
        il.Branch(OpCodes.Brtrue, label);
        il.Emit(OpCodes.Ret);
        Assert.Equal(2, Outliner.CountBlocks(il));
        Assert.False(Outliner.ExceedsLimits(il, 2));
        Assert.True(Outliner.ExceedsLimits(il, 2000));
    }
}
