//! `docs/LIMITS.md` says of each limit what is true.

// Layer 1: Standard library imports
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

// Layer 3: Internal module imports
use airssys_wasm::core::limits::{Limit, Limits};

const DOCUMENT: &str = "../docs/LIMITS.md";

/// A row of the table: the cells after the limit's name.
type Row = Vec<String>;

/// The rows that begin with a limit's name in code style, by that name.
fn rows() -> BTreeMap<String, Row> {
    let text = fs::read_to_string(DOCUMENT).unwrap();
    let mut rows = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with("| `")) {
        let mut cells = line.trim_matches('|').split('|').map(str::trim);
        let name = cells.next().unwrap().trim_matches('`').to_owned();
        let row: Row = cells.map(str::to_owned).collect();
        assert!(rows.insert(name.clone(), row).is_none(), "{name} twice");
    }
    rows
}

/// A number as the table has it: groups of three, or a power of two with its unit.
fn value(text: &str) -> u64 {
    let (number, unit) = match text.rsplit_once(' ') {
        Some((number, "KiB")) => (number, 1 << 10),
        Some((number, "MiB")) => (number, 1 << 20),
        Some((number, "GiB")) => (number, 1 << 30),
        Some((number, "PiB")) => (number, 1 << 50),
        _ => (text, 1),
    };
    let digits: String = number.chars().filter(|c| *c != ' ').collect();
    let number: u64 = digits.parse().unwrap_or_else(|e| panic!("{text}: {e}"));
    number * unit
}

#[test]
fn each_limit_is_there_with_its_unit_and_default() {
    let (rows, limits) = (rows(), Limits::default());
    for limit in Limit::CONFIGURABLE {
        let name = limit.name();
        let row = rows.get(name).unwrap_or_else(|| panic!("no {name}"));
        let [unit, default, why, seen, test] = &row[..] else {
            panic!("{name} has {} cells", row.len() + 1);
        };
        assert_eq!(value(default), limits.get(*limit).unwrap(), "{name}");
        let expected = match name {
            _ if name.ends_with("_bytes") => "bytes",
            _ if name.ends_with("_ms") => "ms",
            _ if name.ends_with("_per_s") => "per second",
            _ => unit,
        };
        assert_eq!(unit, expected, "{name}");
        assert!(
            !why.is_empty() && !seen.is_empty() && !test.is_empty(),
            "{name}"
        );
    }
    let known: Vec<&str> = Limit::CONFIGURABLE.iter().map(|it| it.name()).collect();
    let engine = Limit::ENGINE;
    for name in rows.keys() {
        let is_engine = engine.iter().any(|limit| limit.name() == name);
        assert!(
            is_engine || known.contains(&name.as_str()),
            "{name} is none"
        );
    }
    for limit in engine {
        assert!(rows.contains_key(limit.name()), "no {limit}");
    }
}

#[test]
fn each_test_that_is_named_there_exists() {
    for (name, row) in rows() {
        let tests = row.last().unwrap();
        for test in tests.split(',').map(|test| test.trim().trim_matches('`')) {
            let (file, function) = test
                .split_once("::")
                .unwrap_or_else(|| panic!("{name}: {test} names no function"));
            let path = Path::new("..").join("airssys-wasm").join(file);
            let source = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{test}: {e}"));
            assert!(
                source.contains(&format!("fn {function}(")),
                "{name}: {test}"
            );
        }
    }
}
