;; Exports a handler of a version of the contract that does not exist.
(module $wrong-version
  (memory (export "memory") 1)
  (func $realloc (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func $handle-message (export "airssys:actor/handler@0.2.0#handle-message")
    (param i32 i32 i32 i32 i64 i32 i32) (result i32)
    (unreachable)))
