(module
  (type (;0;) (func (param i32)))
  (type (;1;) (func))
  (tag $e (type 0))
  (func (;0;) (type 1)
    try $t (result i32)
      i32.const 1
    catch $e
      rethrow $t
    catch_all
      i32.const 2
    end
    drop
    try $outer
      try
        i32.const 1
        throw $e
      delegate $outer
    catch_all
    end
  )
)
