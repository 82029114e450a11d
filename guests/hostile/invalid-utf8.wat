;; Rejects the message with a text that is not UTF-8.
(module $invalid-utf8
  (memory (export "memory") 1)
  (data (i32.const 8) "\ff\fe")
  ;; err(reject(text at 8, 2 bytes long))
  (data (i32.const 16) "\01\00\00\00" "\00\00\00\00" "\08\00\00\00" "\02\00\00\00")
  (func $realloc (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func $handle-message (export "airssys:actor/handler@0.1.0#handle-message")
    (param i32 i32 i32 i32 i64 i32 i32) (result i32)
    (i32.const 16)))
