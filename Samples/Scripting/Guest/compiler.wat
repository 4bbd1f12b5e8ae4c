;; The tree to WebAssembly: each function becomes a module of its own, which is compiled, instantiated and called.
;;
;; A module has three functions. The last argument of "numbers" decides what the first looks like:
;;   direct   (closure, each argument as f64 if it has been a number so far, else as a value) -> f64 or a value
;;   run      what everybody else calls ($Code): looks if the numbers are numbers, unboxes them, calls direct. If they are not, the
;;            function goes back to the interpreter, and is compiled again without relying on it.
;;   link     the start function: takes the constants, and puts direct where other compiled functions find it

;; What every module begins with. Its type and import sections are copied; types and functions of the module itself follow.
(data (i32.const 2048) (module
  (type $Number (struct (field f64)))
  (type $Values (array (mut anyref)))
  (type $Cell (struct (field (mut anyref))))
  (type $Closure (struct (field structref) (field (ref $Values))))
  (type $Code (func (param (ref $Closure) (ref $Values)) (result anyref)))
  (type $Entry (struct (field (mut funcref))))
  (type $Link (func))
  (import "twig" "constants" (func (result (ref $Values))))                                                       ;; 0
  (import "twig" "call" (func (param anyref (ref $Values) i32) (result anyref)))                                  ;; 1
  (import "twig" "call_member" (func (param anyref anyref (ref $Values) i32) (result anyref)))                    ;; 2
  (import "twig" "member" (func (param anyref anyref i32) (result anyref)))                                       ;; 3
  (import "twig" "set_member" (func (param anyref anyref anyref i32) (result anyref)))                            ;; 4
  (import "twig" "item" (func (param anyref f64 i32) (result anyref)))                                            ;; 5
  (import "twig" "set_item" (func (param anyref f64 anyref i32) (result anyref)))                                 ;; 6
  (import "twig" "new_list" (func (param (ref $Values)) (result anyref)))                                         ;; 7
  (import "twig" "add" (func (param anyref anyref i32) (result anyref)))                                          ;; 8
  (import "twig" "equal" (func (param anyref anyref) (result i32)))                                               ;; 9
  (import "twig" "compare" (func (param anyref anyref i32 i32) (result i32)))                                     ;; 10
  (import "twig" "number" (func (param anyref i32) (result f64)))                                                 ;; 11
  (import "twig" "truth" (func (param anyref) (result i32)))                                                      ;; 12
  (import "twig" "get_global" (func (param anyref i32) (result anyref)))                                          ;; 13
  (import "twig" "set_global" (func (param anyref anyref i32) (result anyref)))                                   ;; 14
  (import "twig" "despecialise" (func (type $Code)))                                                              ;; 15
  (import "twig" "remainder" (func (param f64 f64) (result f64)))                                                 ;; 16
  (import "twig" "error" (tag (param anyref)))))

;; The same as the guest sees it.
(type $Compiled (module
  (import "twig" "constants" (func (result (ref $Values))))
  (import "twig" "call" (func (param anyref (ref $Values) i32) (result anyref)))
  (import "twig" "call_member" (func (param anyref anyref (ref $Values) i32) (result anyref)))
  (import "twig" "member" (func (param anyref anyref i32) (result anyref)))
  (import "twig" "set_member" (func (param anyref anyref anyref i32) (result anyref)))
  (import "twig" "item" (func (param anyref f64 i32) (result anyref)))
  (import "twig" "set_item" (func (param anyref f64 anyref i32) (result anyref)))
  (import "twig" "new_list" (func (param (ref $Values)) (result anyref)))
  (import "twig" "add" (func (param anyref anyref i32) (result anyref)))
  (import "twig" "equal" (func (param anyref anyref) (result i32)))
  (import "twig" "compare" (func (param anyref anyref i32 i32) (result i32)))
  (import "twig" "number" (func (param anyref i32) (result f64)))
  (import "twig" "truth" (func (param anyref) (result i32)))
  (import "twig" "get_global" (func (param anyref i32) (result anyref)))
  (import "twig" "set_global" (func (param anyref anyref i32) (result anyref)))
  (import "twig" "despecialise" (func (type $Code)))
  (import "twig" "remainder" (func (param f64 f64) (result f64)))
  (import "twig" "error" (tag (type $Thrown)))
  (export "run" (func (type $Code)))))
(type $Instance (instance (export "run" (func (type $Code)))))

;; Functions and types of the template's module by number.
(global $DIRECT i32 (i32.const 18))
(global $FIRST_TYPE (mut i32) (i32.const 0))                          ;; the first type behind those of the template

;; What the value of a node is, and where the caller of $emit wants it: nothing, f64, i32 or anyref. As a node's type, 0 says that
;; there is no value because nothing goes on behind the node.
(global $NONE i32 (i32.const 0))
(global $FLOAT i32 (i32.const 1))
(global $BOOLEAN i32 (i32.const 2))
(global $ANY i32 (i32.const 3))

;; The function that is being compiled, and what is known of it.
(global $compiling (mut (ref null $Function)) (ref.null $Function))
(global $result (mut i32) (i32.const 0))
(global $changed (mut i32) (i32.const 0))
(global $settled (mut i32) (i32.const 0))
;; Where the next byte goes. Bodies are written behind the module and copied into it, since their locals are known last.
(global $code (mut i32) (i32.const 0))
(global $code_end (mut i32) (i32.const 0))
(global $locals (mut i32) (i32.const 0))                              ;; the number of locals besides parameters
(global $scratch (mut i32) (i32.const 0))                             ;; a local for what is needed at once
(global $depth (mut i32) (i32.const 0))                               ;; labels around the code
(global $loop (mut i32) (i32.const 0))                                ;; the depth inside of the innermost loop
;; What the module gets from here: values, with the kind of each (a global's type) in memory.
(global $constants (mut (ref $Values)) (array.new_fixed $Values 0))
(global $constant_count (mut i32) (i32.const 0))

(tag $too_large)

;; ---- Types: each pass over the tree makes them wider until nothing changes ----

;; What both are.
(func $join (param $a i32) (param $b i32) (result i32)
  (if (i32.eqz (local.get $a)) (then (return (local.get $b))))
  (if (i32.or (i32.eqz (local.get $b)) (i32.eq (local.get $a) (local.get $b))) (then (return (local.get $a))))
  (global.get $ANY))

(func $widen_variable (param $variable (ref $Variable)) (param $type i32)
  (local.set $type (call $join (struct.get $Variable $type (local.get $variable)) (local.get $type)))
  (if (struct.get $Variable $shared (local.get $variable)) (then (local.set $type (global.get $ANY))))
  (if (i32.and (global.get $settled) (i32.eqz (local.get $type))) (then (local.set $type (global.get $ANY))))
  (if (i32.ne (local.get $type) (struct.get $Variable $type (local.get $variable)))
    (then
      (struct.set $Variable $type (local.get $variable) (local.get $type))
      (global.set $changed (i32.const 1)))))

(func $widen_result (param $type i32)
  (local.set $type (call $join (global.get $result) (local.get $type)))
  (if (i32.ne (local.get $type) (global.get $result))
    (then
      (global.set $result (local.get $type))
      (global.set $changed (i32.const 1)))))

(func $infer (param $of (ref null $Node)) (result i32)
  (local $node (ref $Node)) (local $type i32)
  (if (ref.is_null (local.get $of)) (then (return (global.get $ANY))))
  (local.set $node (ref.as_non_null (local.get $of)))
  (local.set $type (call $infer_kind (local.get $node) (struct.get $Node $kind (local.get $node))))
  (struct.set $Node $type (local.get $node) (local.get $type))
  (local.get $type))

(func $infer_kind (param $node (ref $Node)) (param $kind i32) (result i32)
  (local $a i32) (local $b i32) (local $variable (ref null $Variable)) (local $item (ref null $Node))
  (if (i32.eq (local.get $kind) (global.get $CONSTANT))
    (then
      (if (ref.test (ref $Number) (struct.get $Node $value (local.get $node))) (then (return (global.get $FLOAT))))
      (if (ref.test (ref i31) (struct.get $Node $value (local.get $node))) (then (return (global.get $BOOLEAN))))
      (return (global.get $ANY))))
  (if (i32.eq (local.get $kind) (global.get $LOCAL))
    (then
      (return (struct.get $Variable $type (ref.cast (ref $Variable) (struct.get $Node $value (local.get $node)))))))
  (if (i32.eq (local.get $kind) (global.get $BLOCK))
    (then
      (local.set $item (struct.get $Node $a (local.get $node)))
      (local.set $a (global.get $ANY))
      (block $done
        (loop $next
          (br_on_null $done (local.get $item))
          (drop)
          (local.set $b (call $infer (local.get $item)))
          (local.set $a (local.get $b))
          (local.set $item (struct.get $Node $next (local.get $item)))
          (br $next)))
      (return (local.get $a))))
  (if (i32.eq (local.get $kind) (global.get $CALL)) (then (return (call $infer_call (local.get $node)))))
  ;; Of all others the parts are looked at first, in order.
  (local.set $a (call $infer (struct.get $Node $a (local.get $node))))
  (if (i32.or (i32.eq (local.get $kind) (global.get $LIST)) (i32.eq (local.get $kind) (global.get $CALL_MEMBER)))
    (then (call $infer_items (struct.get $Node $b (local.get $node))) (return (global.get $ANY))))
  (if (i32.eq (local.get $kind) (global.get $TRY))
    (then (call $widen_variable (ref.cast (ref $Variable) (struct.get $Node $value (local.get $node))) (global.get $ANY))))
  (local.set $b (call $infer (struct.get $Node $b (local.get $node))))
  (if (i32.or (i32.eq (local.get $kind) (global.get $SET_LOCAL)) (i32.eq (local.get $kind) (global.get $LET)))
    (then
      (call $widen_variable (ref.cast (ref $Variable) (struct.get $Node $value (local.get $node))) (local.get $a))
      (return (select (global.get $ANY) (local.get $a) (i32.eq (local.get $kind) (global.get $LET))))))
  (if (i32.eq (local.get $kind) (global.get $IF))
    (then (return (call $join (local.get $b) (call $infer (struct.get $Node $c (local.get $node)))))))
  (if (i32.or (i32.eq (local.get $kind) (global.get $TRY))
      (i32.or (i32.eq (local.get $kind) (global.get $AND)) (i32.eq (local.get $kind) (global.get $OR))))
    (then (return (call $join (local.get $a) (local.get $b)))))
  (if (i32.or (i32.eq (local.get $kind) (global.get $NOT)) (i32.le_u (i32.sub (local.get $kind) (global.get $EQUAL)) (i32.const 5)))
    (then (return (global.get $BOOLEAN))))
  (if (i32.eq (local.get $kind) (global.get $ADD))
    (then
      (return (select (global.get $FLOAT) (global.get $ANY)
        (i32.and (i32.le_u (local.get $a) (global.get $FLOAT)) (i32.le_u (local.get $b) (global.get $FLOAT)))))))
  (if (i32.le_u (i32.sub (local.get $kind) (global.get $NEGATE)) (i32.const 5)) (then (return (global.get $FLOAT))))
  (if (i32.eq (local.get $kind) (global.get $SET_ITEM)) (then (drop (call $infer (struct.get $Node $c (local.get $node))))))
  (if (i32.eq (local.get $kind) (global.get $RETURN)) (then (call $widen_result (local.get $a))))
  (if (i32.le_u (i32.sub (local.get $kind) (global.get $RETURN)) (i32.const 3)) (then (return (global.get $NONE))))
  (global.get $ANY))

(func $infer_items (param $item (ref null $Node))
  (block $done
    (loop $next
      (br_on_null $done (local.get $item))
      (drop)
      (drop (call $infer (local.get $item)))
      (local.set $item (struct.get $Node $next (local.get $item)))
      (br $next))))

;; The constant that a node means: a function or builtin whose name cannot mean anything else any more; else null.
(func $known (param $of (ref null $Node)) (result anyref)
  (local $global (ref $Global)) (local $node (ref $Node))
  (local.set $node (ref.as_non_null (local.get $of)))
  (if (i32.ne (struct.get $Node $kind (local.get $node)) (global.get $GLOBAL)) (then (return (ref.null any))))
  (local.set $global (ref.cast (ref $Global) (struct.get $Node $value (local.get $node))))
  (if (i32.ne (struct.get $Global $state (local.get $global)) (i32.const 2)) (then (return (ref.null any))))
  (struct.get $Cell $value (struct.get $Global $cell (local.get $global))))

;; The function that a call calls directly; null if it is not known, takes another number of arguments, or is not compiled.
(func $direct_target (param $node (ref $Node)) (result (ref null $Function))
  (local $function (ref $Function)) (local $item (ref null $Node)) (local $bit i32)
  (block $no (result anyref)
    (local.set $function (ref.cast (ref $Function) (struct.get $Closure $function
      (br_on_cast_fail $no anyref (ref $Closure) (call $known (struct.get $Node $a (local.get $node)))))))
    (if (i32.ne (call $count (struct.get $Node $b (local.get $node))) (struct.get $Function $arity (local.get $function)))
      (then (return (ref.null $Function))))
    (if (i32.eqz (ref.eq (local.get $function) (global.get $compiling)))
      (then
        (if (i32.eqz (struct.get $Function $result (local.get $function))) (then (return (ref.null $Function))))))
    ;; numbers where it takes numbers
    (local.set $item (struct.get $Node $b (local.get $node)))
    (local.set $bit (i32.const 1))
    (block $done
      (loop $next
        (br_on_null $done (local.get $item))
        (drop)
        (if (i32.and (i32.ne (i32.and (struct.get $Function $numbers (local.get $function)) (local.get $bit)) (i32.const 0))
              (i32.gt_u (struct.get $Node $type (local.get $item)) (global.get $FLOAT)))
          (then (return (ref.null $Function))))
        (local.set $bit (i32.shl (local.get $bit) (i32.const 1)))
        (local.set $item (struct.get $Node $next (local.get $item)))
        (br $next)))
    (return (local.get $function)))
  (drop)
  (ref.null $Function))

;; The wasm operator of a builtin that is one; 0 for others.
(func $builtin_operator (param $node (ref $Node)) (result i32)
  (local $operation i32)
  (block $no (result anyref)
    (local.set $operation (struct.get $Builtin $operation
      (br_on_cast_fail $no anyref (ref $Builtin) (call $known (struct.get $Node $a (local.get $node))))))
    (if (i32.ne (call $count (struct.get $Node $b (local.get $node))) (i32.const 1)) (then (return (i32.const 0))))
    (if (i32.eq (local.get $operation) (i32.const 0)) (then (return (i32.const 0x9f))))       ;; f64.sqrt
    (if (i32.eq (local.get $operation) (i32.const 1)) (then (return (i32.const 0x9c))))       ;; f64.floor
    (if (i32.eq (local.get $operation) (i32.const 2)) (then (return (i32.const 0x99))))       ;; f64.abs
    (return (i32.const 0)))
  (drop)
  (i32.const 0))

(func $infer_call (param $node (ref $Node)) (result i32)
  (local $target (ref null $Function)) (local $known anyref)
  (drop (call $infer (struct.get $Node $a (local.get $node))))
  (call $infer_items (struct.get $Node $b (local.get $node)))
  (if (call $builtin_operator (local.get $node)) (then (return (global.get $FLOAT))))
  ;; A function that has been called but is not compiled yet comes first, unless it is on its way.
  (local.set $known (call $known (struct.get $Node $a (local.get $node))))
  (if (ref.test (ref $Closure) (local.get $known))
    (then (call $compile_callee (ref.cast (ref $Function) (struct.get $Closure $function (ref.cast (ref $Closure) (local.get $known)))))))
  (local.set $target (call $direct_target (local.get $node)))
  (if (ref.is_null (local.get $target)) (then (return (global.get $ANY))))
  (if (result i32) (ref.eq (local.get $target) (global.get $compiling))
    (then (global.get $result))
    (else (struct.get $Function $result (local.get $target)))))

(func $compile_callee (param $function (ref $Function))
  (local $compiling (ref null $Function)) (local $result i32) (local $changed i32) (local $settled i32)
  (if (i32.or (struct.get $Function $result (local.get $function)) (i32.le_s (struct.get $Function $heat (local.get $function)) (i32.const 0)))
    (then (return)))
  (local.set $compiling (global.get $compiling))
  (local.set $result (global.get $result))
  (local.set $changed (global.get $changed))
  (local.set $settled (global.get $settled))
  (drop (call $compile_function (local.get $function)))
  (global.set $compiling (local.get $compiling))
  (global.set $result (local.get $result))
  (global.set $changed (local.get $changed))
  (global.set $settled (local.get $settled)))

(func $infer_function (param $function (ref $Function))
  (local $parameter (ref null $Node)) (local $bit i32)
  (local.set $parameter (struct.get $Function $parameters (local.get $function)))
  (local.set $bit (i32.const 1))
  (block $done
    (loop $next
      (br_on_null $done (local.get $parameter))
      (drop)
      (call $widen_variable (ref.cast (ref $Variable) (struct.get $Node $value (local.get $parameter)))
        (call $parameter_type (local.get $function) (local.get $bit)))
      (local.set $bit (i32.shl (local.get $bit) (i32.const 1)))
      (local.set $parameter (struct.get $Node $next (local.get $parameter)))
      (br $next)))
  (loop $again
    (global.set $changed (i32.const 0))
    (call $widen_result (call $infer (struct.get $Function $body (local.get $function))))
    (br_if $again (global.get $changed))
    ;; What is never a value may as well be any.
    (if (i32.eqz (global.get $settled))
      (then
        (global.set $settled (i32.const 1))
        (if (i32.ne (global.get $result) (global.get $FLOAT)) (then (global.set $result (global.get $ANY))))
        (br $again)))))

(func $parameter_type (param $function (ref $Function)) (param $bit i32) (result i32)
  (select (global.get $FLOAT) (global.get $ANY) (i32.and (struct.get $Function $numbers (local.get $function)) (local.get $bit))))

;; ---- Bytes ----

(func $byte (param $value i32)
  (if (i32.ge_u (global.get $code) (global.get $code_end)) (then (throw $too_large)))
  (i32.store8 (global.get $code) (local.get $value))
  (global.set $code (i32.add (global.get $code) (i32.const 1))))

(func $u32 (param $value i32)
  (loop $next
    (if (i32.lt_u (local.get $value) (i32.const 128)) (then (call $byte (local.get $value)) (return)))
    (call $byte (i32.or (local.get $value) (i32.const 128)))
    (local.set $value (i32.shr_u (local.get $value) (i32.const 7)))
    (br $next)))

;; An operator and its number.
(func $op (param $opcode i32) (param $immediate i32)
  (call $byte (local.get $opcode))
  (call $u32 (local.get $immediate)))

;; An operator of garbage collection, with one or two numbers.
(func $gc (param $opcode i32) (param $type i32)
  (call $byte (i32.const 0xfb))
  (call $byte (local.get $opcode))
  (call $u32 (local.get $type)))

(func $gc2 (param $opcode i32) (param $type i32) (param $index i32)
  (call $gc (local.get $opcode) (local.get $type))
  (call $u32 (local.get $index)))

(func $local_get (param $local i32) (call $op (i32.const 0x20) (local.get $local)))
(func $local_set (param $local i32) (call $op (i32.const 0x21) (local.get $local)))
(func $local_tee (param $local i32) (call $op (i32.const 0x22) (local.get $local)))

(func $i32_const (param $value i32)
  (call $byte (i32.const 0x41))
  (call $s32 (local.get $value)))

(func $s32 (param $value i32)
  (loop $next
    (if (i32.lt_u (i32.add (local.get $value) (i32.const 64)) (i32.const 128))
      (then (call $byte (i32.and (local.get $value) (i32.const 127))) (return)))
    (call $byte (i32.or (i32.and (local.get $value) (i32.const 127)) (i32.const 128)))
    (local.set $value (i32.shr_s (local.get $value) (i32.const 7)))
    (br $next)))

(func $f64_const (param $value f64)
  (local $i i32)
  (call $byte (i32.const 0x44))
  (loop $next
    (call $byte (i32.wrap_i64 (i64.shr_u (i64.reinterpret_f64 (local.get $value)) (i64.extend_i32_u (local.get $i)))))
    (local.set $i (i32.add (local.get $i) (i32.const 8)))
    (br_if $next (i32.lt_u (local.get $i) (i32.const 64)))))

;; A helper of the template, by its number there.
(func $helper (param $function i32) (call $op (i32.const 0x10) (local.get $function)))

;; The value type of what is wanted; as a block's type, 0x40 is none.
(func $value_type (param $type i32) (result i32)
  (i32.and (i32.shr_u (i32.const 0x6e7f7c40) (i32.shl (local.get $type) (i32.const 3))) (i32.const 255)))

;; A local of a type; cells are (ref null $Cell).
(func $new_local (param $type i32) (param $is_cell i32) (result i32)
  (local $at i32)
  (local.set $at (i32.add (i32.const 917504) (i32.shl (global.get $locals) (i32.const 2))))
  (if (i32.ge_u (global.get $locals) (i32.const 15000)) (then (throw $too_large)))
  (i32.store (local.get $at)
    (select (i32.const 0x0263) (call $value_type (local.get $type)) (local.get $is_cell)))
  (global.set $locals (i32.add (global.get $locals) (i32.const 1)))
  (i32.add (struct.get $Function $arity (global.get $compiling)) (global.get $locals)))

;; A constant of the module: its global's number. Kinds: 0 any value, 1 a cell, 2 a structref, from 16 on the entry of a function of a
;; type, by its number.
(func $constant_global (param $value anyref) (param $kind i32) (result i32)
  (local $i i32) (local $grown (ref $Values))
  (block $new
    (loop $next
      (br_if $new (i32.ge_u (local.get $i) (global.get $constant_count)))
      (if (i32.eq (i32.load offset=851968 (i32.shl (local.get $i) (i32.const 2))) (local.get $kind))
        (then
          (if (call $is_same_constant (array.get $Values (global.get $constants) (local.get $i)) (local.get $value))
            (then (return (local.get $i))))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $next)))
  (if (i32.ge_u (local.get $i) (i32.const 10000)) (then (throw $too_large)))
  (if (i32.ge_u (i32.add (local.get $i) (i32.const 1)) (array.len (global.get $constants)))
    (then
      (local.set $grown (array.new_default $Values (i32.add (i32.mul (local.get $i) (i32.const 2)) (i32.const 8))))
      (array.copy $Values $Values (local.get $grown) (i32.const 0) (global.get $constants) (i32.const 0) (local.get $i))
      (global.set $constants (local.get $grown))))
  (array.set $Values (global.get $constants) (local.get $i) (local.get $value))
  (i32.store offset=851968 (i32.shl (local.get $i) (i32.const 2)) (local.get $kind))
  (global.set $constant_count (i32.add (local.get $i) (i32.const 1)))
  (local.get $i))

(func $is_same_constant (param $a anyref) (param $b anyref) (result i32)
  (ref.eq (ref.cast eqref (local.get $a)) (ref.cast eqref (local.get $b))))

(func $get_constant (param $value anyref) (param $kind i32)
  (call $op (i32.const 0x23) (call $constant_global (local.get $value) (local.get $kind))))

;; ---- Code ----

;; Makes what is wanted of what a node has given.
(func $convert (param $from i32) (param $to i32) (param $line i32)
  (if (i32.or (i32.eqz (local.get $from)) (i32.eq (local.get $from) (local.get $to))) (then (return)))
  (if (i32.eqz (local.get $to)) (then (call $byte (i32.const 0x1a)) (return)))                            ;; drop
  (if (i32.eq (local.get $to) (global.get $BOOLEAN))
    (then
      (if (i32.eq (local.get $from) (global.get $ANY))
        (then (call $helper (i32.const 12)))
        (else (call $byte (i32.const 0x1a)) (call $i32_const (i32.const 1))))                             ;; a number is true
      (return)))
  (if (i32.eq (local.get $to) (global.get $ANY))
    (then
      (if (i32.eq (local.get $from) (global.get $FLOAT))
        (then (call $gc (i32.const 0x00) (i32.const 0)))                                                  ;; struct.new $Number
        (else (call $byte (i32.const 0xfb)) (call $byte (i32.const 0x1c))))                               ;; ref.i31
      (return)))
  ;; A number is wanted: unboxed here if it is one, else the helper says that it is none.
  (if (i32.eq (local.get $from) (global.get $BOOLEAN)) (then (call $byte (i32.const 0xfb)) (call $byte (i32.const 0x1c))))
  (call $local_set (global.get $scratch))
  (call $op (i32.const 0x02) (i32.const 0x7c))                                                            ;; block (result f64)
  (call $op (i32.const 0x02) (i32.const 0x6e))                                                            ;; block (result anyref)
  (call $local_get (global.get $scratch))
  (call $gc2 (i32.const 0x19) (i32.const 1) (i32.const 0))                                                ;; br_on_cast_fail 0 anyref (ref $Number)
  (call $op (i32.const 0x6e) (i32.const 0))
  (call $gc2 (i32.const 0x02) (i32.const 0) (i32.const 0))                                                ;; struct.get $Number 0
  (call $op (i32.const 0x0c) (i32.const 1))                                                               ;; br 1
  (call $byte (i32.const 0x0b))
  (call $i32_const (local.get $line))
  (call $helper (i32.const 11))
  (call $byte (i32.const 0x0b)))

(func $emit (param $of (ref null $Node)) (param $want i32)
  (local $node (ref $Node))
  (if (ref.is_null (local.get $of))
    (then
      (call $op (i32.const 0xd0) (i32.const 0x6e))                                                        ;; ref.null any
      (call $convert (global.get $ANY) (local.get $want) (i32.const 0))
      (return)))
  (local.set $node (ref.as_non_null (local.get $of)))
  (call $convert
    (call $emit_kind (local.get $node) (struct.get $Node $kind (local.get $node)) (struct.get $Node $line (local.get $node)) (local.get $want))
    (local.get $want)
    (struct.get $Node $line (local.get $node))))

(func $emit_line (param $line i32) (param $helper i32)
  (call $i32_const (local.get $line))
  (call $helper (local.get $helper)))

;; Values, and an array of them.
(func $emit_items (param $item (ref null $Node))
  (local $count i32)
  (local.set $count (call $count (local.get $item)))
  (block $done
    (loop $next
      (br_on_null $done (local.get $item))
      (drop)
      (call $emit (local.get $item) (global.get $ANY))
      (local.set $item (struct.get $Node $next (local.get $item)))
      (br $next)))
  (call $gc2 (i32.const 0x08) (i32.const 1) (local.get $count)))                                          ;; array.new_fixed $Values

(func $open (param $opcode i32) (param $want i32)
  (call $op (local.get $opcode) (call $value_type (local.get $want)))
  (global.set $depth (i32.add (global.get $depth) (i32.const 1))))

(func $close_block
  (call $byte (i32.const 0x0b))
  (global.set $depth (i32.sub (global.get $depth) (i32.const 1))))

;; The cell of a captured variable.
(func $emit_captured (param $index i32)
  (call $local_get (i32.const 0))
  (call $gc2 (i32.const 0x02) (i32.const 3) (i32.const 1))                                                ;; struct.get $Closure cells
  (call $i32_const (local.get $index))
  (call $gc (i32.const 0x0b) (i32.const 1))                                                               ;; array.get $Values
  (call $gc (i32.const 0x16) (i32.const 2)))                                                              ;; ref.cast (ref $Cell)

;; Writes the code of a node, and returns what it gives.
(func $emit_kind (param $node (ref $Node)) (param $kind i32) (param $line i32) (param $want i32) (result i32)
  (local $a (ref null $Node)) (local $b (ref null $Node)) (local $value anyref) (local $type i32) (local $loop i32)
  (local.set $a (struct.get $Node $a (local.get $node)))
  (local.set $b (struct.get $Node $b (local.get $node)))
  (local.set $value (struct.get $Node $value (local.get $node)))
  (block $TRY (block $THROW (block $CONTINUE (block $BREAK (block $RETURN (block $FUNCTION (block $LIST (block $SET_ITEM (block $ITEM
  (block $CALL_MEMBER (block $SET_MEMBER (block $MEMBER (block $CALL (block $COMPARE (block $EQUAL
  (block $REMAINDER (block $ARITHMETIC (block $ADD (block $NEGATE (block $NOT (block $LOGIC
  (block $WHILE (block $IF (block $BLOCK (block $LET (block $SET_GLOBAL (block $SET_CAPTURED (block $SET_LOCAL
  (block $GLOBAL (block $CAPTURED (block $LOCAL (block $CONSTANT
    (br_table $CONSTANT $LOCAL $CAPTURED $GLOBAL $SET_LOCAL $SET_CAPTURED $SET_GLOBAL $LET $LET $BLOCK $IF $WHILE $LOGIC $LOGIC $NOT
      $NEGATE $ADD $ARITHMETIC $ARITHMETIC $ARITHMETIC $REMAINDER $EQUAL $EQUAL $COMPARE $COMPARE $COMPARE $COMPARE $CALL $MEMBER
      $SET_MEMBER $CALL_MEMBER $ITEM $SET_ITEM $LIST $FUNCTION $RETURN $BREAK $CONTINUE $THROW $TRY
      (local.get $kind)))
    (; CONSTANT ;)
    (if (ref.is_null (local.get $value))
      (then (call $op (i32.const 0xd0) (i32.const 0x6e)) (return (global.get $ANY))))
    (if (ref.test (ref $Number) (local.get $value))
      (then (call $f64_const (call $number (local.get $value) (local.get $line))) (return (global.get $FLOAT))))
    (if (ref.test (ref i31) (local.get $value))
      (then (call $i32_const (call $truth (local.get $value))) (return (global.get $BOOLEAN))))
    (call $get_constant (local.get $value) (i32.const 0))
    (return (global.get $ANY)))
    (; LOCAL ;)
    (return (call $emit_get_local (ref.cast (ref $Variable) (local.get $value)))))
    (; CAPTURED ;)
    (call $emit_captured (struct.get $Node $index (local.get $node)))
    (call $gc2 (i32.const 0x02) (i32.const 2) (i32.const 0))                                              ;; struct.get $Cell 0
    (return (global.get $ANY)))
    (; GLOBAL ;)
    (if (struct.get $Global $state (ref.cast (ref $Global) (local.get $value)))
      (then
        (call $get_constant (struct.get $Global $cell (ref.cast (ref $Global) (local.get $value))) (i32.const 1))
        (call $gc2 (i32.const 0x02) (i32.const 2) (i32.const 0)))
      (else
        (call $get_constant (local.get $value) (i32.const 0))
        (call $emit_line (local.get $line) (i32.const 13))))
    (return (global.get $ANY)))
    (; SET_LOCAL ;)
    (return (call $emit_set_local (ref.cast (ref $Variable) (local.get $value)) (local.get $a) (local.get $want))))
    (; SET_CAPTURED ;)
    (call $emit (local.get $a) (global.get $ANY))
    (call $local_set (global.get $scratch))
    (call $emit_captured (struct.get $Node $index (local.get $node)))
    (call $local_get (global.get $scratch))
    (call $gc2 (i32.const 0x05) (i32.const 2) (i32.const 0))                                              ;; struct.set $Cell 0
    (if (i32.eqz (local.get $want)) (then (return (global.get $NONE))))
    (call $local_get (global.get $scratch))
    (return (global.get $ANY)))
    (; SET_GLOBAL ;)
    (call $get_constant (local.get $value) (i32.const 0))
    (call $emit (local.get $a) (global.get $ANY))
    (call $emit_line (local.get $line) (i32.const 14))
    (return (global.get $ANY)))
    (; LET ;)
    (call $emit_let (ref.cast (ref $Variable) (local.get $value)) (local.get $a) (struct.get $Node $index (local.get $node)))
    (return (call $emit_nil (local.get $want))))
    (; BLOCK ;)
    (if (ref.is_null (local.get $a)) (then (return (call $emit_nil (local.get $want)))))
    (loop $next
      (local.set $b (struct.get $Node $next (local.get $a)))
      (call $emit (local.get $a) (select (local.get $want) (global.get $NONE) (ref.is_null (local.get $b))))
      (local.set $a (local.get $b))
      (br_if $next (i32.eqz (ref.is_null (local.get $b)))))
    (return (local.get $want)))
    (; IF ;)
    (call $emit (local.get $a) (global.get $BOOLEAN))
    (call $open (i32.const 0x04) (local.get $want))
    (call $emit (local.get $b) (local.get $want))
    (if (i32.eqz (i32.and (i32.eqz (local.get $want)) (ref.is_null (struct.get $Node $c (local.get $node)))))
      (then
        (call $byte (i32.const 0x05))
        (call $emit (struct.get $Node $c (local.get $node)) (local.get $want))))
    (call $close_block)
    (return (local.get $want)))
    (; WHILE ;)
    (local.set $loop (global.get $loop))
    (call $open (i32.const 0x02) (global.get $NONE))
    (call $open (i32.const 0x03) (global.get $NONE))
    (global.set $loop (global.get $depth))
    (call $emit (local.get $a) (global.get $BOOLEAN))
    (call $byte (i32.const 0x45))                                                                         ;; i32.eqz
    (call $op (i32.const 0x0d) (i32.const 1))                                                             ;; br_if 1
    (call $emit (local.get $b) (global.get $NONE))
    (call $op (i32.const 0x0c) (i32.const 0))
    (call $close_block)
    (call $close_block)
    (global.set $loop (local.get $loop))
    (return (call $emit_nil (local.get $want))))
    (; AND, OR ;)
    (return (call $emit_logic (local.get $a) (local.get $b) (i32.eq (local.get $kind) (global.get $AND)) (local.get $want))))
    (; NOT ;)
    (call $emit (local.get $a) (global.get $BOOLEAN))
    (call $byte (i32.const 0x45))
    (return (global.get $BOOLEAN)))
    (; NEGATE ;)
    (call $emit (local.get $a) (global.get $FLOAT))
    (call $byte (i32.const 0x9a))
    (return (global.get $FLOAT)))
    (; ADD ;)
    (local.set $type (struct.get $Node $type (local.get $node)))
    (call $emit (local.get $a) (local.get $type))
    (call $emit (local.get $b) (local.get $type))
    (if (i32.eq (local.get $type) (global.get $FLOAT))
      (then (call $byte (i32.const 0xa0)))
      (else (call $emit_line (local.get $line) (i32.const 8))))
    (return (local.get $type)))
    (; SUBTRACT, MULTIPLY, DIVIDE ;)
    (call $emit (local.get $a) (global.get $FLOAT))
    (call $emit (local.get $b) (global.get $FLOAT))
    (call $byte (i32.add (i32.const 0xa1) (i32.sub (local.get $kind) (global.get $SUBTRACT))))
    (return (global.get $FLOAT)))
    (; REMAINDER ;)
    (call $emit (local.get $a) (global.get $FLOAT))
    (call $emit (local.get $b) (global.get $FLOAT))
    (call $helper (i32.const 16))
    (return (global.get $FLOAT)))
    (; EQUAL, UNEQUAL ;)
    (if (call $both_numbers (local.get $a) (local.get $b))
      (then
        (call $byte (i32.add (i32.const 0x61) (i32.sub (local.get $kind) (global.get $EQUAL)))))
      (else
        (call $helper (i32.const 9))
        (if (i32.eq (local.get $kind) (global.get $UNEQUAL)) (then (call $byte (i32.const 0x45))))))
    (return (global.get $BOOLEAN)))
    (; LESS, NOT_ABOVE, ABOVE, NOT_LESS: f64.lt, le, gt, ge have the codes 0x63, 0x65, 0x64, 0x66 ;)
    (if (call $both_numbers (local.get $a) (local.get $b))
      (then
        (call $byte (i32.and (i32.const 255)
          (i32.shr_u (i32.const 0x66646563) (i32.shl (i32.sub (local.get $kind) (global.get $LESS)) (i32.const 3))))))
      (else
        (call $i32_const (local.get $kind))
        (call $emit_line (local.get $line) (i32.const 10))))
    (return (global.get $BOOLEAN)))
    (; CALL ;)
    (return (call $emit_call (local.get $node) (local.get $line))))
    (; MEMBER ;)
    (call $emit (local.get $a) (global.get $ANY))
    (call $get_constant (local.get $value) (i32.const 0))
    (call $emit_line (local.get $line) (i32.const 3))
    (return (global.get $ANY)))
    (; SET_MEMBER ;)
    (call $emit (local.get $a) (global.get $ANY))
    (call $get_constant (local.get $value) (i32.const 0))
    (call $emit (local.get $b) (global.get $ANY))
    (call $emit_line (local.get $line) (i32.const 4))
    (return (global.get $ANY)))
    (; CALL_MEMBER ;)
    (call $emit (local.get $a) (global.get $ANY))
    (call $get_constant (local.get $value) (i32.const 0))
    (call $emit_items (local.get $b))
    (call $emit_line (local.get $line) (i32.const 2))
    (return (global.get $ANY)))
    (; ITEM ;)
    (call $emit (local.get $a) (global.get $ANY))
    (call $emit (local.get $b) (global.get $FLOAT))
    (call $emit_line (local.get $line) (i32.const 5))
    (return (global.get $ANY)))
    (; SET_ITEM ;)
    (call $emit (local.get $a) (global.get $ANY))
    (call $emit (local.get $b) (global.get $FLOAT))
    (call $emit (struct.get $Node $c (local.get $node)) (global.get $ANY))
    (call $emit_line (local.get $line) (i32.const 6))
    (return (global.get $ANY)))
    (; LIST ;)
    (call $emit_items (local.get $b))
    (call $helper (i32.const 7))
    (return (global.get $ANY)))
    (; FUNCTION ;)
    (call $emit_closure (ref.cast (ref $Function) (local.get $value)))
    (return (global.get $ANY)))
    (; RETURN ;)
    (call $emit (local.get $a) (global.get $result))
    (call $byte (i32.const 0x0f))
    (return (global.get $NONE)))
    (; BREAK ;)
    (call $op (i32.const 0x0c) (i32.add (i32.sub (global.get $depth) (global.get $loop)) (i32.const 1)))
    (return (global.get $NONE)))
    (; CONTINUE ;)
    (call $op (i32.const 0x0c) (i32.sub (global.get $depth) (global.get $loop)))
    (return (global.get $NONE)))
    (; THROW ;)
    (call $emit (local.get $a) (global.get $ANY))
    (call $op (i32.const 0x08) (i32.const 0))
    (return (global.get $NONE)))
  (; TRY: what makes a number of another value must not fail inside of it ;)
  (if (i32.and (i32.eq (local.get $want) (global.get $FLOAT)) (i32.ne (struct.get $Node $type (local.get $node)) (global.get $FLOAT)))
    (then (local.set $want (global.get $ANY))))
  (call $open (i32.const 0x02) (local.get $want))
  (call $open (i32.const 0x02) (global.get $ANY))
  (call $open (i32.const 0x1f) (local.get $want))                                                         ;; try_table (catch $error 0)
  (call $op (i32.const 1) (i32.const 0))
  (call $op (i32.const 0) (i32.const 0))
  (call $emit (local.get $a) (local.get $want))
  (call $close_block)
  (call $op (i32.const 0x0c) (i32.const 1))
  (call $close_block)
  (call $emit_declare (ref.cast (ref $Variable) (local.get $value)))
  (call $emit (local.get $b) (local.get $want))
  (call $close_block)
  (local.get $want))

;; nil, if anything is wanted.
(func $emit_nil (param $want i32) (result i32)
  (if (i32.eqz (local.get $want)) (then (return (global.get $NONE))))
  (call $op (i32.const 0xd0) (i32.const 0x6e))
  (global.get $ANY))

;; Both operands: as numbers if both are, else as values.
(func $both_numbers (param $a (ref null $Node)) (param $b (ref null $Node)) (result i32)
  (local $type i32)
  (local.set $type (select (global.get $FLOAT) (global.get $ANY)
    (i32.and (i32.le_u (struct.get $Node $type (local.get $a)) (global.get $FLOAT))
             (i32.le_u (struct.get $Node $type (local.get $b)) (global.get $FLOAT)))))
  (call $emit (local.get $a) (local.get $type))
  (call $emit (local.get $b) (local.get $type))
  (i32.eq (local.get $type) (global.get $FLOAT)))

(func $emit_logic (param $a (ref null $Node)) (param $b (ref null $Node)) (param $is_and i32) (param $want i32) (result i32)
  (if (i32.eq (local.get $want) (global.get $BOOLEAN))
    (then
      (call $emit (local.get $a) (global.get $BOOLEAN))
      (call $open (i32.const 0x04) (global.get $BOOLEAN))
      (if (local.get $is_and)
        (then
          (call $emit (local.get $b) (global.get $BOOLEAN))
          (call $byte (i32.const 0x05))
          (call $i32_const (i32.const 0)))
        (else
          (call $i32_const (i32.const 1))
          (call $byte (i32.const 0x05))
          (call $emit (local.get $b) (global.get $BOOLEAN))))
      (call $close_block)
      (return (global.get $BOOLEAN))))
  (call $emit (local.get $a) (global.get $ANY))
  (call $local_tee (global.get $scratch))
  (call $helper (i32.const 12))
  (call $open (i32.const 0x04) (global.get $ANY))
  (if (local.get $is_and)
    (then
      (call $emit (local.get $b) (global.get $ANY))
      (call $byte (i32.const 0x05))
      (call $local_get (global.get $scratch)))
    (else
      (call $local_get (global.get $scratch))
      (call $byte (i32.const 0x05))
      (call $emit (local.get $b) (global.get $ANY))))
  (call $close_block)
  (global.get $ANY))

(func $emit_get_local (param $variable (ref $Variable)) (result i32)
  (call $local_get (struct.get $Variable $local (local.get $variable)))
  (if (struct.get $Variable $shared (local.get $variable))
    (then (call $gc2 (i32.const 0x02) (i32.const 2) (i32.const 0))))
  (struct.get $Variable $type (local.get $variable)))

(func $emit_set_local (param $variable (ref $Variable)) (param $value (ref null $Node)) (param $want i32) (result i32)
  (call $emit (local.get $value) (struct.get $Variable $type (local.get $variable)))
  (if (i32.eqz (struct.get $Variable $shared (local.get $variable)))
    (then
      (if (i32.eqz (local.get $want))
        (then (call $local_set (struct.get $Variable $local (local.get $variable))) (return (global.get $NONE))))
      (call $local_tee (struct.get $Variable $local (local.get $variable)))
      (return (struct.get $Variable $type (local.get $variable)))))
  (call $local_set (global.get $scratch))
  (call $local_get (struct.get $Variable $local (local.get $variable)))
  (call $local_get (global.get $scratch))
  (call $gc2 (i32.const 0x05) (i32.const 2) (i32.const 0))
  (if (i32.eqz (local.get $want)) (then (return (global.get $NONE))))
  (call $local_get (global.get $scratch))
  (global.get $ANY))

;; A new local for a variable, with the value that is on the stack; in a new cell each time if a closure uses it.
(func $emit_declare (param $variable (ref $Variable))
  (local $shared i32)
  (local.set $shared (struct.get $Variable $shared (local.get $variable)))
  (struct.set $Variable $local (local.get $variable)
    (call $new_local (struct.get $Variable $type (local.get $variable)) (local.get $shared)))
  (if (local.get $shared) (then (call $gc (i32.const 0x00) (i32.const 2))))                               ;; struct.new $Cell
  (call $local_set (struct.get $Variable $local (local.get $variable))))

(func $emit_let (param $variable (ref $Variable)) (param $value (ref null $Node)) (param $is_recursive i32)
  (if (i32.and (local.get $is_recursive) (struct.get $Variable $shared (local.get $variable)))
    (then
      ;; The function's own name is in its cell before the function is made.
      (call $op (i32.const 0xd0) (i32.const 0x6e))
      (call $emit_declare (local.get $variable))
      (drop (call $emit_set_local (local.get $variable) (local.get $value) (global.get $NONE)))
      (return)))
  (call $emit (local.get $value) (struct.get $Variable $type (local.get $variable)))
  (call $emit_declare (local.get $variable)))

(func $emit_closure (param $function (ref $Function))
  (call $get_constant (local.get $function) (i32.const 2))
  (call $byte (i32.const 0xd4))                                                                           ;; ref.as_non_null
  (call $emit_captures (struct.get $Function $captures (local.get $function)))
  (call $gc2 (i32.const 0x08) (i32.const 1) (call $capture_count (local.get $function)))                  ;; array.new_fixed $Values
  (call $gc (i32.const 0x00) (i32.const 3)))                                                              ;; struct.new $Closure

;; The newest capture is the first of the list and the last of the closure.
(func $emit_captures (param $capture (ref null $Capture))
  (local $source (ref $Node))
  (if (ref.is_null (local.get $capture)) (then (return)))
  (call $emit_captures (struct.get $Capture $next (local.get $capture)))
  (local.set $source (struct.get $Capture $source (local.get $capture)))
  (if (i32.eq (struct.get $Node $kind (local.get $source)) (global.get $LOCAL))
    (then
      (call $local_get (struct.get $Variable $local (ref.cast (ref $Variable) (struct.get $Node $value (local.get $source))))))
    (else (call $emit_captured (struct.get $Node $index (local.get $source))))))

(func $emit_call (param $node (ref $Node)) (param $line i32) (result i32)
  (local $operator i32) (local $target (ref null $Function)) (local $item (ref null $Node)) (local $bit i32)
  (local.set $operator (call $builtin_operator (local.get $node)))
  (local.set $item (struct.get $Node $b (local.get $node)))
  (if (local.get $operator)
    (then
      (call $emit (local.get $item) (global.get $FLOAT))
      (call $byte (local.get $operator))
      (return (global.get $FLOAT))))
  (local.set $target (call $direct_target (local.get $node)))
  (if (ref.is_null (local.get $target))
    (then
      (call $emit (struct.get $Node $a (local.get $node)) (global.get $ANY))
      (call $emit_items (local.get $item))
      (call $emit_line (local.get $line) (i32.const 1))
      (return (global.get $ANY))))
  ;; Functions outside of all others use no variables of others: any closure will do for them.
  (call $local_get (i32.const 0))
  (local.set $bit (i32.const 1))
  (block $done
    (loop $next
      (br_on_null $done (local.get $item))
      (drop)
      (call $emit (local.get $item) (call $parameter_type (ref.as_non_null (local.get $target)) (local.get $bit)))
      (local.set $bit (i32.shl (local.get $bit) (i32.const 1)))
      (local.set $item (struct.get $Node $next (local.get $item)))
      (br $next)))
  (if (ref.eq (local.get $target) (global.get $compiling))
    (then (call $helper (global.get $DIRECT)) (return (global.get $result))))
  (local.set $operator (call $callee_type (ref.as_non_null (local.get $target))))
  (call $get_constant (struct.get $Function $entry (local.get $target)) (i32.add (local.get $operator) (i32.const 16)))
  (call $op (i32.const 0x14) (local.get $operator))                                                       ;; call_ref
  (struct.get $Function $result (local.get $target)))

;; ---- Modules ----

;; The signatures of direct functions, each with a type of its own behind those of the template; the module's own is the first.
(global $signature_count (mut i32) (i32.const 0))

(func $signature (param $function (ref $Function)) (param $result i32) (result i32)
  (i32.or (i32.and (struct.get $Function $numbers (local.get $function)) (i32.const 0xffff))
    (i32.or (i32.shl (struct.get $Function $arity (local.get $function)) (i32.const 16))
            (i32.shl (local.get $result) (i32.const 24)))))

(func $callee_type (param $function (ref $Function)) (result i32)
  (local $signature i32) (local $i i32)
  (local.set $signature (call $signature (local.get $function) (struct.get $Function $result (local.get $function))))
  (local.set $i (i32.const 1))
  (block $new
    (loop $next
      (br_if $new (i32.ge_u (local.get $i) (global.get $signature_count)))
      (if (i32.eq (i32.load offset=892928 (i32.shl (local.get $i) (i32.const 2))) (local.get $signature))
        (then (return (i32.add (global.get $FIRST_TYPE) (local.get $i)))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $next)))
  (if (i32.ge_u (local.get $i) (i32.const 4000)) (then (throw $too_large)))
  (i32.store offset=892928 (i32.shl (local.get $i) (i32.const 2)) (local.get $signature))
  (global.set $signature_count (i32.add (local.get $i) (i32.const 1)))
  (i32.add (global.get $FIRST_TYPE) (local.get $i)))

;; Where a section of the template has its size; the template has the sections 1 and 2 in front.
(func $template_section (param $number i32) (result i32)
  (local $at i32)
  (local.set $at (i32.const 2056))
  (loop $next
    (if (i32.eq (i32.load8_u (local.get $at)) (local.get $number)) (then (return (i32.add (local.get $at) (i32.const 1)))))
    (local.set $at (i32.add (call $behind_u32 (i32.add (local.get $at) (i32.const 1)))
                            (call $read_u32 (i32.add (local.get $at) (i32.const 1)))))
    (br $next))
  (unreachable))

(func $read_u32 (param $at i32) (result i32)
  (local $byte i32)
  (local.set $byte (i32.load8_u (local.get $at)))
  (if (i32.lt_u (local.get $byte) (i32.const 128)) (then (return (local.get $byte))))
  (i32.or (i32.and (local.get $byte) (i32.const 127))
    (i32.shl (call $read_u32 (i32.add (local.get $at) (i32.const 1))) (i32.const 7))))

(func $behind_u32 (param $at i32) (result i32)
  (if (i32.lt_u (i32.load8_u (local.get $at)) (i32.const 128)) (then (return (i32.add (local.get $at) (i32.const 1)))))
  (call $behind_u32 (i32.add (local.get $at) (i32.const 1))))

(func $copy_bytes (param $from i32) (param $to i32)
  (local $count i32)
  (local.set $count (i32.sub (local.get $to) (local.get $from)))
  (if (i32.gt_u (local.get $count) (i32.sub (global.get $code_end) (global.get $code))) (then (throw $too_large)))
  (memory.copy (global.get $code) (local.get $from) (local.get $count))
  (global.set $code (i32.add (global.get $code) (local.get $count))))

;; Room for a size in five bytes, and the size when it is known.
(func $begin_size (result i32)
  (local $place i32)
  (local.set $place (global.get $code))
  (global.set $code (i32.add (global.get $code) (i32.const 5)))
  (local.get $place))

(func $end_size (param $place i32)
  (local $size i32)
  (local.set $size (i32.sub (global.get $code) (i32.add (local.get $place) (i32.const 5))))
  (i32.store8 (local.get $place) (i32.or (local.get $size) (i32.const 0x80)))
  (i32.store8 offset=1 (local.get $place) (i32.or (i32.shr_u (local.get $size) (i32.const 7)) (i32.const 0x80)))
  (i32.store8 offset=2 (local.get $place) (i32.or (i32.shr_u (local.get $size) (i32.const 14)) (i32.const 0x80)))
  (i32.store8 offset=3 (local.get $place) (i32.const 0x80))
  (i32.store8 offset=4 (local.get $place) (i32.const 0)))

;; The body of direct, without its locals: parameters first become what their variables are.
(func $write_body (param $function (ref $Function))
  (local $parameter (ref null $Node)) (local $variable (ref $Variable)) (local $bit i32) (local $local i32) (local $type i32)
  (global.set $code (i32.const 524288))
  (global.set $code_end (i32.const 851968))
  (global.set $locals (i32.const 0))
  (global.set $depth (i32.const 0))
  (global.set $constants (array.new_default $Values (i32.const 8)))
  (global.set $constant_count (i32.const 0))
  (global.set $signature_count (i32.const 1))
  (global.set $scratch (call $new_local (global.get $ANY) (i32.const 0)))
  (local.set $parameter (struct.get $Function $parameters (local.get $function)))
  (local.set $bit (i32.const 1))
  (local.set $local (i32.const 1))
  (block $done
    (loop $next
      (br_on_null $done (local.get $parameter))
      (drop)
      (local.set $variable (ref.cast (ref $Variable) (struct.get $Node $value (local.get $parameter))))
      (local.set $type (call $parameter_type (local.get $function) (local.get $bit)))
      (if (i32.and (i32.eqz (struct.get $Variable $shared (local.get $variable)))
                   (i32.eq (struct.get $Variable $type (local.get $variable)) (local.get $type)))
        (then (struct.set $Variable $local (local.get $variable) (local.get $local)))
        (else
          (call $local_get (local.get $local))
          (call $convert (local.get $type) (struct.get $Variable $type (local.get $variable)) (i32.const 0))
          (call $emit_declare (local.get $variable))))
      (local.set $bit (i32.shl (local.get $bit) (i32.const 1)))
      (local.set $local (i32.add (local.get $local) (i32.const 1)))
      (local.set $parameter (struct.get $Node $next (local.get $parameter)))
      (br $next)))
  (call $emit (struct.get $Function $body (local.get $function)) (global.get $result))
  (call $byte (i32.const 0x0b)))

;; The module, from 64 KiB on.
(func $write_module (param $function (ref $Function)) (param $body_end i32)
  (local $size i32) (local $at i32)
  (global.set $code (i32.const 65536))
  (global.set $code_end (i32.const 524288))
  (call $copy_bytes (i32.const 2048) (i32.const 2056))                                                    ;; "\0asm", version 1
  (call $byte (i32.const 1))                                                                              ;; types
  (local.set $size (call $begin_size))
  (call $u32 (i32.add (global.get $FIRST_TYPE) (global.get $signature_count)))
  (local.set $at (call $template_section (i32.const 1)))
  (call $copy_bytes (call $behind_u32 (call $behind_u32 (local.get $at)))
    (i32.add (call $behind_u32 (local.get $at)) (call $read_u32 (local.get $at))))
  (call $write_types)
  (call $end_size (local.get $size))
  (call $byte (i32.const 2))                                                                              ;; imports
  (local.set $at (call $template_section (i32.const 2)))
  (call $copy_bytes (local.get $at) (i32.add (call $behind_u32 (local.get $at)) (call $read_u32 (local.get $at))))
  (call $op (i32.const 3) (i32.const 4))                                                                  ;; functions
  (call $op (i32.const 3) (i32.const 4))
  (call $op (global.get $FIRST_TYPE) (i32.const 6))
  (call $write_globals)
  (call $op (i32.const 7) (i32.const 7))                                                                  ;; exports: "run"
  (call $op (i32.const 1) (i32.const 3))
  (call $op (i32.const 0x72) (i32.const 0x75))
  (call $op (i32.const 0x6e) (i32.const 0))
  (call $byte (i32.sub (global.get $DIRECT) (i32.const 1)))
  (call $op (i32.const 8) (i32.const 1))                                                                  ;; start: link
  (call $byte (i32.add (global.get $DIRECT) (i32.const 1)))
  (call $op (i32.const 9) (i32.const 5))                                                                  ;; direct is referred to
  (call $op (i32.const 1) (i32.const 3))
  (call $op (i32.const 0) (i32.const 1))
  (call $byte (global.get $DIRECT))
  (call $byte (i32.const 10))                                                                             ;; code
  (local.set $size (call $begin_size))
  (call $byte (i32.const 3))
  (call $write_run (local.get $function))
  (call $write_direct (local.get $body_end))
  (call $write_link)
  (call $end_size (local.get $size))
  (call $write_names (struct.get $Function $name (local.get $function))))

(func $write_types
  (local $i i32) (local $signature i32) (local $arity i32)
  (loop $next
    (local.set $signature (i32.load offset=892928 (i32.shl (local.get $i) (i32.const 2))))
    (local.set $arity (i32.and (i32.shr_u (local.get $signature) (i32.const 16)) (i32.const 255)))
    (call $op (i32.const 0x60) (i32.add (local.get $arity) (i32.const 1)))
    (call $op (i32.const 0x64) (i32.const 3))                                                             ;; (ref $Closure)
    (block $done
      (loop $parameter
        (br_if $done (i32.eqz (local.get $arity)))
        (call $byte (select (i32.const 0x7c) (i32.const 0x6e) (i32.and (local.get $signature) (i32.const 1))))
        (local.set $signature (i32.shr_u (local.get $signature) (i32.const 1)))
        (local.set $arity (i32.sub (local.get $arity) (i32.const 1)))
        (br $parameter)))
    (call $op (i32.const 1)
      (call $value_type (i32.shr_u (i32.load offset=892928 (i32.shl (local.get $i) (i32.const 2))) (i32.const 24))))
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br_if $next (i32.lt_u (local.get $i) (global.get $signature_count)))))

;; The heap type of a constant's kind.
(func $heap_type (param $kind i32)
  (if (i32.eqz (local.get $kind)) (then (call $byte (i32.const 0x6e)) (return)))
  (if (i32.eq (local.get $kind) (i32.const 1)) (then (call $byte (i32.const 2)) (return)))
  (if (i32.eq (local.get $kind) (i32.const 2)) (then (call $byte (i32.const 0x6b)) (return)))
  (call $s32 (i32.sub (local.get $kind) (i32.const 16))))

(func $constant_kind (param $i i32) (result i32)
  (i32.load offset=851968 (i32.shl (local.get $i) (i32.const 2))))

;; A variable global for each constant, null until link runs.
(func $write_globals
  (local $size i32) (local $i i32)
  (call $byte (i32.const 6))
  (local.set $size (call $begin_size))
  (call $u32 (global.get $constant_count))
  (block $done
    (loop $next
      (br_if $done (i32.ge_u (local.get $i) (global.get $constant_count)))
      (call $byte (i32.const 0x63))
      (call $heap_type (call $constant_kind (local.get $i)))
      (call $op (i32.const 1) (i32.const 0xd0))
      (global.set $code (i32.sub (global.get $code) (i32.const 1)))
      (call $heap_type (call $constant_kind (local.get $i)))
      (call $byte (i32.const 0x0b))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $next)))
  (call $end_size (local.get $size)))

;; run: all arguments that direct takes as numbers are numbers, or the function is not for them.
(func $write_run (param $function (ref $Function))
  (local $size i32) (local $i i32) (local $number i32)
  (local.set $size (call $begin_size))
  (call $byte (i32.const 0))
  (block $done
    (loop $next
      (br_if $done (i32.ge_u (local.get $i) (struct.get $Function $arity (local.get $function))))
      (if (i32.and (i32.shr_u (struct.get $Function $numbers (local.get $function)) (local.get $i)) (i32.const 1))
        (then
          (call $write_argument (local.get $i))
          (call $gc (i32.const 0x14) (i32.const 0))                                                       ;; ref.test (ref $Number)
          (call $byte (i32.const 0x45))
          (call $op (i32.const 0x04) (i32.const 0x40))
          (call $local_get (i32.const 0))
          (call $local_get (i32.const 1))
          (call $op (i32.const 0x12) (i32.const 15))                                                      ;; return_call despecialise
          (call $byte (i32.const 0x0b))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $next)))
  (call $local_get (i32.const 0))
  (local.set $i (i32.const 0))
  (block $done
    (loop $next
      (br_if $done (i32.ge_u (local.get $i) (struct.get $Function $arity (local.get $function))))
      (call $write_argument (local.get $i))
      (if (i32.and (i32.shr_u (struct.get $Function $numbers (local.get $function)) (local.get $i)) (i32.const 1))
        (then
          (call $gc (i32.const 0x16) (i32.const 0))                                                       ;; ref.cast (ref $Number)
          (call $gc2 (i32.const 0x02) (i32.const 0) (i32.const 0))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $next)))
  (call $helper (global.get $DIRECT))
  (call $convert (global.get $result) (global.get $ANY) (i32.const 0))
  (call $byte (i32.const 0x0b))
  (call $end_size (local.get $size)))

(func $write_argument (param $i i32)
  (call $local_get (i32.const 1))
  (call $i32_const (local.get $i))
  (call $gc (i32.const 0x0b) (i32.const 1)))                                                              ;; array.get $Values

(func $write_direct (param $body_end i32)
  (local $size i32) (local $i i32) (local $type i32)
  (local.set $size (call $begin_size))
  (call $u32 (global.get $locals))
  (loop $next
    (local.set $type (i32.load offset=917504 (i32.shl (local.get $i) (i32.const 2))))
    (call $op (i32.const 1) (i32.and (local.get $type) (i32.const 127)))
    (if (i32.ge_u (local.get $type) (i32.const 256)) (then (call $byte (i32.shr_u (local.get $type) (i32.const 8)))))
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br_if $next (i32.lt_u (local.get $i) (global.get $locals))))
  (call $copy_bytes (i32.const 524288) (local.get $body_end))
  (call $end_size (local.get $size)))

;; link: each constant into its global, and direct into its entry, which is behind the last constant.
(func $write_link
  (local $size i32) (local $i i32) (local $kind i32)
  (local.set $size (call $begin_size))
  (call $byte (i32.const 0))
  (block $done
    (loop $next
      (br_if $done (i32.ge_u (local.get $i) (global.get $constant_count)))
      (local.set $kind (call $constant_kind (local.get $i)))
      (call $write_constant (local.get $i))
      (if (i32.ge_u (local.get $kind) (i32.const 16))
        (then
          (call $gc (i32.const 0x16) (i32.const 5))                                                       ;; ref.cast (ref $Entry)
          (call $gc2 (i32.const 0x02) (i32.const 5) (i32.const 0))))
      (if (local.get $kind)
        (then
          (call $byte (i32.const 0xfb))
          (call $byte (i32.const 0x16))                                                                   ;; ref.cast
          (call $heap_type (local.get $kind))))
      (call $op (i32.const 0x24) (local.get $i))                                                          ;; global.set
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $next)))
  (call $write_constant (global.get $constant_count))
  (call $gc (i32.const 0x16) (i32.const 5))
  (call $op (i32.const 0xd2) (global.get $DIRECT))                                                        ;; ref.func
  (call $gc2 (i32.const 0x05) (i32.const 5) (i32.const 0))                                                ;; struct.set $Entry 0
  (call $byte (i32.const 0x0b))
  (call $end_size (local.get $size)))

(func $write_constant (param $i i32)
  (call $helper (i32.const 0))
  (call $i32_const (local.get $i))
  (call $gc (i32.const 0x0b) (i32.const 1)))

;; The names section: stack traces then show the script's functions.
(func $write_names (param $name (ref $String))
  (local $size i32) (local $inner i32)
  (call $byte (i32.const 0))
  (local.set $size (call $begin_size))
  (call $byte (i32.const 4))
  (call $op (i32.const 0x6e) (i32.const 0x61))                                                            ;; "name"
  (call $op (i32.const 0x6d) (i32.const 0x65))
  (call $byte (i32.const 0))                                                                              ;; the module: "twig"
  (call $op (i32.const 5) (i32.const 4))
  (call $op (i32.const 0x74) (i32.const 0x77))
  (call $op (i32.const 0x69) (i32.const 0x67))
  (call $byte (i32.const 1))                                                                              ;; functions
  (local.set $inner (call $begin_size))
  (call $byte (i32.const 1))
  (call $op (global.get $DIRECT) (array.len (local.get $name)))
  (call $put_text (local.get $name) (global.get $code))
  (global.set $code (i32.add (global.get $code) (array.len (local.get $name))))
  (call $end_size (local.get $inner))
  (call $end_size (local.get $size)))

(func $put_text (param $text (ref $String)) (param $address i32)
  (local $i i32)
  (if (i32.gt_u (array.len (local.get $text)) (i32.sub (global.get $code_end) (local.get $address))) (then (throw $too_large)))
  (block $done
    (loop $next
      (br_if $done (i32.ge_u (local.get $i) (array.len (local.get $text))))
      (i32.store8 (i32.add (local.get $address) (local.get $i)) (array.get_u $String (local.get $text) (local.get $i)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $next))))

;; ---- Compiling ----

;; Bytes of a function, from 64 KiB to the address returned.
(func $write (param $function (ref $Function)) (result i32)
  (global.set $compiling (local.get $function))
  (global.set $result (i32.const 0))
  (global.set $settled (i32.const 0))
  (call $infer_function (local.get $function))
  (global.set $FIRST_TYPE (call $read_u32 (call $behind_u32 (call $template_section (i32.const 1)))))
  (call $write_body (local.get $function))
  (i32.store (i32.const 892928) (call $signature (local.get $function) (global.get $result)))
  (call $write_module (local.get $function) (global.get $code))
  (global.get $code))

;; Bytes, module, instance, function: from here on the function's code is a compiled one. False if it is too large for that.
(func $compile_function (param $function (ref $Function)) (result i32)
  (local $end i32)
  ;; It is on its way, and if it is too large, it does not become hot again.
  (struct.set $Function $heat (local.get $function) (i32.const -0x80000000))
  (block $failed
    (local.set $end (try_table (result i32) (catch $too_large $failed) (call $write (local.get $function))))
    (array.set $Values (global.get $constants) (global.get $constant_count) (struct.get $Function $entry (local.get $function)))
    (struct.set $Function $code (local.get $function)
      (get_export $Instance "run"
        (instantiate $Compiled
          (ref.func $get_constants) (ref.func $call) (ref.func $call_member) (ref.func $member) (ref.func $set_member) (ref.func $item)
          (ref.func $set_item) (ref.func $new_list) (ref.func $add) (ref.func $equal) (ref.func $compare) (ref.func $number)
          (ref.func $truth) (ref.func $get_global) (ref.func $set_global) (ref.func $despecialise) (ref.func $remainder)
          (ref.tag $error)
          (compile $Compiled (i32.const 65536) (i32.sub (local.get $end) (i32.const 65536))))))
    (struct.set $Function $result (local.get $function) (global.get $result))
    (global.set $constants (array.new_fixed $Values 0))
    (global.set $compiling (ref.null $Function))
    (call $host_compiled (struct.get $Function $name (local.get $function)) (i32.const 65536) (i32.sub (local.get $end) (i32.const 65536)))
    (return (i32.const 1)))
  (i32.const 0))

(func $get_constants (result (ref $Values))
  (global.get $constants))

;; A compiled function got something else where it had got numbers: it is interpreted this time, and compiled anew at the next call.
(func $despecialise (type $Code) (param $closure (ref $Closure)) (param $arguments (ref $Values)) (result anyref)
  (local $function (ref $Function)) (local $i i32)
  (local.set $function (ref.cast (ref $Function) (struct.get $Closure $function (local.get $closure))))
  (loop $next
    (if (i32.eqz (ref.test (ref $Number) (array.get $Values (local.get $arguments) (local.get $i))))
      (then (call $no_number (local.get $function) (local.get $i))))
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br_if $next (i32.lt_u (local.get $i) (array.len (local.get $arguments)))))
  (struct.set $Function $result (local.get $function) (i32.const 0))
  (struct.set $Function $code (local.get $function) (ref.func $interpret))
  (struct.set $Function $heat (local.get $function) (i32.const 0))
  (call $interpret (local.get $closure) (local.get $arguments)))
