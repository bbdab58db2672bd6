// SPDX-License-Identifier: GPL-2.0

//! The card: its parts, what it remembers, and how it forgets.
//!
//! Three things end what the card is doing: a reset (of the device, by FLR, or
//! because the host went away), a power cut, and a new handshake. Each begins
//! another [`Era`]; commands of an older one can neither touch the host nor
//! complete. The management doorbell outlives a reset, as the trace shows, but not
//! a power cut.

use super::complete::Ring;
use super::config_space::ConfigSpace;
use super::controller::Controller;
use super::dma::{Dma, Era};
use super::faults::Faults;
use super::interrupt::Msi;
use super::memory::GuestMemory;
use super::mgmt::Channel;
use super::params::CardParams;
use super::regions::Regions;
use super::regs::{self, Sram};
use super::report::{Figures, Report};
use super::submit::{Command, Submit};
use super::trace::{Recorder, field};
use super::workers::Queue;
use crate::scsi::Target;
use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Instant;

/// How far the card has come with its host.
#[derive(Clone, Debug)]
pub enum Phase {
    /// Nothing agreed: the card takes no commands.
    Down,
    /// The configuration is written; the card has not taken it yet.
    Configuring {
        /// Which handshake this is.
        handshake: u64,
        /// What the registers said when the flag was set.
        regions: Arc<Regions>,
    },
    /// The configuration was taken.
    Ready(Arc<Regions>),
    /// A fault made the card forget all that was agreed: it loses commands.
    Forgotten,
}

/// What one mutex protects.
pub struct State {
    /// The memory behind BAR0.
    pub sram: Sram,
    /// The management doorbell as the card last saw it.
    pub mgmt_doorbell: u32,
    /// The present era.
    pub era: Era,
    /// How far the card has come.
    pub phase: Phase,
    /// The controller's state.
    pub controller: Controller,
    /// When it was last another than enabled after a handshake that led there.
    pub left_enabled: Option<Instant>,
    /// When the host saw that it is another than before.
    pub looked: Option<Instant>,
    /// Starts of the firmware so far.
    pub starts: u64,
    /// Of the first handshake, if the card stays with them.
    pub first_regions: Option<Regions>,
    /// Handshakes begun so far.
    pub handshakes: u64,
    /// The submit ring.
    pub submit: Submit,
    /// The completion ring.
    pub ring: Ring,
    /// What was submitted and is not answered, by tag.
    pub in_flight: HashMap<u16, Command>,
    /// Tags answered in this era.
    pub answered: HashSet<u16>,
    /// Tags of commands that a handshake found in flight, whose answers are still to come.
    pub late: Vec<u16>,
    /// Whether the management channel is at work.
    pub managing: bool,
    /// Commands taken so far: what their random numbers are drawn from.
    pub sequence: u64,
    /// Until then the producer index reads all ones.
    pub all_ones_until: Option<Instant>,
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
    pub(super) channel: Mutex<Channel>,
    /// Held shared while the target executes a command; a power cut takes it alone,
    /// so that power fails for all volumes at one moment, and between commands.
    pub(super) power: RwLock<()>,
    state: Mutex<State>,
    /// Something has ended that task management may wait for.
    pub(super) ended: Condvar,
}

impl Card {
    /// A card without power; see [`Card::start`].
    pub fn new(params: CardParams, target: Arc<Target>, memory: Box<dyn GuestMemory>) -> Card {
        let (figures, trace) = (Arc::new(Figures::default()), Recorder::default());
        target.set_card_unit(params.lun0_card);
        Card {
            dma: Dma::new(memory, figures.clone(), trace.clone()),
            msi: Msi::new(figures.clone(), trace.clone()),
            queue: Queue::default(),
            config: Mutex::new(ConfigSpace::new()),
            channel: Mutex::default(),
            power: RwLock::default(),
            state: Mutex::new(State {
                sram: Sram::new(&params, regs::FIRST_MGMT_COUNT),
                mgmt_doorbell: regs::FIRST_MGMT_COUNT,
                era: Era::default(),
                phase: Phase::Down,
                controller: Controller::PowerOn,
                left_enabled: None,
                looked: None,
                starts: 0,
                first_regions: None,
                handshakes: 0,
                submit: Submit::default(),
                ring: Ring::default(),
                in_flight: HashMap::new(),
                answered: HashSet::new(),
                late: Vec::new(),
                managing: false,
                sequence: 0,
                all_ones_until: None,
                dead: false,
            }),
            ended: Condvar::new(),
            params: RwLock::new(Arc::new(params)),
            target,
            figures,
            trace,
            faults: Faults::default(),
        }
    }

    /// Gives the card power for the first time.
    pub fn start(self: &Arc<Self>) {
        self.begin_faults();
        self.initialize(&mut self.state());
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
    pub fn become_another(self: &Arc<Self>, params: CardParams) {
        let mut state = self.state();
        self.target.set_card_unit(params.lun0_card);
        *self.params.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(params);
        self.forget_host(&mut state);
        self.trace.event("another-card", |_| Ok(()));
        self.initialize(&mut state);
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
    /// forgotten, but the management doorbell stays. One that is left running only loses
    /// the bus, and only until somebody makes it bus master again.
    pub fn reset(self: &Arc<Self>, why: &str) {
        if self.params().left_running {
            return self.dma.set_bus_master(false);
        }
        let doorbell = self.state().mgmt_doorbell;
        self.restart(why, doorbell);
    }

    /// Takes the card's power away and gives it back: commands in flight are dropped,
    /// and so is what the volumes' caches hold.
    pub fn power_cut(self: &Arc<Self>) {
        let _alone = self.power.write().unwrap_or_else(PoisonError::into_inner);
        self.restart("power-cut", regs::FIRST_MGMT_COUNT);
        self.target.power_cut();
    }

    /// Plays dead, as a card that was pulled out does, or comes back to life: a fresh
    /// card in the same slot.
    pub fn play_dead(self: &Arc<Self>, dead: bool) {
        if dead || self.is_dead() {
            let doorbell = self.state().mgmt_doorbell;
            self.restart(if dead { "dead" } else { "alive" }, doorbell);
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

    fn restart(self: &Arc<Self>, why: &str, doorbell: u32) {
        tracing::debug!(why, "card reset");
        *self.config() = ConfigSpace::new();
        self.dma.set_bus_master(false);
        let mut state = self.state();
        state.mgmt_doorbell = doorbell;
        self.forget_host(&mut state);
        self.msi.forget();
        self.figures.lock().resets += 1;
        self.trace.event("reset", |line| field!(line, "why={why}"));
        self.initialize(&mut state);
    }

    /// Forgets all that was agreed with the host, and what the host wrote.
    pub(super) fn forget_host(&self, state: &mut State) {
        self.begin_era(state);
        state.sram = Sram::new(&self.params(), state.mgmt_doorbell);
        state.phase = Phase::Down;
        state.first_regions = None;
        state.submit = Submit::default();
        state.ring = Ring::default();
        state.late.clear();
        *self.channel() = Channel::default();
    }

    /// Begins another era: what is left of older commands is over.
    pub(super) fn begin_era(&self, state: &mut State) {
        state.era = state.era.next();
        let commands = state.in_flight.values().filter(|it| !it.is_task);
        self.figures.lock().dropped += commands.count() as u64;
        state.in_flight.clear();
        state.answered.clear();
        state.managing = false;
        state.ring.waiting.clear();
        state.all_ones_until = None;
        self.dma.begin(state.era);
        self.ended.notify_all();
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

    pub(super) fn channel(&self) -> MutexGuard<'_, Channel> {
        self.channel.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
