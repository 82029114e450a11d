//! `rpc`: calls that a turn waits for.

// Layer 1: Standard library imports
use std::time::Duration;

// Layer 2: Third-party crate imports
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

// Layer 3: Internal module imports
use crate::core::turn::call::{Call, CallOutcome};
use crate::core::turn::effects::Content;
use crate::core::turn::errors::{CallError, HostError};
use crate::core::turn::outbox::{check_content, parse_target};
use crate::runtime::bindings::rpc::{CallError as GuestError, Host};
use crate::runtime::settings::InstanceSettings;
use crate::runtime::state::StoreState;

/// Where the calls of instances arrive. Whoever holds the other end answers them.
pub type CallPort = mpsc::Sender<PendingCall>;

/// A call whose caller waits.
///
/// Dropping it unanswered tells the caller that the call is `unavailable`. Answering
/// after the caller has given up is no error; the answer is lost.
#[derive(Debug)]
pub struct PendingCall {
    /// Who calls whom with what.
    pub call: Call,
    /// Takes the answer.
    pub reply: oneshot::Sender<CallOutcome>,
}

/// What `rpc` works on.
pub(crate) struct RpcView<'a> {
    settings: &'a InstanceSettings,
}

impl<'a> RpcView<'a> {
    pub(crate) fn new(state: &'a mut StoreState) -> Self {
        Self {
            settings: &state.settings,
        }
    }

    async fn call(&self, target: &str, content: Content, timeout_ms: u32) -> CallOutcome {
        let to = parse_target(target)?;
        check_content(&self.settings.limits, &content)?;
        self.exchange(Call {
            from: self.settings.address.clone(),
            to,
            kind: content.kind,
            payload: content.payload,
            timeout_ms,
        })
        .await
    }

    async fn exchange(&self, call: Call) -> CallOutcome {
        let unavailable = |why: &str| CallError::Host(HostError::Unavailable(why.to_owned()));
        let Some(port) = &self.settings.calls else {
            return Err(unavailable("nobody answers calls on this host"));
        };
        let patience = Duration::from_millis(u64::from(call.timeout_ms));
        let (reply, answer) = oneshot::channel();
        let exchange = async {
            port.send(PendingCall { call, reply })
                .await
                .map_err(|_| unavailable("the host no longer answers calls"))?;
            answer
                .await
                .unwrap_or_else(|_| Err(unavailable("the host dropped the call")))
        };
        timeout(patience, exchange)
            .await
            .unwrap_or(Err(CallError::Host(HostError::Timeout)))
    }
}

impl Host for RpcView<'_> {
    async fn call(
        &mut self,
        target: String,
        kind: String,
        payload: Vec<u8>,
        timeout_ms: u32,
    ) -> Result<Option<Vec<u8>>, GuestError> {
        let content = Content::new(kind, payload);
        let reply = RpcView::call(self, &target, content, timeout_ms).await?;
        Ok(reply.map(|payload| payload.as_bytes().to_vec()))
    }
}
