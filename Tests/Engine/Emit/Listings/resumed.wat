;; options: resume fuel
;; A function that begins at its second loop, with what the interpreter has of locals and operands.
(module
  (func $f (param i32 f64) (result f64) (local i64 externref f32)
    (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (local.get 1) (i64.extend_i32_s (local.get 0)) (i32.const 7)
    (loop (param i64 i32) (result i64 i32) (local.set 0) (local.set 2) (local.get 2) (local.get 0) (br_if 0 (local.get 0)))
    (drop) (f64.convert_i64_s) (f64.add)))
