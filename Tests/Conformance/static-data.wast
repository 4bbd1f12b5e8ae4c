;; A data segment may hold modules among its strings: the bytes that they encode to.

(module
  (type $M (module (export "f" (func (result i32)))))
  (type $I (instance (export "f" (func (result i32)))))
  (type $F (func (result i32)))
  (memory 1)
  (data (i32.const 16) "ab" (module) "cd")
  (data $template (module $made (func (export "f") (result i32) (i32.const 77))))
  (func (export "byte") (param i32) (result i32) (i32.load8_u (local.get 0)))
  (func (export "compiled") (param $length i32) (result i32)
    (memory.init $template (i32.const 100) (i32.const 0) (local.get $length))
    (call_ref $F (get_export $I "f" (instantiate $M (compile $M (i32.const 100) (local.get $length)))))))
(assert_return (invoke "byte" (i32.const 17)) (i32.const 98))
(assert_return (invoke "byte" (i32.const 18)) (i32.const 0))
(assert_return (invoke "byte" (i32.const 19)) (i32.const 97))
(assert_return (invoke "byte" (i32.const 22)) (i32.const 1))
(assert_return (invoke "byte" (i32.const 25)) (i32.const 0))
(assert_return (invoke "byte" (i32.const 26)) (i32.const 99))
(assert_return (invoke "byte" (i32.const 28)) (i32.const 0))
(assert_return (invoke "compiled" (i32.const 49)) (i32.const 77))
(assert_trap (invoke "compiled" (i32.const 50)) "out of bounds memory access")

;; A memory's own data, and a module in a module in a segment.
(module
  (memory (data "x" (module (module $inner (func (export "f")))) "y"))
  (func (export "size") (result i32) (memory.size))
  (func (export "byte") (param i32) (result i32) (i32.load8_u (local.get 0))))
(assert_return (invoke "size") (i32.const 1))
(assert_return (invoke "byte" (i32.const 0)) (i32.const 120))
(assert_return (invoke "byte" (i32.const 9)) (i32.const 14))

;; It is not validated before it is compiled.
(module
  (type $M (module))
  (memory 1)
  (data (i32.const 0) (module (func (result i32))))
  (func (export "null") (result i32) (ref.is_null (compile null $M (i32.const 0) (i32.const 25))))
  (func (export "trap") (drop (compile $M (i32.const 0) (i32.const 25)))))
(assert_return (invoke "null") (i32.const 1))
(assert_trap (invoke "trap") "invalid module")
(assert_malformed (module quote "(module (memory 1) (data (i32.const 0) (module (funk))))") "unknown operator")
(assert_malformed (module quote "(module (memory 1) (data (i32.const 0) (func)))") "unexpected token")
