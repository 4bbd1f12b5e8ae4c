;; A guest that compiles its own code, thousands of modules one after the other, as a language implementation would: a template with
;; a hole for a constant is patched, compiled, linked with this module's memory and put into a shared table, where it takes the place
;; of an older one. Nobody frees anything: what is no longer in the table is collected with its code.

(module $guest-jit
  (type $f (func (param i32) (result i32)))
  ;; What a compiled module needs and offers.
  (type $Code (module (import "env" "memory" (memory 1)) (export "f" (func (type $f)))))
  (type $Instance (instance (export "f" (func (type $f)))))

  (memory $memory (export "memory") 2)
  (table $functions (export "functions") 16 funcref)

  ;; The template, and a mark where it ends. f adds a constant and the word that it finds at address 65536.
  (data (i32.const 0)
    (module $template
      (import "env" "memory" (memory 1))
      (func $added (export "f") (param i32) (result i32)
        (i32.add (i32.add (local.get 0) (i32.const 0x7fff_ffff)) (i32.load (i32.const 65536)))))
    "\de\ad\be\ef")
  (global $length (mut i32) (i32.const 0))
  (global $hole (mut i32) (i32.const 0))

  (start $prepare)
  (func $prepare
    (loop $next
      (if (i32.and (i32.eq (i32.load (global.get $hole)) (i32.const -1)) (i32.eq (i32.load8_u offset=4 (global.get $hole)) (i32.const 7)))
        (then)
        (else
          (global.set $hole (i32.add (global.get $hole) (i32.const 1)))
          (br $next))))
    (loop $next
      (if (i32.ne (i32.load (global.get $length)) (i32.const 0xefbeadde))
        (then
          (global.set $length (i32.add (global.get $length) (i32.const 1)))
          (br $next)))))

  ;; A signed LEB128 number of five bytes.
  (func $patch (param $value i32)
    (local $at i32) (local $end i32)
    (local.set $at (global.get $hole))
    (local.set $end (i32.add (local.get $at) (i32.const 4)))
    (loop $next
      (i32.store8 (local.get $at) (i32.or (i32.and (local.get $value) (i32.const 0x7f)) (i32.const 0x80)))
      (local.set $value (i32.shr_s (local.get $value) (i32.const 7)))
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 1))) (local.get $end))))
    (i32.store8 (local.get $at) (i32.and (local.get $value) (i32.const 0x7f))))

  ;; Compiles a function that adds the constant, and puts it into the table.
  (func $emit (param $value i32) (param $slot i32)
    (call $patch (local.get $value))
    (table.set $functions (local.get $slot)
      (get_export $Instance "f"
        (instantiate $Code
          (ref.memory $memory)
          (compile $Code (i32.const 0) (global.get $length))))))

  ;; Compiles functions for first, first + 1, ... and calls each; gives the sum of the results.
  (func (export "run") (param $first i32) (param $count i32) (result i64)
    (local $i i32) (local $sum i64)
    (loop $next
      (call $emit (i32.add (local.get $first) (local.get $i)) (i32.and (local.get $i) (i32.const 15)))
      (local.set $sum (i64.add (local.get $sum)
        (i64.extend_i32_s (call_indirect $functions (type $f) (i32.const 1000) (i32.and (local.get $i) (i32.const 15))))))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $count))))
    (local.get $sum)))
