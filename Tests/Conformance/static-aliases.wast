;; Aliases in all their forms, imports with one name, exports of modules and instances, zero-level exports.

;; A library to import from.
(module $lib
  (module $inner (func (export "k") (result i32) (i32.const 21)) (memory (export "m") 1) (data (memory 0) (i32.const 0) "\2a"))
  (instance $j (instantiate $inner))
  (export "j" (instance $j))
  (export "M" (module $inner))
  (func (export "f") (result i32) (i32.const 1))
  (memory (export "mem") 1 2)
  (data (i32.const 4) "\07")
  (table (export "tbl") funcref (elem $in_table))
  (func $in_table (result i32) (i32.const 77))
  (global (export "g") i32 (i32.const 9))
  (tag (export "e") (param i32)))
(register "lib" $lib)

;; Explicit aliases of every kind, the default memory and table among them.
(module
  (import "lib" (instance $lib
    (export "j" (instance (export "k" (func (result i32)))))
    (export "M" (module (export "k" (func (result i32)))))
    (export "f" (func (result i32)))
    (export "mem" (memory 1))
    (export "tbl" (table 1 funcref))
    (export "g" (global i32))
    (export "e" (tag (param i32)))))
  (alias $lib "mem" (memory))
  (alias $lib "tbl" (table))
  (alias $lib "f" (func $f))
  (alias $lib "g" (global $g))
  (alias $lib "e" (tag $e))
  (alias $lib "M" (module $M))
  (alias $lib "j" (instance $j))
  (alias $j "k" (func $k))
  (instance $made (instantiate $M))
  (type $F (func (result i32)))
  (func (export "f") (result i32) (call $f))
  (func (export "load") (result i32) (i32.load8_u (i32.const 4)))
  (func (export "indirect") (result i32) (call_indirect (type $F) (i32.const 0)))
  (func (export "g") (result i32) (global.get $g))
  (func (export "throw") (throw $e (i32.const 1)))
  (func (export "k") (result i32) (call $k))
  (func (export "made") (result i32) (call (func $made "k"))))
(assert_return (invoke "f") (i32.const 1))
(assert_return (invoke "load") (i32.const 7))
(assert_return (invoke "indirect") (i32.const 77))
(assert_return (invoke "g") (i32.const 9))
(assert_exception (invoke "throw"))
(assert_return (invoke "k") (i32.const 21))
(assert_return (invoke "made") (i32.const 21))

;; The kind first.
(module
  (import "lib" (instance $lib
    (export "j" (instance (export "k" (func (result i32)))))
    (export "M" (module (export "k" (func (result i32)))))
    (export "mem" (memory 1)) (export "tbl" (table 1 funcref)) (export "g" (global i32)) (export "e" (tag (param i32)))
    (export "f" (func (result i32)))))
  (func $f (alias $lib "f"))
  (memory $m (alias $lib "mem"))
  (table $t (alias $lib "tbl"))
  (global $g (alias $lib "g"))
  (tag $e (alias $lib "e"))
  (module $M (alias $lib "M"))
  (instance $j (alias $lib "j"))
  (instance $i (instantiate $M))
  (func (export "sum") (result i32)
    (i32.add (i32.add (call $f) (i32.load8_u $m (i32.const 4))) (i32.add (global.get $g) (call (func $i "k")))))
  (func (export "size") (result i32) (table.size $t)))
(assert_return (invoke "sum") (i32.const 38))
(assert_return (invoke "size") (i32.const 1))

;; Implicit aliases wherever an index may stand, several names deep; an equivalent one is made once.
(module
  (import "lib" (instance $lib
    (export "j" (instance (export "k" (func (result i32))) (export "m" (memory 1))))
    (export "mem" (memory 1)) (export "tbl" (table 1 funcref)) (export "g" (global i32)) (export "e" (tag (param i32)))
    (export "f" (func (result i32)))))
  (type $F (func (result i32)))
  (global $from (mut i32) (global.get (global $lib "g")))
  (table $own 2 funcref)
  (elem $seg (table $own) (i32.const 0) func (func $lib "f") (func $lib "j" "k"))
  (elem declare func (func $lib "f"))
  (data $d (memory $lib "mem") (i32.const 100) "\05\06")
  (export "k" (func $lib "j" "k"))
  (export "again" (func $lib "j" "k"))
  (export "mem" (memory $lib "mem"))
  (export "inst" (instance $lib "j"))
  (func (export "deep") (result i32) (call (func $lib "j" "k")))
  (func (export "loads") (result i32)
    (i32.add (i32.load8_u (memory $lib "j" "m") (i32.const 0)) (i32.load8_u (memory $lib "mem") offset=96 (i32.const 4))))
  (func (export "ref") (result i32) (call_ref $F (ref.func (func $lib "f"))))
  (func (export "indirect") (result i32) (call_indirect (table $lib "tbl") (type $F) (i32.const 0)))
  (func (export "own") (param i32) (result i32) (call_indirect $own (type $F) (local.get 0)))
  (func (export "size") (result i32) (memory.size (memory $lib "mem")))
  (func (export "table") (result i32) (table.size (table $lib "tbl")))
  (func (export "from") (result i32) (global.get $from))
  (func (export "catch") (result i32)
    (block $h (result i32)
      (try_table (result i32) (catch (tag $lib "e") $h) (throw (tag $lib "e") (i32.const 66)))))
  (func (export "copy") (result i32)
    (memory.copy (memory $lib "mem") (memory $lib "j" "m") (i32.const 200) (i32.const 0) (i32.const 1))
    (i32.load8_u (memory $lib "mem") (i32.const 200)))
  (func (export "init") (result i32)
    (memory.init (memory $lib "mem") $p (i32.const 300) (i32.const 0) (i32.const 1))
    (i32.load8_u (memory $lib "mem") (i32.const 300)))
  (data $p "\63"))
(assert_return (invoke "k") (i32.const 21))
(assert_return (invoke "again") (i32.const 21))
(assert_return (invoke "deep") (i32.const 21))
(assert_return (invoke "loads") (i32.const 47))
(assert_return (invoke "ref") (i32.const 1))
(assert_return (invoke "indirect") (i32.const 77))
(assert_return (invoke "own" (i32.const 0)) (i32.const 1))
(assert_return (invoke "own" (i32.const 1)) (i32.const 21))
(assert_return (invoke "size") (i32.const 1))
(assert_return (invoke "table") (i32.const 1))
(assert_return (invoke "from") (i32.const 9))
(assert_return (invoke "catch") (i32.const 66))
(assert_return (invoke "copy") (i32.const 42))
(assert_return (invoke "init") (i32.const 99))

;; Implicit and explicit aliases encode to the same bytes: these two are the bytes of one and the same module.
(module
  (import "lib" (instance $lib (export "f" (func (result i32)))))
  (alias $lib "f" (func $f))
  (func (export "x") (result i32) (call $f)))
(assert_return (invoke "x") (i32.const 1))

(assert_invalid (module (alias 0 "f" (func))) "unknown instance 0")
(assert_invalid (module (import "i" (instance $i)) (alias $i "f" (func))) "unknown export \"f\"")
(assert_invalid (module (import "i" (instance $i (export "f" (func)))) (alias $i "f" (memory))) "unknown export \"f\"")
(assert_invalid (module (import "i" (instance $i (export "f" (func)))) (func (drop (i32.load (memory $i "f") (i32.const 0))))) "unknown export \"f\"")
(assert_invalid (module (func (call (func $no "f")))) "unknown instance no")
(assert_malformed (module quote "(module (import \"i\" (instance $i)) (alias $i (func)))") "unexpected token")

;; ---- outer aliases ----
(module $outer
  (type $t (func (param i32) (result i32)))
  (type $unused (func))
  (module $helper (func (export "inc") (type outer $outer $t) (i32.add (local.get 0) (i32.const 1))))
  (module $a
    (alias outer $outer $t (type $mine))
    (alias outer $outer $helper (module $h))
    (instance $i (instantiate $h))
    (func (export "f") (type $mine) (call (func $i "inc") (local.get 0))))
  ;; by number, inverted, and implied
  (module $b
    (type $mine (alias outer 0 0))
    (module $h (alias outer 0 0))
    (instance $i (instantiate $h))
    (func (export "f") (type $mine) (call (func $i "inc") (call (func $i "inc") (local.get 0)))))
  (module $c
    (instance $i (instantiate (module outer $outer $helper)))
    (func (export "f") (type outer $outer $t) (call (func $i "inc") (i32.const 10)))
    (func (export "made") (type outer $outer $t) (param $x i32) (result i32)
      (call_export (module outer $outer $helper) "inc" (local.get $x) (instantiate (module outer $outer $helper)))))
  ;; from two modules out, through the one between
  (module $d
    (module $e
      (instance $i (instantiate (module outer $outer $helper)))
      (func (export "f") (type outer $outer $t) (call (func $i "inc") (i32.mul (local.get 0) (i32.const 2)))))
    (instance $i (instantiate $e))
    (export $i))
  (instance $ia (instantiate $a))
  (instance $ib (instantiate $b))
  (instance $ic (instantiate $c))
  (instance $id (instantiate $d))
  (export "a" (func $ia "f"))
  (export "b" (func $ib "f"))
  (export "c" (func $ic "f"))
  (export "made" (func $ic "made"))
  (export "d" (func $id "f"))
  (export "D" (module $d)))
(assert_return (invoke "a" (i32.const 1)) (i32.const 2))
(assert_return (invoke "b" (i32.const 1)) (i32.const 3))
(assert_return (invoke "c" (i32.const 1)) (i32.const 11))
(assert_return (invoke "made" (i32.const 6)) (i32.const 7))
(assert_return (invoke "d" (i32.const 4)) (i32.const 9))

;; A module is a closure: it keeps what it named of the instance that it came from, wherever it is instantiated.
(module definition $maker
  (import "lib" (module $lib (export "f" (func (result i32)))))
  (module (export "closed")
    (instance $i (instantiate (module outer 0 $lib)))
    (export $i)))
(module definition $three (func (export "f") (result i32) (i32.const 3)))
(module definition $four (func (export "f") (result i32) (i32.const 4)))
(register "maker" $maker)
(register "three" $three)
(register "four" $four)
(module
  (import "maker" (module $maker
    (import "lib" (module (export "f" (func (result i32)))))
    (export "closed" (module (export "f" (func (result i32)))))))
  (import "three" (module $three (export "f" (func (result i32)))))
  (import "four" (module $four (export "f" (func (result i32)))))
  (instance $m3 (instantiate $maker (import "lib" (module $three))))
  (instance $m4 (instantiate $maker (import "lib" (module $four))))
  (instance $c3 (instantiate (module $m3 "closed")))
  (instance $c4 (instantiate (module $m4 "closed")))
  (func (export "sum") (result i32) (i32.add (i32.mul (i32.const 10) (call (func $c3 "f"))) (call (func $c4 "f")))))
(assert_return (invoke "sum") (i32.const 34))

(assert_invalid (module (alias outer 0 0 (type))) "unknown outer module 0")
(assert_invalid (module (alias outer 0 0 (module))) "unknown outer module 0")
(assert_invalid (module (module (alias outer 1 0 (type)))) "unknown outer module 1")
(assert_invalid (module (module (alias outer 0 0 (type)))) "unknown type 0")
(assert_invalid (module (module (alias outer 0 0 (module)))) "unknown module 0")
;; What comes behind a nested module in the text is not there for it.
(assert_invalid (module $m (module (alias outer $m $t (type))) (type $t (func))) "unknown type t")
(assert_invalid (module $m (module (alias outer $m $n (module))) (module $n)) "unknown module 1")
(assert_invalid (module $m (module (func (type outer $m $t))) (type $t (func))) "unknown type t")
;; Ids of one module mean nothing in another.
(assert_invalid (module (type $t (func)) (module (func (type $t)))) "unknown type t")
(assert_invalid (module (func $f) (module (func (call $f)))) "unknown func f")

;; ---- imports with one name ----
(module $giver (func (export "") (result i32) (i32.const 8)) (func (export "f") (result i32) (i32.const 2)))
(register "giver" $giver)
(module
  (import "giver" (instance $g (export "f" (func (result i32)))))
  (func (export "f") (result i32) (call (func $g "f"))))
(assert_return (invoke "f") (i32.const 2))
;; An empty second name is a name.
(module
  (import "giver" "" (func $f (result i32)))
  (import "giver" "f" (func $g (result i32)))
  (type (instance))
  (func (export "f") (result i32) (i32.add (call $f) (call $g))))
(assert_return (invoke "f") (i32.const 10))
;; Inline.
(module
  (instance $g (import "giver") (export "f" (func (result i32))))
  (module $three (import "three") (export "f" (func (result i32))))
  (instance $t (instantiate $three))
  (func (export "f") (result i32) (i32.add (call (func $g "f")) (call (func $t "f")))))
(assert_return (invoke "f") (i32.const 5))
;; By the type.
(module
  (type $I (instance (export "f" (func (result i32)))))
  (type $M (module (export "f" (func (result i32)))))
  (import "giver" (instance $g (type $I)))
  (import "three" (module $m (type $M)))
  (instance $i (instantiate $m))
  (func (export "f") (result i32) (i32.add (call (func $g "f")) (call (func $i "f")))))
(assert_return (invoke "f") (i32.const 5))

(assert_unlinkable (module (import "nobody" (instance (export "f" (func))))) "unknown import")
(assert_unlinkable (module (import "nobody" (module))) "unknown import")
(assert_unlinkable (module (import "nobody" (func))) "unknown import")
(assert_unlinkable (module (import "giver" (instance (export "f" (func))))) "incompatible import type")
(assert_unlinkable (module (import "giver" (instance (export "x" (func (result i32)))))) "incompatible import type")
(assert_unlinkable (module (import "three" (module (export "g" (func))))) "incompatible import type")
(assert_unlinkable (module (import "maker" (module))) "incompatible import type")
(assert_unlinkable (module (import "giver" (module))) "incompatible import type")
(assert_unlinkable (module (import "three" (instance))) "incompatible import type")

;; Names of imports are different, in modules that have anything of the extension.
(module (import "giver" "f" (func (result i32))) (import "giver" "f" (func (result i32))))
(assert_invalid (module (import "" (func)) (import "" "a" (func))) "duplicate import name")
(assert_invalid (module (import "" (instance)) (import "" "a" (func))) "duplicate import name")
(assert_invalid (module (import "" (instance)) (import "" (instance))) "duplicate import name")
(assert_invalid (module (import "a" "b" (func)) (import "a" "b" (func)) (module)) "duplicate import name")
(assert_invalid (module (import "a" "b" (func)) (import "a" "b" (func (result i32))) (memory 1) (func (drop (ref.memory 0)))) "duplicate import name")
(assert_invalid
  (module (module (import "" "a" (func)) (import "" "a" (func (result i32)))))
  "duplicate import name")
(assert_malformed (module quote "(module (func) (module) (import \"a\" (func)))") "import after function")
;; In the text imports may stand behind modules and instances, in the binary they come before.
(module
  (module $m (func (export "f") (result i32) (i32.const 30)))
  (instance $a (instantiate $m))
  (import "giver" (instance $b (export "f" (func (result i32)))))
  (func $f (import "lib" "f") (result i32))
  (func (export "sum") (result i32) (i32.add (call $f) (i32.add (call (func $a "f")) (call (func $b "f"))))))
(assert_return (invoke "sum") (i32.const 33))
(assert_malformed (module quote "(module (func) (import \"a\" (func)))") "import after function")

;; ---- exports ----
(module $exporter
  (import "three" (module $a (export "f" (func (result i32)))))
  (module $b (export "own") (func (export "f") (result i32) (i32.const 6)))
  (import "giver" (instance $c (export "f" (func (result i32)))))
  (instance $d (export "made") (instantiate $b))
  (export "e1" (module $a))
  (export "e2" (module $b))
  (export "e3" (instance $c))
  (export "e4" (instance $d)))
(register "exporter" $exporter)
(module
  (type $M (module (export "f" (func (result i32)))))
  (type $I (instance (export "f" (func (result i32)))))
  (import "exporter" (instance $x
    (export "own" (module (type $M)))
    (export "made" (instance (type $I)))
    (export "e1" (module (type $M))) (export "e2" (module (type $M)))
    (export "e3" (instance (type $I))) (export "e4" (instance (type $I)))))
  (instance $i1 (instantiate (module $x "e1")))
  (instance $i2 (instantiate (module $x "e2")))
  (instance $own (instantiate (module $x "own")))
  (func (export "1") (result i32) (call (func $i1 "f")))
  (func (export "2") (result i32) (call (func $i2 "f")))
  (func (export "3") (result i32) (call (func $x "e3" "f")))
  (func (export "4") (result i32) (call (func $x "e4" "f")))
  (func (export "own") (result i32) (call (func $own "f")))
  (func (export "made") (result i32) (call (func $x "made" "f"))))
(assert_return (invoke "1") (i32.const 3))
(assert_return (invoke "2") (i32.const 6))
(assert_return (invoke "3") (i32.const 2))
(assert_return (invoke "4") (i32.const 6))
(assert_return (invoke "own") (i32.const 6))
(assert_return (invoke "made") (i32.const 6))
(assert_invalid (module (export "m" (module 0)) (type (instance))) "unknown module 0")
(assert_invalid (module (module) (export "i" (instance 0))) "unknown instance 0")
(assert_invalid (module (module $m) (export "a" (module $m)) (export "a" (module $m))) "duplicate export name")

;; Zero-level: the module's exports are those of an instance, besides others.
(module $zero
  (module $M (func (export "foo") (result i32) (i32.const 14)) (memory (export "m") 1) (data (memory 0) (i32.const 0) "\0b"))
  (instance $i (instantiate $M))
  (export $i)
  (func (export "bar") (result i32) (i32.add (call (func $i "foo")) (i32.load8_u (memory $i "m") (i32.const 0)))))
(assert_return (invoke "foo") (i32.const 14))
(assert_return (invoke "bar") (i32.const 25))
(register "zero" $zero)
(module
  (import "zero" (instance $z (export "foo" (func (result i32))) (export "m" (memory 1)) (export "bar" (func (result i32)))))
  (export $z)
  (func (export "sum") (result i32) (i32.add (call (func $z "foo")) (call (func $z "bar")))))
(assert_return (invoke "foo") (i32.const 14))
(assert_return (invoke "sum") (i32.const 39))
;; Of an export of an instance, and in a nested module that names the outer one's types.
(module $top
  (type $I (instance (export "f" (func (result i32)))))
  (import "exporter" (instance $x (export "e3" (instance (type $I)))))
  (module $pass
    (import "i" (instance $i (type outer $top $I)))
    (export $i))
  (instance $p (instantiate $pass (import "i" (instance $x "e3"))))
  (export $p))
(assert_return (invoke "f") (i32.const 2))
(assert_invalid (module (export 0) (module)) "unknown instance 0")
(assert_invalid (module (export $no) (module)) "unknown instance no")
(assert_invalid
  (module (module $m (func (export "f"))) (instance $i (instantiate $m)) (export $i) (export "f" (func $i "f")))
  "duplicate export name")

;; ---- the sections in any order, in the binary ----
;; Types and imports twice, an alias between, a nested module, an instance, a type behind them.
(module binary
  "\00asm\01\00\00\00"
  "\01\0d\01\62\02\01\60\00\01\7f\07\01f\00\00"          ;; type 0: an instance that exports a function "f"
  "\02\0b\01\05giver\00\ff\06\00"                        ;; instance 0
  "\10\06\01\00\00\00\01f"                               ;; function 0: its "f"
  "\01\11\02\60\00\01\7f\61\02\01\60\00\01\7f\07\01f\00\00" ;; type 1: a function, type 2: a module that exports one
  "\02\0b\01\05three\00\ff\05\02"                        ;; module 0
  "\0e\0a\01\08\00asm\01\00\00\00"                       ;; module 1: nothing in it
  "\0f\04\01\00\00\00"                                   ;; instance 1 of module 0
  "\10\06\01\00\01\00\01f"                               ;; function 1: its "f"
  "\01\05\01\60\00\01\7f"                                ;; type 3: a function
  "\03\02\01\03"                                         ;; function 2
  "\07\07\01\03sum\00\02"
  "\0a\09\01\07\00\10\00\10\01\6a\0b")                   ;; the sum of both
(assert_return (invoke "sum") (i32.const 5))

(assert_malformed (module binary "\00asm\01\00\00\00" "\0e\0a\01\08\00asm\01\00\00\00" "\02\08\01\01a\00\ff\02\00\00")
  "unexpected content after last section")
(assert_malformed (module binary "\00asm\01\00\00\00" "\05\03\01\00\01" "\0e\0a\01\08\00asm\01\00\00\00")
  "unexpected content after last section")
;; Without anything of the extension the order is that of the core.
(assert_malformed (module binary "\00asm\01\00\00\00" "\01\04\01\60\00\00" "\01\04\01\60\00\00") "unexpected content after last section")
(assert_malformed (module binary "\00asm\01\00\00\00" "\02\08\01\01a\01b\02\00\00" "\01\04\01\60\00\00") "unexpected content after last section")
(assert_malformed (module binary "\00asm\01\00\00\00" "\0e\01\00") "malformed section id")
(assert_malformed (module binary "\00asm\01\00\00\00" "\11\01\00") "malformed section id")
(assert_malformed (module binary "\00asm\01\00\00\00" "\0e\0a\01\09\00asm\01\00\00\00") "length out of bounds")
(assert_malformed (module binary "\00asm\01\00\00\00" "\0e\0a\01\08\00asm\02\00\00\00") "unknown binary version")
(assert_malformed (module binary "\00asm\01\00\00\00" "\0e\0a\01\08\00asm\01\00\00\00" "\0f\04\01\01\00\00") "malformed instance")
(assert_malformed (module binary "\00asm\01\00\00\00" "\10\06\01\02\00\00\01f") "malformed alias")
(assert_malformed (module binary "\00asm\01\00\00\00" "\01\07\01\62\01\0f\00\00\00") "malformed alias")
(assert_malformed (module binary "\00asm\01\00\00\00" "\01\04\01\62\01\03") "malformed definition type")
(assert_malformed (module binary "\00asm\01\00\00\00" "\01\05\01\62\01\02\00") "malformed definition type")
