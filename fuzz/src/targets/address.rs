//! Texts that name something: addresses, topics, patterns, digests, times, keys.

// Layer 1: Standard library imports
use std::fmt::{Debug, Display};
use std::str::FromStr;

// Layer 3: Internal module imports
use airssys_wasm::component::supervision::member::Member;
use airssys_wasm::core::component::digest::Digest;
use airssys_wasm::core::component::id::ComponentId;
use airssys_wasm::core::component::topic::{check_pattern, check_topic};
use airssys_wasm::core::security::capability::{Capability, Form};
use airssys_wasm::messaging::dead_letters::DeadLetterId;
use airssys_wasm::security::audit::mark::Mark;
use airssys_wasm::security::pattern::{MAX_PATTERN_BYTES, Pattern};
use airssys_wasm::security::policy::action::PolicyAction;
use airssys_wasm::security::policy::minute::Minute;
use airssys_wasm::security::signature::expiry::Expiry;
use airssys_wasm::security::signature::public_key::PublicKey;
use airssys_wasm::system::component_name::ComponentName;

const FORMS: [Form; 6] = [
    Form::Actor,
    Form::Component,
    Form::Topic,
    Form::Name,
    Form::Folder,
    Form::Endpoint,
];

/// Three lines, each of which may be a pattern, an address or anything else.
pub(crate) fn run(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    let mut lines = text.splitn(3, '\n');
    let texts: [&str; 3] = [(); 3].map(|()| lines.next().unwrap_or_default());
    for text in texts {
        check_names(text);
    }
    for form in FORMS {
        check_patterns(form, texts);
    }
}

fn check_names(text: &str) {
    if let Ok(address) = text.parse::<ComponentId>() {
        assert_eq!(address.as_str(), text, "an address has one spelling");
        let parts = (address.namespace(), address.name(), address.instance());
        assert_eq!(ComponentId::new(parts.0, parts.1, parts.2), address);
        means_itself(Form::Actor, text);
    }
    if let Ok(name) = text.parse::<ComponentName>() {
        assert_eq!(name.as_str(), text, "a name has one spelling");
        means_itself(Form::Component, text);
    }
    if check_topic(text).is_ok() {
        assert_eq!(check_pattern(text), Ok(()), "a topic is a pattern too");
        means_itself(Form::Topic, text);
    }
    is_read_back::<Capability>(text);
    is_read_back::<DeadLetterId>(text);
    is_read_back::<Digest>(text);
    is_read_back::<Expiry>(text);
    is_read_back::<Mark>(text);
    is_read_back::<Member>(text);
    is_read_back::<Minute>(text);
    is_read_back::<PolicyAction>(text);
    is_read_back::<PublicKey>(text);
}

/// What is written of a thing that was read is read as the same thing.
fn is_read_back<T: FromStr<Err: Debug + Display> + Display + PartialEq>(text: &str) {
    match text.parse::<T>() {
        Ok(read) => assert!(read.to_string().parse::<T>().unwrap() == read, "{read}"),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// Whatever can be asked for by name can be granted by name.
fn means_itself(form: Form, text: &str) {
    if text.len() <= MAX_PATTERN_BYTES {
        let pattern = Pattern::parse(form, text).unwrap();
        assert!(pattern.matches(text), "{text} means itself");
    }
}

fn check_patterns(form: Form, texts: [&str; 3]) {
    let [first, second, _] = texts.map(|text| Pattern::parse(form, text));
    for pattern in [&first, &second] {
        match pattern {
            Ok(pattern) => assert!(pattern.covers(pattern), "{pattern} covers itself"),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
    let (Ok(wide), Ok(narrow)) = (&first, &second) else {
        return;
    };
    if !wide.covers(narrow) {
        return;
    }
    // What the narrow one means, the wide one means; and a pattern in turn.
    if narrow.matches(texts[2]) {
        assert!(
            wide.matches(texts[2]),
            "{form:?}: {wide} covers {narrow}, and does not mean {:?}",
            texts[2]
        );
    }
    if let Ok(third) = Pattern::parse(form, texts[2])
        && narrow.covers(&third)
    {
        assert!(
            wide.covers(&third),
            "{form:?}: {wide} covers {narrow}, which covers {third}"
        );
    }
}
