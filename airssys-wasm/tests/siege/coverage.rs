//! Each limit and each capability has its attack.

// Layer 1: Standard library imports
use std::fs::read_to_string;

// Layer 3: Internal module imports
use airssys_wasm::core::limits::Limit;
use airssys_wasm::core::security::capability::Capability;

/// Whether a test of this suite is there: `file::function`.
fn is_there(test: &str) -> bool {
    let Some((file, function)) = test.split_once("::") else {
        return false;
    };
    let file = file.trim_end_matches(".rs");
    let source = read_to_string(format!("tests/siege/{file}.rs")).unwrap_or_default();
    source.contains(&format!("#[test]\nfn {function}()"))
}

/// The last cell of the row about something, in a table of text.
fn last_cell<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let start = format!("| `{name}` |");
    let row = text.lines().find_map(|line| {
        let line = line.trim_start_matches("//!").trim();
        line.starts_with(&start).then_some(line)
    });
    row?.trim_end_matches('|').rsplit('|').next()
}

/// The attack on a limit stands in the table of all limits, beside its other tests.
#[test]
fn each_limit_is_attacked() {
    let table = read_to_string("../docs/LIMITS.md").expect("the table");
    for limit in Limit::CONFIGURABLE.iter().chain(Limit::ENGINE) {
        let cell = last_cell(&table, limit.name()).unwrap_or_else(|| panic!("no {limit}"));
        let tests = cell.split(',').map(|it| it.trim().trim_matches('`'));
        let attack = tests
            .filter_map(|it| it.strip_prefix("tests/siege/"))
            .next();
        let attack = attack.unwrap_or_else(|| panic!("{limit} has no attack in {cell}"));
        assert!(is_there(attack), "{limit}: {attack}");
    }
}

/// Those on capabilities stand at the top of this suite.
#[test]
fn each_capability_is_attacked() {
    let table = include_str!("main.rs");
    for capability in Capability::ALL {
        let name = capability.name();
        let cell = last_cell(table, name).unwrap_or_else(|| panic!("no {name}"));
        let attack = cell.trim().trim_matches('`');
        assert!(is_there(attack), "{name}: {attack}");
    }
}

#[test]
fn what_is_named_at_the_top_is_there() {
    for row in include_str!("main.rs")
        .lines()
        .filter(|it| it.starts_with("//! |"))
    {
        let cell = row
            .trim_end_matches('|')
            .rsplit('|')
            .next()
            .unwrap_or_default();
        for test in cell.split(',').map(|it| it.trim().trim_matches('`')) {
            assert!(!test.contains("::") || is_there(test), "{test}");
        }
    }
}
