//! What an actor asks its host for: [`needs!`](crate::needs!).

/// Says what the actor needs, so that whoever runs it can see it before, and grant it.
///
/// It stands at most once in a guest's crate, beside [`export!`](crate::export!), and
/// writes the section `airssys:needs` into the component; nothing of it is run. Each word
/// is a field of [`Needs`], and a word that is none does not compile.
///
/// ```
/// airssys_guest::needs! {
///     send: ["shop/stock", "shop/cart/*"],
///     timers: ["self"],
///     config: ["currency"],
/// }
/// ```
///
/// The host does not start a component that needs more than it was granted, and gives it
/// nothing that it did not ask for, whatever else was granted. `needs! {}` asks for
/// nothing, and gets nothing. A component that says nothing at all may do what it was
/// granted. `airssys inspect` shows what a component needs, and `airssys diff` what a new
/// version needs beyond the old one.
///
/// ```compile_fail
/// airssys_guest::needs! { fly: ["*"] }
/// ```
///
/// The section outlives the linker, `lto` and `strip` in `Cargo.toml`, and
/// `wasm-tools component new`. `wasm-tools strip` removes it, unless it is told what to
/// remove: `wasm-tools strip --delete '^[.]debug'`.
#[macro_export]
macro_rules! needs {
    ($($capability:ident: [$($pattern:expr),* $(,)?]),* $(,)?) => {
        const _: () = {
            const NEEDS: $crate::needs::Needs = $crate::needs::Needs {
                $($capability: &[$($pattern),*],)*
                ..$crate::needs::Needs::NONE
            };
            const BYTES: usize = NEEDS.bytes();

            // SAFETY: in WebAssembly it is a custom section, which no program can reach, and it
            // has nothing but bytes. On other targets it would be a section of a name that not
            // every linker takes.
            #[cfg_attr(target_family = "wasm", unsafe(link_section = "airssys:needs"))]
            #[used]
            static SECTION: [u8; BYTES] = NEEDS.json();
        };
    };
}

/// The most bytes of the section; the host reads no longer one.
const MAX_BYTES: usize = 64 << 10;

/// What an actor needs, by capability. Each has the patterns of what it is needed for.
///
/// Actors are written `namespace/name/instance`, or `namespace/name` for all of a
/// component, or `namespace/*`, and the actor itself `self`. In topics `*` stands for one
/// word, and `>` at the end for one or more. In other names `*` stands for any characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Actors to send messages to.
    pub send: &'static [&'static str],
    /// Actors to ask for a reply, by a request or a call.
    pub call: &'static [&'static str],
    /// Actors to have messages sent to later; most often `self`.
    pub timers: &'static [&'static str],
    /// Topics to publish to.
    pub publish: &'static [&'static str],
    /// Topics to subscribe to.
    pub subscribe: &'static [&'static str],
    /// Actors whose keys are read. Its own need no grant.
    pub storage: &'static [&'static str],
    /// Actors to bring into being by a first message.
    pub spawn: &'static [&'static str],
    /// Components to know of.
    pub directory: &'static [&'static str],
    /// Keys of the configuration.
    pub config: &'static [&'static str],
    /// Names of secrets.
    pub secrets: &'static [&'static str],
    /// Clocks beyond the turn's fixed time: `precise` is the only one.
    pub clock: &'static [&'static str],
    /// Environment variables, for WASI.
    pub env: &'static [&'static str],
    /// Folders to read in, as the guest sees them, for WASI.
    pub read_files: &'static [&'static str],
    /// Folders to write in, as the guest sees them, for WASI.
    pub write_files: &'static [&'static str],
    /// Hosts and ports such as `api.example.com:443`, for WASI.
    pub network: &'static [&'static str],
}

impl Needs {
    /// Nothing.
    pub const NONE: Self = Self {
        send: &[],
        call: &[],
        timers: &[],
        publish: &[],
        subscribe: &[],
        storage: &[],
        spawn: &[],
        directory: &[],
        config: &[],
        secrets: &[],
        clock: &[],
        env: &[],
        read_files: &[],
        write_files: &[],
        network: &[],
    };

    const fn lists(&self) -> [(&'static str, &'static [&'static str]); 15] {
        [
            ("send", self.send),
            ("call", self.call),
            ("timers", self.timers),
            ("publish", self.publish),
            ("subscribe", self.subscribe),
            ("storage", self.storage),
            ("spawn", self.spawn),
            ("directory", self.directory),
            ("config", self.config),
            ("secrets", self.secrets),
            ("clock", self.clock),
            ("env", self.env),
            ("read_files", self.read_files),
            ("write_files", self.write_files),
            ("network", self.network),
        ]
    }

    /// How long the [`json`](Self::json) is.
    ///
    /// # Panics
    ///
    /// When it is longer than a host reads, or a pattern is empty or has a control
    /// character in it. In [`needs!`](crate::needs!) that is a compile error.
    pub const fn bytes(&self) -> usize {
        let bytes = self.write(&mut []);
        assert!(bytes <= MAX_BYTES, "the needs are longer than 64 KiB");
        bytes
    }

    /// The needs as the host reads them: a JSON object of lists.
    ///
    /// # Panics
    ///
    /// As [`bytes`](Self::bytes), and when that is not `BYTES`.
    pub const fn json<const BYTES: usize>(&self) -> [u8; BYTES] {
        let mut json = [0; BYTES];
        assert!(self.write(&mut json) == BYTES, "this has another length");
        json
    }

    /// Writes as much as there is room for, and returns how much there is in all.
    const fn write(&self, to: &mut [u8]) -> usize {
        let lists = self.lists();
        let mut at = put(to, 0, b'{');
        let mut list = 0;
        while list < lists.len() {
            let (name, patterns) = lists[list];
            if !patterns.is_empty() {
                if at > 1 {
                    at = put(to, at, b',');
                }
                at = put_text(to, at, name);
                at = put(to, at, b':');
                at = put_list(to, at, patterns);
            }
            list += 1;
        }
        put(to, at, b'}')
    }
}

const fn put_list(to: &mut [u8], at: usize, patterns: &[&str]) -> usize {
    let mut at = put(to, at, b'[');
    let mut index = 0;
    while index < patterns.len() {
        assert!(!patterns[index].is_empty(), "a pattern is empty");
        if index > 0 {
            at = put(to, at, b',');
        }
        at = put_text(to, at, patterns[index]);
        index += 1;
    }
    put(to, at, b']')
}

const fn put_text(to: &mut [u8], at: usize, text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = put(to, at, b'"');
    let mut index = 0;
    while index < bytes.len() {
        let byte = bytes[index];
        assert!(byte >= b' ', "a pattern has a control character in it");
        if byte == b'"' || byte == b'\\' {
            at = put(to, at, b'\\');
        }
        at = put(to, at, byte);
        index += 1;
    }
    put(to, at, b'"')
}

const fn put(to: &mut [u8], at: usize, byte: u8) -> usize {
    if at < to.len() {
        to[at] = byte;
    }
    at + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const EDITOR: &str = "office/editor";

    crate::needs! {
        send: [EDITOR, "office/*",],
        read_files: ["/in"],
    }

    fn text<const BYTES: usize>(needs: Needs) -> String {
        String::from_utf8(needs.json::<BYTES>().to_vec()).unwrap()
    }

    #[test]
    fn needs_are_written_as_json() {
        const NEEDS: Needs = Needs {
            send: &["shop/stock", "self"],
            config: &["a \"b\" \\ ü"],
            ..Needs::NONE
        };
        assert_eq!(
            text::<{ NEEDS.bytes() }>(NEEDS),
            r#"{"send":["shop/stock","self"],"config":["a \"b\" \\ ü"]}"#
        );
        assert_eq!(text::<2>(Needs::NONE), "{}");
    }

    #[test]
    #[should_panic(expected = "a pattern is empty")]
    fn an_empty_pattern_is_refused() {
        let needs = Needs {
            publish: &["a", ""],
            ..Needs::NONE
        };
        needs.bytes();
    }
}
