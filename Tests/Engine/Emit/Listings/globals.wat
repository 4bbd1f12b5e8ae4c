;; Own numbers are in the instance's data; imported globals and references are objects. Memories in immutable ones are read once.
(module
  (type $m (memory 1))
  (import "m" "g" (global $imported (mut i64)))
  (import "m" "r" (global $ref (mut externref)))
  (import "m" "mem" (global $memory (ref $m)))
  (global $a (mut i32) (i32.const 1)) (global $b (mut f64) (f64.const 2)) (global $v (mut v128) (v128.const i64x2 1 2)) (global $f (mut funcref) (ref.null func))
  (func $numbers (result f64)
    (global.set $a (i32.add (global.get $a) (i32.const 1)))
    (global.set $imported (i64.mul (global.get $imported) (i64.const 3)))
    (global.set $v (global.get $v))
    (global.get $b))
  (func $references (param externref funcref) (result externref) (global.set $f (local.get 1)) (global.get $ref) (global.set $ref (local.get 0)) (drop (global.get $f)))
  (func $read-once (param i32) (result i32) (i32.add (i32.load (ref $m) (global.get $memory) (local.get 0)) (i32.load (ref $m) offset=4 (global.get $memory) (local.get 0)))))
