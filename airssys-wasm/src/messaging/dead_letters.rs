//! The messages that nobody handled, kept for an operator.

// Layer 1: Standard library imports
use std::collections::BTreeMap;
use std::fmt;
use std::num::ParseIntError;
use std::ops::Bound;
use std::str::FromStr;
use std::sync::Arc;

// Layer 2: Third-party crate imports
use serde::{Deserialize, Serialize};

// Layer 3: Internal module imports
use crate::core::component::id::ComponentId;
use crate::core::delivery::dead_letter::DeadLetter;
use crate::messaging::shares::Shares;

/// How many dead letters are kept, if nothing else is said.
pub const MAX_DEAD_LETTERS: usize = 10_000;

/// How many bytes the kept letters may carry, if nothing else is said: 64 MiB.
pub const MAX_DEAD_LETTER_BYTES: u64 = 64 << 20;

/// The number of a dead letter. They count from 1 and are never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeadLetterId(u64);

impl DeadLetterId {
    /// The plain number.
    pub fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for DeadLetterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for DeadLetterId {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        text.parse().map(Self)
    }
}

/// The latest dead letters, as many as there is room for.
///
/// When a new one does not fit, others go, and are counted: the oldest of those to the
/// component that has the most bytes of letters here, or the most letters where their number
/// is what is full, until it fits. So a component whose messages fail without end drives out
/// its own letters, and those of nobody who has fewer. The bytes of a letter are
/// [its own](DeadLetter::bytes).
///
/// Where an address is given to choose letters by their receiver, it may be a whole one or
/// its beginning in whole parts: `shop`, `shop/cart` or `shop/cart/alice`. `shop/cart`
/// does not choose the letters of `shop/cartoon`.
#[derive(Debug)]
pub struct DeadLetters {
    kept: BTreeMap<DeadLetterId, Kept>,
    /// Of the components that the letters are to.
    shares: Shares,
    bytes: u64,
    max_letters: usize,
    max_bytes: u64,
    total: u64,
    forgotten: u64,
}

/// What came of keeping a letter.
#[derive(Debug)]
pub struct Pushed {
    /// Its number.
    pub id: DeadLetterId,
    /// The letter as it is kept, if it is.
    pub letter: Option<Arc<DeadLetter>>,
    /// The letters that went to make room.
    pub forgotten: Vec<(DeadLetterId, Arc<DeadLetter>)>,
}

#[derive(Debug)]
struct Kept {
    letter: Arc<DeadLetter>,
    bytes: u64,
}

impl Default for DeadLetters {
    fn default() -> Self {
        Self::new(MAX_DEAD_LETTERS, MAX_DEAD_LETTER_BYTES)
    }
}

impl DeadLetters {
    /// Room for `max_letters` letters of `max_bytes` bytes together.
    pub fn new(max_letters: usize, max_bytes: u64) -> Self {
        Self {
            kept: BTreeMap::new(),
            shares: Shares::default(),
            bytes: 0,
            max_letters,
            max_bytes,
            total: 0,
            forgotten: 0,
        }
    }

    /// Keeps a letter and gives it a number. If there is no room, letters to the component
    /// that has the most go, the oldest first. The cost follows those that go, and grows with
    /// the logarithm of those that are kept.
    ///
    /// A letter that is too large for the whole room is kept without its turn. If that
    /// does not help, it is forgotten at once and the others stay.
    pub fn push(&mut self, mut letter: DeadLetter) -> Pushed {
        self.total += 1;
        let id = DeadLetterId(self.total);
        let mut pushed = Pushed {
            id,
            letter: None,
            forgotten: Vec::new(),
        };
        let mut bytes = letter.bytes() as u64;
        if bytes > self.max_bytes {
            letter.turn = None;
            bytes = letter.bytes() as u64;
        }
        if bytes > self.max_bytes || self.max_letters == 0 {
            self.forgotten += 1;
            return pushed;
        }
        while let Some(goes) = self.in_the_way_of(bytes) {
            self.forgotten += 1;
            pushed
                .forgotten
                .extend(self.take(goes).map(|it| (goes, it)));
        }
        let letter = Arc::new(letter);
        pushed.letter = Some(Arc::clone(&letter));
        self.insert(id, letter, bytes);
        pushed
    }

    /// Takes up a letter that was kept when the system ended, under its number.
    pub fn restore(&mut self, number: u64, letter: Arc<DeadLetter>) {
        self.total = self.total.max(number);
        self.put_back(DeadLetterId(number), letter);
    }

    /// The letters after `after`, the oldest first, at most `limit` of them: those to the
    /// address `to`, or all. The cost follows the letters that are looked at.
    pub fn list(
        &self,
        to: Option<&str>,
        after: Option<DeadLetterId>,
        limit: usize,
    ) -> Vec<(DeadLetterId, Arc<DeadLetter>)> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.kept
            .range((start, Bound::Unbounded))
            .filter(|(_, kept)| is_chosen(to, kept.letter.letter.to()))
            .take(limit)
            .map(|(id, kept)| (*id, Arc::clone(&kept.letter)))
            .collect()
    }

    /// The letter of this number, if it is still kept.
    pub fn get(&self, id: DeadLetterId) -> Option<Arc<DeadLetter>> {
        self.kept.get(&id).map(|kept| Arc::clone(&kept.letter))
    }

    /// Takes out the letter of this number, if it is still kept.
    pub fn take(&mut self, id: DeadLetterId) -> Option<Arc<DeadLetter>> {
        let kept = self.kept.remove(&id)?;
        self.settle(id, &kept);
        Some(kept.letter)
    }

    /// Puts a letter back that was taken out, at its place. There is room for it, or nearly:
    /// at the next letter there is again.
    pub fn put_back(&mut self, id: DeadLetterId, letter: Arc<DeadLetter>) {
        let bytes = letter.bytes() as u64;
        self.insert(id, letter, bytes);
    }

    /// Takes out the letters to the address `to`, or all. They do not count as forgotten,
    /// since somebody wanted it.
    pub fn take_all(&mut self, to: Option<&str>) -> Vec<(DeadLetterId, Arc<DeadLetter>)> {
        let is_taken = |_: &DeadLetterId, kept: &mut Kept| is_chosen(to, kept.letter.letter.to());
        let taken = self.kept.extract_if(.., is_taken);
        let taken: Vec<_> = taken.collect();
        for (id, kept) in &taken {
            self.settle(*id, kept);
        }
        taken
            .into_iter()
            .map(|(id, kept)| (id, kept.letter))
            .collect()
    }

    /// How many letters are kept.
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// Whether no letter is kept.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// The bytes of the letters that are kept.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How many letters there ever were.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// How many letters went since there was no room for them.
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// The letter that has to go before there is room for one of so many bytes, which fits
    /// into the whole room.
    fn in_the_way_of(&self, bytes: u64) -> Option<DeadLetterId> {
        let goes = if self.bytes + bytes > self.max_bytes {
            self.shares.oldest_of_largest()
        } else if self.kept.len() >= self.max_letters {
            self.shares.oldest_of_most()
        } else {
            None
        };
        goes.map(DeadLetterId)
    }

    fn insert(&mut self, id: DeadLetterId, letter: Arc<DeadLetter>, bytes: u64) {
        // What has its number is the same letter.
        self.take(id);
        let component = letter.letter.to().component();
        self.shares.add(component, id.0, bytes);
        self.bytes += bytes;
        self.kept.insert(id, Kept { letter, bytes });
    }

    /// Counts out what is not kept any more.
    fn settle(&mut self, id: DeadLetterId, kept: &Kept) {
        let component = kept.letter.letter.to().component();
        self.shares.remove(component, id.0, kept.bytes);
        self.bytes -= kept.bytes;
    }
}

/// Whether an address is the wanted one, or begins with it in whole parts.
fn is_chosen(wanted: Option<&str>, address: &ComponentId) -> bool {
    let Some(wanted) = wanted else {
        return true;
    };
    let rest = address.as_str().strip_prefix(wanted);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || wanted.ends_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::component::MessagePayload;
    use crate::core::component::digest::Digest;
    use crate::core::component::message::ComponentMessage;
    use crate::core::delivery::dead_letter::DeathCause;
    use crate::core::delivery::envelope::Letter;
    use crate::core::delivery::envelope::ReplyTo;
    use crate::core::delivery::refusal::Refusal;
    use crate::core::runtime::errors::{FaultKind, GuestFault, WasmError};
    use crate::core::turn::call::Reply;
    use crate::core::turn::context::TurnContext;
    use crate::core::turn::recorded::Learnt;
    use crate::core::turn::recorded::RecordedTurn;
    use crate::core::turn::report::TurnOutcome;
    use crate::core::turn::report::TurnReport;
    use bytes::Bytes;
    use proptest::prelude::*;

    const ADDRESSES: [&str; 4] = [
        "shop/cart/a",
        "shop/cart/b",
        "shop/cartoon/a",
        "shopper/x/a",
    ];
    const CHOICES: [Option<&str>; 7] = [
        None,
        Some("shop"),
        Some("shop/cart"),
        Some("shop/cart/"),
        Some("shop/cart/a"),
        Some("sho"),
        Some(""),
    ];
    const MAX_LETTERS: usize = 5;
    const MAX_BYTES: u64 = 60;

    /// A letter of this many bytes, of which its reason takes some.
    fn letter(to: &str, bytes: usize) -> DeadLetter {
        let reason = DeathCause::RetriesExhausted(String::new());
        let payload = vec![0; bytes - reason.to_string().len()];
        let from = ComponentId::new("test", "sender", "one");
        let payload = MessagePayload::from(payload);
        let message = ComponentMessage::new(from, to.parse().unwrap(), String::new(), payload);
        DeadLetter {
            letter: Letter::Message(message),
            trace_parent: None,
            reason,
            attempts: 1,
            turn: None,
            at_ms: 0,
        }
    }

    /// The turn that handled a letter and takes up this many bytes besides.
    fn turn(of: &DeadLetter, bytes: usize) -> Arc<RecordedTurn> {
        let without = turn_that_read(of, 0).bytes_besides_letter();
        turn_that_read(of, bytes - without)
    }

    fn turn_that_read(of: &DeadLetter, bytes: usize) -> Arc<RecordedTurn> {
        let read = Bytes::from(vec![0; bytes]);
        Arc::new(RecordedTurn {
            actor: of.letter.to().clone(),
            component: Digest::of(b""),
            letter: of.letter.clone(),
            context: TurnContext::default(),
            learnt: Learnt {
                keys: BTreeMap::from([("k".to_owned(), Some(read))]),
                ..Learnt::default()
            },
            result: Ok(TurnReport {
                outcome: TurnOutcome::Retry(String::new()),
                effects: Default::default(),
            }),
        })
    }

    #[derive(Debug, Clone)]
    enum Step {
        Push(&'static str, usize),
        Take(u64),
        DropAll(Option<&'static str>),
        List(Option<&'static str>, Option<u64>, usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        let choice = prop::sample::select(&CHOICES[..]);
        let id = 0_u64..30;
        prop_oneof![
            8 => (prop::sample::select(&ADDRESSES[..]), 19_usize..80).prop_map(|(a, b)| Step::Push(a, b)),
            2 => id.clone().prop_map(Step::Take),
            1 => choice.clone().prop_map(Step::DropAll),
            3 => (choice, prop::option::of(id), 0_usize..4).prop_map(|(c, a, l)| Step::List(c, a, l)),
        ]
    }

    fn chosen(choice: Option<&str>, address: &str) -> bool {
        let Some(choice) = choice else { return true };
        let wanted: Vec<_> = choice.split('/').filter(|part| !part.is_empty()).collect();
        let parts: Vec<_> = address.split('/').collect();
        !wanted.is_empty() && parts.starts_with(&wanted)
    }

    proptest! {
        /// A list from which the first of whoever has the most go until the last fits behaves
        /// the same.
        #[test]
        fn behaves_like_a_list(steps in prop::collection::vec(step(), 0..60)) {
            let mut letters = DeadLetters::new(MAX_LETTERS, MAX_BYTES);
            let mut model: Vec<(u64, &str, u64)> = Vec::new();
            let (mut total, mut forgotten) = (0, 0);
            for step in steps {
                match step {
                    Step::Push(to, bytes) => {
                        total += 1;
                        let pushed = letters.push(letter(to, bytes));
                        prop_assert_eq!(pushed.id, DeadLetterId(total));
                        let (went, is_kept) = push(&mut model, (total, to, bytes as u64));
                        forgotten += went.len() as u64 + u64::from(!is_kept);
                        let told: Vec<_> = pushed.forgotten.iter().map(|(id, _)| id.0).collect();
                        prop_assert_eq!(told, went);
                        prop_assert_eq!(pushed.letter.is_some(), is_kept);
                    }
                    Step::Take(id) => {
                        let at = model.iter().position(|(i, _, _)| *i == id);
                        let expected = at.map(|at| model.remove(at).1);
                        let found = letters.get(DeadLetterId(id)).is_some();
                        prop_assert_eq!(found, expected.is_some());
                        let taken = letters.take(DeadLetterId(id));
                        prop_assert_eq!(taken.as_ref().map(|l| l.letter.to().as_str()), expected);
                        if let (Some(taken), true) = (taken, id % 2 == 0) {
                            model.push((id, expected.unwrap(), taken.bytes() as u64));
                            model.sort_unstable();
                            letters.put_back(DeadLetterId(id), taken);
                        }
                    }
                    Step::DropAll(choice) => {
                        let before = model.len();
                        model.retain(|(_, to, _)| !chosen(choice, to));
                        prop_assert_eq!(letters.take_all(choice).len(), before - model.len());
                    }
                    Step::List(choice, after, limit) => {
                        let expected: Vec<_> = model
                            .iter()
                            .filter(|(id, to, _)| Some(*id) > after && chosen(choice, to))
                            .map(|(id, _, _)| DeadLetterId(*id))
                            .take(limit)
                            .collect();
                        let listed = letters.list(choice, after.map(DeadLetterId), limit);
                        let ids: Vec<_> = listed.into_iter().map(|(id, _)| id).collect();
                        prop_assert_eq!(ids, expected);
                    }
                }
                prop_assert_eq!((letters.total(), letters.forgotten()), (total, forgotten));
                prop_assert_eq!((letters.len(), letters.bytes()), (model.len(), size(&model)));
                prop_assert_eq!(letters.is_empty(), model.is_empty());
            }
        }
    }

    type Model<'a> = Vec<(u64, &'a str, u64)>;

    fn size(model: &[(u64, &str, u64)]) -> u64 {
        model.iter().map(|(_, _, bytes)| bytes).sum()
    }

    fn component(address: &str) -> &str {
        address.rsplit_once('/').unwrap().0
    }

    /// Which letters go for a new one, and whether it is kept.
    fn push<'a>(model: &mut Model<'a>, new: (u64, &'a str, u64)) -> (Vec<u64>, bool) {
        let mut went = Vec::new();
        if new.2 > MAX_BYTES {
            return (went, false);
        }
        loop {
            let by_bytes = size(model) + new.2 > MAX_BYTES;
            if !by_bytes && model.len() < MAX_LETTERS {
                break;
            }
            let has = |it: &(u64, &str, u64)| -> u64 {
                let own = model
                    .iter()
                    .filter(|other| component(other.1) == component(it.1));
                own.map(|it| if by_bytes { it.2 } else { 1 }).sum()
            };
            let most = model.iter().map(has).max();
            let oldest = model.iter().position(|it| Some(has(it)) == most).unwrap();
            went.push(model.remove(oldest).0);
        }
        model.push(new);
        (went, true)
    }

    /// One component fails without end, and others have failed now and then.
    fn flood(letters: &mut DeadLetters, bytes: usize) -> Vec<DeadLetterId> {
        let others = ["a/a/a", "b/b/b", "b/c/c"];
        let ids: Vec<_> = others
            .iter()
            .flat_map(|to| [to; 3].map(|to| letters.push(letter(to, 100)).id))
            .collect();
        for _ in 0..200 {
            let pushed = letters.push(letter("evil/hostile/a", bytes));
            let to = |it: &(DeadLetterId, Arc<DeadLetter>)| it.1.letter.to().namespace() == "evil";
            assert!(pushed.letter.is_some() && pushed.forgotten.iter().all(to));
        }
        ids
    }

    #[test]
    fn who_fails_without_end_drives_out_nobody_else() {
        // In bytes, and in number.
        for (mut letters, bytes) in [
            (DeadLetters::new(1_000, 10_000), 4_000),
            (DeadLetters::new(20, 1 << 20), 20),
        ] {
            let others = flood(&mut letters, bytes);
            assert!(others.iter().all(|id| letters.get(*id).is_some()));
            assert!(letters.len() > others.len());
        }
    }

    #[test]
    fn what_is_too_large_loses_its_turn_first_and_never_drives_others_out() {
        let mut letters = DeadLetters::new(10, 1_000);
        let first = letters.push(letter(ADDRESSES[0], 300)).id;

        let mut with_turn = letter(ADDRESSES[0], 300);
        with_turn.turn = Some(turn(&with_turn, 400));
        let second = letters.push(with_turn.clone()).id;
        assert!(letters.get(second).unwrap().turn.is_some());
        assert_eq!((letters.len(), letters.bytes()), (2, 1_000));

        let too_large = letters.push(letter(ADDRESSES[0], 1_001)).id;
        assert!(letters.get(too_large).is_none());
        assert!(letters.get(first).is_some() && letters.get(second).is_some());
        assert_eq!(letters.forgotten(), 1);

        with_turn.turn = Some(turn(&with_turn, 800));
        let without = letters.push(with_turn).id;
        assert!(letters.get(without).unwrap().turn.is_none());
        assert!(letters.get(first).is_none() && letters.get(second).is_some());
        assert_eq!(letters.bytes(), 1_000);
    }

    #[test]
    fn without_room_everything_is_forgotten() {
        let mut letters = DeadLetters::new(0, 100);
        letters.push(letter(ADDRESSES[0], 30));
        assert_eq!(
            (letters.len(), letters.total(), letters.forgotten()),
            (0, 1, 1)
        );
    }

    #[test]
    fn replies_and_reasons_have_a_size() {
        let mut letters = DeadLetters::default();
        let to: ComponentId = ADDRESSES[0].parse().unwrap();
        let mut reply = letter(ADDRESSES[0], 30);
        reply.letter = Letter::Reply(ReplyTo {
            from: to.clone(),
            to,
            reply: Reply {
                correlation: 1,
                outcome: Ok(Some(MessagePayload::from(vec![0; 1_000]))),
            },
        });
        reply.reason = DeathCause::Undelivered(Refusal::MailboxFull);
        let reason = "not delivered: the mailbox is full";
        letters.push(reply);
        assert_eq!(letters.bytes(), 1_000 + reason.len() as u64);
    }

    #[test]
    fn the_names_that_a_failure_passed_have_a_size() {
        let mut letters = DeadLetters::default();
        let mut fault = GuestFault::new(FaultKind::Unreachable, "");
        fault.backtrace = vec!["short".into(), "x".repeat(10_000)];
        let mut failed = letter(ADDRESSES[0], 30);
        failed.reason = DeathCause::Failed(WasmError::RuntimeError(fault));
        letters.push(failed);
        assert!(letters.bytes() > 10_000);
    }

    #[test]
    fn a_number_reads_as_it_is_written() {
        let id = DeadLetterId(17);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(serde_json::to_string(&id).unwrap(), "17");
        assert_eq!(serde_json::from_str::<DeadLetterId>("17").unwrap(), id);
        assert!("seventeen".parse::<DeadLetterId>().is_err());
    }
}
