;; Takes ten thousand table elements after the other, until it is told that there are
;; no more. An element is host memory that no linear memory's limit counts.
(module $table-bomb
  (memory (export "memory") 1)
  (table $elements 1 funcref)
  (func $realloc (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func $handle-message (export "airssys:actor/handler@0.1.0#handle-message")
    (param i32 i32 i32 i32 i64 i32 i32) (result i32)
    (loop $more
      (br_if $more
        (i32.ne
          (table.grow $elements (ref.null func) (i32.const 10000))
          (i32.const -1))))
    (unreachable)))
