//! What a component exports of the guest contract.

// Layer 2: Third-party crate imports
use wasmtime::component::{Instance, InstancePre};
use wasmtime::{Result, Store};

// Layer 3: Internal module imports
use crate::runtime::bindings::exports::{
    callback, handler, health, lifecycle, metadata, migration,
};
use crate::runtime::state::StoreState;

/// Defines both structs with one field for each interface, none of which a component
/// has to export. (One without a handler is no actor, and can be loaded all the same.)
macro_rules! exports {
    ($($interface:ident),*) => {
        /// Where a component's exports are.
        pub(crate) struct ExportIndices {
            $($interface: Option<$interface::GuestIndices>,)*
        }

        /// The exports of one instance.
        pub(crate) struct Exports {
            $(pub(crate) $interface: Option<$interface::Guest>,)*
        }

        impl ExportIndices {
            /// Looks them up by name, once for all instances.
            pub(crate) fn find(component: &InstancePre<StoreState>) -> Self {
                Self {
                    $($interface: $interface::GuestIndices::new(component).ok(),)*
                }
            }

            /// Whether there is a handler, with the function that handles messages.
            pub(crate) fn has_handler(&self) -> bool {
                self.handler.is_some()
            }

            /// Finds them in one instance, and checks their types.
            pub(crate) fn load(
                &self,
                store: &mut Store<StoreState>,
                instance: &Instance,
            ) -> Result<Exports> {
                Ok(Exports {
                    $($interface: match &self.$interface {
                        Some(indices) => Some(indices.load(&mut *store, instance)?),
                        None => None,
                    },)*
                })
            }
        }
    };
}

exports!(handler, lifecycle, callback, migration, health, metadata);
