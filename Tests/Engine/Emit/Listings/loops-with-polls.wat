;; options: interruptible
;; Loops look at the mark of the stack's page where they go on; so do functions that only call, and such as have much to do when they are entered.
(module
  (memory 1)
  (func $loop (param i32) (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
  (func $loop-that-calls (param i32) (loop (call $loop (local.get 0)) (i32.store (i32.const 0) (local.get 0)) (br 0)))
  (func $tail (param i32) (return_call $tail (local.get 0)))
  (func $plain (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
  (func $no-steps (param i32) (loop (br_if 0 (local.tee 0 (i32.load (local.get 0))))))
  (func $few (local i32) (local.set 0 (i32.const 0)) (loop (br_if 0 (i32.ne (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 8)))))
  (func $many (local i32) (local.set 0 (i32.const 0)) (loop (br_if 0 (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 1000)))))
  (func $few-in-it (param i32) (local i32)
    (loop (local.set 1 (i32.const 0))
      (loop (br_if 0 (i32.ne (local.tee 1 (i32.add (local.get 1) (i32.const 1))) (i32.const 8))))
      (br_if 0 (i32.lt_s (local.tee 0 (i32.add (local.get 0) (i32.const 4))) (i32.const 64)))))
  (func $two-branches (param i32) (loop $l (br_if $l (i32.load (local.get 0))) (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))
