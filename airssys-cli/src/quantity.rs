//! Sizes, counts and times, as they are typed and as they are shown.

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// Reads a size in bytes: a number with or without a unit, such as `65536`, `64KiB`,
/// `64 MiB`, `64M` or `1GiB`. A unit is a power of 1024, however it is spelled.
///
/// # Errors
///
/// What is wrong with it.
pub(crate) fn parse_bytes(text: &str) -> Result<u64, String> {
    let digits = text
        .find(|c: char| c.is_ascii_alphabetic())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" | "kib" => KIB,
        "m" | "mb" | "mib" => MIB,
        "g" | "gb" | "gib" => GIB,
        _ => return Err(format!("`{unit}` is no unit; write KiB, MiB or GiB")),
    };
    parse_count(number.trim_end())?
        .checked_mul(factor)
        .ok_or_else(|| "it is more bytes than a computer has".to_owned())
}

/// Reads a whole number, in which `_` and `,` may part the digits.
///
/// # Errors
///
/// What is wrong with it.
pub(crate) fn parse_count(text: &str) -> Result<u64, String> {
    let digits: String = text.chars().filter(|c| !matches!(c, '_' | ',')).collect();
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err("a whole number is expected, zero or more".to_owned());
    }
    digits
        .parse()
        .map_err(|_| format!("it is more than {}, the largest number here", u64::MAX))
}

/// A number of bytes, to three or four digits: `1 byte`, `117 KiB`, `1.25 MiB`.
pub(crate) fn bytes(bytes: u64) -> String {
    let (unit, name) = match bytes {
        1 => return "1 byte".to_owned(),
        0..KIB => return format!("{bytes} bytes"),
        KIB..MIB => (KIB, "KiB"),
        MIB..GIB => (MIB, "MiB"),
        GIB.. => (GIB, "GiB"),
    };
    if bytes.is_multiple_of(unit) {
        return format!("{} {name}", count(bytes / unit));
    }
    format!("{} {name}", three_digits(bytes as f64 / unit as f64))
}

/// A size as [`parse_bytes`] reads it: in the largest unit that loses nothing.
pub(crate) fn typed_bytes(bytes: u64) -> String {
    let units = [(GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")];
    match units.iter().find(|(unit, _)| bytes.is_multiple_of(*unit)) {
        Some((unit, name)) if bytes > 0 => format!("{}{name}", bytes / unit),
        _ => bytes.to_string(),
    }
}

/// A count, its thousands parted: `1,234,567`.
pub(crate) fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut parted = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            parted.push(',');
        }
        parted.push(digit);
    }
    parted
}

/// So many of something: `1 actor`, `2 actors`.
pub(crate) fn many(number: u64, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        number => format!("{} {what}s", count(number)),
    }
}

/// A time to three digits: `980 ns`, `12.3 µs`, `4.56 ms`, `2 s`.
pub(crate) fn time(nanoseconds: u64) -> String {
    let (unit, name) = match nanoseconds {
        0..1_000 => return format!("{nanoseconds} ns"),
        1_000..1_000_000 => (1e3, "µs"),
        1_000_000..1_000_000_000 => (1e6, "ms"),
        _ => (1e9, "s"),
    };
    format!("{} {name}", three_digits(nanoseconds as f64 / unit))
}

/// A stretch of time as one thinks of it: `12 s`, `3 min`, `2 h 5 min`, `4 d`.
pub(crate) fn stretch(milliseconds: u64) -> String {
    let (seconds, minutes) = (milliseconds / 1_000, milliseconds / 60_000);
    match (minutes / 1_440, minutes / 60, minutes) {
        (_, _, 0) if seconds == 0 => format!("{milliseconds} ms"),
        (_, _, 0) => format!("{seconds} s"),
        (_, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {} min", minutes % 60),
        (days, ..) => format!("{days} d"),
    }
}

/// A number to three digits, without zeros at its end.
fn three_digits(number: f64) -> String {
    let text = match number {
        ..9.995 => format!("{number:.2}"),
        ..99.95 => format!("{number:.1}"),
        _ => return format!("{number:.0}"),
    };
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_units() {
        for (text, expected) in [
            ("0", 0),
            ("65536", 65_536),
            ("65,536", 65_536),
            ("512b", 512),
            ("64KiB", 64 << 10),
            ("64MiB", 64 << 20),
            ("64 MiB", 64 << 20),
            ("64mib", 64 << 20),
            ("64m", 64 << 20),
            ("1GB", 1 << 30),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(parse_bytes(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn sizes_that_are_none_are_refused() {
        for text in [
            "", "MiB", "-1", "-1MiB", "1.5MiB", "1 2", "0x10", "64TiB", "٣", "1e9", "_",
        ] {
            assert!(parse_bytes(text).is_err(), "{text}");
        }
        for text in [
            "18446744073709551616",
            "18446744073709551615KiB",
            "99999999999GiB",
        ] {
            assert!(parse_bytes(text).is_err(), "{text}");
        }
    }

    #[test]
    fn counts_are_whole_and_not_negative() {
        assert_eq!(parse_count("1_000_000_000"), Ok(1_000_000_000));
        assert_eq!(parse_count("1,000"), Ok(1_000));
        for text in ["-5", "", "1.5", "ten", "18446744073709551616", "+1"] {
            assert!(parse_count(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_shown_is_short() {
        assert_eq!(bytes(0), "0 bytes");
        assert_eq!(bytes(1), "1 byte");
        assert_eq!(bytes(1_023), "1023 bytes");
        assert_eq!(bytes(117_760), "115 KiB");
        assert_eq!(bytes(1_114_112), "1.06 MiB");
        assert_eq!(bytes(64 << 20), "64 MiB");
        assert_eq!(bytes(u64::MAX), "17179869184 GiB");
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_000), "1,000");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(time(980), "980 ns");
        assert_eq!(time(12_345), "12.3 µs");
        assert_eq!(time(999_999), "1000 µs");
        assert_eq!(time(4_560_000), "4.56 ms");
        assert_eq!(time(2_000_000_000), "2 s");
        assert_eq!(time(3_600_000_000_000), "3600 s");
    }

    #[test]
    fn stretches_are_short() {
        for (milliseconds, expected) in [
            (0, "0 ms"),
            (999, "999 ms"),
            (59_999, "59 s"),
            (60_000, "1 min"),
            (7_500_000, "2 h 5 min"),
            (400_000_000, "4 d"),
        ] {
            assert_eq!(stretch(milliseconds), expected);
        }
    }

    #[test]
    fn a_typed_size_is_read_back() {
        assert_eq!(typed_bytes(128 << 20), "128MiB");
        for size in [0, 1, 513, 64 << 10, 3 << 30, u64::MAX] {
            assert_eq!(parse_bytes(&typed_bytes(size)), Ok(size));
        }
    }
}
