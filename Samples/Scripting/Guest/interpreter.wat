;; The tree, walked. A function that has been walked often enough is given to the compiler.

;; How hot a function must be to be compiled; 0 for never.
(global $threshold (mut i32) (i32.const 300))

;; What the statement that was just run wants: 0 to go on, 1 break, 2 continue, 3 return, and the value it returns.
(global $signal (mut i32) (i32.const 0))
(global $returned (mut anyref) (ref.null any))

;; The code of every function that is not compiled.
(func $interpret (type $Code) (param $closure (ref $Closure)) (param $arguments (ref $Values)) (result anyref)
  (local $function (ref $Function)) (local $frame (ref $Values)) (local $parameter (ref null $Node)) (local $i i32) (local $value anyref)
  (local.set $function (ref.cast (ref $Function) (struct.get $Closure $function (local.get $closure))))
  (struct.set $Function $heat (local.get $function) (i32.add (struct.get $Function $heat (local.get $function)) (i32.const 1)))
  (if (i32.and (i32.ne (global.get $threshold) (i32.const 0))
        (i32.gt_s (struct.get $Function $heat (local.get $function)) (global.get $threshold)))
    (then
      (if (call $compile_function (local.get $function))
        (then
          (return_call_ref $Code (local.get $closure) (local.get $arguments) (struct.get $Function $code (local.get $function)))))))
  (local.set $frame (array.new_default $Values (struct.get $Function $slots (local.get $function))))
  (local.set $parameter (struct.get $Function $parameters (local.get $function)))
  (block $done
    (loop $next
      (br_on_null $done (local.get $parameter))
      (drop)
      (local.set $value (array.get $Values (local.get $arguments) (local.get $i)))
      (if (i32.eqz (ref.test (ref $Number) (local.get $value))) (then (call $no_number (local.get $function) (local.get $i))))
      (call $set_slot (ref.cast (ref $Variable) (struct.get $Node $value (local.get $parameter))) (local.get $frame) (local.get $value))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (local.set $parameter (struct.get $Node $next (local.get $parameter)))
      (br $next)))
  (local.set $value (call $eval (struct.get $Function $body (local.get $function)) (local.get $frame) (local.get $closure)))
  (if (global.get $signal)
    (then
      (global.set $signal (i32.const 0))
      (local.set $value (global.get $returned))
      (global.set $returned (ref.null any))))
  (local.get $value))

;; An argument that is not a number: the function is compiled without relying on that.
(func $no_number (param $function (ref $Function)) (param $parameter i32)
  (struct.set $Function $numbers (local.get $function)
    (i32.and (struct.get $Function $numbers (local.get $function)) (i32.xor (i32.const -1) (i32.shl (i32.const 1) (local.get $parameter))))))

;; Puts the first value of a variable into its slot; into a cell if a closure uses it.
(func $set_slot (param $variable (ref $Variable)) (param $frame (ref $Values)) (param $value anyref)
  (array.set $Values (local.get $frame) (struct.get $Variable $slot (local.get $variable))
    (if (result anyref) (struct.get $Variable $shared (local.get $variable))
      (then (struct.new $Cell (local.get $value)))
      (else (local.get $value)))))

(func $eval_number (param $node (ref null $Node)) (param $frame (ref $Values)) (param $closure (ref $Closure)) (param $line i32) (result f64)
  (call $number (call $eval (local.get $node) (local.get $frame) (local.get $closure)) (local.get $line)))

(func $eval_truth (param $node (ref null $Node)) (param $frame (ref $Values)) (param $closure (ref $Closure)) (result i32)
  (call $truth (call $eval (local.get $node) (local.get $frame) (local.get $closure))))

(func $eval_items (param $first (ref null $Node)) (param $frame (ref $Values)) (param $closure (ref $Closure)) (result (ref $Values))
  (local $values (ref $Values)) (local $node (ref null $Node)) (local $i i32)
  (local.set $values (array.new_default $Values (call $count (local.get $first))))
  (local.set $node (local.get $first))
  (block $done
    (loop $next
      (br_on_null $done (local.get $node))
      (drop)
      (array.set $Values (local.get $values) (local.get $i) (call $eval (local.get $node) (local.get $frame) (local.get $closure)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (local.set $node (struct.get $Node $next (local.get $node)))
      (br $next)))
  (local.get $values))

(func $count (param $node (ref null $Node)) (result i32)
  (local $i i32)
  (block $done
    (loop $next
      (br_on_null $done (local.get $node))
      (local.set $node (struct.get $Node $next))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $next)))
  (local.get $i))

(func $captured_cell (param $closure (ref $Closure)) (param $node (ref $Node)) (result (ref $Cell))
  (ref.cast (ref $Cell)
    (array.get $Values (struct.get $Closure $cells (local.get $closure)) (struct.get $Node $index (local.get $node)))))

(func $slot_cell (param $node (ref $Node)) (param $frame (ref $Values)) (result (ref $Cell))
  (ref.cast (ref $Cell) (array.get $Values (local.get $frame) (struct.get $Variable $slot (ref.cast (ref $Variable) (struct.get $Node $value (local.get $node)))))))

;; A closure: the cells of the variables that the function uses, and the function.
(func $close (param $function (ref $Function)) (param $frame (ref $Values)) (param $closure (ref $Closure)) (result (ref $Closure))
  (local $cells (ref $Values)) (local $capture (ref null $Capture)) (local $source (ref $Node))
  (local.set $cells (array.new_default $Values (call $capture_count (local.get $function))))
  (local.set $capture (struct.get $Function $captures (local.get $function)))
  (block $done
    (loop $next
      (br_on_null $done (local.get $capture))
      (drop)
      (local.set $source (struct.get $Capture $source (local.get $capture)))
      (array.set $Values (local.get $cells) (struct.get $Capture $index (local.get $capture))
        (if (result (ref $Cell)) (i32.eq (struct.get $Node $kind (local.get $source)) (global.get $LOCAL))
          (then (call $slot_cell (local.get $source) (local.get $frame)))
          (else (call $captured_cell (local.get $closure) (local.get $source)))))
      (local.set $capture (struct.get $Capture $next (local.get $capture)))
      (br $next)))
  (struct.new $Closure (local.get $function) (local.get $cells)))

(func $get_global (param $value anyref) (param $line i32) (result anyref)
  (local $global (ref $Global))
  (local.set $global (ref.cast (ref $Global) (local.get $value)))
  (if (i32.eqz (struct.get $Global $state (local.get $global)))
    (then
      (call $fail (call $concat (struct.get $Global $name (local.get $global)) (call $text_at (global.get $m_undefined))) (local.get $line))))
  (struct.get $Cell $value (struct.get $Global $cell (local.get $global))))

(func $set_global (param $to anyref) (param $value anyref) (param $line i32) (result anyref)
  (local $global (ref $Global))
  (local.set $global (ref.cast (ref $Global) (local.get $to)))
  (drop (call $get_global (local.get $to) (local.get $line)))
  (if (i32.eq (struct.get $Global $state (local.get $global)) (i32.const 2))
    (then
      (call $fail (call $concat (struct.get $Global $name (local.get $global)) (call $text_at (global.get $m_constant))) (local.get $line))))
  (struct.set $Cell $value (struct.get $Global $cell (local.get $global)) (local.get $value))
  (local.get $value))

;; The value of a node.
(func $eval (param $of (ref null $Node)) (param $frame (ref $Values)) (param $closure (ref $Closure)) (result anyref)
  (local $node (ref $Node)) (local $a (ref null $Node)) (local $b (ref null $Node)) (local $line i32)
  (local $value anyref) (local $variable (ref $Variable)) (local $global (ref $Global)) (local $x f64)
  (if (ref.is_null (local.get $of)) (then (return (ref.null any))))
  (local.set $node (ref.as_non_null (local.get $of)))
  (local.set $a (struct.get $Node $a (local.get $node)))
  (local.set $b (struct.get $Node $b (local.get $node)))
  (local.set $line (struct.get $Node $line (local.get $node)))
  (block $TRY (block $THROW (block $CONTINUE (block $BREAK (block $RETURN (block $FUNCTION (block $LIST (block $SET_ITEM (block $ITEM
  (block $CALL_MEMBER (block $SET_MEMBER (block $MEMBER (block $CALL (block $COMPARE (block $UNEQUAL (block $EQUAL
  (block $REMAINDER (block $DIVIDE (block $MULTIPLY (block $SUBTRACT (block $ADD (block $NEGATE (block $NOT (block $OR (block $AND
  (block $WHILE (block $IF (block $BLOCK (block $DEFINE (block $LET (block $SET_GLOBAL (block $SET_CAPTURED (block $SET_LOCAL
  (block $GLOBAL (block $CAPTURED (block $LOCAL (block $CONSTANT
    (br_table $CONSTANT $LOCAL $CAPTURED $GLOBAL $SET_LOCAL $SET_CAPTURED $SET_GLOBAL $LET $DEFINE $BLOCK $IF $WHILE $AND $OR $NOT
      $NEGATE $ADD $SUBTRACT $MULTIPLY $DIVIDE $REMAINDER $EQUAL $UNEQUAL $COMPARE $COMPARE $COMPARE $COMPARE $CALL $MEMBER $SET_MEMBER
      $CALL_MEMBER $ITEM $SET_ITEM $LIST $FUNCTION $RETURN $BREAK $CONTINUE $THROW $TRY
      (struct.get $Node $kind (local.get $node))))
    (; CONSTANT ;)
    (return (struct.get $Node $value (local.get $node))))
    (; LOCAL ;)
    (local.set $variable (ref.cast (ref $Variable) (struct.get $Node $value (local.get $node))))
    (local.set $value (array.get $Values (local.get $frame) (struct.get $Variable $slot (local.get $variable))))
    (if (struct.get $Variable $shared (local.get $variable))
      (then (return (struct.get $Cell $value (ref.cast (ref $Cell) (local.get $value))))))
    (return (local.get $value)))
    (; CAPTURED ;)
    (return (struct.get $Cell $value (call $captured_cell (local.get $closure) (local.get $node)))))
    (; GLOBAL ;)
    (return (call $get_global (struct.get $Node $value (local.get $node)) (local.get $line))))
    (; SET_LOCAL ;)
    (local.set $value (call $eval (local.get $a) (local.get $frame) (local.get $closure)))
    (local.set $variable (ref.cast (ref $Variable) (struct.get $Node $value (local.get $node))))
    (if (struct.get $Variable $shared (local.get $variable))
      (then (struct.set $Cell $value (call $slot_cell (local.get $node) (local.get $frame)) (local.get $value)))
      (else (array.set $Values (local.get $frame) (struct.get $Variable $slot (local.get $variable)) (local.get $value))))
    (return (local.get $value)))
    (; SET_CAPTURED ;)
    (local.set $value (call $eval (local.get $a) (local.get $frame) (local.get $closure)))
    (struct.set $Cell $value (call $captured_cell (local.get $closure) (local.get $node)) (local.get $value))
    (return (local.get $value)))
    (; SET_GLOBAL ;)
    (return (call $set_global (struct.get $Node $value (local.get $node))
      (call $eval (local.get $a) (local.get $frame) (local.get $closure)) (local.get $line))))
    (; LET ;)
    (local.set $variable (ref.cast (ref $Variable) (struct.get $Node $value (local.get $node))))
    (if (struct.get $Node $index (local.get $node))
      (then (call $set_slot (local.get $variable) (local.get $frame) (ref.null any))))
    (local.set $value (call $eval (local.get $a) (local.get $frame) (local.get $closure)))
    (if (i32.and (struct.get $Node $index (local.get $node)) (struct.get $Variable $shared (local.get $variable)))
      (then (struct.set $Cell $value (call $slot_cell (local.get $node) (local.get $frame)) (local.get $value)))
      (else (call $set_slot (local.get $variable) (local.get $frame) (local.get $value))))
    (return (ref.null any)))
    (; DEFINE ;)
    (local.set $value (call $eval (local.get $a) (local.get $frame) (local.get $closure)))
    (local.set $global (ref.cast (ref $Global) (struct.get $Node $value (local.get $node))))
    (struct.set $Cell $value (struct.get $Global $cell (local.get $global)) (local.get $value))
    (struct.set $Global $state (local.get $global) (struct.get $Node $index (local.get $node)))
    (return (ref.null any)))
    (; BLOCK ;)
    (loop $next
      (if (ref.is_null (local.get $a)) (then (return (local.get $value))))
      (local.set $value (call $eval (local.get $a) (local.get $frame) (local.get $closure)))
      (if (global.get $signal) (then (return (ref.null any))))
      (local.set $a (struct.get $Node $next (local.get $a)))
      (br $next)))
    (; IF ;)
    (return_call $eval
      (if (result (ref null $Node)) (call $eval_truth (local.get $a) (local.get $frame) (local.get $closure))
        (then (local.get $b))
        (else (struct.get $Node $c (local.get $node))))
      (local.get $frame) (local.get $closure)))
    (; WHILE ;)
    (loop $next
      (if (i32.eqz (call $eval_truth (local.get $a) (local.get $frame) (local.get $closure))) (then (return (ref.null any))))
      (call $warm (local.get $closure))
      (drop (call $eval (local.get $b) (local.get $frame) (local.get $closure)))
      (br_if $next (i32.eqz (global.get $signal)))
      (if (i32.eq (global.get $signal) (i32.const 3)) (then (return (ref.null any))))
      (local.set $line (global.get $signal))
      (global.set $signal (i32.const 0))
      (br_if $next (i32.eq (local.get $line) (i32.const 2))))
    (return (ref.null any)))
    (; AND ;)
    (local.set $value (call $eval (local.get $a) (local.get $frame) (local.get $closure)))
    (if (i32.eqz (call $truth (local.get $value))) (then (return (local.get $value))))
    (return_call $eval (local.get $b) (local.get $frame) (local.get $closure)))
    (; OR ;)
    (local.set $value (call $eval (local.get $a) (local.get $frame) (local.get $closure)))
    (if (call $truth (local.get $value)) (then (return (local.get $value))))
    (return_call $eval (local.get $b) (local.get $frame) (local.get $closure)))
    (; NOT ;)
    (return (ref.i31 (i32.eqz (call $eval_truth (local.get $a) (local.get $frame) (local.get $closure))))))
    (; NEGATE ;)
    (return (call $new_number (f64.neg (call $eval_number (local.get $a) (local.get $frame) (local.get $closure) (local.get $line))))))
    (; ADD ;)
    (return (call $add
      (call $eval (local.get $a) (local.get $frame) (local.get $closure))
      (call $eval (local.get $b) (local.get $frame) (local.get $closure)) (local.get $line))))
    (; SUBTRACT ;)
    (return (call $new_number (f64.sub
      (call $eval_number (local.get $a) (local.get $frame) (local.get $closure) (local.get $line))
      (call $eval_number (local.get $b) (local.get $frame) (local.get $closure) (local.get $line))))))
    (; MULTIPLY ;)
    (return (call $new_number (f64.mul
      (call $eval_number (local.get $a) (local.get $frame) (local.get $closure) (local.get $line))
      (call $eval_number (local.get $b) (local.get $frame) (local.get $closure) (local.get $line))))))
    (; DIVIDE ;)
    (return (call $new_number (f64.div
      (call $eval_number (local.get $a) (local.get $frame) (local.get $closure) (local.get $line))
      (call $eval_number (local.get $b) (local.get $frame) (local.get $closure) (local.get $line))))))
    (; REMAINDER ;)
    (return (call $new_number (call $remainder
      (call $eval_number (local.get $a) (local.get $frame) (local.get $closure) (local.get $line))
      (call $eval_number (local.get $b) (local.get $frame) (local.get $closure) (local.get $line))))))
    (; EQUAL ;)
    (return (ref.i31 (call $equal
      (call $eval (local.get $a) (local.get $frame) (local.get $closure))
      (call $eval (local.get $b) (local.get $frame) (local.get $closure))))))
    (; UNEQUAL ;)
    (return (ref.i31 (i32.eqz (call $equal
      (call $eval (local.get $a) (local.get $frame) (local.get $closure))
      (call $eval (local.get $b) (local.get $frame) (local.get $closure)))))))
    (; LESS, NOT_ABOVE, ABOVE, NOT_LESS ;)
    (return (ref.i31 (call $compare
      (call $eval (local.get $a) (local.get $frame) (local.get $closure))
      (call $eval (local.get $b) (local.get $frame) (local.get $closure))
      (struct.get $Node $kind (local.get $node)) (local.get $line)))))
    (; CALL ;)
    (return_call $call
      (call $eval (local.get $a) (local.get $frame) (local.get $closure))
      (call $eval_items (local.get $b) (local.get $frame) (local.get $closure)) (local.get $line)))
    (; MEMBER ;)
    (return (call $member
      (call $eval (local.get $a) (local.get $frame) (local.get $closure))
      (struct.get $Node $value (local.get $node)) (local.get $line))))
    (; SET_MEMBER ;)
    (return (call $set_member
      (call $eval (local.get $a) (local.get $frame) (local.get $closure))
      (struct.get $Node $value (local.get $node))
      (call $eval (local.get $b) (local.get $frame) (local.get $closure)) (local.get $line))))
    (; CALL_MEMBER ;)
    (return (call $call_member
      (call $eval (local.get $a) (local.get $frame) (local.get $closure))
      (struct.get $Node $value (local.get $node))
      (call $eval_items (local.get $b) (local.get $frame) (local.get $closure)) (local.get $line))))
    (; ITEM ;)
    (return (call $item
      (call $eval (local.get $a) (local.get $frame) (local.get $closure))
      (call $eval_number (local.get $b) (local.get $frame) (local.get $closure) (local.get $line)) (local.get $line))))
    (; SET_ITEM ;)
    (return (call $set_item
      (call $eval (local.get $a) (local.get $frame) (local.get $closure))
      (call $eval_number (local.get $b) (local.get $frame) (local.get $closure) (local.get $line))
      (call $eval (struct.get $Node $c (local.get $node)) (local.get $frame) (local.get $closure)) (local.get $line))))
    (; LIST ;)
    (return (call $new_list (call $eval_items (local.get $b) (local.get $frame) (local.get $closure)))))
    (; FUNCTION ;)
    (return (call $close (ref.cast (ref $Function) (struct.get $Node $value (local.get $node))) (local.get $frame) (local.get $closure))))
    (; RETURN ;)
    (global.set $returned (call $eval (local.get $a) (local.get $frame) (local.get $closure)))
    (global.set $signal (i32.const 3))
    (return (ref.null any)))
    (; BREAK ;)
    (global.set $signal (i32.const 1))
    (return (ref.null any)))
    (; CONTINUE ;)
    (global.set $signal (i32.const 2))
    (return (ref.null any)))
    (; THROW ;)
    (throw $error (call $eval (local.get $a) (local.get $frame) (local.get $closure))))
  (; TRY ;)
  (call $eval_try (local.get $node) (local.get $frame) (local.get $closure)))

;; Apart, because the locals of a function with handlers are in memory.
(func $eval_try (param $node (ref $Node)) (param $frame (ref $Values)) (param $closure (ref $Closure)) (result anyref)
  (local $value anyref)
  (block $caught (result anyref)
    (return (try_table (result anyref) (catch $error $caught)
      (call $eval (struct.get $Node $a (local.get $node)) (local.get $frame) (local.get $closure)))))
  (local.set $value)
  (call $set_slot (ref.cast (ref $Variable) (struct.get $Node $value (local.get $node))) (local.get $frame) (local.get $value))
  (call $eval (struct.get $Node $b (local.get $node)) (local.get $frame) (local.get $closure)))

;; An iteration makes a function as hot as a call does.
(func $warm (param $closure (ref $Closure))
  (local $function (ref $Function))
  (local.set $function (ref.cast (ref $Function) (struct.get $Closure $function (local.get $closure))))
  (struct.set $Function $heat (local.get $function) (i32.add (struct.get $Function $heat (local.get $function)) (i32.const 1))))
