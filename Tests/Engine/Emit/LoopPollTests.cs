using System.Text;
using WasmJit.Jit.Tiers;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Where loops of interruptible code look whether they are to stop, and that none does much without looking.</summary>
public sealed class LoopPollTests
{
    /// <summary>More than a loop may do without looking.</summary>
    private const long Units = 400_000;

    private static readonly Engine Verifying = new(new EngineOptions { Verify = true, Interruptible = true, CountFuel = true });

    /// <summary>How many iterations each loop may have without a poll, in the order of their ends.</summary>
    private static List<long> IterationsOf(Module module)
    {
        string[] il = [.. FunctionCode.Of(module.Info, module.Engine.CodeOptions).EmitIl(0).Listing().Select(line => line.Text)];
        return [.. Enumerable.Range(2, il.Length - 2).Where(i => il[i].EndsWith("EmitterAssertions.Iterations", StringComparison.Ordinal))
            .Select(i => long.Parse(il[i - 2].Trim()["ldc.i4 ".Length..], System.Globalization.CultureInfo.InvariantCulture))];
    }

    [Theory]
    [InlineData("(loop (br_if 0 (i32.ne (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 100))))", 1)]
    [InlineData("(local.set 0 (i32.const 0)) (loop (br_if 0 (i32.ne (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 100))))", 100)]
    [InlineData("(local.set 0 (i32.const 0)) (loop (br_if 0 (i32.ne (local.tee 0 (i32.add (local.get 0) (i32.const 3))) (i32.const 100))))", 1)]
    [InlineData("(local.set 0 (i32.const 0)) (loop (br_if 0 (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 3))) (i32.const 100))))", 34)]
    [InlineData("(local.set 0 (i32.const 0)) (loop (br_if 0 (i32.ne (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 10000000))))", 1)]
    [InlineData("(local.set 0 (i32.const 9)) (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 3)))))", 3)]
    [InlineData("(local.set 0 (i32.const 9)) (loop (memory.fill (local.get 0) (i32.const 1) (local.get 0)) (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 3)))))", 1)]
    [InlineData("(local.set 0 (i32.const 9)) (loop (br_if 0 (local.get 0)) (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 3)))))", 1)]
    public void ALoopRunsSoOftenWithoutAPoll(string body, long iterations)
    {
        Module module = Verifying.CompileText($"(module (memory 1) (func (export \"f\") (param i32) {body}))");
        Assert.Equal([iterations], IterationsOf(module));
    }

    /// <summary>
    /// Loops that count, or do not, and go on from any places. In the verifying mode a loop that iterates more often without a
    /// poll than it should fails.
    /// </summary>
    [Fact]
    public void NoLoopRunsLongWithoutAPoll()
    {
        int rarely = 0;
        for (int seed = 0; seed < 150; seed++)
        {
            Module module = Verifying.CompileText($"(module (func (export \"f\") (param i32 i32 i32) {new LoopWriter(seed).Body()}))");
            rarely += IterationsOf(module).Count(most => most > 1);
            foreach (int argument in new[] { 0, 1, seed * 77, -seed })
            {
                var run = module.Instantiate(fuel: new Fuel(Units)).GetExport<Action<int, int, int>>("f");
                Exception? end = Record.Exception(() => run(argument, 3, seed));
                Assert.True(end is null or TrapException { Kind: TrapKind.OutOfFuel }, $"seed {seed}: {end}");
            }
        }
        Assert.True(rarely > 10, $"{rarely} loops do not poll in each iteration");
    }

    /// <summary>Writes code of loops.</summary>
    private sealed class LoopWriter(int seed)
    {
        private readonly Random random = new(seed);
        private readonly StringBuilder text = new();
        private int labels, left = 40;

        internal string Body()
        {
            while (left > 0) Statement([]);
            return text.ToString();
        }

        private string Local => $"{random.Next(3)}";

        private string Constant => $"{(random.Next(3) == 0 ? random.Next(-3000, 3000) : random.Next(-4, 9))}";

        private string Condition()
        {
            string local = Local;
            return random.Next(6) switch
            {
                0 => $"(i32.ne (local.tee {local} (i32.add (local.get {local}) (i32.const {Constant}))) (i32.const {Constant}))",
                1 => $"(i32.lt_u (local.tee {local} (i32.add (local.get {local}) (i32.const {random.Next(1, 5)}))) (i32.const {random.Next(1, 30_000)}))",
                2 => $"(i32.and (local.get {local}) (i32.const {random.Next(1, 9)}))",
                3 => $"(i32.lt_u (local.get {local}) (i32.const {random.Next(1, 3000)}))",
                4 => $"(local.tee {local} (i32.sub (local.get {local}) (i32.const {random.Next(1, 9)})))",
                _ => $"(i32.const {random.Next(2)})",
            };
        }

        private void Statement(string[] around)
        {
            left--;
            string local = Local;
            switch (random.Next(around.Length > 5 ? 6 : 10))
            {
                case 0: text.Append($"(local.set {local} (i32.const {Constant}))"); break;
                case 1 or 2: text.Append($"(local.set {local} (i32.add (local.get {local}) (i32.const {Constant})))"); break;
                case 3: text.Append($"(local.set {local} (i32.sub (local.get {local}) (local.get {Local})))"); break;
                case 4: text.Append($"(local.set {local} (local.tee {Local} (i32.add (local.get {Local}) (local.get {local}))))"); break;
                case 5 when around.Length > 0: text.Append($"(br_if {around[random.Next(around.Length)]} {Condition()})"); break;
                case 6:
                    text.Append($"(if {Condition()} (then ");
                    Statements(around);
                    text.Append(") (else ");
                    Statements(around);
                    text.Append("))");
                    break;
                case 7:
                    string block = $"$b{labels++}";
                    text.Append($"(block {block} ");
                    Statements([.. around, block]);
                    text.Append(')');
                    break;
                default:
                    string loop = $"$l{labels++}";
                    text.Append($"(loop {loop} ");
                    Statements([.. around, loop]);
                    text.Append($"(br_if {loop} {Condition()}))");
                    break;
            }
        }

        private void Statements(string[] around)
        {
            for (int count = random.Next(1, 5); count > 0; count--) Statement(around);
        }
    }
}
