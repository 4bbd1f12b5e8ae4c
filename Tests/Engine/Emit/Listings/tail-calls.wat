;; Calls that leave nothing behind, and those out of a protected region, which are made at the function's end.
(module
  (type $u (func (param i32) (result i32)))
  (import "m" "f" (func $imported (type $u)))
  (tag $e)
  (table $t 4 funcref)
  (func $own (param i32) (result i32) (return_call $own (i32.sub (local.get 0) (i32.const 1))))
  (func $import (param i32) (result i32) (i64.const 1) (return_call $imported (local.get 0)))
  (func $indirect (param i32) (result i32) (return_call_indirect $t (type $u) (local.get 0) (local.get 0)))
  (func $reference (param (ref $u)) (result i32) (return_call_ref $u (i32.const 3) (local.get 0)))
  (func $in-region (param i32) (result i32) (block (try_table (catch $e 0) (return_call $own (i32.add (local.get 0) (i32.const 1))))) (i32.const 0)))
