// SPDX-License-Identifier: GPL-2.0

//! The lives of a card: it is started, commands are aborted, units are reset, it is restarted, and
//! stopped.
//!
//! What error handling asks for, each step when the one before did not help:
//!
//! ```text
//!   timed out       was only an interrupt lost?
//!   abort           abort task
//!   device reset    abort task for each command in flight to the unit, then logical unit reset
//!   host reset      the handshake
//! ```
//!
//! Whether the victims of a logical unit reset still turn up in the ring is not known (A). After a
//! good answer to abort task the card neither touches the victim's memory nor names its tag (K). So
//! the victims are aborted first, and a reset that leaves one is taken to have failed.
//!
//! What a handshake does to commands in flight is not known either (A). When it has ended, the card
//! gets a moment to be done with them. Their buffers are handed back after that, and while the card
//! can do no DMA; only then are there new commands.

use crate::{
    bringup::{
        self,
        Conversation,
        SETTLE, //
    },
    card::Card,
    complete,
    identity::Identity,
    regions::COMMANDS,
    scsi::{
        DmaStopped,
        Finished,
        HostByte,
        Victim, //
    },
    selftest,
    states::State,
    submit::Gate,
    wire::Function,
    AppleRaid,
    Host, //
};
use kernel::{
    fmt,
    io::poll::read_poll_timeout,
    prelude::*,
    sync::rcu,
    time::{
        delay::fsleep,
        Delta, //
    }, //
};

/// How long victims of a reset that are not aborted may take to turn up, and how often the driver
/// looks for them.
const TURN_UP: Delta = Delta::from_secs(1);
const PAUSE: Delta = Delta::from_millis(10);

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AbortTask(victim) => write!(f, "abort of tag {victim}"),
            Self::LogicalUnitReset => f.write_str("reset"),
        }
    }
}

impl Card<'_> {
    /// Brings the card up and tries it.
    pub(crate) fn start(&self, host: &Host) -> Result {
        let tried = self
            .bring_up(self.bus_master.stop())
            .and_then(|talk| selftest::run(self, talk));
        let talk = tried.inspect_err(|_| self.stop(host))?;
        let identity = Identity::read(&self.bar);
        dev_info!(
            self.pdev,
            "{}, firmware {:#010x}: ready for {COMMANDS} commands\n",
            identity.product_name(),
            identity.firmware_version
        );
        self.open(talk, identity);
        self.accept_commands(host);
        Ok(())
    }

    fn bring_up(&self, stopped: DmaStopped<'_>) -> Result<Conversation> {
        bringup::bring_up(self.pdev, &self.bar, &self.regions, || {
            self.bus_master.start(stopped)
        })
    }

    /// Begins to use a card that is up. Commands wait still.
    fn open(&self, talk: Conversation, identity: Identity) {
        *self.identity.lock() = identity;
        *self.consumer.lock() = Some(talk.complete);
        *self.gate.lock() = Gate::Ready(talk.submit);
        bringup::open_interrupts(&self.bar);
    }

    /// Stops the card for good: no command is submitted, and no DMA is done, after this.
    pub(crate) fn stop(&self, host: &Host) {
        let before = core::mem::replace(&mut *self.gate.lock(), Gate::Dead);
        // While the gate is shut the registers may not be accessible.
        if !matches!(before, Gate::Shut) {
            bringup::close_interrupts(&self.bar);
        }
        // No proof of DMA is refused but before the host was added: there are no commands then.
        let _ = self.end_all(host, &self.quiet(), HostByte::NoConnect);
    }

    /// Keeps the card from doing DMA; commands wait until it is restarted.
    pub(crate) fn quiesce(&self, host: &Host, finished: Finished) -> DmaStopped<'_> {
        *self.gate.lock() = Gate::Shut;
        // What has ended, has ended, unless its data may be lost; what comes later may lack data.
        if finished == Finished::Trusted {
            complete::complete_ended(self, host);
        }
        self.quiet()
    }

    /// Keeps everybody from looking at the card, and the card from doing DMA.
    fn quiet(&self) -> DmaStopped<'_> {
        *self.consumer.lock() = None;
        // Who has taken entries before is done with them after this.
        rcu::synchronize_rcu();
        self.bus_master.stop()
    }

    /// Restarts the card by the handshake. Commands wait until they are let in.
    pub(crate) fn eh_host_reset(&self, host: &Host) -> Result {
        dev_warn!(self.pdev, "restarting the card\n");
        let up = self.bring_up(self.quiesce(host, Finished::Trusted));

        if up.is_ok() && host.in_flight().tags().next().is_some() {
            fsleep(SETTLE);
        }
        let stopped = self.bus_master.stop();
        let ended = self.end_all(host, &stopped, HostByte::Reset);
        self.tasks.forget();
        let restarted = ended.and_then(|()| {
            let talk = up?;
            self.bus_master.start(stopped);
            selftest::try_restarted(self, talk)
        });
        match restarted {
            Ok(talk) => {
                self.open(talk, Identity::read(&self.bar));
                dev_info!(self.pdev, "the card is back\n");
                Ok(())
            }
            Err(error) => {
                *self.gate.lock() = Gate::Dead;
                let _ = self.bus_master.stop();
                dev_err!(
                    self.pdev,
                    "the card did not come back: its disks are lost\n"
                );
                Err(error)
            }
        }
    }

    /// Lets commands in after a restart.
    pub(crate) fn accept_commands(&self, host: &Host) {
        self.gate.lock().accept();
        // It may have changed before anybody would have heeded it.
        self.look_at_state(host);
    }

    /// Looks for commands that have ended although no interrupt said so, and whether the card is
    /// there at all.
    pub(crate) fn eh_timed_out(&self, host: &Host) {
        let state = State::read(self.pdev);
        if state.is_lost().is_some() {
            self.give_up(host, state);
        } else {
            complete::look(self, host);
        }
    }

    /// Has the card carry out a task management function on a logical unit, and logs what became
    /// of it.
    fn manage(&self, host: &Host, lun: u64, function: Function) -> Result {
        // CAST: Commands to a unit beyond `MAX_LUN` are not queued.
        let done = self.tasks.request(self, host, lun as u16, function);
        // There is one reset at a time, but there may be many commands to abort.
        if function == Function::LogicalUnitReset || host.should_log() {
            let word = match done {
                Ok(()) => "done",
                Err(EIO) => "rejected",
                Err(EBUSY) => "not asked for",
                Err(_) => "not answered",
            };
            dev_warn!(self.pdev, "LUN {lun}: {function}: {word}\n");
        }
        done
    }

    /// Has the card abort a command.
    pub(crate) fn eh_abort(&self, host: &Host, victim: Victim<'_, AppleRaid>) -> Result {
        let function = Function::AbortTask(victim.tag().as_u16());
        match self.manage(host, victim.lun(), function) {
            Ok(()) => {
                if let Some(journey) = victim.take_back() {
                    self.discard(journey);
                }
                Ok(())
            }
            // It has ended meanwhile.
            Err(_) if !victim.is_in_flight() => Ok(()),
            error => error,
        }
    }

    /// Has the card reset a logical unit.
    pub(crate) fn eh_device_reset(&self, host: &Host, lun: u64) -> Result {
        for victim in host.in_flight_of(lun) {
            // One that is left is looked for below.
            let _ = self.eh_abort(host, victim);
        }
        self.manage(host, lun, Function::LogicalUnitReset)?;
        let is_left = || {
            complete::look(self, host);
            Ok(host.in_flight_of(lun).next().is_some())
        };
        read_poll_timeout(is_left, |is_left| !is_left, PAUSE, TURN_UP).map(|_| ())
    }
}
