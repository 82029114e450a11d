;; Replies with 32 MiB: less than the memory it may have by default, far more than a
;; reply may be. The bytes are really there.
(module $huge-result
  (memory (export "memory") 1)
  ;; ok(some(list at 0, 33554432 bytes long))
  (data (i32.const 16) "\00\00\00\00" "\01\00\00\00" "\00\00\00\00" "\00\00\00\02")
  (func $realloc (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func $handle-message (export "airssys:actor/handler@0.1.0#handle-message")
    (param i32 i32 i32 i32 i64 i32 i32) (result i32)
    ;; Once: an instance that is not given this reply lives on.
    (if (i32.lt_u (memory.size) (i32.const 513))
      (then (drop (memory.grow (i32.const 512)))))
    (i32.const 16)))
