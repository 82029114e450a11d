//! Moments, as they are typed and as they are shown.

// Layer 2: Third-party crate imports
use chrono::{DateTime, SecondsFormat};

// Layer 3: Internal module imports
use crate::now::now_ms;

/// A moment in milliseconds since 1970, typed as RFC 3339 or as how long it is ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) unix_ms: u64,
}

/// Reads a moment, such as `2026-11-23T09:00:00Z`, or how long ago it was: `90s`, `15min`,
/// `2h`, `7d`.
///
/// # Errors
///
/// What is wrong with it.
pub(crate) fn parse_moment(text: &str) -> Result<Moment, String> {
    let ago = ago_ms(text).map(|ago_ms| now_ms().saturating_sub(ago_ms));
    let unix_ms = ago.or_else(|| {
        let moment = DateTime::parse_from_rfc3339(text).ok()?;
        u64::try_from(moment.timestamp_millis()).ok()
    });
    let unix_ms = unix_ms.ok_or(
        "write how long ago it was, such as 90s, 15min, 2h or 7d, or when, such as \
         2026-11-23T09:00:00Z",
    )?;
    Ok(Moment { unix_ms })
}

fn ago_ms(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let unit_ms: u64 = match unit.trim_start() {
        "ms" => 1,
        "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(unit_ms)
}

/// A moment in UTC, to the second, or the number itself if it is beyond all calendars.
pub(crate) fn shown(unix_ms: u64) -> String {
    let moment = i64::try_from(unix_ms).ok();
    let moment = moment.and_then(DateTime::from_timestamp_millis);
    moment.map_or_else(
        || unix_ms.to_string(),
        |moment| moment.to_rfc3339_opts(SecondsFormat::Secs, true),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_in_two_ways() {
        let at = |text: &str| parse_moment(text).map(|it| it.unix_ms);
        assert_eq!(at("1970-01-01T00:00:01.5Z"), Ok(1_500));
        assert_eq!(at("2026-11-23T10:00:00+01:00"), Ok(1_795_424_400_000));
        for (text, ago_ms) in [("0s", 0), ("15min", 900_000), ("2 h", 7_200_000)] {
            let (found, expected) = (at(text).unwrap(), now_ms() - ago_ms);
            assert!(found <= expected && expected - found < 60_000, "{text}");
        }
        for text in [
            "",
            "h",
            "2",
            "2y",
            "-2h",
            "1.5h",
            "99999999999999999999d",
            "9999999999999999d",
            "yesterday",
            "1969-12-31T23:59:59Z",
            "2026-11-23",
            "2026-13-23T10:00:00Z",
        ] {
            assert!(at(text).is_err(), "{text}");
        }
    }

    #[test]
    fn moments_are_shown_in_utc() {
        assert_eq!(shown(1_795_424_400_999), "2026-11-23T09:00:00Z");
        assert_eq!(shown(u64::MAX), u64::MAX.to_string());
    }
}
