using System.Text;

namespace WasmJit.Tests.Runtime;

/// <summary>Modules whose functions take much stack: in bodies that the JIT does not inline, in arguments, in what calls leave behind.</summary>
internal static class LargeFrameModules
{
    /// <summary>A function that calls itself, with so many calls with vectors behind it that its body is outlined.</summary>
    internal static string DeepCalls(int calls) =>
        $"""
        (module (memory 1)
          (func $g (param v128) (result v128) (loop (result v128) (i32x4.shl (local.get 0) (i32.const 5))))
          (func $f (export "f") (param $x i32) (param $v v128) (result i32)
            (if (i32.gt_s (local.get $x) (i32.const 0))
              (then (local.set $x (call $f (i32.add (local.get $x) (i32.const 1)) (local.get $v)))))
            {Repeat(calls, _ => "(local.set $v (call $g (local.get $v)))\n")}
            (i32x4.extract_lane 0 (local.get $v)))
          (func (export "none") (result i32) (call $f (i32.const 0) (v128.const i32x4 1 2 3 4)))
          (func (export "go") (result i32) (call $f (i32.const 1) (v128.const i32x4 1 2 3 4))))
        """;

    /// <summary>Functions with so many calls of which each makes temporaries that RyuJIT has too many locals to inline anything.</summary>
    internal static string ManyLocals(int functions, int calls) =>
        $"""
        (module (memory 1)
          (func $g (param i32) (result i32) (loop (result i32) (i32.rotl (local.get 0) (i32.const 5))))
          {Repeat(functions, i => $"""
              (func $f{i} (param $x i32) (result i32)
                {Repeat(calls, _ => "(local.set $x (call $g (i32.xor (i32.mul (i32.add (local.get $x) (i32.const 5)) (i32.const 3)) (i32.shr_u (local.get $x) (i32.const 3)))))\n")}
                (local.get $x))
              {Repeat(3, j => $"(func $s{i}_{j} (param i32) (result i32) (loop (result i32) (i32.add (local.get 0) (i32.const {(i * j) + 1}))))\n")}
              """)}
          (func (export "go") (result i32) (local $sum i32)
            {Repeat(functions, i => $"(local.set $sum (i32.add (local.get $sum) (call $f{i} (i32.const 1))))" + Repeat(3, j => $"(drop (call $s{i}_{j} (i32.const 1)))"))}
            (local.get $sum)))
        """;

    /// <summary>What <see cref="ManyLocals"/> returns.</summary>
    internal static int ManyLocalsResult(int functions, int calls)
    {
        uint x = 1;
        for (int i = 0; i < calls; i++) x = uint.RotateLeft(((x + 5) * 3) ^ (x >> 3), 5);
        return (int)(x * (uint)functions);
    }

    /// <summary>Recursion whose innermost step passes many values: by a call, a tail call, to the host, to a function not compiled yet.</summary>
    internal static string ManyArguments(int count, string type, string results, string how)
    {
        string parameters = Repeat(count, _ => type + " ");
        string values = Repeat(count, _ => type == "v128" ? "(v128.const i64x2 1 2)" : $"({type}.const 1)");
        string returned = results == "" ? "" : $"(result {results})";
        string callee = how switch
        {
            "tail" => $"{values} (return_call $wide)",
            "tail_indirect" => $"{values} (return_call_indirect (type $wide) (i32.const 0))",
            "tail_ref" => $"{values} (return_call_ref $wide (ref.func $wide))",
            "host" => $"{values} (call $host)",
            _ => $"{values} (call $wide)",
        };
        // The recursion has a small frame, so that it comes close to the end of the stack.
        return $"""
            (module
              (type $wide (func (param {parameters}) {returned}))
              (import "host" "wide" (func $host (type $wide)))
              (table 1 1 funcref)
              (elem (i32.const 0) $wide)
              (elem declare func $wide)
              (global $depth (mut i32) (i32.const 0))
              (func $wide (type $wide) {Repeat(results == "" ? 0 : results.Split(' ').Length, i => $"(local.get {i})")})
              (func $step {returned} {callee})
              (func $deep (param i32)
                (if (i32.eqz (local.get 0)) (then (call $step) {Repeat(results == "" ? 0 : results.Split(' ').Length, _ => "(drop)")} (return)))
                (call $deep (i32.sub (local.get 0) (i32.const 1)))
                (global.set $depth (local.get 0)))
              (func (export "go") (param i32) (call $deep (local.get 0))))
            """;
    }

    internal static string Repeat(int count, Func<int, string> item)
    {
        var text = new StringBuilder();
        for (int i = 0; i < count; i++) text.Append(item(i));
        return text.ToString();
    }
}
