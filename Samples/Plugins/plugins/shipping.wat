;; A rule in WebAssembly text: a cart of less than 50.00 is sent for 4.90.
(component
  (core module $Code
    (memory (export "memory") 1)
    (data (i32.const 16) "\20\00\00\00\1e\00\00\00")                       ;; the string of the next line
    (data (i32.const 32) "shipping: 4.90 for small carts")
    (data (i32.const 64) "shipping")
    (data (i32.const 80) "\40\00\00\00\08\00\00\00\ea\01\00\00")           ;; one change: the string of 8 bytes at 64, 490 cents
    (global $next (mut i32) (i32.const 4096))
    (func (export "realloc") (param $old i32) (param $old-size i32) (param $alignment i32) (param $size i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
      (global.set $next (i32.add (local.get $at) (local.get $size)))
      (if (i32.gt_u (global.get $next) (i32.shl (memory.size) (i32.const 16)))
        (then (if (i32.eq (memory.grow (i32.add (i32.shr_u (local.get $size) (i32.const 16)) (i32.const 1))) (i32.const -1)) (then unreachable))))
      (local.get $at))
    (func (export "describe") (result i32) (i32.const 16))
    (func (export "apply") (param $item i32) (param $count i32) (result i32)
      (local $sum i32)
      (block $done
        (loop $next
          (br_if $done (i32.eqz (local.get $count)))
          (local.set $sum (i32.add (local.get $sum) (i32.mul (i32.load offset=8 (local.get $item)) (i32.load offset=12 (local.get $item)))))
          (local.set $item (i32.add (local.get $item) (i32.const 16)))
          (local.set $count (i32.sub (local.get $count) (i32.const 1)))
          (br $next)))
      ;; At 96: no error, then the list, of one change or none.
      (i32.store (i32.const 100) (i32.const 80))
      (i32.store (i32.const 104) (i32.lt_u (local.get $sum) (i32.const 5000)))
      (i32.const 96)))
  (core instance $code (instantiate $Code))

  (type $item (record (field "name" string) (field "cents" u32) (field "quantity" u32)))
  (type $change (record (field "reason" string) (field "cents" s32)))
  (func $describe (result string) (canon lift (core func $code "describe") (memory (core memory $code "memory"))))
  (func $apply (param "items" (list $item)) (result (result (list $change) (error string)))
    (canon lift (core func $code "apply") (memory (core memory $code "memory")) (realloc (core func $code "realloc"))))

  ;; The interface: its types have names.
  (component $Rule
    (type $item' (record (field "name" string) (field "cents" u32) (field "quantity" u32)))
    (import "item" (type $item (eq $item')))
    (type $change' (record (field "reason" string) (field "cents" s32)))
    (import "change" (type $change (eq $change')))
    (import "describe" (func $describe (result string)))
    (import "apply" (func $apply (param "items" (list $item)) (result (result (list $change) (error string)))))
    (export $own-item "item" (type $item))
    (export $own-change "change" (type $change))
    (export "describe" (func $describe))
    (export "apply" (func $apply) (func (param "items" (list $own-item)) (result (result (list $own-change) (error string))))))
  (instance $rule (instantiate $Rule
    (with "item" (type $item)) (with "change" (type $change)) (with "describe" (func $describe)) (with "apply" (func $apply))))
  (export "shop:rules/rule@1.0.0" (instance $rule)))
