;; GC: a merge sort of records, which a generic array holds as references to anything, with a function that compares them
;; by casting them to what they are.
(module
  (type $text (array (mut i8)))
  (type $shape (sub (struct (field $name (ref $text)))))
  (type $record (sub final $shape (struct (field $name (ref $text)) (field $key i32) (field $weight f64))))
  (type $list (array (mut anyref)))
  (type $compare (func (param anyref anyref) (result i32)))
  (elem declare func $by_key $by_name)

  (func $by_key (type $compare) (param $a anyref) (param $b anyref) (result i32)
    (local $x i32) (local $y i32)
    (local.set $x (struct.get $record $key (ref.cast (ref $record) (local.get $a))))
    (local.set $y (struct.get $record $key (ref.cast (ref $record) (local.get $b))))
    (i32.sub (i32.gt_s (local.get $x) (local.get $y)) (i32.lt_s (local.get $x) (local.get $y))))

  ;; By the bytes of the names, the shorter first where one begins with the other.
  (func $by_name (type $compare) (param $a anyref) (param $b anyref) (result i32)
    (local $x (ref $text)) (local $y (ref $text)) (local $i i32) (local $length i32) (local $difference i32)
    (local.set $x (struct.get $shape $name (ref.cast (ref $shape) (local.get $a))))
    (local.set $y (struct.get $shape $name (ref.cast (ref $shape) (local.get $b))))
    (local.set $length
      (select
        (array.len (local.get $x)) (array.len (local.get $y))
        (i32.lt_u (array.len (local.get $x)) (array.len (local.get $y)))))
    (block $end
      (loop $bytes
        (br_if $end (i32.ge_u (local.get $i) (local.get $length)))
        (local.set $difference
          (i32.sub
            (array.get_u $text (local.get $x) (local.get $i))
            (array.get_u $text (local.get $y) (local.get $i))))
        (if (local.get $difference) (then (return (local.get $difference))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $bytes)))
    (i32.sub (array.len (local.get $x)) (array.len (local.get $y))))

  ;; Sorts list[from, to) with the help of another array.
  (func $sort (param $list (ref $list)) (param $help (ref $list)) (param $from i32) (param $to i32)
    (param $compare (ref $compare))
    (local $middle i32) (local $i i32) (local $j i32) (local $k i32)
    (if (i32.lt_s (i32.sub (local.get $to) (local.get $from)) (i32.const 2)) (then (return)))
    (local.set $middle (i32.shr_u (i32.add (local.get $from) (local.get $to)) (i32.const 1)))
    (call $sort (local.get $list) (local.get $help) (local.get $from) (local.get $middle) (local.get $compare))
    (call $sort (local.get $list) (local.get $help) (local.get $middle) (local.get $to) (local.get $compare))
    (array.copy $list $list
      (local.get $help) (local.get $from) (local.get $list) (local.get $from)
      (i32.sub (local.get $middle) (local.get $from)))
    (local.set $i (local.get $from))
    (local.set $j (local.get $middle))
    (local.set $k (local.get $from))
    (block $end
      (loop $merge
        (br_if $end (i32.ge_s (local.get $i) (local.get $middle)))
        (if
          (if (result i32) (i32.ge_s (local.get $j) (local.get $to))
            (then (i32.const 1))
            (else
              (i32.le_s
                (call_ref $compare
                  (array.get $list (local.get $help) (local.get $i))
                  (array.get $list (local.get $list) (local.get $j))
                  (local.get $compare))
                (i32.const 0))))
          (then
            (array.set $list (local.get $list) (local.get $k) (array.get $list (local.get $help) (local.get $i)))
            (local.set $i (i32.add (local.get $i) (i32.const 1))))
          (else
            (array.set $list (local.get $list) (local.get $k) (array.get $list (local.get $list) (local.get $j)))
            (local.set $j (i32.add (local.get $j) (i32.const 1)))))
        (local.set $k (i32.add (local.get $k) (i32.const 1)))
        (br $merge))))

  (global $random (mut i32) (i32.const 2463534242))

  (func $next (result i32)
    (global.set $random (i32.xor (global.get $random) (i32.shl (global.get $random) (i32.const 13))))
    (global.set $random (i32.xor (global.get $random) (i32.shr_u (global.get $random) (i32.const 17))))
    (global.set $random (i32.xor (global.get $random) (i32.shl (global.get $random) (i32.const 5))))
    (global.get $random))

  (func $record (result (ref $record))
    (local $text (ref $text)) (local $i i32)
    (local.set $text (array.new_default $text (i32.add (i32.and (call $next) (i32.const 7)) (i32.const 3))))
    (loop $letters
      (array.set $text (local.get $text) (local.get $i) (i32.add (i32.const 97) (i32.and (call $next) (i32.const 3))))
      (br_if $letters
        (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (array.len (local.get $text)))))
    (struct.new $record (local.get $text) (i32.shr_s (call $next) (i32.const 12)) (f64.convert_i32_u (call $next))))

  ;; A hash of keys and weights in their order.
  (func $sum (param $list (ref $list)) (result i64)
    (local $i i32) (local $sum i64) (local $record (ref $record))
    (loop $records
      (local.set $record (ref.cast (ref $record) (array.get $list (local.get $list) (local.get $i))))
      (local.set $sum
        (i64.add
          (i64.mul (local.get $sum) (i64.const 31))
          (i64.add
            (i64.extend_i32_s (struct.get $record $key (local.get $record)))
            (i64.trunc_sat_f64_s (struct.get $record $weight (local.get $record))))))
      (br_if $records (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (array.len (local.get $list)))))
    (local.get $sum))

  ;; n records sorted by key, then by name.
  (func (export "run") (param $n i32) (result i64)
    (local $list (ref $list)) (local $help (ref $list)) (local $i i32) (local $sum i64)
    (global.set $random (i32.const 2463534242))
    (local.set $list (array.new_default $list (local.get $n)))
    (local.set $help (array.new_default $list (local.get $n)))
    (loop $make
      (array.set $list (local.get $list) (local.get $i) (call $record))
      (br_if $make (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
    (call $sort (local.get $list) (local.get $help) (i32.const 0) (local.get $n) (ref.func $by_key))
    (local.set $sum (call $sum (local.get $list)))
    (call $sort (local.get $list) (local.get $help) (i32.const 0) (local.get $n) (ref.func $by_name))
    (i64.xor (i64.mul (local.get $sum) (i64.const 7)) (call $sum (local.get $list)))))
