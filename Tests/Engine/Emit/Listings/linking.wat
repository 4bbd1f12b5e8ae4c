;; What compiles, instantiates and looks up while the guest runs.
(module
  (type $u (func (param i32) (result i32))) (type $m (memory 1)) (type $g (global (mut i32))) (type $e (tag)) (type $t (table 1 funcref))
  (type $M (module (import "a" "f" (func (type $u))) (import "a" "m" (memory 1)) (export "f" (func (type $u)))))
  (type $I (instance (export "f" (func (type $u)))))
  (memory $mem 1) (memory $large i64 1) (global $glob (mut i32) (i32.const 1)) (tag $tag) (table $tab 1 funcref)
  (func $id (type $u) (local.get 0)) (elem declare func $id)
  (func $compile (param i32) (result (ref $M)) (compile $mem $M (local.get 0) (i32.const 64)))
  (func $compile-null (param i64) (result (ref null $M)) (compile null $large $M (local.get 0) (i64.const 64)))
  (func $instantiate (param (ref $M)) (result (ref $I)) (instantiate $M (ref.func $id) (ref.memory $mem) (local.get 0)))
  (func $export (param (ref $I) i32) (result i32) (call_ref $u (local.get 1) (get_export $I "f" (local.get 0))))
  (func $export-null (param (ref instance)) (result (ref null $u)) (get_export null $mem $u (local.get 0) (i32.const 8) (i32.const 1)))
  (func $things (drop (ref.table $tab)) (drop (ref.global $glob)) (drop (ref.tag $tag))))
