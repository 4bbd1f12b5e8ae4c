;; options: explicit inline
;; Accesses that need no comparison, since an earlier one has reached as far, or their index is too small to be outside.
(module
  (memory 1)
  (func $smaller (param i32) (result i32) (i32.add (i32.load offset=8 (local.get 0)) (i32.load8_u offset=4 (local.get 0))))
  (func $sums (param i32) (i64.store (i32.add (local.get 0) (i32.const 16)) (i64.load (i32.add (local.get 0) (i32.const 16)))))
  (func $moved (param i32) (result i32) (drop (i64.load (local.get 0))) (i32.load (local.tee 0 (i32.add (local.get 0) (i32.const 4)))))
  (func $arms (param i32 i32) (result i32)
    (if (local.get 1) (then (drop (i64.load (local.get 0)))) (else (drop (i32.load (local.get 0)))))
    (i32.load16_u (local.get 0)))
  (func $loop (param i32 i32) (drop (i32.load (local.get 0)))
    (loop (i32.store (local.get 0) (i32.load (local.get 1))) (br_if 0 (local.tee 1 (i32.add (local.get 1) (i32.const 4))))))
  (func $masked (param i32) (result i32) (i32.load offset=1024 (i32.shl (i32.and (local.get 0) (i32.const 255)) (i32.const 2))))
  (func $counted (local i32 i32) (local.set 0 (i32.const 0)) (local.set 1 (i32.const 1024))
    (loop (i32.store (i32.add (local.get 1) (local.get 0)) (i32.const 1)) (local.set 1 (i32.add (local.get 1) (i32.const 64)))
      (br_if 0 (i32.ne (local.tee 0 (i32.add (local.get 0) (i32.const 4))) (i32.const 400)))))
  (func $tested (param i32) (result i32)
    (if (result i32) (i32.lt_u (local.get 0) (i32.const 65536)) (then (i32.load8_u (local.get 0))) (else (i32.load8_u (local.get 0)))))
  (func $call (param i32) (drop (i32.load (local.get 0))) (call $call (i32.const 1)) (drop (i32.load (local.get 0)))))
