(module $"a module, named"
  (type $t (func (param i32)))
  (type $pair (struct (field $x i32) (field $x_1 (@name "x") (mut i64)) (field f32 f64) (field (@name "") i8)))
  (type (;2;) (func (param i32 i32 i32 i32)))
  (type (;3;) (func))
  (import "env" "print" (func $print (type $t) (param $value i32)))
  (import "\t\"\\\00\u{202e}λ" "日本" (global $"global λ" i32))
  (memory $m 1)
  (memory $m_1 (@name "m") 1)
  (tag $e (type $t))
  (tag $e_1 (@name "e") (type $t))
  (func $core::fmt::Formatter<'_>::pad (type 2) (param $a i32) (param $a_1 (@name "a") i32) (param i32 i32)
    (local $b i32) (local i64 i64 i64 f32) (local (@name "") f64)
    block $l (;@1;)
      loop $l
        br $l
        br 1 (;@1;)
      end
    end
    block $"two words"
      br $"two words"
    end
    block (@name "") (;@1;)
      br 0 (;@1;)
    end
    struct.new_default $pair
    struct.get $pair $x_1
    drop
    local.get $a
    call $print
  )
  (func $f (type 3))
  (func $f_1 (@name "f") (type 3))
  (func (@name "") (;4;) (type 3)
    call $f
    call $f_1
    call 4
  )
  (data $d (memory $m_1) (i32.const 0) "d")
)
