//! What is in a component, for people and tools to look at before running it.

// Layer 1: Standard library imports
use std::collections::BTreeSet;

// Layer 2: Third-party crate imports
use serde::{Serialize, Serializer};
use wasmparser::component_types::ComponentEntityType;
use wasmparser::types::Types;
use wasmparser::{Validator, WasmFeatures};

// Layer 3: Internal module imports
use crate::core::component::digest::Digest;
use crate::core::runtime::errors::WasmError;
use crate::core::security::capabilities::Capabilities;
use crate::core::security::capability::Capability;
use crate::runtime::outline::{HANDLER, Outline, split_version};
use crate::runtime::uses::{self, Use};

/// A component's identity, interfaces and needs. Reading it runs and compiles nothing.
///
/// ```
/// use airssys_wasm::runtime::inspection::Inspection;
///
/// let inspection = Inspection::of(&std::fs::read("../guests/bin/counter.wasm")?)?;
/// assert_eq!(inspection.handler.as_deref(), Some("0.1.0"));
/// assert_eq!(inspection.needs, None, "it does not say what it needs");
/// assert_eq!(inspection.may_use, [], "its own storage needs no grant");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Inspection {
    /// The digest of the bytes.
    pub digest: Digest,
    /// The number of bytes.
    pub bytes: u64,
    /// The version of the `handler` interface that it exports: what makes it an actor.
    pub handler: Option<String>,
    /// What it imports.
    pub imports: Vec<Interface>,
    /// What it exports.
    pub exports: Vec<Interface>,
    /// What it says it needs, if it says so: the host gives it nothing else.
    pub needs: Option<Capabilities>,
    /// What it could use, as far as its imports tell.
    pub may_use: Vec<Use>,
    /// Why this host cannot run it as an actor, as far as its names tell. Types are
    /// compared when it is loaded. Serialized as text.
    #[serde(serialize_with = "as_text")]
    pub fault: Option<WasmError>,
}

/// An interface that a component imports or exports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Interface {
    /// Its name with its version.
    pub name: String,
    /// The functions of it that the component uses or offers.
    pub functions: Vec<String>,
}

impl Interface {
    /// Each function with the name of the interface.
    fn each(&self) -> impl Iterator<Item = (&str, &str)> {
        let with_name = |function| (self.name.as_str(), String::as_str(function));
        self.functions.iter().map(with_name)
    }
}

impl Inspection {
    /// Validates and reads a component.
    ///
    /// # Errors
    ///
    /// As [`Outline::read`]. A valid component that cannot be run here is no error:
    /// [`fault`](Inspection::fault) says why.
    pub fn of(bytes: &[u8]) -> Result<Self, WasmError> {
        let outline = Outline::read(bytes)?;
        let types = Validator::new_with_features(WasmFeatures::default())
            .validate_all(bytes)
            .map_err(|e| WasmError::InstantiationFailed(e.to_string()))?;
        let imports: Vec<_> = outline
            .imports
            .iter()
            .map(|name| import(&types, name))
            .collect();
        let exports: Vec<_> = outline
            .exports
            .iter()
            .map(|name| export(&types, name))
            .collect();
        let handler = outline.exports.iter().find_map(|export| {
            let (name, version) = split_version(export);
            (name == "airssys:actor/handler").then_some(version?.to_owned())
        });
        let functions = imports.iter().flat_map(Interface::each);
        Ok(Self {
            digest: Digest::of(bytes),
            bytes: bytes.len() as u64,
            handler,
            may_use: uses::of(functions),
            imports,
            exports,
            fault: outline
                .check_imports(&BTreeSet::new())
                .and_then(|()| outline.require_export(HANDLER))
                .err(),
            needs: outline.needs,
        })
    }

    /// The capabilities that it says it needs and that no import of it could use: a mistake,
    /// or for a version to come, or for what an embedder's own imports do.
    pub fn unusable_needs(&self) -> Vec<Capability> {
        let Some(needs) = &self.needs else {
            return Vec::new();
        };
        let imported = |capability| self.may_use.iter().any(|it| it.capability == capability);
        let is_handed = |capability| capability == Capability::Config && self.has_init();
        let is_usable = |capability| imported(capability) || is_handed(capability);
        let is_idle = |it: &Capability| !needs.of(*it).is_empty() && !is_usable(*it);
        Capability::ALL.into_iter().filter(is_idle).collect()
    }

    /// Whether the host hands it its configuration when it starts.
    fn has_init(&self) -> bool {
        let is_init = |(interface, function)| {
            split_version(interface).0 == "airssys:actor/lifecycle" && function == "init"
        };
        self.exports.iter().flat_map(Interface::each).any(is_init)
    }
}

fn as_text<S: Serializer>(fault: &Option<WasmError>, serializer: S) -> Result<S::Ok, S::Error> {
    match fault {
        Some(fault) => serializer.collect_str(fault),
        None => serializer.serialize_none(),
    }
}

fn import(types: &Types, name: &str) -> Interface {
    let item = types.as_ref().component_item_for_import(name);
    interface(types, name, item.map(|item| item.ty))
}

fn export(types: &Types, name: &str) -> Interface {
    let item = types.as_ref().component_item_for_export(name);
    interface(types, name, item.map(|item| item.ty))
}

fn interface(types: &Types, name: &str, ty: Option<ComponentEntityType>) -> Interface {
    let functions = match ty {
        Some(ComponentEntityType::Instance(id)) => types[id]
            .exports
            .iter()
            .filter(|(_, item)| matches!(item.ty, ComponentEntityType::Func(_)))
            .map(|(name, _)| name.clone())
            .collect(),
        _ => Vec::new(),
    };
    Interface {
        name: name.to_owned(),
        functions,
    }
}
