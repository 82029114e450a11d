// Layer 3: Internal module imports
use airssys_wasm::core::limits::{Limit, LimitExceeded, Limits};
use airssys_wasm::core::runtime::errors::WasmError;

use crate::support::{beside_a_neighbour, limits, settings};

#[tokio::test]
async fn it_is_refused_before_it_is_copied() {
    let error = beside_a_neighbour("huge-result", settings()).await;
    let allowed = Limits::default().hostcall_bytes;
    let expected = LimitExceeded::beyond(Limit::HostcallBytes, allowed);
    assert_eq!(error, WasmError::ResourceLimitExceeded(expected));
}

#[tokio::test]
async fn it_is_refused_as_a_reply_where_the_copy_is_allowed() {
    let error = beside_a_neighbour(
        "huge-result",
        limits(Limits {
            hostcall_bytes: 64 << 20,
            ..Limits::default()
        }),
    )
    .await;
    let expected = LimitExceeded {
        limit: Limit::ReplyBytes,
        allowed: Limits::default().reply_bytes,
        observed: 32 << 20,
    };
    assert_eq!(error, WasmError::ResourceLimitExceeded(expected));
}
