;; Exceptions with a fast path: what the unwinder is told, and where it lands.
;; options: unwinder
(module
  (import "m" "e" (tag $imported (param i32))) (import "m" "e2" (tag $other (param i32)))
  (tag $e (param i32 i64)) (tag $refs (param externref v128 f32 f64 externref)) (tag $empty)
  (func $caught-here (param i32) (result i32 i64) (block (result i32 i64) (try_table (result i32 i64) (catch $e 0) (throw $e (i32.add (local.get 0) (i32.const 1)) (i64.const 2)))))
  (func $from-call (param i32) (result i32)
    (block (result i32) (block (result i32 i64 exnref) (try_table (result i32) (catch_ref $e 0) (catch $imported 1) (call $thrower (local.get 0))) (br 1)) (drop) (drop)))
  (func $all (param i32) (result exnref) (block (result exnref) (try_table (catch_all_ref 0) (drop (call $thrower (local.get 0)))) (ref.null exn)))
  (func $payload (param externref v128) (throw $refs (local.get 0) (local.get 1) (f32.const 1) (f64.const 2) (local.get 0)))
  (func $unpacked (result externref) (local externref) (block (result externref v128 f32 f64 externref) (try_table (catch $refs 0) (call $payload (ref.null extern) (v128.const i64x2 0 0))) (unreachable)) (local.set 0) (drop) (drop) (drop) (drop) (local.get 0))
  (func $again (param exnref) (throw_ref (local.get 0)))
  (func $thrower (param i32) (result i32) (if (local.get 0) (then (throw $imported (local.get 0)))) (call $thrower (i32.const 1)))
  (func $nested (block (try_table (catch $empty 0) (block (try_table (catch_all 0) (throw $empty))) (loop (call $nested) (br 0))))))
