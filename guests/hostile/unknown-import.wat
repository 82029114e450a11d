;; Imports what no host of this contract offers.
(module $unknown-import
  (import "evil:corp/backdoor@1.0.0" "open" (func $open (result i32)))
  (memory (export "memory") 1)
  (func $realloc (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func $handle-message (export "airssys:actor/handler@0.1.0#handle-message")
    (param i32 i32 i32 i32 i64 i32 i32) (result i32)
    (drop (call $open))
    (unreachable)))
