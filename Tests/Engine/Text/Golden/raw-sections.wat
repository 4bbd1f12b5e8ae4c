(module $m
  (type (;0;) (func))
  (func $f (type 0)
    i32.const 0
    if
    end
  )
  (@custom "name" (after func) "\00\02\01m\01\04\01\00\01f")
  (@custom "metadata.code.branch_hint" "\01\00\01\02\01\00")
)
