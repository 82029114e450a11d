//! The flags that change limits, and which flag changes which.

// Layer 1: Standard library imports
use std::str::FromStr;

// Layer 2: Third-party crate imports
use airssys_wasm::core::limits::{Limit, LimitExceeded, Limits};
use clap::Args;

// Layer 3: Internal module imports
use crate::quantity::{parse_bytes, parse_count, typed_bytes};

/// Limits of the turn. All have defaults; see `--limit`.
#[derive(Args)]
#[command(next_help_heading = "Limits")]
pub(crate) struct LimitArgs {
    /// Fuel for the turn; one unit is about one instruction [default: 1,000,000,000]
    #[arg(long, value_name = "UNITS", value_parser = parse_count, allow_negative_numbers = true)]
    fuel: Option<u64>,
    /// How long the turn may take by the clock [default: 5,000]
    #[arg(long, value_name = "MS", value_parser = parse_count, allow_negative_numbers = true)]
    timeout_ms: Option<u64>,
    /// All memories and tables of the instance together [default: 64MiB]
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes, allow_negative_numbers = true)]
    memory: Option<u64>,
    /// Any limit by its name, such as `reply_bytes=16MiB`; may be repeated
    ///
    /// A wrong name is answered with the list of all names. The flags above win over it.
    #[arg(long = "limit", value_name = "NAME=VALUE")]
    by_name: Vec<LimitArg>,
}

impl LimitArgs {
    /// The default limits with the flags applied.
    pub(crate) fn limits(&self) -> Limits {
        let mut limits = changed(&self.by_name);
        limits.turn_fuel = self.fuel.unwrap_or(limits.turn_fuel);
        limits.turn_wall_ms = self.timeout_ms.unwrap_or(limits.turn_wall_ms);
        limits.memory_bytes = self.memory.unwrap_or(limits.memory_bytes);
        limits
    }
}

/// The default limits with some changed.
pub(crate) fn changed(by_name: &[LimitArg]) -> Limits {
    let mut limits = Limits::default();
    for arg in by_name {
        if let Some(limit) = field(&mut limits, &arg.name) {
            *limit = arg.value;
        }
    }
    limits
}

/// One limit, `name=value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LimitArg {
    name: String,
    value: u64,
}

impl FromStr for LimitArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
        let name = name.trim().replace('-', "_");
        if field(&mut Limits::default(), &name).is_none() {
            return Err(format!("the limits are {}", NAMES.join(", ")));
        }
        let value = match name.ends_with("_bytes") {
            true => parse_bytes(value.trim()),
            false => parse_count(value.trim()),
        };
        Ok(Self {
            value: value?,
            name,
        })
    }
}

/// Makes the fields of [`Limits`] known by their names.
macro_rules! limits_by_name {
    ($($name:ident)*) => {
        const NAMES: &[&str] = &[$(stringify!($name)),*];

        /// The field of this name.
        fn field<'a>(limits: &'a mut Limits, name: &str) -> Option<&'a mut u64> {
            match name {
                $(stringify!($name) => Some(&mut limits.$name),)*
                _ => None,
            }
        }
    };
}

limits_by_name! {
    component_bytes
    memory_bytes
    turn_fuel
    turn_wall_ms
    hostcall_bytes
    resource_handles
    message_bytes
    kind_bytes
    reply_bytes
    turn_sends
    turn_send_bytes
    turn_writes
    turn_write_bytes
    key_bytes
    value_bytes
    storage_bytes
    storage_keys
    total_storage_bytes
    total_storage_keys
    keys_per_call
    random_bytes
    turn_log_lines
    log_line_bytes
}

/// The flag that raises a limit far enough for what was wanted, as it is typed; none
/// for what belongs to the engine.
pub(crate) fn raising_flag(exceeded: &LimitExceeded) -> Option<String> {
    if !NAMES.contains(&exceeded.limit.name()) {
        return None;
    }
    let twice = exceeded.allowed.saturating_mul(2).max(exceeded.observed);
    let size = twice.checked_next_power_of_two().unwrap_or(twice);
    Some(match exceeded.limit {
        Limit::TurnFuel => format!("--fuel {twice}"),
        Limit::TurnWallMs => format!("--timeout-ms {twice}"),
        Limit::MemoryBytes => format!("--memory {}", typed_bytes(size)),
        limit if limit.name().ends_with("_bytes") => {
            format!("--limit {limit}={}", typed_bytes(size))
        }
        limit => format!("--limit {limit}={twice}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn every_limit_has_its_name() {
        let Value::Object(fields) = serde_json::to_value(Limits::default()).unwrap() else {
            panic!("limits are an object");
        };
        let mut names = NAMES.to_vec();
        names.sort_unstable();
        let mut expected: Vec<&str> = fields.keys().map(String::as_str).collect();
        expected.sort_unstable();
        assert_eq!(names, expected);
        for name in NAMES {
            let mut limits = Limits::default();
            *field(&mut limits, name).unwrap() = 77;
            let changed = serde_json::to_value(limits).unwrap();
            assert_eq!(changed[name], 77, "{name}");
        }
    }

    #[test]
    fn limits_are_read_by_name() {
        let arg = |name: &str, value| LimitArg {
            name: name.to_owned(),
            value,
        };
        assert_eq!(
            "reply_bytes=16MiB".parse(),
            Ok(arg("reply_bytes", 16 << 20))
        );
        assert_eq!("turn-sends = 3".parse(), Ok(arg("turn_sends", 3)));
        let unknown = "replies=1".parse::<LimitArg>().unwrap_err();
        assert!(unknown.contains("reply_bytes"), "{unknown}");
        for wrong in ["reply_bytes", "=1", "turn_sends=3KiB", "reply_bytes=-1"] {
            assert!(wrong.parse::<LimitArg>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_flag_is_enough_for_what_was_wanted() {
        let flag = |limit, allowed, observed| {
            raising_flag(&LimitExceeded {
                limit,
                allowed,
                observed,
            })
        };
        let (mib, kib) = (1 << 20, 1 << 10);
        for (flag, expected) in [
            (flag(Limit::TurnFuel, 1_000, 1_001), "--fuel 2000"),
            (flag(Limit::TurnWallMs, 50, 51), "--timeout-ms 100"),
            (
                flag(Limit::MemoryBytes, 64 * mib, 64 * mib + 1),
                "--memory 128MiB",
            ),
            (
                flag(Limit::ReplyBytes, 4 * mib, 33 * mib),
                "--limit reply_bytes=64MiB",
            ),
            (flag(Limit::KindBytes, 256, 300), "--limit kind_bytes=512"),
            (
                flag(Limit::KeyBytes, 600, 2 * kib),
                "--limit key_bytes=2KiB",
            ),
            (flag(Limit::TurnSends, 0, 1), "--limit turn_sends=1"),
            (
                flag(Limit::TurnFuel, u64::MAX, u64::MAX),
                "--fuel 18446744073709551615",
            ),
        ] {
            assert_eq!(flag.as_deref(), Some(expected));
        }
        assert_eq!(flag(Limit::WasmStackBytes, 1, 2), None);
    }
}
