//! WASI 0.2: what ordinary toolchains expect, as far as it was granted.

pub mod access;
pub mod clock;
pub mod counted;
pub mod denied;
pub mod destination;
pub mod environment;
pub mod exchange;
pub mod files;
pub mod files_view;
pub mod folders;
pub mod guarded;
pub mod http;
pub mod lines;
pub mod link;
pub mod listing;
pub mod lookup;
pub mod open;
pub mod peers;
pub mod random;
pub mod sockets;
pub mod state;
pub mod turn;
