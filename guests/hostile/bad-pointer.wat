;; Replies with a list that reaches a GiB beyond the end of its memory.
(module $bad-pointer
  (memory (export "memory") 1)
  ;; ok(some(list at 65536, 1073741824 bytes long))
  (data (i32.const 16) "\00\00\00\00" "\01\00\00\00" "\00\00\01\00" "\00\00\00\40")
  (func $realloc (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func $handle-message (export "airssys:actor/handler@0.1.0#handle-message")
    (param i32 i32 i32 i32 i64 i32 i32) (result i32)
    (i32.const 16)))
