using System.Globalization;
using System.Text;
using WasmJit.Jit.Emit;
using Xunit;

namespace WasmJit.Tests;

/// <summary>
/// Labels that take many values have temporaries that depend on the height of the operand stack alone. Random functions made of such labels
/// must do as machine code what they do in the interpreter, which has no temporaries.
/// </summary>
public sealed class ManyValueTests
{
    private static readonly string[] Types = ["i32", "i64", "f64", "f32"];

    private static readonly (string Name, EngineOptions Options)[] Kinds =
    [
        ("compiled", Tiers.Compiled with { Inlining = false }),
        ("inlining", Tiers.Compiled),
        ("explicit, interruptible", Tiers.Compiled with { MemoryChecks = MemoryChecks.Explicit, Interruptible = true }),
        ("fuel", Tiers.Compiled with { CountFuel = true }),
        ("verifying", Tiers.Compiled with { Verify = true }),
        ("tiered", new EngineOptions { Compilation = WasmJit.Compilation.Tiered, TierSeed = 5 }),
        ("parts", Tiers.Compiled with { PartSize = new PartSize(200, 40, 200) }),
    ];

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void CodeDoesWhatTheInterpreterDoes(int group)
    {
        int ended = 0;
        for (int seed = group * 60; seed < (group + 1) * 60; seed++)
        {
            string text = new Writer(seed).Module();
            byte[] bytes = Wat.ToBinary(text);
            string[] expected = Results(Tiers.Interpreted, bytes);
            ended += expected.Count(r => !r.StartsWith('T'));
            foreach ((string name, EngineOptions options) in Kinds)
            {
                string[] found = Results(options, bytes);
                Assert.True(expected.SequenceEqual(found), $"seed {seed}, {name}: {string.Join(' ', expected)} but {string.Join(' ', found)}\n{text}");
            }
        }
        // Most calls end without a trap.
        Assert.True(ended > 60 * 4, $"{ended}");
    }

    /// <summary>A loop wants all operands in place; one that waits below the block around it was put there on one way only.</summary>
    [Fact]
    public void ConstantsBelowBlocks()
    {
        const string Text = """
            (module
              (func (export "if") (param i32) (result i64)
                (i64.const 5) (i64.const 7)
                (if (local.get 0) (then (loop)))
                (i64.mul))
              (func (export "block") (param i32) (result i64)
                (i64.const 5) (i64.const 7)
                (block (br_if 0 (i32.eqz (local.get 0))) (loop))
                (i64.mul)))
            """;
        foreach (Compilation compilation in new[] { WasmJit.Compilation.Lazy, WasmJit.Compilation.Interpreted })
        {
            Instance instance = new Engine(new EngineOptions { Compilation = compilation }).CompileText(Text).Instantiate();
            foreach (string name in new[] { "if", "block" })
                for (int i = 0; i < 2; i++) Assert.Equal(35, instance.GetExport<Func<int, long>>(name)(i));
        }
    }

    private static string[] Results(EngineOptions options, byte[] bytes)
    {
        var run = new Engine(options).Compile(bytes).Instantiate(fuel: options.CountFuel ? new Fuel(100_000_000) : null).GetExport<Func<int, long>>("run");
        return [.. Enumerable.Range(0, 8).Select(i =>
        {
            try
            {
                return run(unchecked(i * 0x3779b97 ^ i)).ToString(CultureInfo.InvariantCulture);
            }
            catch (TrapException e)
            {
                return $"T{e.Kind}";
            }
        })];
    }

    /// <summary>Writes a function that is made of labels with many values, and one that calls it and mixes its results into one number.</summary>
    private sealed class Writer(int seed)
    {
        private readonly Random random = new(seed);
        private readonly StringBuilder text = new();

        /// <summary>What the labels around take, the innermost last.</summary>
        private readonly List<int[]> labels = [];
        private readonly List<int[]> lists = [];
        private readonly List<int> stack = [];
        private int left = 120;

        internal string Module()
        {
            // Few lists, so that labels have the same ones; some with one type throughout, so that they fit at every height.
            for (int i = 0; i < 3; i++) lists.Add([.. Enumerable.Range(0, random.Next(5, 12)).Select(_ => random.Next(4))]);
            lists.Add([.. Enumerable.Repeat(random.Next(4), 9)]);
            lists.Add([.. lists[0].Take(3)]);
            int[] results = lists[random.Next(3)];
            text.Append(CultureInfo.InvariantCulture, $"(module (func $f (param $x i32) {List("result", results)} (local $n i32) (local $l0 i32) (local $l1 i64) (local $l2 f64) (local $l3 f32)\n");
            text.Append("i32.const 300 local.set $n\n");
            labels.Add(results);
            if (Body(0)) Finish(0, results);
            text.Append(")\n(func (export \"run\") (param i32) (result i64) (local $h i64) (local $i i64)\nlocal.get 0 call $f\n");
            foreach (int type in results.Reverse())
                text.Append(type switch { 0 => "i64.extend_i32_u ", 1 => "", 2 => "i64.reinterpret_f64 ", _ => "i32.reinterpret_f32 i64.extend_i32_u " })
                    .Append("local.get $h i64.const 31 i64.mul i64.add local.set $h\n");
            return text.Append("local.get $h))").ToString();
        }

        private static string List(string keyword, int[] types) => types.Length == 0 ? "" : $"({keyword} {string.Join(' ', types.Select(t => Types[t]))})";

        private void Line(string line) => text.Append(' ', labels.Count).Append(line).Append('\n');

        private void Push(int type)
        {
            Line(random.Next(3) switch
            {
                0 => $"{Types[type]}.const {random.Next(100)}",
                1 => $"local.get $l{type}",
                _ => type switch
                {
                    0 => "local.get $n local.get $x i32.add",
                    1 => "local.get $n i64.extend_i32_u",
                    2 => "local.get $n f64.convert_i32_u",
                    _ => "local.get $n f32.convert_i32_u",
                },
            });
            stack.Add(type);
        }

        private void Condition(int bits = 1) => Line($"local.get $x local.get $n i32.const {random.Next(1, 9)} i32.mul i32.xor i32.const {random.Next(8)} i32.shr_u i32.const {bits} i32.and");

        /// <summary>Makes the operands above a height those of a list, and keeps what fits.</summary>
        private void Finish(int height, int[] types)
        {
            int fits = 0;
            while (fits < types.Length && height + fits < stack.Count && stack[height + fits] == types[fits]) fits++;
            while (stack.Count > height + fits) Drop();
            while (stack.Count < height + types.Length) Push(types[stack.Count - height]);
        }

        private void Drop()
        {
            int type = stack[^1];
            stack.RemoveAt(stack.Count - 1);
            Line(random.Next(2) == 0 ? "drop" : $"local.set $l{type}");
        }

        /// <summary>Makes the topmost operands those of a list: they are, or they are pushed.</summary>
        private void Offer(int height, int[] types)
        {
            if (stack.Count - height >= types.Length && stack[^types.Length..].SequenceEqual(types)) return;
            foreach (int type in types) Push(type);
        }

        /// <summary>False if the end is not reached.</summary>
        private bool Body(int height)
        {
            while (left-- > 0)
            {
                switch (random.Next(10))
                {
                    case 0: Push(random.Next(4)); break;
                    case 1 when stack.Count > height: Drop(); break;
                    case 2 when stack.Count > height:
                        Line($"local.tee $l{stack[^1]}");
                        break;
                    case < 6:
                        Block(height);
                        break;
                    case 6 or 7:
                        {
                            int label = random.Next(labels.Count);
                            Offer(height, Target(label));
                            Condition();
                            Line($"br_if {label}");
                            break;
                        }
                    case 8:
                        {
                            int[] types = Target(random.Next(labels.Count));
                            int[] fitting = [.. Enumerable.Range(0, labels.Count).Where(l => Target(l).SequenceEqual(types))];
                            Offer(height, types);
                            // In an arm of its own, as what follows a br_table is not reached.
                            Condition();
                            string list = string.Join(' ', Enumerable.Range(0, random.Next(1, 9)).Select(_ => fitting[random.Next(fitting.Length)] + 1));
                            Line($"if {List("param", types)} {List("result", types)}");
                            Condition(7);
                            Line($"br_table {list}");
                            Line("end");
                            break;
                        }
                    case 9 when random.Next(6) == 0:
                        {
                            int label = random.Next(labels.Count);
                            Offer(height, Target(label));
                            Line(label == labels.Count - 1 && random.Next(2) == 0 ? "return" : $"br {label}");
                            return false;
                        }
                }
            }
            return true;
        }

        private int[] Target(int label) => labels[^(label + 1)];

        private void Block(int height)
        {
            int[] end = lists[random.Next(lists.Count)];
            int[] start = [];
            if (random.Next(2) == 0)
            {
                start = lists[random.Next(lists.Count)];
                Offer(height, start);
            }
            int kind = random.Next(4);
            if (labels.Count > 12) return;
            int below = stack.Count - start.Length;
            string type = $"{List("param", start)} {List("result", end)}";
            if (kind == 0)
            {
                Line($"loop {type}");
                labels.Add(start);
                Line("local.get $n i32.const 1 i32.sub local.tee $n i32.eqz if unreachable end");
            }
            else
            {
                if (kind == 1) Condition();
                Line($"{(kind == 1 ? "if" : "block")} {type}");
                labels.Add(end);
            }
            int[] atStart = [.. stack];
            if (Body(below)) Finish(below, end);
            if (kind == 1)
            {
                text.Append("else\n");
                stack.Clear();
                stack.AddRange(atStart);
                left += 10;
                if (Body(below)) Finish(below, end);
            }
            labels.RemoveAt(labels.Count - 1);
            Line("end");
            stack.RemoveRange(below, stack.Count - below);
            stack.AddRange(end);
        }
    }
}
