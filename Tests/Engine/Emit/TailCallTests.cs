using System.Text;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Tail calls in constant stack between functions of any two signatures, of every kind, out of protected regions, across modules.</summary>
public sealed class TailCallTests
{
    /// <summary>Far more calls than frames fit on a stack of 8 MiB.</summary>
    private const int Depth = 250_000;

    private static readonly string[] Types = ["i32", "i64", "f32", "f64", "v128", "externref", "(ref null $s)", "funcref"];

    private static string Constant(string type, int n) => type switch
    {
        "v128" => $"(i32x4.splat (i32.const {n}))",
        "externref" => "(ref.null extern)",
        "funcref" => "(ref.null func)",
        "(ref null $s)" => $"(struct.new $s (i32.const {n}))",
        _ => $"({type}.const {n})",
    };

    /// <summary>Three functions that call one another by turns; each passes some of its arguments on.</summary>
    private static string Ring(int seed, int mostParameters)
    {
        var random = new Random(seed);
        string[] Some(int below) => [.. Enumerable.Range(0, random.Next(below)).Select(_ => Types[random.Next(Types.Length)])];
        string[] results = Some(4);
        string[][] parameters = [Some(mostParameters), Some(mostParameters), Some(mostParameters)];
        var text = new StringBuilder("(module (type $s (struct (field i32))) (tag $e) (table funcref (elem $f0 $f1 $f2))\n");
        for (int i = 0; i < 3; i++)
            text.Append($"(type $t{i} (func (param i32) {string.Join(' ', parameters[i].Select(p => $"(param {p})"))} (result {string.Join(' ', results)})))\n");
        for (int i = 0; i < 3; i++)
        {
            int to = (i + 1) % 3;
            string arguments = "(i32.sub (local.get 0) (i32.const 1)) " + string.Join(' ', parameters[to].Select((type, k) =>
                Array.IndexOf(parameters[i], type) is var own and >= 0 && k % 2 == 0 ? $"(local.get {own + 1})" : Constant(type, k)));
            string call = random.Next(3) switch
            {
                0 => $"(return_call $f{to} {arguments})",
                1 => $"(return_call_indirect (type $t{to}) {arguments} (i32.const {to}))",
                _ => $"(return_call_ref $t{to} {arguments} (ref.func $f{to}))",
            };
            if (random.Next(3) == 0) call = $"(block $c (try_table (catch_all $c) {call}) unreachable) unreachable";
            text.Append($"(func $f{i} (type $t{i}) (if (i32.eqz (local.get 0)) (then (return {string.Join(' ', results.Select(Constant))}))) {call})\n");
        }
        text.Append($"(func (export \"run\") (param i32) (call $f0 (local.get 0) {string.Join(' ', parameters[0].Select(Constant))}) ");
        return text.Append(string.Join(' ', results.Select(_ => "(drop)"))).Append("))").ToString();
    }

    /// <summary>
    /// A guest that calls its host by tail calls alone leaves no frame of its own. The host's frames, or the entries alone where .NET made a tail call
    /// of the host's, come to the stack's end all the same.
    /// </summary>
    [Theory]
    [InlineData("(return_call $h (local.get 0))")]
    [InlineData("(return_call_ref $t (local.get 0) (global.get $g))")]
    [InlineData("(return_call_indirect (type $t) (local.get 0) (i32.const 0))")]
    [InlineData("(return_call $j (local.get 0))")]
    [InlineData("(block $c (try_table (catch_all $c) (return_call $h (local.get 0)))) (i32.const 1)")]
    [InlineData("(return_call_export $m \"f\" (local.get 0) (global.get $i))")]
    public void ThroughTheHostEndAtTheStacksEnd(string body)
    {
        string text = $"""
            (module
              (type $t (func (param i32) (result i32)))
              (import "e" "h" (func $h (type $t)))
              (module $m (import "h" (func $k (param i32) (result i32))) (export "f" (func $k)))
              (table funcref (elem $h)) (global $g (ref $t) (ref.func $h)) (elem declare func $h)
              (global $i (mut (ref null (exact $m))) (ref.null none))
              (func (export "make") (global.set $i (instantiate (module $m) (ref.func $h))))
              (func $j (type $t) (return_call $h (local.get 0)))
              (func (export "f") (type $t) {body}))
            """;
        foreach (Compilation tier in new[] { Compilation.Interpreted, Compilation.Tiered, Compilation.Lazy })
        {
            Module module = new Engine(new EngineOptions { Compilation = tier }).CompileText(text);
            Exception? thrown = null;
            var thread = new Thread(
                () =>
                {
                    Func<int, int> f = null!;
                    var imports = new Imports { { "e", "h", (Func<int, int>)(n => f(n + 1)) } };
                    Instance instance = module.Instantiate(imports);
                    instance.GetExport<Action>("make")();
                    f = instance.GetExport<Func<int, int>>("f");
                    for (int i = 0; i < 3 && thrown is null or TrapException; i++) thrown = Record.Exception(() => f(0));
                },
                768 << 10);
            thread.Start();
            thread.Join();
            Assert.Equal(TrapKind.CallStackExhausted, Assert.IsType<TrapException>(thrown).Kind);
        }
    }

    [Theory]
    [InlineData(1, 6)]
    [InlineData(2, 9)]
    [InlineData(3, 30)]
    public void BetweenAnyTwoSignatures(int part, int mostParameters)
    {
        for (int seed = part * 100; seed < (part * 100) + 5; seed++)
        {
            string text = Ring(seed, mostParameters);
            try
            {
                foreach (EngineOptions tier in Tiers.Both) new Engine(tier).CompileText(text).Instantiate().GetExport<Action<int>>("run")(Depth);
            }
            catch (TrapException e)
            {
                Assert.Fail($"{e.Message}\n{text}");
            }
        }
    }

    [Fact]
    public void AcrossModules()
    {
        const string Type = "(type $f (func (param i32 i64 v128) (result i64)))";
        string Text(int own, int other) => $$"""
            (module
              {{Type}}
              (import "m" "table" (table $t 2 funcref))
              (func $f (type $f)
                (if (i32.eqz (local.get 0)) (then (return (local.get 1))))
                (return_call_indirect (type $f) (i32.sub (local.get 0) (i32.const 1)) (i64.add (local.get 1) (i64.const {{other}}))
                  (local.get 2) (i32.const {{other}})))
              (elem (table $t) (i32.const {{own}}) func $f)
              (func (export "run") (param i32) (result i64)
                (return_call $f (local.get 0) (i64.const 0) (v128.const i64x2 1 2))))
            """;
        foreach (EngineOptions tier in Tiers.Both)
        {
            var imports = new Imports { { "m", "table", new Table(new TableType(ValType.FuncRef, 2)) } };
            Instance first = new Engine(tier).CompileText(Text(0, 1)).Instantiate(imports);
            new Engine(tier).CompileText(Text(1, 0)).Instantiate(imports);
            Assert.Equal(Depth / 2, first.GetExport<Func<int, long>>("run")(Depth));
        }
    }
}
