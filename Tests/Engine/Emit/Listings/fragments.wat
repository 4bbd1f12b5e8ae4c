;; options: parts explicit
;; A function in fragments: each says where to continue; what lives across is in two arrays.
(module
  (memory 1)
  (func $f (param $a i32) (param $d f64) (param $v v128) (param $r externref) (result f64 v128)
    (local $i i32) (local $f funcref)
    (local.set $i (i32.const 5))
    (loop $again
      (local.set $a (i32.add (local.get $a) (i32.load (local.get $i))))
      (if (i32.and (local.get $i) (i32.const 1))
        (then (local.set $v (i32x4.add (local.get $v) (i32x4.splat (local.get $a)))))
        (else (local.set $d (f64.mul (local.get $d) (f64.const 2)))))
      (block $b (block $a (br_table $a $b (local.get $i))) (local.set $r (ref.null extern)))
      (local.set $f (select (result funcref) (ref.null func) (local.get $f) (ref.is_null (local.get $r))))
      (br_if $again (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
    (local.get $d) (local.get $v)))
