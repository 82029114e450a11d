//! A store as what an actor runs.

// Layer 3: Internal module imports
use crate::core::delivery::envelope::Letter;
use crate::core::runtime::errors::WasmError;
use crate::core::storage::keyspace::Keyspace;
use crate::core::turn::context::TurnContext;
use crate::core::turn::effects::{Effects, Writes};
use crate::core::turn::guest::{Guest, Pace};
use crate::core::turn::recorded::Learnt;
use crate::core::turn::report::TurnReport;
use crate::runtime::store::StoreManager;

impl Guest for StoreManager {
    async fn activate(&mut self, context: TurnContext) -> Result<Effects, WasmError> {
        Self::activate(self, context).await
    }

    async fn handle(
        &mut self,
        letter: &Letter,
        context: TurnContext,
    ) -> Result<TurnReport, WasmError> {
        match letter {
            Letter::Message(message) => self.handle_message(message, context).await,
            Letter::Reply(reply) => self.handle_callback(&reply.reply, context).await,
        }
    }

    async fn migrate(
        &mut self,
        from_version: &str,
        context: TurnContext,
    ) -> Result<Effects, WasmError> {
        Self::migrate(self, from_version, context).await
    }

    async fn shutdown(&mut self, context: TurnContext) -> Result<Effects, WasmError> {
        Self::shutdown(self, context).await
    }

    fn is_live(&self) -> bool {
        Self::is_live(self)
    }

    fn pace(&self) -> Pace {
        if self.component().is_slow() {
            Pace::Slow
        } else {
            Pace::Quick
        }
    }

    fn apply(&mut self, writes: Writes) {
        Self::apply(self, writes);
    }

    fn take_learnt(&mut self) -> Learnt {
        Self::take_learnt(self)
    }

    fn into_keys(self) -> Keyspace {
        Self::into_keys(self)
    }
}
