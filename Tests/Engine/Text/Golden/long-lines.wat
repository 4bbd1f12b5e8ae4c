(module
  (type (;0;) (func (param i32 (ref null 0) i32 (ref null 0) i32 (ref null 0) i32 (ref null 0) i32 (ref null 0) i32
      (ref null 0) i32 (ref null 0) i32 (ref null 0) i32 (ref null 0) i32 (ref null 0) i32 (ref null 0) i32 (ref null 0)
      i32 (ref null 0) i32 (ref null 0) i32 (ref null 0) i32 (ref null 0) i32 (ref null 0) i32 (ref null 0) i32
      (ref null 0) i32 (ref null 0)) (result i32)))
  (type (;1;) (struct (field $field_0 (mut i32)) (field $field_1 (mut i32)) (field $field_2 (mut i32))
      (field $field_3 (mut i32)) (field $field_4 (mut i32)) (field $field_5 (mut i32)) (field $field_6 (mut i32))
      (field $field_7 (mut i32)) (field $field_8 (mut i32)) (field $field_9 (mut i32)) (field $field_10 (mut i32))
      (field $field_11 (mut i32)) (field $field_12 (mut i32)) (field $field_13 (mut i32)) (field $field_14 (mut i32))
      (field $field_15 (mut i32)) (field $field_16 (mut i32)) (field $field_17 (mut i32)) (field $field_18 (mut i32))
      (field $field_19 (mut i32))))
  (type $instance (instance (export "export 0" (memory 0)) (export "export 1" (memory 1)) (export "export 2" (memory 2))
      (export "export 3" (memory 3)) (export "export 4" (memory 4)) (export "export 5" (memory 5))
      (export "export 6" (memory 6)) (export "export 7" (memory 7))))
  (type (;3;) (func))
  (table (;0;) 1 funcref)
  (memory (;0;) 1)
  (elem (;0;) (i32.const 0) func $f $f $f $f $f $f $f $f $f $f $f $f $f $f $f $f $f $f $f $f $f $f $f $f $f $f $f $f $f
      $f $f $f $f $f $f $f $f $f $f $f $f $f $f $f $f $f $f $f $f $f $f $f $f $f $f $f $f $f $f $f)
  (elem $expressions (i32.const 0) funcref (ref.func $f) (ref.func $f) (ref.func $f) (ref.func $f) (ref.func $f)
      (ref.func $f) (ref.func $f) (ref.func $f) (ref.func $f) (ref.func $f) (ref.func $f) (ref.func $f))
  (elem $typed externref (ref.null extern))
  (func $f (type 3)
    (local i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32
        i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (local $local_0 i64) (local $local_1 i64)
        (local $local_2 i64) (local $local_3 i64) (local $local_4 i64) (local $local_5 i64) (local $local_6 i64)
        (local $local_7 i64) (local $local_8 i64) (local $local_9 i64) (local $local_10 i64) (local $local_11 i64)
    i32.const 0
    br_table 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
        0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
  )
  (data (;0;) (offset (i32.const 1) (i32.const 2) (i32.add))
      "some text \00\ffsome text \00\ffsome text \00\ffsome text \00\ffsome text \00\ffsome text \00"
      "\ffsome text \00\ffsome text \00\ffsome text \00\ffsome text \00\ffsome text \00\ffsome text"
      " \00\ffsome text \00\ffsome text \00\ffsome text \00\ffsome text \00\ffsome text \00\ffsome "
      "text \00\ffsome text \00\ffsome text \00\ff")
  (data (;1;) "")
)
