(module
  (type $m (memory i64 1 2)) (rec (type $list (struct (field (ref $m)) (field (ref null $list)))))
  (func (export "f") (param i32) (local $l (ref null $list))
    (loop $again
      (local.set $l (struct.new $list (memory.new $m) (local.get $l)))
      (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (drop (struct.get $list 0 (local.get $l))))

  ;; The same with memories that are empty at first.
  (type $e (memory 0 2)) (rec (type $elist (struct (field (ref $e)) (field (ref null $elist)))))
  (func (export "grown") (param i32) (local $m (ref $e)) (local $l (ref null $elist))
    (loop $again
      (local.set $m (memory.new $e))
      (drop (memory.grow (ref $e) (local.get $m) (i32.const 1)))
      (local.set $l (struct.new $elist (local.get $m) (local.get $l)))
      (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (drop (struct.get $elist 0 (local.get $l)))))
