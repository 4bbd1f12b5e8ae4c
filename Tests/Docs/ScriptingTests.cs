using Twig;
using Xunit;

namespace WasmJit.Tests.Docs;

/// <summary>The sample's language, interpreted and compiled: both do the same, mistakes included.</summary>
public sealed class ScriptingTests
{
    /// <summary>Programs and the values of their last statements. Functions are called often enough to be compiled.</summary>
    public static TheoryData<string, string> Programs => new()
    {
        { "1 + 2 * 3 - 4 / 8", "6.5" },
        { "-7 % 3", "2" },
        { "(1 + 2) * -3", "-9" },
        { "1 < 2 and not (2 <= 1) or nil", "true" },
        { "nil or 5", "5" },
        { "false and 5", "false" },
        { "0 and \"zero is true\"", "zero is true" },
        { "\"a\\tb\\n\\\"\" + 1.5 + true + nil", "a\tb\n\"1.5truenil" },
        { "\"abc\" < \"abd\" and \"ab\" < \"abc\" and not (\"b\" < \"abc\")", "true" },
        { "\"ä\".length", "2" },
        { "1 == 1 and \"x\" == \"x\" and [1] != [1] and nil == nil and 1 != \"1\" and true == true and true != 1", "true" },
        { "let x = 1\nlet x = x + 1\nx", "2" },
        { "let x = [1, 2, 3]\nx[1] = 5\npush(x, x[1] + 1)\nx", "[1, 5, 3, 6]" },
        { "if 1 > 2 { 3 } else if 2 > 1 { 4 } else { 5 }", "4" },
        { "if 1 > 2 { 3 }", "nil" },
        { "let n = 0\nwhile n < 10 { n = n + 1\n if n == 3 { continue }\n if n == 5 { break } }\nn", "5" },
        { "{ let a = 1; { let a = 2; a = 3 }; a }", "1" },
        { "fn f(a, b) { return a - b }\nf(5, 3)", "2" },
        { "fn f(n) { if n > 0 { return \"early\" }\n \"late\" }\nf(1) + f(0)", "earlylate" },
        { "fn even(n) { if n == 0 { true } else { odd(n - 1) } }\nfn odd(n) { if n == 0 { false } else { even(n - 1) } }\neven(10)", "true" },
        { "let f = fn(g, x) { g(g(x)) }\nf(fn(y) { y * 3 }, 2)", "18" },
        { "fn make() { let n = 0\n fn() { n = n + 1 } }\nlet a = make()\nlet b = make()\na(); a()\na() + b()", "4" },
        { "fn outer(a) { fn middle(b) { fn inner(c) { a = a + 1; a + b + c }\n inner }\n middle }\nlet f = outer(1)(10)\nf(100) + f(100)", "225" },
        { "fn f() { let fs = []\n let i = 0\n while i < 3 { let j = i; push(fs, fn() { j = j + 1 }); i = i + 1 }\n fs[0]() + fs[0]() + fs[2]() }\nf()", "6" },
        { "fn f(n) { fn down(k) { if k == 0 { n } else { down(k - 1) } }\n down(3) }\nf(7)", "7" },
        { "try { throw [1, \"two\"] } catch e { e[1] }", "two" },
        { "fn f(x) { try { if x { throw x }\n \"fine\" } catch e { \"caught \" + e } }\nf(1) + f(nil)", "caught 1fine" },
        { "fn f() { let i = 0\n while true { try { i = i + 1; if i < 3 { throw i }; break } catch e { continue } }\n i }\nf()", "3" },
        { "fn f() { try { return 1 } catch e { return 2 } }\nf()", "1" },
        { "fn f() { throw \"deep\" }\nfn g() { f(); 1 }\ntry { g() } catch e { e }", "deep" },
        { "sqrt(16) + floor(2.9) + abs(-3) + len([1, 2]) + len(\"abc\")", "14" },
        { "text(1 / 3) + text(nil) + text([1, [\"a\"]])", "0.3333333333333333nil[1, [a]]" },
        { "1 / 0 + \" \" + -1 / 0 + \" \" + 0 / 0", "Infinity -Infinity NaN" },
        { "fn f(x) { x }\nf(1) + f(\"s\") + f(nil)", "1snil" },
        { "let total = 0\nfn add(x) { total = total + x }\nadd(2); add(3)\ntotal", "5" },
        { "[1,\n 2 +\n 3,\n]".Replace(",\n]", "\n]", StringComparison.Ordinal), "[1, 5]" },
        { "let s = \"x\"\n-1", "-1" },
        { "(fn(a) { a })(4)", "4" },
        { "1e3 + 1.5E-1", "1000.15" },
    };

    /// <summary>Programs that fail when they run, and with what.</summary>
    public static TheoryData<string, string> Mistakes => new()
    {
        { "1 - \"a\"", "line 1: a number is expected, not a string" },
        { "nil + 1", "line 1: a number is expected, not nil" },
        { "\n\n1 < \"a\"", "line 3: two numbers or two strings is expected, not a string" },
        { "x", "line 1: x is not defined" },
        { "fn f() { later() }\nf()", "line 1: later is not defined" },
        { "fn f() { 1 }\nf = 2", "line 2: f is a function and cannot be set" },
        { "sqrt = 2", "line 1: sqrt is a function and cannot be set" },
        { "[1, 2][2]", "line 1: there is no item 2" },
        { "[1, 2][0.5]", "line 1: there is no item 0.5" },
        { "[1, 2][-1]", "line 1: there is no item -1" },
        { "nil[0]", "line 1: a list is expected, not nil" },
        { "fn f(a) { a }\nf()", "line 2: f takes 1 argument(s), not 0" },
        { "sqrt(1, 2)", "line 1: sqrt takes 1 argument(s), not 2" },
        { "5(1)", "line 1: a function is expected, not a number" },
        { "[].size", "line 1: a list has no member size" },
        { "nil.x()", "line 1: nil has no member x" },
        { "throw \"mine\"", "mine" },
        { "1 - (try { \"text\" } catch e { 2 })", "line 1: a number is expected, not a string" },
        { "throw nil", "nil" },
    };

    /// <summary>Texts that are not programs, and why not.</summary>
    public static TheoryData<string, string, bool> NoPrograms => new()
    {
        { "1 +", "line 1: an expression is expected", true },
        { "fn f(a {", "line 1: ) is expected", false },
        { "fn f() {", "line 1: } is expected", true },
        { "[1, 2", "line 1: ] is expected", true },
        { "\"abc", "line 1: the \" that ends a string is expected", true },
        { "1 2", "line 1: a new line or ; is expected", false },
        { "let 5 = 3", "line 1: a name is expected", false },
        { "1 = 2", "line 1: this cannot be set", false },
        { "break", "line 1: break and continue stand in a loop", false },
        { "return 1", "line 1: return stands in a function", false },
        { "fn f() { 1 + if true { return 2 } else { 3 } }", "line 1: return, break and continue are statements, not parts of expressions", false },
        { "try { 1 }", "line 1: catch is expected", true },
        { "§", "line 1: no such character is used here", false },
        { "}", "line 1: an expression is expected", false },
        { "fn f(a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q) {}", "line 1: a function has at most 16 parameters", false },
    };

    [Theory]
    [MemberData(nameof(Programs))]
    public void ProgramsHaveTheirValue(string program, string expected)
    {
        Assert.Equal(expected, ScriptValues.Display(new ScriptEngine(0).Run(program)));
        var engine = new ScriptEngine(1);
        for (int i = 0; i < 3; i++) Assert.Equal(expected, ScriptValues.Display(engine.Run(program)));
    }

    /// <summary>The same as the body of a function that is compiled before its second call.</summary>
    [Theory]
    [MemberData(nameof(Programs))]
    public void CompiledFunctionsHaveTheSameValue(string program, string expected)
    {
        // Local functions are defined one after the other; those outside of all others can use what comes later.
        if (program.Contains("odd", StringComparison.Ordinal)) return;
        var engine = new ScriptEngine(1);
        var compiled = new List<string>();
        engine.Compiled += f => compiled.Add(f.Name);
        Assert.Equal(expected, ScriptValues.Display(engine.Run($"fn whole() {{\n{program}\n}}\nwhole(); whole()")));
        Assert.Contains("whole", compiled);
    }

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void MistakesAreTold(string program, string message)
    {
        Assert.Equal(message, Assert.Throws<ScriptException>(() => new ScriptEngine(0).Run(program)).Message);
        if (program.Contains("fn f", StringComparison.Ordinal)) return;
        var engine = new ScriptEngine(1);
        engine.Run($"fn whole(go) {{ if go {{ {program} }} }}\nwhole(false)\nwhole(false)");
        Assert.Equal(message, Assert.Throws<ScriptException>(() => engine.Run("whole(true)")).Message);
    }

    [Theory]
    [MemberData(nameof(NoPrograms))]
    public void WhatIsNoProgramIsTold(string program, string message, bool isIncomplete)
    {
        var e = Assert.Throws<ScriptSyntaxException>(() => new ScriptEngine().Run(program));
        Assert.Equal(message, e.Message);
        Assert.Equal(isIncomplete, e.IsIncomplete);
    }

    [Fact]
    public void RandomProgramsAgree()
    {
        int caught = 0, compiled = 0;
        for (int seed = 0; seed < 60; seed++)
        {
            string program = RandomScript.Make(seed);
            string expected = Outcome(new ScriptEngine(0), program);
            var engine = new ScriptEngine(2);
            engine.Compiled += _ => compiled++;
            Assert.Equal($"seed {seed}\n{program}\n{expected}", $"seed {seed}\n{program}\n{Outcome(engine, program)}");
            caught += expected.Count(c => c == '!');
        }
        // Neither all mistakes nor none, and most of it compiled.
        Assert.InRange(caught, 300, 1100);
        Assert.InRange(compiled, 150, 10_000);
    }

    private static string Outcome(ScriptEngine engine, string program)
    {
        try
        {
            return ScriptValues.Display(engine.Run(program));
        }
        catch (ScriptException e)
        {
            return e.Message;
        }
    }

    [Fact]
    public void CompiledFunctionsTakeOtherThingsThanBefore()
    {
        var engine = new ScriptEngine(2);
        var compiled = new List<string>();
        engine.Compiled += f => compiled.Add(f.Name);
        engine.Run("fn twice(x) { x + x }\nfn through(x) { twice(x) }\nlet i = 0\nwhile i < 9 { through(i); i = i + 1 }");
        Assert.Equal(["twice", "through"], compiled);
        Assert.Equal("abab", engine.Run("through(\"ab\")"));
        Assert.Equal(4.0, engine.Run("through(2)"));
        Assert.Equal("cc", engine.Run("through(\"c\")"));
        Assert.True(compiled.Count is > 2 and < 8);
    }

    [Fact]
    public void SpeedProgramsAgree()
    {
        foreach (string name in Speed.Programs)
        {
            object? interpreted = Speed.Prepare(name, jit: false)();
            Assert.NotNull(interpreted);
            Assert.Equal(interpreted, Speed.Prepare(name, jit: true)());
        }
    }

    [Fact]
    public void ScriptsSeeWhatIsGranted()
    {
        ScriptEngine engine = Library.NewEngine(TextWriter.Null);
        Assert.Equal(7.5, engine.Run("let a = account(\"Ada\")\na.deposit(7.5)"));
        Assert.Equal("Ada", engine.Run("a.owner"));
        Assert.Equal("Eve", engine.Run("a.owner = \"Eve\"\na.owner"));
        Assert.Equal("Account has no member secret here", engine.Run("try { a.secret } catch e { e.message }"));
        Assert.Equal("Account has no member getType here", engine.Run("try { a.getType() } catch e { e.message }"));
        Assert.Equal("Account.balance cannot be set", engine.Run("try { a.balance = 5 } catch e { e.message }"));
        Assert.Equal("argument 1 of deposit: a Decimal is expected, not a string", engine.Run("try { a.deposit(\"5\") } catch e { e.message }"));
        Assert.Equal(true, engine.Run("a == a and account(\"b\") != a"));
    }

    [Fact]
    public void ExceptionsCrossBothWays()
    {
        ScriptEngine engine = Library.NewEngine(TextWriter.Null);
        var thrown = new TimeoutException("host");
        engine.Define("fail", (Action)(() => throw thrown));
        Assert.Equal("host", engine.Run("try { fail() } catch e { e.message }"));
        Assert.Same(thrown, Assert.Throws<TimeoutException>(() => engine.Run("fail()")));
        Assert.Same(thrown, Assert.Throws<TimeoutException>(() => engine.Run("try { fail() } catch e { throw e }")));

        var e = Assert.Throws<ScriptException>(() => engine.Run("throw [1, 2]"));
        Assert.Equal([1.0, 2.0], Assert.IsType<List<object?>>(e.Value));

        // Script, host, script: what the inner one throws arrives at the outer one as it is.
        engine.Define("apply", (Func<Func<object?>, object?>)(f => f()));
        Assert.Equal(true, engine.Run("let x = [1]\ntry { apply(fn() { throw x }) } catch e { e == x }"));
    }

    [Fact]
    public void FunctionsCrossBothWays()
    {
        ScriptEngine engine = Library.NewEngine(TextWriter.Null);
        engine.Run("fn hypotenuse(a, b) { sqrt(a * a + b * b) }");
        Func<double, double, double> f = engine.GetFunction<Func<double, double, double>>("hypotenuse");
        for (int i = 0; i < 1000; i++) Assert.Equal(5.0, f(3, 4));
        Assert.Equal([3.0, 2.0, 1.0], Assert.IsType<List<object?>>(engine.Run("sort([2, 3, 1], fn(a, b) { a > b })")));
        var function = Assert.IsType<ScriptFunction>(engine.Run("let g = fn(x) { x + \"!\" }\ng"));
        Assert.Equal("hi!", function.Invoke("hi"));
        engine.Define("g2", function);
        Assert.Equal(true, engine.Run("g == g2"));
        decimal seen = 0;
        engine.Define("see", (Action<decimal>)(d => seen = d));
        engine.Run("let a = account(\"x\")\na.changed = fn(b) { see(b) }\na.deposit(3)");
        Assert.Equal(3, seen);
    }

    [Fact]
    public void LimitsHoldInCompiledCode()
    {
        var engine = new ScriptEngine(1);
        engine.Run("fn spin(n) { while n > 0 { n = n } }\nspin(0); spin(0)");
        using var source = new CancellationTokenSource(50);
        Assert.ThrowsAny<OperationCanceledException>(() => engine.Run("spin(1)", source.Token));
        engine.Run("fn deep(n) { 1 + deep(n + 1) }");
        Assert.Equal(TrapKind.CallStackExhausted, Assert.Throws<TrapException>(() => engine.Run("deep(0)")).Kind);
        Assert.Equal(2.0, engine.Run("1 + 1"));
    }

    [Fact]
    public void DroppedEnginesAreCollected()
    {
        Assert.True(Eventually.Collected(Make()));

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        static WeakReference Make()
        {
            var engine = new ScriptEngine(1);
            engine.Run("fn f(n) { n + 1 }\nf(1); f(2); f(3)");
            return new WeakReference(engine);
        }
    }

    /// <summary>Whatever the text, it runs or is refused with an exception that says so.</summary>
    [Fact]
    public void AnyTextIsTaken()
    {
        string[] tokens = ["fn", "f", "g", "x", "(", ")", "{", "}", "[", "]", ",", ";", "\n", "=", "==", "+", "-", "*", "<", "1", "2.5e3", "\"s\"", "\"",
            "let", "if", "else", "try", "catch", "throw", "return", "break", "not", "and", "or", "nil", "true", ".", "length", "len", "push", "\0", "é", "//", "\\"];
        var random = new Random(5);
        for (int i = 0; i < 2000; i++)
        {
            string text = string.Join(' ', Enumerable.Range(0, random.Next(1, 40)).Select(_ => tokens[random.Next(tokens.Length)]));
            Record(new ScriptEngine(1), text);
        }
        foreach (string open in new[] { "(", "[", "{", "-", "not ", "fn(){", "if 1 {", "1+(", "f(", "x=" }) Record(new ScriptEngine(1), string.Concat(Enumerable.Repeat(open, 200_000)));
        foreach (string more in new[] { ".x", "(1)", "[0]", "+1", ";1", "\n", " or 1" }) Record(new ScriptEngine(1), "1" + string.Concat(Enumerable.Repeat(more, 200_000)));

        static void Record(ScriptEngine engine, string text)
        {
            Exception? e = Xunit.Record.Exception(() => engine.Run(text));
            Assert.True(e is null or ScriptException or TrapException { Kind: TrapKind.CallStackExhausted }, $"{text[..Math.Min(text.Length, 200)]}\n{e}");
        }
    }

    [Fact]
    public void TooLargeFunctionsStayInterpreted()
    {
        var engine = new ScriptEngine(1);
        var compiled = new List<string>();
        engine.Compiled += f => compiled.Add(f.Name);
        string sum = string.Join(" + ", Enumerable.Repeat("x[0]", 40));
        string body = string.Join('\n', Enumerable.Repeat($"n = {sum}", 2000));
        Assert.Equal(40.0, engine.Run($"fn large(x) {{ let n = 0\n{body}\nn }}\nlarge([1]); large([1]); large([1])"));
        Assert.Empty(compiled);
    }
}
