;; Comparisons that are values, and that decide branches.
(module
  (func $values (param i32 i64 f64) (result i32)
    (i32.or (i32.lt_u (local.get 0) (i32.const 7)) (i32.and (i64.ge_s (local.get 1) (i64.const -1)) (f64.le (local.get 2) (f64.const 2.5)))))
  (func $branches (param i32 i32) (result i32)
    (if (i32.ge_u (local.get 0) (local.get 1)) (then (return (i32.const 1))))
    (block (br_if 0 (i32.eqz (i32.eqz (local.get 0)))) (return (i32.const 2)))
    (if (result i32) (local.get 1) (then (i32.const 3)) (else (i32.const 4))))
  (func $select (param i32 i64 i64) (result i64) (select (local.get 1) (i64.add (local.get 2) (i64.const 1)) (i32.ne (local.get 0) (i32.const 0)))))
