//! What a guest says of itself.

// Layer 3: Internal module imports
use crate::core::component::description::Description;
use crate::core::runtime::errors::WasmError;
use crate::core::turn::context::TurnContext;
use crate::runtime::outline::METADATA;
use crate::runtime::store::{StoreManager, rejected};

impl StoreManager {
    /// Asks the guest whether it is well. A guest without `health` is well.
    ///
    /// # Errors
    ///
    /// As for [`handle_message`](Self::handle_message); the guest saying that it is not
    /// is a [`Rejected`](crate::core::runtime::errors::FaultKind::Rejected) fault with its words.
    pub async fn check_health(&mut self, context: TurnContext) -> Result<(), WasmError> {
        let Some(guest) = self.instance()?.exports().health.clone() else {
            return Ok(());
        };
        let check = guest.func_check();
        let (health,) = self.turn(context, check, ()).await?;
        health.map_err(rejected)
    }

    /// Asks the component what it says of itself.
    ///
    /// # Errors
    ///
    /// As for [`handle_message`](Self::handle_message).
    pub async fn describe(&mut self, context: TurnContext) -> Result<Description, WasmError> {
        let Some(guest) = self.instance()?.exports().metadata.clone() else {
            return Err(self.component.missing(METADATA));
        };
        let describe = guest.func_describe();
        let (description,) = self.turn(context, describe, ()).await?;
        Ok(description.into())
    }

    /// Makes an instance for no other purpose than to ask what the component says of
    /// itself. `init` is not run, and the instance is dropped.
    ///
    /// # Errors
    ///
    /// As for [`activate`](Self::activate) and [`describe`](Self::describe).
    pub async fn describe_only(&mut self, context: TurnContext) -> Result<Description, WasmError> {
        self.instantiate(context.clone()).await?;
        let described = self.describe(context).await;
        self.drop_instance();
        described
    }
}
