//! The machine's sleep, where the system tells of it before.

use std::time::Instant;

use crate::app::engine::Engine;
use crate::base::id::AccountId;
use crate::control::Registration;

impl Engine {
    /// Gives up the registrations: a registrar that still believed in them would send callers here.
    /// Accounts that were refused stay so, for their password does not change in sleep.
    pub(super) fn fall_asleep(&mut self, now: Instant) {
        let awake: Vec<AccountId> = self
            .accounts
            .iter()
            .filter(|live| match &live.registration {
                Registration::Registered | Registration::Registering { .. } => true,
                Registration::Failed { retry_at, .. } => retry_at.is_some(),
                Registration::Off => false,
            })
            .map(|live| live.id)
            .collect();
        for id in awake {
            self.endpoint.unregister(now, id);
            if !self.asleep.contains(&id) {
                self.asleep.push(id);
            }
        }
    }

    /// Registers what was given up.
    pub(super) fn wake_up(&mut self, now: Instant) {
        let net = &self.net;
        for id in std::mem::take(&mut self.asleep) {
            self.endpoint
                .register_from_here(now, id, true, &|remote| net.local_ip_towards(remote));
        }
    }
}
