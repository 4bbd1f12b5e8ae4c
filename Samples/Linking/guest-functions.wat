;; As guest-jit.wat, with func.new: a function body is patched and made a function of this module's, without a module around it. What it may refer to
;; is the scope: here the memory alone. For comparison the same body is compiled as a module, too.

(module $guest-functions
  (type $f (func (param i32) (result i32)))
  (type $Code (module (import "env" "memory" (memory 1)) (export "f" (func (type $f)))))
  (type $Instance (instance (export "f" (func (type $f)))))

  (memory $memory (export "memory") 2)
  (table $functions (export "functions") 16 funcref)
  (scope $code (memory $memory))

  ;; The body: no locals; local.get 0, i32.const (a hole of five bytes), i32.add, i32.const 65536, i32.load, i32.add, end. Its name stands before it.
  (data (i32.const 0) "made-add")
  (data (i32.const 8) "\00\20\00\41\ff\ff\ff\ff\07\6a\41\80\80\04\28\02\00\6a\0b")
  (global $hole i32 (i32.const 12))
  (global $length i32 (i32.const 19))

  ;; The same in a module, behind which stands a mark.
  (data (i32.const 1024)
    (module $template
      (import "env" "memory" (memory 1))
      (func $added (export "f") (param i32) (result i32)
        (i32.add (i32.add (local.get 0) (i32.const 0x7fff_ffff)) (i32.load (i32.const 65536)))))
    "\de\ad\be\ef")
  (global $module-hole (mut i32) (i32.const 1024))
  (global $module-length (mut i32) (i32.const 0))

  (start $prepare)
  (func $prepare
    (loop $next
      (if (i32.and (i32.eq (i32.load (global.get $module-hole)) (i32.const -1)) (i32.eq (i32.load8_u offset=4 (global.get $module-hole)) (i32.const 7)))
        (then)
        (else
          (global.set $module-hole (i32.add (global.get $module-hole) (i32.const 1)))
          (br $next))))
    (loop $next
      (if (i32.ne (i32.load offset=1024 (global.get $module-length)) (i32.const 0xefbeadde))
        (then
          (global.set $module-length (i32.add (global.get $module-length) (i32.const 1)))
          (br $next)))))

  ;; A signed LEB128 number of five bytes.
  (func $patch (param $at i32) (param $value i32)
    (local $end i32)
    (local.set $end (i32.add (local.get $at) (i32.const 4)))
    (loop $next
      (i32.store8 (local.get $at) (i32.or (i32.and (local.get $value) (i32.const 0x7f)) (i32.const 0x80)))
      (local.set $value (i32.shr_s (local.get $value) (i32.const 7)))
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 1))) (local.get $end))))
    (i32.store8 (local.get $at) (i32.and (local.get $value) (i32.const 0x7f))))

  ;; Room for more live functions.
  (func (export "grow") (param i32) (result i32) (table.grow $functions (ref.null func) (local.get 0)))

  ;; Makes a function that adds a constant, and puts it into the table. The kind is 0 for func.new, 1 for func.new_named, 2 for a module.
  (func $emit (param $kind i32) (param $value i32) (param $slot i32)
    (if (i32.eq (local.get $kind) (i32.const 2))
      (then
        (call $patch (global.get $module-hole) (local.get $value))
        (table.set $functions (local.get $slot)
          (get_export $Instance "f" (instantiate $Code (ref.memory $memory) (compile $Code (i32.const 1024) (global.get $module-length))))))
      (else
        (call $patch (global.get $hole) (local.get $value))
        (table.set $functions (local.get $slot)
          (if (result (ref $f)) (local.get $kind)
            (then (func.new_named $f $code (i32.const 0) (i32.const 8) (i32.const 8) (global.get $length)))
            (else (func.new $f $code (i32.const 8) (global.get $length))))))))

  ;; Makes functions for first, first + 1, ... in slots below a limit, one after the other, and calls each; gives the sum of the results.
  (func $run (export "run") (param $kind i32) (param $first i32) (param $count i32) (param $slots i32) (result i64)
    (local $i i32) (local $sum i64)
    (loop $next
      (call $emit (local.get $kind) (i32.add (local.get $first) (local.get $i)) (i32.rem_u (local.get $i) (local.get $slots)))
      (local.set $sum (i64.add (local.get $sum)
        (i64.extend_i32_s (call_indirect $functions (type $f) (i32.const 1000) (i32.rem_u (local.get $i) (local.get $slots))))))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $count))))
    (local.get $sum))

  ;; The same body, written here.
  (func $own (type $f)
    (i32.add (i32.add (local.get 0) (i32.const 0x7fff_ffff)) (i32.load (i32.const 65536))))
  (elem declare func $own)
  (func (export "put_own") (param $slot i32) (table.set $functions (local.get $slot) (ref.func $own)))

  ;; Puts a new function into a slot, in place of what is there.
  (func (export "replace") (param $slot i32) (param $value i32) (call $emit (i32.const 0) (local.get $value) (local.get $slot)))

  ;; Calls what is in a slot again and again.
  (func (export "spin") (param $slot i32) (param $times i32) (result i32)
    (local $x i32)
    (loop $next
      (local.set $x (call_indirect $functions (type $f) (local.get $x) (local.get $slot)))
      (br_if $next (local.tee $times (i32.sub (local.get $times) (i32.const 1)))))
    (local.get $x))

  ;; Asks for the machine code of the first functions of the table, all at once: other threads make it.
  (func (export "optimize") (param $count i32)
    (loop $next
      (local.set $count (i32.sub (local.get $count) (i32.const 1)))
      (func.optimize (table.get $functions (local.get $count)))
      (br_if $next (local.get $count))))

  ;; How many of them have it.
  (func (export "optimized") (param $count i32) (result i32)
    (local $done i32)
    (loop $next
      (local.set $count (i32.sub (local.get $count) (i32.const 1)))
      (local.set $done (i32.add (local.get $done) (func.is_optimized (table.get $functions (local.get $count)))))
      (br_if $next (local.get $count)))
    (local.get $done)))
