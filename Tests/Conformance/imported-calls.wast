;; Calls of imported functions whose arguments are calls of imported functions: code and instance are of the same function.

(module $h
  (global $n (mut i32) (i32.const 100))
  (func (export "f") (param i32) (result i32) (i32.add (local.get 0) (global.get $n)))
  (func (export "two") (param i32 i32) (result i32) (i32.sub (local.get 0) (local.get 1))))
(register "h" $h)
(module $k
  (global $n (mut i32) (i32.const 3))
  (func (export "g") (param i32) (result i32) (i32.mul (local.get 0) (global.get $n))))
(register "k" $k)
(module
  (import "h" "f" (func $f (param i32) (result i32)))
  (import "h" "two" (func $two (param i32 i32) (result i32)))
  (import "k" "g" (func $g (param i32) (result i32)))
  (func (export "nested") (param i32) (result i32) (call $f (call $g (local.get 0))))
  (func (export "deep") (param i32) (result i32) (call $g (call $f (call $g (call $f (local.get 0))))))
  (func (export "both") (param i32) (result i32)
    (call $two (call $f (call $g (local.get 0))) (call $g (call $f (local.get 0)))))
  (func (export "tail") (param i32) (result i32) (return_call $f (call $g (local.get 0))))
  (func (export "simple") (param i32) (result i32) (call $two (local.get 0) (i32.const 7))))
(assert_return (invoke "nested" (i32.const 1)) (i32.const 103))
(assert_return (invoke "deep" (i32.const 1)) (i32.const 1209))
(assert_return (invoke "both" (i32.const 1)) (i32.const -200))
(assert_return (invoke "tail" (i32.const 2)) (i32.const 106))
(assert_return (invoke "simple" (i32.const 10)) (i32.const 3))
