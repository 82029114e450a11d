//! What a new version of a component changes.

// Layer 3: Internal module imports
use airssys_wasm::runtime::difference::Difference;
use airssys_wasm::runtime::inspection::Inspection;
use airssys_wasm::runtime::needs::SECTION;
use airssys_wasm::security::grants::Grants;

/// An empty component.
const EMPTY: [u8; 8] = [0, b'a', b's', b'm', 0x0d, 0, 1, 0];

/// Two versions with `0xff` between them: each is a component, or what the section of one
/// says that it needs.
pub(crate) fn run(bytes: &[u8]) {
    let split = bytes.iter().position(|byte| *byte == 0xff);
    let (old, new) = bytes.split_at(split.unwrap_or(bytes.len() / 2));
    let new = new.strip_prefix(&[0xff]).unwrap_or(new);
    let (Some(old), Some(new)) = (inspect(old), inspect(new)) else {
        return;
    };
    let same = Difference::between(&old, &old);
    assert!(!same.asks_for_more() && same.needs.is_empty() && same.may_newly_use.is_empty());
    let difference = Difference::between(&old, &new);
    serde_json::to_vec(&difference).unwrap();
    if let (Some(had), Some(asked)) = (&old.needs, &new.needs) {
        let (had, asked) = (Grants::compile(had), Grants::compile(asked));
        // Of no component, so that nobody's own actor is covered by its name.
        let missing = had.unwrap().missing(&asked.unwrap(), "");
        assert_eq!(
            difference.asks_for_more(),
            !missing.is_empty(),
            "what is enough for the old one is not for the new one: {missing:?}"
        );
    }
}

fn inspect(part: &[u8]) -> Option<Inspection> {
    if part.starts_with(b"\0asm") {
        return Inspection::of(part).ok();
    }
    Inspection::of(&component(part)).ok()
}

/// A component that says that it needs this.
fn component(needs: &[u8]) -> Vec<u8> {
    let mut section = vec![SECTION.len() as u8];
    section.extend(SECTION.as_bytes());
    section.extend(needs);
    let mut bytes = EMPTY.to_vec();
    bytes.push(0);
    let mut length = section.len();
    while length >= 0x80 {
        bytes.push(length as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
    bytes.extend(section);
    bytes
}
