//! How an engine is set up.

// Layer 1: Standard library imports
use std::sync::Arc;
use std::time::Duration;

// Layer 2: Third-party crate imports
use serde::{Deserialize, Serialize};
use wasmtime::{Config, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig};

// Layer 3: Internal module imports
use crate::runtime::limiter::Room;
use crate::runtime::slab::MemorySlab;

/// What one call into WebAssembly may put on the stack, in bytes.
const WASM_STACK_BYTES: usize = 512 * 1024;

/// The stack that a guest gets which may suspend: the WebAssembly stack and room for
/// the host functions that it calls.
const ASYNC_STACK_BYTES: usize = WASM_STACK_BYTES + 512 * 1024;

/// Memory of a returned pool slot that is zeroed in place instead of being given back
/// to the system, in bytes. Small guests then cost no page faults.
const KEEP_RESIDENT_BYTES: usize = 64 * 1024;

/// Core instances, tables and memories in the pool for each actor. Components made
/// by common Rust and C toolchains bring up to four core instances (the program, a
/// shim and fixups for its imports) with up to three tables, and one memory.
const POOL_CORE_INSTANCES: u32 = 4;
const POOL_TABLES: u32 = 3;
const POOL_MEMORIES: u32 = 1;

/// How an engine is set up. The defaults suit a server with up to a few thousand
/// live actors.
///
/// ```
/// use airssys_wasm::runtime::config::{EngineConfig, Profile};
/// use airssys_wasm::runtime::engine::WasmtimeEngine;
///
/// let engine = WasmtimeEngine::with_config(EngineConfig {
///     profile: Profile::Density { instances: 1_000 },
///     ..EngineConfig::default()
/// })?;
/// # Ok::<(), airssys_wasm::core::runtime::errors::WasmError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineConfig {
    /// How instances are laid out in memory.
    pub profile: Profile,
    /// The largest linear memory that an instance can grow to, in bytes; a multiple
    /// of 64 KiB. Default 64 MiB, as the default of
    /// [`Limits::memory_bytes`](crate::core::limits::Limits::memory_bytes). It sizes
    /// address space and no memory.
    pub max_memory_bytes: u32,
    /// The most elements that a table can grow to. Default 20 000, which is more than
    /// compilers make for large programs. In a pool they are laid out once and for all
    /// instances, 8 bytes each.
    pub max_table_elements: u32,
    /// How often running guests are looked at, which is how exact wall deadlines are
    /// and how soon a guest that may suspend lets others run. Default 1 ms, which
    /// costs the engine's one clock thread about a thousandth of a core.
    pub epoch_tick: Duration,
}

/// How instances are laid out in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// For speed: instances come out of a pool that is laid out once, memories are
    /// copied on write from the component's image, and guard pages replace most
    /// bounds checks. Every slot reserves 4 GiB of address space, and the kernel's
    /// limit on mappings (`vm.max_map_count`) caps live instances in the tens of
    /// thousands. A component that does not fit a slot gets instances outside of the
    /// pool.
    Throughput {
        /// The number of slots.
        instances: u32,
    },
    /// For numbers: all linear memories are carved out of one mapping, so that
    /// 100 000 actors and more can be live. Bounds are checked in code, which costs
    /// loops over memory about an eighth.
    Density {
        /// The number of memories.
        instances: u32,
    },
    /// For few and large guests: every instance is allocated on its own.
    OnDemand,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            profile: Profile::Throughput { instances: 2_048 },
            max_memory_bytes: 64 << 20,
            max_table_elements: 20_000,
            epoch_tick: Duration::from_millis(1),
        }
    }
}

impl EngineConfig {
    /// The engine's stack limit, in bytes.
    pub(crate) fn wasm_stack_bytes() -> u64 {
        WASM_STACK_BYTES as u64
    }

    /// What an engine with this configuration has room for.
    pub(crate) fn room(&self) -> Room {
        let instances = match self.profile {
            Profile::Throughput { instances } | Profile::Density { instances } => instances,
            Profile::OnDemand => return Room::default(),
        };
        Room {
            linear_memory_bytes: Some(self.max_memory_bytes.into()),
            table_elements: Some(self.max_table_elements.into()),
            instances: Some(instances.into()),
        }
    }

    /// How the code for this profile reaches linear memories.
    pub(crate) fn memory_access(&self) -> MemoryAccess {
        match self.profile {
            Profile::Throughput { .. } | Profile::OnDemand => MemoryAccess::Guarded,
            Profile::Density { .. } => MemoryAccess::Checked,
        }
    }

    /// Wasmtime's configuration for this profile.
    pub(crate) fn wasmtime(&self) -> Result<Config, String> {
        let mut config = self.memory_access().config();
        match self.profile {
            Profile::Throughput { instances } => {
                config
                    .allocation_strategy(InstanceAllocationStrategy::Pooling(self.pool(instances)));
            }
            Profile::Density { instances } => {
                let slab = MemorySlab::new(instances, self.max_memory_bytes)?;
                config.with_host_memory(Arc::new(slab));
            }
            Profile::OnDemand => {}
        }
        Ok(config)
    }

    fn pool(&self, instances: u32) -> PoolingAllocationConfig {
        let mut pool = PoolingAllocationConfig::default();
        pool.total_component_instances(instances);
        pool.total_core_instances(instances.saturating_mul(POOL_CORE_INSTANCES));
        pool.total_memories(instances.saturating_mul(POOL_MEMORIES));
        pool.total_tables(instances.saturating_mul(POOL_TABLES));
        pool.total_stacks(instances);
        pool.max_memories_per_component(POOL_MEMORIES);
        pool.max_tables_per_component(POOL_TABLES);
        pool.max_core_instances_per_component(POOL_CORE_INSTANCES);
        pool.max_memory_size(self.max_memory_bytes as usize);
        pool.table_elements(self.max_table_elements as usize);
        pool.linear_memory_keep_resident(KEEP_RESIDENT_BYTES);
        pool.table_keep_resident(KEEP_RESIDENT_BYTES);
        pool
    }
}

/// How compiled code reaches linear memories. It is all that the code depends on: engines that
/// agree in it can load each other's artefacts, however they lay out their instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum MemoryAccess {
    /// Most accesses are left to guard pages.
    Guarded,
    /// Each access is compared with the memory's size.
    Checked,
}

impl MemoryAccess {
    /// A configuration for such code.
    pub(crate) fn config(self) -> Config {
        let mut config = Config::new();
        config.wasm_component_model(true);
        config.consume_fuel(true);
        config.epoch_interruption(true);
        // Component-model async: the guest contract has plain functions only, and this
        // alone makes every call 245 ns slower. Guests suspend on fibers without it.
        config.concurrency_support(false);
        config.cranelift_opt_level(OptLevel::Speed);
        config.max_wasm_stack(WASM_STACK_BYTES);
        config.async_stack_size(ASYNC_STACK_BYTES);
        if self == Self::Checked {
            // A slot has no guard and is accessible to its end, so the code must check
            // every access against the memory's size of the moment. Compiled code
            // does so for memories that may move. For those that may not, it trusts
            // that whatever lies within the reservation is either theirs or a trap.
            config.memory_may_move(true);
            config.memory_reservation(0);
            config.memory_reservation_for_growth(0);
            config.memory_guard_size(0);
            config.guard_before_linear_memory(false);
            config.memory_init_cow(false);
        }
        config
    }
}
