//! How much of what the system counts may be held open: by one instance, by the actors of a
//! component, and by all of them together.

// Layer 1: Standard library imports
use std::any::Any;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

// Layer 2: Third-party crate imports
use rustix::process::{Resource as SystemResource, getrlimit};
use wasmtime::component::{Resource, ResourceTable};
use wasmtime_wasi::filesystem::Descriptor;
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, TcpSocket, UdpSocket};
use wasmtime_wasi_http::p2::body::{HostFutureTrailers, HostIncomingBody, HostOutgoingBody};
use wasmtime_wasi_http::p2::types::{HostFutureIncomingResponse, HostIncomingResponse};

// Layer 3: Internal module imports
use crate::runtime::host_fn::wasi::listing::Listing;
use crate::runtime::host_fn::wasi::lookup::Lookup;

/// The most files, folders, sockets, requests, and streams of these, that an instance holds
/// at once. A process has often no more than 1 024 descriptors for all that it does.
pub(crate) const MAX_OPEN: usize = 128;

/// Of the descriptors that the process may have, the part that all instances hold together at
/// the most: one half. The rest is the host's.
const PART_OF_ALL: usize = 2;

/// Of what all instances may hold, the part of one component: one half.
const PART_OF_COMPONENT: usize = 2;

/// What the instances of this process hold open, whichever engine they are of: it is the
/// process whose descriptors are counted.
static HELD: Mutex<Held> = Mutex::new(Held::new());

/// What instances hold open.
struct Held {
    all: usize,
    of_components: BTreeMap<Arc<str>, usize>,
}

impl Held {
    const fn new() -> Self {
        Self {
            all: 0,
            of_components: BTreeMap::new(),
        }
    }

    fn of(&self, component: &str) -> usize {
        self.of_components.get(component).copied().unwrap_or(0)
    }

    fn set(&mut self, all: usize, component: &Arc<str>, of_component: usize) {
        self.all = all;
        match of_component {
            0 => self.of_components.remove(component),
            held => self.of_components.insert(Arc::clone(component), held),
        };
    }
}

/// What one instance holds of that, as far as was looked at last. It lies among the
/// instance's handles, which are looked at with it, and goes with them.
pub(crate) struct Share {
    all: &'static Mutex<Held>,
    component: Arc<str>,
    held: usize,
}

impl Share {
    /// Puts the share of an instance of this component, `namespace/name`, among its handles,
    /// in a place that is none of those that the guest may have.
    pub(crate) fn put(table: &mut ResourceTable, component: &str) -> Option<Resource<Self>> {
        table.set_max_capacity(table.max_capacity().saturating_add(1));
        table.push(Self::of(&HELD, component)).ok()
    }

    fn of(all: &'static Mutex<Held>, component: &str) -> Self {
        Self {
            all,
            component: component.into(),
            held: 0,
        }
    }

    /// Holds what is open and one more, if there is room for that where all may not hold more
    /// than `ceiling`. Else it gives back what is not open any more. Says whether there was room.
    fn take(&mut self, open: usize, ceiling: usize) -> bool {
        self.change(|held, others, others_of_component| {
            let wanted = open.saturating_add(1);
            let has_room = others.saturating_add(wanted) <= ceiling
                && others_of_component.saturating_add(wanted) <= ceiling / PART_OF_COMPONENT;
            (if has_room { wanted } else { held.min(open) }, has_room)
        })
    }

    /// Holds no more than what is open. What was opened without asking for room, such as
    /// standard output or what is of a connection that counts itself, is not held for that.
    fn give_back(&mut self, open: usize) {
        self.change(|held, _others, _others_of_component| (held.min(open), ()));
    }

    /// Changes what it holds, knowing that, what all others hold, and what those of its
    /// component hold of that.
    fn change<T>(&mut self, change: impl FnOnce(usize, usize, usize) -> (usize, T)) -> T {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let others = all.all - self.held;
        let others_of_component = all.of(&self.component) - self.held;
        let (held, told) = change(self.held, others, others_of_component);
        all.set(others + held, &self.component, others_of_component + held);
        self.held = held;
        told
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.give_back(0);
    }
}

/// How much all instances may hold. It is asked for whenever something is opened, since who
/// runs the process may change it meanwhile.
fn ceiling() -> usize {
    let limit = getrlimit(SystemResource::Nofile).current;
    let limit = limit.map_or(usize::MAX, |it| usize::try_from(it).unwrap_or(usize::MAX));
    limit / PART_OF_ALL
}

/// Whether one more may be opened, which then counts as open. Costs a look at each handle of
/// the instance and a call of the system, which is little beside what is opened.
pub(crate) fn has_room(table: &mut ResourceTable) -> bool {
    let (mut open, mut share) = (0, None);
    for entry in table.iter_mut() {
        if is_open(&*entry) {
            open += 1;
        } else if let Some(found) = entry.downcast_mut::<Share>() {
            share = Some(found);
        }
    }
    // Who is not counted opens nothing.
    open < MAX_OPEN && share.is_some_and(|share| share.take(open, ceiling()))
}

/// Looks again at what an instance holds, so that others may open what it has closed. Costs
/// a look at each of its handles if it held anything, and else nothing.
pub(crate) fn settle(table: &mut ResourceTable, share: &Resource<Share>) {
    if table.get(share).map_or(0, |share| share.held) == 0 {
        return;
    }
    let open = table.iter_mut().filter(|entry| is_open(&**entry)).count();
    if let Ok(share) = table.get_mut(share)
        && share.held > open
    {
        share.give_back(open);
    }
}

fn is_open(entry: &(dyn Any + Send)) -> bool {
    entry.is::<Descriptor>()
        || entry.is::<Listing>()
        || entry.is::<Lookup>()
        || entry.is::<TcpSocket>()
        || entry.is::<UdpSocket>()
        || entry.is::<DynInputStream>()
        || entry.is::<DynOutputStream>()
        || entry.is::<HostFutureIncomingResponse>()
        || entry.is::<HostIncomingResponse>()
        || entry.is::<HostIncomingBody>()
        || entry.is::<HostFutureTrailers>()
        || entry.is::<HostOutgoingBody>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use wasmtime_wasi::p2::pipe::{ClosedInputStream, SinkOutputStream};

    const CEILING: usize = 12;

    /// Opens one more, as often as it may.
    fn fill(share: &mut Share) -> usize {
        while share.take(share.held, CEILING) {}
        share.held
    }

    #[test]
    fn one_component_gets_half_and_two_get_all() {
        static ALL: Mutex<Held> = Mutex::new(Held::new());
        let [mut a, mut b, mut c, mut d] =
            ["shop/one", "shop/one", "shop/two", "shop/three"].map(|it| Share::of(&ALL, it));
        assert!(a.take(0, CEILING));
        assert_eq!((fill(&mut b), fill(&mut a)), (5, 1));
        assert_eq!((fill(&mut c), fill(&mut d)), (6, 0));
        drop(b);
        assert_eq!((fill(&mut d), fill(&mut c)), (5, 6));
        c.give_back(1);
        assert_eq!((fill(&mut a), fill(&mut d)), (6, 5));
        drop((a, c, d));
        let all = ALL.lock().unwrap();
        assert_eq!((all.all, all.of_components.len()), (0, 0));
    }

    #[test]
    fn what_is_closed_is_given_back_at_the_end_of_a_turn_and_with_the_instance() {
        let held = || HELD.lock().unwrap().of("test/settling");
        let mut table = ResourceTable::new();
        table.set_max_capacity(2);
        let share = Share::put(&mut table, "test/settling").unwrap();
        let open = |table: &mut ResourceTable| {
            assert!(has_room(table));
            let stream: DynInputStream = Box::new(ClosedInputStream);
            table.push(stream).unwrap()
        };
        let one = open(&mut table);
        let _other = open(&mut table);
        assert_eq!(held(), 2);
        table.delete(one).unwrap();
        settle(&mut table, &share);
        assert_eq!(held(), 1);
        drop(table);
        assert_eq!(held(), 0);
    }

    /// Standard output is opened without asking for room, and takes no descriptor.
    #[test]
    fn what_holds_no_descriptor_takes_no_room_from_others() {
        let held = || HELD.lock().unwrap().of("test/printing");
        let mut table = ResourceTable::new();
        table.set_max_capacity(2_000);
        let share = Share::put(&mut table, "test/printing").unwrap();
        assert!(has_room(&mut table));
        for _ in 0..1_000 {
            let stream: DynOutputStream = Box::new(SinkOutputStream);
            table.push(stream).unwrap();
        }
        settle(&mut table, &share);
        assert_eq!(held(), 1);
        assert!(!has_room(&mut table), "it has too much itself");
        let found = table.get_mut(&share).unwrap();
        assert!(!found.take(1_000, CEILING));
        assert_eq!(held(), 1);
        drop(table);
        assert_eq!(held(), 0);
    }

    #[test]
    fn who_is_not_counted_opens_nothing() {
        assert!(!has_room(&mut ResourceTable::new()));
    }

    proptest! {
        /// Whatever instances open, close and leave behind.
        #[test]
        fn what_is_held_is_what_its_holders_hold(
            acts in prop::collection::vec((0..4_usize, 0..5_usize, 0..20_usize), 0..100),
        ) {
            let all: &'static Mutex<Held> = Box::leak(Box::new(Mutex::new(Held::new())));
            let names = ["a/a", "a/a", "b/b", "c/c"];
            let mut shares = names.map(|name| Share::of(all, name));
            for (which, act, open) in acts {
                let share = &mut shares[which];
                let before = share.held;
                match act {
                    0 => *share = Share::of(all, names[which]),
                    1 => {
                        share.give_back(open);
                        prop_assert_eq!(share.held, before.min(open));
                    }
                    2 => {
                        let has_room = share.take(open, CEILING);
                        let held = if has_room { open + 1 } else { before.min(open) };
                        prop_assert_eq!(share.held, held);
                    }
                    _ => {
                        let has_room = share.take(before, CEILING);
                        prop_assert_eq!(share.held, before + usize::from(has_room));
                    }
                }
                let now = all.lock().unwrap();
                let sum: usize = shares.iter().map(|it| it.held).sum();
                prop_assert_eq!(now.all, sum);
                prop_assert!(sum <= CEILING);
                prop_assert_eq!(now.of("a/a"), shares[0].held + shares[1].held);
                prop_assert!(now.of_components.values().all(|it| *it <= CEILING / 2));
            }
        }
    }
}
