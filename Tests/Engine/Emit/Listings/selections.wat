;; Selections of integers in loops mask one of two values out. Elsewhere RyuJIT makes conditional moves of branches.
(module
  (func $outside (param i32 i32 i32) (result i32) (select (local.get 0) (local.get 1) (local.get 2)))
  (func $loop (param i32 i64 f64)
    (loop $l
      (local.set 0 (select (i32.add (local.get 0) (i32.const 7)) (local.get 0) (i32.and (local.get 0) (i32.const 64))))
      (local.set 1 (select (local.get 1) (i64.const 0) (i32.lt_s (local.get 0) (i32.const 5))))
      (local.set 0 (select (i32.const 0) (local.get 0) (local.get 0)))
      (local.set 2 (select (local.get 2) (f64.const 1) (local.get 0)))
      (br_if $l (local.get 0)))))
