(module
  (type $f (func (param i32) (result i32)))
  (type $same (func (param i32) (result i32)))
  (type $p (func (param i32 i32) (result i32 i32)))
  (rec
    (type $node (sub (struct (field $next (ref null $node)))))
  )
  (type $leaf (sub final $node (struct (field $next (ref null $node)) (field (mut i8)))))
  (rec)
  (type $array (array (mut f64)))
  (type (;6;) (func (param i32)))
  (type (;7;) (func))
  (table $t 1 (ref null $same))
  (table (;1;) i64 0 10 externref)
  (memory $a 1 2)
  (memory $b i64 1)
  (tag $e (type 6))
  (global (;0;) (mut (ref null $leaf)) (ref.null $leaf))
  (func (;0;) (type $same) (param i32) (result i32)
    (local v128)
    block $out (result i32)
      block (;@2;)
        loop (;@3;)
          i32.const 0
          br_if 1 (;@2;)
          br 0 (;@3;)
        end
      end
      try_table (result i32) (catch $e $out) (catch_all 1)
        i32.const 1
        throw $e
      end
    end
    if (result i32)
      i32.const 1
    else
      i32.const -1
    end
    i32.const 1
    i32.const 2
    select (result i32)
    i64.const 256
    i32.load8_u $b offset=8
    i32.const 0
    i64.const -1
    i64.store align=4
    f32.const 0.1
    f64.const nan:0x123
    f32.const -inf
    f64.const 1e+300
    v128.const i32x4 0x00000001 0x00000000 0xffffffff 0xffffffff
    i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 31
    v128.load16_lane $b offset=2 align=1 7
    call_indirect (type $same)
    call_indirect 1 (type $f)
    block (type $p)
    end
    br_on_cast 0 (ref null $node) (ref $leaf)
    ref.test (ref $leaf)
    ref.cast anyref
    ref.cast nullref
    struct.get $leaf $next
    struct.get_u $leaf 1
    array.new_fixed $array 3
    array.copy $array $array
    memory.copy $a $b
    memory.init $b 0
    table.copy 1 $t
    return_call $do_nothing_else
  )
  (func $do_nothing_else (type 7))
  (data (;0;) "x")
)
