;; GC: a hash map whose entries are linked in the order of insertion, as in many languages' libraries. Keys are boxed and
;; compared through a cast, because the map is generic: any reference can be a key.
(module
  (type $key (sub final (struct (field $value i64))))
  (type $entry (struct
    (field $hash i32)
    (field $key (ref eq))
    (field $value (mut i64))
    (field $next (mut (ref null $entry)))
    (field $before (mut (ref null $entry)))
    (field $after (mut (ref null $entry)))))
  (type $buckets (array (mut (ref null $entry))))
  (type $map (struct
    (field $buckets (mut (ref $buckets)))
    (field $count (mut i32))
    (field $first (mut (ref null $entry)))
    (field $last (mut (ref null $entry)))))

  (func $hash (param $key (ref eq)) (result i32)
    (local $x i64)
    (local.set $x
      (i64.mul (struct.get $key $value (ref.cast (ref $key) (local.get $key))) (i64.const 0x9e3779b97f4a7c15)))
    (i32.wrap_i64 (i64.xor (local.get $x) (i64.shr_u (local.get $x) (i64.const 32)))))

  (func $same (param $a (ref eq)) (param $b (ref eq)) (result i32)
    (if (ref.eq (local.get $a) (local.get $b)) (then (return (i32.const 1))))
    (if (i32.eqz (ref.test (ref $key) (local.get $b))) (then (return (i32.const 0))))
    (i64.eq
      (struct.get $key $value (ref.cast (ref $key) (local.get $a)))
      (struct.get $key $value (ref.cast (ref $key) (local.get $b)))))

  (func $new (result (ref $map))
    (struct.new $map (array.new_default $buckets (i32.const 16)) (i32.const 0) (ref.null $entry) (ref.null $entry)))

  (func $find (param $map (ref $map)) (param $key (ref eq)) (param $hash i32) (result (ref null $entry))
    (local $entry (ref null $entry)) (local $buckets (ref $buckets))
    (local.set $buckets (struct.get $map $buckets (local.get $map)))
    (local.set $entry
      (array.get $buckets (local.get $buckets)
        (i32.and (local.get $hash) (i32.sub (array.len (local.get $buckets)) (i32.const 1)))))
    (block $end
      (loop $chain
        (br_if $end (ref.is_null (local.get $entry)))
        (if (i32.eq (struct.get $entry $hash (local.get $entry)) (local.get $hash))
          (then (br_if $end (call $same (struct.get $entry $key (local.get $entry)) (local.get $key)))))
        (local.set $entry (struct.get $entry $next (local.get $entry)))
        (br $chain)))
    (local.get $entry))

  (func $grow (param $map (ref $map))
    (local $buckets (ref $buckets)) (local $entry (ref null $entry)) (local $at i32)
    (local.set $buckets
      (array.new_default $buckets (i32.shl (array.len (struct.get $map $buckets (local.get $map))) (i32.const 1))))
    (local.set $entry (struct.get $map $first (local.get $map)))
    (block $end
      (loop $entries
        (br_if $end (ref.is_null (local.get $entry)))
        (local.set $at
          (i32.and
            (struct.get $entry $hash (local.get $entry)) (i32.sub (array.len (local.get $buckets)) (i32.const 1))))
        (struct.set $entry $next (local.get $entry) (array.get $buckets (local.get $buckets) (local.get $at)))
        (array.set $buckets (local.get $buckets) (local.get $at) (local.get $entry))
        (local.set $entry (struct.get $entry $after (local.get $entry)))
        (br $entries)))
    (struct.set $map $buckets (local.get $map) (local.get $buckets)))

  ;; Adds to the value of a key, which is 0 if it was not there.
  (func $add (param $map (ref $map)) (param $key (ref eq)) (param $value i64)
    (local $hash i32) (local $entry (ref null $entry)) (local $buckets (ref $buckets)) (local $at i32)
    (local.set $hash (call $hash (local.get $key)))
    (local.set $entry (call $find (local.get $map) (local.get $key) (local.get $hash)))
    (if (i32.eqz (ref.is_null (local.get $entry)))
      (then
        (struct.set $entry $value (local.get $entry)
          (i64.add (struct.get $entry $value (local.get $entry)) (local.get $value)))
        (return)))
    (if (i32.eq (struct.get $map $count (local.get $map)) (array.len (struct.get $map $buckets (local.get $map))))
      (then (call $grow (local.get $map))))
    (local.set $buckets (struct.get $map $buckets (local.get $map)))
    (local.set $at (i32.and (local.get $hash) (i32.sub (array.len (local.get $buckets)) (i32.const 1))))
    (local.set $entry
      (struct.new $entry
        (local.get $hash) (local.get $key) (local.get $value)
        (array.get $buckets (local.get $buckets) (local.get $at))
        (struct.get $map $last (local.get $map))
        (ref.null $entry)))
    (array.set $buckets (local.get $buckets) (local.get $at) (local.get $entry))
    (if (ref.is_null (struct.get $map $last (local.get $map)))
      (then (struct.set $map $first (local.get $map) (local.get $entry)))
      (else (struct.set $entry $after (struct.get $map $last (local.get $map)) (local.get $entry))))
    (struct.set $map $last (local.get $map) (local.get $entry))
    (struct.set $map $count (local.get $map) (i32.add (struct.get $map $count (local.get $map)) (i32.const 1))))

  ;; Removes a key if it is there; whether it was.
  (func $remove (param $map (ref $map)) (param $key (ref eq)) (result i32)
    (local $hash i32) (local $entry (ref null $entry)) (local $other (ref null $entry)) (local $at i32)
    (local $buckets (ref $buckets))
    (local.set $hash (call $hash (local.get $key)))
    (local.set $entry (call $find (local.get $map) (local.get $key) (local.get $hash)))
    (if (ref.is_null (local.get $entry)) (then (return (i32.const 0))))
    ;; Out of its bucket.
    (local.set $buckets (struct.get $map $buckets (local.get $map)))
    (local.set $at (i32.and (local.get $hash) (i32.sub (array.len (local.get $buckets)) (i32.const 1))))
    (local.set $other (array.get $buckets (local.get $buckets) (local.get $at)))
    (if (ref.eq (local.get $other) (local.get $entry))
      (then
        (array.set $buckets (local.get $buckets) (local.get $at) (struct.get $entry $next (local.get $entry))))
      (else
        (block $found
          (loop $chain
            (br_if $found (ref.eq (struct.get $entry $next (local.get $other)) (local.get $entry)))
            (local.set $other (struct.get $entry $next (local.get $other)))
            (br $chain)))
        (struct.set $entry $next (local.get $other) (struct.get $entry $next (local.get $entry)))))
    ;; Out of the list.
    (local.set $other (struct.get $entry $before (local.get $entry)))
    (if (ref.is_null (local.get $other))
      (then (struct.set $map $first (local.get $map) (struct.get $entry $after (local.get $entry))))
      (else (struct.set $entry $after (local.get $other) (struct.get $entry $after (local.get $entry)))))
    (local.set $other (struct.get $entry $after (local.get $entry)))
    (if (ref.is_null (local.get $other))
      (then (struct.set $map $last (local.get $map) (struct.get $entry $before (local.get $entry))))
      (else (struct.set $entry $before (local.get $other) (struct.get $entry $before (local.get $entry)))))
    (struct.set $map $count (local.get $map) (i32.sub (struct.get $map $count (local.get $map)) (i32.const 1)))
    (i32.const 1))

  ;; A hash of the entries in their order.
  (func $sum (param $map (ref $map)) (result i64)
    (local $entry (ref null $entry)) (local $sum i64)
    (local.set $entry (struct.get $map $first (local.get $map)))
    (block $end
      (loop $entries
        (br_if $end (ref.is_null (local.get $entry)))
        (local.set $sum
          (i64.add
            (i64.mul (local.get $sum) (i64.const 31))
            (i64.xor
              (struct.get $entry $value (local.get $entry))
              (struct.get $key $value (ref.cast (ref $key) (struct.get $entry $key (local.get $entry)))))))
        (local.set $entry (struct.get $entry $after (local.get $entry)))
        (br $entries)))
    (local.get $sum))

  ;; n operations on a map with at most 16,384 keys: seven additions, then a removal.
  (func (export "run") (param $n i32) (result i64)
    (local $map (ref $map)) (local $random i64) (local $removed i64) (local $key (ref $key))
    (local.set $map (call $new))
    (local.set $random (i64.const 88172645463325252))
    (loop $operations
      (local.set $random (i64.xor (local.get $random) (i64.shl (local.get $random) (i64.const 13))))
      (local.set $random (i64.xor (local.get $random) (i64.shr_u (local.get $random) (i64.const 7))))
      (local.set $random (i64.xor (local.get $random) (i64.shl (local.get $random) (i64.const 17))))
      (local.set $key (struct.new $key (i64.and (local.get $random) (i64.const 0x3fff))))
      (if (i32.and (local.get $n) (i32.const 7))
        (then (call $add (local.get $map) (local.get $key) (local.get $random)))
        (else
          (local.set $removed
            (i64.add (local.get $removed) (i64.extend_i32_u (call $remove (local.get $map) (local.get $key)))))))
      (br_if $operations (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i64.add (call $sum (local.get $map)) (i64.mul (local.get $removed) (i64.const 1000003)))))
