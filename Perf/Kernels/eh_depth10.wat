;; Exceptions: n times one is thrown and caught ten calls further out; the tag of a handler in between is another.
(module
  (tag $number (param i32))
  (tag $other)

  (func $throw (param $depth i32) (param $x i32) (result i32)
    (if (i32.eqz (local.get $depth)) (then (throw $number (local.get $x))))
    (i32.add
      (call $throw (i32.sub (local.get $depth) (i32.const 1)) (i32.add (local.get $x) (local.get $depth)))
      (i32.const 1)))

  (func $between (param $x i32) (result i32)
    (block $caught
      (return
        (try_table (result i32) (catch $other $caught)
          (call $throw (i32.const 7) (local.get $x)))))
    (i32.const -2))

  (func $catch (param $x i32) (result i32)
    (block $caught (result i32)
      (try_table (result i32) (catch $number $caught)
        (call $between (local.get $x)))))

  (func (export "run") (param $n i32) (result i64)
    (local $sum i64)
    (loop $again
      (local.set $sum
        (i64.add (i64.mul (local.get $sum) (i64.const 31)) (i64.extend_i32_s (call $catch (local.get $n)))))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum)))
