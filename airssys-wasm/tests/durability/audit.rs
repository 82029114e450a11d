//! Whether the books of a bank are right.

// Layer 1: Standard library imports
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

// Layer 2: Third-party crate imports
use serde_json::Value;
use tokio::time::{Instant, sleep};

// Layer 3: Internal module imports
use crate::bank::{ACCOUNTS, BALANCE, account};
use crate::orders::{Fate, Order};
use crate::process::{PATIENCE, Process};

/// What an account says of itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Statement {
    pub(crate) balance: u64,
    pub(crate) ticks: u64,
    disorder: u64,
    /// Money that another was asked to take.
    asking: u64,
    /// Of that, what it does not know about.
    doubt: u64,
    to: BTreeMap<String, Pair>,
    from: BTreeMap<String, Pair>,
}

/// What went between two accounts: the last number, how many, and how much.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Pair {
    last: u64,
    count: u64,
    amount: u64,
}

/// The balances of a bank whose books were found to be right, by account.
pub(crate) type Balances = BTreeMap<String, u64>;

/// Waits until nothing is under way, checks everything, and returns what everybody has.
pub(crate) async fn audit(process: &Process, orders: &[Order]) -> Balances {
    let found = settled(process).await;
    for (name, statement) in &found {
        assert_eq!(statement.disorder, 0, "{name}: {statement:?}");
        assert!(statement.ticks > 0, "{name} does not tick");
    }
    let total: u64 = found.values().map(|it| it.balance).sum();
    assert_eq!(total, BALANCE * ACCOUNTS as u64, "money was made or lost");
    check_transfers(process, orders).await;
    check_dead_letters(process, orders).await;
    // Each account has one timer, or the message of one that is about to set the next.
    let status = |it: &Value| it["open"]["timers"] == ACCOUNTS && it["open"]["requests"] == 0;
    process.until("status", status).await;
    found
        .into_iter()
        .map(|(name, it)| (name, it.balance))
        .collect()
}

/// What all accounts say of themselves.
pub(crate) async fn statements(process: &Process) -> BTreeMap<String, Statement> {
    let mut statements = BTreeMap::new();
    for number in 0..ACCOUNTS {
        let name = account(number);
        statements.insert(name.clone(), statement(process, &name).await);
    }
    statements
}

/// What an account says of itself, as soon as there is room in its mailbox for the question.
async fn statement(process: &Process, account: &str) -> Statement {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match process.try_ask(account, "statement", "", None).await {
            Ok(text) => return parse(&text),
            Err(error) if error.word() == "mailbox-full" => {}
            Err(error) => panic!("{account}: {error:?}"),
        }
        assert!(
            Instant::now() < deadline,
            "the mailbox of {account} is full"
        );
        sleep(Duration::from_millis(1)).await;
    }
}

/// What all accounts say of themselves when all that was sent has arrived.
async fn settled(process: &Process) -> BTreeMap<String, Statement> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let found = statements(process).await;
        let unsettled = unsettled(&found);
        if unsettled.is_empty() {
            return found;
        }
        assert!(Instant::now() < deadline, "not settled: {unsettled:#?}");
        sleep(Duration::from_millis(20)).await;
    }
}

/// What is under way, in words.
fn unsettled(found: &BTreeMap<String, Statement>) -> Vec<String> {
    let mut unsettled = Vec::new();
    for (name, statement) in found {
        if statement.asking + statement.doubt > 0 || statement.ticks == 0 {
            unsettled.push(format!("{name}: {statement:?}"));
        }
        let heard = |other: &str, way: fn(&Statement) -> &BTreeMap<String, Pair>| {
            let pair = found.get(other).and_then(|other| way(other).get(name));
            pair.copied().unwrap_or_default()
        };
        for (to, sent) in &statement.to {
            let got = heard(to, |other| &other.from);
            // What was asked and refused has a number also.
            if (sent.count, sent.amount) != (got.count, got.amount) || got.last > sent.last {
                unsettled.push(format!("{name} to {to}: sent {sent:?}, got {got:?}"));
            }
        }
        for (from, got) in &statement.from {
            if heard(from, |other| &other.to) == Pair::default() {
                unsettled.push(format!("{name} got {got:?} of {from}, which sent nothing"));
            }
        }
    }
    unsettled
}

/// Every order that was to be carried out was, once, and no other.
async fn check_transfers(process: &Process, orders: &[Order]) {
    let mut found = BTreeMap::new();
    for number in 0..ACCOUNTS {
        let name = account(number);
        let mut cursor = Some(String::new());
        while let Some(after) = cursor.take() {
            let page = process.ask(&name, "transfers", &after).await;
            for (id, times) in page.lines().filter_map(|line| line.split_once(' ')) {
                if id == "next" {
                    cursor = Some(times.to_owned());
                } else {
                    found.insert((id.to_owned(), name.clone()), times.to_owned());
                }
            }
        }
    }
    let done = orders.iter().filter(|order| order.fate == Fate::Done);
    let expected = done.map(|order| ((order.id.clone(), order.from.clone()), "1".to_owned()));
    let expected: BTreeMap<_, _> = expected.collect();
    let differs: Vec<_> = expected
        .iter()
        .filter(|it| found.get(it.0) != Some(it.1))
        .collect();
    assert!(differs.is_empty(), "not carried out once: {differs:?}");
    assert_eq!(found.len(), expected.len(), "nobody ordered some");
}

/// The dead letters are the orders that were to become some.
async fn check_dead_letters(process: &Process, orders: &[Order]) {
    let letters = process.get("dead-letters").await;
    let letters = letters.as_array().expect("a list").iter();
    let found: BTreeSet<String> = letters
        .map(|letter| {
            let payload = letter["payload"].as_str().unwrap_or_default();
            assert_eq!(letter["kind"], "transfer-then-trap", "{letter}");
            assert_eq!(letter["has_turn"], true, "{letter}");
            payload.split(' ').next().unwrap_or_default().to_owned()
        })
        .collect();
    let dead = orders.iter().filter(|order| order.fate == Fate::Dead);
    let expected: BTreeSet<String> = dead.map(|order| order.id.clone()).collect();
    assert_eq!(found, expected);
}

fn parse(text: &str) -> Statement {
    let mut statement = Statement::default();
    for line in text.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let number = |at: usize| words[at].parse::<u64>().expect("a number");
        let pair = || Pair {
            last: number(2),
            count: number(3),
            amount: number(4),
        };
        match words[0] {
            "balance" => statement.balance = number(1),
            "ticks" => statement.ticks = number(1),
            "keys" | "bytes" => {}
            "disorder" => statement.disorder = number(1),
            "asking" => statement.asking = number(1),
            "doubt" => statement.doubt = number(1),
            "to" => drop(statement.to.insert(words[1].to_owned(), pair())),
            "from" => drop(statement.from.insert(words[1].to_owned(), pair())),
            other => panic!("{other}"),
        }
    }
    statement
}
