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
use crate::runtime::outline::{HANDLER, Outline, is_denied, split_version};

/// A component's identity, interfaces and needs. Reading it runs and compiles nothing.
///
/// ```
/// use airssys_wasm::runtime::inspection::Inspection;
///
/// let inspection = Inspection::of(&std::fs::read("../guests/bin/counter.wasm")?)?;
/// assert_eq!(inspection.handler.as_deref(), Some("0.1.0"));
/// assert!(inspection.needs.is_empty(), "its own storage is granted to every actor");
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
    /// What has to be granted before everything that it imports can be used.
    pub needs: Vec<Need>,
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

/// One capability that a component could use if it were granted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Need {
    /// The capability.
    pub capability: String,
    /// The imports that it follows from.
    pub because: Vec<String>,
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
        let exports = outline
            .exports
            .iter()
            .map(|name| export(&types, name))
            .collect();
        let handler = outline.exports.iter().find_map(|export| {
            let (name, version) = split_version(export);
            (name == "airssys:actor/handler").then_some(version?.to_owned())
        });
        Ok(Self {
            digest: Digest::of(bytes),
            bytes: bytes.len() as u64,
            handler,
            needs: needs(&imports),
            imports,
            exports,
            fault: outline
                .check_imports(&BTreeSet::new())
                .and_then(|()| outline.require_export(HANDLER))
                .err(),
        })
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

/// Logging, the actor's own storage and the turn's time and randomness are granted to
/// everyone; the rest is listed here.
fn needs(imports: &[Interface]) -> Vec<Need> {
    let mut needs: Vec<Need> = Vec::new();
    for import in imports {
        let (interface, _) = split_version(&import.name);
        for function in &import.functions {
            let Some(capability) = capability(&import.name, interface, function) else {
                continue;
            };
            let because = format!("{}#{function}", import.name);
            match needs.iter_mut().find(|need| need.capability == capability) {
                Some(need) => need.because.push(because),
                None => needs.push(Need {
                    capability: capability.to_owned(),
                    because: vec![because],
                }),
            }
        }
    }
    needs
}

fn capability(import: &str, interface: &str, function: &str) -> Option<&'static str> {
    if is_denied(import) {
        return Some(match interface.split(['/', ':']).nth(1) {
            Some("filesystem") => "filesystem",
            Some("sockets" | "http") => "network",
            Some("cli") => "environment",
            _ => "other WASI",
        });
    }
    match (interface, function) {
        ("airssys:actor/messaging", "send" | "broadcast") => Some("messaging: send"),
        ("airssys:actor/messaging", "request") => Some("messaging: call"),
        ("airssys:actor/messaging", "publish") => Some("messaging: publish"),
        ("airssys:actor/messaging", "subscribe") => Some("messaging: subscribe"),
        ("airssys:actor/messaging", "send-after") => Some("timers"),
        ("airssys:actor/rpc", "call") => Some("messaging: call"),
        ("airssys:actor/services", "config") => Some("config"),
        ("airssys:actor/services", "list-components") => Some("directory"),
        _ => None,
    }
}
