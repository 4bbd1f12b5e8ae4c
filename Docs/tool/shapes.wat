(component
  (type $size' (record (field "width" f32) (field "height" f32)))
  (export $size "size" (type $size'))
  (core module $M
    (func (export "area") (param f32 f32) (result f32) (f32.mul (local.get 0) (local.get 1))))
  (core instance $m (instantiate $M))
  (func (export "area") (param "of" $size) (result f32) (canon lift (core func $m "area"))))
