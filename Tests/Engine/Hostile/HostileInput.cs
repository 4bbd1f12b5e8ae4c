using System.Runtime.CompilerServices;

namespace WasmJit.Tests;

/// <summary>Modules that once got around a limit: files beside this one.</summary>
internal static class HostileInput
{
    internal static byte[] Read(string name, [CallerFilePath] string here = "")
    {
        byte[] bytes = File.ReadAllBytes(Path.Combine(Path.GetDirectoryName(here)!, "Inputs", name));
        return name.EndsWith(".wat", StringComparison.Ordinal) ? Wat.ToBinary(bytes) : bytes;
    }

    /// <summary>Runs something on a thread with a stack of a size, and gives what it throws.</summary>
    internal static Exception? OnStack(int kilobytes, Action action)
    {
        Exception? thrown = null;
        var thread = new Thread(() => thrown = Xunit.Record.Exception(action), kilobytes << 10);
        thread.Start();
        thread.Join();
        return thrown;
    }

    /// <summary>A try_table in another, so many deep, each with handlers that read locals.</summary>
    internal static string NestedTries(int depth, int locals)
    {
        string text = "(call $g (local.get 0))";
        for (int d = 1; d <= depth; d++)
        {
            int k = 1 + (d % locals), other = 1 + (d * 7 % locals), third = 1 + (d * 3 % locals);
            text = $"""
                (block $o{d} (block $d{d} (result exnref) (try_table (catch_all_ref $d{d}) (local.set {k} (call $h (local.get {other}))) {text}
                (br $o{d})) (unreachable)) (call $g (local.get {k})) (call $g (local.get {third})) (throw_ref))
                """;
        }
        return $"""
            (module (func $g (param i32) (if (i32.eqz (local.get 0)) (then (unreachable))))
              (func $h (param i32) (result i32) (loop (result i32) (local.get 0)))
              (func (export "f") (param i32) (local {string.Join(' ', Enumerable.Repeat("i32", locals))}) {text}))
            """;
    }

    /// <summary>An interpreter's loop: a branch to one of many cases, each of which writes a local of many and goes around.</summary>
    internal static string Cases(int cases, int locals)
    {
        var random = new Random(cases);
        int Local() => random.Next(1, locals + 1);
        IEnumerable<string> body = Enumerable.Range(0, cases).Select(_ => Local()).Select(to =>
            $") (local.set {to} (i32.add (local.get {Local()}) (local.get {Local()}))) (br_if $l (local.tee 0 (local.get {to})))");
        return $"""
            (module (func (export "f") (param i32) (result i32) (local {string.Join(' ', Enumerable.Repeat("i32", locals))})
              (loop $l {string.Concat(Enumerable.Range(0, cases).Select(i => $"(block $b{cases - 1 - i} "))}
              (br_table {string.Join(' ', Enumerable.Range(0, cases).Select(i => $"$b{i}"))} (local.get 0))
              {string.Join('\n', body)}) (local.get 1)))
            """;
    }

    /// <summary>Loops in each other, so many deep, over many locals.</summary>
    internal static string NestedLoops(int depth, int locals) => $"""
        (module (func (export "f") (param i32) (result i32) (local {string.Join(' ', Enumerable.Repeat("i32", locals))})
          {string.Concat(Enumerable.Repeat("(loop ", depth))}
          {string.Concat(Enumerable.Range(0, depth).Select(d => $"(local.set {1 + (d * 7 % locals)} (i32.add (local.get {1 + (d * 3 % locals)}) (local.get {1 + (d % locals)}))) (br_if 0 (i32.lt_s (local.tee {1 + (d * 5 % locals)} (i32.add (local.get {1 + (d * 5 % locals)}) (i32.const 1))) (local.get 0))))"))}
          (local.get 1)))
        """;

    /// <summary>A function of which each few bytes name a thousand values, so many times.</summary>
    internal static string ManyValues(string kind, int count)
    {
        const int Values = 1000;
        string values = string.Join(' ', Enumerable.Repeat("i32", Values));
        string push = string.Concat(Enumerable.Repeat("local.get 0 ", Values)), drop = string.Concat(Enumerable.Repeat("drop ", Values - 1));
        IEnumerable<int> all = Enumerable.Range(0, count);
        string body = kind switch
        {
            "table" => $"{string.Concat(all.Select(_ => "block (type $r) "))}{push} local.get 0 br_table {string.Join(' ', all)} {string.Concat(all.Select(_ => "end "))}",
            "heights" => $"{string.Concat(all.Select(i => $"{(i > 0 ? "local.get 0 " : "")}block (type $r) "))}{push} local.get 0 br_table {string.Join(' ', all)} {string.Concat(all.Select(i => i < count - 1 ? "end drop " : "end "))}",
            "br_if" => $"block (type $r) {push} {string.Concat(all.Select(_ => "local.get 0 br_if 0 "))} end",
            "loop" => $"{push} {string.Concat(all.Select(_ => "loop (type $p) i32.const 0 br_if 0 "))} {string.Concat(all.Select(_ => "end "))}",
            "if" => $"{push} {string.Concat(all.Select(_ => "local.get 0 if (type $p) else end "))}",
            "return" => $"call $many",
            _ => $"{push} {string.Concat(all.Select(_ => "call $pass "))}",
        };
        return $"""
            (module (type $r (func (result {values}))) (type $p (func (param {values}) (result {values})))
              (func $pass (type $p) {string.Join(' ', Enumerable.Range(0, Values).Select(i => $"local.get {i}"))})
              (func (export "f") (param i32) (result i32) {body} {drop})
              (func $many (result {values}) (local i32) {push} {string.Concat(all.Select(_ => "local.get 0 if (type $p) return end "))}))
            """;
    }
}
