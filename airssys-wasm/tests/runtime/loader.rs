//! From bytes, files and folders.

// Layer 1: Standard library imports
use std::fs;

// Layer 2: Third-party crate imports
use proptest::prelude::*;
use tempfile::tempdir;

// Layer 3: Internal module imports
use airssys_wasm::core::limits::{Limit, LimitExceeded, Limits};
use airssys_wasm::core::runtime::errors::{MissingExport, WasmError};
use airssys_wasm::runtime::loader::{ComponentLoader, LoadError};
use airssys_wasm::runtime::outline::HANDLER;

use crate::support::{engine, guest};

#[test]
fn a_file_is_loaded_and_a_bad_one_is_named() {
    let folder = tempdir().unwrap();
    let loader = ComponentLoader::new(engine());
    assert!(loader.load_file("../guests/bin/echo.wasm").is_ok());

    let missing = folder.path().join("missing.wasm");
    let error = loader.load_file(&missing).err().unwrap();
    assert!(matches!(&error, LoadError::Io { path, .. } if *path == missing));
    let error = loader.load_file(folder.path()).err().unwrap();
    assert!(matches!(&error, LoadError::Io { .. }), "{error}");

    for (name, bytes) in [
        ("empty.wasm", &b""[..]),
        ("text.wasm", b"hello"),
        ("cut.wasm", &guest("echo")[..500]),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let error = loader.load_file(&path).err().unwrap();
        assert!(error.to_string().contains(name), "{error}");
        assert!(matches!(
            error,
            LoadError::Component {
                source: WasmError::InstantiationFailed(_),
                ..
            }
        ));
    }
}

#[test]
fn a_handler_without_its_function_is_none() {
    // A name in the interface that is not the contract's.
    let name = b"handle-message";
    let mut bytes = guest("reverse");
    for end in name.len()..=bytes.len() {
        if bytes[..end].ends_with(name) {
            bytes[end - 1] = b'x';
        }
    }
    let refused = ComponentLoader::new(engine()).load_bytes(&bytes).err();
    assert_eq!(
        refused,
        Some(WasmError::ExportNotFound(MissingExport {
            export: HANDLER.into(),
            found: None,
        }))
    );
}

#[test]
fn size_is_checked_before_anything_else() {
    let loader = ComponentLoader::new(engine()).with_limits(Limits {
        component_bytes: 100,
        ..Limits::default()
    });
    let expected = |observed| {
        WasmError::ResourceLimitExceeded(LimitExceeded {
            limit: Limit::ComponentBytes,
            allowed: 100,
            observed,
        })
    };
    assert_eq!(loader.load_bytes(&[0; 200]).err(), Some(expected(200)));
    // Of a file no more is read than shows that it is too large.
    let error = loader.load_file("../guests/bin/echo.wasm").err().unwrap();
    let LoadError::Component { source, .. } = error else {
        panic!("{error}");
    };
    assert_eq!(source, expected(101));
}

#[test]
fn a_folder_is_loaded_in_the_order_of_its_names() {
    let folder = tempdir().unwrap();
    let loader = ComponentLoader::new(engine());
    assert_eq!(loader.load_folder(folder.path()).unwrap().len(), 0);
    for (file, from) in [("b.wasm", "echo"), ("a.wasm", "reverse"), ("c.txt", "echo")] {
        fs::write(folder.path().join(file), guest(from)).unwrap();
    }
    fs::create_dir(folder.path().join("d.wasm")).unwrap();
    let loaded = loader.load_folder(folder.path()).unwrap();
    let names: Vec<_> = loaded
        .iter()
        .map(|(path, _)| path.file_name().unwrap())
        .collect();
    assert_eq!(names, ["a.wasm", "b.wasm"]);

    fs::write(folder.path().join("e.wasm"), "hello").unwrap();
    let error = loader.load_folder(folder.path()).err().unwrap();
    assert!(error.to_string().contains("e.wasm"), "{error}");
    let nowhere = folder.path().join("nowhere");
    assert!(matches!(
        loader.load_folder(nowhere),
        Err(LoadError::Io { .. })
    ));
}

#[test]
fn the_same_bytes_are_compiled_once() {
    let loader = ComponentLoader::new(engine());
    let first = loader.load_bytes(&guest("echo")).unwrap();
    let second = loader.load_bytes(&guest("echo")).unwrap();
    assert!(std::sync::Arc::ptr_eq(&first, &second));
    let other = loader.load_bytes(&guest("reverse")).unwrap();
    assert_ne!(first.digest(), other.digest());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is done to a component's bytes, loading it answers and does not panic.
    #[test]
    fn damaged_components_are_answered(
        at in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let loader = ComponentLoader::new(engine());
        let mut bytes = guest("reverse");
        for (index, byte) in at {
            let index = index.index(bytes.len());
            bytes[index] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Err(error) = loader.load_bytes(&bytes) {
            prop_assert!(!error.to_string().is_empty());
        }
    }
}

#[tokio::test]
async fn the_right_name_with_the_wrong_type_is_told_apart() {
    use airssys_wasm::core::component::id::ComponentId;
    use airssys_wasm::core::runtime::errors::ComponentFault;
    use airssys_wasm::runtime::settings::InstanceSettings;

    let export = r#"(component
        (core module $m (func (export "f")))
        (core instance $i (instantiate $m))
        (func $f (canon lift (core func $i "f")))
        (instance $handler (export "handle-message" (func $f)))
        (export "airssys:actor/handler@0.1.0" (instance $handler)))"#;
    let engine = engine();
    let loader = ComponentLoader::new(engine.clone());
    let component = loader.load_bytes(&wat::parse_str(export).unwrap()).unwrap();
    let settings = InstanceSettings::new(ComponentId::new("test", "guest", "one"));
    let mut store = engine.store(&component, settings, Default::default());
    assert!(matches!(
        store.activate(Default::default()).await,
        Err(WasmError::InvalidComponent(ComponentFault::WrongType(_)))
    ));

    let import = export.replacen(
        "(component",
        r#"(component (import "airssys:actor/storage@0.1.0" (instance (export "get" (func))))"#,
        1,
    );
    let Some(WasmError::InvalidComponent(ComponentFault::WrongType(why))) =
        loader.load_bytes(&wat::parse_str(import).unwrap()).err()
    else {
        panic!("`get` has another type");
    };
    assert!(
        why.contains("airssys:actor/storage@0.1.0") && why.contains("get"),
        "{why}"
    );
}
