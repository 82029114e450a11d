//! The section in which a component says what it needs.

// Layer 3: Internal module imports
use airssys_wasm::runtime::needs::parse;
use airssys_wasm::security::grants::Grants;

/// The bytes of the section.
pub(crate) fn run(bytes: &[u8]) {
    match parse(bytes) {
        Ok(needs) => {
            let written = serde_json::to_vec(&needs).unwrap();
            assert_eq!(parse(&written), Ok(needs.clone()));
            let grants = Grants::compile(&needs).unwrap();
            assert!(
                grants.missing(&grants, "a/b").is_empty(),
                "they cover themselves"
            );
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
