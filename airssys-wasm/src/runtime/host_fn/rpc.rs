//! `rpc`: calls that a turn waits for.

// Layer 1: Standard library imports
use std::time::Duration;

// Layer 2: Third-party crate imports
use tokio::time::timeout;

// Layer 3: Internal module imports
use crate::core::limits::Limit;
use crate::core::security::capability::Capability;
use crate::core::turn::call::{Call, CallOutcome};
use crate::core::turn::effects::Content;
use crate::core::turn::errors::{CallError, HostError};
use crate::core::turn::outbox::{check_content, parse_target};
use crate::core::turn::recorder::Recorder;
use crate::runtime::bindings::rpc::{CallError as GuestError, Host};
use crate::runtime::epoch::Stopwatch;
use crate::runtime::rate::Rate;
use crate::runtime::settings::InstanceSettings;
use crate::runtime::state::StoreState;

/// What `rpc` works on.
pub(crate) struct RpcView<'a> {
    settings: &'a InstanceSettings,
    recorder: &'a mut Recorder,
    stopwatch: &'a Stopwatch,
    sending: &'a Rate,
}

impl<'a> RpcView<'a> {
    pub(crate) fn new(state: &'a mut StoreState) -> Self {
        Self {
            settings: &state.settings,
            recorder: &mut state.recorder,
            stopwatch: &state.stopwatch,
            sending: &state.sending,
        }
    }

    async fn call(&mut self, target: &str, content: Content, timeout_ms: u32) -> CallOutcome {
        let to = parse_target(target)?;
        let notes = &mut self.recorder.notes;
        self.settings
            .permit_in_turn(notes, Capability::Call, to.as_str())?;
        let limits = &self.settings.limits;
        check_content(limits, &content)?;
        let depth = self.recorder.context().call_depth.saturating_add(1);
        HostError::check_quota(Limit::CallDepth, limits.call_depth, depth.into())?;
        // The callee is given no more time than the caller has left.
        let left_ms = u32::try_from(self.stopwatch.left_ms()).unwrap_or(u32::MAX);
        let call = Call {
            from: self.settings.address.clone(),
            to,
            kind: content.kind,
            payload: content.payload,
            timeout_ms: timeout_ms.min(left_ms),
            depth,
            trace_parent: self.recorder.context().trace_parent.clone(),
        };
        let in_time = self
            .sending
            .check(Limit::MessagesPerS, limits.messages_per_s);
        let outcome = match in_time {
            Ok(()) => self.answer(call.clone(), timeout_ms).await,
            Err(refused) => Err(CallError::Host(refused)),
        };
        self.recorder.notes.called(call, &outcome);
        outcome
    }

    /// Waits as long as the guest wants to. Where its turn ends before, that ends the wait.
    async fn answer(&self, call: Call, timeout_ms: u32) -> CallOutcome {
        let patience = Duration::from_millis(u64::from(timeout_ms));
        timeout(patience, self.settings.surroundings.call(call))
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
