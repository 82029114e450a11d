//! The manifest `airssys.toml`: a system written down in a file.

// Layer 1: Standard library imports
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

// Layer 2: Third-party crate imports
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue, Deserializer};

// Layer 3: Internal module imports
use crate::core::mistake::Mistake;
use crate::system::config::ceiling::check_ceiling;
use crate::system::config::component::ComponentConfig;
use crate::system::config::group::GroupConfig;
use crate::system::config::problem::{ConfigError, Part, Problem, Step, shown};
use crate::system::config::security::SecurityConfig;
use crate::system::config::shape::check_shape;
use crate::system::config::system::{HttpConfig, MAX_ENTRIES, SystemConfig};
use crate::system::manifest_defaults::merge_defaults;
use crate::system::manifest_error::{MAX_MANIFEST_BYTES, ManifestError};

/// The name of a manifest in its folder.
pub const MANIFEST_FILE: &str = "airssys.toml";
/// The format that this version reads, the only one so far.
pub const MANIFEST_VERSION: u32 = 1;
/// The keys of a component that have no default for all of them.
const NO_DEFAULT: [&str; 6] = ["name", "source", "signature", "needs", "config", "run"];

/// A system written down in `airssys.toml`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The format of this file. It is the first key, and 1 is the only format so far.
    #[schemars(range(min = MANIFEST_VERSION, max = MANIFEST_VERSION))]
    #[serde(rename = "version")]
    _version: u32,
    /// The system's name, 1 to 64 of a-z 0-9 - _. Default: the name of the folder.
    #[serde(default)]
    #[schemars(length(min = 1, max = 64), regex(pattern = "^[a-z0-9_-]+$"))]
    name: Option<String>,
    /// The settings of the whole system.
    #[serde(default)]
    system: SystemConfig,
    /// The HTTP face.
    #[serde(default)]
    http: HttpConfig,
    /// Whom to trust, the policy, and what is audited.
    #[serde(default)]
    security: SecurityConfig,
    /// What each component has unless it says otherwise, key by key.
    #[serde(default, rename = "defaults")]
    #[schemars(schema_with = "defaults_schema")]
    _defaults: IgnoredAny,
    /// The components, at most 1 024.
    #[serde(default)]
    #[schemars(length(max = MAX_ENTRIES))]
    component: Vec<ComponentConfig>,
    /// The groups, at most 1 024.
    #[serde(default)]
    #[schemars(length(max = MAX_ENTRIES))]
    group: Vec<GroupConfig>,
}

impl Manifest {
    /// Reads the manifest at `path`, and looks whether the files that it names are
    /// there. Paths in the result begin with the manifest's folder.
    ///
    /// # Errors
    ///
    /// When there is none, it cannot be read, is larger than [`MAX_MANIFEST_BYTES`],
    /// is no UTF-8, or has a mistake, which is shown with its line.
    pub fn read(path: impl AsRef<Path>) -> Result<SystemConfig, ManifestError> {
        let path = path.as_ref();
        let text = read_text(path)?;
        let file = path.display().to_string();
        let document = Document::parse(&text, &file)?;
        let config = document.config()?;
        for (index, component) in config.components.iter().enumerate() {
            let files = [
                ("source", &component.source),
                ("signature", &component.signature),
            ];
            for (name, file) in files {
                let file = file.as_deref().map(|file| in_folder_of(path, file));
                if let Some(file) = file.filter(|file| !file.is_file()) {
                    let way = [key("component"), Step::Item(index), key(name)];
                    let message = format!("there is no file {}", shown(&file.to_string_lossy()));
                    return Err(document.mistake(document.find(&way, Part::Value), &message));
                }
            }
        }
        Ok(with_folder(config, path))
    }

    /// Reads a manifest out of `text`. The `file_name` stands in errors, and paths in
    /// the result begin with its folder.
    ///
    /// # Errors
    ///
    /// When the text is larger than [`MAX_MANIFEST_BYTES`] or has a mistake, which is
    /// shown with its line.
    pub fn parse(text: &str, file_name: &str) -> Result<SystemConfig, ManifestError> {
        let config = Document::parse(text, file_name)?.config()?;
        Ok(with_folder(config, Path::new(file_name)))
    }

    /// The JSON schema of the manifest, for editors and other programs.
    pub fn json_schema() -> Value {
        SchemaGenerator::default()
            .into_root_schema_for::<Self>()
            .to_value()
    }

    fn into_config(self) -> SystemConfig {
        SystemConfig {
            name: self.name,
            http: self.http,
            security: self.security,
            components: self.component,
            groups: self.group,
            ..self.system
        }
    }
}

/// A component's schema without what differs from one to the next.
fn defaults_schema(generator: &mut SchemaGenerator) -> Schema {
    let mut schema = ComponentConfig::json_schema(generator);
    schema.remove("required");
    schema.insert(
        "description".into(),
        "What each component has unless it says otherwise, key by key.".into(),
    );
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        properties.retain(|key, _| !NO_DEFAULT.contains(&key.as_str()));
    }
    schema
}

/// A manifest's text and what was read from it, with the place of every value.
struct Document<'a> {
    file: &'a str,
    text: &'a str,
    table: Spanned<DeTable<'a>>,
}

impl<'a> Document<'a> {
    fn parse(text: &'a str, file: &'a str) -> Result<Self, ManifestError> {
        if text.len() as u64 > MAX_MANIFEST_BYTES {
            return Err(ManifestError::TooLarge(file.into()));
        }
        // Some editors begin a file with an invisible mark.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let table = DeTable::parse(text).map_err(|error| in_words(file, text, &error))?;
        Ok(Self { file, text, table })
    }

    /// The configuration that is written down, checked.
    fn config(&self) -> Result<SystemConfig, ManifestError> {
        self.check_version()?;
        let value = self.value()?;
        check_shape(&Manifest::json_schema(), &value).map_err(|error| self.explain(&error))?;
        self.check_sources(&value)?;

        let mut merged = Document {
            table: self.table.clone(),
            ..*self
        };
        merge_defaults(merged.table.get_mut());
        check_ceiling(&merged.value()?).map_err(|error| merged.explain(&error))?;
        let mut config = Manifest::deserialize(Deserializer::from(merged.table.clone()))
            .map_err(|error| in_words(self.file, self.text, &error))?
            .into_config();
        config.check().map_err(|mut error| {
            error.path = as_written(error.path);
            merged.explain(&error)
        })?;
        config.lower_to_ceiling();
        Ok(config)
    }

    /// The version decides how the rest is read, so it is looked at before anything.
    fn check_version(&self) -> Result<(), ManifestError> {
        let table = self.table.get_ref();
        let first = table.iter().min_by_key(|(key, _)| key.span().start);
        let Some((key, value)) = first.filter(|(key, _)| key.get_ref() == "version") else {
            let place = first.map_or(0..0, |(key, _)| key.span());
            let message =
                format!("the first key of a manifest must be `version = {MANIFEST_VERSION}`");
            return Err(self.mistake(place, &message));
        };
        let DeValue::Integer(number) = value.get_ref() else {
            let message = format!("`{}` must be a whole number", key.get_ref());
            return Err(self.mistake(value.span(), &message));
        };
        if u32::from_str_radix(number.as_str(), number.radix()) != Ok(MANIFEST_VERSION) {
            let message = format!(
                "version {} is not known; this program reads version {MANIFEST_VERSION}",
                shown(number.as_str())
            );
            return Err(self.mistake(value.span(), &message));
        }
        Ok(())
    }

    /// What is written down, without places. All that can stand in the way is a number.
    fn value(&self) -> Result<Value, ManifestError> {
        Value::deserialize(Deserializer::from(self.table.clone())).map_err(|error| {
            let place = error.span().unwrap_or_default();
            self.mistake(place, "this number has too many digits")
        })
    }

    /// A program may hand over bytes, a manifest names a file.
    fn check_sources(&self, value: &Value) -> Result<(), ManifestError> {
        let components = value.get("component").and_then(Value::as_array);
        let mut components = components.into_iter().flatten();
        let Some(index) = components.position(|component| component.get("source").is_none()) else {
            return Ok(());
        };
        Err(self.explain(&ConfigError {
            path: vec![key("component"), Step::Item(index)],
            part: Part::Value,
            problem: Problem::MissingKey {
                key: "source".into(),
            },
        }))
    }

    /// Where the end of a path stands; where its last known step stands if it is not
    /// written down.
    fn find(&self, path: &[Step], part: Part) -> Range<usize> {
        let mut place = 0..0;
        let mut table = Some(self.table.get_ref());
        let mut list: Option<&DeArray<'_>> = None;
        for step in path {
            let found = match step {
                Step::Key(name) => table
                    .and_then(|table| table.get_key_value(name.as_str()))
                    .map(|(key, value)| (Some(key.span()), value)),
                Step::Item(index) => list
                    .and_then(|list| list.get(*index))
                    .map(|value| (None, value)),
            };
            let Some((key, value)) = found else {
                break;
            };
            place = match (part, key) {
                (Part::Key, Some(key)) => key,
                _ => value.span(),
            };
            table = value.get_ref().as_table();
            list = value.get_ref().as_array();
        }
        place
    }

    fn explain(&self, error: &ConfigError) -> ManifestError {
        let place = self.find(&error.path, error.part);
        self.mistake(place, &error.problem.to_string())
    }

    fn mistake(&self, place: Range<usize>, message: &str) -> ManifestError {
        Mistake::new(self.file, self.text, place, message).into()
    }
}

/// Where a part of the configuration stands in a manifest.
fn as_written(mut path: Vec<Step>) -> Vec<Step> {
    let Some(Step::Key(first)) = path.first_mut() else {
        return path;
    };
    match first.as_str() {
        "name" | "http" | "security" => {}
        "components" => *first = "component".into(),
        "groups" => *first = "group".into(),
        _ => path.insert(0, key("system")),
    }
    path
}

fn key(name: &str) -> Step {
    Step::Key(name.into())
}

fn in_words(file: &str, text: &str, error: &toml::de::Error) -> ManifestError {
    match error.span() {
        Some(place) => Mistake::new(file, text, place, error.message()).into(),
        None => ManifestError::NotRead {
            path: file.into(),
            message: error.message().into(),
        },
    }
}

fn with_folder(mut config: SystemConfig, manifest: &Path) -> SystemConfig {
    for component in &mut config.components {
        component.source = component
            .source
            .take()
            .map(|source| in_folder_of(manifest, &source));
        component.signature = component
            .signature
            .take()
            .map(|signature| in_folder_of(manifest, &signature));
        for folder in component.folders.values_mut() {
            *folder = in_folder_of(manifest, folder);
        }
        for secret in component.secrets.values_mut() {
            secret.file = secret.file.take().map(|file| in_folder_of(manifest, &file));
        }
    }
    let here = |path: PathBuf| in_folder_of(manifest, &path);
    config.data = config.data.take().map(here);
    config.security.policy = config.security.policy.take().map(here);
    config.security.audit.folder = config.security.audit.folder.take().map(here);
    config
}

fn in_folder_of(manifest: &Path, source: &Path) -> PathBuf {
    manifest
        .parent()
        .map_or_else(|| source.into(), |folder| folder.join(source))
}

/// Reads at most one byte more than a manifest may have, so that no file is too large
/// for the memory, and opens only files, so that none makes it wait.
fn read_text(path: &Path) -> Result<String, ManifestError> {
    let refused = |error: io::Error| match error.kind() {
        ErrorKind::NotFound => ManifestError::NotFound(path.into()),
        _ => ManifestError::Unreadable {
            path: path.into(),
            source: error,
        },
    };
    if !fs::metadata(path).map_err(refused)?.is_file() {
        return Err(ManifestError::NotAFile(path.into()));
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_MANIFEST_BYTES + 1).read_to_end(&mut bytes))
        .map_err(refused)?;
    if bytes.len() as u64 > MAX_MANIFEST_BYTES {
        return Err(ManifestError::TooLarge(path.into()));
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        ManifestError::NotUtf8 {
            path: path.into(),
            line: good.iter().filter(|byte| **byte == b'\n').count() + 1,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::component::supervision::group::Strategy as GroupStrategy;
    use crate::component::supervision::restart::Restart;
    use crate::core::limits::Limit;
    use crate::system::config::system::MemoryLayout;
    use proptest::prelude::*;
    use serde_json::json;
    use std::collections::BTreeMap;

    const EXAMPLE: &str = r#"
version = 1
name = "shop"

[system]
max_live_actors = 2_048
memory = "density"
shutdown_ms = 10_000
dead_letters = 10_000
cache = true

[http]
listen = "127.0.0.1:0"

[system.ceiling]
mailbox = 2_000
timers = 100

[defaults]
retry = { attempts = 7, factor = 3 }
limits = { memory_bytes = 1_000, key_bytes = 100, mailbox = 512 }

[[component]]
name = "shop/cart"
source = "cart.wasm"
config = { currency = "EUR" }
idle_ms = 300_000
restart = "transient"
run = ["main"]
kept_versions = 5

[component.retry]
attempts = 3
first_ms = 50
max_ms = 5_000
jitter = 0.2

[component.recording]
turns = 16
every_ms = 1

[component.upgrade]
max_failures = 5
window_ms = 60_000

[component.limits]
memory_bytes = 33_554_432
mailbox = 1_024

[[component]]
name = "shop/stock"
source = "../stock.wasm"

[[group]]
name = "orders"
strategy = "one-for-all"
max_restarts = 10
window_ms = 10_000
members = ["shop/stock", "shop/cart/main", "payments"]

[[group]]
name = "payments"
members = ["shop/cart"]
"#;

    /// The message of a mistake and its place, without the line that is shown.
    fn refusal(text: &str) -> String {
        let shown = Manifest::parse(text, "airssys.toml")
            .unwrap_err()
            .to_string();
        shown.lines().next().unwrap().to_owned()
    }

    #[test]
    fn the_example_says_what_it_says() {
        let config = Manifest::parse(EXAMPLE, "/shop/airssys.toml").unwrap();
        assert_eq!(config.name.as_deref(), Some("shop"));
        assert_eq!(config.memory, MemoryLayout::Density);
        let [cart, stock] = &config.components[..] else {
            panic!("there are two components");
        };
        assert_eq!(cart.source.as_deref(), Some(Path::new("/shop/cart.wasm")));
        assert_eq!(cart.config["currency"], "EUR");
        assert_eq!(
            (cart.restart, &cart.run[..]),
            (Restart::Transient, &["main".to_owned()][..])
        );
        assert_eq!((cart.limits.mailbox, stock.limits.mailbox), (1_024, 512));
        assert_eq!(config.ceiling.mailbox, Some(2_000));
        assert_eq!(
            (cart.limits.timers, stock.limits.timers),
            (100, 100),
            "lowered"
        );
        assert_eq!((cart.retry.attempts, stock.retry.attempts), (3, 7));
        assert_eq!((cart.retry.factor, stock.retry.factor), (3.0, 3.0));
        assert_eq!(
            (cart.limits.memory_bytes, stock.limits.memory_bytes),
            (33_554_432, 1_000)
        );
        assert_eq!((cart.limits.key_bytes, stock.limits.key_bytes), (100, 100));
        assert_eq!(cart.limits.turn_wall_ms, 5_000);
        assert_eq!(config.groups[0].strategy, GroupStrategy::OneForAll);
        let payments = GroupConfig {
            members: vec!["shop/cart".into()],
            ..GroupConfig::new("payments")
        };
        assert_eq!(config.groups[1], payments);
    }

    #[test]
    fn a_short_manifest_has_the_defaults_of_a_program() {
        let config = Manifest::parse("version = 1", "airssys.toml").unwrap();
        assert_eq!(config, SystemConfig::default());
        let text = "version = 1\n[[component]]\nname = \"a/b\"\nsource = \"b.wasm\"";
        let config = Manifest::parse(text, "airssys.toml").unwrap();
        let expected = ComponentConfig {
            source: Some("b.wasm".into()),
            ..ComponentConfig::new("a/b".parse().unwrap())
        };
        assert_eq!(config.components, [expected]);
    }

    #[test]
    fn a_mistake_is_shown_with_its_line() {
        let text =
            "version = 1\n[[component]]\nname = \"a/b\"\nsource = \"b\"\n  idle_m = 3 # few\n";
        assert_eq!(
            Manifest::parse(text, "airssys.toml")
                .unwrap_err()
                .to_string(),
            "airssys.toml:5:3: unknown key `idle_m`; did you mean `idle_ms`?\n  \
             idle_m = 3 # few\n  ^^^^^^"
        );
    }

    /// Each manifest after its first line, and what is wrong with it.
    const MISTAKES: &[(&str, &str)] = &[
        ("[[group]]\nname='a'", "2:1: the key `members` is missing"),
        (
            "[[group]]\nname='a'\nmembers=[]",
            "4:9: a group needs at least one member",
        ),
        (
            "[components]",
            "2:2: unknown key `components`; did you mean `component`?",
        ),
        (
            "colour = 1",
            "2:1: unknown key `colour`; known here: `component`, `defaults`, `group`, `http`, `name`, `security`, `system`, `version`",
        ),
        (
            "name = 'A'",
            "2:8: a name here is made of 1 to 64 of a-z 0-9 - _",
        ),
        (
            "[system]\nmemory = 'densty'",
            "3:10: unknown memory `densty`; did you mean `density`?",
        ),
        (
            "[system]\ncache = 1",
            "3:9: `cache` must be true or false, not a number",
        ),
        (
            "[system]\ncomponents = []",
            "3:1: unknown key `components`; known here: `cache`, `ceiling`, `data`, `dead_letters`, `durability`, `max_live_actors`, `max_memory_bytes`, `memory`, `shutdown_ms`",
        ),
        (
            "[system]\nmax_live_actors = 0",
            "3:19: `max_live_actors` must be from 1 to 1000000, not 0",
        ),
        (
            "[system]\nshutdown_ms = -1",
            "3:15: `shutdown_ms` must be from 0 to 3600000, not -1",
        ),
        (
            "http.listen = '0.0.0.0:1'",
            "2:15: 0.0.0.0:1 can be reached from other machines; `listen` must be a loopback address such as 127.0.0.1",
        ),
        (
            "http.listen = 'localhost'",
            "2:15: `listen` must be an IP address and a port, such as \"127.0.0.1:8080\"",
        ),
        (
            "defaults.limits.mailbox = 0",
            "2:27: `mailbox` must be from 1 to 1000000, not 0",
        ),
        (
            "defaults.limits.key_byte = 1",
            "2:17: unknown key `key_byte`; did you mean `key_bytes`?",
        ),
        (
            "defaults.run = []",
            "2:10: unknown key `run`; known here: `durability`, `env`, `folders`, `grants`, `idle_ms`, `kept_versions`, `limits`, `recording`, `restart`, `retry`, `secrets`, `upgrade`",
        ),
        (
            "component = 1",
            "2:13: `component` must be a list of tables, each under [[component]], not a number",
        ),
        (
            "[component]",
            "2:1: `component` must be a list of tables, each under [[component]], not a table or a date",
        ),
        ("[[component]]", "2:1: the key `name` is missing"),
        (
            "[[component]]\nname='a/b'",
            "2:1: the key `source` is missing",
        ),
        (
            "[[component]]\nname='a'\nsource='b'",
            "3:6: the name of a component has two parts, namespace/name; this one has 1",
        ),
        (
            "[[component]]\nname='airssys/a'\nsource='b'",
            "3:6: the namespace `airssys` is reserved for the host; choose another one",
        ),
        (
            "[[component]]\nname='a/b'\nsource=''",
            "4:8: `source` must be the path of a file",
        ),
        (
            "[[component]]\nname='a/b'\nsource=1979-05-27",
            "4:8: `source` must be a text in quotes, not a table or a date",
        ),
        (
            "[[component]]\nname='a/b'\nsource='b'\n[[component]]\nname='a/b'\nsource='b'",
            "6:6: there is already a component `a/b`",
        ),
        (
            "[[component]]\nname='a/b'\nsource='b'\nconfig={a=1}",
            "5:11: `a` must be a text in quotes, not a number",
        ),
        (
            "[[component]]\nname='a/b'\nsource='b'\nrun=['a', 'b/c']",
            "5:11: an address has three parts, namespace/name/instance; this one has 4",
        ),
        (
            "[[component]]\nname='a/b'\nsource='b'\nretry.attempts=101",
            "5:16: `attempts` must be from 1 to 100, not 101",
        ),
        (
            "[[component]]\nname='a/b'\nsource='b'\nretry.factor=0.5",
            "5:14: `factor` must be from 1 to 10, not 0.5",
        ),
        (
            "[[component]]\nname='a/b'\nsource='b'\nretry.jitter=nan",
            "5:14: `jitter` must be a number, not a number that is none",
        ),
        (
            "[[component]]\nname='a/b'\nsource='b'\nretry.max_ms=10\nkept_versions=0",
            "6:15: `kept_versions` must be from 1 to 100, not 0",
        ),
        (
            "[[component]]\nname='a/b'\nsource='b'\nretry.first_ms=9_000",
            "5:16: `first_ms` (9000) must not be more than `max_ms` (5000)",
        ),
        (
            "defaults.retry.first_ms=9_000\n[[component]]\nname='a/b'\nsource='b'",
            "2:25: `first_ms` (9000) must not be more than `max_ms` (5000)",
        ),
        (
            "[[component]]\nname='a/b'\nsource='b'\nlimits.turn_fuel=-1",
            "5:18: `turn_fuel` must be at least 0, not -1",
        ),
        (
            "[system.ceiling]\nmailboxes = 1",
            "3:1: unknown key `mailboxes`; did you mean `mailbox`?",
        ),
        (
            "[system.ceiling]\nmailbox = 0",
            "3:11: `mailbox` must be from 1 to 1000000, not 0",
        ),
        (
            "[system]\nceiling.mailbox=100\n[[component]]\nname='a/b'\nsource='b'\nlimits.mailbox=1_024",
            "7:16: `mailbox` may be at most 100 here, as [system.ceiling] says, not 1024",
        ),
        (
            "system.ceiling.timers=1\ndefaults.limits.timers=2\n[[component]]\nname='a/b'\nsource='b'",
            "3:24: `timers` may be at most 1 here, as [system.ceiling] says, not 2",
        ),
        (
            "system.ceiling.live_actors=1\n[[component]]\nname='a/b'\nsource='b'\nrun=['a', 'b']",
            "6:5: `run` names 2 actors, and `live_actors` allows 1",
        ),
        (
            "[[group]]\nname='a'\nmembers=['a/b']",
            "4:10: there is no component `a/b`; none is known here",
        ),
        (
            "[[group]]\nname='a'\nstrategy='one-for-al'\nmembers=[]",
            "4:10: unknown strategy `one-for-al`; did you mean `one-for-all`?",
        ),
        ("name = 'a'\nname = 'b'", "3:1: duplicate key"),
        (
            "name = \"a\u{0}\"",
            "2:10: invalid basic string, expected non-double-quote visible characters, `\\`",
        ),
        ("name = 'a", "2:10: invalid literal string, expected `'`"),
        (
            "[system]\ndead_letters = 99999999999999999999999999",
            "3:16: this number has too many digits",
        ),
    ];

    #[test]
    fn each_mistake_is_said_at_its_place() {
        for (text, expected) in MISTAKES {
            let text = format!("version = 1\n{text}");
            assert_eq!(refusal(&text), format!("airssys.toml:{expected}"), "{text}");
        }
    }

    #[test]
    fn the_version_comes_first() {
        let first = "the first key of a manifest must be `version = 1`";
        for (text, expected) in [
            ("", format!("1:1: {first}")),
            ("# nothing\n", format!("1:1: {first}")),
            ("name = 'a'\nversion = 1", format!("1:1: {first}")),
            ("\n[system]\nversion = 1", format!("2:2: {first}")),
            (
                "version = 2\nnew_key = 1",
                "1:11: version 2 is not known; this program reads version 1".into(),
            ),
            (
                "version = '1'",
                "1:11: `version` must be a whole number".into(),
            ),
        ] {
            assert_eq!(refusal(text), format!("airssys.toml:{expected}"), "{text}");
        }
        for text in [
            "# why\n\nversion = 1",
            "\u{feff}version = 1",
            "version = 0x1",
        ] {
            assert!(Manifest::parse(text, "airssys.toml").is_ok(), "{text}");
        }
    }

    #[test]
    fn hostile_text_is_refused() {
        let nested = format!("version = 1\nname = {}", "[".repeat(500_000));
        assert!(refusal(&nested).starts_with("airssys.toml:2:"));
        let dotted = format!("version = 1\n{}a = 1", "a.".repeat(200));
        assert_eq!(refusal(&dotted), "airssys.toml: recursion limit");
        let many = format!("version = 1\n{}", "[[group]]\nname='a'\n".repeat(40_000));
        assert_eq!(
            refusal(&many),
            "airssys.toml:2:1: `group` has 40000 entries, and may have at most 1024"
        );
        let long = format!("version = 1\n{} = 1", "k".repeat(1_000_000));
        assert!(Manifest::parse(&long, "f").unwrap_err().to_string().len() < 1_000);
        let large = " ".repeat(MAX_MANIFEST_BYTES as usize + 1);
        assert!(refusal(&large).contains("larger than 1048576 bytes"));
    }

    fn read(name: &str, bytes: &[u8]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let shown = Manifest::read(&path).unwrap_err().to_string();
        shown
            .replace(&path.display().to_string(), "FILE")
            .replace(&folder.path().display().to_string(), "FOLDER")
    }

    #[test]
    fn a_file_that_is_no_manifest_is_refused() {
        assert_eq!(
            read("m", b"version = 1\n# \xff"),
            "FILE: line 2 is not UTF-8; save the file as UTF-8"
        );
        let large = vec![b'\n'; MAX_MANIFEST_BYTES as usize + 1];
        assert!(read("m", &large).contains("larger than 1048576 bytes"));
        assert_eq!(
            read(
                "m",
                b"version = 1\n[[component]]\nname = 'a/b'\nsource = 'b.wasm'\n"
            ),
            "FILE:4:10: there is no file FOLDER/b.wasm\nsource = 'b.wasm'\n         ^^^^^^^^"
        );

        let folder = tempfile::tempdir().unwrap();
        let missing = Manifest::read(folder.path().join("airssys.toml")).unwrap_err();
        let (_, shortest) = missing
            .to_string()
            .split_once("write one:\n\n")
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .unwrap();
        assert!(Manifest::parse(&shortest, "airssys.toml").is_ok());
        let refused = Manifest::read(folder.path());
        assert!(matches!(refused, Err(ManifestError::NotAFile(_))));
    }

    #[test]
    fn paths_begin_with_the_folder_of_the_manifest() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("airssys.toml");
        fs::write(folder.path().join("b.wasm"), "").unwrap();
        fs::write(
            &path,
            "version = 1\n[[component]]\nname = 'a/b'\nsource = 'b.wasm'\n",
        )
        .unwrap();
        let config = Manifest::read(&path).unwrap();
        assert_eq!(
            config.components[0].source,
            Some(folder.path().join("b.wasm"))
        );
    }

    /// The keys that a schema has at a place, which references lead to.
    fn keys<'a>(root: &'a Value, schema: &'a Value) -> Vec<(&'a str, &'a Value)> {
        let target = schema.get("$ref").and_then(Value::as_str);
        let schema = target.map_or(schema, |target| root.pointer(&target[1..]).unwrap());
        let properties = schema["properties"].as_object().unwrap();
        assert_eq!(schema["additionalProperties"], json!(false));
        let sorted: BTreeMap<_, _> = properties
            .iter()
            .map(|(key, schema)| (key.as_str(), schema))
            .collect();
        sorted.into_iter().collect()
    }

    fn names<'a>(keys: &[(&'a str, &'a Value)]) -> Vec<&'a str> {
        keys.iter().map(|(key, _)| *key).collect()
    }

    #[test]
    fn the_schema_has_every_key_at_the_top_and_of_a_component() {
        let schema = Manifest::json_schema();
        let top = keys(&schema, &schema);
        assert_eq!(
            names(&top),
            [
                "component",
                "defaults",
                "group",
                "http",
                "name",
                "security",
                "system",
                "version"
            ]
        );
        assert_eq!(schema["required"], json!(["version"]));
        let component = keys(&schema, &schema["properties"]["component"]["items"]);
        assert_eq!(
            names(&component),
            [
                "config",
                "durability",
                "env",
                "folders",
                "grants",
                "idle_ms",
                "kept_versions",
                "limits",
                "name",
                "needs",
                "recording",
                "restart",
                "retry",
                "run",
                "secrets",
                "signature",
                "source",
                "upgrade"
            ]
        );
    }

    #[test]
    fn the_schema_has_every_key_of_its_tables_and_says_what_it_is() {
        const SYSTEM: &str = "/properties/system";
        const GROUP: &str = "/properties/group/items";
        const COMPONENT: &str = "/properties/component/items";
        let schema = Manifest::json_schema();
        let place = |pointer: &str| schema.pointer(pointer).unwrap();
        let component: BTreeMap<_, _> = keys(&schema, place(COMPONENT)).into_iter().collect();
        for (table, expected) in [
            (
                place(SYSTEM),
                "cache ceiling data dead_letters durability max_live_actors max_memory_bytes memory shutdown_ms",
            ),
            (place("/properties/http"), "listen"),
            (
                place("/properties/defaults"),
                "durability env folders grants idle_ms kept_versions limits recording restart retry secrets upgrade",
            ),
            (component["retry"], "attempts factor first_ms jitter max_ms"),
            (component["recording"], "every_ms turns"),
            (component["upgrade"], "max_failures window_ms"),
            (place(GROUP), "max_restarts members name strategy window_ms"),
        ] {
            assert_eq!(names(&keys(&schema, table)).join(" "), expected);
        }
        let limits = keys(&schema, component["limits"]);
        assert_eq!(limits.len(), Limit::CONFIGURABLE.len());
        let system: BTreeMap<_, _> = keys(&schema, place(SYSTEM)).into_iter().collect();
        let ceiling = keys(&schema, system["ceiling"]);
        assert_eq!(names(&ceiling), names(&limits));

        let tables = [SYSTEM, GROUP, COMPONENT].map(place);
        let inner = ["retry", "recording", "upgrade", "limits"].map(|key| component[key]);
        for table in tables
            .into_iter()
            .chain(inner)
            .chain([&schema, system["ceiling"]])
        {
            for (key, schema) in keys(&schema, table) {
                assert!(schema["description"].is_string(), "{key}");
            }
        }
    }

    #[test]
    fn the_schema_accepts_the_example() {
        let example: Value = toml::from_str(EXAMPLE).unwrap();
        assert_eq!(check_shape(&Manifest::json_schema(), &example), Ok(()));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,80}|version = 1\n[\\[\\]a-z.='{}\n 0-9]{0,60}") {
            let _ = Manifest::parse(&text, "airssys.toml");
        }

        /// What the component says, else the defaults, else what is built in.
        #[test]
        fn the_component_wins_key_by_key(
            own in prop::collection::vec(prop::option::of(1_u64..100), 5),
            defaults in prop::collection::vec(prop::option::of(1_u64..100), 5),
        ) {
            const KEYS: [&str; 5] =
                ["limits.mailbox", "kept_versions", "retry.attempts", "retry.first_ms", "limits.key_bytes"];
            let lines = |prefix: &str, values: &[Option<u64>]| -> String {
                let values = KEYS.iter().zip(values);
                let values = values.filter_map(|(key, value)| value.map(|value| (key, value)));
                values.map(|(key, value)| format!("{prefix}{key} = {value}\n")).collect()
            };
            let text = format!(
                "version = 1\n{}[[component]]\nname = 'a/b'\nsource = 'b'\n{}",
                lines("defaults.", &defaults),
                lines("", &own),
            );
            let config = Manifest::parse(&text, "airssys.toml").unwrap();
            let component = &config.components[0];
            let found = [
                component.limits.mailbox,
                component.kept_versions as u64,
                u64::from(component.retry.attempts),
                component.retry.first_ms,
                component.limits.key_bytes,
            ];
            for (index, built_in) in [1_024, 5, 3, 50, 512].into_iter().enumerate() {
                let expected = own[index].or(defaults[index]).unwrap_or(built_in);
                prop_assert_eq!(found[index], expected, "{}", KEYS[index]);
            }
        }
    }
}
