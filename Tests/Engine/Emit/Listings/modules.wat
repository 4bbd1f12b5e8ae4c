;; options: inline
;; Instances of nested modules: their functions are known, and small ones are put in place of the call.
(module
  (import "m" "M" (module $unknown (export "f" (func (param i32) (result i32)))))
  (module $inner (memory 1)
    (func (export "load") (param i32) (result i32) (i32.load (local.get 0)))
    (func $loop (export "loop") (param i32) (result i32) (loop (br_if 0 (local.get 0))) (local.get 0)))
  (instance $inst (instantiate $inner))
  (type $M (module (export "load" (func (param i32) (result i32))) (export "loop" (func (param i32) (result i32))))) (type $I (instance (export "load" (func (param i32) (result i32)))))
  (func $small (param i32) (result i32) (call_export $inner "load" (local.get 0) (instantiate (module $inner))))
  (func $large (param i32) (result i32) (call_export $inner "loop" (i32.add (local.get 0) (i32.const 1)) (instantiate (module $inner))))
  (func $tail (param i32) (result i32) (return_call_export $inner "loop" (local.get 0) (instantiate (module $inner))))
  (func $imported (param i32) (result i32) (call_export $unknown "f" (local.get 0) (instantiate (module $unknown))))
  (func $things (drop (ref.module $inner)) (drop (ref.instance $inst))))
