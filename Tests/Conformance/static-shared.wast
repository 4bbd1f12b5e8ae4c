;; Shared-everything linking: two programs, each with a libc and so a memory of its own, over the same library modules. Then
;; link-time virtualisation: a parent that gives its child other file operations than it has itself.

(module definition $libc
  (memory (export "memory") 1)
  (global $brk (mut i32) (i32.const 1024))
  (func (export "malloc") (param $n i32) (result i32) (local $p i32)
    (local.set $p (global.get $brk))
    (global.set $brk (i32.add (local.get $p) (i32.and (i32.add (local.get $n) (i32.const 7)) (i32.const -8))))
    (local.get $p)))

;; "zip": run lengths, pairs of (count, byte). Gives a fresh block; its length in the first word of it.
(module definition $libzip
  (import "libc" (instance $libc
    (export "memory" (memory 1))
    (export "malloc" (func (param i32) (result i32)))))
  (alias $libc "memory" (memory))
  (global $calls (mut i32) (i32.const 0))
  (func (export "zip") (param $in i32) (param $n i32) (result i32)
    (local $out i32) (local $at i32) (local $end i32) (local $run i32) (local $byte i32)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (local.set $out (call (func $libc "malloc") (i32.add (i32.const 4) (i32.mul (local.get $n) (i32.const 2)))))
    (local.set $at (i32.add (local.get $out) (i32.const 4)))
    (local.set $end (i32.add (local.get $in) (local.get $n)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $in) (local.get $end)))
        (local.set $byte (i32.load8_u (local.get $in)))
        (local.set $run (i32.const 0))
        (block $stop
          (loop $more
            (br_if $stop (i32.ge_u (local.get $in) (local.get $end)))
            (br_if $stop (i32.ne (i32.load8_u (local.get $in)) (local.get $byte)))
            (local.set $run (i32.add (local.get $run) (i32.const 1)))
            (local.set $in (i32.add (local.get $in) (i32.const 1)))
            (br $more)))
        (i32.store8 (local.get $at) (local.get $run))
        (i32.store8 offset=1 (local.get $at) (local.get $byte))
        (local.set $at (i32.add (local.get $at) (i32.const 2)))
        (br $next)))
    (i32.store (local.get $out) (i32.sub (i32.sub (local.get $at) (local.get $out)) (i32.const 4)))
    (local.get $out))
  (func (export "calls") (result i32) (global.get $calls)))

;; "img": makes a picture of equal pixels and compresses it with the program's own libzip.
(module definition $libimg
  (import "libc" (instance $libc
    (export "memory" (memory 1))
    (export "malloc" (func (param i32) (result i32)))))
  (import "libzip" (instance $libzip (export "zip" (func (param i32 i32) (result i32)))))
  (alias $libc "memory" (memory))
  (func (export "compress") (param $pixel i32) (param $n i32) (result i32) (local $p i32)
    (local.set $p (call (func $libc "malloc") (local.get $n)))
    (memory.fill (local.get $p) (local.get $pixel) (local.get $n))
    (call (func $libzip "zip") (local.get $p) (local.get $n))))

;; The programs import modules, not instances: each makes its own.
(module definition $zipper
  (type $Libc (instance (export "memory" (memory 1)) (export "malloc" (func (param i32) (result i32)))))
  (type $LibZip (instance (export "zip" (func (param i32 i32) (result i32))) (export "calls" (func (result i32)))))
  (import "libc" (module $LIBC (export $Libc)))
  (import "libzip" (module $LIBZIP (import "libc" (instance (type $Libc))) (export $LibZip)))
  (instance $libc (instantiate $LIBC))
  (instance $libzip (instantiate $LIBZIP (import "libc" (instance $libc))))
  (alias $libc "memory" (memory))
  (export "memory" (memory 0))
  (export "calls" (func $libzip "calls"))
  (func (export "main") (result i32) (local $in i32) (local $out i32)
    (local.set $in (call (func $libc "malloc") (i32.const 6)))
    (i32.store (local.get $in) (i32.const 0x61616161))
    (i32.store16 offset=4 (local.get $in) (i32.const 0x6262))
    (local.set $out (call (func $libzip "zip") (local.get $in) (i32.const 6)))
    ;; length, count and byte of the second run
    (i32.add (i32.mul (i32.load (local.get $out)) (i32.const 10000)) (i32.load16_u offset=6 (local.get $out)))))

(module definition $imgmgk
  (type $Libc (instance (export "memory" (memory 1)) (export "malloc" (func (param i32) (result i32)))))
  (type $LibZip (instance (export "zip" (func (param i32 i32) (result i32))) (export "calls" (func (result i32)))))
  (type $LibImg (instance (export "compress" (func (param i32 i32) (result i32)))))
  (import "libc" (module $LIBC (export $Libc)))
  (import "libzip" (module $LIBZIP (import "libc" (instance (type $Libc))) (export $LibZip)))
  (import "libimg" (module $LIBIMG
    (import "libc" (instance (type $Libc))) (import "libzip" (instance (export "zip" (func (param i32 i32) (result i32)))))
    (export $LibImg)))
  (instance $libc (instantiate $LIBC))
  (instance $libzip (instantiate $LIBZIP (import "libc" (instance $libc))))
  (instance $libimg (instantiate $LIBIMG (import "libc" (instance $libc)) (import "libzip" (instance $libzip))))
  (alias $libc "memory" (memory))
  (export "memory" (memory 0))
  (export "calls" (func $libzip "calls"))
  (func (export "main") (result i32)
    (i32.load16_u offset=4 (call (func $libimg "compress") (i32.const 5) (i32.const 100)))))

(register "libc" $libc)
(register "libzip" $libzip)
(register "libimg" $libimg)
(register "zipper" $zipper)
(register "imgmgk" $imgmgk)

;; Both in one application: five modules, seven instances.
(module $application
  (type $Libc (instance (export "memory" (memory 1)) (export "malloc" (func (param i32) (result i32)))))
  (type $LibZip (instance (export "zip" (func (param i32 i32) (result i32))) (export "calls" (func (result i32)))))
  (type $LibC (module (export $Libc)))
  (type $Zip (module (import "libc" (instance (type $Libc))) (export $LibZip)))
  (type $Img (module
    (import "libc" (instance (type $Libc))) (import "libzip" (instance (export "zip" (func (param i32 i32) (result i32)))))
    (export "compress" (func (param i32 i32) (result i32)))))
  (type $Program (instance (export "main" (func (result i32))) (export "memory" (memory 1)) (export "calls" (func (result i32)))))
  (import "libc" (module $LIBC (type $LibC)))
  (import "libzip" (module $LIBZIP (type $Zip)))
  (import "libimg" (module $LIBIMG (type $Img)))
  (import "zipper" (module $ZIPPER (import "libc" (module (type $LibC))) (import "libzip" (module (type $Zip))) (export $Program)))
  (import "imgmgk" (module $IMGMGK
    (import "libc" (module (type $LibC))) (import "libzip" (module (type $Zip))) (import "libimg" (module (type $Img)))
    (export $Program)))
  (instance $zipper (export "zipper") (instantiate $ZIPPER (import "libc" (module $LIBC)) (import "libzip" (module $LIBZIP))))
  (instance $imgmgk (export "imgmgk") (instantiate $IMGMGK
    (import "libc" (module $LIBC)) (import "libzip" (module $LIBZIP)) (import "libimg" (module $LIBIMG))))
  (func (export "zip") (result i32) (call (func $zipper "main")))
  (func (export "img") (result i32) (call (func $imgmgk "main")))
  (func (export "zip calls") (result i32) (call (func $zipper "calls")))
  (func (export "img calls") (result i32) (call (func $imgmgk "calls")))
  (func (export "zip at") (param i32) (result i32) (i32.load (memory $zipper "memory") (local.get 0)))
  (func (export "img at") (param i32) (result i32) (i32.load (memory $imgmgk "memory") (local.get 0))))
(assert_return (invoke "zip") (i32.const 65090))      ;; 4 bytes: 4 times a, 2 times b: 40000 + 0x6202
(assert_return (invoke "zip calls") (i32.const 1))
(assert_return (invoke "img calls") (i32.const 0))    ;; the other program's library has not been called
(assert_return (invoke "img at" (i32.const 1024)) (i32.const 0))
(assert_return (invoke "img") (i32.const 0x0564))     ;; 100 times the pixel 5
(assert_return (invoke "img calls") (i32.const 1))
(assert_return (invoke "zip calls") (i32.const 1))
(assert_return (invoke "zip at" (i32.const 1024)) (i32.const 0x61616161))
(assert_return (invoke "img at" (i32.const 1024)) (i32.const 0x05050505))

;; A newer libc with more exports serves the modules that were made for the older one.
(module definition $libc11
  (memory (export "memory") 1 10)
  (func (export "free") (param i32))
  (func (export "malloc") (param i32) (result i32) (i32.const 4096)))
(register "libc-1.1.0" $libc11)
(module
  (import "libc-1.1.0" (module $LIBC
    (memory (export "memory") 1)
    (func (export "malloc") (param i32) (result i32))
    (func (export "free") (param i32))))
  (import "libzip" (module $LIBZIP
    (import "libc" (instance (memory (export "memory") 1) (func (export "malloc") (param i32) (result i32))))
    (export "zip" (func (param i32 i32) (result i32)))))
  (instance $libc (instantiate $LIBC))
  (instance $libzip (instantiate $LIBZIP (import "libc" (instance $libc))))
  (func (export "main") (result i32) (call (func $libzip "zip") (i32.const 0) (i32.const 3))))
(assert_return (invoke "main") (i32.const 4096))

;; Two libraries that need each other: calls one way through imports, the other way through a table.
(module
  (module $LIBC (table (export "table") 4 funcref))
  (module $A
    (import "libc" (instance $libc (export "table" (table 4 funcref))))
    (import "bar-index" (global $bar (mut i32)))
    (type $Foo (func (param i32) (result i32)))
    (func (export "foo") (type $Foo) (i32.add (i32.const 1) (call_indirect (table $libc "table") (type $Foo) (local.get 0) (global.get $bar)))))
  (module $Globals (global (export "bar-index") (mut i32) (i32.const 0)))
  (instance $libc (instantiate $LIBC))
  (instance $g (instantiate $Globals))
  (instance $a (instantiate $A (import "libc" (instance $libc)) (import "bar-index" (global $g "bar-index"))))
  (func $bar (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
  (elem (table $libc "table") (i32.const 3) func $bar)
  (func $start (global.set (global $g "bar-index") (i32.const 3)))
  (start $start)
  (func (export "run") (param i32) (result i32) (call (func $a "foo") (local.get 0))))
(assert_return (invoke "run" (i32.const 20)) (i32.const 41))

;; ---- virtualisation ----
;; The real files: a counter of calls, and reads that give what was asked for.
(module $real
  (global $n (mut i32) (i32.const 0))
  (func (export "read") (param i32 i32 i32) (result i32) (global.set $n (i32.add (global.get $n) (i32.const 1))) (local.get 2))
  (func (export "write") (param i32 i32 i32) (result i32) (global.set $n (i32.add (global.get $n) (i32.const 1))) (local.get 2))
  (func (export "calls") (result i32) (global.get $n)))
(register "wasi_file" $real)
(module definition $child
  (import "wasi_file" (instance $wasi
    (export "read" (func (param i32 i32 i32) (result i32)))
    (export "write" (func (param i32 i32 i32) (result i32)))))
  (func (export "play") (param $n i32) (result i32)
    (i32.add (call (func $wasi "read") (i32.const 3) (i32.const 0) (local.get $n))
      (call (func $wasi "write") (i32.const 4) (i32.const 0) (local.get $n)))))
;; Halves what is read, and does away with what is written.
(module definition $virtualize
  (type $WasiFile (instance
    (export "read" (func (param i32 i32 i32) (result i32)))
    (export "write" (func (param i32 i32 i32) (result i32)))))
  (import "wasi_file" (instance $wasi (type $WasiFile)))
  (func (export "read") (param i32 i32 i32) (result i32)
    (i32.shr_u (call (func $wasi "read") (local.get 0) (local.get 1) (local.get 2)) (i32.const 1)))
  (func (export "write") (param i32 i32 i32) (result i32) (i32.const 0)))
(register "child" $child)
(register "virtualize" $virtualize)
(module $PARENT
  (type $WasiFile (instance
    (export "read" (func (param i32 i32 i32) (result i32)))
    (export "write" (func (param i32 i32 i32) (result i32)))))
  (import "wasi_file" (instance $real-wasi (type $WasiFile)))
  (import "virtualize" (module $VIRTUALIZE
    (import "wasi_file" (instance (type outer $PARENT $WasiFile)))
    (export (type outer $PARENT $WasiFile))))
  (import "child" (module $CHILD
    (import "wasi_file" (instance (type outer $PARENT $WasiFile)))
    (export "play" (func (param i32) (result i32)))))
  (instance $virt-wasi (instantiate $VIRTUALIZE (import "wasi_file" (instance $real-wasi))))
  (instance $twice (instantiate $VIRTUALIZE (import "wasi_file" (instance $virt-wasi))))
  (instance $real-child (instantiate $CHILD (import "wasi_file" (instance $real-wasi))))
  (instance $child (instantiate $CHILD (import "wasi_file" (instance $virt-wasi))))
  (instance $grandchild (instantiate $CHILD (import "wasi_file" (instance $twice))))
  (func (export "real") (result i32) (call (func $real-child "play") (i32.const 100)))
  (func (export "work") (result i32) (call (func $child "play") (i32.const 100)))
  (func (export "deeper") (result i32) (call (func $grandchild "play") (i32.const 100))))
(assert_return (invoke "real") (i32.const 200))
(assert_return (invoke $real "calls") (i32.const 2))
(assert_return (invoke "work") (i32.const 50))
(assert_return (invoke $real "calls") (i32.const 3))
(assert_return (invoke "deeper") (i32.const 25))

;; The same bundled: the child cannot name anything but what it is given.
(module
  (type $WasiFile (instance (export "read" (func (param i32 i32 i32) (result i32))) (export "write" (func (param i32 i32 i32) (result i32)))))
  (module $IN_MEMORY
    (func (export "read") (param i32 i32 i32) (result i32) (i32.const 7))
    (func (export "write") (param i32 i32 i32) (result i32) (i32.const 8)))
  (import "child" (module $CHILD (import "wasi_file" (instance (type $WasiFile))) (export "play" (func (param i32) (result i32)))))
  (instance $files (instantiate $IN_MEMORY))
  (instance $child (instantiate $CHILD (import "wasi_file" (instance $files))))
  (func (export "work") (result i32) (call (func $child "play") (i32.const 100))))
(assert_return (invoke "work") (i32.const 15))
(assert_return (invoke $real "calls") (i32.const 4))
;; Fewer operations than the child needs are too few.
(assert_invalid
  (module
    (module $IN_MEMORY (func (export "read") (param i32 i32 i32) (result i32) (i32.const 7)))
    (import "child" (module $CHILD
      (import "wasi_file" (instance (export "read" (func (param i32 i32 i32) (result i32))) (export "write" (func (param i32 i32 i32) (result i32)))))
      (export "play" (func (param i32) (result i32)))))
    (instance $files (instantiate $IN_MEMORY))
    (instance $child (instantiate $CHILD (import "wasi_file" (instance $files)))))
  "type mismatch: the import \"wasi_file\"")
