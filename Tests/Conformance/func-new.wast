;; func.new $mem $t $scope: [at at] -> [(ref $t)]; func.new_named takes the name before it: [at at at at].
;; The null forms give null for a body that is malformed or invalid.

(module
  (type $v (func))
  (type $i (func (result i32)))
  (type $ii (func (param i32) (result i32)))
  (type $s (struct (field (mut i32))))
  (tag $e (param i32))
  (memory $code 1)
  (memory $data 1)
  (memory $big i64 1)
  (table $tab 8 funcref)
  (global $hidden (mut i32) (i32.const 1))
  (global $count (mut i32) (i32.const 0))
  (global $fixed i64 (i64.const 77))
  (elem (table $tab) (i32.const 0) func $double)

  ;; In the scope $data is memory 0, $count global 0, $fixed global 1, $double function 0, $ii type 0; $self stands behind the functions.
  (scope $all (type $ii $i $s $v) (func $double) (memory $data) (global $count) (table $tab) (tag $e) (global $fixed) (func $fail))
  (scope $none)
  (scope $only-code (memory $code))
  (scope $twice (func $double $double) (type $i $i))

  (func $double (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
  (func $fail (unreachable))

  ;; Bodies: locals, then instructions. Each begins at a multiple of 32.
  (data (memory $code) (i32.const 0) "\00\41\2a\0b")                                                    ;; 4: 42
  (data (memory $code) (i32.const 32) "\00\20\00\10\00\41\01\6a\0b")                                     ;; 9: $double(x) + 1
  (data (memory $code) (i32.const 64) "\00\20\00\04\7f\20\00\20\00\41\01\6b\10\02\6c\05\41\01\0b\0b")    ;; 20: factorial, by itself
  (data (memory $code) (i32.const 96) "\00\20\00\28\02\00\0b")                                           ;; 7: load from memory 0
  (data (memory $code) (i32.const 128) "\00\23\00\20\00\6a\24\00\23\00\23\01\a7\6a\0b")                  ;; 15: global 0 += x; + global 1
  (data (memory $code) (i32.const 160) "\00\20\00\41\00\11\00\00\0b")                                    ;; 9: table 0 [0] (x)
  (data (memory $code) (i32.const 192) "\00\20\00\08\00\0b")                                             ;; 6: throw
  (data (memory $code) (i32.const 224) "\01\02\7f\20\00\21\01\20\01\20\02\6a\0b")                        ;; 13: locals
  (data (memory $code) (i32.const 256) "\00\20\00\fb\00\02\fb\02\02\00\0b")                              ;; 11: struct.new, struct.get
  (data (memory $code) (i32.const 288) "\00\20\00\d2\02\14\00\0b")                                       ;; 8: call_ref (ref.func itself)
  (data (memory $code) (i32.const 320) "\00\10\01\41\00\0b")                                             ;; 6: calls $fail
  (data (memory $code) (i32.const 352) "\00\41\00\20\00\41\01\fc\0a\00\00\41\00\2d\00\00\0b")            ;; 17: memory.copy
  (data (memory $code) (i32.const 384) "\00\20\00\12\00\0b")                                             ;; 6: return_call $double
  ;; Not functions.
  (data (memory $code) (i32.const 512) "\00\42\2a\0b")             ;; 4: an i64
  (data (memory $code) (i32.const 544) "\00\41\2a\0b\0b")          ;; 5: something behind the end
  (data (memory $code) (i32.const 576) "\00\41\2a")                ;; 3: no end
  (data (memory $code) (i32.const 608) "\00\ff\0b")                ;; 3: no opcode
  (data (memory $code) (i32.const 640) "\00\10\03\0b")             ;; 4: unknown function
  (data (memory $code) (i32.const 672) "\00\41\00\28\42\01\00\0b") ;; 8: unknown memory
  (data (memory $code) (i32.const 704) "\00\23\02\0b")             ;; 4: unknown global
  (data (memory $code) (i32.const 736) "\00\20\05\0b")             ;; 4: unknown local
  (data (memory $code) (i32.const 768) "\00\41\00\41\00\11\04\00\0b") ;; 9: unknown type
  (data (memory $code) (i32.const 800) "\01\ff\ff\ff\ff\0f\7f\0b") ;; 8: too many locals
  (data (memory $code) (i32.const 832) "\00\41\00\41\04\fa\18\00\00\00\0b") ;; 11: func.new, whose scope there is not
  (data (memory $code) (i32.const 864) "\00\41\00\41\00\41\00\fc\08\00\00\0b") ;; 12: data segments are in no scope
  ;; Names.
  (data (memory $code) (i32.const 1024) "answer\ff")

  (func (export "answer") (result i32) (call_ref $i (func.new $code $i $all (i32.const 0) (i32.const 4))))
  (func (export "run") (param $at i32) (param $length i32) (param $x i32) (result i32)
    (call_ref $ii (local.get $x) (func.new $code $ii $all (local.get $at) (local.get $length))))
  (func (export "run-null") (param $at i32) (param $length i32) (param $x i32) (result i32)
    (call_ref $ii (local.get $x) (func.new null $code $ii $all (local.get $at) (local.get $length))))
  (func (export "is-null") (param i32 i32) (result i32) (ref.is_null (func.new null $i $all (local.get 0) (local.get 1))))
  (func (export "none") (param i32 i32) (result i32) (call_ref $i (func.new $i $none (local.get 0) (local.get 1))))
  (func (export "catches") (result i32)
    (block $caught (result i32)
      (try_table (result i32) (catch $e $caught)
        (call_ref $ii (i32.const 33) (func.new $ii $all (i32.const 192) (i32.const 6))))
      (i32.const 1) (i32.add)))
  (func (export "set") (param i32 i32) (i32.store $data (local.get 0) (local.get 1)))
  (func (export "count") (result i32) (global.get $count))
  (func (export "hidden") (result i32) (global.get $hidden))
  ;; The first functions of a scope may be the same one; so may types.
  (func (export "twice") (result i32) (call_ref $i (func.new $i $twice (i32.const 0) (i32.const 4))))
  ;; What is written afterwards changes nothing.
  (func (export "copied") (result i32)
    (local $f (ref null $i))
    (local.set $f (func.new $i $all (i32.const 0) (i32.const 4)))
    (i32.store8 (i32.const 2) (i32.const 43))
    (i32.add (i32.mul (i32.const 100) (call_ref $i (local.get $f))) (call_ref $i (func.new $i $all (i32.const 0) (i32.const 4)))
      (i32.store8 (i32.const 2) (i32.const 42))))
  ;; Code that sees the memory of code.
  (func (export "sees-code") (result i32)
    (call_ref $ii (i32.const 0) (func.new $ii $only-code (i32.const 96) (i32.const 7))))
  (func (export "named") (result i32)
    (call_ref $i (func.new_named $code $i $all (i32.const 1024) (i32.const 6) (i32.const 0) (i32.const 4))))
  (func (export "named-null") (param $name i32) (param $length i32) (param $body i32) (param $body-length i32) (result i32)
    (ref.is_null (func.new_named null $i $all (local.get $name) (local.get $length) (local.get $body) (local.get $body-length))))
  (func (export "bad-name") (result i32)
    (call_ref $i (func.new_named $i $all (i32.const 1024) (i32.const 7) (i32.const 0) (i32.const 4))))
  ;; From a memory of 64-bit addresses.
  (func (export "big") (param i64 i64) (result i32)
    (memory.copy $big $code (i64.const 16) (i32.const 0) (i32.const 4))
    (call_ref $i (func.new $big $i $all (local.get 0) (local.get 1))))
  ;; The function is like any other: in a table, tested, compared.
  (func (export "in-table") (param i32) (result i32)
    (table.set $tab (i32.const 3) (func.new $ii $all (i32.const 32) (i32.const 9)))
    (call_indirect $tab (type $ii) (local.get 0) (i32.const 3)))
  (func (export "other-type") (result i32)
    (table.set $tab (i32.const 4) (func.new $i $all (i32.const 0) (i32.const 4)))
    (call_indirect $tab (type $ii) (i32.const 1) (i32.const 4)))
  (func (export "tests") (result i32)
    (local $f funcref)
    (local.set $f (func.new $ii $all (i32.const 32) (i32.const 9)))
    (i32.add (ref.test (ref $ii) (local.get $f)) (i32.mul (i32.const 2) (ref.test (ref $i) (local.get $f)))))
  ;; Asking for machine code changes no result.
  (func (export "optimize") (param i32) (result i32)
    (local $f (ref $ii))
    (local.set $f (func.new $ii $all (i32.const 64) (i32.const 20)))
    (func.optimize (local.get $f))
    (drop (func.is_optimized (local.get $f)))
    (func.optimize (ref.func $double))
    (call_ref $ii (local.get 0) (local.get $f)))
  (func (export "optimize-null") (func.optimize (ref.null func)))
  (func (export "is-optimized-null") (result i32) (func.is_optimized (ref.null func)))
  (elem declare func $double))

(assert_return (invoke "answer") (i32.const 42))
(assert_return (invoke "run" (i32.const 32) (i32.const 9) (i32.const 20)) (i32.const 41))
(assert_return (invoke "run" (i32.const 64) (i32.const 20) (i32.const 6)) (i32.const 720))
(invoke "set" (i32.const 100) (i32.const 1234))
(assert_return (invoke "run" (i32.const 96) (i32.const 7) (i32.const 100)) (i32.const 1234))
(assert_trap (invoke "run" (i32.const 96) (i32.const 7) (i32.const 65533)) "out of bounds memory access")
(assert_return (invoke "run" (i32.const 128) (i32.const 15) (i32.const 5)) (i32.const 82))
(assert_return (invoke "run" (i32.const 128) (i32.const 15) (i32.const 5)) (i32.const 87))
(assert_return (invoke "count") (i32.const 10))
(assert_return (invoke "hidden") (i32.const 1))
(assert_return (invoke "run" (i32.const 160) (i32.const 9) (i32.const 8)) (i32.const 16))
(assert_return (invoke "catches") (i32.const 33))
(assert_exception (invoke "run" (i32.const 192) (i32.const 6) (i32.const 1)))
(assert_return (invoke "run" (i32.const 224) (i32.const 13) (i32.const 9)) (i32.const 9))
(assert_return (invoke "run" (i32.const 256) (i32.const 11) (i32.const 11)) (i32.const 11))
(assert_exhaustion (invoke "run" (i32.const 288) (i32.const 8) (i32.const 1)) "call stack exhausted")
(assert_trap (invoke "run" (i32.const 320) (i32.const 6) (i32.const 0)) "unreachable")
(invoke "set" (i32.const 8) (i32.const 99))
(assert_return (invoke "run" (i32.const 352) (i32.const 17) (i32.const 8)) (i32.const 99))
(assert_return (invoke "run" (i32.const 384) (i32.const 6) (i32.const 4)) (i32.const 8))
(assert_return (invoke "run-null" (i32.const 32) (i32.const 9) (i32.const 20)) (i32.const 41))
(assert_return (invoke "none" (i32.const 0) (i32.const 4)) (i32.const 42))
(assert_return (invoke "twice") (i32.const 42))
(assert_return (invoke "copied") (i32.const 4243))
(assert_return (invoke "sees-code") (i32.const 0x0b2a4100))
(assert_return (invoke "named") (i32.const 42))
(assert_return (invoke "named-null" (i32.const 1024) (i32.const 6) (i32.const 0) (i32.const 4)) (i32.const 0))
(assert_return (invoke "named-null" (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 4)) (i32.const 0))
(assert_return (invoke "big" (i64.const 16) (i64.const 4)) (i32.const 42))
(assert_return (invoke "in-table" (i32.const 4)) (i32.const 9))
(assert_trap (invoke "other-type") "indirect call type mismatch")
(assert_return (invoke "tests") (i32.const 1))
(assert_return (invoke "optimize" (i32.const 5)) (i32.const 120))
(assert_trap (invoke "optimize-null") "null function reference")
(assert_trap (invoke "is-optimized-null") "null function reference")

;; Invalid: the types, and everything that the scope does not have.
(assert_trap (invoke "run" (i32.const 512) (i32.const 4) (i32.const 0)) "invalid module")
(assert_trap (invoke "run" (i32.const 640) (i32.const 4) (i32.const 0)) "invalid module")
(assert_trap (invoke "run" (i32.const 672) (i32.const 8) (i32.const 0)) "invalid module")
(assert_trap (invoke "run" (i32.const 704) (i32.const 4) (i32.const 0)) "invalid module")
(assert_trap (invoke "run" (i32.const 736) (i32.const 4) (i32.const 0)) "invalid module")
(assert_trap (invoke "run" (i32.const 768) (i32.const 9) (i32.const 0)) "invalid module")
(assert_trap (invoke "run" (i32.const 832) (i32.const 11) (i32.const 0)) "invalid module: unknown scope 0")
(assert_trap (invoke "none" (i32.const 32) (i32.const 9)) "invalid module")
(assert_return (invoke "is-null" (i32.const 512) (i32.const 4)) (i32.const 1))
(assert_return (invoke "is-null" (i32.const 640) (i32.const 4)) (i32.const 1))
(assert_trap (invoke "run-null" (i32.const 512) (i32.const 4) (i32.const 0)) "null function reference")
;; Malformed.
(assert_trap (invoke "run" (i32.const 0) (i32.const 0) (i32.const 0)) "malformed module")
(assert_trap (invoke "run" (i32.const 544) (i32.const 5) (i32.const 0)) "malformed module")
(assert_trap (invoke "run" (i32.const 576) (i32.const 3) (i32.const 0)) "malformed module")
(assert_trap (invoke "run" (i32.const 608) (i32.const 3) (i32.const 0)) "malformed module")
(assert_trap (invoke "run" (i32.const 800) (i32.const 8) (i32.const 0)) "malformed module")
(assert_trap (invoke "run" (i32.const 864) (i32.const 12) (i32.const 0)) "malformed module")
(assert_trap (invoke "bad-name") "malformed module")
(assert_return (invoke "is-null" (i32.const 0) (i32.const 0)) (i32.const 1))
(assert_return (invoke "is-null" (i32.const 544) (i32.const 5)) (i32.const 1))
(assert_return (invoke "is-null" (i32.const 0) (i32.const 3)) (i32.const 1))
(assert_return (invoke "named-null" (i32.const 1024) (i32.const 7) (i32.const 0) (i32.const 4)) (i32.const 1))
(assert_return (invoke "named-null" (i32.const 2048) (i32.const 1025) (i32.const 0) (i32.const 4)) (i32.const 1))
(assert_return (invoke "named-null" (i32.const 2048) (i32.const 1024) (i32.const 0) (i32.const 4)) (i32.const 0))
;; The ranges are looked at first, and always a trap.
(assert_trap (invoke "is-null" (i32.const 65536) (i32.const 1)) "out of bounds memory access")
(assert_trap (invoke "is-null" (i32.const -1) (i32.const 2)) "out of bounds memory access")
(assert_trap (invoke "is-null" (i32.const 8) (i32.const -1)) "out of bounds memory access")
(assert_trap (invoke "named-null" (i32.const 65535) (i32.const 2) (i32.const 0) (i32.const 4)) "out of bounds memory access")
(assert_trap (invoke "big" (i64.const -1) (i64.const 2)) "out of bounds memory access")
(assert_trap (invoke "big" (i64.const 0x1_0000_0000) (i64.const 1)) "out of bounds memory access")

;; Instructions that are not valid.
(assert_invalid (module (type $f (func)) (scope $s) (func (drop (func.new $f $s (i32.const 0) (i32.const 0))))) "unknown memory")
(assert_invalid (module (type $f (func)) (memory 1) (func (drop (func.new 0 $f 0 (i32.const 0) (i32.const 0))))) "unknown scope")
(assert_invalid (module (type $f (struct)) (memory 1) (scope $s) (func (drop (func.new $f $s (i32.const 0) (i32.const 0))))) "unknown type")
(assert_invalid (module (memory 1) (scope $s) (func (drop (func.new 0 7 $s (i32.const 0) (i32.const 0))))) "unknown type")
(assert_invalid (module (type $f (func)) (memory 1) (scope $s) (func (drop (func.new $f $s (i64.const 0) (i32.const 0))))) "type mismatch")
(assert_invalid (module (type $f (func)) (memory i64 1) (scope $s) (func (drop (func.new $f $s (i32.const 0) (i32.const 0))))) "type mismatch")
(assert_invalid (module (type $f (func)) (memory 1) (scope $s) (func (drop (func.new_named $f $s (i32.const 0) (i32.const 0))))) "type mismatch")
(assert_invalid (module (type $f (func)) (memory 1) (scope $s)
  (func (result (ref $f)) (func.new null $f $s (i32.const 0) (i32.const 0)))) "type mismatch")
(assert_invalid (module (type $f (func)) (memory 1) (global (ref $f) (func.new $f 0 (i32.const 0) (i32.const 0))) (scope)) "constant expression required")
(assert_invalid (module (func (func.optimize (i32.const 0)))) "type mismatch")
(assert_invalid (module (func (drop (func.is_optimized (ref.null extern))))) "type mismatch")
;; Scopes that are not valid.
(assert_invalid (module (scope (func 0))) "unknown function 0")
(assert_invalid (module (scope (table 0))) "unknown table 0")
(assert_invalid (module (scope (memory 0))) "unknown memory 0")
(assert_invalid (module (scope (global 0))) "unknown global 0")
(assert_invalid (module (scope (tag 0))) "unknown tag 0")
(assert_invalid (module (scope (type 0))) "unknown type 0")
(assert_malformed (module quote "(scope (module 0))") "unexpected token")
(assert_malformed (module quote "(scope $s) (scope $s)") "duplicate scope")
(assert_malformed (module quote "(scope (func $f))") "unknown func")
;; Modules, instances and other bytes are not items of scopes.
(assert_malformed (module binary "\00asm\01\00\00\00" "\11\04\01\01\05\00") "malformed scope item")
(assert_malformed (module binary "\00asm\01\00\00\00" "\11\04\01\01\08\00") "malformed scope item")
(assert_malformed (module binary "\00asm\01\00\00\00" "\11\01\01") "unexpected end")
(assert_malformed (module binary "\00asm\01\00\00\00" "\11\02\01\00\11\02\01\00") "unexpected content after last section")
;; The section stands behind the exports, before the start.
(module binary "\00asm\01\00\00\00" "\07\01\00" "\11\02\01\00")
(assert_malformed (module binary "\00asm\01\00\00\00" "\11\02\01\00" "\07\01\00") "unexpected content after last section")

;; What is imported can be in a scope, and functions are given on.
(module $maker
  (type $ii (func (param i32) (result i32)))
  (import "spectest" "global_i32" (global $g i32))
  (memory 1)
  (data (i32.const 0) "\00\20\00\23\00\6a\0b")
  (scope $s (global $g))
  (func (export "make") (result (ref $ii)) (func.new $ii $s (i32.const 0) (i32.const 7))))
(register "maker")
(module
  (type $ii (func (param i32) (result i32)))
  (import "maker" "make" (func $make (result (ref $ii))))
  (global $kept (mut (ref null $ii)) (ref.null $ii))
  (func (export "keep") (global.set $kept (call $make)))
  (func (export "call") (param i32) (result i32) (call_ref $ii (local.get 0) (global.get $kept)))
  ;; Often enough to be compiled.
  (func (export "loop") (param $n i32) (result i32)
    (local $sum i32)
    (loop $next
      (local.set $sum (i32.add (local.get $sum) (call_ref $ii (local.get $n) (global.get $kept))))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum)))
(invoke "keep")
(assert_return (invoke "call" (i32.const 1)) (i32.const 667))
(assert_return (invoke "loop" (i32.const 100000)) (i32.const 771682704))
