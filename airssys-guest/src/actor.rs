//! What a guest implements.

// Layer 3: Internal module imports
use crate::config::Config;
use crate::description::Description;
use crate::error::{Failure, TurnError};
use crate::message::Message;
use crate::reply::Reply;

/// What a guest implements. Only [`handle`](Actor::handle) has no default.
///
/// There is no `self`, and that is on purpose. What an instance keeps in memory is
/// neither rolled back when a turn fails nor there after passivation; an actor's
/// state lives in [`storage`](crate::storage), where both are taken care of.
///
/// A panic traps: the turn leaves no trace, and the instance is dropped.
pub trait Actor {
    /// Handles one message, as one turn. The bytes returned are the reply, and
    /// `None` is an empty one; when nobody awaits a reply it is dropped.
    ///
    /// # Errors
    /// None of the turn's effects take place: see [`TurnError`].
    fn handle(message: Message) -> Result<Option<Vec<u8>>, TurnError>;

    /// Runs once after activation, before the first message. What it writes and
    /// sends takes effect as a turn's would. Does nothing by default.
    ///
    /// # Errors
    /// A failure stops the activation.
    fn init(config: Config) -> Result<(), Failure> {
        let _ = config;
        Ok(())
    }

    /// Runs before passivation. What it writes and sends takes effect as a turn's
    /// would. Does nothing by default.
    fn shutdown() {}

    /// Handles the reply to an earlier [`messaging::request`], as a turn of its own.
    ///
    /// # Errors
    /// None of the turn's effects take place: see [`TurnError`]. The default
    /// rejects, since an actor that makes requests and ignores the replies is more
    /// likely a mistake than an intention.
    ///
    /// [`messaging::request`]: crate::messaging::request
    fn reply(reply: Reply) -> Result<(), TurnError> {
        Err(TurnError::reject(format_args!(
            "request {} was answered, but this actor does not implement `Actor::reply`",
            reply.correlation
        )))
    }

    /// Takes over the state that version `from_version` wrote. Runs once, as a
    /// turn, before the first message to this version. By default the state is
    /// taken over as it is.
    ///
    /// # Errors
    /// A failure stops the upgrade.
    fn migrate(from_version: &str) -> Result<(), Failure> {
        let _ = from_version;
        Ok(())
    }

    /// Tells whether the actor is well. By default it is.
    ///
    /// # Errors
    /// The failure says what is wrong.
    fn health() -> Result<(), Failure> {
        Ok(())
    }

    /// What the component says of itself: by default what is in `package`, its
    /// `Cargo.toml`.
    fn describe(package: Description) -> Description {
        package
    }
}
