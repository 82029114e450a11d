//! The audit log: append-only, chained by hashes, bounded.
