;; Objects: fields are fields of .NET classes; null is found by the processor.
(module
  (type $s (struct (field $n (mut i32)) (field $p (mut i8)) (field $f (mut f32)) (field $r (mut (ref null $s)))))
  (type $large (struct (field i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i16)))
  (func $make (param i32) (result (ref $s)) (struct.new $s (i32.add (local.get 0) (i32.const 1)) (i32.const 200) (f32.const 1) (struct.new_default $s)))
  (func $fields (param (ref null $s)) (result i32)
    (struct.set $s $n (local.get 0) (i32.add (struct.get $s $n (local.get 0)) (i32.const 1)))
    (i32.add (struct.get_s $s $p (local.get 0)) (struct.get_u $s $p (struct.get $s $r (local.get 0)))))
  (func $floats (param (ref $s)) (result f32) (f32.add (struct.get $s $f (local.get 0)) (f32.const 0)))
  (func $large (result (ref $large)) (i64.const 1) (i64.const 2) (i64.const 3) (i64.const 4) (i64.const 5) (i64.const 6) (i64.const 7) (i64.const 8) (i64.const 9) (i64.const 10) (i64.const 11) (i64.const 12) (i64.const 13) (i64.const 14) (i64.const 15) (i64.const 16) (i64.const 17) (i32.const 18) (struct.new $large))
  (func $equal (param eqref (ref $s)) (result i32) (i32.add (ref.eq (local.get 0) (local.get 0)) (ref.eq (local.get 0) (local.get 1))))
  (func $i31 (param i32) (result i32) (i32.add (i31.get_s (ref.i31 (local.get 0))) (i31.get_u (ref.null i31)))))
