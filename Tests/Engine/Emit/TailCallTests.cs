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
