;; The guest of Samples/Scripting: a language, Twig, whose functions become WebAssembly as they become hot.
;;
;; The files are fields of one module: types, messages, values, lexer, parser, interpreter, compiler, exports.
;; This one says what a value is, what a program is, and what comes from the host.

;; ---- Values: nil is null, true and false are an i31, a .NET object is itself (any.convert_extern). ----

(type $Number (struct (field $value f64)))
(type $String (array (mut i8)))                                   ;; UTF-8
(type $Values (array (mut anyref)))
(type $List (struct (field $items (mut (ref $Values))) (field $count (mut i32))))
(type $Cell (struct (field $value (mut anyref))))                 ;; a variable that a closure shares
(type $Closure (struct (field $function structref) (field $cells (ref $Values))))
(type $Builtin (struct (field $operation i32) (field $arity i32)))

;; What every function is called by: its closure, its arguments. The interpreter is one such code, compiled functions are others.
(type $Code (func (param (ref $Closure) (ref $Values)) (result anyref)))

(type $Thrown (func (param anyref)))                              ;; what a script throws

;; ---- Programs. ----

;; A node of the syntax tree. What the fields hold depends on the kind; see the list of kinds in the parser.
(type $Node (struct
  (field $kind i32)
  (field $line i32)
  (field $index i32)
  (field $value anyref)
  (field $a (ref null $Node))
  (field $b (ref null $Node))
  (field $c (ref null $Node))
  (field $next (mut (ref null $Node)))                            ;; the next statement, argument, item
  (field $type (mut i32))))                                       ;; the compiler's: what the node's value is

;; A local variable. One that a function further inside uses too lives in a cell.
(type $Variable (struct
  (field $name (ref $String))
  (field $slot i32)                                               ;; in the interpreter's frame
  (field $outer (ref null $Variable))                             ;; the one declared before it
  (field $shared (mut i32))
  (field $type (mut i32))                                         ;; the compiler's
  (field $local (mut i32))))                                      ;; the compiler's

;; A name outside of all functions. It can be used in a function before it is defined.
(type $Global (struct
  (field $name (ref $String))
  (field $cell (ref $Cell))
  (field $state (mut i32))                                        ;; 0 not defined yet, 1 a variable, 2 a constant
  (field $outer (ref null $Global))))

;; A variable of a function further outside: which one, and the node that means it in the function just outside.
(type $Capture (struct
  (field $variable (ref $Variable))
  (field $source (ref $Node))
  (field $index i32)
  (field $next (mut (ref null $Capture)))))

;; The compiled function with its parameters unboxed, called by other compiled functions directly.
(type $Entry (struct (field $function (mut funcref))))

(type $Function (struct
  (field $name (ref $String))
  (field $outer (ref null $Function))
  (field $arity (mut i32))
  (field $parameters (mut (ref null $Node)))
  (field $scope (mut (ref null $Variable)))                       ;; while it is parsed: what is declared
  (field $slots (mut i32))                                        ;; how large its frame is
  (field $captures (mut (ref null $Capture)))
  (field $body (mut (ref null $Node)))
  (field $code (mut (ref $Code)))
  (field $heat (mut i32))                                         ;; calls and iterations; what is hot is compiled
  (field $numbers (mut i32))                                      ;; bit i: argument i has been a number each time
  (field $entry (ref $Entry))
  (field $result (mut i32))))                                     ;; what $entry returns; 0 while it is not compiled

;; ---- From the host. Values go there as externref, so that .NET sees objects. ----

(import "host" "call" (func $host_call (param externref (ref $Values)) (result externref)))
(import "host" "get_member" (func $host_get_member (param externref (ref $String)) (result externref)))
(import "host" "set_member" (func $host_set_member (param externref (ref $String) externref)))
(import "host" "call_member" (func $host_call_member (param externref (ref $String) (ref $Values)) (result externref)))
(import "host" "same" (func $host_same (param externref externref) (result i32)))
(import "host" "text" (func $host_text (param externref) (result (ref $String))))
(import "host" "number_text" (func $number_text (param f64) (result (ref $String))))
(import "host" "parse_number" (func $parse_number (param i32 i32) (result f64)))
(import "host" "compiled" (func $host_compiled (param (ref $String) i32 i32)))

;; A value that a script throws, and a program that cannot be read; the number says whether it only ends too early.
(tag $error (export "error") (type $Thrown))
(tag $syntax (export "syntax") (param (ref $String) i32))

;; Memory: 64 keywords, 512 builtins, 1024 messages, 2048 the template of modules;
;;   65536 the module that is being written     524288 the body of its function    851968 kinds of its constants
;;  892928 signatures                           917504 types of its locals        1048576 the program's text
(memory (export "memory") 17 1024)
