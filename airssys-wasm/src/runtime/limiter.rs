//! One budget for all memories and tables of an instance.

// Layer 2: Third-party crate imports
use wasmtime::{Error, ResourceLimiter as WasmtimeLimiter, Result};

// Layer 3: Internal module imports
use crate::core::limits::{Limit, LimitExceeded};
use crate::core::memory::Held;

/// What a table element counts as: a pointer of a 64-bit host.
const TABLE_ELEMENT_BYTES: u64 = 8;

/// Core instances, tables and memories that one component may bring. The largest
/// guests known, interpreters that are split into many modules, bring about forty.
const MAX_INSTANCES: usize = 256;
const MAX_TABLES: usize = 256;
const MAX_MEMORIES: usize = 64;

/// What an engine has room for: the largest memory and the largest table. Without a
/// figure there is room for any.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Room {
    /// Bytes of one linear memory.
    pub linear_memory_bytes: Option<u64>,
    /// Elements of one table.
    pub table_elements: Option<u64>,
    /// Instances that are alive at once.
    pub instances: Option<u64>,
}

/// Counts what an instance takes up, and stops it at its limit.
///
/// Exceeding the budget ends the turn rather than letting `memory.grow` answer -1:
/// almost every program answers that by giving up, and then the operator would read
/// "unreachable" where the reason was the limit.
#[derive(Debug, Default)]
pub struct ResourceLimiter {
    allowed: u64,
    room: Room,
    held: Held,
    peak: u64,
    /// What was last allowed, in case the system then has not got it.
    last_growth: u64,
}

impl ResourceLimiter {
    /// A budget of so many bytes, in an engine with so much room, which counts in
    /// what is `held` so far.
    pub fn new(allowed: u64, room: Room, held: Held) -> Self {
        Self {
            allowed,
            room,
            held,
            ..Self::default()
        }
    }

    /// The most bytes that were taken up at once.
    pub fn peak(&self) -> u64 {
        self.peak
    }

    fn grow(&mut self, current: u64, desired: u64, maximum: Option<u64>) -> Result<bool> {
        // A guest that exceeds the maximum which it declared itself gets -1, as the
        // WebAssembly specification says.
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let growth = desired.saturating_sub(current);
        let used = self.held.bytes().saturating_add(growth);
        LimitExceeded::check(Limit::MemoryBytes, self.allowed, used)
            .and_then(|()| self.held.grow(growth))
            .map_err(Error::from)?;
        self.peak = self.peak.max(used);
        self.last_growth = growth;
        Ok(true)
    }

    fn undo(&mut self) {
        let growth = std::mem::take(&mut self.last_growth);
        self.held.set(self.held.bytes() - growth);
    }
}

impl WasmtimeLimiter for ResourceLimiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool> {
        check_room(
            Limit::LinearMemoryBytes,
            self.room.linear_memory_bytes,
            desired,
        )?;
        let maximum = maximum.map(|bytes| bytes as u64);
        self.grow(current as u64, desired as u64, maximum)
    }

    fn memory_grow_failed(&mut self, _error: Error) -> Result<()> {
        self.undo();
        Ok(())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool> {
        check_room(Limit::TableElements, self.room.table_elements, desired)?;
        let bytes = |elements: usize| (elements as u64).saturating_mul(TABLE_ELEMENT_BYTES);
        self.grow(bytes(current), bytes(desired), maximum.map(bytes))
    }

    fn table_grow_failed(&mut self, _error: Error) -> Result<()> {
        self.undo();
        Ok(())
    }

    fn instances(&self) -> usize {
        MAX_INSTANCES
    }

    fn tables(&self) -> usize {
        MAX_TABLES
    }

    fn memories(&self) -> usize {
        MAX_MEMORIES
    }
}

/// A pool passes off its own room as a maximum that the guest declared; so this is
/// looked at before that.
fn check_room(limit: Limit, room: Option<u64>, desired: usize) -> Result<()> {
    let room = room.unwrap_or(u64::MAX);
    LimitExceeded::check(limit, room, desired as u64).map_err(Error::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_and_tables_share_one_budget() {
        let mut limiter = ResourceLimiter::new(1_000, Room::default(), Held::default());
        assert!(limiter.memory_growing(0, 600, None).unwrap());
        assert!(limiter.table_growing(0, 40, None).unwrap());
        let error = limiter.memory_growing(600, 700, None).unwrap_err();
        assert_eq!(
            error.downcast_ref(),
            Some(&LimitExceeded {
                limit: Limit::MemoryBytes,
                allowed: 1_000,
                observed: 1_020,
            })
        );
        assert_eq!(limiter.peak(), 920);
        assert!(limiter.table_growing(40, 50, None).unwrap());
        assert!(limiter.table_growing(50, 51, None).is_err());
    }

    #[test]
    fn a_declared_maximum_is_no_failure() {
        let mut limiter = ResourceLimiter::new(1_000, Room::default(), Held::default());
        assert!(!limiter.memory_growing(0, 20, Some(10)).unwrap());
        assert!(!limiter.table_growing(0, usize::MAX, Some(10)).unwrap());
        assert_eq!(limiter.peak(), 0);
    }

    #[test]
    fn the_engines_room_is_a_limit_of_its_own() {
        let room = Room {
            linear_memory_bytes: Some(100),
            table_elements: Some(10),
            instances: None,
        };
        let mut limiter = ResourceLimiter::new(1_000, room, Held::default());
        let limit = |error: Error| error.downcast_ref::<LimitExceeded>().unwrap().limit;
        let memory = limiter.memory_growing(0, 101, Some(100)).unwrap_err();
        assert_eq!(limit(memory), Limit::LinearMemoryBytes);
        let table = limiter.table_growing(0, 11, Some(10)).unwrap_err();
        assert_eq!(limit(table), Limit::TableElements);
        assert!(!limiter.table_growing(0, 10, Some(9)).unwrap());
        assert!(limiter.table_growing(0, 10, None).unwrap());
    }

    #[test]
    fn what_the_system_refused_is_not_counted() {
        let mut limiter = ResourceLimiter::new(1_000, Room::default(), Held::default());
        assert!(limiter.memory_growing(0, 900, None).unwrap());
        limiter.memory_grow_failed(Error::msg("no memory")).unwrap();
        assert!(limiter.memory_growing(0, 900, None).unwrap());
        assert!(limiter.table_growing(0, usize::MAX, None).is_err());
    }
}
