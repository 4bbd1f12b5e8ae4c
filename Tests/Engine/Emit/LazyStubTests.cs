using System.Text;
using Xunit;

namespace WasmJit.Tests;

/// <summary>First calls: the stub of each kind of signature leads to the right function with the right arguments.</summary>
public class LazyStubTests
{
    // Few integers; no integer register left; neither of both; vectors; results through a buffer.
    private static readonly (string Params, string Results)[] Signatures =
    [
        ("", "i32"),
        ("i32 f64 i64", "i32"),
        ("i32 i32 i64 i32 i32", "i32"),
        ("i32 i32 i32 i32 i32 i32 i32 i32 f32", "i32"),
        ("i64 i64 i64 i64 i64 f64 f64 f64 f64 f32 f32 f32", "i32"),
        ("i64 i64 i64 i64 i64 i32 f64 f64 f64 f64 f32 f32 f32 f64", "i32"),
        ("i32 v128", "i32"),
        ("i32 i32 i32 i32", "i32 i32 i32"),
        ("i32 i32 i32 i32 i32 i32", "i32 i64 f64 i32"),
        ("externref i32 i32 i32 i32 i32", "i32"),
    ];

    [Theory]
    [InlineData(4)]
    [InlineData(900)]
    public void FirstCallsReachTheirFunction(int functions)
    {
        foreach (EngineOptions tier in Tiers.Both)
        {
            Instance instance = new Engine(tier).CompileText(Program(functions)).Instantiate();
            for (int i = functions - 1; i >= 0; i -= functions / 4)
            {
                // Directly, through the table, and through the function's own export.
                Assert.Equal(Expected(i), instance.GetExport<Func<int>>($"direct{i}")());
                Assert.Equal(Expected(i + 1 < functions ? i + 1 : i), instance.GetExport<Func<int>>($"indirect{i}")());
            }
            for (int i = 0; i < functions; i++) Assert.Equal(Expected(i), instance.GetExport<Func<int>>($"direct{i}")());
            Assert.Equal(Expected(0), instance.GetExport<Func<int>>("f0")());
        }
    }

    private static int Expected(int index)
    {
        int arguments = Signatures[index % Signatures.Length].Params.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select((type, i) => type is "externref" or "v128" ? 0 : i + 1).Sum();
        return (index * 1000) + arguments;
    }

    private static string Program(int functions)
    {
        var text = new StringBuilder("(module\n");
        for (int i = 0; i < functions; i++) AddFunction(text, i);
        text.Append($"(table funcref (elem {string.Join(' ', Enumerable.Range(0, functions).Select(i => $"$f{i}"))}))\n");
        for (int i = 0; i < functions; i++)
        {
            AddCaller(text, $"direct{i}", i, $"call $f{i}");
            int other = i + 1 < functions ? i + 1 : i;
            AddCaller(text, $"indirect{i}", other, $"i32.const {other} call_indirect {Type(other)}");
        }
        return text.Append(')').ToString();
    }

    private static string Type(int index)
    {
        (string parameters, string results) = Signatures[index % Signatures.Length];
        return $"(param {parameters}) (result {results})";
    }

    /// <summary>Adds its number, as the result or the first of several, to the sum of its arguments.</summary>
    private static void AddFunction(StringBuilder text, int index)
    {
        (string parameters, string results) = Signatures[index % Signatures.Length];
        string export = index == 0 ? "(export \"f0\")" : "";
        text.Append($"(func $f{index} {export} {Type(index)} i32.const {index * 1000}");
        string[] types = parameters.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        for (int i = 0; i < types.Length; i++)
        {
            text.Append(types[i] switch
            {
                "externref" => "",
                "v128" => $" local.get {i} i32x4.extract_lane 0 i32.add",
                "i32" => $" local.get {i} i32.add",
                "i64" => $" local.get {i} i32.wrap_i64 i32.add",
                _ => $" local.get {i} i32.trunc_sat_{types[i]}_s i32.add",
            });
        }
        foreach (string type in results.Split(' ').Skip(1)) text.Append($" {type}.const 7");
        text.Append(")\n");
    }

    private static void AddCaller(StringBuilder text, string name, int callee, string call)
    {
        (string parameters, string results) = Signatures[callee % Signatures.Length];
        text.Append($"(func (export \"{name}\") (result i32)");
        string[] types = parameters.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        for (int i = 0; i < types.Length; i++)
            text.Append(types[i] switch
            {
                "externref" => " ref.null extern",
                "v128" => " v128.const i32x4 0 0 0 0",
                _ => $" {types[i]}.const {i + 1}",
            });
        text.Append($" {call}");
        foreach (string _ in results.Split(' ').Skip(1)) text.Append(" drop");
        text.Append(")\n");
    }
}
