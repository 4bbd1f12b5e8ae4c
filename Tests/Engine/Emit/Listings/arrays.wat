;; Arrays, alone and in functions that touch structs, where null must be told apart.
(module
  (type $a (array (mut i64))) (type $b (array (mut i8))) (type $fs (array (mut funcref))) (type $rs (array (mut externref))) (type $d (array (mut f64))) (type $s (struct (field i64 i8 i64)))
  (data $da "abcdefgh") (elem $el func $get)
  (func $get (param (ref null $a) i32) (result i64) (i64.add (array.get $a (local.get 0) (i32.add (local.get 1) (i32.const 1))) (i64.extend_i32_u (array.len (local.get 0)))))
  (func $set (param (ref null $a) i32) (array.set $a (local.get 0) (local.get 1) (i64.mul (array.get $a (local.get 0) (local.get 1)) (i64.const 3))) (array.set $a (local.get 0) (i32.const 0) (i64.const 1)))
  (func $packed (param (ref $b)) (result i32) (array.set $b (local.get 0) (i32.const 1) (i32.const 200)) (i32.add (array.get_s $b (local.get 0) (i32.const 1)) (array.get_u $b (local.get 0) (i32.const 2))))
  (func $make (param i32) (result (ref $a)) (drop (array.new $d (f64.const 2) (local.get 0))) (drop (array.new_default $rs (local.get 0))) (drop (array.new_fixed $b 2 (i32.const 1) (local.get 0))) (array.new $a (i64.const 0) (local.get 0)))
  (func $segments (param (ref $b) (ref $fs) i32) (drop (array.new_data $b $da (i32.const 0) (local.get 2))) (drop (array.new_elem $fs $el (i32.const 0) (i32.const 1)))
    (array.init_data $b $da (local.get 0) (i32.const 0) (i32.const 0) (i32.const 1)) (array.init_elem $fs $el (local.get 1) (i32.const 0) (i32.const 0) (i32.const 1)))
  (func $bulk (param (ref $d) (ref $b)) (array.fill $d (local.get 0) (i32.const 0) (f64.const 1) (i32.const 2)) (array.copy $b $b (local.get 1) (i32.const 0) (local.get 1) (i32.const 1) (i32.const 2)))
  (func $beside-structs (param (ref null $a) (ref null $s) i32) (result i64)
    (i64.add (struct.get $s 0 (local.get 1)) (array.get $a (local.get 0) (local.get 2)))))
