using System.Globalization;
using System.Text;
using WasmJit.Jit.Emit;
using WasmJit.Jit.Il;
using WasmJit.Jit.Tiers;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Loops that begin with a switch: each way back has a switch of its own, and nothing else is different.</summary>
public sealed class DispatchTests
{
    private static readonly EngineOptions[] Options =
    [
        Tiers.Compiled,
        Tiers.Compiled with { Interruptible = true },
        Tiers.Compiled with { CountFuel = true },
        Tiers.Compiled with { MemoryChecks = MemoryChecks.Explicit },
        Tiers.Compiled with { Interruptible = true, CountFuel = true, Verify = true, MemoryChecks = MemoryChecks.Explicit },
    ];

    private static IlBuffer IlOf(Module module, int func = 0) => FunctionCode.Of(module.Info, module.Engine.CodeOptions).EmitIl(func);

    private static int Switches(IlBuffer il) => il.InOrder().Count(node => node.Form == IlBuffer.Form.Switch);

    /// <summary>What the buffer counts is what is there.</summary>
    private static void CheckCounts(IlBuffer il)
    {
        IlBuffer.Node[] nodes = [.. il.InOrder()];
        Assert.Equal(nodes.Count(node => node.Form is IlBuffer.Form.Local or IlBuffer.Form.Arg), il.LocalRefs);
        Assert.Equal(nodes.Count(node => node.Form is IlBuffer.Form.Mark or IlBuffer.Form.Label or IlBuffer.Form.Switch), il.Blocks);
        int[] marks = [.. nodes.Where(node => node.Form == IlBuffer.Form.Mark).Select(node => (int)node.Number)];
        Assert.Equal(marks.Length, marks.Distinct().Count());
        Assert.All(marks, mark => Assert.InRange(mark, 0, il.LabelCount - 1));
        foreach (IlBuffer.Node node in nodes)
        {
            if (node.Form == IlBuffer.Form.Label) Assert.Contains((int)node.Number, marks);
            else if (node.Form == IlBuffer.Form.Switch) Assert.All((int[])node.Object!, label => Assert.Contains(label, marks));
        }
    }

    private static long Run(Module module, ushort[] program)
    {
        Instance instance = module.Instantiate(fuel: module.Engine.Options.CountFuel ? new Fuel(long.MaxValue) : null);
        Memory memory = instance.GetExport<Memory>("m");
        program.CopyTo(System.Runtime.InteropServices.MemoryMarshal.Cast<byte, ushort>(memory.Slice(0, 2 * program.Length)));
        return instance.GetExport<Func<int, long>>("run")(program.Length);
    }

    private static ushort[] RandomProgram(int cases)
    {
        var random = new Random(cases);
        return [.. Enumerable.Range(0, 2000).Select(_ => (ushort)random.Next(cases + 1))];
    }

    [Theory]
    [InlineData(12, 6, 3, true)]
    [InlineData(60, 4, 2, true)]
    [InlineData(3, 4, 2, false)]
    [InlineData(200, 3, 1, false)]
    [InlineData(90, 90, 1, false)]
    public void EachWayBackHasASwitchIfThatIsNotTooMuch(int cases, int locals, int steps, bool repeats)
    {
        var source = new SwitchProgram(cases, locals, steps);
        string text = source.Text();
        ushort[] program = RandomProgram(cases);
        // What is in no case of the table goes to its default, which is the first.
        long expected = source.Expected([.. program.Select(c => c == cases ? (ushort)0 : c)]);
        foreach (EngineOptions options in Options)
        {
            Module module = new Engine(options).CompileText(text);
            IlBuffer il = IlOf(module);
            // Code that asserts is so long that the larger one would not be optimised.
            if (cases < 60 || !options.Verify) Assert.Equal(repeats ? cases + 1 : 1, Switches(il));
            CheckCounts(il);
            Assert.False(JitCost.IsTooDear(il, module.Info.Funcs[0].BodyEnd - module.Info.Funcs[0].BodyStart));
            Assert.Equal(expected, Run(module, program));
        }
    }

    /// <summary>Programs of the loop below that go on for ever are stopped, and fuel ends them where it does in the interpreter.</summary>
    [Fact]
    public async Task WhatGoesOnForEverIsStopped()
    {
        string text = $"(module (memory 1) {Program(new Random(3), 12, endless: true)})";
        Module module = new Engine(Tiers.Compiled with { Interruptible = true }).CompileText(text);
        Assert.True(Switches(IlOf(module, 1)) > 4);
        using var source = new CancellationTokenSource(200);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => module.Instantiate().InvokeAsync<int>("f", source.Token, 7));
    }

    /// <summary>
    /// Random interpreters, with loops in loops, reads of which a part is used, and any ways on: the result, the trap with its place, the memory and the fuel are those of the interpreter.
    /// </summary>
    [Fact]
    public void RandomInterpretersDoTheSame()
    {
        int copied = 0, trapped = 0, ended = 0;
        EngineOptions[] kinds = [Tiers.Compiled, Tiers.Compiled with { Verify = true }, Tiers.Compiled with { Interruptible = true, MemoryChecks = MemoryChecks.Explicit }];
        foreach (int seed in Tiers.Seeds(0).SelectMany(first => Enumerable.Range(first, 60)))
        {
            string text = $"(module (memory (export \"m\") 1) {Program(new Random(seed), 4 + (seed % 9), endless: false)})";
            Module interpreted = new Engine(Tiers.Interpreted with { CountFuel = true }).CompileText(text);
            Module[] compiled = [.. kinds.Select(options => new Engine(options with { CountFuel = true }).CompileText(text))];
            foreach (Module module in compiled)
            {
                IlBuffer il = IlOf(module, module.Info.Funcs.Count - 1);
                CheckCounts(il);
                if (Switches(il) > 4) copied++;
            }
            foreach (int argument in new[] { 0, 5, 65_500, seed * 977 })
            {
                foreach (long units in new[] { 300L, 20_000 })
                {
                    string expected = Outcome(interpreted, argument, units), withoutPlace = Outcome(interpreted, argument, units, places: false);
                    if (expected.Contains("OutOfBounds", StringComparison.Ordinal)) trapped++;
                    if (expected.StartsWith("result", StringComparison.Ordinal)) ended++;
                    foreach (Module module in compiled)
                    {
                        // Code with comparisons traps in one place for all of them.
                        bool places = module.Engine.Options.MemoryChecks != MemoryChecks.Explicit;
                        Assert.Equal((seed, argument, places ? expected : withoutPlace), (seed, argument, Outcome(module, argument, units, places)));
                    }
                }
            }
        }
        Assert.True(copied > 60 && trapped > 20 && ended > 20, $"{copied} functions with copies, {trapped} traps, {ended} results");
    }

    private static string Outcome(Module module, int argument, long units, bool places = true)
    {
        var fuel = new Fuel(units);
        Instance instance = module.Instantiate(fuel: fuel);
        Memory memory = instance.GetExport<Memory>("m");
        for (int i = 0; i < 65_536; i += 4) memory.Slice((ulong)i, 4).Fill((byte)(i * 37 >> 3));
        string end;
        try
        {
            end = $"result {instance.GetExport<Func<int, int>>("f")(argument)}";
        }
        catch (TrapException trap)
        {
            // Code that ends for want of fuel, or divides by zero, may trap in one place for all operators of the function; what is inlined has no frame.
            string frames = string.Join(" < ", trap.WasmStack.Where(frame => frame.Function != "next").Select(frame => $"{frame.Function}+{frame.Offset}"));
            end = trap.Kind != TrapKind.OutOfBoundsMemoryAccess || !places ? trap.Kind.ToString() : $"{trap.Kind} {trap.Address} at {frames}";
        }
        var hash = new HashCode();
        hash.AddBytes(memory.Slice(0, 65_536));
        return $"{end}, {fuel.Remaining} left, memory {hash.ToHashCode()}";
    }

    /// <summary>A function that is an interpreter of so many cases, in which there is another.</summary>
    private static string Program(Random random, int cases, bool endless)
    {
        var text = new StringBuilder("""
            (func $next (param i32) (result i32) (i32.rotl (i32.load16_u offset=1 (local.get 0)) (i32.const 3)))
            (func (export "f") (param $pc i32) (result i32) (local $a i32) (local $b i32) (local $n i64)
            """);
        Loop("outer", "inner", cases);
        return text.Append(" (i32.add (local.get $a) (local.get $b)))").ToString();

        void Loop(string name, string? inner, int count)
        {
            text.Append(CultureInfo.InvariantCulture, $"(loop ${name} ");
            for (int i = count - 1; i >= 0; i--) text.Append(CultureInfo.InvariantCulture, $"(block ${name}{i} ");
            string head = endless ? "(i32.and (i32.load8_u (i32.and (local.get $pc) (i32.const 4095))) (i32.const 7))" : random.Next(5) switch
            {
                0 => "(i32.load8_u (local.get $pc))",
                1 => "(i32.and (i32.load (local.get $pc)) (i32.const 15))",
                2 => "(i32.and (call $next (local.get $pc)) (i32.const 15))",
                3 => "(i32.wrap_i64 (i64.and (i64.load offset=3 (local.get $pc)) (i64.const 7)))",
                _ => "(i32.rem_u (i32.load16_s (local.get $pc)) (local.get $b))",
            };
            if (!endless && random.Next(3) == 0) text.Append("(if (i32.gt_u (local.get $pc) (i32.const 65600)) (then unreachable)) ");
            text.Append(CultureInfo.InvariantCulture, $"(local.set $pc (i32.add (local.get $pc) (i32.const {random.Next(1, 5)}))) (br_table ");
            for (int i = 0; i < count; i++) text.Append(CultureInfo.InvariantCulture, $"${name}{i} ");
            text.Append(random.Next(4) == 0 ? $"${name} " : $"${name}{random.Next(count)} ").Append(CultureInfo.InvariantCulture, $"{head}) ");
            for (int i = 0; i < count; i++)
            {
                text.Append(") ");
                if (inner is not null && i == count / 2) Loop(inner, null, count);
                for (int s = random.Next(4); s > 0; s--) Statement();
                if (!endless && random.Next(8) == 0) text.Append("(return (i32.wrap_i64 (local.get $n))) ");
                text.Append(random.Next(6) switch
                {
                    0 when !endless => "",
                    1 when inner is null => "(br $outer) ",
                    2 => $"(br_if ${name} (local.get $a)) (br ${name}) ",
                    _ => $"(br ${name}) ",
                });
            }
            if (endless) text.Append(CultureInfo.InvariantCulture, $"(br ${name}) ");
            text.Append(") ");
        }

        void Statement() => text.Append(random.Next(7) switch
        {
            0 => "(local.set $a (i32.add (local.get $a) (local.get $pc))) ",
            1 => "(local.set $b (i32.xor (local.get $b) (i32.mul (local.get $a) (i32.const 31)))) ",
            2 => "(local.set $n (i64.add (local.get $n) (i64.const 1))) ",
            3 => "(i32.store (i32.and (local.get $b) (i32.const 65532)) (local.get $a)) ",
            4 => "(local.set $a (i32.and (i32.load (i32.and (local.get $b) (i32.const 65532))) (i32.const 255))) ",
            5 => "(if (i32.and (local.get $a) (i32.const 1)) (then (local.set $b (i32.add (local.get $b) (i32.const 3))))) ",
            _ => "(local.set $pc (i32.add (local.get $pc) (i32.const 7))) ",
        });
    }
}
