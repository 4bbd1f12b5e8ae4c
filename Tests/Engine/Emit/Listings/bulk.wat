;; Operators on the module's own memories, tables and segments.
(module
  (memory $m 1) (memory $l i64 1) (table $t 4 funcref) (table $u i64 4 externref) (table $v 4 externref) (data $d "abc") (elem $e func 0)
  (func $memories (param i32 i64) (result i64)
    (drop (memory.size $m)) (drop (memory.grow $m (local.get 0))) (memory.fill $m (local.get 0) (i32.const 1) (i32.const 2)) (memory.fill $l (local.get 1) (i32.const 1) (i64.const 2))
    (memory.copy $m $m (local.get 0) (i32.const 1) (i32.const 2)) (memory.copy $l $l (local.get 1) (i64.const 1) (i64.const 2)) (memory.copy $m $l (local.get 0) (local.get 1) (i32.const 2)) (memory.copy $l $m (local.get 1) (local.get 0) (i32.const 2))
    (memory.init $m $d (local.get 0) (i32.const 1) (i32.const 2)) (memory.init $l $d (local.get 1) (i32.const 1) (i32.const 2)) (data.drop $d)
    (i64.add (memory.size $l) (memory.grow $l (local.get 1))))
  (func $tables (param i32 i64 externref) (result i64)
    (drop (table.get $t (local.get 0))) (table.set $u (local.get 1) (local.get 2)) (drop (table.size $t)) (drop (table.grow $t (ref.null func) (local.get 0)))
    (table.fill $u (local.get 1) (local.get 2) (i64.const 1)) (table.copy $t $t (local.get 0) (i32.const 1) (i32.const 2)) (table.copy $u $v (local.get 1) (i32.const 1) (i32.const 2)) (table.copy $v $u (i32.const 1) (local.get 1) (i32.const 2)) (table.copy $u $u (local.get 1) (i64.const 1) (i64.const 2))
    (table.init $t $e (local.get 0) (i32.const 0) (i32.const 1)) (elem.drop $e) (drop (table.get $u (i64.const 1))) (table.set $t (local.get 0) (ref.null func)) (table.fill $t (local.get 0) (ref.null func) (i32.const 1))
    (i64.add (table.size $u) (table.grow $u (local.get 2) (local.get 1)))))
