//! What a turn learns from its host, noted while it runs.

// Layer 1: Standard library imports
use std::collections::BTreeMap;
use std::sync::Arc;

// Layer 2: Third-party crate imports
use bytes::Bytes;

// Layer 3: Internal module imports
use crate::core::security::capability::Capability;
use crate::core::storage::keyspace::Keyspace;
use crate::core::turn::call::{Call, CallOutcome};
use crate::core::turn::errors::HostError;
use crate::core::turn::overlay::{KeyPage, page_start};
use crate::core::turn::recorded::{
    DeniedUse, ForeignRead, Learnt, bytes_of_call, bytes_of_denied, bytes_of_read, bytes_of_refusal,
};

/// The most reads and calls that are noted for one turn. A turn that learns more is cut,
/// since whoever reads in a loop must not fill the host's memory.
const MAX_NOTES: usize = 4_096;

/// The most bytes that are noted for one turn, of whatever it learns: the sum that
/// [`Learnt::bytes`] is of it then, but for the names of components.
const MAX_NOTED_BYTES: usize = 1 << 20;

/// What the turn has learnt so far. Values are shared and not copied.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    keys: Vec<(String, Option<Bytes>)>,
    /// How many targets were asked about.
    asked: u64,
    refusals: Vec<(u64, HostError)>,
    denied: BTreeMap<(Capability, String), HostError>,
    foreign: Vec<ForeignRead>,
    calls: Vec<(Call, CallOutcome)>,
    components: Option<Arc<[String]>>,
    bytes: usize,
    is_cut: bool,
}

/// A page of keys, and what was asked for.
#[derive(Clone, Copy)]
pub(crate) struct Listing<'a> {
    pub(crate) prefix: &'a str,
    pub(crate) cursor: Option<&'a str>,
    pub(crate) page: &'a KeyPage,
}

impl Notes {
    /// Begins a turn.
    #[inline]
    pub(crate) fn begin(&mut self) {
        self.keys.clear();
        self.bytes = 0;
        self.asked = 0;
        self.is_cut = false;
        if !self.refusals.is_empty() || !self.calls.is_empty() || self.components.is_some() {
            self.refusals.clear();
            self.calls.clear();
            self.components = None;
        }
        if !self.denied.is_empty() || !self.foreign.is_empty() {
            self.denied.clear();
            self.foreign.clear();
        }
    }

    /// A committed key was read, or found missing.
    pub(crate) fn read(&mut self, key: String, value: Option<Bytes>) {
        if self.admit(bytes_of_read(&key, value.as_ref())) {
            self.keys.push((key, value));
        }
    }

    /// Committed keys were listed: those of the page, and on to the first beyond it that
    /// the turn had not removed, which told it that there are more.
    pub(crate) fn listed(
        &mut self,
        committed: &Keyspace,
        listing: Listing<'_>,
        is_removed: impl Fn(&str) -> bool,
    ) {
        let Listing {
            prefix,
            cursor,
            page,
        } = listing;
        let start = page_start(prefix, cursor);
        let last = page.next.as_deref();
        for (key, value) in committed.range(start) {
            if !key.starts_with(prefix) || self.is_cut {
                break;
            }
            self.read(key.clone(), Some(value.clone()));
            if last.is_some_and(|last| key.as_str() > last) && !is_removed(key) {
                break;
            }
        }
    }

    /// Whether a target can be sent to was asked, and how that was answered.
    pub(crate) fn asked(&mut self, answer: &Result<(), HostError>) {
        if let Err(error) = answer
            && self.admit(bytes_of_refusal(error))
        {
            self.refusals.push((self.asked, error.clone()));
        }
        self.asked += 1;
    }

    /// The use of a capability was denied.
    pub(crate) fn denied(&mut self, capability: Capability, resource: &str, error: &HostError) {
        let denied = (capability, resource.to_owned());
        // Who asks in a loop learns nothing new.
        if !self.denied.contains_key(&denied) && self.admit(bytes_of_denied(resource, error)) {
            self.denied.insert(denied, error.clone());
        }
    }

    /// A key of another actor was read.
    pub(crate) fn read_foreign(&mut self, read: ForeignRead) {
        if self.admit(read.bytes()) {
            self.foreign.push(read);
        }
    }

    /// The turn learnt what is not noted, so that it cannot be run again.
    pub(crate) fn cut(&mut self) {
        self.is_cut = true;
    }

    /// A call was answered.
    pub(crate) fn called(&mut self, call: Call, outcome: &CallOutcome) {
        if self.admit(bytes_of_call(&call, outcome)) {
            self.calls.push((call, outcome.clone()));
        }
    }

    /// The components were listed.
    pub(crate) fn components(&mut self, components: &Arc<[String]>) {
        self.components = Some(Arc::clone(components));
    }

    /// Everything that the turn has learnt, which began from `committed`.
    pub(crate) fn take(&mut self, committed: &Keyspace) -> Learnt {
        Learnt {
            keys: self.keys.drain(..).collect(),
            usage: (committed.bytes(), committed.len() as u64),
            refusals: self.refusals.drain(..).collect(),
            denied: std::mem::take(&mut self.denied)
                .into_iter()
                .map(|((capability, resource), error)| DeniedUse {
                    capability,
                    resource,
                    error,
                })
                .collect(),
            foreign: std::mem::take(&mut self.foreign),
            calls: std::mem::take(&mut self.calls),
            components: self.components.take(),
            is_cut: self.is_cut,
        }
    }

    fn admit(&mut self, bytes: usize) -> bool {
        let notes = self.keys.len()
            + self.refusals.len()
            + self.calls.len()
            + self.denied.len()
            + self.foreign.len();
        self.bytes = self.bytes.saturating_add(bytes);
        self.is_cut |= notes >= MAX_NOTES || self.bytes > MAX_NOTED_BYTES;
        !self.is_cut
    }
}

impl Learnt {
    /// The state that a turn which learnt this can be run on again.
    pub fn keyspace(&self) -> Keyspace {
        let known = |(key, value): (&String, &Option<Bytes>)| {
            value.as_ref().map(|value| (key.clone(), value.clone()))
        };
        let entries: BTreeMap<String, Bytes> = self.keys.iter().filter_map(known).collect();
        let (bytes, keys) = self.usage;
        Keyspace::fragment(entries, bytes, keys)
    }
}
