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
/// When a new one does not fit, the oldest go, and are counted. The bytes of a letter are
/// those that grow with what guests do: its content, the reason of its death, and what
/// its last turn read and was told.
///
/// Where an address is given to choose letters by their receiver, it may be a whole one or
/// its beginning in whole parts: `shop`, `shop/cart` or `shop/cart/alice`. `shop/cart`
/// does not choose the letters of `shop/cartoon`.
#[derive(Debug)]
pub struct DeadLetters {
    kept: BTreeMap<DeadLetterId, Kept>,
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
            bytes: 0,
            max_letters,
            max_bytes,
            total: 0,
            forgotten: 0,
        }
    }

    /// Keeps a letter and gives it a number. The oldest letters go if there is no room.
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
        let mut bytes = bytes_of(&letter);
        if bytes > self.max_bytes {
            letter.turn = None;
            bytes = bytes_of(&letter);
        }
        if bytes > self.max_bytes || self.max_letters == 0 {
            self.forgotten += 1;
            return pushed;
        }
        while self.kept.len() >= self.max_letters || self.bytes + bytes > self.max_bytes {
            pushed.forgotten.extend(self.forget_oldest());
        }
        self.bytes += bytes;
        let letter = Arc::new(letter);
        pushed.letter = Some(Arc::clone(&letter));
        self.kept.insert(id, Kept { letter, bytes });
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
        self.bytes -= kept.bytes;
        Some(kept.letter)
    }

    /// Puts a letter back that was taken out, at its place. There is room for it, or nearly:
    /// at the next letter there is again.
    pub fn put_back(&mut self, id: DeadLetterId, letter: Arc<DeadLetter>) {
        let bytes = bytes_of(&letter);
        self.bytes += bytes;
        self.kept.insert(id, Kept { letter, bytes });
    }

    /// Takes out the letters to the address `to`, or all. They do not count as forgotten,
    /// since somebody wanted it.
    pub fn take_all(&mut self, to: Option<&str>) -> Vec<(DeadLetterId, Arc<DeadLetter>)> {
        let is_taken = |_: &DeadLetterId, kept: &mut Kept| is_chosen(to, kept.letter.letter.to());
        let taken = self.kept.extract_if(.., is_taken);
        let taken: Vec<_> = taken.collect();
        self.bytes -= taken.iter().map(|(_, kept)| kept.bytes).sum::<u64>();
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

    fn forget_oldest(&mut self) -> Option<(DeadLetterId, Arc<DeadLetter>)> {
        let (id, oldest) = self.kept.pop_first()?;
        self.bytes -= oldest.bytes;
        self.forgotten += 1;
        Some((id, oldest.letter))
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

/// The letter, the reason, and the turn, which has the same letter once more, sharing its
/// payload.
fn bytes_of(letter: &DeadLetter) -> u64 {
    let reason = letter.reason.to_string().len();
    let turn = letter
        .turn
        .as_ref()
        .map_or(0, |turn| turn.bytes_besides_letter());
    (letter.letter.bytes() + reason + turn) as u64
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

    /// The turn that handled a letter, having read this many bytes.
    fn turn(of: &DeadLetter, bytes: usize) -> Arc<RecordedTurn> {
        let read = Bytes::from(vec![0; bytes - 1]);
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
        /// A list from which the first go until the last fits behaves the same.
        #[test]
        fn behaves_like_a_list(steps in prop::collection::vec(step(), 0..60)) {
            let mut letters = DeadLetters::new(MAX_LETTERS, MAX_BYTES);
            let mut model: Vec<(u64, &str, u64)> = Vec::new();
            let (mut total, mut forgotten) = (0, 0);
            for step in steps {
                match step {
                    Step::Push(to, bytes) => {
                        total += 1;
                        prop_assert_eq!(letters.push(letter(to, bytes)).id, DeadLetterId(total));
                        if bytes as u64 > MAX_BYTES {
                            forgotten += 1;
                        } else {
                            model.push((total, to, bytes as u64));
                        }
                        while model.len() > MAX_LETTERS || size(&model) > MAX_BYTES {
                            model.remove(0);
                            forgotten += 1;
                        }
                    }
                    Step::Take(id) => {
                        let at = model.iter().position(|(i, _, _)| *i == id);
                        let expected = at.map(|at| model.remove(at).1);
                        let found = letters.get(DeadLetterId(id)).is_some();
                        prop_assert_eq!(found, expected.is_some());
                        let taken = letters.take(DeadLetterId(id));
                        prop_assert_eq!(taken.as_ref().map(|l| l.letter.to().as_str()), expected);
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

    fn size(model: &[(u64, &str, u64)]) -> u64 {
        model.iter().map(|(_, _, bytes)| bytes).sum()
    }

    #[test]
    fn what_is_too_large_loses_its_turn_first_and_never_drives_others_out() {
        let mut letters = DeadLetters::new(10, 100);
        let first = letters.push(letter(ADDRESSES[0], 30)).id;

        let mut with_turn = letter(ADDRESSES[0], 30);
        with_turn.turn = Some(turn(&with_turn, 40));
        let second = letters.push(with_turn.clone()).id;
        assert!(letters.get(second).unwrap().turn.is_some());
        assert_eq!((letters.len(), letters.bytes()), (2, 100));

        let too_large = letters.push(letter(ADDRESSES[0], 101)).id;
        assert!(letters.get(too_large).is_none());
        assert!(letters.get(first).is_some() && letters.get(second).is_some());
        assert_eq!(letters.forgotten(), 1);

        with_turn.turn = Some(turn(&with_turn, 80));
        let without = letters.push(with_turn).id;
        assert!(letters.get(without).unwrap().turn.is_none());
        assert!(letters.get(first).is_none() && letters.get(second).is_some());
        assert_eq!(letters.bytes(), 100);
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
    fn a_number_reads_as_it_is_written() {
        let id = DeadLetterId(17);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(serde_json::to_string(&id).unwrap(), "17");
        assert_eq!(serde_json::from_str::<DeadLetterId>("17").unwrap(), id);
        assert!("seventeen".parse::<DeadLetterId>().is_err());
    }
}
