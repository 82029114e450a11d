//! `storage`: reads see committed state and the turn's own writes; writes are
//! recorded.

// Layer 2: Third-party crate imports
use bytes::Bytes;

// Layer 3: Internal module imports
use crate::core::limits::Limit;
use crate::core::security::capability::Capability;
use crate::core::storage::keyspace::Keyspace;
use crate::core::turn::errors::HostError;
use crate::core::turn::notes::{Listing, Notes};
use crate::core::turn::outbox::parse_address;
use crate::core::turn::overlay::{Ground, Overlay, check_key};
use crate::core::turn::recorded::ForeignRead;
use crate::runtime::bindings::storage::{Host, HostError as GuestError, KeyPage, SpaceUsed};
use crate::runtime::settings::InstanceSettings;
use crate::runtime::state::StoreState;

/// What `storage` works on.
pub(crate) struct StorageView<'a> {
    settings: &'a InstanceSettings,
    committed: &'a Keyspace,
    overlay: &'a mut Overlay,
    notes: &'a mut Notes,
}

impl<'a> StorageView<'a> {
    pub(crate) fn new(state: &'a mut StoreState) -> Self {
        Self {
            settings: &state.settings,
            committed: &state.keys,
            overlay: &mut state.recorder.overlay,
            notes: &mut state.recorder.notes,
        }
    }

    fn ground(&self) -> Ground<'a> {
        Ground {
            limits: &self.settings.limits,
            committed: self.committed,
            surroundings: &*self.settings.surroundings,
        }
    }

    fn read(&mut self, key: String) -> Result<Option<Bytes>, HostError> {
        check_key(&self.settings.limits, &key)?;
        let value = self.overlay.get(self.committed, &key).cloned();
        if !self.overlay.has_written(&key) {
            self.notes.read(key, value.clone());
        }
        Ok(value)
    }

    /// Reads several keys. All values together are bounded as one host call is, since
    /// the host holds them at once.
    fn read_many(&mut self, keys: Vec<String>) -> Result<Vec<Option<Vec<u8>>>, HostError> {
        HostError::check_size(
            Limit::KeysPerCall,
            self.settings.limits.keys_per_call,
            keys.len(),
        )?;
        let mut bytes = 0;
        let read = |key: String| {
            let value = self.read(key)?;
            bytes += value.as_ref().map_or(0, Bytes::len);
            HostError::check_size(
                Limit::HostcallBytes,
                self.settings.limits.hostcall_bytes,
                bytes,
            )?;
            Ok(value.map(|value| value.to_vec()))
        };
        keys.into_iter().map(read).collect()
    }

    /// Reads a key of another actor, as its last turn left it.
    fn read_from(&mut self, owner: &str, key: String) -> Result<Option<Bytes>, HostError> {
        let owner = parse_address("actor", owner)?;
        let settings = self.settings;
        if owner == settings.address {
            return self.read(key);
        }
        check_key(&settings.limits, &key)?;
        settings.permit_in_turn(self.notes, Capability::Storage, owner.as_str())?;
        let outcome = settings
            .surroundings
            .read_from(&settings.address, &owner, &key);
        let bytes = outcome
            .as_ref()
            .map_or(0, |value| value.as_ref().map_or(0, Bytes::len));
        self.notes.read_foreign(ForeignRead {
            owner,
            key,
            outcome: outcome.clone(),
        });
        HostError::check_size(Limit::HostcallBytes, settings.limits.hostcall_bytes, bytes)?;
        outcome
    }

    fn list(
        &mut self,
        prefix: &str,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<KeyPage, HostError> {
        if limit == 0 {
            return Err(HostError::Invalid("the limit is at least 1".into()));
        }
        let limit = limit as usize;
        HostError::check_size(
            Limit::KeysPerCall,
            self.settings.limits.keys_per_call,
            limit,
        )?;
        let overlay = &*self.overlay;
        let page = overlay.list_keys(self.committed, prefix, cursor, limit);
        let listing = Listing {
            prefix,
            cursor,
            page: &page,
        };
        let is_removed = |key: &str| overlay.has_removed(key);
        self.notes.listed(self.committed, listing, is_removed);
        Ok(KeyPage {
            keys: page.keys,
            next: page.next,
        })
    }
}

impl Host for StorageView<'_> {
    fn get(&mut self, key: String) -> Result<Option<Vec<u8>>, GuestError> {
        Ok(self.read(key)?.map(|value| value.to_vec()))
    }

    fn get_many(&mut self, keys: Vec<String>) -> Result<Vec<Option<Vec<u8>>>, GuestError> {
        Ok(self.read_many(keys)?)
    }

    fn set(&mut self, key: String, value: Vec<u8>) -> Result<(), GuestError> {
        let ground = self.ground();
        Ok(self.overlay.set(ground, key, value)?)
    }

    fn remove(&mut self, key: String) -> Result<(), GuestError> {
        let ground = self.ground();
        Ok(self.overlay.remove(ground, key)?)
    }

    fn list_keys(
        &mut self,
        prefix: String,
        cursor: Option<String>,
        limit: u32,
    ) -> Result<KeyPage, GuestError> {
        Ok(self.list(&prefix, cursor.as_deref(), limit)?)
    }

    fn usage(&mut self) -> Result<SpaceUsed, GuestError> {
        let (bytes, keys) = self.overlay.usage(self.committed);
        Ok(SpaceUsed {
            bytes,
            keys,
            max_bytes: self.settings.limits.storage_bytes,
        })
    }

    fn get_from(&mut self, actor: String, key: String) -> Result<Option<Vec<u8>>, GuestError> {
        Ok(self.read_from(&actor, key)?.map(|value| value.to_vec()))
    }
}
