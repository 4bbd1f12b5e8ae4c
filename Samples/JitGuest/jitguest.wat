;; JitGuest: a guest that compiles its own code.
;;
;; It reads an arithmetic expression in x, turns it into a tape of simple operations, and evaluates it at many points in two
;; ways: by interpreting the tape, and by writing a WebAssembly module for it into its own memory, compiling that, making an
;; instance, taking the export and calling it. It prints a table of values, both times and their ratio.
;;
;;   jitguest [EXPRESSION [POINTS]]
;;
;; Expressions: numbers, x, + - * / with the usual precedence, unary minus, parentheses, comparisons < > <= >= == != that give
;; 1 or 0, and sum(i, FROM, TO, EXPRESSION) over whole numbers.
;;
;; Memory:
;;      0  scratch for WASI calls          4096  arguments: pointers, then text
;;    256  messages                       12288  output, before it is written
;;  16384  the tape, 16 bytes an operation  (i32 operation, i32 argument, f64 constant)
;;  40960  the interpreter's stack        45056  its loops: 32 bytes each (i, last, total)
;;  46080  names of loop variables        49152  the module that is being written
(module $jitguest
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock_time_get (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))

  ;; What the guest makes: a module that needs nothing and exports a function of a float.
  (type $Function (func (param f64) (result f64)))
  (type $Module (module (export "f" (func (type $Function)))))
  (type $Instance (instance (export "f" (func (type $Function)))))

  (memory (export "memory") 4)

  ;; The expression's text: all of it, and where reading has come to.
  (global $start (mut i32) (i32.const 0))
  (global $end (mut i32) (i32.const 0))
  (global $at (mut i32) (i32.const 0))
  ;; Where the next operation of the tape goes, and the open sums and parentheses.
  (global $tape (mut i32) (i32.const 16384))
  (global $loops (mut i32) (i32.const 0))
  (global $nesting (mut i32) (i32.const 0))
  ;; Where the next output byte and the next byte of the module go.
  (global $out (mut i32) (i32.const 12288))
  ;; Where output goes: the descriptor 1, or 2 for what is wrong.
  (global $stream (mut i32) (i32.const 1))
  (global $code (mut i32) (i32.const 49152))

  (data (i32.const 256) "a number, x, a name, sum or ( is expected here")      ;; 46
  (data (i32.const 320) "no operator stands here")                            ;; 23
  (data (i32.const 384) ") is expected here")                                 ;; 18
  (data (i32.const 448) "no such name; there are x and those of sums around") ;; 50
  (data (i32.const 512) "a sum is written sum(i, FROM, TO, EXPRESSION)")      ;; 45
  (data (i32.const 576) "a bound of a sum is a whole number")                 ;; 34
  (data (i32.const 640) "a sum has at most 1000 terms, from low to high")     ;; 46
  (data (i32.const 704) "too deeply nested")                                  ;; 17
  (data (i32.const 768) "the expression is too long")                         ;; 26
  (data (i32.const 832) "the number of points is a whole number above 0")     ;; 46
  (data (i32.const 896) "interpreted: ")                                      ;; 13
  (data (i32.const 960) "compiled:    ")                                      ;; 13
  (data (i32.const 1024) " ms for ")                                          ;; 8
  (data (i32.const 1088) " points, checksum ")                                ;; 18
  (data (i32.const 1152) "ratio:       ")                                     ;; 13
  (data (i32.const 1216) "the checksums differ\n")                            ;; 21
  (data (i32.const 1280) "             x             f(x)\n")                 ;; 32
  (data (i32.const 1344) "written, compiled and linked in ")                  ;; 32
  (data (i32.const 1408) " us: ")                                             ;; 5
  (data (i32.const 1472) " bytes of code\n")                                  ;; 15
  (data (i32.const 1536) "sum(i, 1, 8, x*i - i*i) + (x > 5)*x/2 - 3.5*x*x")   ;; 47

  ;; ---- output ----

  (func $flush
    (i32.store (i32.const 0) (i32.const 12288))
    (i32.store (i32.const 4) (i32.sub (global.get $out) (i32.const 12288)))
    (drop (call $fd_write (global.get $stream) (i32.const 0) (i32.const 1) (i32.const 8)))
    (global.set $out (i32.const 12288)))

  (func $put (param $char i32)
    (if (i32.ge_u (global.get $out) (i32.const 16384)) (then (call $flush)))
    (i32.store8 (global.get $out) (local.get $char))
    (global.set $out (i32.add (global.get $out) (i32.const 1))))

  (func $print (param $text i32) (param $length i32)
    (local $i i32)
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $i) (local.get $length)))
        (call $put (i32.load8_u (i32.add (local.get $text) (local.get $i))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next))))

  (func $print_u64 (param $value i64) (param $digits i32)
    ;; at least $digits digits
    (if (i32.or (i64.ge_u (local.get $value) (i64.const 10)) (i32.gt_s (local.get $digits) (i32.const 1)))
      (then (call $print_u64 (i64.div_u (local.get $value) (i64.const 10)) (i32.sub (local.get $digits) (i32.const 1)))))
    (call $put (i32.add (i32.const 48) (i32.wrap_i64 (i64.rem_u (local.get $value) (i64.const 10))))))

  ;; A float with $decimals decimals; large ones with an exponent.
  (func $print_f64 (param $value f64) (param $decimals i32)
    (local $exponent i32) (local $whole i64) (local $scale f64) (local $i i32)
    (if (f64.ne (local.get $value) (local.get $value))
      (then (call $put (i32.const 110)) (call $put (i32.const 97)) (call $put (i32.const 110)) (return)))
    (if (i64.lt_s (i64.reinterpret_f64 (local.get $value)) (i64.const 0))
      (then (call $put (i32.const 45)) (local.set $value (f64.neg (local.get $value)))))
    (if (f64.eq (local.get $value) (f64.const inf))
      (then (call $put (i32.const 105)) (call $put (i32.const 110)) (call $put (i32.const 102)) (return)))
    (if (f64.ge (local.get $value) (f64.const 1e12))
      (then
        (loop $smaller
          (local.set $value (f64.div (local.get $value) (f64.const 10)))
          (local.set $exponent (i32.add (local.get $exponent) (i32.const 1)))
          (br_if $smaller (f64.ge (local.get $value) (f64.const 10))))))
    (local.set $scale (f64.const 1))
    (local.set $i (local.get $decimals))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $i)))
        (local.set $scale (f64.mul (local.get $scale) (f64.const 10)))
        (local.set $i (i32.sub (local.get $i) (i32.const 1)))
        (br $next)))
    (local.set $whole (i64.trunc_sat_f64_u (f64.nearest (f64.mul (local.get $value) (local.get $scale)))))
    (call $print_u64 (i64.div_u (local.get $whole) (i64.trunc_sat_f64_u (local.get $scale))) (i32.const 1))
    (if (local.get $decimals)
      (then
        (call $put (i32.const 46))
        (call $print_u64 (i64.rem_u (local.get $whole) (i64.trunc_sat_f64_u (local.get $scale))) (local.get $decimals))))
    (if (local.get $exponent)
      (then (call $put (i32.const 101)) (call $print_u64 (i64.extend_i32_u (local.get $exponent)) (i32.const 1)))))

  ;; A float right-aligned in $width columns: printed once to see how long it is, then again behind blanks.
  (func $print_column (param $value f64) (param $decimals i32) (param $width i32)
    (local $before i32) (local $length i32)
    (local.set $before (global.get $out))
    (call $print_f64 (local.get $value) (local.get $decimals))
    (local.set $length (i32.sub (global.get $out) (local.get $before)))
    (global.set $out (local.get $before))
    (block $done
      (loop $next
        (br_if $done (i32.ge_s (local.get $length) (local.get $width)))
        (call $put (i32.const 32))
        (local.set $length (i32.add (local.get $length) (i32.const 1)))
        (br $next)))
    (call $print_f64 (local.get $value) (local.get $decimals)))

  ;; The expression, a caret below the place, and what is wrong there; then the guest ends.
  (func $fail (param $place i32) (param $text i32) (param $length i32)
    (local $i i32)
    (global.set $stream (i32.const 2))
    (call $print (global.get $start) (i32.sub (global.get $end) (global.get $start)))
    (call $put (i32.const 10))
    (local.set $i (global.get $start))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $i) (local.get $place)))
        (call $put (i32.const 32))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))
    (call $put (i32.const 94))
    (call $put (i32.const 10))
    (call $print (local.get $text) (local.get $length))
    (call $put (i32.const 10))
    (call $flush)
    (call $proc_exit (i32.const 1))
    (unreachable))

  ;; ---- reading ----

  ;; The next character that is not a blank, 0 at the end.
  (func $peek (result i32)
    (loop $next
      (if (i32.ge_u (global.get $at) (global.get $end)) (then (return (i32.const 0))))
      (if (i32.eq (i32.load8_u (global.get $at)) (i32.const 32))
        (then (global.set $at (i32.add (global.get $at) (i32.const 1))) (br $next))))
    (i32.load8_u (global.get $at)))

  (func $advance (param $count i32)
    (global.set $at (i32.add (global.get $at) (local.get $count))))

  ;; Takes a character if it is the next.
  (func $take (param $char i32) (result i32)
    (if (i32.ne (call $peek) (local.get $char)) (then (return (i32.const 0))))
    (call $advance (i32.const 1))
    (i32.const 1))

  (func $is_digit (param $char i32) (result i32)
    (i32.lt_u (i32.sub (local.get $char) (i32.const 48)) (i32.const 10)))

  (func $is_letter (param $char i32) (result i32)
    (i32.lt_u (i32.sub (local.get $char) (i32.const 97)) (i32.const 26)))

  ;; The character $distance behind the current one, 0 beyond the end.
  (func $ahead (param $distance i32) (result i32)
    (local $place i32)
    (local.set $place (i32.add (global.get $at) (local.get $distance)))
    (if (result i32) (i32.lt_u (local.get $place) (global.get $end))
      (then (i32.load8_u (local.get $place)))
      (else (i32.const 0))))

  ;; Appends an operation to the tape.
  (func $op (param $operation i32) (param $argument i32) (param $constant f64)
    (if (i32.ge_u (global.get $tape) (i32.const 40944))
      (then (call $fail (global.get $at) (i32.const 768) (i32.const 26))))
    (i32.store (global.get $tape) (local.get $operation))
    (i32.store offset=4 (global.get $tape) (local.get $argument))
    (f64.store offset=8 (global.get $tape) (local.get $constant))
    (global.set $tape (i32.add (global.get $tape) (i32.const 16))))

  (func $digits (param $value f64) (result f64)
    (block $done
      (loop $next
        (br_if $done (i32.eqz (call $is_digit (call $ahead (i32.const 0)))))
        (local.set $value
          (f64.add (f64.mul (local.get $value) (f64.const 10))
            (f64.convert_i32_u (i32.sub (call $ahead (i32.const 0)) (i32.const 48)))))
        (call $advance (i32.const 1))
        (br $next)))
    (local.get $value))

  (func $number (result f64)
    (local $value f64) (local $from i32)
    (local.set $value (call $digits (f64.const 0)))
    (if (i32.eq (call $ahead (i32.const 0)) (i32.const 46))
      (then
        (call $advance (i32.const 1))
        (local.set $from (global.get $at))
        (local.set $value (call $digits (local.get $value)))
        (block $done
          (loop $next
            (br_if $done (i32.ge_u (local.get $from) (global.get $at)))
            (local.set $value (f64.div (local.get $value) (f64.const 10)))
            (local.set $from (i32.add (local.get $from) (i32.const 1)))
            (br $next)))))
    (local.get $value))

  ;; A bound of a sum: a whole number, perhaps negative.
  (func $bound (result f64)
    (local $negative i32) (local $place i32) (local $value f64)
    (local.set $negative (call $take (i32.const 45)))
    (local.set $place (global.get $at))
    (if (i32.eqz (call $is_digit (call $peek)))
      (then (call $fail (global.get $at) (i32.const 576) (i32.const 34))))
    (local.set $value (call $number))
    (if (f64.ne (local.get $value) (f64.trunc (local.get $value)))
      (then (call $fail (local.get $place) (i32.const 576) (i32.const 34))))
    (if (result f64) (local.get $negative) (then (f64.neg (local.get $value))) (else (local.get $value))))

  (func $comma
    (if (i32.eqz (call $take (i32.const 44)))
      (then (call $fail (global.get $at) (i32.const 512) (i32.const 45)))))

  ;; sum(i, FROM, TO, EXPRESSION), the word itself already seen.
  (func $sum
    (local $from f64) (local $to f64) (local $place i32) (local $begin i32)
    (call $advance (i32.const 3))
    (if (i32.eqz (call $take (i32.const 40)))
      (then (call $fail (global.get $at) (i32.const 512) (i32.const 45))))
    (if (i32.or (i32.eqz (call $is_letter (call $peek))) (i32.eq (call $peek) (i32.const 120)))
      (then (call $fail (global.get $at) (i32.const 512) (i32.const 45))))
    (if (i32.ge_u (global.get $loops) (i32.const 16))
      (then (call $fail (global.get $at) (i32.const 704) (i32.const 17))))
    (i32.store8 (i32.add (i32.const 46080) (global.get $loops)) (call $peek))
    (call $advance (i32.const 1))
    (call $comma)
    (drop (call $peek))
    (local.set $place (global.get $at))
    (local.set $from (call $bound))
    (call $comma)
    (local.set $to (call $bound))
    (if (i32.or (f64.gt (local.get $from) (local.get $to))
                (f64.ge (f64.sub (local.get $to) (local.get $from)) (f64.const 1000)))
      (then (call $fail (local.get $place) (i32.const 640) (i32.const 46))))
    (call $comma)
    (call $op (i32.const 15) (global.get $loops) (local.get $from))
    (local.set $begin (global.get $tape))
    (global.set $loops (i32.add (global.get $loops) (i32.const 1)))
    (call $expression)
    (global.set $loops (i32.sub (global.get $loops) (i32.const 1)))
    ;; the end knows the loop, where it begins, and the last number
    (call $op (i32.const 16)
      (i32.or (global.get $loops) (i32.shl (local.get $begin) (i32.const 8))) (local.get $to))
    (call $close))

  (func $close
    (if (i32.eqz (call $take (i32.const 41)))
      (then (call $fail (global.get $at) (i32.const 384) (i32.const 18)))))

  ;; x, or the variable of a sum around, the innermost of its name.
  (func $variable (param $name i32)
    (local $i i32)
    (if (i32.and (i32.eq (local.get $name) (i32.const 120)) (i32.eqz (call $is_letter (call $ahead (i32.const 1)))))
      (then (call $advance (i32.const 1)) (call $op (i32.const 2) (i32.const 0) (f64.const 0)) (return)))
    (local.set $i (global.get $loops))
    (loop $next
      (if (i32.or (i32.eqz (local.get $i)) (call $is_letter (call $ahead (i32.const 1))))
        (then (call $fail (global.get $at) (i32.const 448) (i32.const 50))))
      (local.set $i (i32.sub (local.get $i) (i32.const 1)))
      (br_if $next (i32.ne (i32.load8_u offset=46080 (local.get $i)) (local.get $name))))
    (call $advance (i32.const 1))
    (call $op (i32.const 3) (local.get $i) (f64.const 0)))

  (func $primary
    (local $char i32)
    (local.set $char (call $peek))
    (if (call $is_digit (local.get $char))
      (then (call $op (i32.const 1) (i32.const 0) (call $number)) (return)))
    (if (call $take (i32.const 40))
      (then (call $expression) (call $close) (return)))
    (if (i32.and (i32.eq (local.get $char) (i32.const 115))
          (i32.and (i32.eq (call $ahead (i32.const 1)) (i32.const 117)) (i32.eq (call $ahead (i32.const 2)) (i32.const 109))))
      (then (call $sum) (return)))
    (if (call $is_letter (local.get $char))
      (then (call $variable (local.get $char)) (return)))
    (call $fail (global.get $at) (i32.const 256) (i32.const 46)))

  (func $unary
    (if (call $take (i32.const 45))
      (then (call $enter) (call $unary) (call $leave) (call $op (i32.const 8) (i32.const 0) (f64.const 0)) (return)))
    (call $primary))

  (func $term
    (local $operation i32)
    (call $unary)
    (block $done
      (loop $next
        (if (call $take (i32.const 42)) (then (local.set $operation (i32.const 6)))
          (else (if (call $take (i32.const 47)) (then (local.set $operation (i32.const 7))) (else (br $done)))))
        (call $unary)
        (call $op (local.get $operation) (i32.const 0) (f64.const 0))
        (br $next))))

  (func $terms
    (local $operation i32)
    (call $term)
    (block $done
      (loop $next
        (if (call $take (i32.const 43)) (then (local.set $operation (i32.const 4)))
          (else (if (call $take (i32.const 45)) (then (local.set $operation (i32.const 5))) (else (br $done)))))
        (call $term)
        (call $op (local.get $operation) (i32.const 0) (f64.const 0))
        (br $next))))

  ;; At most three operands wait at each level (a < b + c * ...), and the interpreter's stack has room for 512.
  (func $enter
    (global.set $nesting (i32.add (global.get $nesting) (i32.const 1)))
    (if (i32.gt_u (global.get $nesting) (i32.const 160))
      (then (call $fail (global.get $at) (i32.const 704) (i32.const 17)))))

  (func $leave
    (global.set $nesting (i32.sub (global.get $nesting) (i32.const 1))))

  ;; The comparison that stands here, 0 if none does.
  (func $comparison (result i32)
    (local $char i32) (local $equal i32)
    (local.set $char (call $peek))
    (local.set $equal (i32.eq (call $ahead (i32.const 1)) (i32.const 61)))
    (block $single
      (block $double
        (if (i32.eq (local.get $char) (i32.const 60)) (then (br_if $double (local.get $equal)) (br $single)))
        (if (i32.eq (local.get $char) (i32.const 62)) (then (br_if $double (local.get $equal)) (br $single)))
        (br_if $double (i32.and (local.get $equal)
          (i32.or (i32.eq (local.get $char) (i32.const 61)) (i32.eq (local.get $char) (i32.const 33)))))
        (return (i32.const 0)))
      (call $advance (i32.const 2))
      (if (i32.eq (local.get $char) (i32.const 60)) (then (return (i32.const 11))))
      (if (i32.eq (local.get $char) (i32.const 62)) (then (return (i32.const 12))))
      (return (select (i32.const 13) (i32.const 14) (i32.eq (local.get $char) (i32.const 61)))))
    (call $advance (i32.const 1))
    (select (i32.const 9) (i32.const 10) (i32.eq (local.get $char) (i32.const 60))))

  (func $expression
    (local $operation i32)
    (call $enter)
    (call $terms)
    (local.set $operation (call $comparison))
    (if (local.get $operation)
      (then (call $terms) (call $op (local.get $operation) (i32.const 0) (f64.const 0))))
    (call $leave))

  ;; ---- interpreting ----

  (func $interpret (param $x f64) (result f64)
    (local $pc i32) (local $sp i32) (local $loop i32) (local $a f64) (local $b f64)
    (local.set $pc (i32.const 16384))
    (local.set $sp (i32.const 40960))
    (loop $next
      (block $push
        (block $binary
          (block $sum_end (block $sum (block $ne (block $eq (block $ge (block $le (block $gt (block $lt
          (block $neg (block $div (block $mul (block $sub (block $add (block $name (block $the_x (block $constant (block $stop
            (br_table $stop $constant $the_x $name $add $sub $mul $div $neg $lt $gt $le $ge $eq $ne $sum $sum_end
              (i32.load (local.get $pc))))
            ;; stop
            (return (f64.load (i32.sub (local.get $sp) (i32.const 8)))))
            ;; constant
            (local.set $a (f64.load offset=8 (local.get $pc))) (br $push))
            ;; x
            (local.set $a (local.get $x)) (br $push))
            ;; variable of a sum
            (local.set $a (f64.load offset=45056 (i32.shl (i32.load offset=4 (local.get $pc)) (i32.const 5)))) (br $push))
            ;; +
            (local.set $a (f64.add (f64.load (i32.sub (local.get $sp) (i32.const 16))) (f64.load (i32.sub (local.get $sp) (i32.const 8)))))
            (br $binary))
            ;; -
            (local.set $a (f64.sub (f64.load (i32.sub (local.get $sp) (i32.const 16))) (f64.load (i32.sub (local.get $sp) (i32.const 8)))))
            (br $binary))
            ;; *
            (local.set $a (f64.mul (f64.load (i32.sub (local.get $sp) (i32.const 16))) (f64.load (i32.sub (local.get $sp) (i32.const 8)))))
            (br $binary))
            ;; /
            (local.set $a (f64.div (f64.load (i32.sub (local.get $sp) (i32.const 16))) (f64.load (i32.sub (local.get $sp) (i32.const 8)))))
            (br $binary))
            ;; unary minus
            (local.set $sp (i32.sub (local.get $sp) (i32.const 8)))
            (local.set $a (f64.neg (f64.load (local.get $sp)))) (br $push))
            ;; <
            (local.set $a (f64.convert_i32_s (f64.lt (f64.load (i32.sub (local.get $sp) (i32.const 16))) (f64.load (i32.sub (local.get $sp) (i32.const 8))))))
            (br $binary))
            ;; >
            (local.set $a (f64.convert_i32_s (f64.gt (f64.load (i32.sub (local.get $sp) (i32.const 16))) (f64.load (i32.sub (local.get $sp) (i32.const 8))))))
            (br $binary))
            ;; <=
            (local.set $a (f64.convert_i32_s (f64.le (f64.load (i32.sub (local.get $sp) (i32.const 16))) (f64.load (i32.sub (local.get $sp) (i32.const 8))))))
            (br $binary))
            ;; >=
            (local.set $a (f64.convert_i32_s (f64.ge (f64.load (i32.sub (local.get $sp) (i32.const 16))) (f64.load (i32.sub (local.get $sp) (i32.const 8))))))
            (br $binary))
            ;; ==
            (local.set $a (f64.convert_i32_s (f64.eq (f64.load (i32.sub (local.get $sp) (i32.const 16))) (f64.load (i32.sub (local.get $sp) (i32.const 8))))))
            (br $binary))
            ;; !=
            (local.set $a (f64.convert_i32_s (f64.ne (f64.load (i32.sub (local.get $sp) (i32.const 16))) (f64.load (i32.sub (local.get $sp) (i32.const 8))))))
            (br $binary))
            ;; a sum begins: its variable, its total
            (local.set $loop (i32.shl (i32.load offset=4 (local.get $pc)) (i32.const 5)))
            (f64.store offset=45056 (local.get $loop) (f64.load offset=8 (local.get $pc)))
            (f64.store offset=45072 (local.get $loop) (f64.const 0))
            (local.set $pc (i32.add (local.get $pc) (i32.const 16)))
            (br $next))
          ;; a sum goes on, or ends
          (local.set $loop (i32.shl (i32.and (i32.load offset=4 (local.get $pc)) (i32.const 255)) (i32.const 5)))
          (local.set $sp (i32.sub (local.get $sp) (i32.const 8)))
          (local.set $a (f64.add (f64.load offset=45072 (local.get $loop)) (f64.load (local.get $sp))))
          (f64.store offset=45072 (local.get $loop) (local.get $a))
          (local.set $b (f64.add (f64.load offset=45056 (local.get $loop)) (f64.const 1)))
          (f64.store offset=45056 (local.get $loop) (local.get $b))
          (if (f64.le (local.get $b) (f64.load offset=8 (local.get $pc)))
            (then
              (local.set $pc (i32.shr_u (i32.load offset=4 (local.get $pc)) (i32.const 8)))
              (br $next)))
          (br $push))
        ;; two operands become one
        (local.set $sp (i32.sub (local.get $sp) (i32.const 16))))
      (f64.store (local.get $sp) (local.get $a))
      (local.set $sp (i32.add (local.get $sp) (i32.const 8)))
      (local.set $pc (i32.add (local.get $pc) (i32.const 16)))
      (br $next))
    (unreachable))

  ;; ---- compiling ----

  (func $byte (param $value i32)
    (i32.store8 (global.get $code) (local.get $value))
    (global.set $code (i32.add (global.get $code) (i32.const 1))))

  ;; The bytes of an integer, the lowest first, up to one that is 0.
  (func $bytes (param $value i64)
    (loop $next
      (call $byte (i32.wrap_i64 (local.get $value)))
      (local.set $value (i64.shr_u (local.get $value) (i64.const 8)))
      (br_if $next (i64.ne (local.get $value) (i64.const 0)))))

  (func $f64_const (param $value f64)
    (call $byte (i32.const 0x44))
    (f64.store (global.get $code) (local.get $value))
    (global.set $code (i32.add (global.get $code) (i32.const 8))))

  (func $local_op (param $opcode i32) (param $local i32)
    (call $byte (local.get $opcode))
    (call $byte (local.get $local)))

  ;; A size in five bytes, written when what it counts is there.
  (func $patch (param $place i32)
    (local $size i32)
    (local.set $size (i32.sub (global.get $code) (i32.add (local.get $place) (i32.const 5))))
    (i32.store8 (local.get $place) (i32.or (local.get $size) (i32.const 0x80)))
    (i32.store8 offset=1 (local.get $place) (i32.or (i32.shr_u (local.get $size) (i32.const 7)) (i32.const 0x80)))
    (i32.store8 offset=2 (local.get $place) (i32.or (i32.shr_u (local.get $size) (i32.const 14)) (i32.const 0x80)))
    (i32.store8 offset=3 (local.get $place) (i32.const 0x80))
    (i32.store8 offset=4 (local.get $place) (i32.const 0)))

  ;; The opcodes of operations 4 to 14; comparisons give an i32, which becomes a float.
  (func $opcode (param $operation i32) (result i32)
    (local $table i64)
    (if (i32.lt_u (local.get $operation) (i32.const 9))
      (then
        (local.set $table (i64.const 0x9aa3a2a1a0))
        (return (i32.wrap_i64 (i64.and
          (i64.shr_u (local.get $table) (i64.extend_i32_u (i32.shl (i32.sub (local.get $operation) (i32.const 4)) (i32.const 3))))
          (i64.const 255))))))
    (local.set $table (i64.const 0x626166656463))
    (i32.wrap_i64 (i64.and
      (i64.shr_u (local.get $table) (i64.extend_i32_u (i32.shl (i32.sub (local.get $operation) (i32.const 9)) (i32.const 3))))
      (i64.const 255))))

  ;; The code of one operation. Local 0 is x; each loop has two locals, its variable and its total.
  (func $generate (param $tape i32)
    (local $operation i32) (local $local i32)
    (local.set $operation (i32.load (local.get $tape)))
    (local.set $local (i32.add (i32.const 1) (i32.shl (i32.and (i32.load offset=4 (local.get $tape)) (i32.const 255)) (i32.const 1))))
    (if (i32.eq (local.get $operation) (i32.const 1))
      (then (call $f64_const (f64.load offset=8 (local.get $tape))) (return)))
    (if (i32.eq (local.get $operation) (i32.const 2))
      (then (call $local_op (i32.const 0x20) (i32.const 0)) (return)))
    (if (i32.eq (local.get $operation) (i32.const 3))
      (then (call $local_op (i32.const 0x20) (local.get $local)) (return)))
    (if (i32.eq (local.get $operation) (i32.const 15))
      (then
        (call $f64_const (f64.load offset=8 (local.get $tape)))
        (call $local_op (i32.const 0x21) (local.get $local))
        (call $f64_const (f64.const 0))
        (call $local_op (i32.const 0x21) (i32.add (local.get $local) (i32.const 1)))
        (call $bytes (i64.const 0x4003))                                            ;; loop
        (return)))
    (if (i32.eq (local.get $operation) (i32.const 16))
      (then
        (call $local_op (i32.const 0x20) (i32.add (local.get $local) (i32.const 1)))
        (call $byte (i32.const 0xa0))                                               ;; f64.add
        (call $local_op (i32.const 0x21) (i32.add (local.get $local) (i32.const 1)))
        (call $local_op (i32.const 0x20) (local.get $local))
        (call $f64_const (f64.const 1))
        (call $byte (i32.const 0xa0))
        (call $local_op (i32.const 0x22) (local.get $local))                        ;; local.tee
        (call $f64_const (f64.load offset=8 (local.get $tape)))
        (call $byte (i32.const 0x65))                                               ;; f64.le
        (call $byte (i32.const 0x0d)) (call $byte (i32.const 0))                    ;; br_if
        (call $byte (i32.const 0x0b))                                               ;; end
        (call $local_op (i32.const 0x20) (i32.add (local.get $local) (i32.const 1)))
        (return)))
    (call $byte (call $opcode (local.get $operation)))
    (if (i32.ge_u (local.get $operation) (i32.const 9)) (then (call $byte (i32.const 0xb7)))))

  ;; Writes the module of the tape.
  (func $write_module
    (local $section i32) (local $body i32) (local $tape i32)
    (global.set $code (i32.const 49152))
    (i64.store (global.get $code) (i64.const 0x00000001_6d736100))                  ;; "\0asm", version 1
    (global.set $code (i32.add (global.get $code) (i32.const 8)))
    (call $bytes (i64.const 0x7c_01_7c_01_60_01_06_01))                             ;; type section: (f64) -> f64
    (i32.store (global.get $code) (i32.const 0x00010203))                           ;; one function of type 0
    (global.set $code (i32.add (global.get $code) (i32.const 4)))
    (i32.store (global.get $code) (i32.const 0x01010507))                           ;; one export ...
    (i32.store offset=4 (global.get $code) (i32.const 0x00000066))                  ;; ... "f", function 0
    (global.set $code (i32.add (global.get $code) (i32.const 7)))
    (call $byte (i32.const 10))                                                     ;; code section
    (local.set $section (global.get $code))
    (global.set $code (i32.add (global.get $code) (i32.const 5)))
    (call $byte (i32.const 1))
    (local.set $body (global.get $code))
    (global.set $code (i32.add (global.get $code) (i32.const 5)))
    (call $bytes (i64.const 0x7c_20_01))                                            ;; 32 locals of type f64
    (local.set $tape (i32.const 16384))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (i32.load (local.get $tape))))
        (call $generate (local.get $tape))
        (local.set $tape (i32.add (local.get $tape) (i32.const 16)))
        (br $next)))
    (call $byte (i32.const 0x0b))
    (call $patch (local.get $body))
    (call $patch (local.get $section)))

  ;; bytes -> module -> instance -> function
  (func $compile (result (ref $Function))
    (call $write_module)
    (get_export $Instance "f"
      (instantiate $Module
        (compile $Module (i32.const 49152) (i32.sub (global.get $code) (i32.const 49152))))))

  ;; ---- the work ----

  (func $now (result i64)
    (drop (call $clock_time_get (i32.const 1) (i64.const 1) (i32.const 16)))
    (i64.load (i32.const 16)))

  (func $sum_interpreted (param $points i32) (result f64)
    (local $i i32) (local $step f64) (local $total f64)
    (local.set $step (f64.div (f64.const 10) (f64.convert_i32_u (local.get $points))))
    (loop $next
      (local.set $total (f64.add (local.get $total)
        (call $interpret (f64.mul (f64.convert_i32_u (local.get $i)) (local.get $step)))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (local.get $points))))
    (local.get $total))

  (func $sum_compiled (param $f (ref $Function)) (param $points i32) (result f64)
    (local $i i32) (local $step f64) (local $total f64)
    (local.set $step (f64.div (f64.const 10) (f64.convert_i32_u (local.get $points))))
    (loop $next
      (local.set $total (f64.add (local.get $total)
        (call_ref $Function (f64.mul (f64.convert_i32_u (local.get $i)) (local.get $step)) (local.get $f))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (local.get $points))))
    (local.get $total))

  (func $report (param $text i32) (param $time i64) (param $points i32) (param $checksum f64)
    (call $print (local.get $text) (i32.const 13))
    (call $print_column (f64.div (f64.convert_i64_u (local.get $time)) (f64.const 1e6)) (i32.const 2) (i32.const 10))
    (call $print (i32.const 1024) (i32.const 8))
    (call $print_u64 (i64.extend_i32_u (local.get $points)) (i32.const 1))
    (call $print (i32.const 1088) (i32.const 18))
    (call $print_f64 (local.get $checksum) (i32.const 6))
    (call $put (i32.const 10)))

  ;; Length of a text that ends with a zero byte.
  (func $length (param $text i32) (result i32)
    (local $i i32)
    (block $done
      (loop $next
        (br_if $done (i32.eqz (i32.load8_u (i32.add (local.get $text) (local.get $i)))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next)))
    (local.get $i))

  ;; The arguments: the expression, and the number of points.
  (func $arguments (result i32)
    (local $count i32) (local $points f64)
    (local.set $points (f64.const 10000000))
    (global.set $start (i32.const 1536))
    (global.set $end (i32.const 1583))
    (drop (call $args_sizes_get (i32.const 16) (i32.const 20)))
    (local.set $count (i32.load (i32.const 16)))
    (if (i32.gt_u (i32.add (i32.load (i32.const 20)) (i32.shl (local.get $count) (i32.const 2))) (i32.const 8192))
      (then (call $fail (global.get $start) (i32.const 768) (i32.const 26))))
    (drop (call $args_get (i32.const 4096) (i32.add (i32.const 4096) (i32.shl (local.get $count) (i32.const 2)))))
    (if (i32.ge_u (local.get $count) (i32.const 3))
      (then
        (global.set $start (i32.load (i32.const 4104)))
        (global.set $end (i32.add (global.get $start) (call $length (global.get $start))))
        (global.set $at (global.get $start))
        (local.set $points (call $digits (f64.const 0)))
        (if (i32.or (i32.lt_u (global.get $at) (global.get $end))
                    (i32.or (f64.lt (local.get $points) (f64.const 1)) (f64.gt (local.get $points) (f64.const 2e9))))
          (then (call $fail (global.get $at) (i32.const 832) (i32.const 46))))))
    (if (i32.ge_u (local.get $count) (i32.const 2))
      (then
        (global.set $start (i32.load (i32.const 4100)))
        (global.set $end (i32.add (global.get $start) (call $length (global.get $start))))))
    (global.set $at (global.get $start))
    (i32.trunc_f64_u (local.get $points)))

  (func (export "_start")
    (local $points i32) (local $i i32) (local $x f64) (local $a f64) (local $b f64)
    (local $begin i64) (local $interpreted i64) (local $compiled i64) (local $f (ref null $Function))
    (local.set $points (call $arguments))
    (call $expression)
    (if (call $peek) (then (call $fail (global.get $at) (i32.const 320) (i32.const 23))))
    (call $op (i32.const 0) (i32.const 0) (f64.const 0))

    (local.set $begin (call $now))
    (local.set $f (call $compile))
    (call $print (i32.const 1344) (i32.const 32))
    (call $print_u64 (i64.div_u (i64.sub (call $now) (local.get $begin)) (i64.const 1000)) (i32.const 1))
    (call $print (i32.const 1408) (i32.const 5))
    (call $print_u64 (i64.extend_i32_u (i32.sub (global.get $code) (i32.const 49152))) (i32.const 1))
    (call $print (i32.const 1472) (i32.const 15))

    (call $print (i32.const 1280) (i32.const 32))
    (loop $next
      (local.set $x (f64.convert_i32_u (local.get $i)))
      (call $print_column (local.get $x) (i32.const 2) (i32.const 14))
      (call $print_column (call_ref $Function (local.get $x) (ref.as_non_null (local.get $f))) (i32.const 6) (i32.const 17))
      (call $put (i32.const 10))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.le_u (local.get $i) (i32.const 10))))
    (call $flush)

    (local.set $begin (call $now))
    (local.set $a (call $sum_interpreted (local.get $points)))
    (local.set $interpreted (i64.sub (call $now) (local.get $begin)))
    (local.set $begin (call $now))
    (local.set $b (call $sum_compiled (ref.as_non_null (local.get $f)) (local.get $points)))
    (local.set $compiled (i64.sub (call $now) (local.get $begin)))
    (call $report (i32.const 896) (local.get $interpreted) (local.get $points) (local.get $a))
    (call $report (i32.const 960) (local.get $compiled) (local.get $points) (local.get $b))
    (if (i64.ne (i64.reinterpret_f64 (local.get $a)) (i64.reinterpret_f64 (local.get $b)))
      (then
        (if (f64.eq (local.get $a) (local.get $a))
          (then (call $print (i32.const 1216) (i32.const 21)) (call $flush) (call $proc_exit (i32.const 2))))))
    (call $print (i32.const 1152) (i32.const 13))
    (call $print_column (f64.div (f64.convert_i64_u (local.get $interpreted)) (f64.convert_i64_u (local.get $compiled)))
      (i32.const 2) (i32.const 10))
    (call $put (i32.const 10))
    (call $flush))
)
