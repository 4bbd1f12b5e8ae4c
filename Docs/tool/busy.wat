;; Says that it works, and works for ever.
(module $busy
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\08\00\00\00\08\00\00\00working\0a")
  (func $main (export "_start")
    (local $i i64)
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))
    (loop $again
      (local.set $i (i64.add (local.get $i) (i64.const 1)))
      (br $again))))
