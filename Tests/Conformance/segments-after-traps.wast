;; A segment that does not fit ends instantiation (4.5.4). A function of the instance may be in a table by then: it finds the segments before the trap empty, and the others as they were.

(module $tables
  (table (export "table") 4 funcref)
  (type $f (func (param i32 i32 i32)))
  (func (export "call") (param i32 i32 i32 i32) (call_indirect (type $f) (local.get 0) (local.get 1) (local.get 2) (local.get 3))))
(register "tables" $tables)

;; The second data segment does not fit.
(assert_trap
  (module
    (import "tables" "table" (table 4 funcref))
    (memory 1)
    (data (i32.const 0) "ab")
    (data (i32.const 65535) "cd")
    (data (i32.const 4) "ef")
    (data "gh")
    (elem (i32.const 0) $write)
    (func $write (param i32 i32 i32)
      (if (i32.eq (local.get 0) (i32.const 0)) (then (memory.init 0 (local.get 1) (i32.const 0) (local.get 2))))
      (if (i32.eq (local.get 0) (i32.const 1)) (then (memory.init 1 (local.get 1) (i32.const 0) (local.get 2))))
      (if (i32.eq (local.get 0) (i32.const 2)) (then (memory.init 2 (local.get 1) (i32.const 0) (local.get 2))))
      (if (i32.eq (local.get 0) (i32.const 3)) (then (memory.init 3 (local.get 1) (i32.const 0) (local.get 2))))))
  "out of bounds memory access")
(assert_return (invoke "call" (i32.const 0) (i32.const 8) (i32.const 0) (i32.const 0)))
(assert_trap (invoke "call" (i32.const 0) (i32.const 8) (i32.const 1) (i32.const 0)) "out of bounds memory access")
(assert_return (invoke "call" (i32.const 1) (i32.const 8) (i32.const 2) (i32.const 0)))
(assert_trap (invoke "call" (i32.const 1) (i32.const 8) (i32.const 3) (i32.const 0)) "out of bounds memory access")
(assert_return (invoke "call" (i32.const 2) (i32.const 8) (i32.const 2) (i32.const 0)))
(assert_return (invoke "call" (i32.const 3) (i32.const 8) (i32.const 2) (i32.const 0)))

;; The second element segment does not fit: no data segment has been copied.
(assert_trap
  (module
    (import "tables" "table" (table 4 funcref))
    (memory 1)
    (data (i32.const 0) "ab")
    (elem (i32.const 1) $write)
    (elem (i32.const 4) $write)
    (func $write (param i32 i32 i32) (memory.init 0 (local.get 1) (i32.const 0) (local.get 2))))
  "out of bounds table access")
(assert_return (invoke "call" (i32.const 0) (i32.const 8) (i32.const 2) (i32.const 1)))
(assert_trap (invoke "call" (i32.const 0) (i32.const 8) (i32.const 3) (i32.const 1)) "out of bounds memory access")
