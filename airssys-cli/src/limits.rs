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
        if let Some(value) = limits.get_mut(arg.limit) {
            *value = arg.value;
        }
    }
    limits
}

/// One limit, `name=value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LimitArg {
    limit: Limit,
    value: u64,
}

impl FromStr for LimitArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
        let name = name.trim().replace('-', "_");
        let Some(limit) = Limit::named(&name) else {
            let names: Vec<&str> = Limit::CONFIGURABLE.iter().map(|it| it.name()).collect();
            return Err(format!("the limits are {}", names.join(", ")));
        };
        let value = match is_size(limit) {
            true => parse_bytes(value.trim()),
            false => parse_count(value.trim()),
        };
        Ok(Self {
            value: value?,
            limit,
        })
    }
}

/// The flag that raises a limit far enough for what was wanted, as it is typed; none
/// for what belongs to the engine.
pub(crate) fn raising_flag(exceeded: &LimitExceeded) -> Option<String> {
    let enough = enough(exceeded)?;
    Some(match exceeded.limit {
        Limit::TurnFuel => format!("--fuel {enough}"),
        Limit::TurnWallMs => format!("--timeout-ms {enough}"),
        Limit::MemoryBytes => format!("--memory {}", typed_bytes(enough)),
        limit if is_size(limit) => format!("--limit {limit}={}", typed_bytes(enough)),
        limit => format!("--limit {limit}={enough}"),
    })
}

/// The same for a component of a system: the line in its manifest.
pub(crate) fn raising_line(exceeded: &LimitExceeded) -> Option<String> {
    let enough = enough(exceeded)?;
    Some(format!("{} = {enough}", exceeded.limit))
}

/// A limit that is far enough for what was wanted; none for what belongs to the engine.
fn enough(exceeded: &LimitExceeded) -> Option<u64> {
    let limit = exceeded.limit;
    let twice = exceeded.allowed.saturating_mul(2).max(exceeded.observed);
    let enough = match is_size(limit) {
        true => twice.checked_next_power_of_two().unwrap_or(twice),
        false => twice,
    };
    Limit::CONFIGURABLE.contains(&limit).then_some(enough)
}

/// Whether a limit counts bytes.
pub(crate) fn is_size(limit: Limit) -> bool {
    limit.name().ends_with("_bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_by_name() {
        let arg = |limit, value| LimitArg { limit, value };
        assert_eq!(
            "reply_bytes=16MiB".parse(),
            Ok(arg(Limit::ReplyBytes, 16 << 20))
        );
        assert_eq!("turn-sends = 3".parse(), Ok(arg(Limit::TurnSends, 3)));
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
        let exceeded = LimitExceeded::beyond(Limit::CompileBytes, 3 * mib);
        let line = raising_line(&exceeded);
        assert_eq!(line.as_deref(), Some("compile_bytes = 8388608"));
    }
}
