;; Its exit code is the second of the minute, or with an argument a random number from 0 to 63.
(module $given
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $arguments (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (func (export "_start")
    (drop (call $arguments (i32.const 0) (i32.const 4)))
    (if (i32.gt_u (i32.load (i32.const 0)) (i32.const 1))
      (then
        (drop (call $random (i32.const 8) (i32.const 1)))
        (call $exit (i32.and (i32.load8_u (i32.const 8)) (i32.const 63)))))
    (drop (call $clock (i32.const 0) (i64.const 1) (i32.const 8)))
    (call $exit (i32.wrap_i64 (i64.rem_u (i64.div_u (i64.load (i32.const 8)) (i64.const 1_000_000_000)) (i64.const 60))))))
