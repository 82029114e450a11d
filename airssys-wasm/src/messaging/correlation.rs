//! The requests that wait for their replies.

// Layer 1: Standard library imports
use std::collections::{BTreeMap, HashMap};

// Layer 3: Internal module imports
use crate::core::component::id::ComponentId;
use crate::core::delivery::envelope::ReplyTo;
use crate::core::turn::call::{CallOutcome, Reply};
use crate::core::turn::errors::{CallError, HostError};
use crate::messaging::timers::{TimerKey, Timers};
use crate::messaging::too_many::TooMany;

/// How many requests all actors together may have open at once, if nothing else is said.
pub const MAX_REQUESTS: usize = 1_000_000;

/// The requests of all actors that wait for their replies.
///
/// Each request ends exactly once: it is answered, cancelled, forgotten or timed out,
/// whichever comes first. What comes after that finds nothing.
#[derive(Debug)]
pub struct Correlations {
    /// By requester, then by the number of the request. No inner map is empty.
    open: HashMap<ComponentId, BTreeMap<u64, Open>>,
    deadlines: Timers<(ComponentId, u64)>,
    max: usize,
    late: u64,
}

/// A request whose reply comes back as a turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Who asks.
    pub requester: ComponentId,
    /// The number that the reply will carry. An actor never uses one twice.
    pub correlation: u64,
    /// Who is asked.
    pub target: ComponentId,
    /// When it times out, in milliseconds on the caller's clock.
    pub deadline_ms: u64,
}

#[derive(Debug)]
struct Open {
    target: ComponentId,
    deadline: TimerKey,
}

impl Default for Correlations {
    fn default() -> Self {
        Self::new(MAX_REQUESTS)
    }
}

impl Correlations {
    /// An empty table for at most `max` requests.
    pub fn new(max: usize) -> Self {
        Self {
            open: HashMap::new(),
            deadlines: Timers::new(max),
            max,
            late: 0,
        }
    }

    /// Opens a request. One that is open already stays as it is, so that a commit which
    /// is repeated changes nothing.
    ///
    /// # Errors
    ///
    /// When the system has as many requests open as it may.
    pub fn open(&mut self, request: Request) -> Result<(), TooMany> {
        let theirs = self.open.get(&request.requester);
        if theirs.is_some_and(|theirs| theirs.contains_key(&request.correlation)) {
            return Ok(());
        }
        let key = (request.requester.clone(), request.correlation);
        let Ok(deadline) = self.deadlines.insert(request.deadline_ms, key) else {
            return Err(TooMany::InTotal { allowed: self.max });
        };
        let open = Open {
            target: request.target,
            deadline,
        };
        let theirs = self.open.entry(request.requester).or_default();
        theirs.insert(request.correlation, open);
        Ok(())
    }

    /// Ends a request with what came back, and gives the reply for its requester.
    /// `None` if it is not open, or no longer: the answer is counted as late and dropped.
    pub fn answer(
        &mut self,
        requester: &ComponentId,
        correlation: u64,
        outcome: CallOutcome,
    ) -> Option<ReplyTo> {
        let Some(open) = self.close(requester, correlation) else {
            self.late += 1;
            return None;
        };
        Some(reply(requester.clone(), correlation, open, outcome))
    }

    /// Ends a request without a reply. False if it is not open.
    pub fn cancel(&mut self, requester: &ComponentId, correlation: u64) -> bool {
        self.close(requester, correlation).is_some()
    }

    /// Ends the next request whose deadline is at `now_ms` or before, and gives the reply
    /// that tells its requester so. The earliest deadline comes first.
    pub fn pop_expired(&mut self, now_ms: u64) -> Option<ReplyTo> {
        let (requester, correlation) = self.deadlines.pop_due(now_ms)?;
        let open = self.close(&requester, correlation)?;
        let timeout = Err(CallError::Host(HostError::Timeout));
        Some(reply(requester, correlation, open, timeout))
    }

    /// When the next request times out, in milliseconds.
    pub fn next_deadline(&self) -> Option<u64> {
        self.deadlines.next_due()
    }

    /// Ends all requests of an actor without replies, and tells how many there were.
    pub fn forget(&mut self, requester: &ComponentId) -> usize {
        let theirs = self.open.remove(requester).unwrap_or_default();
        for open in theirs.values() {
            self.deadlines.remove(open.deadline);
        }
        theirs.len()
    }

    /// How many requests of an actor are open.
    pub fn len_of(&self, requester: &ComponentId) -> usize {
        self.open.get(requester).map_or(0, BTreeMap::len)
    }

    /// How many requests are open.
    pub fn len(&self) -> usize {
        self.deadlines.len()
    }

    /// Whether no request is open.
    pub fn is_empty(&self) -> bool {
        self.deadlines.is_empty()
    }

    /// How many answers found no open request, since the table was made.
    pub fn late(&self) -> u64 {
        self.late
    }

    fn close(&mut self, requester: &ComponentId, correlation: u64) -> Option<Open> {
        let theirs = self.open.get_mut(requester)?;
        let open = theirs.remove(&correlation)?;
        if theirs.is_empty() {
            self.open.remove(requester);
        }
        self.deadlines.remove(open.deadline);
        Some(open)
    }
}

fn reply(to: ComponentId, correlation: u64, open: Open, outcome: CallOutcome) -> ReplyTo {
    ReplyTo {
        to,
        from: open.target,
        reply: Reply {
            correlation,
            outcome,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::iter::from_fn;

    const MAX_IN_TOTAL: usize = 7;

    #[derive(Debug, Clone)]
    enum Step {
        Open(u8, u64, u64),
        Answer(u8, u64),
        Cancel(u8, u64),
        Expire(u64),
        Forget(u8),
    }

    fn step() -> impl Strategy<Value = Step> {
        let (actor, number) = (0_u8..4, 1_u64..6);
        let request = (actor.clone(), number);
        prop_oneof![
            6 => (request.clone(), 0_u64..50).prop_map(|((a, c), d)| Step::Open(a, c, d)),
            2 => request.clone().prop_map(|(a, c)| Step::Answer(a, c)),
            1 => request.prop_map(|(a, c)| Step::Cancel(a, c)),
            2 => (0_u64..50).prop_map(Step::Expire),
            1 => actor.prop_map(Step::Forget),
        ]
    }

    fn actor(number: u8) -> ComponentId {
        ComponentId::new("test", "asker", number.to_string())
    }

    fn request(of: u8, correlation: u64, deadline_ms: u64) -> Request {
        Request {
            requester: actor(of),
            correlation,
            target: target(of, correlation, deadline_ms),
            deadline_ms,
        }
    }

    /// A target that tells the requests apart.
    fn target(of: u8, correlation: u64, deadline_ms: u64) -> ComponentId {
        ComponentId::new("test", "asked", format!("{of}-{correlation}-{deadline_ms}"))
    }

    fn answered(of: u8, correlation: u64, deadline_ms: u64, outcome: CallOutcome) -> ReplyTo {
        ReplyTo {
            to: actor(of),
            from: target(of, correlation, deadline_ms),
            reply: Reply {
                correlation,
                outcome,
            },
        }
    }

    fn timed_out(of: u8, correlation: u64, deadline_ms: u64) -> ReplyTo {
        let timeout = Err(CallError::Host(HostError::Timeout));
        answered(of, correlation, deadline_ms, timeout)
    }

    /// The open requests by requester and number, each with its serial and deadline.
    type Model = BTreeMap<(u8, u64), (usize, u64)>;

    fn expected_of_open(model: &Model, of: u8, correlation: u64) -> Result<(), TooMany> {
        if model.contains_key(&(of, correlation)) {
            Ok(())
        } else if model.len() == MAX_IN_TOTAL {
            let allowed = MAX_IN_TOTAL;
            Err(TooMany::InTotal { allowed })
        } else {
            Ok(())
        }
    }

    fn expire(model: &mut Model, now_ms: u64) -> Vec<ReplyTo> {
        let mut due: Vec<_> = model
            .iter()
            .filter(|(_, (_, deadline_ms))| *deadline_ms <= now_ms)
            .map(|(key, (serial, deadline_ms))| (*deadline_ms, *serial, *key))
            .collect();
        due.sort_unstable();
        due.iter()
            .map(|(deadline_ms, _, (of, correlation))| {
                model.remove(&(*of, *correlation));
                timed_out(*of, *correlation, *deadline_ms)
            })
            .collect()
    }

    proptest! {
        /// Whatever happens in whatever order, a request ends once, and in one way.
        #[test]
        fn every_request_ends_exactly_once(steps in prop::collection::vec(step(), 0..120)) {
            let mut table = Correlations::new(MAX_IN_TOTAL);
            let mut model = Model::new();
            let (mut late, mut opened, mut ended) = (0, 0, 0);
            for (serial, step) in steps.into_iter().enumerate() {
                match step {
                    Step::Open(of, correlation, deadline_ms) => {
                        let expected = expected_of_open(&model, of, correlation);
                        let done = table.open(request(of, correlation, deadline_ms));
                        prop_assert_eq!(done, expected);
                        if expected.is_ok() && !model.contains_key(&(of, correlation)) {
                            model.insert((of, correlation), (serial, deadline_ms));
                            opened += 1;
                        }
                    }
                    Step::Answer(of, correlation) => {
                        let expected = model.remove(&(of, correlation)).map(|(_, deadline_ms)| {
                            answered(of, correlation, deadline_ms, Ok(None))
                        });
                        late += u64::from(expected.is_none());
                        ended += usize::from(expected.is_some());
                        prop_assert_eq!(table.answer(&actor(of), correlation, Ok(None)), expected);
                    }
                    Step::Cancel(of, correlation) => {
                        let expected = model.remove(&(of, correlation)).is_some();
                        ended += usize::from(expected);
                        prop_assert_eq!(table.cancel(&actor(of), correlation), expected);
                    }
                    Step::Expire(now_ms) => {
                        let expected = expire(&mut model, now_ms);
                        ended += expected.len();
                        let expired: Vec<_> = from_fn(|| table.pop_expired(now_ms)).collect();
                        prop_assert_eq!(expired, expected);
                    }
                    Step::Forget(of) => {
                        let before = model.len();
                        model.retain(|(a, _), _| *a != of);
                        ended += before - model.len();
                        prop_assert_eq!(table.forget(&actor(of)), before - model.len());
                    }
                }
                prop_assert_eq!(table.len(), model.len());
                prop_assert_eq!(table.is_empty(), model.is_empty());
                prop_assert_eq!(table.late(), late);
                prop_assert_eq!(opened, ended + model.len());
                let next = model.values().map(|(_, deadline_ms)| *deadline_ms).min();
                prop_assert_eq!(table.next_deadline(), next);
            }
            // What is left times out, and leaves nothing behind.
            let rest = from_fn(|| table.pop_expired(u64::MAX)).count();
            prop_assert_eq!(opened, ended + rest);
            prop_assert!(table.open.is_empty() && table.deadlines.is_empty());
        }
    }

    #[test]
    fn an_answer_after_the_timeout_is_late() {
        let mut table = Correlations::default();
        table.open(request(1, 7, 100)).unwrap();
        assert_eq!(table.pop_expired(99), None);
        assert_eq!(table.pop_expired(100), Some(timed_out(1, 7, 100)));
        assert_eq!(table.pop_expired(100), None);
        assert_eq!(table.answer(&actor(1), 7, Ok(None)), None);
        assert_eq!(table.late(), 1);
    }

    #[test]
    fn nobody_ends_the_request_of_another() {
        let mut table = Correlations::default();
        table.open(request(1, 7, 100)).unwrap();
        assert!(!table.cancel(&actor(2), 7));
        assert_eq!(table.forget(&actor(2)), 0);
        assert!(table.answer(&actor(1), 7, Ok(None)).is_some());
    }
}
