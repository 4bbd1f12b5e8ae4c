;; A loaded value that is combined with what shifts and rotations make of it is needed whole, and is not stored. Where it may cancel itself it is.
(module
  (memory 1)
  (func $hash (param i32) (result i32) (local i32)
    (local.set 1 (i32.load (local.get 0)))
    (i32.mul (i32.xor (local.get 1) (i32.shr_u (local.get 1) (i32.const 16))) (i32.const 0x45d9f3b)))
  (func $schedule (param i32) (result i32) (local i32)
    (local.set 1 (i32.load (local.get 0)))
    (i32.xor (i32.xor (i32.rotl (local.get 1) (i32.const 25)) (i32.rotl (local.get 1) (i32.const 14))) (i32.shr_u (local.get 1) (i32.const 3))))
  (func $cancels (param i32) (result i32) (local i32)
    (local.set 1 (i32.load (local.get 0)))
    (i32.xor (i32.rotl (local.get 1) (i32.const 7)) (i32.rotl (local.get 1) (i32.const 7)))))
