;; Throws what nobody catches.
(module $throws
  (tag $problem (param i32))
  (func $check (param $n i32)
    (if (i32.gt_s (local.get $n) (i32.const 3)) (then (throw $problem (local.get $n))))
    (call $check (i32.add (local.get $n) (i32.const 1))))
  (func $main (export "_start")
    (call $check (i32.const 0))))
