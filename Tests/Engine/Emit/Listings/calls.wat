;; Own functions through their cells, imported ones through the function reference; several results come as a tuple.
(module
  (type $u (func (param i32) (result i32)))
  (import "m" "f" (func $imported (type $u)))
  (import "m" "p" (func $pair (param i64) (result i64 f32 funcref)))
  (func $own (param i32 i64) (result i64) (loop (br_if 0 (local.get 0))) (local.get 1))
  (func $direct (param i32) (result i64) (call $own (i32.add (local.get 0) (i32.const 1)) (call $own (local.get 0) (i64.const 2))))
  (func $import-in-place (param i32) (result i32) (call $imported (local.get 0)))
  (func $import-behind (param i32) (result i32) (call $imported (i32.mul (local.get 0) (i32.const 3))))
  (func $tuple (param i64) (result funcref) (local funcref) (call $pair (local.get 0)) (local.set 1) (drop) (drop) (local.get 1)) (func $none (call $none))
  (func $many (param i32) (result i32 i32 i32 i32 i32 i32 i32 i32 i32) (loop (br_if 0 (local.get 0))) (call $many (local.get 0))))
