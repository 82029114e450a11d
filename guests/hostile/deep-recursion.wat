;; Calls itself until the stack is used up.
(module $deep-recursion
  (memory (export "memory") 1)
  (func $deeper (param i64) (result i64)
    ;; The addition comes after the call, so that no tail call saves the stack.
    (i64.add (local.get 0) (call $deeper (i64.add (local.get 0) (i64.const 1)))))
  (func $realloc (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func $handle-message (export "airssys:actor/handler@0.1.0#handle-message")
    (param i32 i32 i32 i32 i64 i32 i32) (result i32)
    (drop (call $deeper (i64.const 0)))
    (unreachable)))
