//! The time as a policy sees it.

// Layer 1: Standard library imports
use std::fmt;
use std::str::FromStr;

// Layer 2: Third-party crate imports
use chrono::{DateTime, Datelike, Timelike, Utc};
use thiserror::Error;

const MINUTE_MS: u64 = 60_000;
/// The last minute of the year 9999, the last that is written with four digits.
const LAST: u64 = 253_402_300_799_999 / MINUTE_MS;
/// The longest text that is read as a moment, in bytes.
const MAX_TEXT_BYTES: usize = 64;

/// A minute since 1970, in UTC: as finely as a policy sees the time.
///
/// Written as RFC 3339, with any offset, and shown in UTC. What comes after the year 9999
/// counts as its last minute, and what comes before 1970 as the first of that.
///
/// ```
/// use airssys_wasm::security::policy::minute::Minute;
///
/// let minute: Minute = "2026-11-23T08:30:59+01:00".parse()?;
/// assert_eq!(minute.to_string(), "2026-11-23T07:30:00Z");
/// assert_eq!((minute.hour(), minute.minute(), minute.weekday()), (7, 30, 1));
/// # Ok::<(), airssys_wasm::security::policy::minute::InvalidMoment>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Minute(u64);

/// The text is no moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "this is no moment in RFC 3339: write a date, a time and an offset, such as \
     2026-11-23T08:30:00Z"
)]
pub struct InvalidMoment;

impl Minute {
    /// The minute of a time in milliseconds since 1970.
    #[inline]
    pub fn of(unix_ms: u64) -> Self {
        Self((unix_ms / MINUTE_MS).min(LAST))
    }

    /// Its beginning in milliseconds since 1970.
    pub fn unix_ms(self) -> u64 {
        self.0 * MINUTE_MS
    }

    /// The hour of the day, from 0 to 23.
    pub fn hour(self) -> u32 {
        self.moment().hour()
    }

    /// The minute of the hour, from 0 to 59.
    pub fn minute(self) -> u32 {
        self.moment().minute()
    }

    /// The day of the week, as ISO 8601 counts: from 1, a Monday, to 7, a Sunday.
    pub fn weekday(self) -> u32 {
        self.moment().weekday().number_from_monday()
    }

    fn moment(self) -> DateTime<Utc> {
        let unix_s = i64::try_from(self.unix_ms() / 1_000).unwrap_or(0);
        // There is a moment for every minute up to the last.
        DateTime::from_timestamp(unix_s, 0).unwrap_or_default()
    }
}

impl FromStr for Minute {
    type Err = InvalidMoment;

    fn from_str(text: &str) -> Result<Self, InvalidMoment> {
        if text.len() > MAX_TEXT_BYTES {
            return Err(InvalidMoment);
        }
        let moment = DateTime::parse_from_rfc3339(text).map_err(|_| InvalidMoment)?;
        let unix_ms = u64::try_from(moment.timestamp_millis());
        Ok(Self::of(unix_ms.unwrap_or(0)))
    }
}

impl fmt::Display for Minute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (moment, hour, minute) = (self.moment(), self.hour(), self.minute());
        let (year, month, day) = (moment.year(), moment.month(), moment.day());
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:00Z")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_a_calendar_says() {
        for (unix_s, text, weekday) in [
            (0, "1970-01-01T00:00:00Z", 4),
            (951_782_399, "2000-02-28T23:59:00Z", 1),
            (951_782_400, "2000-02-29T00:00:00Z", 2),
            (1_795_397_459, "2026-11-23T01:30:00Z", 1),
            (4_107_542_400, "2100-03-01T00:00:00Z", 1),
            (u64::MAX / 1_000, "9999-12-31T23:59:00Z", 5),
        ] {
            let minute = Minute::of(unix_s * 1_000);
            assert_eq!(
                (minute.to_string().as_str(), minute.weekday()),
                (text, weekday)
            );
            assert_eq!(text.parse(), Ok(minute));
        }
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        let long = format!("2026-11-23T08:30:00.{}Z", "0".repeat(100));
        for text in [
            "",
            "now",
            "2026-11-23",
            "2026-11-23T08:30:00",
            "2026-13-01T00:00:00Z",
            &long,
        ] {
            assert_eq!(text.parse::<Minute>(), Err(InvalidMoment), "{text}");
        }
        let before = "1969-12-31T23:59:59Z".parse();
        assert_eq!(before, Ok(Minute::of(0)));
    }
}
