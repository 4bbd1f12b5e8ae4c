;; Tokens to a tree. Names are resolved on the way: a node says which variable, capture or global it means.

;; Kinds of nodes, and what their fields hold.
(global $CONSTANT i32 (i32.const 0))        ;; value
(global $LOCAL i32 (i32.const 1))           ;; value: the variable
(global $CAPTURED i32 (i32.const 2))        ;; index among the function's captures
(global $GLOBAL i32 (i32.const 3))          ;; value: the global
(global $SET_LOCAL i32 (i32.const 4))       ;; the same and a: the new value
(global $SET_CAPTURED i32 (i32.const 5))
(global $SET_GLOBAL i32 (i32.const 6))
(global $LET i32 (i32.const 7))             ;; value: the variable, a; index 1: a function that may use its own name
(global $DEFINE i32 (i32.const 8))          ;; value: the global, a; index: its state from then on
(global $BLOCK i32 (i32.const 9))           ;; a: the first statement
(global $IF i32 (i32.const 10))             ;; a: the condition, b, c or null
(global $WHILE i32 (i32.const 11))          ;; a: the condition, b
(global $AND i32 (i32.const 12))            ;; a, b
(global $OR i32 (i32.const 13))
(global $NOT i32 (i32.const 14))            ;; a
(global $NEGATE i32 (i32.const 15))
(global $ADD i32 (i32.const 16))            ;; a, b
(global $SUBTRACT i32 (i32.const 17))
(global $MULTIPLY i32 (i32.const 18))
(global $DIVIDE i32 (i32.const 19))
(global $REMAINDER i32 (i32.const 20))
(global $EQUAL i32 (i32.const 21))
(global $UNEQUAL i32 (i32.const 22))
(global $LESS i32 (i32.const 23))
(global $NOT_ABOVE i32 (i32.const 24))
(global $ABOVE i32 (i32.const 25))
(global $NOT_LESS i32 (i32.const 26))
(global $CALL i32 (i32.const 27))           ;; a: what is called, b: the first argument
(global $MEMBER i32 (i32.const 28))         ;; a, value: the name
(global $SET_MEMBER i32 (i32.const 29))     ;; a, value, b: the new value
(global $CALL_MEMBER i32 (i32.const 30))    ;; a, value, b: the first argument
(global $ITEM i32 (i32.const 31))           ;; a, b: the index
(global $SET_ITEM i32 (i32.const 32))       ;; a, b, c: the new value
(global $LIST i32 (i32.const 33))           ;; b: the first item
(global $FUNCTION i32 (i32.const 34))       ;; value: the function
(global $RETURN i32 (i32.const 35))         ;; a or null
(global $BREAK i32 (i32.const 36))
(global $CONTINUE i32 (i32.const 37))
(global $THROW i32 (i32.const 38))          ;; a
(global $TRY i32 (i32.const 39))            ;; a, value: the variable of the error, b

;; The function that is being parsed, and the names outside of all functions.
(global $function (mut (ref null $Function)) (ref.null $Function))
(global $globals (mut (ref null $Global)) (ref.null $Global))
;; Whether a line's end ends a statement (not inside of parentheses), whether this is part of an expression, and of how many loops
;; and blocks.
(global $parentheses (mut i32) (i32.const 0))
(global $operands (mut i32) (i32.const 0))
(global $loops (mut i32) (i32.const 0))
(global $blocks (mut i32) (i32.const 0))

(func $node (param $kind i32) (param $line i32) (param $a (ref null $Node)) (param $b (ref null $Node)) (result (ref $Node))
  (struct.new $Node (local.get $kind) (local.get $line) (i32.const 0) (ref.null any)
    (local.get $a) (local.get $b) (ref.null $Node) (ref.null $Node) (i32.const 0)))

(func $node_of (param $kind i32) (param $line i32) (param $value anyref) (param $index i32) (param $a (ref null $Node)) (param $b (ref null $Node)) (result (ref $Node))
  (struct.new $Node (local.get $kind) (local.get $line) (local.get $index) (local.get $value)
    (local.get $a) (local.get $b) (ref.null $Node) (ref.null $Node) (i32.const 0)))

(func $new_function (param $name (ref $String)) (result (ref $Function))
  (struct.new $Function (local.get $name) (global.get $function) (i32.const 0) (ref.null $Node) (ref.null $Variable) (i32.const 0)
    (ref.null $Capture) (ref.null $Node) (ref.func $interpret) (i32.const 0) (i32.const -1)
    (struct.new_default $Entry) (i32.const 0)))

(func $expected (param $what i32)
  (call $fail_syntax (call $concat (call $text_at (local.get $what)) (call $text_at (global.get $m_expected)))))

;; Takes a token if it is the next.
(func $take (param $token i32) (result i32)
  (if (i32.ne (global.get $token) (local.get $token)) (then (return (i32.const 0))))
  (call $advance)
  (i32.const 1))

;; Takes a token that must be there: a character.
(func $need (param $char i32)
  (if (i32.eqz (call $take (local.get $char)))
    (then
      (call $fail_syntax
        (call $concat (array.new_fixed $String 1 (local.get $char)) (call $text_at (global.get $m_expected)))))))

(func $need_name (result (ref $String))
  (local $name (ref $String))
  (if (i32.ne (global.get $token) (global.get $NAME)) (then (call $expected (global.get $m_a_name))))
  (local.set $name (call $token_text))
  (call $advance)
  (local.get $name))

;; ---- Names ----

(func $declare (param $name (ref $String)) (result (ref $Variable))
  (local $function (ref $Function)) (local $variable (ref $Variable)) (local $slot i32)
  (local.set $function (ref.as_non_null (global.get $function)))
  (local.set $slot (struct.get $Function $slots (local.get $function)))
  (struct.set $Function $slots (local.get $function) (i32.add (local.get $slot) (i32.const 1)))
  (local.set $variable (struct.new $Variable (local.get $name) (local.get $slot)
    (struct.get $Function $scope (local.get $function)) (i32.const 0) (i32.const 0) (i32.const 0)))
  (struct.set $Function $scope (local.get $function) (local.get $variable))
  (local.get $variable))

(func $same_text (param $a (ref $String)) (param $b (ref $String)) (result i32)
  (i32.and
    (i32.eq (array.len (local.get $a)) (array.len (local.get $b)))
    (i32.eqz (call $order (local.get $a) (local.get $b)))))

;; The global of a name; one that is not defined yet if there is none.
(func $find_global (param $name (ref $String)) (result (ref $Global))
  (local $global (ref null $Global))
  (local.set $global (global.get $globals))
  (block $none
    (loop $next
      (br_on_null $none (local.get $global))
      (drop)
      (if (call $same_text (struct.get $Global $name (local.get $global)) (local.get $name))
        (then (return (ref.as_non_null (local.get $global)))))
      (local.set $global (struct.get $Global $outer (local.get $global)))
      (br $next)))
  (call $new_global (local.get $name)))

(func $new_global (param $name (ref $String)) (result (ref $Global))
  (local $global (ref $Global))
  (local.set $global (struct.new $Global (local.get $name) (struct.new_default $Cell) (i32.const 0) (global.get $globals)))
  (global.set $globals (local.get $global))
  (local.get $global))

;; The global that a definition means: the one used so far if it has not been defined, else a new one. Functions that used the
;; old one go on to.
(func $define_global (param $name (ref $String)) (result (ref $Global))
  (local $global (ref $Global))
  (local.set $global (call $find_global (local.get $name)))
  (if (struct.get $Global $state (local.get $global)) (then (return (call $new_global (local.get $name)))))
  (local.get $global))

;; The node of a local variable or capture of a function; null if it has none of this name.
(func $find_variable (param $function (ref $Function)) (param $name (ref $String)) (result (ref null $Node))
  (local $variable (ref null $Variable)) (local $source (ref $Node)) (local $capture (ref null $Capture))
  (local.set $variable (struct.get $Function $scope (local.get $function)))
  (block $no_local
    (loop $next
      (br_on_null $no_local (local.get $variable))
      (drop)
      (if (call $same_text (struct.get $Variable $name (local.get $variable)) (local.get $name))
        (then
          (return (call $node_of (global.get $LOCAL) (global.get $token_line) (local.get $variable) (i32.const 0)
            (ref.null $Node) (ref.null $Node)))))
      (local.set $variable (struct.get $Variable $outer (local.get $variable)))
      (br $next)))
  (block $none
    (local.set $source (br_on_null $none
      (call $find_variable (br_on_null $none (struct.get $Function $outer (local.get $function))) (local.get $name))))
    (local.set $variable (ref.cast (ref $Variable) (struct.get $Node $value (local.get $source))))
    (struct.set $Variable $shared (local.get $variable) (i32.const 1))
    (local.set $capture (struct.get $Function $captures (local.get $function)))
    (block $new
      (loop $next
        (br_on_null $new (local.get $capture))
        (drop)
        (if (ref.eq (struct.get $Capture $variable (local.get $capture)) (local.get $variable))
          (then (return (call $captured_node (ref.as_non_null (local.get $capture))))))
        (local.set $capture (struct.get $Capture $next (local.get $capture)))
        (br $next)))
    ;; The newest is the first of the list, and has the highest index.
    (local.set $capture (struct.new $Capture (ref.as_non_null (local.get $variable)) (local.get $source)
      (call $capture_count (local.get $function)) (struct.get $Function $captures (local.get $function))))
    (struct.set $Function $captures (local.get $function) (local.get $capture))
    (return (call $captured_node (ref.as_non_null (local.get $capture)))))
  (ref.null $Node))

(func $captured_node (param $capture (ref $Capture)) (result (ref $Node))
  (call $node_of (global.get $CAPTURED) (global.get $token_line) (struct.get $Capture $variable (local.get $capture))
    (struct.get $Capture $index (local.get $capture)) (ref.null $Node) (ref.null $Node)))

(func $capture_count (param $function (ref $Function)) (result i32)
  (block $none
    (return (i32.add (i32.const 1)
      (struct.get $Capture $index (br_on_null $none (struct.get $Function $captures (local.get $function)))))))
  (i32.const 0))

(func $name_node (result (ref $Node))
  (local $name (ref $String)) (local $line i32)
  (local.set $line (global.get $token_line))
  (local.set $name (call $need_name))
  (block $global
    (return (br_on_null $global (call $find_variable (ref.as_non_null (global.get $function)) (local.get $name)))))
  (call $node_of (global.get $GLOBAL) (local.get $line) (call $find_global (local.get $name)) (i32.const 0)
    (ref.null $Node) (ref.null $Node)))

;; ---- Statements ----

;; Statements up to a closing token, which stays. The value of a block is that of its last statement.
(func $statements (param $closing i32) (result (ref $Node))
  (local $first (ref null $Node)) (local $last (ref null $Node)) (local $node (ref $Node)) (local $line i32)
  (local.set $line (global.get $token_line))
  (block $done
    (loop $next
      (br_if $next (call $take (i32.const 59)))
      (br_if $done (i32.or (i32.eq (global.get $token) (local.get $closing)) (i32.eq (global.get $token) (global.get $END))))
      (local.set $node (call $statement))
      (if (ref.is_null (local.get $last))
        (then (local.set $first (local.get $node)))
        (else (struct.set $Node $next (local.get $last) (local.get $node))))
      (local.set $last (local.get $node))
      (if (i32.eqz (i32.or (i32.or (global.get $new_line) (i32.eq (global.get $token) (i32.const 59)))
                           (i32.or (i32.eq (global.get $token) (local.get $closing)) (i32.eq (global.get $token) (global.get $END)))))
        (then (call $expected (global.get $m_line_end))))
      (br $next)))
  (call $node (global.get $BLOCK) (local.get $line) (local.get $first) (ref.null $Node)))

;; { ... } with a scope of its own.
(func $block (result (ref $Node))
  (local $scope (ref null $Variable)) (local $parentheses i32) (local $node (ref $Node))
  (local.set $scope (struct.get $Function $scope (global.get $function)))
  (local.set $parentheses (global.get $parentheses))
  (global.set $parentheses (i32.const 0))
  (global.set $blocks (i32.add (global.get $blocks) (i32.const 1)))
  (call $need (i32.const 123))
  (local.set $node (call $statements (i32.const 125)))
  (global.set $parentheses (local.get $parentheses))
  (global.set $blocks (i32.sub (global.get $blocks) (i32.const 1)))
  (struct.set $Function $scope (global.get $function) (local.get $scope))
  (call $need (i32.const 125))
  (local.get $node))

(func $statement (result (ref $Node))
  (local $line i32) (local $kind i32)
  (local.set $line (global.get $token_line))
  (if (call $take (global.get $LET_WORD)) (then (return (call $let (local.get $line)))))
  (if (i32.eq (global.get $token) (global.get $FN_WORD)) (then (return (call $named_function))))
  (if (i32.eq (global.get $token) (global.get $RETURN_WORD)) (then (return (call $return (local.get $line)))))
  (local.set $kind (i32.add (global.get $BREAK) (i32.eq (global.get $token) (global.get $CONTINUE_WORD))))
  (if (i32.or (i32.eq (global.get $token) (global.get $BREAK_WORD)) (i32.eq (global.get $token) (global.get $CONTINUE_WORD)))
    (then
      (if (i32.eqz (global.get $loops)) (then (call $fail_syntax (call $text_at (global.get $m_loop)))))
      (if (global.get $operands) (then (call $fail_syntax (call $text_at (global.get $m_operand)))))
      (call $advance)
      (return (call $node (local.get $kind) (local.get $line) (ref.null $Node) (ref.null $Node)))))
  (if (i32.or (i32.eq (global.get $token) (global.get $IF_WORD))
      (i32.or (i32.eq (global.get $token) (global.get $WHILE_WORD))
      (i32.or (i32.eq (global.get $token) (global.get $TRY_WORD)) (i32.eq (global.get $token) (i32.const 123)))))
    (then (return (call $primary))))
  (call $operand))

;; let NAME = EXPRESSION: a global at the outermost level, else a variable of the function.
(func $let (param $line i32) (result (ref $Node))
  (local $name (ref $String)) (local $value (ref $Node))
  (local.set $name (call $need_name))
  (if (i32.eqz (call $take (i32.const 61))) (then (call $expected (global.get $m_equals))))
  (local.set $value (call $operand))
  (if (result (ref $Node)) (call $is_outermost)
    (then
      (call $node_of (global.get $DEFINE) (local.get $line) (call $define_global (local.get $name)) (i32.const 1)
        (local.get $value) (ref.null $Node)))
    (else
      (call $node_of (global.get $LET) (local.get $line) (call $declare (local.get $name)) (i32.const 0)
        (local.get $value) (ref.null $Node)))))

(func $is_outermost (result i32)
  (i32.and (i32.eqz (global.get $blocks)) (ref.is_null (struct.get $Function $outer (global.get $function)))))

;; fn NAME(...) { ... }, or a function without a name that an expression begins with.
(func $named_function (result (ref $Node))
  (local $line i32) (local $name (ref $String)) (local $global (ref $Global)) (local $variable (ref $Variable))
  (local.set $line (global.get $token_line))
  (call $advance)
  (if (i32.ne (global.get $token) (global.get $NAME))
    (then (return (call $function (call $text_at (global.get $m_anonymous)) (local.get $line)))))
  (local.set $name (call $need_name))
  (if (call $is_outermost)
    (then
      (local.set $global (call $define_global (local.get $name)))
      (return (call $node_of (global.get $DEFINE) (local.get $line) (local.get $global) (i32.const 2)
        (call $function (local.get $name) (local.get $line)) (ref.null $Node)))))
  (local.set $variable (call $declare (local.get $name)))
  (call $node_of (global.get $LET) (local.get $line) (local.get $variable) (i32.const 1)
    (call $function (local.get $name) (local.get $line)) (ref.null $Node)))

;; (PARAMETERS) { ... }
(func $function (param $name (ref $String)) (param $line i32) (result (ref $Node))
  (local $function (ref $Function)) (local $outer (ref null $Function)) (local $parameter (ref $Node)) (local $last (ref null $Node))
  (local $operands i32) (local $loops i32)
  (local.set $outer (global.get $function))
  (local.set $operands (global.get $operands))
  (local.set $loops (global.get $loops))
  (local.set $function (call $new_function (local.get $name)))
  (global.set $function (local.get $function))
  (global.set $operands (i32.const 0))
  (global.set $loops (i32.const 0))
  (call $need (i32.const 40))
  (block $done
    (br_if $done (call $take (i32.const 41)))
    (loop $next
      (local.set $parameter (call $node_of (global.get $LET) (local.get $line) (call $declare (call $need_name)) (i32.const 0)
        (ref.null $Node) (ref.null $Node)))
      (if (ref.is_null (local.get $last))
        (then (struct.set $Function $parameters (local.get $function) (local.get $parameter)))
        (else (struct.set $Node $next (local.get $last) (local.get $parameter))))
      (local.set $last (local.get $parameter))
      (struct.set $Function $arity (local.get $function) (struct.get $Function $slots (local.get $function)))
      (if (i32.gt_u (struct.get $Function $arity (local.get $function)) (i32.const 16))
        (then (call $fail_syntax (call $text_at (global.get $m_parameters)))))
      (br_if $next (call $take (i32.const 44))))
    (call $need (i32.const 41)))
  (struct.set $Function $body (local.get $function) (call $block))
  (global.set $function (local.get $outer))
  (global.set $operands (local.get $operands))
  (global.set $loops (local.get $loops))
  (call $node_of (global.get $FUNCTION) (local.get $line) (local.get $function) (i32.const 0) (ref.null $Node) (ref.null $Node)))

(func $return (param $line i32) (result (ref $Node))
  (local $value (ref null $Node))
  (if (global.get $operands) (then (call $fail_syntax (call $text_at (global.get $m_operand)))))
  (if (ref.is_null (struct.get $Function $outer (global.get $function)))
    (then (call $fail_syntax (call $text_at (global.get $m_return)))))
  (call $advance)
  (if (i32.eqz (i32.or (global.get $new_line)
      (i32.or (i32.eq (global.get $token) (i32.const 59)) (i32.eq (global.get $token) (i32.const 125)))))
    (then (local.set $value (call $operand))))
  (call $node (global.get $RETURN) (local.get $line) (local.get $value) (ref.null $Node)))

;; ---- Expressions ----

;; An expression in which no return, break or continue stands.
(func $operand (result (ref $Node))
  (local $node (ref $Node))
  (global.set $operands (i32.add (global.get $operands) (i32.const 1)))
  (local.set $node (call $assignment))
  (global.set $operands (i32.sub (global.get $operands) (i32.const 1)))
  (local.get $node))

(func $assignment (result (ref $Node))
  (local $target (ref $Node)) (local $kind i32) (local $line i32)
  (local.set $target (call $binary (i32.const 1)))
  (if (i32.or (i32.ne (global.get $token) (i32.const 61)) (call $line_ended)) (then (return (local.get $target))))
  (local.set $line (global.get $token_line))
  (call $advance)
  (local.set $kind (struct.get $Node $kind (local.get $target)))
  (if (i32.eq (local.get $kind) (global.get $MEMBER))
    (then
      (return (call $node_of (global.get $SET_MEMBER) (local.get $line) (struct.get $Node $value (local.get $target)) (i32.const 0)
        (struct.get $Node $a (local.get $target)) (call $assignment)))))
  (if (i32.eq (local.get $kind) (global.get $ITEM))
    (then
      (return (struct.new $Node (global.get $SET_ITEM) (local.get $line) (i32.const 0) (ref.null any)
        (struct.get $Node $a (local.get $target)) (struct.get $Node $b (local.get $target)) (call $assignment)
        (ref.null $Node) (i32.const 0)))))
  (if (i32.gt_u (i32.sub (local.get $kind) (global.get $LOCAL)) (i32.const 2))
    (then (call $fail_syntax (call $text_at (global.get $m_target)))))
  (call $node_of (i32.add (local.get $kind) (i32.const 3)) (local.get $line) (struct.get $Node $value (local.get $target))
    (struct.get $Node $index (local.get $target)) (call $assignment) (ref.null $Node)))

;; Whether a line has ended that a statement ends with.
(func $line_ended (result i32)
  (i32.and (global.get $new_line) (i32.eqz (global.get $parentheses))))

;; How strongly a token binds what is on both sides; 0 for all that do not.
(func $precedence (param $token i32) (result i32)
  (if (i32.eq (local.get $token) (global.get $OR_WORD)) (then (return (i32.const 1))))
  (if (i32.eq (local.get $token) (global.get $AND_WORD)) (then (return (i32.const 2))))
  (if (i32.or (i32.eq (local.get $token) (i32.const 0x3d3d)) (i32.eq (local.get $token) (i32.const 0x3d21))) (then (return (i32.const 3))))
  (if (i32.or (i32.eq (i32.and (local.get $token) (i32.const 255)) (i32.const 60)) (i32.eq (i32.and (local.get $token) (i32.const 255)) (i32.const 62)))
    (then (if (i32.lt_u (local.get $token) (i32.const 0x10000)) (then (return (i32.const 4))))))
  (if (i32.or (i32.eq (local.get $token) (i32.const 43)) (i32.eq (local.get $token) (i32.const 45))) (then (return (i32.const 5))))
  (if (i32.or (i32.eq (local.get $token) (i32.const 42)) (i32.or (i32.eq (local.get $token) (i32.const 47)) (i32.eq (local.get $token) (i32.const 37))))
    (then (return (i32.const 6))))
  (i32.const 0))

(func $binary_kind (param $token i32) (result i32)
  (if (i32.eq (local.get $token) (global.get $OR_WORD)) (then (return (global.get $OR))))
  (if (i32.eq (local.get $token) (global.get $AND_WORD)) (then (return (global.get $AND))))
  (if (i32.eq (local.get $token) (i32.const 0x3d3d)) (then (return (global.get $EQUAL))))
  (if (i32.eq (local.get $token) (i32.const 0x3d21)) (then (return (global.get $UNEQUAL))))
  (if (i32.eq (local.get $token) (i32.const 60)) (then (return (global.get $LESS))))
  (if (i32.eq (local.get $token) (i32.const 0x3d3c)) (then (return (global.get $NOT_ABOVE))))
  (if (i32.eq (local.get $token) (i32.const 62)) (then (return (global.get $ABOVE))))
  (if (i32.eq (local.get $token) (i32.const 0x3d3e)) (then (return (global.get $NOT_LESS))))
  (if (i32.eq (local.get $token) (i32.const 43)) (then (return (global.get $ADD))))
  (if (i32.eq (local.get $token) (i32.const 45)) (then (return (global.get $SUBTRACT))))
  (if (i32.eq (local.get $token) (i32.const 42)) (then (return (global.get $MULTIPLY))))
  (if (i32.eq (local.get $token) (i32.const 47)) (then (return (global.get $DIVIDE))))
  (global.get $REMAINDER))

;; Operators that bind at least so strongly.
(func $binary (param $least i32) (result (ref $Node))
  (local $left (ref $Node)) (local $token i32) (local $line i32) (local $precedence i32)
  (local.set $left (call $unary))
  (loop $next
    (local.set $token (global.get $token))
    (local.set $precedence (call $precedence (local.get $token)))
    (if (i32.and (i32.eqz (call $line_ended))
          (i32.and (i32.ne (local.get $precedence) (i32.const 0)) (i32.ge_u (local.get $precedence) (local.get $least))))
      (then
        (local.set $line (global.get $token_line))
        (call $advance)
        (local.set $left (call $node (call $binary_kind (local.get $token)) (local.get $line) (local.get $left)
          (call $binary (i32.add (local.get $precedence) (i32.const 1)))))
        (br $next))))
  (local.get $left))

(func $unary (result (ref $Node))
  (local $line i32)
  (local.set $line (global.get $token_line))
  (if (call $take (i32.const 45))
    (then (return (call $node (global.get $NEGATE) (local.get $line) (call $unary) (ref.null $Node)))))
  (if (i32.or (call $take (global.get $NOT_WORD)) (call $take (i32.const 33)))
    (then (return (call $node (global.get $NOT) (local.get $line) (call $unary) (ref.null $Node)))))
  (if (call $take (global.get $THROW_WORD))
    (then (return (call $node (global.get $THROW) (local.get $line) (call $operand) (ref.null $Node)))))
  (call $postfix (call $primary)))

;; Calls, members and items behind a value.
(func $postfix (param $node (ref $Node)) (result (ref $Node))
  (local $line i32) (local $name (ref $String)) (local $index (ref $Node))
  (loop $next
    (local.set $line (global.get $token_line))
    ;; .NAME may begin a line
    (if (call $take (i32.const 46))
      (then
        (local.set $name (call $need_name))
        (if (i32.and (i32.eq (global.get $token) (i32.const 40)) (i32.eqz (call $line_ended)))
          (then
            (call $advance)
            (local.set $node (call $node_of (global.get $CALL_MEMBER) (local.get $line) (local.get $name) (i32.const 0)
              (local.get $node) (call $items (i32.const 41)))))
          (else
            (local.set $node (call $node_of (global.get $MEMBER) (local.get $line) (local.get $name) (i32.const 0)
              (local.get $node) (ref.null $Node)))))
        (br $next)))
    (if (call $line_ended) (then (return (local.get $node))))
    (if (call $take (i32.const 40))
      (then
        (local.set $node (call $node (global.get $CALL) (local.get $line) (local.get $node) (call $items (i32.const 41))))
        (br $next)))
    (if (call $take (i32.const 91))
      (then
        (global.set $parentheses (i32.add (global.get $parentheses) (i32.const 1)))
        (local.set $index (call $operand))
        (global.set $parentheses (i32.sub (global.get $parentheses) (i32.const 1)))
        (call $need (i32.const 93))
        (local.set $node (call $node (global.get $ITEM) (local.get $line) (local.get $node) (local.get $index)))
        (br $next))))
  (local.get $node))

;; Expressions with commas between them, up to a closing token; the first is in front of it.
(func $items (param $closing i32) (result (ref null $Node))
  (local $first (ref null $Node)) (local $last (ref null $Node)) (local $node (ref $Node))
  (if (call $take (local.get $closing)) (then (return (ref.null $Node))))
  (global.set $parentheses (i32.add (global.get $parentheses) (i32.const 1)))
  (loop $next
    (local.set $node (call $operand))
    (if (ref.is_null (local.get $last))
      (then (local.set $first (local.get $node)))
      (else (struct.set $Node $next (local.get $last) (local.get $node))))
    (local.set $last (local.get $node))
    (br_if $next (call $take (i32.const 44))))
  (global.set $parentheses (i32.sub (global.get $parentheses) (i32.const 1)))
  (call $need (local.get $closing))
  (local.get $first))

(func $constant (param $value anyref) (result (ref $Node))
  (local $line i32)
  (local.set $line (global.get $token_line))
  (call $advance)
  (call $node_of (global.get $CONSTANT) (local.get $line) (local.get $value) (i32.const 0) (ref.null $Node) (ref.null $Node)))

(func $primary (result (ref $Node))
  (local $line i32) (local $node (ref $Node)) (local $token i32)
  (local.set $line (global.get $token_line))
  (local.set $token (global.get $token))
  (if (i32.eq (local.get $token) (global.get $NAME)) (then (return (call $name_node))))
  (if (i32.eq (local.get $token) (global.get $NUMBER))
    (then
      (return (call $constant (struct.new $Number
        (call $parse_number (global.get $token_start) (i32.sub (global.get $at) (global.get $token_start))))))))
  (if (i32.eq (local.get $token) (global.get $STRING)) (then (return (call $constant (call $token_string)))))
  (if (i32.eq (local.get $token) (global.get $TRUE_WORD)) (then (return (call $constant (ref.i31 (i32.const 1))))))
  (if (i32.eq (local.get $token) (global.get $FALSE_WORD)) (then (return (call $constant (ref.i31 (i32.const 0))))))
  (if (i32.eq (local.get $token) (global.get $NIL_WORD)) (then (return (call $constant (ref.null any)))))
  (if (call $take (i32.const 40))
    (then
      (global.set $parentheses (i32.add (global.get $parentheses) (i32.const 1)))
      (local.set $node (call $operand))
      (global.set $parentheses (i32.sub (global.get $parentheses) (i32.const 1)))
      (call $need (i32.const 41))
      (return (local.get $node))))
  (if (call $take (i32.const 91))
    (then (return (call $node (global.get $LIST) (local.get $line) (ref.null $Node) (call $items (i32.const 93))))))
  (if (i32.eq (local.get $token) (i32.const 123)) (then (return (call $block))))
  (if (call $take (global.get $FN_WORD)) (then (return (call $function (call $text_at (global.get $m_anonymous)) (local.get $line)))))
  (if (call $take (global.get $IF_WORD)) (then (return (call $if (local.get $line)))))
  (if (call $take (global.get $WHILE_WORD))
    (then
      (local.set $node (call $operand))
      (global.set $loops (i32.add (global.get $loops) (i32.const 1)))
      (local.set $node (call $node (global.get $WHILE) (local.get $line) (local.get $node) (call $block)))
      (global.set $loops (i32.sub (global.get $loops) (i32.const 1)))
      (return (local.get $node))))
  (if (call $take (global.get $TRY_WORD)) (then (return (call $try (local.get $line)))))
  (call $expected (global.get $m_an_expression))
  (unreachable))

(func $if (param $line i32) (result (ref $Node))
  (local $condition (ref $Node)) (local $then (ref $Node)) (local $else (ref null $Node)) (local $else_line i32)
  (local.set $condition (call $operand))
  (local.set $then (call $block))
  (local.set $else_line (global.get $token_line))
  (if (call $take (global.get $ELSE_WORD))
    (then
      (local.set $else (if (result (ref $Node)) (call $take (global.get $IF_WORD))
        (then (call $if (local.get $else_line)))
        (else (call $block))))))
  (struct.new $Node (global.get $IF) (local.get $line) (i32.const 0) (ref.null any)
    (local.get $condition) (local.get $then) (local.get $else) (ref.null $Node) (i32.const 0)))

;; try { ... } catch NAME { ... }
(func $try (param $line i32) (result (ref $Node))
  (local $body (ref $Node)) (local $handler (ref $Node)) (local $variable (ref $Variable)) (local $scope (ref null $Variable))
  (local.set $body (call $block))
  (if (i32.eqz (call $take (global.get $CATCH_WORD))) (then (call $expected (global.get $m_catch))))
  (local.set $scope (struct.get $Function $scope (global.get $function)))
  (local.set $variable (call $declare (call $need_name)))
  (local.set $handler (call $block))
  (struct.set $Function $scope (global.get $function) (local.get $scope))
  (call $node_of (global.get $TRY) (local.get $line) (local.get $variable) (i32.const 0) (local.get $body) (local.get $handler)))

;; ---- Programs ----

;; Parses the text at an address in memory to a function without parameters, which is the program.
(func $parse (param $address i32) (param $length i32) (result (ref $Closure))
  (local $unit (ref $Function))
  (global.set $at (local.get $address))
  (global.set $end (i32.add (local.get $address) (local.get $length)))
  (global.set $line (i32.const 1))
  (global.set $parentheses (i32.const 0))
  (global.set $operands (i32.const 0))
  (global.set $loops (i32.const 0))
  (global.set $blocks (i32.const 0))
  (global.set $function (ref.null $Function))
  (local.set $unit (call $new_function (call $text_at (global.get $m_unit))))
  (global.set $function (local.get $unit))
  (call $advance)
  (struct.set $Function $body (local.get $unit) (call $statements (global.get $END)))
  (struct.new $Closure (local.get $unit) (array.new_fixed $Values 0)))
