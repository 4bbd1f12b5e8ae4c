;; options: interruptible
;; Loops look at the mark of the stack's page; so do functions that only call.
(module
  (memory 1)
  (func $loop (param i32) (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
  (func $loop-that-calls (param i32) (loop (call $loop (local.get 0)) (i32.store (i32.const 0) (local.get 0)) (br 0)))
  (func $tail (param i32) (return_call $tail (local.get 0)))
  (func $plain (param i32) (result i32) (i32.add (local.get 0) (i32.const 1))))
