;; Arms without values go to the labels themselves; with values, to landing pads that move them.
(module
  (func $plain (param i32) (result i32)
    (block (block (block (br_table 0 1 2 1 (local.get 0))) (return (i32.const 10))) (return (i32.const 20))) (i32.const 30))
  (func $one-arm (param i32) (block (br_table 0 (local.get 0))))
  (func $values (param i32 i64) (result i64)
    (block (result i64) (block (result i64) (i64.add (local.get 1) (i64.const 1)) (br_table 0 1 0 2 (local.get 0))) (i64.const 5) (i64.mul)))
  (func $to-function (param i32) (block (br_table 0 1 (local.get 0)))))
