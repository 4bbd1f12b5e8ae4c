;; Custom descriptors.
(module
  (rec (type $o (descriptor $od) (struct (field i16 f64))) (type $od (describes $o) (struct (field f64 i16))))
  (func $make (result (ref $o)) (struct.new_desc $o (i32.const 1) (f64.const 2) (struct.new $od (f64.const 3) (i32.const 4))))
  (func $default (param (ref null (exact $od))) (result (ref $o)) (struct.new_default_desc $o (local.get 0)))
  (func $get (param (ref null $o)) (result (ref $od)) (ref.get_desc $o (local.get 0)))
  (func $cast (param anyref (ref $od)) (result (ref null $o)) (drop (ref.cast_desc_eq (ref $o) (local.get 0) (local.get 1))) (ref.cast_desc_eq (ref null $o) (local.get 0) (local.get 1)))
  (func $branch (param anyref (ref null $od)) (result anyref) (block (result anyref) (br_on_cast_desc_eq 0 anyref (ref $o) (local.get 0) (local.get 1))))
  (func $branch-fail (param anyref (ref null $od)) (result anyref) (block (result anyref) (br_on_cast_desc_eq_fail 0 anyref (ref null $o) (local.get 0) (local.get 1)))))
