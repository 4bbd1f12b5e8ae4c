;; options: inline
;; A function that calls itself is put into itself, as many levels deep as its size allows, and is called elsewhere.
(module
  (func $sum (param i32) (result i32)
    (if (i32.eqz (local.get 0)) (then (return (i32.const 0))))
    (i32.add (local.get 0) (call $sum (i32.sub (local.get 0) (i32.const 1)))))
  (func $main (param i32) (result i32) (call $sum (local.get 0))))
