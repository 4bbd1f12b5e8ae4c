(module
  (type (;0;) (func (param i32)))
  (elem (;0;) func $f)
  (func $f (type 0) (param i32)
    local.get 0
    (@metadata.code.branch_hint "\00") if (;@1;)
      local.get 0
      (@metadata.code.branch_hint "\01") br_if 0 (;@1;)
    end
  )
  (@custom "first" (before first) "\00\01")
  (@custom "after func" (after func))
  (@custom "after elem" (after elem) "before the hints")
  (@custom "before code" (before code) "after the hints")
  (@custom "tail" (after code) "before the names")
  (@custom "empty")
  (@custom "producers" "\01\0cprocessed-by\01\05clang\0216 and much more of it, so long that it does not fit on a li"
      "ne together with what is before it")
)
