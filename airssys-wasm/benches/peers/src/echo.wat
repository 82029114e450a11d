;; Replies with what it is sent, as a plugin does that uses Extism's development kit: it reads
;; its input into its own memory and writes it from there into memory of the host's kernel,
;; eight bytes at a time. The length is a multiple of eight.
(module
  (import "extism:host/env" "input_length" (func $input-length (result i64)))
  (import "extism:host/env" "input_load_u64" (func $input-load (param i64) (result i64)))
  (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
  (import "extism:host/env" "store_u64" (func $store (param i64 i64)))
  (import "extism:host/env" "output_set" (func $output-set (param i64 i64)))
  (memory (export "memory") 1)

  (func (export "echo") (result i32)
    (local $length i64) (local $output i64) (local $at i64)
    (local.set $length (call $input-length))
    (loop $read
      (i64.store (i32.wrap_i64 (local.get $at)) (call $input-load (local.get $at)))
      (local.set $at (i64.add (local.get $at) (i64.const 8)))
      (br_if $read (i64.lt_u (local.get $at) (local.get $length))))
    (local.set $output (call $alloc (local.get $length)))
    (local.set $at (i64.const 0))
    (loop $write
      (call $store
        (i64.add (local.get $output) (local.get $at))
        (i64.load (i32.wrap_i64 (local.get $at))))
      (local.set $at (i64.add (local.get $at) (i64.const 8)))
      (br_if $write (i64.lt_u (local.get $at) (local.get $length))))
    (call $output-set (local.get $output) (local.get $length))
    (i32.const 0)))
