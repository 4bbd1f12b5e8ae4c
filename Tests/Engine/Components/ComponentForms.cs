namespace WasmJit.Tests;

/// <summary>Every form of a component's text, each as small as it can be. Their bytes are in <c>Golden/forms.txt</c>.</summary>
internal static class ComponentForms
{
    /// <summary>A core module with all that canonical options name, and its instance.</summary>
    private const string Core =
        """
        (core module $M (memory (export "mem") 1) (table (export "tbl") 1 funcref) (global (export "g") i32 (i32.const 0)) (tag (export "tag"))
          (func (export "f")) (func (export "r") (param i32 i32 i32 i32) (result i32) unreachable) (func (export "cb") (param i32 i32 i32) (result i32) unreachable))
        (core instance $i (instantiate $M))

        """;

    internal static readonly string[] All =
    [
        // Value types.
        "(type bool) (type s8) (type u8) (type s16) (type u16) (type s32) (type u32) (type s64) (type u64) (type f32) (type f64) (type char) (type string) (type error-context)",
        """(type (record (field "a" u8) (field "b" string)))""",
        """(type (variant (case "a" u8) (case $c "b")))""",
        "(type (list u8)) (type (list u8 4)) (type (list (list 0)))",
        "(type (tuple u8 string))",
        """(type (flags "a" "b")) (type (enum "a" "b"))""",
        "(type (option u8)) (type (result)) (type (result u8)) (type (result (error u8))) (type (result u8 (error string)))",
        "(type (map string u8))",
        "(type $r (resource (rep i32))) (type (own $r)) (type (borrow (type $r))) (type (resource (rep i64)))",
        "(type (stream)) (type (stream u8)) (type (future)) (type (future (tuple u8 u8)))",
        // Other types.
        """(type (func)) (type (func async)) (type (func (param "a" u8) (param "b" (list string)) (result (option u8))))""",
        """(type (instance)) (type $t (instance (type $x u8) (export "x" (type (eq $x))) (export "f" (func (param "a" $x)))))""",
        """(type (component)) (type $c (component (import "x" (type $x (sub resource))) (export "f" (func (param "a" (own $x)))) (alias outer $c $x (type))))""",
        """(type $x u8) (type (instance (export "f" (func (param "a" $x)))))""",
        """(type (instance (export "i" (instance $i (export "t" (type (sub resource))))) (alias export $i "t" (type $t)) (export "f" (func (result (own $t))))))""",
        """(type (component (core type $f (func)) (core rec (type $a (struct (field (ref null $b)))) (type $b (array i8))) (import "m" (core module (alias outer 1 $f (type)) (import "" "f" (func (type 0)))))))""",
        // Core types.
        "(core type (func (param i32) (result i64))) (core type $s (sub (struct (field i32)))) (core type (sub final $s (struct (field i32) (field (mut i64)))))",
        "(core rec (type $a (struct (field (ref null $b)))) (type $b (array i8)))",
        """(core type (module (type $f (func)) (import "a" "b" (func $x (type $f))) (import "a" "c" (memory 1 2)) (import "a" "t" (table 1 funcref)) (export "g" (global (mut i32))) (export "t" (tag (param i32)))))""",
        """(core type $m (module (export "a" (func (param i32))) (export "b" (func (param i32))) (type (func (param i32)))))""",
        """(core type $f (func)) (core type $m (module (alias outer 1 $f (type $g)) (export "a" (func (type $g)))))""",
        // Imports.
        """(import "a" (func)) (import "b:c/d@1.0.0" (func $f (param "x" u8) (result (list u8)))) (import "e" (func (type 0)))""",
        """(import "a" (core module $m (import "x" "y" (func)) (export "z" (memory 1)))) (core type $t (module)) (import "b" (core module (type $t)))""",
        """(import "a" (component (export "f" (func)))) (import "b" (instance $i (export "f" (func)))) (import "c" (type $t (sub resource))) (import "d" (type (eq $t)))""",
        """(import "a" (value string)) (import "b" (value $v (tuple u8 u8))) (import "c" (value (eq $v)))""",
        """(import "a" (implements "b:c/d") (instance)) (import "e" (versionsuffix "0.1") (external-id "x") (func))""",
        """(func $f (import "a") (param "x" u8)) (instance (import "b") (export "f" (func))) (component (import "c") (export "f" (func))) (core module (import "d") (export "f" (func)))""",
        // Nested components, core modules, instances, aliases.
        """(core module $m (func (export "f"))) (core instance (instantiate $m)) (core instance (instantiate $m (with "a" (instance 0))))""",
        """(core module $m) (core instance $i (instantiate $m)) (core instance (instantiate (core module $m) (with "a" (instance (export "x" (func $i "f")) (export "y" (memory $i "m"))))))""",
        Core + """(core instance (export "f" (func $i "f")) (export "t" (table $i "tbl")) (export "g" (global $i "g")) (export "e" (tag $i "tag")))""",
        """(component $c (import "f" (func)) (export "g" (func 0))) (import "f" (func $f)) (instance $i (instantiate $c (with "f" (func $f)))) (export "g" (func $i "g"))""",
        """(component $c) (component (component (instance (instantiate $c)) (instance (instantiate $c))))""",
        """(import "i" (instance $i (export "j" (instance (export "f" (func)))))) (instance (export "a" (func $i "j" "f"))) (export "b" (func $i "j" "f"))""",
        """(component $c (import "i" (instance (export "a" (type (sub resource)))))) (type $r (resource (rep i32))) (instance (instantiate (component $c) (with "i" (instance (export "a" (type $r))))))""",
        """(import "i" (instance $i (export "f" (func)) (export "m" (core module)) (export "t" (type (sub resource))) (export "c" (component)))) (alias export $i "f" (func $f)) (alias export $i "m" (core module $m)) (alias export $i "t" (type $t)) (alias export $i "c" (component $c)) (alias outer 0 $t (type))""",
        """(import "i" (instance $i (export "f" (func)) (export "m" (core module)))) (func $f (alias export $i "f")) (core module $m (alias export $i "m")) (func (export "g") (alias export $i "f"))""",
        Core + """(alias core export $i "f" (core func $f)) (alias core export $i "mem" (core memory $m)) (core table $t (alias core export $i "tbl")) (core global (alias core export $i "g")) (core tag (alias core export $i "tag"))""",
        """(core module $m) (core type $t (func)) (type $u u8) (component $c) (component (alias outer 1 $m (core module)) (alias outer 1 $t (core type)) (alias outer 1 $u (type)) (alias outer 1 $c (component)))""",
        // Exports.
        """(import "f" (func $f)) (export "g" (func $f)) (export $h "h" (func $f) (func)) (export "i" (func $h))""",
        """(type $t (export "t") (resource (rep i32))) (component (export "c")) (core module (export "m")) (instance (export "i") (export "x" (type $t)))""",
        """(import "f" (func $f)) (export "a" (external-id "x") (func $f)) (import "m" (core module $m)) (export "m" (core module $m)) (import "t" (type $t (sub resource))) (export "t2" (type $t) (type (sub resource)))""",
        // Canonical definitions.
        Core + """(canon lift (core func $i "f") (func $g)) (func (export "h") (canon lift (core func $i "f"))) (canon lower (func $g) (core func $l)) (core func (canon lower (func $g) async))""",
        Core
            + """(func (param "s" string) (result string) (canon lift (core func $i "f") string-encoding=utf16 (memory (core memory $i "mem")) (realloc (core func $i "r")) (post-return (core func $i "f"))))"""
            + """ (func async (canon lift (core func $i "f") string-encoding=latin1+utf16 async (callback (core func $i "cb")))) (func (canon lift (core func 0) string-encoding=utf8 (memory 0)))""",
        """(type $r (resource (rep i32))) (canon resource.new $r (core func)) (canon resource.drop (type $r) (core func)) (core func $rep (canon resource.rep $r))""",
        """(canon backpressure.inc (core func)) (canon backpressure.dec (core func)) (canon task.cancel (core func)) (canon subtask.drop (core func)) (canon subtask.cancel (core func)) (canon subtask.cancel async (core func))""",
        """(canon task.return (core func)) (canon task.return (result u8) (core func)) (canon task.return (result (list u8)) string-encoding=utf16 (core func))""",
        """(canon context.get i32 0 (core func)) (canon context.set i32 1 (core func))""",
        Core + """(canon waitable-set.new (core func)) (canon waitable-set.wait (memory (core memory $i "mem")) (core func)) (canon waitable-set.poll cancellable (memory 0) (core func)) (canon waitable-set.drop (core func)) (canon waitable.join (core func))""",
        Core
            + """(type $s (stream u8)) (canon stream.new $s (core func)) (canon stream.read $s async (memory (core memory $i "mem")) (core func)) (canon stream.write $s (memory 0) (core func))"""
            + """ (canon stream.cancel-read $s (core func)) (canon stream.cancel-write $s async (core func)) (canon stream.drop-readable $s (core func)) (canon stream.drop-writable $s (core func))""",
        """(type $f (future)) (canon future.new $f (core func)) (canon future.read $f async (core func)) (canon future.write $f (core func)) (canon future.cancel-read $f async (core func)) (canon future.cancel-write $f (core func)) (canon future.drop-readable $f (core func)) (canon future.drop-writable $f (core func))""",
        Core + """(canon error-context.new (memory (core memory $i "mem")) (core func)) (canon error-context.debug-message (memory 0) (realloc (core func $i "r")) (core func)) (canon error-context.drop (core func))""",
        Core
            + """(core type $t (func (param i32))) (canon thread.index (core func)) (canon thread.new-indirect $t (core table $i "tbl") (core func)) (canon thread.resume-later (core func)) (canon thread.suspend (core func))"""
            + """ (canon thread.yield cancellable (core func)) (canon thread.suspend-then-resume (core func)) (canon thread.yield-then-resume (core func)) (canon thread.suspend-then-promote (core func)) (canon thread.yield-then-promote (core func))""",
        """(core type $t (func (param i32))) (canon thread.spawn-ref $t (core func)) (canon thread.spawn-ref shared (core type $t) (core func)) (canon thread.available-parallelism shared (core func))""",
        // Values and start.
        """(import "a" (value $a string)) (import "f" (func $f (param "x" string) (result u8))) (start $f (value $a) (result (value $r))) (export "r" (value $r))""",
        """(value bool true) (value u8 255) (value s8 -128) (value u16 65535) (value s16 -1) (value u32 300) (value s32 -300) (value u64 0xffff_ffff_ffff_ffff) (value s64 -1)""",
        """(value f32 1.5) (value f64 -0x1p-3) (value f32 nan) (value f64 inf) (value char 'a') (value char ' ') (value char '\u{20ac}') (value char '(') (value string "he\"llo")""",
        """(value (record (field "a" bool) (field "b" u8)) (record true 1)) (value (variant (case "a" bool) (case "b" u8)) (variant "b" 1)) (value (variant (case "a")) (variant "a")) (value (list (result (option u8))) (list error (ok (some 1)) (ok none)))""",
        """(value (tuple u8 u16) (tuple 1 2)) (type $f (flags "a" "b" "c")) (value $v $f (flags "a" "c")) (value (type $f) (flags)) (value (enum "a" "b") (enum "b")) (value (list u8 2) (list 7 8)) (value (result u8 (error string)) (error "e"))""",
        """(value bool (binary "\00")) (value string (binary "\07exa" "mple")) (type $t string) (component (value $v $t "x"))""",
        // Names and custom sections.
        """(@custom "a" "\01\02") (type $"a b" u8) (@custom "b") (type (@name "c d") u8)""",
    ];
}
