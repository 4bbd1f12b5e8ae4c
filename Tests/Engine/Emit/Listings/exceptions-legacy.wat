;; The operators of the first proposal.
(module
  (tag $e (param i32)) (tag $f)
  (func $catch (param i32) (result i32)
    (try (result i32) (do (call $catch (local.get 0))) (catch $e (i32.const 1) (i32.add)) (catch $f (i32.const 2)) (catch_all (i32.const 3))))
  (func $rethrow (param i32) (try (do (drop (call $catch (local.get 0)))) (catch_all (if (local.get 0) (then (rethrow 1))))))
  (func $delegate (param i32) (try (do (try (do (drop (call $catch (local.get 0)))) (delegate 0))) (catch_all)) (try (do (throw $f)) (delegate 0)))
  (func $without (param i32) (result i32) (try (result i32) (do (call $catch (local.get 0))))))
