;; What a program in C cannot say itself: it makes a function of a body in memory and gives a function pointer, which is an index of the table. Memory
;; and table are here, so that the scope can have them; the program imports them.
(module $jit
  (type $function (func (param i32) (result i32)))
  (memory (export "memory") 2)
  (table $functions (export "__indirect_function_table") 1 funcref)
  (scope $program (memory 0) (table $functions))
  (func (export "make") (param $code i32) (param $length i32) (result i32)
    (table.grow $functions (func.new $function $program (local.get $code) (local.get $length)) (i32.const 1)))
  (func (export "replace") (param $pointer i32) (param $code i32) (param $length i32)
    (table.set $functions (local.get $pointer) (func.new $function $program (local.get $code) (local.get $length)))))
