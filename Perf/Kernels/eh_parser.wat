;; Exceptions: a parser of arithmetic expressions that throws where one is wrong, which is rare. The text is generated: lines
;; of sums of products of numbers and parentheses; one in 2,000 has a character that does not belong there.
(module
  (memory 8)
  (tag $wrong (param i32))
  (global $at (mut i32) (i32.const 0))
  (global $end (mut i32) (i32.const 0))
  (global $random (mut i32) (i32.const 0))

  (func $next (result i32)
    (global.set $random (i32.xor (global.get $random) (i32.shl (global.get $random) (i32.const 13))))
    (global.set $random (i32.xor (global.get $random) (i32.shr_u (global.get $random) (i32.const 17))))
    (global.set $random (i32.xor (global.get $random) (i32.shl (global.get $random) (i32.const 5))))
    (i32.and (global.get $random) (i32.const 0x7fffffff)))

  (func $put (param $char i32)
    (i32.store8 (global.get $end) (local.get $char))
    (global.set $end (i32.add (global.get $end) (i32.const 1))))

  (func $write (param $depth i32)
    (local $terms i32)
    (local.set $terms (i32.add (i32.rem_u (call $next) (i32.const 3)) (i32.const 1)))
    (loop $again
      (if (i32.and (i32.gt_s (local.get $depth) (i32.const 0)) (i32.and (call $next) (i32.const 1)))
        (then
          (call $put (i32.const 40))
          (call $write (i32.sub (local.get $depth) (i32.const 1)))
          (call $put (i32.const 41)))
        (else
          (call $put (i32.add (i32.const 49) (i32.rem_u (call $next) (i32.const 9))))
          (call $put (i32.add (i32.const 48) (i32.rem_u (call $next) (i32.const 10))))))
      (if (local.tee $terms (i32.sub (local.get $terms) (i32.const 1)))
        (then
          (call $put (select (i32.const 42) (i32.const 43) (i32.and (call $next) (i32.const 1))))
          (br $again)))))

  (func $peek (result i32) (i32.load8_u (global.get $at)))

  (func $skip (global.set $at (i32.add (global.get $at) (i32.const 1))))

  (func $primary (result i32)
    (local $value i32) (local $digits i32)
    (if (i32.eq (call $peek) (i32.const 40))
      (then
        (call $skip)
        (local.set $value (call $sum))
        (if (i32.ne (call $peek) (i32.const 41)) (then (throw $wrong (global.get $at))))
        (call $skip)
        (return (local.get $value))))
    (block $end
      (loop $number
        (br_if $end (i32.ge_u (i32.sub (call $peek) (i32.const 48)) (i32.const 10)))
        (local.set $value (i32.add (i32.mul (local.get $value) (i32.const 10)) (i32.sub (call $peek) (i32.const 48))))
        (local.set $digits (i32.add (local.get $digits) (i32.const 1)))
        (call $skip)
        (br $number)))
    (if (i32.eqz (local.get $digits)) (then (throw $wrong (global.get $at))))
    (local.get $value))

  (func $product (result i32)
    (local $value i32)
    (local.set $value (call $primary))
    (loop $again
      (if (i32.eq (call $peek) (i32.const 42))
        (then
          (call $skip)
          (local.set $value (i32.mul (local.get $value) (call $primary)))
          (br $again))))
    (local.get $value))

  (func $sum (result i32)
    (local $value i32)
    (local.set $value (call $product))
    (loop $again
      (if (i32.eq (call $peek) (i32.const 43))
        (then
          (call $skip)
          (local.set $value (i32.add (local.get $value) (call $product)))
          (br $again))))
    (local.get $value))

  ;; The value of the line at $at; the place of what is wrong, negative, if something is.
  (func $line (result i32)
    (local $value i32)
    (block $wrong (result i32)
      (try_table (catch $wrong $wrong)
        (local.set $value (call $sum))
        (if (i32.ne (call $peek) (i32.const 10)) (then (throw $wrong (global.get $at))))
        (call $skip)
        (return (local.get $value)))
      (unreachable))
    (local.set $value)
    (loop $rest
      (br_if $rest
        (i32.ne
          (block (result i32) (call $peek) (call $skip))
          (i32.const 10))))
    (i32.sub (i32.const 0) (local.get $value)))

  ;; 8,000 lines, n times.
  (func (export "run") (param $n i32) (result i64)
    (local $hash i64) (local $i i32)
    (global.set $random (i32.const 1966))
    (global.set $end (i32.const 0))
    (loop $lines
      (call $write (i32.const 3))
      (if (i32.eqz (i32.rem_u (local.get $i) (i32.const 2000))) (then (call $put (i32.const 33))))
      (call $put (i32.const 10))
      (br_if $lines (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 8000))))
    (loop $again
      (global.set $at (i32.const 0))
      (loop $parse
        (local.set $hash
          (i64.add (i64.mul (local.get $hash) (i64.const 31)) (i64.extend_i32_s (call $line))))
        (br_if $parse (i32.lt_u (global.get $at) (global.get $end))))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $hash)))
