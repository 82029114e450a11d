//! One mapping for the linear memories of all instances.
//!
//! A mapping per memory is what limits the number of live instances: the kernel
//! allows a process 65 530 of them (`vm.max_map_count`), and a memory with guard pages
//! takes two or more. Here there is one, cut into slots of equal size; a slot's pages
//! exist once they are written, and are given back when its instance ends.

// Layer 1: Standard library imports
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, PoisonError};

// Layer 2: Third-party crate imports
#[cfg(all(target_os = "linux", not(miri)))]
use rustix::mm::{Advice, madvise};
use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};
use wasmtime::{
    Error, LinearMemory, MemoryCreator, MemoryType, Result as WasmtimeResult, format_err,
};

/// The size of a WebAssembly page, of which every slot is a multiple.
const WASM_PAGE: usize = 64 * 1024;

/// What the creator of a memory says when there is no slot left. Wasmtime passes on
/// its words and nothing else.
const SLAB_FULL: &str = "all memories of the slab are in use";

/// Whether an instance could not be made for want of a slot.
pub(crate) fn is_slab_full(error: &Error) -> bool {
    error
        .chain()
        .any(|cause| cause.to_string().contains(SLAB_FULL))
}

/// Linear memories out of one mapping.
#[derive(Debug)]
pub(crate) struct MemorySlab(Arc<Mapping>);

#[derive(Debug)]
struct Mapping {
    base: NonNull<u8>,
    slot_bytes: usize,
    slots: usize,
    free: Mutex<FreeSlots>,
}

/// Slots below `unused` have been used before; those in `returned` are free again.
#[derive(Debug, Default)]
struct FreeSlots {
    returned: Vec<usize>,
    unused: usize,
}

// SAFETY: the mapping is plain memory that any thread may use. Who may touch which
// part of it is settled by `free`: a slot belongs to the one `Slot` that took it.
unsafe impl Send for Mapping {}
// SAFETY: as above; `&Mapping` gives out addresses and changes only what `free` guards.
unsafe impl Sync for Mapping {}

impl MemorySlab {
    /// Reserves address space for `slots` memories of `slot_bytes` each.
    pub(crate) fn new(slots: u32, slot_bytes: u32) -> Result<Self, String> {
        let (slots, slot_bytes) = (slots as usize, slot_bytes as usize);
        if slots == 0 || slot_bytes == 0 || !slot_bytes.is_multiple_of(WASM_PAGE) {
            return Err(format!(
                "a slab has at least one slot of a multiple of {WASM_PAGE} bytes, \
                 not {slots} of {slot_bytes}"
            ));
        }
        let length = slots.checked_mul(slot_bytes).ok_or_else(|| {
            format!("{slots} slots of {slot_bytes} bytes exceed the address space")
        })?;
        let base = reserve(length)
            .map_err(|e| format!("reserving {length} bytes of address space: {e}"))?;
        Ok(Self(Arc::new(Mapping {
            base,
            slot_bytes,
            slots,
            free: Mutex::default(),
        })))
    }
}

fn reserve(length: usize) -> rustix::io::Result<NonNull<u8>> {
    let access = ProtFlags::READ | ProtFlags::WRITE;
    let flags = match cfg!(miri) {
        // Miri knows no other; its slabs are small.
        true => MapFlags::PRIVATE,
        false => MapFlags::PRIVATE | MapFlags::NORESERVE,
    };
    // SAFETY: a new anonymous mapping at an address of the kernel's choice overlaps
    // nothing.
    let base = unsafe { mmap_anonymous(std::ptr::null_mut(), length, access, flags)? };
    // A huge page would give every actor 2 MiB at its first write. Kernels without
    // huge pages refuse the advice, and do not need it.
    #[cfg(all(target_os = "linux", not(miri)))]
    // SAFETY: the range is the mapping made above, and the advice changes no contents.
    unsafe {
        let _ = madvise(base, length, Advice::LinuxNoHugepage);
    }
    NonNull::new(base.cast()).ok_or(rustix::io::Errno::NOMEM)
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the mapping was made by `reserve` with this length, and no `Slot`
        // can be left, since each holds a reference to this.
        let unmapped = unsafe { munmap(self.base.as_ptr().cast(), self.slots * self.slot_bytes) };
        debug_assert!(unmapped.is_ok());
    }
}

// SAFETY: `new_memory` gives each memory a slot of its own, zeroed, which never moves,
// reaches as far as the reservation that was asked for, and is refused where a guard
// was asked for. That what lies beyond a memory's size is not out of reach, as it would
// be in wasmtime's own memories, is what the engine's configuration accounts for.
unsafe impl MemoryCreator for MemorySlab {
    fn new_memory(
        &self,
        _ty: MemoryType,
        minimum: usize,
        _maximum: Option<usize>,
        reserved_size_in_bytes: Option<usize>,
        guard_size_in_bytes: usize,
    ) -> Result<Box<dyn LinearMemory>, String> {
        let mapping = &self.0;
        let reserved = reserved_size_in_bytes.unwrap_or(minimum);
        if guard_size_in_bytes != 0 || reserved.max(minimum) > mapping.slot_bytes {
            return Err(format!(
                "a memory of {minimum} bytes, {reserved} reserved and {guard_size_in_bytes} of \
                 guard does not fit a slot of {} bytes",
                mapping.slot_bytes
            ));
        }
        let index = mapping
            .take()
            .ok_or_else(|| format!("{SLAB_FULL} (there are {})", mapping.slots))?;
        Ok(Box::new(Slot {
            mapping: Arc::clone(mapping),
            index,
            size: minimum,
        }))
    }
}

impl Mapping {
    fn take(&self) -> Option<usize> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = free.returned.pop() {
            return Some(index);
        }
        let index = free.unused;
        (index < self.slots).then(|| {
            free.unused += 1;
            index
        })
    }

    fn give_back(&self, index: usize) {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        free.returned.push(index);
    }

    fn slot(&self, index: usize) -> *mut u8 {
        debug_assert!(index < self.slots);
        // SAFETY: the slot lies within the mapping, since `take` gives out no index
        // beyond `slots`.
        unsafe { self.base.as_ptr().add(index * self.slot_bytes) }
    }
}

/// The linear memory of one instance.
struct Slot {
    mapping: Arc<Mapping>,
    index: usize,
    size: usize,
}

// SAFETY: all of a slot is accessible from the beginning, so that growing moves
// nothing and can only be refused; pages that were never written read as zeros.
unsafe impl LinearMemory for Slot {
    fn byte_size(&self) -> usize {
        self.size
    }

    fn byte_capacity(&self) -> usize {
        self.mapping.slot_bytes
    }

    fn grow_to(&mut self, new_size: usize) -> WasmtimeResult<()> {
        if new_size > self.mapping.slot_bytes {
            return Err(format_err!(
                "a memory of {new_size} bytes exceeds its slot of {} bytes",
                self.mapping.slot_bytes
            ));
        }
        self.size = new_size;
        Ok(())
    }

    fn as_ptr(&self) -> *mut u8 {
        self.mapping.slot(self.index)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        // All of the slot and not only what the guest grew to: no mistake in a bounds
        // check is to show one guest another's data. A slot that may hold some is never
        // used again.
        // SAFETY: this slot is ours until it is given back, and the instance that used
        // it is gone.
        if unsafe { discard(self.as_ptr(), self.mapping.slot_bytes) }.is_ok() {
            self.mapping.give_back(self.index);
        }
    }
}

/// Gives pages back to the system, after which they read as zeros.
///
/// # Safety
///
/// The range lies within one slot, and nobody else uses it.
#[cfg(all(target_os = "linux", not(miri)))]
unsafe fn discard(start: *mut u8, length: usize) -> rustix::io::Result<()> {
    // SAFETY: as the caller promises.
    unsafe { madvise(start.cast(), length, Advice::LinuxDontNeed) }
}

/// Writes zeros: where the system cannot promise that discarded pages read as zeros.
///
/// # Safety
///
/// The range lies within one slot, and nobody else uses it.
#[cfg(any(not(target_os = "linux"), miri))]
unsafe fn discard(start: *mut u8, length: usize) -> rustix::io::Result<()> {
    // SAFETY: as the caller promises.
    unsafe { start.write_bytes(0, length) };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLOT: u32 = 2 * WASM_PAGE as u32;

    fn memory(slab: &MemorySlab, minimum: usize) -> Result<Box<dyn LinearMemory>, String> {
        slab.new_memory(
            MemoryType::new(1, None),
            minimum,
            None,
            Some(SLOT as usize),
            0,
        )
    }

    #[test]
    fn a_returned_slot_is_zero_for_its_next_user() {
        let slab = MemorySlab::new(1, SLOT).unwrap();
        let mut first = memory(&slab, WASM_PAGE).unwrap();
        first.grow_to(SLOT as usize).unwrap();
        let last = first.byte_size() - 1;
        // SAFETY: within the memory's size.
        unsafe { first.as_ptr().add(last).write(7) };
        drop(first);

        let second = memory(&slab, SLOT as usize).unwrap();
        // SAFETY: within the memory's size.
        assert_eq!(unsafe { second.as_ptr().add(last).read() }, 0);
    }

    #[test]
    fn slots_do_not_overlap_and_run_out() {
        let slab = MemorySlab::new(2, SLOT).unwrap();
        let first = memory(&slab, WASM_PAGE).unwrap();
        let second = memory(&slab, WASM_PAGE).unwrap();
        assert!(first.as_ptr().addr().abs_diff(second.as_ptr().addr()) >= SLOT as usize);
        assert!(memory(&slab, WASM_PAGE).err().unwrap().contains("in use"));
        drop(first);
        assert!(memory(&slab, WASM_PAGE).is_ok());
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let slab = MemorySlab::new(1, SLOT).unwrap();
        let ty = || MemoryType::new(1, None);
        assert!(
            slab.new_memory(ty(), 2 * SLOT as usize, None, None, 0)
                .is_err()
        );
        assert!(
            slab.new_memory(ty(), 1, None, Some(2 * SLOT as usize), 0)
                .is_err()
        );
        assert!(slab.new_memory(ty(), 1, None, None, WASM_PAGE).is_err());
        let mut memory = memory(&slab, WASM_PAGE).unwrap();
        assert!(memory.grow_to(SLOT as usize + 1).is_err());
        assert_eq!(memory.byte_size(), WASM_PAGE);
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri has no memory to refuse")]
    fn impossible_slabs_are_refused() {
        assert!(MemorySlab::new(0, SLOT).is_err());
        assert!(MemorySlab::new(1, 100).is_err());
        assert!(MemorySlab::new(u32::MAX, u32::MAX - u32::MAX % WASM_PAGE as u32).is_err());
    }
}
