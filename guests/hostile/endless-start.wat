;; Never finishes being instantiated: limits have to hold before the first message.
(module $endless-start
  (memory (export "memory") 1)
  (func $start (loop $forever (br $forever)))
  (start $start)
  (func $realloc (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func $handle-message (export "airssys:actor/handler@0.1.0#handle-message")
    (param i32 i32 i32 i32 i64 i32 i32) (result i32)
    (unreachable)))
