(component $greeter
  (import "demo:greeting/words@1.0.0" (instance $words
    (type $lang' (enum "english" "french"))
    (export "language" (type $lang (eq $lang')))
    (export "hello" (func (param "in" $lang) (result string)))))
  (alias export $words "language" (type $lang))
  (core module $M
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
    (func (export "greet") (param i32 i32 i32) (result i32) (i32.const 0)))
  (core instance $m (instantiate $M))
  (func (export "greet") (param "name" string) (param "in" $lang) (result (list string))
    (canon lift (core func $m "greet") (memory (core memory $m "memory")) (realloc (core func $m "realloc")))))
