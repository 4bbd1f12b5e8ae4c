;; compile $mem $T and compile null $mem $T: [at at] -> [(ref (null)? $T)].

(module
  (type $T (module (export "f" (func (result i32)))))
  (memory 1)
  ;; (module (func (export "f") (result i32) (i32.const 42)))
  (data (i32.const 0)
    "\00asm\01\00\00\00" "\01\05\01\60\00\01\7f" "\03\02\01\00" "\07\05\01\01f\00\00" "\0a\06\01\04\00\41\2a\0b")
  (func (export "compile") (param i32 i32) (result i32)
    (ref.is_null (compile $T (local.get 0) (local.get 1))))
  (func (export "compile-null") (param i32 i32) (result i32)
    (ref.is_null (compile null $T (local.get 0) (local.get 1)))))

(assert_return (invoke "compile" (i32.const 0) (i32.const 34)) (i32.const 0))
(assert_return (invoke "compile-null" (i32.const 0) (i32.const 34)) (i32.const 0))
(assert_trap (invoke "compile" (i32.const 0) (i32.const 33)) "malformed module")
(assert_return (invoke "compile-null" (i32.const 0) (i32.const 33)) (i32.const 1))
(assert_trap (invoke "compile" (i32.const 65535) (i32.const 34)) "out of bounds memory access")
(assert_trap (invoke "compile-null" (i32.const 65535) (i32.const 34)) "out of bounds memory access")
