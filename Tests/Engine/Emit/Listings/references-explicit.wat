;; The same, compared with the length of the memory that is beside the local.
;; options: explicit
(module
  (type $m (memory 1)) (type $l (memory i64 1 2))
  (func $local (param (ref null $m) i32) (result i32) (i32.store (ref $m) (local.get 0) (local.get 1) (i32.const 5)) (i32.load (ref $m) offset=8 (local.get 0) (local.get 1)))
  (func $written (param (ref null $m) (ref null $m) i32) (result i32) (local (ref null $m))
    (local.set 3 (local.get 0))
    (loop (local.set 2 (i32.load (ref $m) (local.get 3) (local.get 2))) (local.set 3 (local.get 1)) (br_if 0 (local.get 2)))
    (local.get 2))
  (func $temporary (param i32) (result i64) (i64.load (ref $m) (call $make) (local.get 0)))
  (func $proven (param (ref $l) i64) (result f64) (f64.load (ref $l) (local.get 0) (local.get 1)))
  (func $null (result i32) (i32.load (ref $m) (ref.null $m) (i32.const 0)))
  (func $slice (param (ref null slice) i64) (result i32) (i32.store8 (ref slice) (local.get 0) (local.get 1) (i32.const 5)) (i32.load (ref slice) offset=8 (local.get 0) (local.get 1)))
  (func $slice-temporary (param i64) (result v128) (v128.load (ref slice) (slice.new (ref $m) (call $make) (i32.const 0) (i32.const 64)) (local.get 0)))
  (func $make (result (ref $m)) (memory.new $m))
)
