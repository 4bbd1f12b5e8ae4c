;; Constants and shifts in indices that do not wrap around are parts of the address.
(module
  (memory 1)
  (func $masked (param i32) (result i32) (i32.load offset=4 (i32.add (i32.and (local.get 0) (i32.const 0xfff)) (i32.const 1024))))
  (func $scaled (param i32) (result i32) (i32.load (i32.add (i32.shl (i32.and (local.get 0) (i32.const 0xfff)) (i32.const 2)) (i32.const 1024))))
  (func $byte (param i32) (result i32) (i32.load (i32.shl (i32.load8_u (local.get 0)) (i32.const 3))))
  (func $stored (param i32 i32) (i32.store8 (i32.add (i32.shr_u (local.get 0) (i32.const 1)) (i32.const 8)) (i32.mul (local.get 1) (local.get 1))))
  (func $counted (local i32)
    (loop $l
      (i64.store (i32.add (local.get 0) (i32.const 64)) (i64.const 1))
      (br_if $l (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 8))) (i32.const 800)))))
  (func $wraps (param i32) (result i32) (i32.load (i32.add (local.get 0) (i32.const 1024))))
  (func $large (param i32) (result i32) (i32.load (i32.add (i32.and (local.get 0) (i32.const 15)) (i32.const 0x90000000)))))
