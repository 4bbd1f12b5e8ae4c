;; Two guests, each with a memory of its own: strings are copied across them through slices and through memory references. Neither
;; sees more of the other's memory than what it was given.

;; The receiver has a buffer of 16 bytes at 100 and lends it out.
(module $receiver
  (type $m (memory 1))
  (memory $memory (export "memory") 1)
  (data (i32.const 96) "<<<<................>>>>")
  (func (export "buffer") (result (ref slice)) (slice.new $memory (i32.const 100) (i32.const 16)))
  (func (export "view") (result (ref slice)) (slice.readonly (slice.new $memory (i32.const 100) (i32.const 16))))
  (func (export "whole") (result (ref $m)) (ref.memory $memory))
  (func (export "byte") (param i32) (result i32) (i32.load8_u (local.get 0)))
  (func (export "word") (param i32) (result i64) (i64.load (local.get 0))))
(register "receiver" $receiver)

(module $sender
  (type $m (memory 1))
  (import "receiver" "buffer" (func $buffer (result (ref slice))))
  (import "receiver" "view" (func $view (result (ref slice))))
  (import "receiver" "whole" (func $whole (result (ref $m))))
  (memory $memory 1)
  (data (i32.const 8) "hello, world\00")
  (data (i32.const 40) "a string that is too long\00")
  ;; A string at the very end of memory, without an end.
  (data (i32.const 65532) "oops")

  ;; strcpy for slices: bytes up to a zero, which is copied too; gives how many bytes went over.
  (func $strcpy-slices (param $to (ref null slice)) (param $from (ref null slice)) (result i64)
    (local $i i64) (local $c i32)
    (loop $next
      (i32.store8 (ref slice) (local.get $to) (local.get $i)
        (local.tee $c (i32.load8_u (ref slice) (local.get $from) (local.get $i))))
      (local.set $i (i64.add (local.get $i) (i64.const 1)))
      (br_if $next (local.get $c)))
    (local.get $i))

  ;; The same for memories; both may be those of others.
  (func $strcpy-memories (param $to (ref null $m)) (param $at i32) (param $from (ref null $m)) (param $source i32) (result i32)
    (local $begin i32) (local $c i32)
    (local.set $begin (local.get $at))
    (loop $next
      (i32.store8 (ref $m) (local.get $to) (local.get $at)
        (local.tee $c (i32.load8_u (ref $m) (local.get $from) (local.get $source))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (local.set $source (i32.add (local.get $source) (i32.const 1)))
      (br_if $next (local.get $c)))
    (i32.sub (local.get $at) (local.get $begin)))

  (func $text (param i32) (result (ref slice)) (slice.new $memory (local.get 0) (i32.sub (i32.const 65536) (local.get 0))))
  (func (export "send") (param $at i32) (result i64) (call $strcpy-slices (call $buffer) (call $text (local.get $at))))
  (func (export "send-to-view") (param $at i32) (result i64) (call $strcpy-slices (call $view) (call $text (local.get $at))))
  (func (export "send-to-part") (param $at i32) (param $length i64) (result i64)
    (call $strcpy-slices (slice.sub (call $buffer) (i64.const 0) (local.get $length)) (call $text (local.get $at))))
  (func (export "send-to-nobody") (param $at i32) (result i64) (call $strcpy-slices (ref.null slice) (call $text (local.get $at))))
  (func (export "fetch") (result i64) (call $strcpy-slices (slice.new $memory (i32.const 200) (i32.const 16)) (call $view)))
  (func (export "fetched") (result i64) (i64.load (i32.const 200)))
  (func (export "beyond") (param i64) (result i32) (i32.load8_u (ref slice) (call $buffer) (local.get 0)))
  (func (export "write-beyond") (param i64) (i32.store8 (ref slice) (call $buffer) (local.get 0) (i32.const 33)))

  (func (export "send-whole") (param $to i32) (param $at i32) (result i32)
    (call $strcpy-memories (call $whole) (local.get $to) (ref.memory $memory) (local.get $at)))
  (func (export "fetch-whole") (param $to i32) (param $at i32) (result i32)
    (call $strcpy-memories (ref.memory $memory) (local.get $to) (call $whole) (local.get $at)))
  (func (export "send-whole-to-nobody") (result i32)
    (call $strcpy-memories (ref.null $m) (i32.const 0) (ref.memory $memory) (i32.const 8))))

;; Through slices.
(assert_return (invoke $sender "send" (i32.const 8)) (i64.const 13))
(assert_return (invoke $receiver "word" (i32.const 100)) (i64.const 0x77202c6f6c6c6568))
(assert_return (invoke $receiver "byte" (i32.const 112)) (i32.const 0))
(assert_return (invoke $receiver "byte" (i32.const 113)) (i32.const 46))
(assert_return (invoke $sender "fetch") (i64.const 13))
(assert_return (invoke $sender "fetched") (i64.const 0x77202c6f6c6c6568))
;; A string that does not fit traps at the end of the window: what fits is there, nothing behind it has changed.
(assert_trap (invoke $sender "send" (i32.const 40)) "out of bounds slice access")
(assert_return (invoke $receiver "byte" (i32.const 115)) (i32.const 115))
(assert_return (invoke $receiver "byte" (i32.const 116)) (i32.const 62))
(assert_return (invoke $receiver "byte" (i32.const 99)) (i32.const 60))
(assert_trap (invoke $sender "send" (i32.const 65532)) "out of bounds slice access")
(assert_trap (invoke $sender "send-to-part" (i32.const 8) (i64.const 12)) "out of bounds slice access")
(assert_return (invoke $sender "send-to-part" (i32.const 8) (i64.const 13)) (i64.const 13))
(assert_trap (invoke $sender "send-to-part" (i32.const 8) (i64.const 17)) "out of bounds slice access")
(assert_trap (invoke $sender "beyond" (i64.const 16)) "out of bounds slice access")
(assert_trap (invoke $sender "beyond" (i64.const -1)) "out of bounds slice access")
(assert_trap (invoke $sender "write-beyond" (i64.const 16)) "out of bounds slice access")
(assert_trap (invoke $sender "write-beyond" (i64.const -4)) "out of bounds slice access")
;; A read-only slice refuses writes.
(assert_trap (invoke $sender "send-to-view" (i32.const 8)) "read-only slice")
(assert_return (invoke $receiver "byte" (i32.const 100)) (i32.const 104))
(assert_trap (invoke $sender "send-to-nobody" (i32.const 8)) "null slice reference")

;; Through memory references: all of the memory is the window.
(assert_return (invoke $sender "send-whole" (i32.const 1000) (i32.const 40)) (i32.const 26))
(assert_return (invoke $receiver "word" (i32.const 1000)) (i64.const 0x676e697274732061))
(assert_return (invoke $sender "fetch-whole" (i32.const 300) (i32.const 1000)) (i32.const 26))
(assert_return (invoke $sender "send-whole" (i32.const 2000) (i32.const 300)) (i32.const 26))
(assert_return (invoke $receiver "word" (i32.const 2000)) (i64.const 0x676e697274732061))
(assert_trap (invoke $sender "send-whole" (i32.const 65530) (i32.const 40)) "out of bounds memory access")
(assert_return (invoke $receiver "byte" (i32.const 65535)) (i32.const 105))
(assert_trap (invoke $sender "send-whole" (i32.const 1000) (i32.const 65532)) "out of bounds memory access")
(assert_trap (invoke $sender "send-whole-to-nobody") "null memory reference")
