;; Two-level imports of one first name are an import of an instance, which takes its place in the instance index space where the
;; first of them is.

(module $lib
  (func (export "f") (result i32) (i32.const 42))
  (func (export "g") (result i32) (i32.const 43))
  (global (export "h") i32 (i32.const 44))
  (memory (export "m") 1))
(register "a")
(module (func (export "f") (result i32) (i32.const 7)))
(register "b")

;; A module whose only import has two names has instance 0, which can be passed on.
(module
  (import "a" "f" (func (result i32)))
  (module $m
    (import "x" (instance $x (export "f" (func (result i32)))))
    (func (export "run") (result i32) (call (func $x "f"))))
  (instance $i (instantiate $m (import "x" (instance 0))))
  (func (export "run") (result i32) (call (func $i "run"))))
(assert_return (invoke "run") (i32.const 42))

;; It is an instance like others: named by instructions, aliased, exported, and exported by its parts.
(module $all
  (type $I (instance (export "f" (func (result i32)))))
  (import "a" "f" (func $f (result i32)))
  (import "a" "h" (global i32))
  (import "b" "f" (func $bf (result i32)))
  (alias 0 "f" (func $again))
  (alias 1 "f" (func $other))
  (export "whole" (instance 0))
  (func (export "by_name") (result i32) (call_ref $func (get_export $I "f" (ref.instance 0))))
  (func (export "second") (result i32) (call_ref $func (get_export $I "f" (ref.instance 1))))
  (func (export "again") (result i32) (call $again))
  (func (export "other") (result i32) (call $other))
  (type $func (func (result i32)))
  (global (ref $I) (ref.instance 1))
  (func (export "kept") (result i32) (call_ref $func (get_export $I "f" (global.get 1))))
  (func (export "same") (result i32)
    (ref.test (ref $I) (ref.instance 0))))
(assert_return (invoke "by_name") (i32.const 42))
(assert_return (invoke "second") (i32.const 7))
(assert_return (invoke "again") (i32.const 42))
(assert_return (invoke "other") (i32.const 7))
(assert_return (invoke "kept") (i32.const 7))
(assert_return (invoke "same") (i32.const 1))
(register "all")
(module
  (import "all" "whole" (instance $w (export "h" (global i32)) (export "f" (func (result i32)))))
  (func (export "h") (result i32) (global.get (global $w "h")))
  (func (export "f") (result i32) (call (func $w "f"))))
(assert_return (invoke "h") (i32.const 44))
(assert_return (invoke "f") (i32.const 42))

;; All of its exports at once, by a zero-level export.
(module
  (import "a" "f" (func (result i32)))
  (import "a" "g" (func (result i32)))
  (export 0))
(assert_return (invoke "f") (i32.const 42))
(assert_return (invoke "g") (i32.const 43))

;; Between other instances, and with imports of one name apart from each other: the place is that of the first.
(module $outer
  (import "a" "f" (func $af (result i32)))
  (import "a" "g" (func $ag (result i32)))
  (import "b" (instance $b (export "f" (func (result i32)))))
  (module $inner
    (import "one" (instance $one (export "f" (func (result i32)))))
    (import "x" "f" (func $f (result i32)))
    (import "two" (instance $two (export "f" (func (result i32)))))
    (import "x" "g" (func $g (result i32)))
    (module $m (func (export "k") (result i32) (i32.const 3)))
    (instance $three (instantiate $m))
    (func (export "0") (result i32) (call (func 0 "f")))
    (func (export "1") (result i32) (i32.add (call (func 1 "f")) (call (func 1 "g"))))
    (func (export "2") (result i32) (call (func 2 "f")))
    (func (export "3") (result i32) (call (func 3 "k")))
    (func (export "names") (result i32)
      (i32.add (i32.add (call (func $one "f")) (call (func $two "f"))) (call (func $three "k")))))
  (instance $i (instantiate $inner (import "one" (instance $b)) (import "x" (instance 0)) (import "two" (instance 0))))
  (export $i))
(assert_return (invoke "0") (i32.const 7))
(assert_return (invoke "1") (i32.const 85))
(assert_return (invoke "2") (i32.const 42))
(assert_return (invoke "3") (i32.const 3))
(assert_return (invoke "names") (i32.const 52))

;; What is imported as a whole is passed on to two-level imports, and the other way round, through several modules.
(module
  (import "a" "f" (func (result i32)))
  (module $first
    (import "x" "f" (func (result i32)))
    (module $second (import "y" "f" (func $f (result i32))) (func (export "run") (result i32) (call $f)))
    (instance $s (instantiate $second (import "y" (instance 0))))
    (export $s))
  (instance $i (instantiate $first (import "x" (instance 0))))
  (export $i))
(assert_return (invoke "run") (i32.const 42))

;; Memories, tables, globals and tags are parts as well.
(module
  (import "a" "m" (memory 1))
  (import "a" "h" (global i32))
  (module $m
    (import "x" "m" (memory $m 1)) (import "x" "h" (global $h i32))
    (func (export "run") (result i32) (i32.store (i32.const 0) (global.get $h)) (i32.load8_u (i32.const 0))))
  (instance $i (instantiate $m (import "x" (instance 0))))
  (export $i))
(assert_return (invoke "run") (i32.const 44))

;; Definitions with imports inside of them count, too.
(module
  (func $f (import "b" "f") (result i32))
  (func $g (export "g") (import "a" "g") (result i32))
  (func (export "0") (result i32) (call (func 0 "f")))
  (func (export "1") (result i32) (call (func 1 "g"))))
(assert_return (invoke "0") (i32.const 7))
(assert_return (invoke "1") (i32.const 43))
(assert_return (invoke "g") (i32.const 43))

(assert_invalid (module (import "a" "f" (func)) (alias 1 "f" (func))) "unknown instance 1")
(assert_invalid (module (import "a" "f" (func)) (alias 0 "g" (func))) "unknown export")
(assert_invalid (module (import "a" "f" (func)) (alias 0 "f" (memory))) "unknown export")
(assert_invalid (module (import "a" "f" (func)) (func (drop (ref.instance 1)))) "unknown instance 1")
(assert_invalid
  (module (import "a" "f" (func)) (import "a" "f" (func (result i32))) (alias 0 "f" (func)))
  "duplicate import name")
(assert_invalid
  (module (import "a" "f" (func)) (import "a" "f" (func (result i32))) (func (drop (ref.instance 0))))
  "duplicate import name")
(assert_invalid
  (module
    (import "a" "f" (func))
    (module $m (import "x" (instance (export "g" (func)))))
    (instance (instantiate $m (import "x" (instance 0)))))
  "type mismatch")

;; Of nothing of the extension, names may still be there twice.
(module (import "a" "f" (func (result i32))) (import "a" "f" (func (result i32))))

;; Instance types that differ in the order of exports alone are the same type, also inside of other types.
(module $types
  (type $ab (instance (export "a" (func)) (export "b" (memory 1))))
  (type $ba (instance (export "b" (memory 1)) (export "a" (func))))
  (type $fab (func (param (ref $ab)) (result (ref null $ba))))
  (type $fba (func (param (ref $ba)) (result (ref null $ab))))
  (type $sab (struct (field (ref $ab))))
  (type $sba (struct (field (ref $ba))))
  (type $mab (module (import "x" (func)) (export "a" (func)) (export "b" (memory 1))))
  (type $mba (module (import "x" (func)) (export "b" (memory 1)) (export "a" (func))))
  (type $gab (global (mut (ref null $ab))))
  (type $gba (global (mut (ref null $ba))))
  (func $f (type $fab) (local.get 0))
  (table funcref (elem $f))
  (func (export "call") (param (ref null $ab)) (result i32)
    (ref.is_null (call_indirect (type $fba) (ref.as_non_null (local.get 0)) (i32.const 0))))
  (func (export "struct") (param (ref $sab)) (result (ref $sba)) (local.get 0))
  (func (export "module") (param (ref $mab)) (result (ref $mba)) (local.get 0))
  (func (export "global") (param (ref $gab)) (result (ref $gba)) (local.get 0))
  (func (export "f") (type $fab) (local.get 0)))
(register "types")
(module
  (type $ba (instance (export "b" (memory 1)) (export "a" (func))))
  (import "types" "f" (func (param (ref $ba)) (result (ref null $ba)))))
;; Imports have an order: it is that of operands.
(assert_invalid
  (module
    (type $m1 (module (import "x" (func)) (import "y" (memory 1))))
    (type $m2 (module (import "y" (memory 1)) (import "x" (func))))
    (type $f1 (func (param (ref $m1))))
    (type $f2 (func (param (ref $m2))))
    (func (param (ref $f1)) (result (ref $f2)) (local.get 0)))
  "type mismatch")
