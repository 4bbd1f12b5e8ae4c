;; A rotation is one instruction in arithmetic, and two shifts where its flags could be taken for the number's.
(module
  (func $in-arithmetic (param i32 i32) (result i32) (i32.xor (i32.add (i32.rotl (local.get 0) (i32.const 5)) (local.get 1)) (i32.rotr (local.get 1) (local.get 0))))
  (func $compared (param i64) (result i32) (i64.eqz (i64.rotl (local.get 0) (i64.const 9))))
  (func $with-neutral (param i32) (result i32) (i32.eqz (i32.add (i32.rotl (local.get 0) (i32.const 4)) (i32.const 0))))
  (func $in-local (param i32) (result i32) (local i32) (local.set 1 (i32.rotl (local.get 0) (i32.const 3))) (i32.mul (local.get 1) (local.get 0)))
  (func $in-local-compared (param i32) (result i32) (local i32 i32)
    (local.set 1 (i32.rotr (local.get 0) (i32.const 3)))
    (local.set 2 (local.get 1))
    (select (i32.const 1) (i32.const 2) (local.get 2)))
  (func $stored (param i32) (i32.store (i32.const 8) (i32.rotr (local.get 0) (i32.const 8))))
  (memory 1))
