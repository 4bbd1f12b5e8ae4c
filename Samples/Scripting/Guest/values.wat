;; What can be done with values. Interpreter and compiled functions share these.

;; 0 nil, 1 boolean, 2 number, 3 string, 4 list, 5 function, 6 object of the host
(func $kind (export "kind") (param $value anyref) (result i32)
  (if (ref.is_null (local.get $value)) (then (return (i32.const 0))))
  (if (ref.test (ref $Number) (local.get $value)) (then (return (i32.const 2))))
  (if (ref.test (ref $String) (local.get $value)) (then (return (i32.const 3))))
  (if (ref.test (ref i31) (local.get $value)) (then (return (i32.const 1))))
  (if (ref.test (ref $List) (local.get $value)) (then (return (i32.const 4))))
  (if (i32.or (ref.test (ref $Closure) (local.get $value)) (ref.test (ref $Builtin) (local.get $value)))
    (then (return (i32.const 5))))
  (i32.const 6))

(func $kind_name (param $value anyref) (result i32)
  (block $nil (block $boolean (block $number (block $string (block $list (block $function
    (br_table $nil $boolean $number $string $list $function $nil (call $kind (local.get $value))))
    (return (global.get $m_a_function)))
    (return (global.get $m_a_list)))
    (return (global.get $m_a_string)))
    (return (global.get $m_a_number)))
    (return (global.get $m_a_boolean)))
  (select (global.get $m_nil) (global.get $m_an_object) (ref.is_null (local.get $value))))

(func $new_number (export "new_number") (param $value f64) (result (ref $Number))
  (struct.new $Number (local.get $value)))

(func $number (export "number") (param $value anyref) (param $line i32) (result f64)
  (block $other (result anyref)
    (return (struct.get $Number $value (br_on_cast_fail $other anyref (ref $Number) (local.get $value)))))
  (drop)
  (call $fail_expected (global.get $m_a_number) (local.get $value) (local.get $line))
  (unreachable))

;; Everything but nil and false is true.
(func $truth (param $value anyref) (result i32)
  (block $other (result anyref)
    (return (i31.get_u (br_on_cast_fail $other anyref (ref i31) (local.get $value)))))
  (i32.eqz (ref.is_null)))

(func $equal (param $a anyref) (param $b anyref) (result i32)
  (local $x (ref $String)) (local $y (ref $String)) (local $i i32)
  (block $no
    (block $not_number (result anyref)
      (br_on_cast_fail $not_number anyref (ref $Number) (local.get $a))
      (br_if $no (i32.eqz (ref.test (ref $Number) (local.get $b))))
      (return (f64.eq (struct.get $Number $value) (struct.get $Number $value (ref.cast (ref $Number) (local.get $b))))))
    (block $not_string (param anyref) (result anyref)
      (br_on_cast_fail $not_string anyref (ref $String))
      (local.set $x)
      (br_if $no (i32.eqz (ref.test (ref $String) (local.get $b))))
      (local.set $y (ref.cast (ref $String) (local.get $b)))
      (br_if $no (i32.ne (array.len (local.get $x)) (array.len (local.get $y))))
      (loop $next
        (if (i32.eq (local.get $i) (array.len (local.get $x))) (then (return (i32.const 1))))
        (br_if $no (i32.ne (array.get_u $String (local.get $x) (local.get $i)) (array.get_u $String (local.get $y) (local.get $i))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next))
      (unreachable))
    (drop)
    (if (i32.and (ref.is_null (local.get $a)) (ref.is_null (local.get $b))) (then (return (i32.const 1))))
    ;; What is left is equal if it is the same. Objects of the host need not have an identity that ref.eq takes.
    (return (call $same (local.get $a) (local.get $b))))
  (i32.const 0))

(func $same (param $a anyref) (param $b anyref) (result i32)
  (local $x eqref)
  (block $host (result anyref)
    (local.set $x (br_on_cast_fail $host anyref (ref eq) (local.get $a)))
    (br_on_cast_fail $host anyref (ref eq) (local.get $b))
    (return (ref.eq (local.get $x))))
  (drop)
  (call $host_same (extern.convert_any (local.get $a)) (extern.convert_any (local.get $b))))

;; The operators < <= > >=, by the kinds of their nodes.
(func $compare (param $a anyref) (param $b anyref) (param $kind i32) (param $line i32) (result i32)
  (local $order f64) (local $x f64) (local $y f64)
  (if (i32.and (ref.test (ref $String) (local.get $a)) (ref.test (ref $String) (local.get $b)))
    (then
      (local.set $x (f64.convert_i32_s
        (call $order (ref.cast (ref $String) (local.get $a)) (ref.cast (ref $String) (local.get $b))))))
    (else
      (if (i32.eqz (i32.and (ref.test (ref $Number) (local.get $a)) (ref.test (ref $Number) (local.get $b))))
        (then
          (call $fail_expected (global.get $m_two_of_a_kind)
            (select (result anyref) (local.get $b) (local.get $a) (ref.test (ref $Number) (local.get $a)))
            (local.get $line))))
      (local.set $x (struct.get $Number $value (ref.cast (ref $Number) (local.get $a))))
      (local.set $y (struct.get $Number $value (ref.cast (ref $Number) (local.get $b))))))
  (if (i32.eq (local.get $kind) (global.get $LESS)) (then (return (f64.lt (local.get $x) (local.get $y)))))
  (if (i32.eq (local.get $kind) (global.get $NOT_ABOVE)) (then (return (f64.le (local.get $x) (local.get $y)))))
  (if (i32.eq (local.get $kind) (global.get $ABOVE)) (then (return (f64.gt (local.get $x) (local.get $y)))))
  (f64.ge (local.get $x) (local.get $y)))

;; The order of two strings by their bytes: below, at, or above 0.
(func $order (param $a (ref $String)) (param $b (ref $String)) (result i32)
  (local $i i32) (local $difference i32)
  (loop $next
    (if (i32.or (i32.ge_u (local.get $i) (array.len (local.get $a))) (i32.ge_u (local.get $i) (array.len (local.get $b))))
      (then (return (i32.sub (array.len (local.get $a)) (array.len (local.get $b))))))
    (local.set $difference (i32.sub
      (array.get_u $String (local.get $a) (local.get $i))
      (array.get_u $String (local.get $b) (local.get $i))))
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br_if $next (i32.eqz (local.get $difference))))
  (local.get $difference))

;; Numbers are added; where one side is a string, both are put together as text.
(func $add (param $a anyref) (param $b anyref) (param $line i32) (result anyref)
  (if (i32.and (ref.test (ref $Number) (local.get $a)) (ref.test (ref $Number) (local.get $b)))
    (then
      (return (struct.new $Number (f64.add
        (struct.get $Number $value (ref.cast (ref $Number) (local.get $a)))
        (struct.get $Number $value (ref.cast (ref $Number) (local.get $b))))))))
  (if (i32.or (ref.test (ref $String) (local.get $a)) (ref.test (ref $String) (local.get $b)))
    (then (return (call $concat (call $text (local.get $a)) (call $text (local.get $b))))))
  (call $fail_expected (global.get $m_a_number)
    (select (result anyref) (local.get $b) (local.get $a) (ref.test (ref $Number) (local.get $a)))
    (local.get $line))
  (unreachable))

;; The remainder with the sign of the divisor.
(func $remainder (param $a f64) (param $b f64) (result f64)
  (f64.sub (local.get $a) (f64.mul (local.get $b) (f64.floor (f64.div (local.get $a) (local.get $b))))))

(func $text (param $value anyref) (result (ref $String))
  (block $nil (block $boolean (block $number (block $string (block $object
    (br_table $nil $boolean $number $string $object (call $kind (local.get $value))))
    (return (call $host_text (extern.convert_any (local.get $value)))))
    (return (ref.cast (ref $String) (local.get $value))))
    (return (call $number_text (struct.get $Number $value (ref.cast (ref $Number) (local.get $value))))))
    (return (call $text_at (select (global.get $m_true) (global.get $m_false) (call $truth (local.get $value))))))
  (call $text_at (global.get $m_nil)))

;; ---- Lists ----

(func $new_list (export "new_list") (param $items (ref $Values)) (result anyref)
  (struct.new $List (local.get $items) (array.len (local.get $items))))

(func $push (param $list (ref $List)) (param $value anyref)
  (local $items (ref $Values)) (local $count i32)
  (local.set $count (struct.get $List $count (local.get $list)))
  (if (i32.eq (local.get $count) (array.len (struct.get $List $items (local.get $list))))
    (then
      (local.set $items (array.new_default $Values (i32.add (i32.mul (local.get $count) (i32.const 2)) (i32.const 4))))
      (array.copy $Values $Values (local.get $items) (i32.const 0)
        (struct.get $List $items (local.get $list)) (i32.const 0) (local.get $count))
      (struct.set $List $items (local.get $list) (local.get $items))))
  (array.set $Values (struct.get $List $items (local.get $list)) (local.get $count) (local.get $value))
  (struct.set $List $count (local.get $list) (i32.add (local.get $count) (i32.const 1))))

;; A whole index below a count.
(func $check_index (param $index f64) (param $count i32) (param $line i32) (result i32)
  (local $i i32)
  (local.set $i (i32.trunc_sat_f64_u (local.get $index)))
  (if (i32.or (i32.ge_u (local.get $i) (local.get $count)) (f64.ne (f64.convert_i32_u (local.get $i)) (local.get $index)))
    (then
      (call $fail (call $concat (call $text_at (global.get $m_index)) (call $number_text (local.get $index))) (local.get $line))))
  (local.get $i))

;; LIST[INDEX], or a character of a string: a string of one byte.
(func $item (param $from anyref) (param $index f64) (param $line i32) (result anyref)
  (local $list (ref $List)) (local $text (ref $String))
  (block $no_list (result anyref)
    (local.set $list (br_on_cast_fail $no_list anyref (ref $List) (local.get $from)))
    (return (array.get $Values (struct.get $List $items (local.get $list))
      (call $check_index (local.get $index) (struct.get $List $count (local.get $list)) (local.get $line)))))
  (block $no_string (param anyref) (result anyref)
    (local.set $text (br_on_cast_fail $no_string anyref (ref $String)))
    (return (array.new_fixed $String 1 (array.get_u $String (local.get $text)
      (call $check_index (local.get $index) (array.len (local.get $text)) (local.get $line))))))
  (drop)
  (call $fail_expected (global.get $m_a_list) (local.get $from) (local.get $line))
  (unreachable))

(func $set_item (param $to anyref) (param $index f64) (param $value anyref) (param $line i32) (result anyref)
  (local $list (ref $List))
  (block $no_list (result anyref)
    (local.set $list (br_on_cast_fail $no_list anyref (ref $List) (local.get $to)))
    (array.set $Values (struct.get $List $items (local.get $list))
      (call $check_index (local.get $index) (struct.get $List $count (local.get $list)) (local.get $line))
      (local.get $value))
    (return (local.get $value)))
  (drop)
  (call $fail_expected (global.get $m_a_list) (local.get $to) (local.get $line))
  (unreachable))

;; ---- Members: lists and strings have a length, all others are the host's. ----

(func $member (param $of anyref) (param $name anyref) (param $line i32) (result anyref)
  (local $kind i32)
  (local.set $kind (call $kind (local.get $of)))
  (if (i32.eq (local.get $kind) (i32.const 6))
    (then
      (return (any.convert_extern
        (call $host_get_member (extern.convert_any (local.get $of)) (ref.cast (ref $String) (local.get $name)))))))
  (if (call $equal (local.get $name) (call $text_at (global.get $m_length)))
    (then
      (if (i32.eq (local.get $kind) (i32.const 4))
        (then (return (call $new_number (f64.convert_i32_u (struct.get $List $count (ref.cast (ref $List) (local.get $of))))))))
      (if (i32.eq (local.get $kind) (i32.const 3))
        (then (return (call $new_number (f64.convert_i32_u (array.len (ref.cast (ref $String) (local.get $of))))))))))
  (call $fail_member (local.get $of) (local.get $name) (local.get $line))
  (unreachable))

(func $fail_member (param $of anyref) (param $name anyref) (param $line i32)
  (call $fail
    (call $concat
      (call $concat (call $text_at (call $kind_name (local.get $of))) (call $text_at (global.get $m_no_member)))
      (ref.cast (ref $String) (local.get $name)))
    (local.get $line)))

(func $set_member (param $of anyref) (param $name anyref) (param $value anyref) (param $line i32) (result anyref)
  (if (i32.ne (call $kind (local.get $of)) (i32.const 6))
    (then (call $fail_member (local.get $of) (local.get $name) (local.get $line))))
  (call $host_set_member (extern.convert_any (local.get $of)) (ref.cast (ref $String) (local.get $name))
    (extern.convert_any (local.get $value)))
  (local.get $value))

(func $call_member (param $of anyref) (param $name anyref) (param $arguments (ref $Values)) (param $line i32) (result anyref)
  (if (i32.ne (call $kind (local.get $of)) (i32.const 6))
    (then (call $fail_member (local.get $of) (local.get $name) (local.get $line))))
  (any.convert_extern
    (call $host_call_member (extern.convert_any (local.get $of)) (ref.cast (ref $String) (local.get $name)) (local.get $arguments))))

;; ---- Calls ----

(func $call (export "call") (param $callee anyref) (param $arguments (ref $Values)) (param $line i32) (result anyref)
  (local $closure (ref $Closure)) (local $function (ref $Function)) (local $builtin (ref $Builtin))
  (block $no_closure (result anyref)
    (local.set $closure (br_on_cast_fail $no_closure anyref (ref $Closure) (local.get $callee)))
    (local.set $function (ref.cast (ref $Function) (struct.get $Closure $function (local.get $closure))))
    (if (i32.ne (struct.get $Function $arity (local.get $function)) (array.len (local.get $arguments)))
      (then
        (call $fail_arity (struct.get $Function $name (local.get $function)) (struct.get $Function $arity (local.get $function))
          (local.get $arguments) (local.get $line))))
    (return_call_ref $Code (local.get $closure) (local.get $arguments) (struct.get $Function $code (local.get $function))))
  (block $no_builtin (param anyref) (result anyref)
    (local.set $builtin (br_on_cast_fail $no_builtin anyref (ref $Builtin)))
    (if (i32.ne (struct.get $Builtin $arity (local.get $builtin)) (array.len (local.get $arguments)))
      (then
        (call $fail_arity (call $builtin_name (struct.get $Builtin $operation (local.get $builtin)))
          (struct.get $Builtin $arity (local.get $builtin)) (local.get $arguments) (local.get $line))))
    (return_call $call_builtin (struct.get $Builtin $operation (local.get $builtin)) (local.get $arguments) (local.get $line)))
  (drop)
  (if (i32.ne (call $kind (local.get $callee)) (i32.const 6))
    (then (call $fail_expected (global.get $m_a_function) (local.get $callee) (local.get $line))))
  (any.convert_extern (call $host_call (extern.convert_any (local.get $callee)) (local.get $arguments))))

(func $fail_arity (param $name (ref $String)) (param $arity i32) (param $arguments (ref $Values)) (param $line i32)
  (call $fail
    (call $concat
      (call $concat
        (call $concat (local.get $name) (call $text_at (global.get $m_takes)))
        (call $number_text (f64.convert_i32_u (local.get $arity))))
      (call $concat
        (call $text_at (global.get $m_arguments))
        (call $number_text (f64.convert_i32_u (array.len (local.get $arguments))))))
    (local.get $line)))

;; ---- Functions of the language itself. Each name has 8 bytes, the arity as a digit behind it. ----

(data (i32.const 512)
  "sqrt\00\00\001" "floor\00\001" "abs\00\00\00\001" "len\00\00\00\001" "push\00\00\002" "text\00\00\001")
(global $builtins i32 (i32.const 6))

(func $builtin_name (param $operation i32) (result (ref $String))
  (call $text_at (i32.add (i32.const 512) (i32.shl (local.get $operation) (i32.const 3)))))

(func $call_builtin (param $operation i32) (param $arguments (ref $Values)) (param $line i32) (result anyref)
  (local $first anyref)
  (local.set $first (array.get $Values (local.get $arguments) (i32.const 0)))
  (block $sqrt (block $floor (block $abs (block $len (block $push (block $text
    (br_table $sqrt $floor $abs $len $push $text (local.get $operation)))
    (return (call $text (local.get $first))))
    (if (i32.eqz (ref.test (ref $List) (local.get $first)))
      (then (call $fail_expected (global.get $m_a_list) (local.get $first) (local.get $line))))
    (call $push (ref.cast (ref $List) (local.get $first)) (array.get $Values (local.get $arguments) (i32.const 1)))
    (return (local.get $first)))
    (return (call $member (local.get $first) (call $text_at (global.get $m_length)) (local.get $line))))
    (return (call $new_number (f64.abs (call $number (local.get $first) (local.get $line))))))
    (return (call $new_number (f64.floor (call $number (local.get $first) (local.get $line))))))
  (call $new_number (f64.sqrt (call $number (local.get $first) (local.get $line)))))
