using Sprig;
using Xunit;

namespace WasmJit.Tests.Docs;

/// <summary>The sample with a method JIT: programs do the same interpreted and compiled, mistakes included.</summary>
public sealed class SprigTests
{
    private static readonly EngineOptions Interpreted = new() { Compilation = Compilation.Interpreted };

    /// <summary>Programs that come with the sample, and small arguments.</summary>
    public static TheoryData<string, long, long, int> Programs => new()
    {
        { "fib", 17, 1597, 1 },
        { "sieve", 2_000, 303, 3 },
        { "collatz", 1_000, 871, 2 },
        { "matrix", 16, 6630731741607340000, 4 },
        { "mandelbrot", 24, 152, 2 },
    };

    [Theory]
    [MemberData(nameof(Programs))]
    public void ProgramsDoTheSameInterpretedAndCompiled(string name, long argument, long expected, int compiled)
    {
        string text = Machine.Resource(name + ".sprig");
        var without = new Machine(text, compiles: false);
        Assert.Equal(expected, without.Run("main", argument));
        Assert.Equal(0, without.Compiled);
        // In the engine's interpreter, and as the engine pleases.
        foreach (EngineOptions? options in new[] { Interpreted, null })
        {
            var machine = new Machine(text, options: options);
            for (int i = 0; i < 3; i++) Assert.Equal(expected, machine.Run("main", argument));
            Assert.True(machine.Compiled >= compiled, $"{machine.Compiled} compiled");
        }
    }

    [Theory]
    [InlineData("1 + 2 * 3 - 8 / 4", 5)]
    [InlineData("(1 + 2) * -3", -9)]
    [InlineData("-7 % 3", -1)]
    [InlineData("1 << 40 >> 38", 4)]
    [InlineData("6 & 3 | 8 ^ 1", 11)]
    [InlineData("1 < 2", 1)]
    [InlineData("(2 <= 1) + (2 >= 2) + (1 == 1) + (1 != 1) + (3 > 2)", 3)]
    [InlineData("123456789012345678 - 123456789012345600", 78)]
    [InlineData("0 - 9000000000", -9_000_000_000)]
    public void ExpressionsMeanTheSame(string expression, long value)
    {
        string text = $"fn main(n) {{ let i = 0 let x = 0 while i < n {{ x = value() i = i + 1 }} return x }} fn value() {{ return {expression} }}";
        Assert.Equal(value, new Machine(text, compiles: false).Run("main", 300));
        var machine = new Machine(text);
        Assert.Equal(value, machine.Run("main", 300));
        Assert.Equal(2, machine.Compiled);
    }

    /// <summary>A return in a compiled loop, a loop in a loop, locals behind a loop, and functions without a return.</summary>
    [Fact]
    public void LoopsAreLeftInEveryWay()
    {
        const string Text = """
            fn find(n) {
              let i = 0
              while i < 1000 {
                let j = 0
                while j < 10 { if i * 10 + j == n { return i + j * 1000 } j = j + 1 }
                i = i + 1
              }
              return i - 2000
            }
            fn nothing(n) { while n { n = n - 1 } }
            """;
        foreach (bool compiles in new[] { false, true })
        {
            var machine = new Machine(Text, compiles: compiles);
            Assert.Equal(9_987, machine.Run("find", 9_879));
            Assert.Equal(3_002, machine.Run("find", 23));
            Assert.Equal(-1000, machine.Run("find", 20_000));
            Assert.Equal(0, machine.Run("nothing", 500));
            Assert.Equal(compiles, machine.Compiled > 0);
        }
    }

    [Fact]
    public void FunctionsOfEveryNumberOfParametersCallEachOther()
    {
        const string Text = """
            fn main(n) { let i = 0 let sum = 0 while i < n { sum = sum + four(i, 1, 2, 3) + none() i = i + 1 } return sum }
            fn none() { return 1 }
            fn two(a, b) { return a - b }
            fn three(a, b, c) { return two(a, b) * c }
            fn four(a, b, c, d) { if a % 50 == 0 { return odd(a) } return three(a, b, c) - d }
            fn odd(n) { if n == 0 { return 0 } return even(n - 1) }
            fn even(n) { if n == 0 { return 1 } return odd(n - 1) }
            """;
        long expected = new Machine(Text, compiles: false).Run("main", 300);
        Assert.Equal(expected, new Machine(Text).Run("main", 300));
    }

    [Fact]
    public void ProgramsPrint()
    {
        foreach (bool compiles in new[] { false, true })
        {
            var output = new StringWriter { NewLine = "\n" };
            new Machine("fn main(n) { let i = 0 while i < n { if i % 100 == 0 { print i } i = i + 1 } }", output, compiles).Run("main", 301);
            Assert.Equal("0\n100\n200\n300\n", output.ToString());
        }
    }

    [Theory]
    [InlineData("fn main(n) { return 1 / n }", TrapKind.IntegerDivideByZero)]
    [InlineData("fn main(n) { return mem[n - 1] }", TrapKind.OutOfBoundsMemoryAccess)]
    public void MistakesAreTraps(string text, TrapKind kind)
    {
        foreach (bool compiles in new[] { false, true })
        {
            var machine = new Machine(text, compiles: compiles);
            for (int i = 0; i < 40; i++) Assert.Equal(kind, Assert.Throws<TrapException>(() => machine.Run("main", 0)).Kind);
            Assert.Equal(compiles ? 1 : 0, machine.Compiled);
        }
    }

    [Fact]
    public void FunctionsThatNeverEndOverflowAStackAndTracesNameThem()
    {
        var machine = new Machine("fn deep(n) { return deep(n + 1) + 1 }");
        TrapException trap = Assert.Throws<TrapException>(() => machine.Run("deep", 0));
        Assert.Equal(TrapKind.CallStackExhausted, trap.Kind);
        Assert.Contains(trap.WasmStack, frame => frame.ToString() == "machine!deep");
        // Interpreted it is the machine's memory that ends.
        trap = Assert.Throws<TrapException>(() => new Machine("fn deep(n) { return deep(n + 1) + 1 }", compiles: false).Run("deep", 0));
        Assert.Contains(trap.Kind, new[] { TrapKind.CallStackExhausted, TrapKind.OutOfBoundsMemoryAccess });
    }

    [Theory]
    [InlineData("fn main(n) { return m }", "m is not defined")]
    [InlineData("fn main(n) { return f(n) }", "f is not defined")]
    [InlineData("fn main(n) { return main() }", "main takes 1 argument(s), not 0")]
    [InlineData("fn f(a, b, c, d, e) { }", "f has more than 4 parameters")]
    [InlineData("fn f() { } fn f() { }", "f is defined twice")]
    [InlineData("fn f(a, a) { }", "two parameters of f have one name")]
    [InlineData("fn f() { mem[0] }", "'=' is expected behind mem[...]")]
    [InlineData("fn f() { let 1 = 2 }", "a name is expected, not '1'")]
    [InlineData("fn f() { return 1", "a name is expected, not 'the end'")]
    [InlineData("fn f() { return 99999999999999999999 }", "'99999999999999999999' is not a number")]
    [InlineData("f", "'fn' is expected, not 'f'")]
    public void TextsThatAreNoProgramsSayWhy(string text, string reason) =>
        Assert.Equal(reason, Assert.Throws<SprigException>(() => new Machine(text)).Message);
}
