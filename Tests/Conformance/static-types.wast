;; Module and instance types: their forms, subtyping (each rule of Subtyping.md), and their limits.

;; Every form of a body. What is the same in two ways of writing is the same type: a table of one takes the other.
(module
  (type $f (func (param i32) (result i32)))
  (type $a (instance
    (export "f" (func (param i32) (result i32)))
    (export "m" (memory 1 2))
    (export "t" (table 1 funcref))
    (export "g" (global (mut i64)))
    (export "e" (tag (param i32)))
    (export "M" (module (import "x" (func)) (export "y" (func))))
    (export "I" (instance (export "y" (func))))))
  ;; names of the enclosing module's types
  (type $b (instance
    (export "f" (func (type $f)))
    (export "m" (memory 1 2))
    (export "t" (table 1 funcref))
    (export "g" (global (mut i64)))
    (export "e" (tag (param i32)))
    (export "M" (module (import "x" (func)) (export "y" (func))))
    (export "I" (instance (export "y" (func))))))
  ;; definitions of its own, by name and by number
  (type $c (instance
    (type $g (func (param i32) (result i32)))
    (type $e (func (param i32)))
    (type (func))
    (type $M (module (type (func)) (import "x" (func (type 0))) (export "y" (func (type 0)))))
    (type $I (instance (type $n (func)) (export "y" (func (type $n)))))
    (export "f" (func (type $g)))
    (export "m" (memory 1 2))
    (export "t" (table 1 funcref))
    (export "g" (global (mut i64)))
    (export "e" (tag (type 1)))
    (export "M" (module (type $M)))
    (export "I" (instance (type 4)))))
  ;; the kind first, and explicit aliases
  (type $d (instance
    (alias outer 0 $f (type $mine))
    (func (export "f") (type $mine))
    (memory (export "m") 1 2)
    (table (export "t") 1 funcref)
    (global (export "g") (mut i64))
    (tag (export "e") (param i32))
    (module (export "M") (func (import "x")) (func (export "y")))
    (instance (export "I") (func (export "y")))))
  (table $ta 1 (ref null $a))
  (func (param (ref null $b)) (table.set $ta (i32.const 0) (local.get 0)))
  (func (param (ref null $c)) (table.set $ta (i32.const 0) (local.get 0)))
  (func (param (ref null $d)) (table.set $ta (i32.const 0) (local.get 0)))
  ;; a mutable global's type is invariant: these are one and the same
  (global $ga (mut (ref null $a)) (ref.null none))
  (type $holder (instance (export "g" (global (mut (ref null $a))))))
  (type $holder2 (instance (export "g" (global (mut (ref null $d))))))
  (func (param (ref $holder)) (result (ref $holder2)) (local.get 0)))

;; Names of types two bodies out; what is outer to a body counts from the body outwards.
(module $top
  (type $f (func (param f64)))
  (type $deep (module
    (type $own (func (param i64)))
    (export "I" (instance
      (export "a" (func (type $f)))
      (export "b" (func (type $own)))
      (export "J" (instance (export "c" (func (type $own))) (export "d" (func (type outer $top $f)))))))))
  (type $deep2 (module
    (export "I" (instance
      (alias outer 1 $f (type $g))
      (export "a" (func (type $g)))
      (export "b" (func (param i64)))
      (export "J" (instance
        (type (alias outer 2 0))
        (export "c" (func (param i64)))
        (export "d" (func (type 0)))))))))
  (type $holder (instance (export "g" (global (mut (ref null $deep))))))
  (type $holder2 (instance (export "g" (global (mut (ref null $deep2))))))
  (func (param (ref $holder)) (result (ref $holder2)) (local.get 0)))

;; A number in a body is an index of its own, which is empty at first.
(assert_invalid (module (type (func)) (type (instance (export "f" (func (type 0)))))) "unknown type 0")
(assert_invalid (module (type (instance (export "f" (func (type $later))))) (type $later (func))) "unknown type later")
(assert_invalid (module (type (instance (alias outer 0 7 (type))))) "unknown type 7")
(assert_invalid (module (type (instance (alias outer 1 0 (type))))) "unknown outer module 1")
(assert_invalid (module (type (instance (type (func)) (type (func)) (export "m" (module (type 0)))))) "type mismatch")
(assert_invalid (module (type $f (func)) (import "i" (instance (type $f)))) "type mismatch")
(assert_invalid (module (type $i (instance)) (import "m" (module (type $i)))) "type mismatch")
(assert_invalid (module (type (instance (export "a" (func)) (export "a" (memory 1))))) "duplicate export name")
(assert_invalid (module (type (module (import "a" (func)) (import "a" (memory 1))))) "duplicate import name")
(assert_invalid (module (type (module (import "a" "b" (func)) (import "a" "b" (func))))) "duplicate import name")
(assert_invalid (module (type (module (import "a" "b" (func)) (import "a" (func))))) "duplicate import name")
(assert_malformed (module quote "(module (type (instance (import \"a\" (func)))))") "unexpected token")
(assert_malformed (module quote "(module (type (module (start 0))))") "unexpected token")

;; Zero-level exports in types: all exports of an instance type.
(module $top
  (type $f (func (param i32)))
  (type $I (instance (export "a" (func (type $f))) (export "b" (func (result f32))) (export "m" (memory 1))))
  (type $M (module (import "x" (func)) (export $I) (export "c" (func))))
  (type $M2 (module (import "x" (func)) (export (type outer $top $I)) (export "c" (func))))
  (type $M3 (module (import "x" (func))
    (export "a" (func (param i32))) (export "b" (func (result f32))) (export "m" (memory 1)) (export "c" (func))))
  (type $inside (module (type $J (instance (export "k" (instance (export "l" (func (param i64))))))) (export $J)))
  (type $inside2 (module (export "k" (instance (export "l" (func (param i64)))))))
  (type $h1 (instance (export "g" (global (mut (ref null $M)))) (export "h" (global (mut (ref null $M))))))
  (type $h2 (instance (export "g" (global (mut (ref null $M2)))) (export "h" (global (mut (ref null $M3))))))
  (type $h3 (instance (export "g" (global (mut (ref null $inside))))))
  (type $h4 (instance (export "g" (global (mut (ref null $inside2))))))
  (func (param (ref $h1)) (result (ref $h2)) (local.get 0))
  (func (param (ref $h3)) (result (ref $h4)) (local.get 0)))
(assert_invalid (module (type $f (func)) (type (module (export $f)))) "type mismatch")

;; ---- instances: everything of the upper type must be there, in whatever order ----
(module
  (type $0 (instance))
  (type $1 (instance (export "" (func))))
  (type $ab (instance (export "a" (func)) (export "b" (memory 1))))
  (type $ba (instance (export "b" (memory 1)) (export "a" (func))))
  (type $a (instance (export "a" (func))))
  (type $n1 (instance (export "" (instance (export "e" (func))))))
  (type $n0 (instance (export "" (instance))))
  (func (param (ref $0)) (result (ref $0)) (local.get 0))
  (func (param (ref $1)) (result (ref $0)) (local.get 0))
  (func (param (ref $ab)) (result (ref $ba)) (local.get 0))
  (func (param (ref $ba)) (result (ref $ab)) (local.get 0))
  (func (param (ref $ab)) (result (ref $a)) (local.get 0))
  (func (param (ref $n1)) (result (ref $n0)) (local.get 0)))
(assert_invalid
  (module (type $0 (instance)) (type $1 (instance (export "" (func)))) (func (param (ref $0)) (result (ref $1)) (local.get 0)))
  "type mismatch")
(assert_invalid
  (module
    (type $n1 (instance (export "" (instance (export "e" (func))))))
    (type $n0 (instance (export "" (instance))))
    (func (param (ref $n0)) (result (ref $n1)) (local.get 0)))
  "type mismatch")
(assert_invalid
  (module
    (type $f (instance (export "a" (func))))
    (type $m (instance (export "a" (memory 1))))
    (func (param (ref $f)) (result (ref $m)) (local.get 0)))
  "type mismatch")
(assert_invalid
  (module
    (type $f (instance (export "a" (func (param i32)))))
    (type $g (instance (export "a" (func))))
    (func (param (ref $f)) (result (ref $g)) (local.get 0)))
  "type mismatch")

;; ---- what exports of each kind must be to each other ----
(module
  (rec (type $super (sub (func))))
  (type $sub (sub $super (func)))
  (type $lower (instance
    (export "f" (func (type $sub)))
    (export "m" (memory 2 3))
    (export "t" (table 2 3 funcref))
    (export "g" (global (ref func)))
    (export "e" (tag (param i32)))
    (export "M" (module (export "x" (func)) (export "y" (func))))))
  (type $upper (instance
    (export "M" (module (import "anything" (memory 1)) (export "y" (func))))
    (export "e" (tag (param i32)))
    (export "g" (global funcref))
    (export "t" (table 1 4 funcref))
    (export "m" (memory 1))
    (export "f" (func (type $super)))))
  (func (param (ref $lower)) (result (ref $upper)) (local.get 0)))
(assert_invalid
  (module (type $a (instance (export "m" (memory 1)))) (type $b (instance (export "m" (memory 2))))
    (func (param (ref $a)) (result (ref $b)) (local.get 0)))
  "type mismatch")
(assert_invalid
  (module (type $a (instance (export "m" (memory 1)))) (type $b (instance (export "m" (memory 1 5))))
    (func (param (ref $a)) (result (ref $b)) (local.get 0)))
  "type mismatch")
(assert_invalid
  (module (type $a (instance (export "m" (memory i64 1)))) (type $b (instance (export "m" (memory 1))))
    (func (param (ref $a)) (result (ref $b)) (local.get 0)))
  "type mismatch")
(assert_invalid
  (module (type $a (instance (export "t" (table 1 (ref null func))))) (type $b (instance (export "t" (table 1 externref))))
    (func (param (ref $a)) (result (ref $b)) (local.get 0)))
  "type mismatch")
(assert_invalid
  (module (type $a (instance (export "g" (global (mut i32))))) (type $b (instance (export "g" (global i32))))
    (func (param (ref $a)) (result (ref $b)) (local.get 0)))
  "type mismatch")
(assert_invalid
  (module (type $a (instance (export "g" (global (mut (ref func)))))) (type $b (instance (export "g" (global (mut funcref)))))
    (func (param (ref $a)) (result (ref $b)) (local.get 0)))
  "type mismatch")
(assert_invalid
  (module (type $a (instance (export "e" (tag)))) (type $b (instance (export "e" (tag (param i32)))))
    (func (param (ref $a)) (result (ref $b)) (local.get 0)))
  "type mismatch")

;; ---- modules: covariant in exports, contravariant in imports, order ignored ----
(module
  (type $0 (module))
  (type $i (module (import "" (instance))))
  (type $ie (module (import "" (instance (export "e" (func))))))
  (type $ab (module (import "a" (func)) (import "b" (memory 1)) (export "x" (func)) (export "y" (func))))
  (type $ba (module (import "b" (memory 1)) (import "a" (func)) (export "y" (func)) (export "x" (func))))
  (type $big (module (import "b" (memory 2)) (import "c" (func)) (import "a" (func)) (export "y" (func))))
  (func (param (ref $0)) (result (ref $0)) (local.get 0))
  (func (param (ref $0)) (result (ref $i)) (local.get 0))
  (func (param (ref $i)) (result (ref $ie)) (local.get 0))
  (func (param (ref $ab)) (result (ref $ba)) (local.get 0))
  (func (param (ref $ba)) (result (ref $ab)) (local.get 0))
  (func (param (ref $ab)) (result (ref $big)) (local.get 0)))
(assert_invalid
  (module (type $0 (module)) (type $i (module (import "" (instance)))) (func (param (ref $i)) (result (ref $0)) (local.get 0)))
  "type mismatch")
(assert_invalid
  (module
    (type $i (module (import "" (instance))))
    (type $ie (module (import "" (instance (export "e" (func))))))
    (func (param (ref $ie)) (result (ref $i)) (local.get 0)))
  "type mismatch")
(assert_invalid
  (module (type $a (module (import "m" (memory 2)))) (type $b (module (import "m" (memory 1))))
    (func (param (ref $a)) (result (ref $b)) (local.get 0)))
  "type mismatch")
(assert_invalid
  (module (type $a (module (export "x" (func)))) (type $b (module (export "x" (func)) (export "y" (func))))
    (func (param (ref $a)) (result (ref $b)) (local.get 0)))
  "type mismatch")
(assert_invalid
  (module (type $a (module)) (type $b (instance)) (func (param (ref $a)) (result (ref $b)) (local.get 0)))
  "type mismatch")

;; ---- import elaboration: two-level imports of a name are an import of an instance ----
(module
  (type $two (module (import "a" "foo" (func)) (import "b" "bar" (func)) (import "a" "baz" (func))))
  (type $one (module
    (import "a" (instance (export "foo" (func)) (export "baz" (func))))
    (import "b" (instance (export "bar" (func))))))
  (type $more (module
    (import "a" (instance (export "foo" (func)) (export "baz" (func)) (export "bar" (func))))
    (import "b" "bar" (func)) (import "b" "x" (func))))
  (func (param (ref $two)) (result (ref $one)) (local.get 0))
  (func (param (ref $one)) (result (ref $two)) (local.get 0))
  (func (param (ref $two)) (result (ref $more)) (local.get 0))
  (func (param (ref $one)) (result (ref $more)) (local.get 0)))
(assert_invalid
  (module
    (type $two (module (import "a" "foo" (func)) (import "a" "baz" (func))))
    (type $one (module (import "a" (instance (export "foo" (func))))))
    (func (param (ref $two)) (result (ref $one)) (local.get 0)))
  "type mismatch")
(assert_invalid
  (module
    (type $two (module (import "a" "foo" (func))))
    (type $one (module (import "a" (instance (export "foo" (func)) (export "baz" (func))))))
    (func (param (ref $one)) (result (ref $two)) (local.get 0)))
  "type mismatch")
(assert_invalid
  (module
    (type $two (module (import "a" "foo" (func))))
    (type $one (module (import "a" (func))))
    (func (param (ref $two)) (result (ref $one)) (local.get 0)))
  "type mismatch")

;; ---- where references lie ----
(module
  (type $I (instance (export "f" (func))))
  (type $M (module (export "f" (func))))
  (func (param (ref $I)) (result (ref instance)) (local.get 0))
  (func (param (ref $M)) (result (ref module)) (local.get 0))
  (func (param (ref instance)) (result (ref any)) (local.get 0))
  (func (param (ref module)) (result (ref any)) (local.get 0))
  (func (result (ref null $I)) (ref.null none))
  (func (result (ref null module)) (ref.null none))
  (func (param (ref null none)) (result (ref null $M)) (local.get 0)))
(assert_invalid (module (func (param (ref instance)) (result (ref eq)) (local.get 0))) "type mismatch")
(assert_invalid (module (func (param (ref module)) (result (ref instance)) (local.get 0))) "type mismatch")
(assert_invalid (module (func (result (ref null module)) (ref.null nofunc))) "type mismatch")
(assert_invalid (module (type $I (instance)) (func (param (ref null $I)) (result (ref $I)) (local.get 0))) "type mismatch")

;; ---- the kind spelled out, and types that are declared where they are used ----
(module
  (type $F (func (param i32)))
  (type $I (instance (export "f" (func (type $F)))))
  (type $M (module (export "f" (func (type $F)))))
  (type $m (memory 1 2))
  (type $t (table 1 funcref))
  (type $g (global (mut i32)))
  (type $e (tag (param i32)))
  (func
    (param (ref (func $F))) (param (ref null (instance $I))) (param (ref (module $M)))
    (param (ref (memory $m))) (param (ref (table $t))) (param (ref (global $g))) (param (ref null (tag $e))))
  (func (param (ref (func (param i32)))) (result (ref $F)) (local.get 0))
  (func (param (ref (instance (export "f" (func (param i32)))))) (result (ref $I)) (local.get 0))
  (func (param (ref (module (export "f" (func (param i32)))))) (result (ref $M)) (local.get 0))
  (func (param (ref (memory 1 2))) (result (ref $m)) (local.get 0))
  (func (param (ref (table 1 funcref))) (result (ref $t)) (local.get 0))
  (func (param (ref (global (mut i32)))) (result (ref $g)) (local.get 0))
  (func (param (ref (tag (param i32)))) (result (ref $e)) (local.get 0))
  ;; new ones, one inside of the other
  (type $new (func (param (ref (func (param (ref (memory 7)))))) (result (ref null (instance (export "g" (global i64)))))))
  (type $seven (func (param (ref (memory 7)))))
  (func (param (ref (func (param (ref (memory 7)))))) (result (ref $seven)) (local.get 0))
  (func (type $new) (ref.null none)))
(assert_malformed (module quote "(module (type $f (func)) (func (param (ref (module $f)))))") "type mismatch")
(assert_malformed (module quote "(module (type $m (module)) (func (param (ref (instance $m)))))") "type mismatch")
(assert_malformed (module quote "(module (type $m (memory 1)) (func (param (ref (table $m)))))") "type mismatch")

;; ---- canonical across modules ----
(module $giver
  (module $m (func (export "f") (result i32) (i32.const 5)))
  (instance $i (instantiate $m))
  (func (export "give") (result (ref (instance (export "f" (func (result i32)))))) (ref.instance $i)))
(register "giver" $giver)
(module
  (type $F (func (result i32)))
  (type $I (instance (type (func (result i32))) (export "f" (func (type 0)))))
  (import "giver" "give" (func $give (result (ref $I))))
  (func (export "take") (result i32) (call_ref $F (get_export $I "f" (call $give)))))
(assert_return (invoke "take") (i32.const 5))
