;; Texts in memory, each with a zero behind it.

(global $m_line i32 (i32.const 1024))              (data (i32.const 1024) "line \00")
(global $m_colon i32 (i32.const 1040))             (data (i32.const 1040) ": \00")
(global $m_not i32 (i32.const 1048))               (data (i32.const 1048) ", not \00")
(global $m_expected i32 (i32.const 1056))          (data (i32.const 1056) " is expected\00")
(global $m_a_number i32 (i32.const 1072))          (data (i32.const 1072) "a number\00")
(global $m_a_string i32 (i32.const 1088))          (data (i32.const 1088) "a string\00")
(global $m_a_list i32 (i32.const 1104))            (data (i32.const 1104) "a list\00")
(global $m_a_boolean i32 (i32.const 1120))         (data (i32.const 1120) "a boolean\00")
(global $m_a_function i32 (i32.const 1136))        (data (i32.const 1136) "a function\00")
(global $m_an_object i32 (i32.const 1152))         (data (i32.const 1152) "an object\00")
(global $m_nil i32 (i32.const 1168))               (data (i32.const 1168) "nil\00")
(global $m_true i32 (i32.const 1176))              (data (i32.const 1176) "true\00")
(global $m_false i32 (i32.const 1184))             (data (i32.const 1184) "false\00")
(global $m_undefined i32 (i32.const 1200))         (data (i32.const 1200) " is not defined\00")
(global $m_constant i32 (i32.const 1216))          (data (i32.const 1216) " is a function and cannot be set\00")
(global $m_index i32 (i32.const 1264))             (data (i32.const 1264) "there is no item \00")
(global $m_takes i32 (i32.const 1296))             (data (i32.const 1296) " takes \00")
(global $m_arguments i32 (i32.const 1312))         (data (i32.const 1312) " argument(s), not \00")
(global $m_length i32 (i32.const 1344))            (data (i32.const 1344) "length\00")
(global $m_no_member i32 (i32.const 1360))         (data (i32.const 1360) " has no member \00")
(global $m_two_of_a_kind i32 (i32.const 1392))     (data (i32.const 1392) "two numbers or two strings\00")
(global $m_an_expression i32 (i32.const 1424))     (data (i32.const 1424) "an expression\00")
(global $m_a_name i32 (i32.const 1456))            (data (i32.const 1456) "a name\00")
(global $m_line_end i32 (i32.const 1472))          (data (i32.const 1472) "a new line or ;\00")
(global $m_string_end i32 (i32.const 1504))        (data (i32.const 1504) "the \" that ends a string\00")
(global $m_character i32 (i32.const 1536))         (data (i32.const 1536) "no such character is used here\00")
(global $m_target i32 (i32.const 1584))            (data (i32.const 1584) "this cannot be set\00")
(global $m_operand i32 (i32.const 1616))           (data (i32.const 1616) "return, break and continue are statements, not parts of expressions\00")
(global $m_loop i32 (i32.const 1696))              (data (i32.const 1696) "break and continue stand in a loop\00")
(global $m_return i32 (i32.const 1744))            (data (i32.const 1744) "return stands in a function\00")
(global $m_parameters i32 (i32.const 1776))        (data (i32.const 1776) "a function has at most 16 parameters\00")
(global $m_equals i32 (i32.const 1828))            (data (i32.const 1828) "=\00")
(global $m_catch i32 (i32.const 1832))             (data (i32.const 1832) "catch\00")
(global $m_unit i32 (i32.const 1848))              (data (i32.const 1848) "program\00")
(global $m_anonymous i32 (i32.const 1856))         (data (i32.const 1856) "fn\00")
(global $m_too_large i32 (i32.const 1864))         (data (i32.const 1864) "the program is too large\00")

;; A new string of such a text.
(func $text_at (param $address i32) (result (ref $String))
  (local $length i32) (local $text (ref $String))
  (loop $next
    (if (i32.load8_u (i32.add (local.get $address) (local.get $length)))
      (then (local.set $length (i32.add (local.get $length) (i32.const 1))) (br $next))))
  (call $text_of (local.get $address) (local.get $length)))

;; A new string of bytes in memory.
(func $text_of (param $address i32) (param $length i32) (result (ref $String))
  (local $text (ref $String)) (local $i i32)
  (local.set $text (array.new_default $String (local.get $length)))
  (block $done
    (loop $next
      (br_if $done (i32.ge_u (local.get $i) (local.get $length)))
      (array.set $String (local.get $text) (local.get $i) (i32.load8_u (i32.add (local.get $address) (local.get $i))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $next)))
  (local.get $text))

(func $concat (param $a (ref $String)) (param $b (ref $String)) (result (ref $String))
  (local $text (ref $String))
  (local.set $text (array.new_default $String (i32.add (array.len (local.get $a)) (array.len (local.get $b)))))
  (array.copy $String $String (local.get $text) (i32.const 0) (local.get $a) (i32.const 0) (array.len (local.get $a)))
  (array.copy $String $String (local.get $text) (array.len (local.get $a)) (local.get $b) (i32.const 0) (array.len (local.get $b)))
  (local.get $text))

;; "line 3: " and a message.
(func $at_line (param $message (ref $String)) (param $line i32) (result (ref $String))
  (call $concat
    (call $concat (call $text_at (global.get $m_line)) (call $number_text (f64.convert_i32_s (local.get $line))))
    (call $concat (call $text_at (global.get $m_colon)) (local.get $message))))

;; What goes wrong while a script runs: a string that says where, which scripts can catch.
(func $fail (param $message (ref $String)) (param $line i32)
  (throw $error (call $at_line (local.get $message) (local.get $line))))

;; "a number is expected, not nil"
(func $fail_expected (param $what i32) (param $value anyref) (param $line i32)
  (call $fail
    (call $concat
      (call $concat (call $text_at (local.get $what)) (call $text_at (global.get $m_expected)))
      (call $concat (call $text_at (global.get $m_not)) (call $text_at (call $kind_name (local.get $value)))))
    (local.get $line)))
