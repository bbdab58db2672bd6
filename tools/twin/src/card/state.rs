// SPDX-License-Identifier: GPL-2.0

//! The card: its parts, what it remembers, and how it forgets.
//!
//! Three things end what the card is doing: a reset (of the device, by FLR, or
//! because the host went away), a power cut, and a new handshake. Each begins
//! another [`Era`]; commands of an older one can neither touch the host nor
//! complete. The doorbell counters outlive a reset, as the trace shows, but not a
//! power cut.

use super::bringup::Regions;
use super::config_space::ConfigSpace;
use super::dma::{Dma, Era};
use super::faults::Faults;
use super::interrupt::Msi;
use super::memory::GuestMemory;
use super::params::CardParams;
use super::regs::{Counters, Sram};
use super::report::{Figures, Report};
use super::trace::{Recorder, field};
use super::workers::Queue;
use crate::scsi::Target;
use std::collections::HashSet;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

/// How far the card has come with its host.
#[derive(Clone, Debug)]
pub enum Phase {
    /// Nothing agreed: the card takes no commands.
    Down,
    /// The configuration doorbell rang; the card is not ready yet.
    Configuring {
        /// Which handshake this is.
        handshake: u64,
        /// What the registers said when the doorbell rang.
        regions: Arc<Regions>,
    },
    /// Ready for commands.
    Ready(Arc<Regions>),
    /// A fault made the card forget all that was agreed: it loses commands.
    Forgotten,
}

/// What one mutex protects.
pub struct State {
    /// The memory behind BAR0.
    pub sram: Sram,
    /// The doorbells as the card last saw them.
    pub counters: Counters,
    /// The present era.
    pub era: Era,
    /// How far the card has come.
    pub phase: Phase,
    /// Of the first handshake, if the card stays with them.
    pub first_regions: Option<Regions>,
    /// Handshakes begun so far.
    pub handshakes: u64,
    /// Tags submitted and not answered.
    pub in_flight: HashSet<u16>,
    /// Tags answered in this era.
    pub answered: HashSet<u16>,
    /// Whether the management channel is at work.
    pub managing: bool,
    /// SCSI commands taken in this era.
    pub taken: u32,
    /// Next entry of the completion ring.
    pub ring_next: u32,
    /// Commands taken so far: what their random numbers are drawn from.
    pub sequence: u64,
    /// The card plays dead: every read gives all ones, nothing else happens.
    pub dead: bool,
}

/// One Apple RAID Card.
pub struct Card {
    params: RwLock<Arc<CardParams>>,
    pub(super) target: Arc<Target>,
    pub(super) dma: Dma,
    pub(super) msi: Msi,
    pub(super) queue: Queue,
    pub(super) figures: Arc<Figures>,
    pub(super) trace: Recorder,
    pub(crate) faults: Faults,
    pub(super) config: Mutex<ConfigSpace>,
    /// Held shared while the target executes a command; a power cut takes it alone,
    /// so that power fails for all volumes at one moment, and between commands.
    pub(super) power: RwLock<()>,
    state: Mutex<State>,
}

impl Card {
    /// A card before its host's first word.
    pub fn new(params: CardParams, target: Arc<Target>, memory: Box<dyn GuestMemory>) -> Card {
        let (figures, trace) = (Arc::new(Figures::default()), Recorder::default());
        Card {
            dma: Dma::new(memory, figures.clone(), trace.clone()),
            msi: Msi::new(figures.clone(), trace.clone()),
            queue: Queue::default(),
            config: Mutex::new(ConfigSpace::new()),
            power: RwLock::default(),
            state: Mutex::new(State {
                sram: Sram::new(&params, Counters::FRESH),
                counters: Counters::FRESH,
                era: Era::default(),
                phase: Phase::Down,
                first_regions: None,
                handshakes: 0,
                in_flight: HashSet::new(),
                answered: HashSet::new(),
                managing: false,
                taken: 0,
                ring_next: 0,
                sequence: 0,
                dead: false,
            }),
            params: RwLock::new(Arc::new(params)),
            target,
            figures,
            trace,
            faults: Faults::default(),
        }
    }

    /// The card's parameters as they are now.
    pub fn params(&self) -> Arc<CardParams> {
        self.params
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Becomes another card, in the same slot: one that its host has yet to shake hands
    /// with. What the host has set up in configuration space stays. The number of workers
    /// is the old card's.
    pub fn become_another(&self, params: CardParams) {
        let mut state = self.state();
        self.begin_era(&mut state);
        state.sram = Sram::new(&params, state.counters);
        state.phase = Phase::Down;
        state.first_regions = None;
        *self.params.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(params);
        self.trace.event("another-card", |_| Ok(()));
    }

    /// The target behind the card.
    pub fn target(&self) -> &Arc<Target> {
        &self.target
    }

    /// The record of events.
    pub fn trace(&self) -> &Recorder {
        &self.trace
    }

    /// Resets the card: commands in flight are dropped and the configuration is
    /// forgotten, but the doorbell counters stay. One that is left running only loses
    /// the bus, and only until somebody makes it bus master again.
    pub fn reset(&self, why: &str) {
        if self.params().left_running {
            return self.dma.set_bus_master(false);
        }
        let counters = self.state().counters;
        self.restart(why, counters);
    }

    /// Takes the card's power away and gives it back: commands in flight are dropped,
    /// and so is what the volumes' caches hold.
    pub fn power_cut(&self) {
        let _alone = self.power.write().unwrap_or_else(PoisonError::into_inner);
        self.restart("power-cut", Counters::FRESH);
        self.target.power_cut();
    }

    /// Plays dead, as a card that was pulled out does, or comes back to life: a fresh
    /// card in the same slot.
    pub fn play_dead(&self, dead: bool) {
        if dead || self.is_dead() {
            let counters = self.state().counters;
            self.restart(if dead { "dead" } else { "alive" }, counters);
        }
        self.state().dead = dead;
    }

    /// Whether it plays dead, or a fault pulled it out.
    pub fn is_dead(&self) -> bool {
        self.state().dead
    }

    /// The figures so far.
    pub fn report(&self) -> Report {
        self.figures.lock().clone()
    }

    /// Sets the figures to zero, and returns what they were.
    pub fn reset_report(&self) -> Report {
        std::mem::take(&mut self.figures.lock())
    }

    fn restart(&self, why: &str, counters: Counters) {
        tracing::debug!(why, "card reset");
        *self.config() = ConfigSpace::new();
        self.dma.set_bus_master(false);
        let mut state = self.state();
        self.begin_era(&mut state);
        state.counters = counters;
        state.sram = Sram::new(&self.params(), counters);
        state.phase = Phase::Down;
        state.first_regions = None;
        self.msi.forget();
        self.figures.lock().resets += 1;
        self.trace.event("reset", |line| field!(line, "why={why}"));
    }

    /// Begins another era: what is left of older commands is over.
    pub(super) fn begin_era(&self, state: &mut State) {
        state.era = state.era.next();
        state.in_flight.clear();
        state.answered.clear();
        state.managing = false;
        state.taken = 0;
        state.ring_next = 0;
        self.dma.begin(state.era);
    }

    /// Notes something that the host should not have done.
    pub(super) fn protocol_error(&self, what: &str) {
        tracing::warn!("protocol error: {what}");
        self.trace.event("protocol-error", |line| {
            field!(line, "what={}", what.replace(' ', "-"))
        });
        self.figures.lock().protocol_error(what);
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn config(&self) -> MutexGuard<'_, ConfigSpace> {
        self.config.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
