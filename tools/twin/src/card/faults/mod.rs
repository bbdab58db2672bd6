// SPDX-License-Identifier: GPL-2.0

//! Faults: what goes wrong with the card, on purpose.
//!
//! [`table`] has them all, as data. A [`Plan`] says which of them a card has; it can
//! be changed at any time. Where the card does what a fault changes, it asks whether
//! the fault [strikes](Card::strikes), which counts it in the report. What a fault
//! then does lies here, by subject: `answers`, `strays`, `tasks`, `interrupts`,
//! `registers`, `stages`, `hostile`.
//!
//! Each fault has random numbers of its own, drawn from the seed: whether the n-th
//! interrupt is lost does not depend on what else goes wrong.
//!
//! What the card says may be wrong, but what it does to data is what a real device
//! could do: a command that was refused was not executed, and one that was executed
//! was executed as a whole. Only the faults that no driver can see are otherwise.

mod answers;
mod chaos;
mod hostile;
mod interrupts;
mod kind;
mod registers;
mod setting;
mod stages;
mod strays;
mod table;
mod tasks;

pub use answers::Instead;
pub use kind::{Index, Kind, Stage, Stray, Trouble};
pub use setting::{Plan, PlanError, Setting};
pub use stages::Handshake;
pub use table::{FAULTS, Fault};
pub use tasks::scope;

use super::state::Card;
use super::trace::field;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// A fault that the card has.
struct Armed {
    setting: Setting,
    left: u32,
    random: ChaCha8Rng,
}

/// A fault that strikes now.
pub struct Strike {
    /// Which it is.
    pub fault: &'static Fault,
    /// What was said of where, how or when.
    pub at: Option<u32>,
    /// Random numbers for what it does.
    pub random: ChaCha8Rng,
}

impl Strike {
    /// A time of at most so many milliseconds.
    fn moment(&mut self, most: u32) -> Duration {
        let most = u64::from(self.at.unwrap_or(most)).max(1);
        Duration::from_micros(self.random.random_range(0..most * 1000))
    }
}

/// The faults of a card.
#[derive(Default)]
pub struct Faults {
    armed: Mutex<Vec<Armed>>,
    /// So that a card without faults loses no time.
    any: AtomicBool,
    /// How often the plan was changed: what was started for an older one ends.
    plans: AtomicU64,
}

impl Faults {
    fn strike(&self, wanted: impl Fn(&Fault) -> bool) -> Option<Strike> {
        if !self.any.load(Ordering::Relaxed) {
            return None;
        }
        self.lock().iter_mut().find_map(|armed| {
            let setting = &armed.setting;
            if !wanted(setting.fault) || armed.left == 0 {
                return None;
            }
            if armed.random.random_range(0..setting.one_in) != 0 {
                return None;
            }
            armed.left -= 1;
            Some(Strike {
                fault: setting.fault,
                at: setting.at,
                random: ChaCha8Rng::seed_from_u64(armed.random.random()),
            })
        })
    }

    fn arm(&self, plan: &Plan, seed: u64) {
        let random = |stream| {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            random.set_stream(stream);
            random
        };
        let mut settings = plan.settings.clone();
        if plan.chaos {
            settings.extend(chaos::mix(seed));
        }
        let place = |setting: &Setting| {
            let same = |fault: &Fault| fault.name == setting.fault.name;
            FAULTS.iter().position(same).unwrap_or(FAULTS.len()) as u64
        };
        let mut armed = self.lock();
        self.plans.fetch_add(1, Ordering::Relaxed);
        self.any.store(!settings.is_empty(), Ordering::Relaxed);
        *armed = settings
            .into_iter()
            .map(|setting| Armed {
                left: setting.most.unwrap_or(u32::MAX),
                random: random(place(&setting)),
                setting,
            })
            .collect();
    }

    /// The faults that the card has now.
    pub fn settings(&self) -> Vec<Setting> {
        self.lock().iter().map(|armed| armed.setting).collect()
    }

    fn has(&self, kind: Kind) -> bool {
        self.any.load(Ordering::Relaxed)
            && self
                .lock()
                .iter()
                .any(|armed| armed.setting.fault.kind == kind)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Armed>> {
        self.armed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Card {
    /// Has those things go wrong from now on that the card's parameters say.
    pub fn begin_faults(self: &Arc<Self>) {
        let params = self.params();
        self.set_faults(&params.faults, params.seed);
    }

    /// Has these things go wrong from now on, and no others.
    pub fn set_faults(self: &Arc<Self>, plan: &Plan, seed: u64) {
        self.faults.arm(plan, seed);
        self.trace
            .event("faults", |line| field!(line, "seed={seed}"));
        self.begin_stages();
        self.begin_hostility();
    }

    /// Whether a fault strikes now, which is counted.
    pub(super) fn strikes(&self, kind: Kind) -> Option<Strike> {
        self.strikes_if(|fault| fault.kind == kind)
    }

    /// The same for the first fault of some kind.
    fn strikes_if(&self, wanted: impl Fn(&Fault) -> bool) -> Option<Strike> {
        let strike = self.faults.strike(wanted)?;
        self.count_fault(strike.fault);
        Some(strike)
    }

    fn count_fault(&self, fault: &Fault) {
        self.trace
            .event("fault", |line| field!(line, "name={}", fault.name));
        *self.figures.lock().faults.entry(fault.name).or_default() += 1;
    }

    /// Does something later, if the card is still there.
    pub(super) fn later(
        self: &Arc<Self>,
        after: Duration,
        what: impl FnOnce(&Arc<Card>) + Send + 'static,
    ) {
        let card = Arc::downgrade(self);
        thread::spawn(move || {
            thread::sleep(after);
            if let Some(card) = card.upgrade() {
                what(&card);
            }
        });
    }
}
