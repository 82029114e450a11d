;; Reads one key as often as the payload has bytes, and replies with nothing. The first
;; message is what writes the key.
(module
  (import "airssys:actor/storage@0.1.0" "get" (func $get (param i32 i32 i32)))
  (import "airssys:actor/storage@0.1.0" "set" (func $set (param i32 i32 i32 i32 i32)))
  (memory (export "memory") 1)
  (global $top (mut i32) (i32.const 4096))
  (data (i32.const 64) "cart/total")

  (func (export "cabi_realloc")
    (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
    (local $start i32)
    (local.set $start (global.get $top))
    (global.set $top (i32.add (local.get $start) (local.get $size)))
    (local.get $start))

  (func $read
    ;; The value lands where the last one was.
    (global.set $top (i32.const 4096))
    (call $get (i32.const 64) (i32.const 10) (i32.const 32))
    ;; Anything but ok ends the measurement.
    (if (i32.load8_u (i32.const 32)) (then (unreachable))))

  (func (export "airssys:actor/handler@0.1.0#handle-message")
    (param i32 i32 i32 i32 i64) (param $payload i32) (param $times i32) (result i32)
    (call $read)
    ;; There is no value yet: 64 bytes of zeros will be it.
    (if (i32.eqz (i32.load8_u (i32.const 36)))
      (then
        (call $set (i32.const 64) (i32.const 10) (i32.const 1024) (i32.const 64) (i32.const 32))
        (if (i32.load8_u (i32.const 32)) (then (unreachable)))))
    (block $done
      (loop $again
        (br_if $done (i32.eqz (local.get $times)))
        (local.set $times (i32.sub (local.get $times) (i32.const 1)))
        (call $read)
        (if (i32.eqz (i32.load8_u (i32.const 36))) (then (unreachable)))
        (br $again)))
    (global.set $top (i32.const 4096))
    ;; ok(none): nothing but zeros
    (i32.const 16)))
