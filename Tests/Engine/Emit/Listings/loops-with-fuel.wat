;; options: fuel
;; The function and each loop are charged where they begin; work that depends on operands is charged by the operator.
(module
  (type $a (array (mut i32))) (type $m (memory 1))
  (memory 1 10) (table 4 funcref)
  (func $nested (param i32) (result i32) (local i32 i64)
    (loop (local.set 1 (i32.add (local.get 1) (local.get 0)))
      (loop (br_if 0 (i32.and (local.tee 1 (i32.sub (local.get 1) (i32.const 3))) (i32.const 64))))
      (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (local.get 1))
  (func $bulk (param i32) (result i32) (memory.fill (local.get 0) (i32.const 1) (i32.shl (local.get 0) (i32.const 2))) (memory.grow (local.get 0)))
  (func $items (param i32) (result (ref $a)) (table.copy (i32.const 0) (i32.const 1) (local.get 0)) (array.new $a (i32.const 1) (local.get 0)))
  (func $made (result (ref $m)) (memory.new $m))
  (func $values (param i32) (result i32 i64 f32 f64 i32 i64 f32 f64 i32) (block (result i32 i64 f32 f64 i32 i64 f32 f64 i32) (call $values (local.get 0)) (br_if 0 (local.get 0))))
  (func $quiet (param i32) (local i32)
    (loop (i32.store8 (local.get 1) (local.get 0)) (br_if 0 (i32.lt_u (local.tee 1 (i32.add (local.get 1) (i32.const 1))) (i32.const 100))))))
