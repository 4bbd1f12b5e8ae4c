;; Text to tokens. A token is its first character or two ('<' or '<=', the second in bits 8 to 15), or one of these:

(global $END i32 (i32.const 0))
(global $NUMBER i32 (i32.const 1))
(global $STRING i32 (i32.const 2))
(global $NAME i32 (i32.const 3))

;; Keywords, 8 bytes each; a keyword's token is 0x10000 and its place in this list.
(data (i32.const 64)
  "and\00\00\00\00\00" "break\00\00\00" "catch\00\00\00" "continue" "else\00\00\00\00" "false\00\00\00"
  "fn\00\00\00\00\00\00" "if\00\00\00\00\00\00" "let\00\00\00\00\00" "nil\00\00\00\00\00" "not\00\00\00\00\00"
  "or\00\00\00\00\00\00" "return\00\00" "throw\00\00\00" "true\00\00\00\00" "try\00\00\00\00\00" "while\00\00\00"
  "\00\00\00\00\00\00\00\00")
(global $AND_WORD i32 (i32.const 0x10000))
(global $BREAK_WORD i32 (i32.const 0x10001))
(global $CATCH_WORD i32 (i32.const 0x10002))
(global $CONTINUE_WORD i32 (i32.const 0x10003))
(global $ELSE_WORD i32 (i32.const 0x10004))
(global $FALSE_WORD i32 (i32.const 0x10005))
(global $FN_WORD i32 (i32.const 0x10006))
(global $IF_WORD i32 (i32.const 0x10007))
(global $LET_WORD i32 (i32.const 0x10008))
(global $NIL_WORD i32 (i32.const 0x10009))
(global $NOT_WORD i32 (i32.const 0x1000a))
(global $OR_WORD i32 (i32.const 0x1000b))
(global $RETURN_WORD i32 (i32.const 0x1000c))
(global $THROW_WORD i32 (i32.const 0x1000d))
(global $TRUE_WORD i32 (i32.const 0x1000e))
(global $TRY_WORD i32 (i32.const 0x1000f))
(global $WHILE_WORD i32 (i32.const 0x10010))

;; The text, and the token that was read last: what it is, where it lies, and whether a new line begins in front of it.
(global $at (mut i32) (i32.const 0))
(global $end (mut i32) (i32.const 0))
(global $line (mut i32) (i32.const 0))
(global $token (mut i32) (i32.const 0))
(global $token_start (mut i32) (i32.const 0))
(global $token_line (mut i32) (i32.const 0))
(global $new_line (mut i32) (i32.const 0))

;; A program that cannot be read.
(func $fail_syntax (param $message (ref $String))
  (throw $syntax (call $at_line (local.get $message) (global.get $token_line)) (i32.eq (global.get $token) (global.get $END))))

(func $ahead (param $distance i32) (result i32)
  (local $place i32)
  (local.set $place (i32.add (global.get $at) (local.get $distance)))
  (if (result i32) (i32.lt_u (local.get $place) (global.get $end))
    (then (i32.load8_u (local.get $place)))
    (else (i32.const 0))))

(func $skip (param $count i32)
  (global.set $at (i32.add (global.get $at) (local.get $count))))

(func $is_digit (param $char i32) (result i32)
  (i32.lt_u (i32.sub (local.get $char) (i32.const 48)) (i32.const 10)))

(func $is_letter (param $char i32) (result i32)
  (i32.or (i32.eq (local.get $char) (i32.const 95))
    (i32.lt_u (i32.sub (i32.or (local.get $char) (i32.const 32)) (i32.const 97)) (i32.const 26))))

(func $skip_blanks
  (local $char i32)
  (loop $next
    (local.set $char (call $ahead (i32.const 0)))
    (if (i32.eq (local.get $char) (i32.const 10))                                    ;; new line
      (then
        (global.set $new_line (i32.const 1))
        (global.set $line (i32.add (global.get $line) (i32.const 1)))
        (call $skip (i32.const 1))
        (br $next)))
    (if (i32.or (i32.eq (local.get $char) (i32.const 32)) (i32.eq (i32.and (local.get $char) (i32.const -5)) (i32.const 9)))
      (then (call $skip (i32.const 1)) (br $next)))                                  ;; blank, tab, return
    (if (i32.and (i32.eq (local.get $char) (i32.const 47)) (i32.eq (call $ahead (i32.const 1)) (i32.const 47)))
      (then                                                                          ;; a comment
        (loop $more
          (call $skip (i32.const 1))
          (br_if $more (i32.and (i32.lt_u (global.get $at) (global.get $end)) (i32.ne (call $ahead (i32.const 0)) (i32.const 10)))))
        (br $next)))))

(func $skip_digits
  (loop $next
    (if (call $is_digit (call $ahead (i32.const 0))) (then (call $skip (i32.const 1)) (br $next)))))

;; Reads the next token.
(func $advance
  (local $char i32) (local $second i32)
  (global.set $new_line (i32.const 0))
  (call $skip_blanks)
  (global.set $token_start (global.get $at))
  (global.set $token_line (global.get $line))
  (if (i32.ge_u (global.get $at) (global.get $end)) (then (global.set $token (global.get $END)) (return)))
  (local.set $char (call $ahead (i32.const 0)))
  (if (call $is_digit (local.get $char)) (then (call $read_number) (return)))
  (if (call $is_letter (local.get $char)) (then (call $read_name) (return)))
  (if (i32.eq (local.get $char) (i32.const 34)) (then (call $read_string) (return)))
  (global.set $token (local.get $char))
  (call $skip (i32.const 1))
  ;; == != <= >=
  (if (i32.eq (call $ahead (i32.const 0)) (i32.const 61))
    (then
      (if (i32.or (i32.eq (local.get $char) (i32.const 33)) (i32.le_u (i32.sub (local.get $char) (i32.const 60)) (i32.const 2)))
        (then
          (global.set $token (i32.or (local.get $char) (i32.const 0x3d00)))
          (call $skip (i32.const 1))
          (return)))))
  (if (i32.or (i32.le_u (local.get $char) (i32.const 32)) (i32.ge_u (local.get $char) (i32.const 126)))
    (then (global.set $token (i32.const 64)) (call $fail_syntax (call $text_at (global.get $m_character))))))

(func $read_number
  (global.set $token (global.get $NUMBER))
  (call $skip_digits)
  (if (i32.and (i32.eq (call $ahead (i32.const 0)) (i32.const 46)) (call $is_digit (call $ahead (i32.const 1))))
    (then (call $skip (i32.const 1)) (call $skip_digits)))
  (if (i32.and (i32.eq (i32.or (call $ahead (i32.const 0)) (i32.const 32)) (i32.const 101))      ;; 1e6, 1e-6
        (i32.or (call $is_digit (call $ahead (i32.const 1)))
          (i32.and (i32.eq (call $ahead (i32.const 1)) (i32.const 45)) (call $is_digit (call $ahead (i32.const 2))))))
    (then (call $skip (i32.const 2)) (call $skip_digits))))

(func $read_name
  (local $word i64) (local $length i32) (local $keyword i32)
  (global.set $token (global.get $NAME))
  (loop $next
    (local.set $word (i64.or (local.get $word)
      (i64.shl (i64.extend_i32_u (call $ahead (i32.const 0))) (i64.extend_i32_u (i32.shl (local.get $length) (i32.const 3))))))
    (call $skip (i32.const 1))
    (local.set $length (i32.add (local.get $length) (i32.const 1)))
    (br_if $next (i32.or (call $is_letter (call $ahead (i32.const 0))) (call $is_digit (call $ahead (i32.const 0))))))
  (if (i32.gt_u (local.get $length) (i32.const 8)) (then (return)))
  (loop $search
    (if (i64.eq (i64.load offset=64 (local.get $keyword)) (local.get $word))
      (then (global.set $token (i32.or (i32.const 0x10000) (i32.shr_u (local.get $keyword) (i32.const 3)))) (return)))
    (local.set $keyword (i32.add (local.get $keyword) (i32.const 8)))
    (br_if $search (i64.ne (i64.load offset=64 (local.get $keyword)) (i64.const 0)))))

(func $read_string
  (local $char i32)
  (global.set $token (global.get $STRING))
  (loop $next
    (call $skip (i32.const 1))
    (if (i32.ge_u (global.get $at) (global.get $end))
      (then (global.set $token (global.get $END)) (call $expected (global.get $m_string_end))))
    (local.set $char (call $ahead (i32.const 0)))
    (if (i32.eq (local.get $char) (i32.const 10)) (then (global.set $line (i32.add (global.get $line) (i32.const 1)))))
    (if (i32.eq (local.get $char) (i32.const 92)) (then (call $skip (i32.const 1)) (br $next)))   ;; \ and the next
    (br_if $next (i32.ne (local.get $char) (i32.const 34))))
  (call $skip (i32.const 1)))

;; ---- What the parser takes from a token ----

(func $token_text (result (ref $String))
  (call $text_of (global.get $token_start) (i32.sub (global.get $at) (global.get $token_start))))

;; The string that a token means: \n, \t, and any other character behind a \ as it is.
(func $token_string (result (ref $String))
  (local $from i32) (local $to i32) (local $char i32)
  (local.set $from (i32.add (global.get $token_start) (i32.const 1)))
  (local.set $to (local.get $from))
  (block $done
    (loop $next
      (br_if $done (i32.ge_u (local.get $from) (i32.sub (global.get $at) (i32.const 1))))
      (local.set $char (i32.load8_u (local.get $from)))
      (if (i32.eq (local.get $char) (i32.const 92))
        (then
          (local.set $from (i32.add (local.get $from) (i32.const 1)))
          (local.set $char (i32.load8_u (local.get $from)))
          (if (i32.eq (local.get $char) (i32.const 110)) (then (local.set $char (i32.const 10))))
          (if (i32.eq (local.get $char) (i32.const 116)) (then (local.set $char (i32.const 9))))))
      ;; The text is not needed again: the string is written over it.
      (i32.store8 (local.get $to) (local.get $char))
      (local.set $from (i32.add (local.get $from) (i32.const 1)))
      (local.set $to (i32.add (local.get $to) (i32.const 1)))
      (br $next)))
  (call $text_of (i32.add (global.get $token_start) (i32.const 1))
    (i32.sub (local.get $to) (i32.add (global.get $token_start) (i32.const 1)))))
