// The canonical ABI of the interface `handler`, written out by hand.
//
// A bindings generator writes the same; it is short enough to be read.

#ifndef AIRSSYS_ACTOR_H
#define AIRSSYS_ACTOR_H

#include <stddef.h>
#include <stdint.h>

#define HANDLER "airssys:actor/handler@0.1.0"

// What `handle-message` returns: result<option<list<u8>>, turn-error>. The list of
// `ok(some(list))` and the text of `err(reject(text))` lie in the same place.
typedef struct {
    uint8_t tag;  // 0: ok, 1: err
    uint8_t case_tag __attribute__((aligned(4)));  // ok: 0 none, 1 some; err: 0 reject, 1 retry
    uint8_t *bytes;
    size_t length;
} outcome;

// A message is flattened into seven parameters. Its strings and its payload were
// put into memory by calls of `cabi_realloc`, and are the guest's from then on.
__attribute__((export_name(HANDLER "#handle-message")))
outcome *handle_message(const char *sender, size_t sender_length,
                        const char *kind, size_t kind_length,
                        uint64_t correlation,
                        uint8_t *payload, size_t payload_length);

// Called when the host has read what `handle_message` returned.
__attribute__((export_name("cabi_post_" HANDLER "#handle-message")))
void handle_message_post_return(outcome *result);

// How the host allocates memory in the guest.
__attribute__((export_name("cabi_realloc")))
void *cabi_realloc(void *old, size_t old_size, size_t alignment, size_t new_size);

#endif
