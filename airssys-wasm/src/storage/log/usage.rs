//! How much each component keeps.

// Layer 2: Third-party crate imports
use hashbrown::HashMap;

// Layer 3: Internal module imports
use crate::core::storage::commit::Growth;
use crate::storage::log::batch::Batch;

/// The sum of all growth of each component. There are as many as ever kept something.
#[derive(Debug, Default)]
pub(crate) struct Usage {
    components: HashMap<String, Kept>,
    /// Those that grew and are not yet in a batch that is written.
    unwritten: Vec<String>,
}

#[derive(Debug, Default)]
struct Kept {
    sum: Growth,
    is_unwritten: bool,
}

impl Usage {
    /// Sets what a component keeps, as it stands on disk.
    pub(crate) fn restore(&mut self, component: &str, sum: Growth) {
        let kept = self.components.entry_ref(component).or_default();
        kept.sum = sum;
    }

    /// A component grows, or shrinks.
    pub(crate) fn grow(&mut self, component: &str, growth: Growth) {
        if growth == Growth::default() {
            return;
        }
        let kept = self.components.entry_ref(component).or_default();
        kept.sum.bytes = kept.sum.bytes.saturating_add(growth.bytes);
        kept.sum.keys = kept.sum.keys.saturating_add(growth.keys);
        if !kept.is_unwritten {
            kept.is_unwritten = true;
            self.unwritten.push(component.into());
        }
    }

    /// How much a component keeps.
    pub(crate) fn of(&self, component: &str) -> Growth {
        self.components
            .get(component)
            .map_or_else(Growth::default, |kept| kept.sum)
    }

    /// Adds what has changed to the batch that is written next.
    pub(crate) fn write_to(&mut self, batch: &mut Batch) {
        for component in self.unwritten.drain(..) {
            if let Some(kept) = self.components.get_mut(&component) {
                kept.is_unwritten = false;
                batch.set_usage(component, kept.sum);
            }
        }
    }

    /// Whether all of it is in batches that are written.
    pub(crate) fn is_written(&self) -> bool {
        self.unwritten.is_empty()
    }
}
