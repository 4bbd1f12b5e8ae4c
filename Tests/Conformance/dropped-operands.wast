;; What is dropped is gone: the operand below it goes where it was going, whatever made the dropped one.
;; Small loops keep the functions from being put into their callers.

(module
  (memory 1 10)
  (type $A (struct (field (mut i64))))
  (type $B (struct (field (mut (ref null $A)))))
  (global $a (mut (ref $A)) (struct.new $A (i64.const 0x4141)))
  (func $id (param i32) (result i32) (loop) (local.get 0))
  (func $null (result (ref null $B)) (loop) (ref.null $B))

  (func (export "set") (param i32) (result i32) (local i32)
    (call $id (i32.const 7)) (i32.add (local.get 0) (i32.const 1)) drop (local.set 1) (local.get 1))
  (func (export "tee") (param i32) (result i32) (local i32)
    (call $id (i32.const 7)) (i32.add (local.get 0) (i32.const 1)) drop (local.tee 1) (i32.add (local.get 1)))
  (func (export "if") (param i32) (result i32)
    (call $id (i32.const 7)) (i32.eq (local.get 0) (i32.const 5)) drop
    (if (result i32) (then (i32.const 100)) (else (i32.const 200))))
  (func (export "br_if") (param i32) (result i32)
    (block $b (call $id (i32.const 7)) (i64.lt_s (i64.const 3) (i64.extend_i32_u (local.get 0))) drop (br_if $b) (return (i32.const 200)))
    (i32.const 100))
  (func (export "grow") (param i32) (result i32) (local i32)
    (call $id (i32.const 3)) (memory.grow (local.get 0)) drop (local.set 1) (local.get 1))
  (func (export "load") (param i32) (result i32) (local i32)
    (call $id (i32.const 3)) (i32.load (local.get 0)) drop (local.set 1) (local.get 1))
  (func (export "two") (param i32) (result i32) (local i32)
    (call $id (i32.const 9)) (i32.mul (local.get 0) (local.get 0)) (i32.sub (local.get 0) (i32.const 1)) drop drop (local.set 1) (local.get 1))
  (func (export "number-under-reference") (result i32) (local i32)
    (call $id (i32.const 9)) (global.get $a) drop (local.set 0) (local.get 0))
  (func (export "reference-under-number") (param i32) (result i32) (local (ref null $B))
    (call $null) (i32.add (local.get 0) (i32.const 1)) drop (local.set 1) (ref.is_null (local.get 1)))
  (func $confused (result (ref null $B)) (local $b (ref null $B)) (loop)
    (call $null) (global.get $a) drop (local.set $b) (local.get $b))
  (func (export "reference") (result i64)
    (struct.get $A 0 (struct.get $B 0 (call $confused)))))

(assert_return (invoke "set" (i32.const 1)) (i32.const 7))
(assert_return (invoke "tee" (i32.const 1)) (i32.const 14))
(assert_return (invoke "if" (i32.const 1)) (i32.const 100))
(assert_return (invoke "br_if" (i32.const 1)) (i32.const 100))
(assert_return (invoke "grow" (i32.const 2)) (i32.const 3))
(assert_return (invoke "load" (i32.const 2)) (i32.const 3))
(assert_return (invoke "two" (i32.const 2)) (i32.const 9))
(assert_return (invoke "number-under-reference") (i32.const 9))
(assert_return (invoke "reference-under-number" (i32.const 9)) (i32.const 1))
(assert_trap (invoke "reference") "null structure reference")

;; Two objects with the same number are one i31.
(module
  (table 2 eqref)
  (func (export "set") (param i32 i32) (table.set (local.get 0) (ref.i31 (local.get 1))))
  (func (export "eq") (result i32) (ref.eq (table.get (i32.const 0)) (table.get (i32.const 1)))))

(invoke "set" (i32.const 0) (i32.const 100000))
(invoke "set" (i32.const 1) (i32.const 100000))
(assert_return (invoke "eq") (i32.const 1))
(invoke "set" (i32.const 1) (i32.const 100001))
(assert_return (invoke "eq") (i32.const 0))
