;; Replies with what it is sent. It could wait for a call and never does, which is enough to
;; have it run on a stack of its own.
(module
  (import "airssys:actor/rpc@0.1.0" "call"
    (func $call (param i32 i32 i32 i32 i32 i32 i32 i32)))
  (memory (export "memory") 1)
  (global $top (mut i32) (i32.const 4096))
  ;; ok(some(list)), whose place and length are filled in
  (data (i32.const 16) "\00\00\00\00" "\01\00\00\00")

  (func (export "cabi_realloc")
    (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
    (local $start i32)
    (local.set $start (global.get $top))
    (global.set $top (i32.add (local.get $start) (local.get $size)))
    (local.get $start))

  (func (export "airssys:actor/handler@0.1.0#handle-message")
    (param i32 i32 i32 i32 i64) (param $payload i32) (param $length i32) (result i32)
    (i32.store (i32.const 24) (local.get $payload))
    (i32.store (i32.const 28) (local.get $length))
    (i32.const 16))

  (func (export "cabi_post_airssys:actor/handler@0.1.0#handle-message") (param i32)
    (global.set $top (i32.const 4096))))
