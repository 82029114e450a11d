//! Which capabilities a component could use, as far as its imports tell.

// Layer 2: Third-party crate imports
use serde::Serialize;

// Layer 3: Internal module imports
use crate::core::security::capability::Capability;
use crate::runtime::outline::split_version;

/// A capability that a component could use if it were granted. That it imports something is
/// no evidence that it means to: many toolchains import whatever there is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Use {
    /// The capability.
    pub capability: Capability,
    /// The functions that it follows from, as `interface#function`.
    pub because: Vec<String>,
}

/// The methods of a file or folder that change it, or something in it.
const WRITING: [&str; 12] = [
    "append-via-stream",
    "create-directory-at",
    "link-at",
    "remove-directory-at",
    "rename-at",
    "set-size",
    "set-times",
    "set-times-at",
    "symlink-at",
    "unlink-file-at",
    "write",
    "write-via-stream",
];

/// The capabilities that these functions could use, each named by its interface and itself,
/// in the order of [`Capability::ALL`].
pub(crate) fn of<'a>(functions: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<Use> {
    let mut uses: Vec<Use> = Vec::new();
    for (interface, function) in functions {
        for &capability in capabilities(split_version(interface).0, function) {
            let because = format!("{interface}#{function}");
            match uses.iter_mut().find(|it| it.capability == capability) {
                Some(found) => found.because.push(because),
                None => uses.push(Use {
                    capability,
                    because: vec![because],
                }),
            }
        }
    }
    uses.sort_by_key(|it| it.capability);
    uses
}

/// What a function could use.
fn capabilities(interface: &str, function: &str) -> &'static [Capability] {
    match (interface, function) {
        ("airssys:actor/messaging", "send" | "broadcast") => &[Capability::Send, Capability::Spawn],
        ("airssys:actor/messaging", "send-after") => &[Capability::Timers, Capability::Spawn],
        ("airssys:actor/messaging", "request") | ("airssys:actor/rpc", "call") => {
            &[Capability::Call, Capability::Spawn]
        }
        ("airssys:actor/messaging", "publish") => &[Capability::Publish],
        ("airssys:actor/messaging", "subscribe") => &[Capability::Subscribe],
        ("airssys:actor/storage", "get-from") => &[Capability::Storage],
        ("airssys:actor/services", "config") => &[Capability::Config],
        ("airssys:actor/services", "secret") => &[Capability::Secrets],
        ("airssys:actor/services", "list-components") => &[Capability::Directory],
        _ => of_wasi(interface, function),
    }
}

fn of_wasi(interface: &str, function: &str) -> &'static [Capability] {
    let method = function.rsplit('.').next().unwrap_or(function);
    match (interface, method) {
        ("wasi:cli/environment", "get-environment") => &[Capability::Env],
        ("wasi:clocks/wall-clock" | "wasi:clocks/monotonic-clock", _) => &[Capability::Clock],
        // A file is opened to be read, to be written, or to be emptied by that.
        ("wasi:filesystem/preopens", _) | ("wasi:filesystem/types", "open-at") => {
            &[Capability::ReadFiles, Capability::WriteFiles]
        }
        ("wasi:filesystem/types", method) if WRITING.contains(&method) => &[Capability::WriteFiles],
        ("wasi:filesystem/types", _) => &[Capability::ReadFiles],
        ("wasi:http/outgoing-handler", _) => &[Capability::Network],
        (interface, _) if interface.starts_with("wasi:sockets/") => &[Capability::Network],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(functions: &[(&str, &str)]) -> Vec<Use> {
        of(functions.iter().copied())
    }

    #[test]
    fn each_capability_can_be_used_by_something() {
        let uses = used(&[
            ("airssys:actor/messaging@0.1.0", "my-address"),
            ("airssys:actor/messaging@0.1.0", "send"),
            ("airssys:actor/messaging@0.1.0", "send-after"),
            ("airssys:actor/messaging@0.1.0", "publish"),
            ("airssys:actor/messaging@0.1.0", "subscribe"),
            ("airssys:actor/rpc@0.1.0", "call"),
            ("airssys:actor/storage@0.1.0", "get"),
            ("airssys:actor/storage@0.1.0", "get-from"),
            ("airssys:actor/services@0.1.0", "config"),
            ("airssys:actor/services@0.1.0", "secret"),
            ("airssys:actor/services@0.1.0", "list-components"),
            ("wasi:cli/environment@0.2.3", "get-environment"),
            ("wasi:clocks/wall-clock@0.2.3", "now"),
            ("wasi:filesystem/types@0.2.3", "[method]descriptor.read"),
            ("wasi:filesystem/types@0.2.3", "[method]descriptor.write"),
            ("wasi:http/outgoing-handler@0.2.3", "handle"),
        ]);
        let capabilities: Vec<Capability> = uses.iter().map(|it| it.capability).collect();
        assert_eq!(capabilities, Capability::ALL);
        let because = |capability: Capability| uses[capability as usize].because.clone();
        assert_eq!(
            because(Capability::WriteFiles),
            ["wasi:filesystem/types@0.2.3#[method]descriptor.write"]
        );
        assert_eq!(because(Capability::Spawn).len(), 3);
    }

    #[test]
    fn what_every_actor_may_do_is_no_use_of_a_capability() {
        for (interface, function) in [
            ("airssys:actor/messaging@0.1.0", "my-address"),
            ("airssys:actor/storage@0.1.0", "set"),
            ("airssys:actor/services@0.1.0", "log"),
            ("wasi:cli/stdout@0.2.3", "get-stdout"),
            ("wasi:random/random@0.2.3", "get-random-u64"),
            ("wasi:io/poll@0.2.3", "poll"),
            ("evil:corp/backdoor@1.0.0", "send"),
        ] {
            assert_eq!(used(&[(interface, function)]), [], "{interface}#{function}");
        }
    }
}
