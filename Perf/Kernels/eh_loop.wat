;; Exceptions: a loop with a try_table in it around a call that could throw, and never does.
(module
  (tag $odd (param i32))

  (func $step (param $x i32) (result i32)
    (if (i32.eq (local.get $x) (i32.const 0x7fffffff)) (then (throw $odd (local.get $x))))
    (i32.add (i32.mul (local.get $x) (i32.const 1103515245)) (i32.const 12345)))

  (func (export "run") (param $n i32) (result i64)
    (local $x i32) (local $caught i32) (local $sum i64)
    (local.set $x (i32.const 1))
    (loop $again
      (block $next
        (block $handler (result i32)
          (try_table (catch $odd $handler)
            (local.set $x (i32.and (call $step (local.get $x)) (i32.const 0x3fffffff))))
          (local.set $sum (i64.add (i64.mul (local.get $sum) (i64.const 3)) (i64.extend_i32_u (local.get $x))))
          (br $next))
        (local.set $caught (i32.add (local.get $caught))))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i64.add (local.get $sum) (i64.extend_i32_u (local.get $caught)))))
