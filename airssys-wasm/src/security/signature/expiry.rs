//! Until when a key counts.

// Layer 1: Standard library imports
use std::fmt;
use std::str::FromStr;

// Layer 2: Third-party crate imports
use chrono::{DateTime, SecondsFormat};
use thiserror::Error;

/// The longest text that is read as a moment, in bytes.
const MAX_TEXT_BYTES: usize = 64;
/// The end of the year 9999, the last that is written with four digits, in milliseconds since
/// the Unix epoch.
const LAST_MS: u64 = 253_402_300_799_999;

/// The last moment at which the signatures of a key count.
///
/// Written as RFC 3339, with any offset, and shown in UTC. What comes after the year 9999
/// counts as its end, and what comes before 1970 as the beginning of that.
///
/// ```
/// use airssys_wasm::security::signature::expiry::Expiry;
///
/// let expiry: Expiry = "2027-01-31T01:00:00+01:00".parse()?;
/// assert_eq!(expiry.to_string(), "2027-01-31T00:00:00Z");
/// assert!(!expiry.has_passed(expiry.unix_ms()));
/// assert!(expiry.has_passed(expiry.unix_ms() + 1));
/// # Ok::<_, airssys_wasm::security::signature::expiry::InvalidExpiry>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Expiry {
    unix_ms: u64,
}

/// The text is no moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "this is no moment in RFC 3339: write a date, a time and an offset, such as \
     2027-01-31T00:00:00Z"
)]
pub struct InvalidExpiry;

impl Expiry {
    /// The moment in milliseconds since the Unix epoch.
    pub fn unix_ms(self) -> u64 {
        self.unix_ms
    }

    /// Whether it is over at `now_ms`, in milliseconds since the Unix epoch.
    pub fn has_passed(self, now_ms: u64) -> bool {
        now_ms > self.unix_ms
    }
}

impl FromStr for Expiry {
    type Err = InvalidExpiry;

    fn from_str(text: &str) -> Result<Self, InvalidExpiry> {
        if text.len() > MAX_TEXT_BYTES {
            return Err(InvalidExpiry);
        }
        let moment = DateTime::parse_from_rfc3339(text).map_err(|_| InvalidExpiry)?;
        let unix_ms = u64::try_from(moment.timestamp_millis());
        Ok(Self {
            unix_ms: unix_ms.unwrap_or(0).min(LAST_MS),
        })
    }
}

impl fmt::Display for Expiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = i64::try_from(self.unix_ms)
            .ok()
            .and_then(DateTime::from_timestamp_millis);
        match moment {
            Some(moment) => f.write_str(&moment.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
            // No text is so far away.
            None => write!(f, "{} ms after 1970", self.unix_ms),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_moment_has_a_date_a_time_and_an_offset() {
        for (text, unix_ms) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1969-12-31T23:59:59Z", 0),
            ("2027-01-31T00:00:00Z", 1_801_353_600_000),
            ("2027-01-31T00:00:00.5Z", 1_801_353_600_500),
            ("2027-01-30T22:30:00-01:30", 1_801_353_600_000),
            ("2028-02-29T00:00:00Z", 1_835_395_200_000),
            ("9999-12-31T23:59:60Z", LAST_MS),
            ("9999-12-31T23:59:59-01:00", LAST_MS),
        ] {
            assert_eq!(text.parse(), Ok(Expiry { unix_ms }), "{text}");
        }
    }

    #[test]
    fn anything_else_is_no_moment() {
        for text in [
            "",
            "never",
            "2027",
            "2027-01-31",
            "2027-01-31T00:00:00",
            "2027-02-29T00:00:00Z",
            "2027-01-31T24:00:00Z",
            "2027-01-31T00:00Z",
            " 2027-01-31T00:00:00Z",
            "2027-01-31T00:00:00Z ",
            "31.1.2027",
            "1801353600",
        ] {
            assert_eq!(text.parse::<Expiry>(), Err(InvalidExpiry), "{text:?}");
        }
        let long = format!("2027-01-31T00:00:00.{}Z", "0".repeat(100_000));
        assert_eq!(long.parse::<Expiry>(), Err(InvalidExpiry));
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_again(unix_ms in 0..=LAST_MS) {
            let expiry = Expiry { unix_ms };
            prop_assert_eq!(expiry.to_string().parse(), Ok(expiry));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,80}", unix_ms: u64) {
            let _ = text.parse::<Expiry>();
            let _ = Expiry { unix_ms }.to_string();
        }
    }
}
