;; Takes one MiB of memory after the other, until it is told that there is no more.
(module $memory-bomb
  (memory (export "memory") 1)
  (func $realloc (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func $handle-message (export "airssys:actor/handler@0.1.0#handle-message")
    (param i32 i32 i32 i32 i64 i32 i32) (result i32)
    (loop $more
      (br_if $more (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))
    (unreachable)))
