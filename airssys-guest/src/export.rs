//! From an [`Actor`] to the exports of a component.

// Layer 1: Standard library imports
use std::marker::PhantomData;

// Layer 3: Internal module imports
use crate::actor::Actor;
use crate::bindings::exports::airssys::actor::{
    callback, handler, health, lifecycle, metadata, migration,
};
use crate::config::Config;
use crate::description::Description;
use crate::error::TurnError;
use crate::wire;

/// Exports a type that implements [`Actor`](crate::Actor) as the component's actor.
///
/// It stands once in a guest's crate, whose crate type is `cdylib`. Outside of
/// WebAssembly it exports nothing, so that the crate's tests run anywhere.
#[macro_export]
macro_rules! export {
    ($actor:ty) => {
        const _: () = {
            #[cfg_attr(
                not(target_family = "wasm"),
                expect(dead_code, reason = "only a component exports it")
            )]
            type Exported = $crate::export::Exported<$actor, Package>;

            /// The manifest of the crate that this macro stands in.
            struct Package;

            impl $crate::export::Package for Package {
                const NAME: &str = env!("CARGO_PKG_NAME");
                const VERSION: &str = env!("CARGO_PKG_VERSION");
                const SUMMARY: &str = env!("CARGO_PKG_DESCRIPTION");
            }

            // The names of the exports are none that every native linker accepts.
            #[cfg(target_family = "wasm")]
    $crate::bindings::export_bindings!(Exported with_types_in $crate::bindings);
        };
    };
}

/// What a guest's `Cargo.toml` says, told by [`export!`](crate::export!).
pub trait Package {
    /// The package's name.
    const NAME: &str;
    /// The package's version.
    const VERSION: &str;
    /// The package's description.
    const SUMMARY: &str;
}

/// Implements the exported interfaces by an actor.
#[derive(Debug)]
pub struct Exported<A, P>(PhantomData<(A, P)>);

impl<A: Actor, P: Package> handler::Guest for Exported<A, P> {
    fn handle_message(message: wire::Message) -> Result<Option<Vec<u8>>, TurnError> {
        A::handle(message.into())
    }
}

impl<A: Actor, P: Package> callback::Guest for Exported<A, P> {
    fn handle_callback(reply: wire::Reply) -> Result<(), TurnError> {
        A::reply(reply.into())
    }
}

impl<A: Actor, P: Package> lifecycle::Guest for Exported<A, P> {
    fn init(config: Vec<(String, String)>) -> Result<(), String> {
        A::init(Config::from(config)).map_err(|failure| failure.0)
    }

    fn shutdown() {
        A::shutdown();
    }
}

impl<A: Actor, P: Package> migration::Guest for Exported<A, P> {
    fn migrate(from_version: String) -> Result<(), String> {
        A::migrate(&from_version).map_err(|failure| failure.0)
    }
}

impl<A: Actor, P: Package> health::Guest for Exported<A, P> {
    fn check() -> Result<(), String> {
        A::health().map_err(|failure| failure.0)
    }
}

impl<A: Actor, P: Package> metadata::Guest for Exported<A, P> {
    fn describe() -> metadata::Description {
        let package = Description {
            name: P::NAME.into(),
            version: P::VERSION.into(),
            summary: P::SUMMARY.into(),
        };
        A::describe(package).into()
    }
}
