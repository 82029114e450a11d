//! What a component imports and exports, by name, and what it says it needs.

// Layer 1: Standard library imports
use std::collections::BTreeSet;

// Layer 2: Third-party crate imports
use wasmparser::{Encoding, Parser, Payload};

// Layer 3: Internal module imports
use crate::core::limits::{Limit, LimitExceeded, Limits};
use crate::core::runtime::errors::{ComponentFault, MissingExport, NeedsFault, WasmError};
use crate::core::security::capabilities::Capabilities;
use crate::runtime::host_fn::wasi::link;
use crate::runtime::needs;

/// The interface that every actor exports.
pub const HANDLER: &str = "airssys:actor/handler@0.1.0";

/// Interfaces that an actor may export.
pub(crate) const CALLBACK: &str = "airssys:actor/callback@0.1.0";
pub(crate) const METADATA: &str = "airssys:actor/metadata@0.1.0";

/// The package of the guest contract, and the version of it that this host speaks.
const PACKAGE: &str = "airssys:actor/";
const VERSION: &str = "0.1.0";

/// The interfaces of the guest contract that a guest may import.
const IMPORTABLE: [&str; 5] = [
    "airssys:actor/types",
    "airssys:actor/messaging",
    "airssys:actor/rpc",
    "airssys:actor/storage",
    "airssys:actor/services",
];

/// How deep components may lie within each other. Tools that put components together make a
/// few levels. The time to validate grows with the square of the depth: 20 000 levels, which
/// are 240 KB, take seconds.
const MAX_DEPTH: u32 = 100;

/// The names that a component imports and exports, in its order, and what it needs.
///
/// Reading this takes microseconds and validates nothing but the outermost layer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outline {
    /// What it imports, with versions.
    pub imports: Vec<String>,
    /// What it exports, with versions.
    pub exports: Vec<String>,
    /// What it says it needs, in a [section](needs::SECTION) of its own or of a core module
    /// in it. None if it does not say.
    pub needs: Option<Capabilities>,
    /// How many functions its core modules have.
    pub functions: u64,
    /// The bytes of the largest of them.
    pub largest_function_bytes: u64,
}

impl Outline {
    /// Reads the outline of a component.
    ///
    /// # Errors
    ///
    /// [`InvalidComponent`](WasmError::InvalidComponent) for a core module and for needs
    /// that cannot be read, and [`InstantiationFailed`](WasmError::InstantiationFailed) for
    /// anything that is no WebAssembly, with the reason and the offset.
    pub fn read(bytes: &[u8]) -> Result<Self, WasmError> {
        let mut outline = Self::default();
        let mut depth = 0_u32;
        let mut said = None;
        for payload in Parser::new(0).parse_all(bytes) {
            match payload.map_err(malformed)? {
                Payload::Version {
                    encoding: Encoding::Module,
                    ..
                } if depth == 0 => {
                    return Err(WasmError::InvalidComponent(ComponentFault::CoreModule));
                }
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {
                    depth += 1;
                    if depth > MAX_DEPTH {
                        return Err(too_deep());
                    }
                }
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ComponentImportSection(imports) if depth == 0 => {
                    for import in imports {
                        let import = import.map_err(malformed)?;
                        outline.imports.push(import.name.name.to_owned());
                    }
                }
                Payload::ComponentExportSection(exports) if depth == 0 => {
                    for export in exports {
                        let export = export.map_err(malformed)?;
                        outline.exports.push(export.name.name.to_owned());
                    }
                }
                Payload::FunctionSection(functions) => {
                    outline.functions += u64::from(functions.count());
                }
                Payload::CodeSectionEntry(body) => {
                    let bytes = body.range().len() as u64;
                    outline.largest_function_bytes = outline.largest_function_bytes.max(bytes);
                }
                Payload::CustomSection(section) if section.name() == needs::SECTION => {
                    // Read once in the end, or many copies of it would take long.
                    let first = *said.get_or_insert(section.data());
                    if first != section.data() {
                        return Err(unreadable(NeedsFault::Twice));
                    }
                }
                _ => {}
            }
        }
        let needs = said.map(needs::parse).transpose();
        outline.needs = needs.map_err(unreadable)?;
        Ok(outline)
    }

    /// Refuses a component that would take too long to compile.
    ///
    /// # Errors
    ///
    /// [`ResourceLimitExceeded`](WasmError::ResourceLimitExceeded) when it has too many
    /// functions, or one that is too large.
    pub fn check_functions(&self, limits: &Limits) -> Result<(), WasmError> {
        let (count, largest) = (self.functions, self.largest_function_bytes);
        LimitExceeded::check(Limit::ComponentFunctions, limits.component_functions, count)
            .and_then(|()| {
                LimitExceeded::check(Limit::FunctionBytes, limits.function_bytes, largest)
            })
            .map_err(WasmError::ResourceLimitExceeded)
    }

    /// Refuses imports that this host does not offer, neither by itself nor because an
    /// embedder `added` them.
    ///
    /// # Errors
    ///
    /// [`InvalidComponent`](WasmError::InvalidComponent) with the first of them.
    pub fn check_imports(&self, added: &BTreeSet<String>) -> Result<(), WasmError> {
        let mut unknown = self.imports.iter().filter(|i| !added.contains(*i));
        match unknown.find_map(|import| fault_of(import)) {
            Some(fault) => Err(WasmError::InvalidComponent(fault)),
            None => Ok(()),
        }
    }

    /// Refuses a component that does not export `interface`.
    ///
    /// # Errors
    ///
    /// [`ExportNotFound`](WasmError::ExportNotFound), naming the version of it that
    /// the component does export, if any.
    pub fn require_export(&self, interface: &str) -> Result<(), WasmError> {
        if self.exports.iter().any(|export| is_same(export, interface)) {
            return Ok(());
        }
        let (name, _) = split_version(interface);
        let other = |export: &&String| split_version(export).0 == name;
        Err(WasmError::ExportNotFound(MissingExport {
            export: interface.to_owned(),
            found: self.exports.iter().find(other).cloned(),
        }))
    }

    /// Whether a host function that the component imports may suspend it.
    pub(crate) fn may_suspend(&self) -> bool {
        let suspends = |name: &str| name == "airssys:actor/rpc" || link::may_wait(name);
        self.imports.iter().any(|i| suspends(split_version(i).0))
    }

    /// The imports that are linked to refuse when they are called.
    pub(crate) fn denied_imports(&self) -> Vec<&str> {
        let names = self.imports.iter().map(String::as_str);
        names.filter(|import| is_denied(import)).collect()
    }
}

/// Whether an import is part of WASI that this host gives nobody.
pub(crate) fn is_denied(import: &str) -> bool {
    let (name, _) = split_version(import);
    name.starts_with("wasi:") && !link::is_linked(name)
}

/// Splits `airssys:actor/handler@0.1.0` before its version.
pub(crate) fn split_version(interface: &str) -> (&str, Option<&str>) {
    match interface.split_once('@') {
        Some((name, version)) => (name, Some(version)),
        None => (interface, None),
    }
}

fn fault_of(import: &str) -> Option<ComponentFault> {
    let (name, version) = split_version(import);
    let import = import.to_owned();
    if name.starts_with("wasi:") {
        // Only WASI 0.2 has interfaces of plain functions.
        let known = version.is_some_and(|version| version.starts_with("0.2."));
        let offered = "0.2".to_owned();
        return (!known).then_some(ComponentFault::ImportVersion { import, offered });
    }
    if !IMPORTABLE.contains(&name) {
        return Some(ComponentFault::UnknownImport { import });
    }
    let known = version.is_some_and(is_compatible);
    let offered = VERSION.to_owned();
    (!known).then_some(ComponentFault::ImportVersion { import, offered })
}

fn is_same(export: &str, interface: &str) -> bool {
    let (name, version) = split_version(export);
    name.starts_with(PACKAGE)
        && name == split_version(interface).0
        && version.is_some_and(is_compatible)
}

/// Versions 0.1.x are compatible with each other, as in Cargo; the component linker
/// matches names by the same rule.
fn is_compatible(version: &str) -> bool {
    version
        .strip_prefix("0.1.")
        .is_some_and(|patch| !patch.is_empty() && patch.bytes().all(|b| b.is_ascii_digit()))
}

fn unreadable(needs: NeedsFault) -> WasmError {
    WasmError::InvalidComponent(ComponentFault::Needs(needs))
}

/// The reason on one line: of bytes that are no WebAssembly at all it shows several.
fn malformed(error: wasmparser::BinaryReaderError) -> WasmError {
    let reason = error.to_string();
    let words: Vec<&str> = reason.split_whitespace().collect();
    WasmError::InstantiationFailed(words.join(" "))
}

fn too_deep() -> WasmError {
    let why = format!("components lie within each other more than {MAX_DEPTH} deep");
    WasmError::InstantiationFailed(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_counted_in_all_modules_and_measured() {
        let outline = outline(
            r#"(component
                (core module (func) (func (drop (i32.const 1))))
                (component (core module (import "a" "b" (func)) (func))))"#,
        );
        assert_eq!(outline.functions, 3, "an import is no function of its own");
        assert_eq!(outline.largest_function_bytes, 5);
        let check = |functions, bytes| {
            outline.check_functions(&Limits {
                component_functions: functions,
                function_bytes: bytes,
                ..Limits::default()
            })
        };
        assert_eq!(check(3, 5), Ok(()));
        for (limit, allowed, checked) in [
            (Limit::ComponentFunctions, 2, check(2, 5)),
            (Limit::FunctionBytes, 4, check(3, 4)),
        ] {
            let exceeded = LimitExceeded::beyond(limit, allowed);
            assert_eq!(checked, Err(WasmError::ResourceLimitExceeded(exceeded)));
        }
    }

    #[test]
    fn components_lie_within_each_other_so_deep_and_no_deeper() {
        let read = |depth: u32| {
            let empty = *b"\0asm\x0d\0\x01\0";
            let within = |inner: Vec<u8>, _| {
                // The section of a component, and its length as two bytes.
                let length = [inner.len() as u8 | 0x80, (inner.len() >> 7) as u8];
                [&empty[..], &[4], &length, &inner].concat()
            };
            Outline::read(&(0..depth).fold(empty.to_vec(), within))
        };
        assert!(read(MAX_DEPTH).is_ok());
        let refused = read(MAX_DEPTH + 1).unwrap_err().to_string();
        assert!(refused.ends_with("more than 100 deep"), "{refused}");
    }

    fn outline(text: &str) -> Outline {
        Outline::read(&wat::parse_str(text).unwrap()).unwrap()
    }

    fn imports(name: &str) -> Result<(), WasmError> {
        outline(&format!("(component (import \"{name}\" (instance)))"))
            .check_imports(&BTreeSet::new())
    }

    #[test]
    fn only_the_outermost_layer_counts() {
        let outline = outline(
            r#"(component
                (component (import "inner:import/a" (instance)))
                (core module (import "core" "b" (func)))
                (import "wasi:io/poll@0.2.0" (instance))
                (component $inner)
                (instance $i (instantiate $inner))
                (export "c" (instance $i)))"#,
        );
        assert_eq!(outline.imports, ["wasi:io/poll@0.2.0"]);
        assert_eq!(outline.exports, ["c"]);
        assert!(outline.may_suspend());
        assert!(outline.denied_imports().is_empty());
    }

    #[test]
    fn needs_are_found_at_any_depth_and_said_once() {
        let needs = |text: &str| format!("(@custom \"airssys:needs\" \"{text}\")");
        let some = needs(r#"{\22send\22:[\22a/b\22]}"#);
        let none = needs("{}");
        let deep = |needs: &str| format!("(component (component (core module {needs})))");
        assert_eq!(outline("(component)").needs, None);
        for text in [
            format!("(component {some})"),
            deep(&some),
            deep(&[&*some, &*some].concat()),
        ] {
            let needs = outline(&text).needs.unwrap();
            assert_eq!(needs.send, ["a/b"], "{text}");
        }
        for (text, fault) in [
            (
                format!("(component {some} (core module {none}))"),
                NeedsFault::Twice,
            ),
            (deep(&needs("\\ff")), NeedsFault::NotText),
        ] {
            assert_eq!(
                Outline::read(&wat::parse_str(&text).unwrap()),
                Err(WasmError::InvalidComponent(ComponentFault::Needs(fault)))
            );
        }
    }

    #[test]
    fn who_may_reach_outside_may_wait() {
        let may_suspend = |import: &str| {
            outline(&format!("(component (import \"{import}\" (instance)))")).may_suspend()
        };
        for import in [
            "airssys:actor/rpc@0.1.0",
            "wasi:io/poll@0.2.0",
            "wasi:filesystem/types@0.2.3",
            "wasi:sockets/tcp@0.2.12",
            "wasi:http/outgoing-handler@0.2.0",
        ] {
            assert!(may_suspend(import), "{import}");
        }
        for import in ["wasi:cli/environment@0.2.0", "wasi:clocks/wall-clock@0.2.0"] {
            assert!(!may_suspend(import), "{import}");
        }
    }

    #[test]
    fn imports_are_known_by_name_and_version() {
        assert_eq!(imports("airssys:actor/storage@0.1.0"), Ok(()));
        assert_eq!(imports("airssys:actor/storage@0.1.9"), Ok(()));
        assert_eq!(imports("wasi:filesystem/types@0.2.3"), Ok(()));
        for (import, offered) in [
            ("airssys:actor/storage@0.2.0", "0.1.0"),
            ("airssys:actor/storage", "0.1.0"),
            ("wasi:clocks/monotonic-clock@0.3.0", "0.2"),
        ] {
            assert_eq!(
                imports(import),
                Err(WasmError::InvalidComponent(ComponentFault::ImportVersion {
                    import: import.into(),
                    offered: offered.into(),
                }))
            );
        }
        assert_eq!(
            imports("evil:corp/backdoor@1.0.0"),
            Err(WasmError::InvalidComponent(ComponentFault::UnknownImport {
                import: "evil:corp/backdoor@1.0.0".into(),
            }))
        );
    }

    #[test]
    fn another_version_of_an_export_is_named() {
        let exports = |names: &[&str]| Outline {
            exports: names.iter().map(|n| (*n).to_owned()).collect(),
            ..Outline::default()
        };
        assert_eq!(exports(&[HANDLER]).require_export(HANDLER), Ok(()));
        let compatible = exports(&["airssys:actor/handler@0.1.7"]);
        assert_eq!(compatible.require_export(HANDLER), Ok(()));
        for (names, found) in [
            (
                vec!["airssys:actor/handler@0.2.0"],
                Some("airssys:actor/handler@0.2.0"),
            ),
            (vec!["airssys:actor/lifecycle@0.1.0"], None),
            (vec![], None),
        ] {
            assert_eq!(
                exports(&names).require_export(HANDLER),
                Err(WasmError::ExportNotFound(MissingExport {
                    export: HANDLER.into(),
                    found: found.map(str::to_owned),
                }))
            );
        }
    }

    #[test]
    fn what_is_no_component_is_told_apart() {
        let module = wat::parse_str("(module)").unwrap();
        assert_eq!(
            Outline::read(&module),
            Err(WasmError::InvalidComponent(ComponentFault::CoreModule))
        );
        for bytes in [&b""[..], b"\0asm", &[0xff; 5], b"#!/bin/sh", &module[..6]] {
            assert!(matches!(
                Outline::read(bytes),
                Err(WasmError::InstantiationFailed(reason))
                    if reason.contains("offset") && !reason.contains('\n')
            ));
        }
    }
}
