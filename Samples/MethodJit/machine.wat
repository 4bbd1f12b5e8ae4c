;; The machine of Sprig, a language with a method JIT: an interpreter of bytecode, and a compiler that makes functions of what is hot.
;;
;; An instruction has two words of 32 bits, the opcode and an operand; a loop has four. Values are i64. Control is structured, as in WebAssembly: conditions,
;; loops and their ends are instructions, so that the compiler goes through a function once. The host writes programs (SprigCompiler.cs).
;;
;;   const N  get N  set N  add sub mul div rem and or xor shl shr  eq ne lt le gt ge  load store  if TO  else TO  end
;;   loop BEHIND COUNT SLOT  while BEHIND  again LOOP  call FUNCTION  return  drop  print

(module $machine
  (import "sprig" "print" (func $print (param i64)))

  ;; What compiled code is: functions by the number of their parameters, and loops, which take a frame and say whether the function has returned.
  (type $f0 (func (result i64)))
  (type $f1 (func (param i64) (result i64)))
  (type $f2 (func (param i64 i64) (result i64)))
  (type $f3 (func (param i64 i64 i64) (result i64)))
  (type $f4 (func (param i64 i64 i64 i64) (result i64)))
  (type $loop (func (param i32) (result i32)))

  ;; Functions, 32 bytes each: where the bytecode begins and ends, parameters, locals with them, calls so far, whether it is compiled, where its name is
  ;; and how long. From 16384 on bytecode and names, from 131072 on the code that is being written, from 196608 on frames.
  (memory $machine (export "machine") 16)
  ;; What programs see: words of 64 bits.
  (memory $data (export "data") 64)
  ;; Compiled functions by their numbers; loops from 512 on.
  (table $compiled 4096 funcref)
  (global $loops (mut i32) (i32.const 512))

  (global $jit (export "jit") (mut i32) (i32.const 1))
  (global $made (export "made") (mut i32) (i32.const 0))
  (global $hot_call i32 (i32.const 30))
  (global $hot_loop i32 (i32.const 100))

  ;; All that compiled code may touch. Its memory 0 is $data, its memory 1 $machine, whose frames loops work on; its type N is that of functions with
  ;; N parameters; its function 0 is $print, and function 1 the compiled function itself.
  (scope $code (type $f0 $f1 $f2 $f3 $f4) (func $print) (memory $data $machine) (table $compiled))

  ;; ---- the interpreter ----

  ;; Calls a function whose arguments are the first words of a frame: its code if it has any.
  (func $enter (export "enter") (param $function i32) (param $fp i32) (result i64)
    (if (i32.eqz (i32.load offset=20 (local.get $function)))
      (then
        (i32.store offset=16 (local.get $function) (i32.add (i32.load offset=16 (local.get $function)) (i32.const 1)))
        (if (i32.and (global.get $jit) (i32.gt_u (i32.load offset=16 (local.get $function)) (global.get $hot_call)))
          (then (call $compile (local.get $function)))
          (else (return (call $interpret (local.get $function) (local.get $fp)))))))
    (block $4 (block $3 (block $2 (block $1 (block $0
      (br_table $0 $1 $2 $3 $4 (i32.load offset=8 (local.get $function))))
      (return (call_indirect $compiled (type $f0) (i32.shr_u (local.get $function) (i32.const 5)))))
      (return (call_indirect $compiled (type $f1) (i64.load (local.get $fp)) (i32.shr_u (local.get $function) (i32.const 5)))))
      (return (call_indirect $compiled (type $f2) (i64.load (local.get $fp)) (i64.load offset=8 (local.get $fp))
        (i32.shr_u (local.get $function) (i32.const 5)))))
      (return (call_indirect $compiled (type $f3) (i64.load (local.get $fp)) (i64.load offset=8 (local.get $fp)) (i64.load offset=16 (local.get $fp))
        (i32.shr_u (local.get $function) (i32.const 5)))))
    (call_indirect $compiled (type $f4) (i64.load (local.get $fp)) (i64.load offset=8 (local.get $fp)) (i64.load offset=16 (local.get $fp))
      (i64.load offset=24 (local.get $fp)) (i32.shr_u (local.get $function) (i32.const 5))))

  ;; Where the local is that an instruction names.
  (func $local (param $pc i32) (param $fp i32) (result i32)
    (i32.add (local.get $fp) (i32.shl (i32.load offset=4 (local.get $pc)) (i32.const 3))))

  (func $interpret (param $function i32) (param $fp i32) (result i64)
    (local $pc i32) (local $sp i32) (local $callee i32)
    ;; The frame: locals, then operands. $sp is where the topmost operand is.
    (local.set $sp (i32.add (local.get $fp) (i32.shl (i32.sub (i32.load offset=12 (local.get $function)) (i32.const 1)) (i32.const 3))))
    (local.set $pc (i32.add (local.get $fp) (i32.shl (i32.load offset=8 (local.get $function)) (i32.const 3))))
    (memory.fill (local.get $pc) (i32.const 0) (i32.sub (i32.add (local.get $sp) (i32.const 8)) (local.get $pc)))
    (local.set $pc (i32.load (local.get $function)))
    (loop $next
      (block $step
      (block $print (block $drop (block $return (block $call (block $again (block $while (block $loop (block $end (block $else (block $if (block $store (block $load (block $ge (block $gt (block $le
      (block $lt (block $ne (block $eq (block $shr (block $shl (block $xor (block $or (block $and (block $rem (block $div (block $mul (block $sub (block $add (block $set (block $get (block $const
        (br_table $const $get $set $add $sub $mul $div $rem $and $or $xor $shl $shr $eq $ne $lt
          $le $gt $ge $load $store $if $else $end $loop $while $again $call $return $drop $print (i32.load (local.get $pc))))
        ;; const
        (local.set $sp (i32.add (local.get $sp) (i32.const 8)))
        (i64.store (local.get $sp) (i64.load32_s offset=4 (local.get $pc)))
        (br $step))
        ;; get
        (local.set $sp (i32.add (local.get $sp) (i32.const 8)))
        (i64.store (local.get $sp) (i64.load (call $local (local.get $pc) (local.get $fp))))
        (br $step))
        ;; set
        (i64.store (call $local (local.get $pc) (local.get $fp)) (i64.load (local.get $sp)))
        (local.set $sp (i32.sub (local.get $sp) (i32.const 8)))
        (br $step))
        ;; add
        (local.set $sp (i32.sub (local.get $sp) (i32.const 8)))
        (i64.store (local.get $sp) (i64.add (i64.load (local.get $sp)) (i64.load offset=8 (local.get $sp))))
        (br $step))
        ;; sub
        (local.set $sp (i32.sub (local.get $sp) (i32.const 8)))
        (i64.store (local.get $sp) (i64.sub (i64.load (local.get $sp)) (i64.load offset=8 (local.get $sp))))
        (br $step))
        ;; mul
        (local.set $sp (i32.sub (local.get $sp) (i32.const 8)))
        (i64.store (local.get $sp) (i64.mul (i64.load (local.get $sp)) (i64.load offset=8 (local.get $sp))))
        (br $step))
        ;; div
        (local.set $sp (i32.sub (local.get $sp) (i32.const 8)))
        (i64.store (local.get $sp) (i64.div_s (i64.load (local.get $sp)) (i64.load offset=8 (local.get $sp))))
        (br $step))
        ;; rem
        (local.set $sp (i32.sub (local.get $sp) (i32.const 8)))
        (i64.store (local.get $sp) (i64.rem_s (i64.load (local.get $sp)) (i64.load offset=8 (local.get $sp))))
        (br $step))
        ;; and
        (local.set $sp (i32.sub (local.get $sp) (i32.const 8)))
        (i64.store (local.get $sp) (i64.and (i64.load (local.get $sp)) (i64.load offset=8 (local.get $sp))))
        (br $step))
        ;; or
        (local.set $sp (i32.sub (local.get $sp) (i32.const 8)))
        (i64.store (local.get $sp) (i64.or (i64.load (local.get $sp)) (i64.load offset=8 (local.get $sp))))
        (br $step))
        ;; xor
        (local.set $sp (i32.sub (local.get $sp) (i32.const 8)))
        (i64.store (local.get $sp) (i64.xor (i64.load (local.get $sp)) (i64.load offset=8 (local.get $sp))))
        (br $step))
        ;; shl
        (local.set $sp (i32.sub (local.get $sp) (i32.const 8)))
        (i64.store (local.get $sp) (i64.shl (i64.load (local.get $sp)) (i64.load offset=8 (local.get $sp))))
        (br $step))
        ;; shr
        (local.set $sp (i32.sub (local.get $sp) (i32.const 8)))
        (i64.store (local.get $sp) (i64.shr_s (i64.load (local.get $sp)) (i64.load offset=8 (local.get $sp))))
        (br $step))
        ;; eq
        (local.set $sp (i32.sub (local.get $sp) (i32.const 8)))
        (i64.store (local.get $sp) (i64.extend_i32_u (i64.eq (i64.load (local.get $sp)) (i64.load offset=8 (local.get $sp)))))
        (br $step))
        ;; ne
        (local.set $sp (i32.sub (local.get $sp) (i32.const 8)))
        (i64.store (local.get $sp) (i64.extend_i32_u (i64.ne (i64.load (local.get $sp)) (i64.load offset=8 (local.get $sp)))))
        (br $step))
        ;; lt
        (local.set $sp (i32.sub (local.get $sp) (i32.const 8)))
        (i64.store (local.get $sp) (i64.extend_i32_u (i64.lt_s (i64.load (local.get $sp)) (i64.load offset=8 (local.get $sp)))))
        (br $step))
        ;; le
        (local.set $sp (i32.sub (local.get $sp) (i32.const 8)))
        (i64.store (local.get $sp) (i64.extend_i32_u (i64.le_s (i64.load (local.get $sp)) (i64.load offset=8 (local.get $sp)))))
        (br $step))
        ;; gt
        (local.set $sp (i32.sub (local.get $sp) (i32.const 8)))
        (i64.store (local.get $sp) (i64.extend_i32_u (i64.gt_s (i64.load (local.get $sp)) (i64.load offset=8 (local.get $sp)))))
        (br $step))
        ;; ge
        (local.set $sp (i32.sub (local.get $sp) (i32.const 8)))
        (i64.store (local.get $sp) (i64.extend_i32_u (i64.ge_s (i64.load (local.get $sp)) (i64.load offset=8 (local.get $sp)))))
        (br $step))
        ;; load
        (i64.store (local.get $sp) (i64.load $data (i32.shl (i32.wrap_i64 (i64.load (local.get $sp))) (i32.const 3))))
        (br $step))
        ;; store
        (local.set $sp (i32.sub (local.get $sp) (i32.const 16)))
        (i64.store $data (i32.shl (i32.wrap_i64 (i64.load offset=8 (local.get $sp))) (i32.const 3)) (i64.load offset=16 (local.get $sp)))
        (br $step))
        ;; if
        (local.set $sp (i32.sub (local.get $sp) (i32.const 8)))
        (br_if $step (i64.ne (i64.load offset=8 (local.get $sp)) (i64.const 0)))
        (local.set $pc (i32.load offset=4 (local.get $pc)))
        (br $next))
        ;; else
        (local.set $pc (i32.load offset=4 (local.get $pc)))
        (br $next))
        ;; end
        (br $step))
        ;; loop
        (if (i32.load offset=12 (local.get $pc))
          (then
            ;; The loop has code: it works on the frame, and says whether the function has returned.
            (if (call_indirect $compiled (type $loop) (local.get $fp) (i32.load offset=12 (local.get $pc)))
              (then (return (i64.load (local.get $fp)))))
            (local.set $pc (i32.load offset=4 (local.get $pc)))
            (br $next)))
        (i32.store offset=8 (local.get $pc) (i32.add (i32.load offset=8 (local.get $pc)) (i32.const 1)))
        (if (i32.and (global.get $jit) (i32.gt_u (i32.load offset=8 (local.get $pc)) (global.get $hot_loop)))
          (then
            (call $compile_loop (local.get $pc) (i32.load offset=12 (local.get $function)))
            (br $next)))
        (local.set $pc (i32.add (local.get $pc) (i32.const 16)))
        (br $next))
        ;; while
        (local.set $sp (i32.sub (local.get $sp) (i32.const 8)))
        (br_if $step (i64.ne (i64.load offset=8 (local.get $sp)) (i64.const 0)))
        (local.set $pc (i32.load offset=4 (local.get $pc)))
        (br $next))
        ;; again
        (local.set $pc (i32.load offset=4 (local.get $pc)))
        (br $next))
        ;; call
        (local.set $callee (i32.shl (i32.load offset=4 (local.get $pc)) (i32.const 5)))
        ;; The arguments are the first locals of the callee.
        (local.set $sp (i32.sub (local.get $sp) (i32.shl (i32.sub (i32.load offset=8 (local.get $callee)) (i32.const 1)) (i32.const 3))))
        (i64.store (local.get $sp) (call $enter (local.get $callee) (local.get $sp)))
        (br $step))
        ;; return
        (return (i64.load (local.get $sp))))
        ;; drop
        (local.set $sp (i32.sub (local.get $sp) (i32.const 8)))
        (br $step))
        ;; print
        (call $print (i64.load (local.get $sp)))
        (local.set $sp (i32.sub (local.get $sp) (i32.const 8)))
      )
      (local.set $pc (i32.add (local.get $pc) (i32.const 8)))
      (br $next))
    (unreachable))

  ;; ---- the compiler ----

  ;; Where the next byte of code goes, and where it went when the last instruction was a comparison.
  (global $out (mut i32) (i32.const 0))
  (global $compared (mut i32) (i32.const 0))

  (func $byte (param i32)
    (i32.store8 (global.get $out) (local.get 0))
    (global.set $out (i32.add (global.get $out) (i32.const 1))))
  (func $two (param i32 i32) (call $byte (local.get 0)) (call $byte (local.get 1)))

  ;; Numbers as WebAssembly has them: seven bits a byte.
  (func $unsigned (param $n i32)
    (loop $more
      (if (i32.ge_u (local.get $n) (i32.const 128))
        (then
          (call $byte (i32.or (i32.and (local.get $n) (i32.const 127)) (i32.const 128)))
          (local.set $n (i32.shr_u (local.get $n) (i32.const 7)))
          (br $more))))
    (call $byte (local.get $n)))
  (func $signed (param $n i32)
    (loop $more
      (if (i32.ge_u (i32.add (local.get $n) (i32.const 64)) (i32.const 128))
        (then
          (call $byte (i32.or (i32.and (local.get $n) (i32.const 127)) (i32.const 128)))
          (local.set $n (i32.shr_s (local.get $n) (i32.const 7)))
          (br $more))))
    (call $byte (i32.and (local.get $n) (i32.const 127))))

  ;; The opcodes of WebAssembly for add to ge.
  (data (i32.const 16368) "\7c\7d\7e\7f\81\83\84\85\86\87\51\52\53\57\55\59")

  ;; i32.wrap_i64, i32.const 3, i32.shl: the address of a word.
  (func $address (call $two (i32.const 0xa7) (i32.const 0x41)) (call $two (i32.const 3) (i32.const 0x74)))

  ;; The operand as a condition: what a comparison has just extended need not be compared with zero.
  (func $condition
    (if (i32.eq (global.get $compared) (global.get $out))
      (then (global.set $out (i32.sub (global.get $out) (i32.const 1))))
      (else (call $two (i32.const 0x42) (i32.const 0)) (call $byte (i32.const 0x52)))))

  ;; A load or store of a local's word in the frame.
  (func $framed (param $op i32) (param $local i32)
    (call $two (local.get $op) (i32.const 0x43))
    (call $byte (i32.const 1))
    (call $unsigned (i32.shl (local.get $local) (i32.const 3))))

  ;; Writes the instructions of a function or of one of its loops. $base is the number of local 0 in the code: 1 in a loop, whose local 0 is the frame.
  (func $translate (param $pc i32) (param $end i32) (param $base i32) (param $temp i32) (param $self i32)
    (local $op i32) (local $n i32)
    (loop $next
      (if (i32.ge_u (local.get $pc) (local.get $end)) (then (return)))
      (local.set $op (i32.load (local.get $pc)))
      (local.set $n (i32.load offset=4 (local.get $pc)))
      (block $step
        (if (i32.eqz (local.get $op)) (then (call $byte (i32.const 0x42)) (call $signed (local.get $n)) (br $step)))
        (if (i32.eq (local.get $op) (i32.const 1)) (then (call $byte (i32.const 0x20)) (call $unsigned (i32.add (local.get $n) (local.get $base))) (br $step)))
        (if (i32.eq (local.get $op) (i32.const 2)) (then (call $byte (i32.const 0x21)) (call $unsigned (i32.add (local.get $n) (local.get $base))) (br $step)))
        (if (i32.lt_u (local.get $op) (i32.const 19))
          (then
            (call $byte (i32.load8_u offset=16365 (local.get $op)))
            (br_if $step (i32.lt_u (local.get $op) (i32.const 13)))
            ;; Comparisons give an i32; values are i64.
            (call $byte (i32.const 0xad))
            (global.set $compared (global.get $out))
            (br $step)))
        (block $print (block $drop (block $return (block $call (block $again (block $while (block $loop (block $close (block $else (block $if (block $store (block $load
          (br_table $load $store $if $else $close $loop $while $again $call $return $drop $print (i32.sub (local.get $op) (i32.const 19))))
          ;; load
          (call $address)
          (call $two (i32.const 0x29) (i32.const 3))
          (call $byte (i32.const 0))
          (br $step))
          ;; store: the address is below the value, which waits in a local
          (call $byte (i32.const 0x21))
          (call $unsigned (local.get $temp))
          (call $address)
          (call $byte (i32.const 0x20))
          (call $unsigned (local.get $temp))
          (call $two (i32.const 0x37) (i32.const 3))
          (call $byte (i32.const 0))
          (br $step))
          ;; if
          (call $condition)
          (call $two (i32.const 0x04) (i32.const 0x40))
          (br $step))
          (call $byte (i32.const 0x05))
          (br $step))
          (call $byte (i32.const 0x0b))
          (br $step))
          ;; loop: a block to leave it by
          (call $two (i32.const 0x02) (i32.const 0x40))
          (call $two (i32.const 0x03) (i32.const 0x40))
          (local.set $pc (i32.add (local.get $pc) (i32.const 8)))
          (br $step))
          ;; while
          (call $condition)
          (call $byte (i32.const 0x45))
          (call $two (i32.const 0x0d) (i32.const 1))
          (br $step))
          ;; again
          (call $two (i32.const 0x0c) (i32.const 0))
          (call $two (i32.const 0x0b) (i32.const 0x0b))
          (br $step))
          ;; call: the function itself directly, others through the table
          (if (i32.eq (local.get $n) (local.get $self))
            (then (call $two (i32.const 0x10) (i32.const 1)))
            (else
              (call $byte (i32.const 0x41))
              (call $signed (local.get $n))
              (call $two (i32.const 0x11) (i32.load offset=8 (i32.shl (local.get $n) (i32.const 5))))
              (call $byte (i32.const 0))))
          (br $step))
          ;; return: from a loop the result goes to the frame
          (if (local.get $base)
            (then
              (call $byte (i32.const 0x21))
              (call $unsigned (local.get $temp))
              (call $two (i32.const 0x20) (i32.const 0))
              (call $byte (i32.const 0x20))
              (call $unsigned (local.get $temp))
              (call $framed (i32.const 0x37) (i32.const 0))
              (call $two (i32.const 0x41) (i32.const 1))))
          (call $byte (i32.const 0x0f))
          (br $step))
          (call $byte (i32.const 0x1a))
          (br $step))
          ;; print
          (call $two (i32.const 0x10) (i32.const 0)))
      (local.set $pc (i32.add (local.get $pc) (i32.const 8)))
      (br $next)))

  ;; Compiles what a piece of bytecode calls, so that it finds everything in the table.
  (func $compile_callees (param $pc i32) (param $end i32)
    (local $callee i32)
    (loop $next
      (if (i32.ge_u (local.get $pc) (local.get $end)) (then (return)))
      (if (i32.eq (i32.load (local.get $pc)) (i32.const 27))
        (then
          (local.set $callee (i32.shl (i32.load offset=4 (local.get $pc)) (i32.const 5)))
          (if (i32.eqz (i32.load offset=20 (local.get $callee))) (then (call $compile (local.get $callee))))))
      (local.set $pc (i32.add (local.get $pc) (select (i32.const 16) (i32.const 8) (i32.eq (i32.load (local.get $pc)) (i32.const 24)))))
      (br $next)))

  ;; Begins a body: a number of locals, all i64.
  (func $begin (param $locals i32)
    (global.set $out (i32.const 131072))
    (global.set $compared (i32.const 0))
    (call $byte (i32.const 1))
    (call $unsigned (local.get $locals))
    (call $byte (i32.const 0x7e)))

  (func $length (result i32)
    (global.set $made (i32.add (global.get $made) (i32.const 1)))
    (i32.sub (global.get $out) (i32.const 131072)))

  ;; Makes a function of a function's bytecode. Its locals are the function's, and one more. What is hot here is to become machine code without a second
  ;; proof of it.
  (func $compile (param $function i32)
    (local $name i32) (local $name_length i32) (local $locals i32)
    (i32.store offset=20 (local.get $function) (i32.const 1))
    (call $compile_callees (i32.load (local.get $function)) (i32.load offset=4 (local.get $function)))
    (local.set $locals (i32.load offset=12 (local.get $function)))
    (call $begin (i32.add (i32.sub (local.get $locals) (i32.load offset=8 (local.get $function))) (i32.const 1)))
    (call $translate (i32.load (local.get $function)) (i32.load offset=4 (local.get $function)) (i32.const 0) (local.get $locals)
      (i32.shr_u (local.get $function) (i32.const 5)))
    ;; The last instruction is a return.
    (call $byte (i32.const 0x0b))
    (local.set $name (i32.load offset=24 (local.get $function)))
    (local.set $name_length (i32.load offset=28 (local.get $function)))
    (table.set $compiled (i32.shr_u (local.get $function) (i32.const 5))
      (block $made (result funcref)
        (block $4 (block $3 (block $2 (block $1 (block $0
          (br_table $0 $1 $2 $3 $4 (i32.load offset=8 (local.get $function))))
          (br $made (func.new_named $f0 $code (local.get $name) (local.get $name_length) (i32.const 131072) (call $length))))
          (br $made (func.new_named $f1 $code (local.get $name) (local.get $name_length) (i32.const 131072) (call $length))))
          (br $made (func.new_named $f2 $code (local.get $name) (local.get $name_length) (i32.const 131072) (call $length))))
          (br $made (func.new_named $f3 $code (local.get $name) (local.get $name_length) (i32.const 131072) (call $length))))
        (func.new_named $f4 $code (local.get $name) (local.get $name_length) (i32.const 131072) (call $length))))
    (func.optimize (table.get $compiled (i32.shr_u (local.get $function) (i32.const 5)))))

  ;; Makes a function of a loop that is running: it takes the locals out of the frame, and puts them back behind the loop. So a function that is called
  ;; once, and loops, is compiled, too.
  (func $compile_loop (param $pc i32) (param $locals i32)
    (local $i i32)
    (call $compile_callees (local.get $pc) (i32.load offset=4 (local.get $pc)))
    (call $begin (i32.add (local.get $locals) (i32.const 1)))
    (loop $next
      (if (i32.lt_u (local.get $i) (local.get $locals))
        (then
          (call $two (i32.const 0x20) (i32.const 0))
          (call $framed (i32.const 0x29) (local.get $i))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (call $byte (i32.const 0x21))
          (call $unsigned (local.get $i))
          (br $next))))
    (call $translate (local.get $pc) (i32.load offset=4 (local.get $pc)) (i32.const 1) (i32.add (local.get $locals) (i32.const 1)) (i32.const -1))
    (local.set $i (i32.const 0))
    (loop $next
      (if (i32.lt_u (local.get $i) (local.get $locals))
        (then
          (call $two (i32.const 0x20) (i32.const 0))
          (call $byte (i32.const 0x20))
          (call $unsigned (i32.add (local.get $i) (i32.const 1)))
          (call $framed (i32.const 0x37) (local.get $i))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br $next))))
    (call $two (i32.const 0x41) (i32.const 0))
    (call $byte (i32.const 0x0b))
    (table.set $compiled (global.get $loops) (func.new $loop $code (i32.const 131072) (call $length)))
    (func.optimize (table.get $compiled (global.get $loops)))
    (i32.store offset=12 (local.get $pc) (global.get $loops))
    (global.set $loops (i32.add (global.get $loops) (i32.const 1)))))
