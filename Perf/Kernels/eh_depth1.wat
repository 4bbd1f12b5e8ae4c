;; Exceptions: n times one is thrown with a number and caught in the caller.
(module
  (tag $number (param i32))

  (func $throw (param $x i32)
    (throw $number (local.get $x)))

  (func $catch (param $x i32) (result i32)
    (block $caught (result i32)
      (try_table (catch $number $caught)
        (call $throw (local.get $x)))
      (i32.const -1)))

  (func (export "run") (param $n i32) (result i64)
    (local $sum i64)
    (loop $again
      (local.set $sum
        (i64.add (i64.mul (local.get $sum) (i64.const 31)) (i64.extend_i32_s (call $catch (local.get $n)))))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum)))
