;; Module linking: nested modules, instances and what they are given.

;; A nested module is instantiated; each instance has a state of its own.
(module
  (module $counter
    (global $n (mut i32) (i32.const 0))
    (func (export "next") (result i32)
      (global.set $n (i32.add (global.get $n) (i32.const 1)))
      (global.get $n)))
  (instance $a (instantiate $counter))
  (instance $b (instantiate $counter))
  (func (export "a") (result i32) (call (func $a "next")))
  (func (export "b") (result i32) (call (func $b "next"))))
(assert_return (invoke "a") (i32.const 1))
(assert_return (invoke "a") (i32.const 2))
(assert_return (invoke "b") (i32.const 1))
(assert_return (invoke "a") (i32.const 3))

;; A chain of instances, as definitions that name what stands before them.
(module
  (module $one (func (export "get") (result i32) (i32.const 1)))
  (module $twice
    (import "get" (func $get (result i32)))
    (func (export "get") (result i32) (i32.mul (call $get) (i32.const 2))))
  (instance $i1 (instantiate $one))
  (instance $i2 (instantiate $twice (import "get" (func $i1 "get"))))
  (instance $i4 (instantiate $twice (import "get" (func $i2 "get"))))
  (func (export "get") (result i32) (call (func $i4 "get"))))
(assert_return (invoke "get") (i32.const 4))

;; Every kind of thing can be given.
(module
  (module $lib
    (memory (export "m") 1)
    (table (export "t") 2 funcref)
    (global (export "g") (mut i32) (i32.const 7))
    (tag (export "e") (param i32))
    (func (export "f") (result i32) (i32.const 5))
    (module (export "M") (func (export "f") (result i32) (i32.const 6)))
    (module $inner (func (export "f") (result i32) (i32.const 8)))
    (instance (export "I") (instantiate $inner)))
  (instance $lib (instantiate $lib))
  (module $user
    (import "m" (memory 1))
    (import "t" (table 2 funcref))
    (import "g" (global $g (mut i32)))
    (import "e" (tag $e (param i32)))
    (import "f" (func $f (result i32)))
    (import "M" (module $M (export "f" (func (result i32)))))
    (import "I" (instance $I (export "f" (func (result i32)))))
    (instance $i (instantiate $M))
    (func (export "sum") (result i32)
      (i32.store (i32.const 0) (global.get $g))
      (i32.add (i32.add (i32.add (i32.load (i32.const 0)) (call $f)) (call (func $i "f"))) (call (func $I "f"))))
    (func (export "catch") (result i32)
      (block $h (result i32) (try_table (result i32) (catch $e $h) (throw $e (i32.const 9))))))
  (instance $user (instantiate $user
    (import "m" (memory $lib "m"))
    (import "t" (table $lib "t"))
    (import "g" (global $lib "g"))
    (import "e" (tag $lib "e"))
    (import "f" (func $lib "f"))
    (import "M" (module $lib "M"))
    (import "I" (instance $lib "I"))))
  (func (export "sum") (result i32) (call (func $user "sum")))
  (func (export "catch") (result i32) (call (func $user "catch")))
  (func (export "seen") (result i32) (i32.load (memory $lib "m") (i32.const 0))))
(assert_return (invoke "sum") (i32.const 26))
(assert_return (invoke "catch") (i32.const 9))
(assert_return (invoke "seen") (i32.const 7))

;; Start functions run in the order of the instances, before the outer module's own.
(module
  (module $log
    (memory (export "m") 1)
    (global $at (mut i32) (i32.const 0))
    (func (export "put") (param i32)
      (i32.store8 (global.get $at) (local.get 0))
      (global.set $at (i32.add (global.get $at) (i32.const 1)))))
  (instance $log (instantiate $log))
  (module $first (import "put" (func $put (param i32))) (func $s (call $put (i32.const 1))) (start $s))
  (module $second (import "put" (func $put (param i32))) (func $s (call $put (i32.const 2))) (start $s))
  (instance (instantiate $first (import "put" (func $log "put"))))
  (instance (instantiate $second (import "put" (func $log "put"))))
  (func $own (call (func $log "put") (i32.const 3)))
  (start $own)
  (func (export "get") (param i32) (result i32) (i32.load8_u (memory $log "m") (local.get 0))))
(assert_return (invoke "get" (i32.const 0)) (i32.const 1))
(assert_return (invoke "get" (i32.const 1)) (i32.const 2))
(assert_return (invoke "get" (i32.const 2)) (i32.const 3))

;; A trap in a nested start function is one of the whole.
(assert_trap
  (module (module $m (func $s unreachable) (start $s)) (instance (instantiate $m)))
  "unreachable")
(assert_trap
  (module (module $m (memory 1) (data (i32.const 65536) "x")) (instance (instantiate $m)))
  "out of bounds memory access")

;; What is given beyond what is asked for does no harm.
(module
  (module $any (func (export "f") (result i32) (i32.const 1)))
  (instance $x (instantiate $any))
  (instance $i (instantiate $any (import "more" (func $x "f")) (import "and more" (instance $x))))
  (func (export "f") (result i32) (call (func $i "f"))))
(assert_return (invoke "f") (i32.const 1))

;; Two-level imports are imports of an instance.
(module
  (module $lib (func (export "f") (result i32) (i32.const 3)) (func (export "g") (result i32) (i32.const 4)))
  (module $user
    (import "lib" "f" (func $f (result i32)))
    (import "lib" "g" (func $g (result i32)))
    (func (export "sum") (result i32) (i32.add (call $f) (call $g))))
  (instance $lib (instantiate $lib))
  (instance $user (instantiate $user (import "lib" (instance $lib))))
  (func (export "sum") (result i32) (call (func $user "sum"))))
(assert_return (invoke "sum") (i32.const 7))

;; What is wrong with an instance.
(assert_invalid (module (instance (instantiate 0))) "unknown module 0")
(assert_invalid
  (module (module $m (import "f" (func))) (instance (instantiate $m)))
  "missing import \"f\"")
(assert_invalid
  (module (module $m (import "a" "b" (func))) (instance (instantiate $m)))
  "missing import \"a\"")
(assert_invalid
  (module
    (import "f" (func $f (param i32)))
    (module $m (import "f" (func)))
    (instance (instantiate $m (import "f" (func $f)))))
  "type mismatch: the import \"f\"")
(assert_invalid
  (module
    (import "f" (func $f))
    (module $m (import "a" "b" (func)))
    (instance (instantiate $m (import "a" (func $f)))))
  "type mismatch: the import \"a\"")
(assert_invalid
  (module
    (import "f" (func $f))
    (module $m (import "f" (func)))
    (instance (instantiate $m (import "f" (func $f)) (import "f" (func $f)))))
  "duplicate import argument \"f\"")
(assert_invalid
  (module
    (import "f" (func $f))
    (module $m (import "f" (memory 1)))
    (instance (instantiate $m (import "f" (func $f)))))
  "type mismatch")
(assert_invalid
  (module (module $m (import "i" (instance))) (instance (instantiate $m (import "i" (instance 0)))))
  "unknown instance 0")
(assert_invalid
  (module (module $m (import "i" (module))) (instance (instantiate $m (import "i" (module 1)))))
  "unknown module 1")

;; Nothing of the outer module's own can be given: it does not exist yet.
(assert_invalid
  (module
    (import "A" (module $A (import "f" (func))))
    (func $g)
    (instance $a (instantiate $A (import "f" (func $g)))))
  "unknown func g")
(assert_invalid
  (module binary
    "\00asm\01\00\00\00"
    "\01\04\01\60\00\00"                          ;; (type (func))
    "\0e\19\01\17\00asm\01\00\00\00"              ;; one module
      "\01\04\01\60\00\00" "\02\07\01\01f\00\ff\00\00"
    "\0f\08\01\00\00\01\01f\00\00"                ;; an instance of it, with function 0
    "\03\02\01\00" "\0a\04\01\02\00\0b")          ;; function 0
  "unknown function 0")
