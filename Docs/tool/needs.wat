;; Imports what the tool does not have.
(module $needs
  (import "env" "log" (func $log (param i32)))
  (import "env" "now" (func $now (result f64)))
  (func $main (export "_start")
    (call $log (i32.trunc_sat_f64_s (call $now)))))
