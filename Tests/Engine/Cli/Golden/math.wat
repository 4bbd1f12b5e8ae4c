(module $math
  (type $binary (func (param i32 i32) (result i32)))
  (type (;1;) (func (result i32)))
  (type (;2;) (func (param i64 f32 f64 externref) (result i64 f32 f64 externref)))
  (type (;3;) (func (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "sched_yield" (func $yield (type 1)))
  (table $t 2 funcref)
  (memory (;0;) 1)
  (global $g (mut i64) (i64.const -7))
  (export "memory" (memory 0))
  (export "add" (func $add))
  (export "first" (func $first))
  (export "kinds" (func 4))
  (export "loop" (func 5))
  (elem (;0;) (i32.const 0) func $add)
  (func $add (type $binary) (param $a i32) (param $b i32) (result i32)
    local.get $a
    local.get $b
    i32.add
  )
  (func $first (type 1) (result i32)
    call $reach
  )
  (func $reach (type 1) (result i32)
    loop $large (result i32)
      i32.const -4
      i32.load
    end
  )
  (func (;4;) (type 2) (param i64 f32 f64 externref) (result i64 f32 f64 externref)
    local.get 0
    local.get 1
    local.get 2
    local.get 3
  )
  (func (;5;) (type 3) (param $n i32) (result i32)
    (local $sum i32)
    loop $again
      local.get $sum
      local.get $n
      i32.add
      local.set $sum
      local.get $n
      i32.const 1
      i32.sub
      local.tee $n
      br_if $again
    end
    local.get $sum
  )
  (data (;0;) (i32.const 8) "caf\c3\a9\00\"")
)
