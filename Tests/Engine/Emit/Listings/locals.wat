;; Reads of locals wait until they are used; a write saves those that still wait. Floats that may be read as zero are hidden.
(module
  (func $swap (param i32 i32) (result i32) (local.get 0) (local.get 1) (local.set 0) (local.set 1) (i32.sub (local.get 0) (local.get 1)))
  (func $saved (param i32) (result i32) (i32.add (local.get 0) (i32.add (i32.mul (local.get 0) (i32.const 7)) (local.tee 0 (i32.const 5)))))
  (func $before-block (param i32) (result i32) (i32.add (local.get 0) (block (result i32) (local.set 0 (i32.const 1)) (i32.const 5))))
  (func $zeros (param i32) (result f64) (local f64 f64 f32 v128)
    (if (local.get 0) (then (local.set 1 (f64.const 2))) (else (local.set 2 (f64.const 3))))
    (local.set 3 (f32.const 1))
    (f64.add (f64.add (local.get 1) (local.get 2)) (f64.promote_f32 (local.get 3))))
  (func $self (param i32) (result i32) (local.set 0 (local.get 0)) (local.tee 0 (local.get 0)))
  (func $drops (param i32) (drop (i32.add (local.get 0) (i32.const 1))) (drop (local.get 0)) (unreachable)))
