;; Loads and stores that are compared with the memory's length.
;; options: explicit
(module
  (memory $small 1) (memory $large i64 1 4)
  (func $loads (param i32) (result i64)
    (i64.add (i64.load offset=8 (local.get 0)) (i64.add (i64.load32_s (i32.add (local.get 0) (i32.const 4))) (i64.extend_i32_u (i32.load8_u (local.get 0))))))
  (func $stores (param i32 i32) (i32.store offset=16 (local.get 0) (i32.add (local.get 1) (i32.const 1))) (i32.store16 (i32.add (local.get 0) (i32.const 2)) (local.get 1)))
  (func $constants (result i32) (i32.store (i32.const 100) (i32.const 1)) (i64.store offset=4 (i32.const 65535) (i64.const 1)) (i32.load offset=4 (i32.const 8)))
  (func $large (param i64 f64) (result f64) (f64.store $large (local.get 0) (local.get 1)) (f64.load $large offset=0x100000000 (local.get 0)))
  (func $narrowed (param i32) (result i32) (i32.add (i32.extend8_s (i32.load (local.get 0))) (i32.and (i32.load16_u (local.get 0)) (i32.const 1))))
  (func $unread (param i32) (result i32) (drop (i64.load (local.get 0))) (f32.load (local.get 0)) (i32.load (local.get 0)) (br 0))
  (func $vector (param i32 v128) (result v128) (v128.store (local.get 0) (local.get 1)) (v128.load offset=1 (local.get 0)))
)
