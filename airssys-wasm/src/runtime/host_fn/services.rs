//! `services`: log, time, randomness, configuration.

// Layer 2: Third-party crate imports
use secrecy::ExposeSecret;
use tracing::Level;

// Layer 3: Internal module imports
use crate::core::limits::Limit;
use crate::core::security::capability::Capability;
use crate::core::turn::errors::HostError;
use crate::core::turn::recorder::Recorder;
use crate::runtime::bindings::services::{
    ComponentPage, Host, HostError as GuestError, Level as GuestLevel,
};
use crate::runtime::lines::Lines;
use crate::runtime::settings::InstanceSettings;
use crate::runtime::state::StoreState;

/// What `services` works on.
pub(crate) struct ServicesView<'a> {
    settings: &'a InstanceSettings,
    recorder: &'a mut Recorder,
    lines: &'a Lines,
}

impl<'a> ServicesView<'a> {
    pub(crate) fn new(state: &'a mut StoreState) -> Self {
        Self {
            settings: &state.settings,
            recorder: &mut state.recorder,
            lines: &state.lines,
        }
    }

    fn list(&mut self, cursor: Option<&str>, limit: u32) -> Result<ComponentPage, HostError> {
        if limit == 0 {
            return Err(HostError::Invalid("the limit is at least 1".into()));
        }
        let limit = limit as usize;
        HostError::check_size(
            Limit::KeysPerCall,
            self.settings.limits.keys_per_call,
            limit,
        )?;
        let all = self.settings.surroundings.components();
        self.recorder.notes.components(&all);
        let start = cursor.map_or(0, |cursor| {
            all.partition_point(|name| name.as_str() <= cursor)
        });
        let end = all.len().min(start.saturating_add(limit));
        let components = all[start..end].to_vec();
        let next = components.last().filter(|_| end < all.len()).cloned();
        Ok(ComponentPage { components, next })
    }
}

impl Host for ServicesView<'_> {
    fn log(&mut self, level: GuestLevel, text: String) {
        if self.recorder.admit_log_line(&self.settings.limits) && self.lines.admit() {
            let level = match level {
                GuestLevel::Trace => Level::TRACE,
                GuestLevel::Debug => Level::DEBUG,
                GuestLevel::Info => Level::INFO,
                GuestLevel::Warn => Level::WARN,
                GuestLevel::Error => Level::ERROR,
            };
            write_line(self.settings, level, &text);
        }
    }

    fn now_ms(&mut self) -> u64 {
        self.recorder.context().now_ms
    }

    fn random_bytes(&mut self, count: u32) -> Result<Vec<u8>, GuestError> {
        Ok(self.recorder.random_bytes(&self.settings.limits, count)?)
    }

    fn config(&mut self, key: String) -> Option<String> {
        let notes = &mut self.recorder.notes;
        let permitted = self
            .settings
            .permit_in_turn(notes, Capability::Config, &key);
        permitted.ok()?;
        self.settings.provisions.config.get(&key).cloned()
    }

    fn secret(&mut self, name: String) -> Result<Option<String>, GuestError> {
        let notes = &mut self.recorder.notes;
        self.settings
            .permit_in_turn(notes, Capability::Secrets, &name)?;
        let secret = self.settings.provisions.secrets.get(&name);
        Ok(secret.map(|secret| secret.expose_secret().to_owned()))
    }

    fn list_components(
        &mut self,
        cursor: Option<String>,
        limit: u32,
    ) -> Result<ComponentPage, GuestError> {
        Ok(self.list(cursor.as_deref(), limit)?)
    }

    fn trace_context(&mut self) -> Option<String> {
        let parent = self.recorder.context().trace_parent.as_ref();
        parent.map(ToString::to_string)
    }
}

/// Writes one line of a guest to the log, under the target `airssys::guest`.
pub(crate) fn write_line(settings: &InstanceSettings, level: Level, text: &str) {
    let line = one_line(text, settings.limits.log_line_bytes as usize);
    let actor = settings.address.as_str();
    // The level of an event is part of its call site.
    match level {
        Level::TRACE => tracing::trace!(target: "airssys::guest", actor, "{line}"),
        Level::DEBUG => tracing::debug!(target: "airssys::guest", actor, "{line}"),
        Level::INFO => tracing::info!(target: "airssys::guest", actor, "{line}"),
        Level::WARN => tracing::warn!(target: "airssys::guest", actor, "{line}"),
        Level::ERROR => tracing::error!(target: "airssys::guest", actor, "{line}"),
    }
}

/// Cuts a guest's text to a length and escapes its control characters, so that it can
/// neither forge lines of the log nor steer a terminal.
fn one_line(text: &str, max_bytes: usize) -> String {
    let kept = text.floor_char_boundary(max_bytes);
    let mut line = String::with_capacity(kept);
    for c in text[..kept].chars() {
        if c.is_control() {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    if kept < text.len() {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_one_line() {
        assert_eq!(
            one_line("a\nERROR forged\x1b[2J", 100),
            "a\\nERROR forged\\u{1b}[2J"
        );
        assert_eq!(one_line("grüße", 3), "gr…");
        assert_eq!(one_line("grüße", 4), "grü…");
        assert_eq!(one_line("", 0), "");
    }
}
