;; Descriptors: what an object's is, and which null is whose.
(module
  (rec
    (type $object (descriptor $descriptor) (struct (field i64)))
    (type $descriptor (describes $object) (struct (field i32))))
  (func $make (param i32) (result (ref $object))
    (struct.new_desc $object (i64.const 5) (struct.new $descriptor (local.get 0))))
  (func (export "of") (param i32) (result i32)
    (struct.get $descriptor 0 (ref.get_desc $object (call $make (local.get 0)))))
  (func (export "of-null") (result i32)
    (struct.get $descriptor 0 (ref.get_desc $object (ref.null $object))))
  (func (export "field-of-null") (result i64) (struct.get $object 0 (ref.null $object)))
  (func (export "without") (drop (struct.new_desc $object (i64.const 5) (ref.null none)))))
(assert_return (invoke "of" (i32.const 7)) (i32.const 7))
(assert_trap (invoke "of-null") "null reference")
(assert_trap (invoke "field-of-null") "null structure reference")
(assert_trap (invoke "without") "null descriptor reference")
