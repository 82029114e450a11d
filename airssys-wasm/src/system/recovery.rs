//! What was open when the system ended, taken up again.

// Layer 1: Standard library imports
use std::path::absolute;
use std::sync::Arc;

// Layer 3: Internal module imports
use crate::component::world::World;
use crate::core::component::id::ComponentId;
use crate::core::delivery::envelope::Envelope;
use crate::core::delivery::post::Post;
use crate::core::storage::commit::Commit;
use crate::core::storage::row::{RowKey, answer_period};
use crate::core::storage::usage::Usage;
use crate::messaging::correlation::Request;
use crate::storage::actor_store::{ActorStore, DataInfo};
use crate::storage::data_folder::DataFolder;
use crate::storage::log::log::CommitLog;
use crate::storage::log::recovery::Recovered;
use crate::storage::log::settings::LogSettings;
use crate::system::config::system::SystemConfig;
use crate::system::data::error::DataError;
use crate::system::error::StartError;
use crate::system::node::Node;

/// How many answers are forgotten at once.
const MAX_FORGOTTEN: usize = 10_000;

/// Opens the store of a system, and tells what was committed in it before.
pub(crate) fn open_store(config: &SystemConfig) -> Result<(ActorStore, Recovered), StartError> {
    let Some(path) = &config.data else {
        return Ok((ActorStore::in_memory(), Recovered::default()));
    };
    let folder = DataFolder::open(path)?;
    let disk = folder.disk()?;
    let opened = CommitLog::open(disk, LogSettings::default());
    let (log, recovered) = opened.map_err(DataError::from)?;
    let data = DataInfo {
        folder: absolute(folder.path()).unwrap_or_else(|_| folder.path().into()),
        waiting_at_start: recovered.backlog.values().map(|it| it.messages).sum(),
    };
    Ok((ActorStore::on_disk(log, data), recovered))
}

impl Node {
    /// Takes up timers, requests, subscriptions and dead letters, and notes whom messages
    /// wait for.
    pub(crate) fn restore(self: &Arc<Self>, recovered: Recovered) {
        let now = self.clock.now();
        for (owner, id, timer) in recovered.timers {
            let due_ms = now.clock_ms_at(timer.due_unix_ms);
            let envelope = Envelope::from(timer.message);
            if let Err(refused) = self.router.restore_timer(id, due_ms, envelope) {
                self.remove_row(&owner, RowKey::Timer(id));
                self.bury_undelivered(refused);
            }
        }
        for (requester, correlation, request) in recovered.requests {
            let opened = self.router.restore_request(Request {
                requester: requester.clone(),
                correlation,
                target: request.target,
                deadline_ms: now.clock_ms_at(request.deadline_unix_ms),
            });
            if let Err(error) = opened {
                tracing::warn!(target: "airssys", %requester, %error, "a request is given up");
                self.remove_row(&requester, RowKey::Request(correlation));
            }
        }
        for (actor, pattern) in recovered.subscriptions {
            if let Err(error) = self.router.restore_subscription(&actor, &pattern) {
                tracing::warn!(target: "airssys", %actor, pattern, %error, "not subscribed");
                self.remove_row(&actor, RowKey::Subscription(pattern));
            }
        }
        for (_to, number, letter) in recovered.dead_letters {
            self.dead_letters().restore(number, letter);
        }
        for (actor, backlog) in recovered.backlog {
            self.sleepers.add(actor, backlog);
        }
    }

    /// What the actors of a component keep already.
    pub(crate) fn usage_of(&self, component: &str) -> Arc<Usage> {
        let log = self.store.log();
        Arc::new(log.map_or_else(Usage::default, |log| Usage::of(log.usage(component))))
    }

    /// Forgets what messages with ids were answered when two periods have passed, some at a
    /// time.
    pub(crate) fn forget_answers(self: &Arc<Self>) {
        let Some(log) = self.store.log() else {
            return;
        };
        let period = answer_period(self.clock.now().unix_ms);
        let expired = log.expired_answers(period.saturating_sub(1), MAX_FORGOTTEN);
        match expired {
            Ok(expired) => {
                let mut commit = Commit::default();
                for (actor, key) in expired {
                    commit.remove(&actor, key);
                }
                Post::commit(self, commit);
            }
            Err(error) => self.halt(&error),
        }
    }

    fn remove_row(self: &Arc<Self>, actor: &ComponentId, key: RowKey) {
        Post::commit(self, Commit::removing(actor, key));
    }
}
