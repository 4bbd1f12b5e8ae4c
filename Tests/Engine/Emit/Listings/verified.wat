;; options: verify explicit
;; The verifying mode: assertions in the place of what is left out, and copies of operands that wait.
(module
  (memory 1)
  (func $f (param i32 i32) (result i32)
    (i32.store (local.get 0) (i32.add (local.get 1) (i32.const 1)))
    (if (i32.rotl (local.get 0) (i32.const 3)) (then (local.set 0 (i32.load (i32.const 16)))))
    (i32.add (local.get 0) (block (result i32) (local.set 0 (i32.const 1)) (i32.lt_s (local.get 0) (local.get 1))))))
