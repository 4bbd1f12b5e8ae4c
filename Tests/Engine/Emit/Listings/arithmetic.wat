;; Operators of one instruction, of a call, and float arithmetic that RyuJIT would leave out.
(module
  (func $integers (param i32 i32 i64) (result i64)
    (i64.add (i64.extend_i32_s (i32.sub (i32.mul (local.get 0) (i32.const 3)) (i32.div_s (local.get 1) (local.get 0))))
      (i64.shr_u (i64.rem_u (local.get 2) (i64.const 10)) (i64.extend_i32_u (i32.clz (local.get 1))))))
  (func $narrow (param i32 i64) (result i32)
    (i32.add (i32.extend8_s (i32.and (local.get 0) (i32.const 0xff))) (i32.wrap_i64 (i64.extend16_s (local.get 1)))))
  (func $neutral (param f32 f64) (result f64)
    (f64.add (f64.mul (local.get 1) (f64.const 1)) (f64.promote_f32 (f32.sub (f32.mul (local.get 0) (f32.const -1)) (f32.const 0)))))
  (func $demoted (param f32) (result f32) (f32.demote_f64 (f64.promote_f32 (local.get 0))))
  (func $known (param i32) (result f32) (f32.add (f32.convert_i32_s (i32.const 3)) (f32.add (f32.const nan:0x200000) (f32.convert_i32_u (local.get 0)))))
  (func $bits (param i32) (result f64) (f64.promote_f32 (f32.reinterpret_i32 (local.get 0))))
  (func $trunc (param f64) (result i64) (i64.add (i64.trunc_f64_s (local.get 0)) (i64.trunc_sat_f64_u (local.get 0))))
  (func $wide (param i64 i64) (result i64 i64) (i64.add128 (local.get 0) (i64.const 1) (i64.mul_wide_u (local.get 0) (local.get 1)))))
