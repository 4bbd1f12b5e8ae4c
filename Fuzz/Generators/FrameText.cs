using System.Globalization;
using System.Text;

namespace WasmJit.Fuzz;

/// <summary>
/// The text of a module without code: random types, tables, globals, segments and functions whose bodies are still to be made. A
/// frame is used for many modules, since classes for struct types and entries for signatures cost more than functions do.
/// </summary>
internal sealed class FrameText
{
    private static readonly string[] Scalars = ["i32", "i64", "f32", "f64"];

    private readonly Random random;
    private readonly bool links;
    private readonly StringBuilder text = new("(module\n");
    private readonly List<StructText> structs = [];
    private readonly List<string> arrays = [];
    private readonly List<string> funcs = [];

    private sealed record StructText(string Name, bool IsFinal, List<string> Fields);

    private FrameText(Random random, bool links)
    {
        this.random = random;
        this.links = links;
    }

    /// <summary>Makes a frame.</summary>
    /// <param name="random">The source of decisions.</param>
    /// <param name="links">Whether it has modules, instances, memories and the like as references.</param>
    internal static string Make(Random random, bool links)
    {
        var frame = new FrameText(random, links);
        frame.Types();
        frame.Imports();
        if (links) frame.text.Append(LinkedText.Modules);
        frame.State();
        frame.Functions();
        return frame.text.Append(")\n").ToString();
    }

    private string Pick(IReadOnlyList<string> list) => list[random.Next(list.Count)];

    private void Line(FormattableString line) => text.Append("  ").Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');

    // ---- types ----

    private void Types()
    {
        if (links) text.Append(LinkedText.Entities);
        int structCount = random.Next(5, 9), arrayCount = random.Next(2, 5);
        bool isOneGroup = random.Next(2) == 0;
        if (isOneGroup) text.Append("  (rec\n");
        for (int i = 0; i < structCount; i++) Struct(isOneGroup ? structCount : i, isOneGroup ? arrayCount : 0);
        for (int i = 0; i < arrayCount; i++) Array(i);
        if (isOneGroup) text.Append("  )\n");
        if (links) text.Append(LinkedText.ModuleTypes);
        FuncTypes();
    }

    /// <summary>
    /// A struct, often a subtype of another. Siblings have fields of other kinds in the same place, so that confusing them
    /// reads a number as a reference.
    /// </summary>
    private void Struct(int knownStructs, int knownArrays)
    {
        string name = $"$s{structs.Count}";
        List<StructText> open = [.. structs.Where(s => !s.IsFinal && s.Fields.Count < 6)];
        bool isFinal = random.Next(3) == 0;
        if (open.Count > 0 && random.Next(10) < 7)
        {
            StructText super = open[random.Next(open.Count)];
            List<string> fields = [.. super.Fields, .. Fields(random.Next(1, 3), knownStructs, knownArrays)];
            structs.Add(new StructText(name, isFinal, fields));
            Line($"(type {name} (sub {(isFinal ? "final " : "")}{super.Name} (struct {string.Join(' ', fields)})))");
            return;
        }
        List<string> own = [.. Fields(random.Next(1, 4), knownStructs, knownArrays)];
        structs.Add(new StructText(name, isFinal, own));
        Line($"(type {name} (sub {(isFinal ? "final " : "")}(struct {string.Join(' ', own)})))");
    }

    private IEnumerable<string> Fields(int count, int knownStructs, int knownArrays)
    {
        for (int i = 0; i < count; i++)
        {
            string type = Storage(knownStructs, knownArrays);
            yield return random.Next(2) == 0 ? $"(field (mut {type}))" : $"(field {type})";
        }
    }

    private string Storage(int knownStructs, int knownArrays) => random.Next(12) switch
    {
        0 => "i8",
        1 => "i16",
        2 or 3 or 4 => random.Next(12) == 0 ? "v128" : Pick(Scalars),
        5 when structs.Count > 0 => $"(ref $s{random.Next(structs.Count)})",
        5 or 6 or 7 when knownStructs > 0 => $"(ref null $s{random.Next(knownStructs)})",
        8 when knownArrays > 0 => $"(ref null $a{random.Next(knownArrays)})",
        9 when links => Pick(LinkedText.References),
        10 => Pick(["funcref", "externref", "i31ref"]),
        _ => Pick(["anyref", "eqref", "structref", "arrayref", "anyref"]),
    };

    private void Array(int index)
    {
        string element = index == 0 ? "i64" : index == 1 ? "anyref" : Storage(structs.Count, 0);
        string name = $"$a{index}";
        arrays.Add(name);
        Line($"(type {name} (array (mut {element})))");
    }

    private void FuncTypes()
    {
        Func("i32", "i32");
        Func("i32 i64", "i64");
        Func("i32 f64 i32", "f64 i32");
        Func("", "");
        Func("i32", $"(ref null {structs[^1].Name})");
        int count = random.Next(5, 9);
        for (int i = 0; i < count; i++)
            Func(string.Join(' ', Some(random.Next(4))), string.Join(' ', Some(random.Next(5) == 0 ? 2 : random.Next(2))));
        // A subtype of another.
        Line($"(type $base (sub (func (param (ref null {Pick([.. structs.Select(s => s.Name), "eq", "struct"])})) (result anyref))))");
        Line($"(type $below (sub final $base (func (param anyref) (result (ref null {Pick([.. structs.Select(s => s.Name)])})))))");
        funcs.Add("$base");
        funcs.Add("$below");
    }

    private void Func(string parameters, string results)
    {
        string name = $"$f{funcs.Count}";
        funcs.Add(name);
        Line($"(type {name} (func{(parameters.Length > 0 ? $" (param {parameters})" : "")}{(results.Length > 0 ? $" (result {results})" : "")}))");
    }

    private IEnumerable<string> Some(int count)
    {
        for (int i = 0; i < count; i++) yield return random.Next(3) == 0 ? Pick(Scalars) : Reference(random.Next(4) > 0);
    }

    /// <summary>A reference type, of those that have values.</summary>
    private string Reference(bool isNullable)
    {
        string heap = random.Next(9) switch
        {
            0 => "any",
            1 => "eq",
            2 => Pick(["struct", "array", "i31"]),
            3 => Pick(["func", "extern"]),
            4 => Pick(arrays),
            5 when links => Pick(LinkedText.Heaps),
            6 when funcs.Count > 3 => $"$f{random.Next(4)}",
            _ => Pick([.. structs.Select(s => s.Name)]),
        };
        return isNullable ? $"(ref null {heap})" : $"(ref {heap})";
    }

    // ---- imports, tables, globals, segments, functions ----

    private void Imports()
    {
        text.Append("""
              (import "host" "isnull" (func $isnull (param funcref) (result i32)))
              (import "host" "which" (func $which (param funcref funcref i32) (result funcref)))
              (import "host" "keep" (func $keep (param externref) (result externref)))
              (import "host" "pick" (func $pick (param externref i32 externref) (result externref)))
              (import "host" "mix" (func $mix (param i32 funcref i64 externref f64) (result f64 i32)))

            """);
    }

    private void State()
    {
        string first = structs[0].Name;
        text.Append("  (memory $m0 1 3)\n  (memory $m1 i64 1 2)\n");
        text.Append("  (table $tf 6 8 funcref)\n  (table $ta 4 9 anyref)\n");
        Line($"(table $ts 3 8 (ref null {first}))");
        Line($"(table $tt 3 3 (ref $f0) (ref.func $first))");
        Line($"(table $te i64 3 5 externref)");
        if (links) text.Append(LinkedText.Tables);
        text.Append("  (global $fuel (export \"g0\") (mut i32) (i32.const 300))\n");
        Line($"(global $n1 (export \"g1\") (mut i32) (i32.const {random.Next(100)}))");
        Line($"(global $n2 (export \"g2\") (mut i64) (i64.const {random.NextInt64()}))");
        Line($"(global $n3 (export \"g3\") (mut f32) (f32.const 1.5))");
        Line($"(global $n4 (export \"g4\") (mut f64) (f64.const -2.25))");
        text.Append("  (global $r1 (mut anyref) (ref.i31 (i32.const 77)))\n  (global $r2 (mut eqref) (ref.null none))\n");
        text.Append("  (global $r3 (mut funcref) (ref.func $first))\n  (global $r4 (mut externref) (ref.null extern))\n");
        Line($"(global $r5 (mut (ref null {first})) (ref.null none))");
        Line($"(global $r6 (ref null {structs[^1].Name}) (ref.null none))");
        text.Append("  (global $r7 (ref i31) (ref.i31 (i32.const 5)))\n  (global $r8 (mut (ref $a0)) (array.new $a0 (i64.const 9) (i32.const 3)))\n");
        text.Append("  (global $r9 (mut (ref null exn)) (ref.null exn))\n");
        if (links) text.Append(LinkedText.Globals);
        text.Append("  (tag $t0 (param i32))\n  (tag $t1 (param anyref))\n");
        Line($"(tag $t2 (param {Reference(false)} i64))");
        Line($"(tag $t3 (param funcref (ref null {first})))");
        text.Append("  (elem $e0 (table $tf) (i32.const 0) func $first $isnull $second)\n");
        text.Append("  (elem $e1 funcref (ref.func $second) (ref.null func) (ref.func $which))\n");
        text.Append("  (elem $e2 anyref (ref.i31 (i32.const 3)) (ref.null none) (array.new_default $a0 (i32.const 2)))\n");
        text.Append("  (elem $e3 (ref $f0) (ref.func $first) (ref.func $first))\n");
        text.Append("  (data $d0 \"\\00\\01\\02\\03\\ff\\fe\\fd\\fc abcdefghijklmnopqrstuvwxyz 0123456789\")\n");
        if (links) text.Append(LinkedText.Segments);
    }

    private void Functions()
    {
        int count = random.Next(4, 8);
        text.Append("  (func $first (type $f0) (unreachable))\n  (func $second (export \"c1\") (type $f1) (unreachable))\n  (func $third (export \"c2\") (type $f2) (unreachable))\n");
        for (int i = 0; i < count; i++)
        {
            string type = random.Next(3) == 0 ? $"$f{random.Next(3)}" : Pick(funcs);
            // Functions with references in their types are only called by others: not every engine can describe them to its host.
            string export = type is "$f0" or "$f1" or "$f2" or "$f3" ? $"(export \"x{i}\") " : "";
            Line($"(func $x{i} {export}(type {type}) (unreachable))");
        }
        text.Append("  (export \"m0\" (memory $m0))\n  (export \"m1\" (memory $m1))\n  (export \"c0\" (func $first))\n  (elem declare func $first $second $third");
        for (int i = 0; i < count; i++) text.Append(CultureInfo.InvariantCulture, $" $x{i}");
        text.Append(" $isnull $which $keep $pick $mix)\n");
    }
}
