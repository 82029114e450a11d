//! What the machine has.

// Layer 2: Third-party crate imports
use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System, get_current_pid};

/// Half of the bytes of memory that this process may have: the machine's, or its container's.
/// Where nobody can say, as many as are asked for.
pub(crate) fn half_of_memory() -> u64 {
    memory().map_or(u64::MAX, |bytes| bytes / 2)
}

fn memory() -> Option<u64> {
    let mut system = System::new().ok()?;
    system.refresh_memory();
    let machine = Some(system.total_memory()).filter(|bytes| *bytes > 0);
    let container = container(&mut system).filter(|bytes| *bytes > 0);
    machine.into_iter().chain(container).min()
}

/// What the control group of this process is limited to.
fn container(system: &mut System) -> Option<u64> {
    let own = get_current_pid().ok()?;
    let only = ProcessesToUpdate::Some(&[own]);
    system.refresh_processes_specifics(only, false, ProcessRefreshKind::nothing());
    let limits = system.process(own)?.cgroup_limits()?;
    Some(limits.total_memory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_known_how_much_there_is() {
        let half = half_of_memory();
        assert!((64 << 20..1 << 50).contains(&half), "{half}");
    }
}
