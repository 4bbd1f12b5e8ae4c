;; options: fuel inline
;; Functions in place of their calls cost what they cost alone. What is left is in a local where nothing else runs.
(module
  (memory 1)
  (func $mark (param i32) (i32.store8 (local.get 0) (i32.const 1)))
  (func $never (param i32) (result i32) (unreachable))
  (func $loops (param i32)
    (loop (call $mark (local.get 0)) (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (call $loops (i32.const 1))
    (loop (loop (br_if 0 (local.tee 0 (i32.add (local.get 0) (i32.const 1))))) (br_if 1 (local.get 0)) (br_if 0 (local.tee 0 (i32.const 1))))
    (loop (call $mark (i32.const 2)) (call $loops (local.get 0)) (br_if 0 (local.get 0))))
  (func $behind (param i32) (result i32) (call $never (local.get 0)) (call $mark (i32.const 3))))
