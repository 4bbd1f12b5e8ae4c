;; What the host calls.

(elem declare func
  $interpret $get_constants $call $call_member $member $set_member $item $set_item $new_list $add $equal $compare $number $truth
  $get_global $set_global $despecialise $remainder)

;; Makes room for a program's text, and says where.
(func (export "reserve") (param $length i32) (result i32)
  (local $missing i32)
  (local.set $missing (i32.sub
    (i32.add (i32.const 17) (i32.shr_u (local.get $length) (i32.const 16)))
    (memory.size)))
  (if (i32.gt_s (local.get $missing) (i32.const 0))
    (then
      (if (i32.eq (memory.grow (local.get $missing)) (i32.const -1))
        (then (throw $syntax (call $text_at (global.get $m_too_large)) (i32.const 0))))))
  (i32.const 1048576))

;; Runs the program whose text was put there; its value is that of its last statement.
(func (export "run") (param $length i32) (result anyref)
  (local $program (ref $Closure))
  (global.set $signal (i32.const 0))
  (local.set $program (call $parse (i32.const 1048576) (local.get $length)))
  (call $interpret (local.get $program) (array.new_fixed $Values 0)))

;; Defines a name; state 1 is a variable, 2 a constant.
(func $define (export "define") (param $name (ref $String)) (param $value anyref) (param $state i32)
  (local $global (ref $Global))
  (local.set $global (call $define_global (local.get $name)))
  (struct.set $Cell $value (struct.get $Global $cell (local.get $global)) (local.get $value))
  (struct.set $Global $state (local.get $global) (local.get $state)))

(func (export "get") (param $name (ref $String)) (result anyref)
  (call $get_global (call $find_global (local.get $name)) (i32.const 0)))

(func (export "set_threshold") (param $calls i32)
  (global.set $threshold (local.get $calls)))

(func (export "new_string") (param $length i32) (result (ref $String))
  (array.new_default $String (local.get $length)))

(func (export "new_boolean") (param $value i32) (result anyref)
  (ref.i31 (local.get $value)))

(func (export "list_items") (param $list anyref) (result (ref $Values))
  (local $items (ref $Values)) (local $from (ref $List))
  (local.set $from (ref.cast (ref $List) (local.get $list)))
  (local.set $items (array.new_default $Values (struct.get $List $count (local.get $from))))
  (array.copy $Values $Values (local.get $items) (i32.const 0)
    (struct.get $List $items (local.get $from)) (i32.const 0) (array.len (local.get $items)))
  (local.get $items))

(func (export "new_values") (param $count i32) (result (ref $Values))
  (array.new_default $Values (local.get $count)))

(func (export "function_name") (param $closure anyref) (result (ref $String))
  (block $builtin (result anyref)
    (return (struct.get $Function $name (ref.cast (ref $Function) (struct.get $Closure $function
      (br_on_cast_fail $builtin anyref (ref $Closure) (local.get $closure)))))))
  (call $builtin_name (struct.get $Builtin $operation (ref.cast (ref $Builtin)))))

(func $define_builtins
  (local $i i32) (local $at i32)
  (loop $next
    (local.set $at (i32.add (i32.const 512) (i32.shl (local.get $i) (i32.const 3))))
    (call $define (call $text_at (local.get $at))
      (struct.new $Builtin (local.get $i) (i32.sub (i32.load8_u offset=7 (local.get $at)) (i32.const 48)))
      (i32.const 2))
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br_if $next (i32.lt_u (local.get $i) (global.get $builtins)))))

(start $define_builtins)
