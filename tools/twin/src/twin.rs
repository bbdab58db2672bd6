// SPDX-License-Identifier: GPL-2.0

//! The handle that tests hold: a card, its workers and its guest memory.

use crate::card::Card;
use crate::card::faults::{Plan, PlanError, Setting};
use crate::card::maps::Maps;
use crate::card::params::{CardParams, ConfigError};
use crate::card::report::Report;
use crate::card::trace::Recorder;
use crate::card::workers::Workers;
use crate::scsi::Target;
use crate::serve::Server;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// How a twin is to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// The card's parameters.
    pub card: CardParams,
}

impl Config {
    /// Sets one parameter from `KEY=VALUE`; [`KEYS`](crate::card::params::KEYS) are
    /// the keys, and an error lists them.
    pub fn set(&mut self, setting: &str) -> Result<(), ConfigError> {
        self.card.set(setting)
    }
}

/// A digital twin of the card. Clones are handles on the same twin.
///
/// # Examples
///
/// ```no_run
/// use apple_raid_twin::{Config, Twin};
///
/// let mut config = Config::default();
/// config.set("inline=never")?;
/// let twin = Twin::new(config);
/// let server = twin.serve("card.sock".as_ref())?;
/// // ... QEMU runs, with -device vfio-user-pci at that socket ...
/// assert_eq!(twin.report().dma_refused, 0);
/// server.stop();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Twin(Arc<Inner>);

struct Inner {
    card: Arc<Card>,
    maps: Arc<Maps>,
    _workers: Workers,
}

impl std::fmt::Debug for Twin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Twin").finish_non_exhaustive()
    }
}

impl Twin {
    /// A twin without volumes, and its worker threads.
    pub fn new(config: Config) -> Twin {
        let maps = Arc::new(Maps::default());
        let target = Arc::new(Target::default());
        let card = Arc::new(Card::new(config.card, target, Box::new(maps.clone())));
        card.start();
        let workers = Workers::start(&card);
        Twin(Arc::new(Inner {
            card,
            maps,
            _workers: workers,
        }))
    }

    /// The device server behind the card, to add volumes to.
    pub fn target(&self) -> &Target {
        self.card().target()
    }

    /// Serves the card at a socket, to one QEMU after another, until the server is
    /// stopped or dropped. A stale socket at the path is removed.
    pub fn serve(&self, path: &Path) -> io::Result<Server> {
        Server::start(self.clone(), path)
    }

    /// Takes the card's power away and gives it back: the card comes up afresh, its
    /// management doorbell included. Commands in flight are lost, and so is what the
    /// volumes' caches held.
    pub fn power_cut(&self) {
        self.card().power_cut();
    }

    /// Puts another card into the slot, with the same volumes. To be called while no driver is
    /// bound: its host has to shake hands anew, and does not notice otherwise.
    pub fn become_another(&self, card: CardParams) {
        self.card().become_another(card);
        self.card().begin_faults();
    }

    /// The record of what host and card say to each other. It begins switched off.
    pub fn trace(&self) -> &Recorder {
        self.card().trace()
    }

    /// The card's figures so far.
    pub fn report(&self) -> Report {
        self.card().report()
    }

    /// How many bytes of the host's memory are mapped for the card now: with an IOMMU,
    /// what the driver has mapped.
    pub fn mapped(&self) -> u64 {
        self.maps().mapped()
    }

    /// Sets all figures to zero, and returns what they were.
    pub fn reset_report(&self) -> Report {
        self.card().reset_report()
    }

    /// Has the controller be enabled, or take no commands until it is again.
    pub fn enable(&self, enabled: bool) {
        self.card().enable(enabled);
    }

    /// Holds interrupts back, or lets them go: what was held arrives as one MSI.
    pub fn hold_interrupts(&self, hold: bool) {
        self.card().hold_interrupts(hold);
    }

    /// The next `count` interrupts never reach the host.
    pub fn lose_interrupts(&self, count: u32) {
        self.card().lose_interrupts(count);
    }

    /// Has these faults strike from now on, and no others: `NAME[:PARAMETER]`, several
    /// with blanks between them; `chaos` is a mix that the seed decides. A card that a
    /// fault pulled out stays out until [`Twin::play_dead`] says otherwise.
    pub fn set_faults(&self, faults: &str, seed: u64) -> Result<(), PlanError> {
        self.card().set_faults(&Plan::parse(faults)?, seed);
        Ok(())
    }

    /// The faults that can strike now.
    pub fn faults(&self) -> Vec<Setting> {
        self.card().faults.settings()
    }

    /// Whether every read gives all ones, because the card was told so or by a fault.
    pub fn is_dead(&self) -> bool {
        self.card().is_dead()
    }

    /// Plays dead, as a card that was pulled out does: every read gives all ones, and
    /// neither DMA nor interrupts happen. `false` is a fresh card in the same slot.
    pub fn play_dead(&self, dead: bool) {
        self.card().play_dead(dead);
    }

    pub(crate) fn card(&self) -> &Arc<Card> {
        &self.0.card
    }

    pub(crate) fn maps(&self) -> &Arc<Maps> {
        &self.0.maps
    }
}
