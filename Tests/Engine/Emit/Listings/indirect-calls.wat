;; Through tables, with 32 and 64 bits, and through references.
(module
  (type $u (func (param i32) (result i32))) (type $open (sub (func (param i64) (result i64 i64)))) (type $t (table 1 funcref))
  (table $small 4 funcref) (table $large i64 4 funcref)
  (func $table (param i32) (result i32) (call_indirect $small (type $u) (i32.add (local.get 0) (i32.const 1)) (local.get 0)))
  (func $table64 (param i64) (result i64 i64) (call_indirect $large (type $open) (local.get 0) (local.get 0)))
  (func $reference (param (ref null $u) i32) (result i32) (call_ref $u (i32.mul (local.get 1) (i32.const 2)) (local.get 0)))
  (func $behind (param (ref $t) i32) (result i32) (call_indirect (ref $t) (type $u) (local.get 1) (local.get 0) (i32.const 0)))
  (func $value (result funcref) (ref.func $table)) (elem declare func $table))
