;; Atomic operators: their results leave the IL stack, so that nothing is moved before them.
(module
  (memory $m 1 4 shared) (memory $l i64 1 4 shared) (type $t (memory 1 4 shared))
  (func $accesses (param i32 i64) (result i64) (i64.atomic.store offset=8 (local.get 0) (i64.add (local.get 1) (i64.const 1))) (i64.add (i64.atomic.load (local.get 0)) (i64.atomic.load8_u $l (local.get 1))))
  (func $modify (param i32 i32) (result i32) (i32.add (i32.atomic.rmw.add (local.get 0) (local.get 1)) (i32.atomic.rmw16.xchg_u offset=2 (i32.add (local.get 0) (i32.const 2)) (i32.mul (local.get 1) (i32.const 3)))))
  (func $compare (param i32 i32) (result i32) (i32.atomic.rmw.cmpxchg (i32.shl (local.get 0) (i32.const 2)) (local.get 1) (i32.const 7)))
  (func $reference (param (ref null $t) i32) (result i32) (i32.atomic.rmw.sub (ref $t) (local.get 0) (local.get 1) (i32.const 7)))
  (func $slice (param (ref null slice) i64) (result i32) (i32.atomic.load (ref slice) offset=4 (local.get 0) (local.get 1)))
  (func $waits (param i32 (ref $t) (ref slice)) (result i32) (atomic.fence) (drop (memory.atomic.notify $m (local.get 0) (i32.const 1))) (drop (memory.atomic.notify $l (i64.const 8) (i32.const 1)))
    (drop (memory.atomic.wait32 (ref $t) (local.get 1) (i32.const 0) (i32.const 1) (i64.const 0))) (memory.atomic.wait64 (ref slice) offset=8 (local.get 2) (i64.const 0) (i64.const 1) (i64.const 0)))
)
