;; GC: binary trees. Many short-lived trees beside one that lives long: allocation, and tracing of small objects.
(module
  (type $tree (struct (field $left (ref null $tree)) (field $right (ref null $tree))))

  (func $make (param $depth i32) (result (ref $tree))
    (if (result (ref $tree)) (i32.eqz (local.get $depth))
      (then (struct.new $tree (ref.null $tree) (ref.null $tree)))
      (else
        (struct.new $tree
          (call $make (i32.sub (local.get $depth) (i32.const 1)))
          (call $make (i32.sub (local.get $depth) (i32.const 1)))))))

  ;; The number of nodes.
  (func $count (param $tree (ref $tree)) (result i32)
    (local $left (ref null $tree))
    (if (ref.is_null (local.tee $left (struct.get $tree $left (local.get $tree)))) (then (return (i32.const 1))))
    (i32.add
      (i32.add (i32.const 1) (call $count (ref.as_non_null (local.get $left))))
      (call $count (ref.as_non_null (struct.get $tree $right (local.get $tree))))))

  ;; Trees of the even depths from 4 to n, as many of each as have together about 2^(n+4) nodes.
  (func (export "run") (param $n i32) (result i64)
    (local $long (ref $tree)) (local $depth i32) (local $times i32) (local $i i32) (local $sum i64)
    (local.set $long (call $make (local.get $n)))
    (local.set $depth (i32.const 4))
    (loop $depths
      (local.set $times (i32.shl (i32.const 1) (i32.sub (i32.add (local.get $n) (i32.const 4)) (local.get $depth))))
      (local.set $i (i32.const 0))
      (loop $trees
        (local.set $sum
          (i64.add (local.get $sum) (i64.extend_i32_u (call $count (call $make (local.get $depth))))))
        (br_if $trees (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $times))))
      (local.set $sum (i64.mul (local.get $sum) (i64.const 31)))
      (br_if $depths (i32.le_u (local.tee $depth (i32.add (local.get $depth) (i32.const 2))) (local.get $n))))
    (i64.add (local.get $sum) (i64.extend_i32_u (call $count (local.get $long))))))
