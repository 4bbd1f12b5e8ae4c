;; A library: no _start, but functions to call.
(module $sum
  (memory (export "memory") 1)
  (func $sum (export "sum") (param $from i32) (param $to i32) (result i32)
    (local $sum i32)
    (loop $next
      (local.set $sum (i32.add (local.get $sum) (local.get $from)))
      (br_if $next (i32.le_s (local.tee $from (i32.add (local.get $from) (i32.const 1))) (local.get $to))))
    (local.get $sum))
  (func $peek (export "peek") (param $address i32) (result i32)
    (i32.load (local.get $address)))
  (func $forever (export "forever") (param $n i32) (result i32)
    (i32.add (i32.const 1) (call $forever (local.get $n)))))
