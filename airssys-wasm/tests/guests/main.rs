//! Real components, one module for each guest: what it does, and what becomes of it and
//! of its neighbours when it does what it should not.
//!
//! `guests/bin/each_guest.rs` names every guest. A guest without a module here does not
//! compile.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]

mod support;

mod account;
mod bad_pointer;
mod baton;
mod caller;
mod chat_member;
mod chat_room;
mod chat_room_v2;
mod chat_room_v3;
mod chat_upgrade;
mod core_module;
mod counter;
mod deep_recursion;
mod echo;
mod endless_loop;
mod endless_start;
mod huge_result;
mod invalid_utf8;
mod ledger;
mod lifecycle;
mod markdown;
mod memory_bomb;
mod modest;
mod modest_v2;
mod outsider;
mod probe;
mod relay;
mod reverse;
mod table_bomb;
mod unknown_import;
mod unreachable;
mod wrong_version;

/// Fails to compile for a guest that has no module above.
macro_rules! each_guest {
    ($($guest:ident),* $(,)?) => {
        $(#[expect(unused_imports, reason = "it is enough that the module is there")]
        use $guest as _;)*
    };
}

include!("../../../guests/bin/each_guest.rs");
