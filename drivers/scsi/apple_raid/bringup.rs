// SPDX-License-Identifier: GPL-2.0

//! The handshake that starts a conversation with the card, in the order in which macOS does it
//! (O). It is also the only thing known to restart one.

use crate::{
    model::DoorbellKind,
    regions::Layout,
    regs::{
        self,
        Bar0,
        Be32, //
    },
};
use kernel::{
    device::Bound,
    io::{
        poll::read_poll_timeout,
        register::Array,
        Io, //
    },
    pci,
    prelude::*,
    time::{
        Delta,
        Instant,
        Monotonic, //
    },
};

/// How long the firmware may take. It was seen to be ready within a second (O), but after power-on
/// it waits up to ten for the host to become bus master (P).
const READY_TIMEOUT: Delta = Delta::from_secs(30);

/// How often the driver looks. macOS does it once a second.
const READY_POLL: Delta = Delta::from_millis(10);

/// Extended configuration space word that macOS reads once (O); its meaning is not known.
const UNKNOWN_CONFIG: usize = 0x22c;

/// What the card says it can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Capabilities {
    /// Most SCSI commands in flight.
    pub(crate) scsi_commands: u32,
    /// Most commands of both kinds.
    pub(crate) commands: u32,
}

impl Capabilities {
    /// Most SCSI commands that the driver has use for; what the card was seen to offer (O).
    const MOST_COMMANDS: u32 = 128;

    /// Most commands that a card can have slots for: a tag has 16 bits (O).
    const MOST_SLOTS: u32 = 1 << 16;

    /// Reads them.
    pub(crate) fn read(bar: &Bar0<'_>) -> Self {
        Self {
            scsi_commands: bar.read(regs::MAX_SCSI_COMMANDS).count().0,
            commands: bar.read(regs::MAX_COMMANDS).count().0,
        }
    }

    /// Reads them, and if there are none waits until there are: after power-on the firmware waits
    /// for the host to become bus master before it goes on (P), which `become_master` does. A card
    /// that is up already may still have an old conversation in mind, and is not let loose here.
    pub(crate) fn discover(bar: &Bar0<'_>, become_master: impl FnOnce()) -> Self {
        let found = Self::read(bar);
        if found.scsi_commands != 0 {
            return found;
        }
        become_master();
        let found = read_poll_timeout(
            || Ok(Self::read(bar)),
            |found| found.scsi_commands != 0,
            READY_POLL,
            READY_TIMEOUT,
        );
        found.unwrap_or_else(|_| Self::read(bar))
    }

    /// Whether this is what a card would say that has its bytes the wrong way round.
    pub(crate) fn are_swapped(self) -> bool {
        let swapped = Self {
            scsi_commands: self.scsi_commands.swap_bytes(),
            commands: self.commands.swap_bytes(),
        };
        self.tags().is_err() && swapped.tags().is_ok()
    }

    /// Number of SCSI commands that the driver keeps in flight at most.
    ///
    /// # Errors
    ///
    /// `ENODEV` if what the card says makes no sense.
    pub(crate) fn tags(self) -> Result<u16> {
        let plausible = (1..=Self::MOST_SLOTS).contains(&self.scsi_commands)
            && self.scsi_commands < self.commands;
        if !plausible {
            return Err(ENODEV);
        }
        // CAST: At most 128.
        Ok(self.scsi_commands.min(Self::MOST_COMMANDS) as u16)
    }
}

/// The way to submit commands; only a card that is ready has one.
pub(crate) struct Doorbell {
    /// Offset of the mailbox in BAR0.
    mailbox: usize,
    /// What the doorbell register holds: the host alone writes it, so it need not be read again.
    count: u32,
    /// What is added to that when the doorbell was rung.
    step: u32,
}

impl Doorbell {
    /// The doorbell of a card that is ready.
    pub(crate) fn new(bar: &Bar0<'_>, mailbox: usize, kind: DoorbellKind) -> Self {
        Self {
            mailbox,
            count: bar.read(regs::SUBMIT_DOORBELL).count().0,
            // CAST: The kind is its number.
            step: kind as u32,
        }
    }

    /// What is written to the register next.
    pub(crate) fn next(&self) -> u32 {
        self.count.wrapping_add(1)
    }

    /// The same doorbell, of another kind.
    pub(crate) fn with_kind(&self, bar: &Bar0<'_>, kind: DoorbellKind) -> Self {
        Self::new(bar, self.mailbox, kind)
    }

    /// Submits the command in slot `tag`.
    pub(crate) fn ring(&mut self, bar: &Bar0<'_>, tag: u16) -> Result {
        bar.try_write16(tag.swap_bytes(), self.mailbox)?;
        bar.write_reg(regs::SUBMIT_DOORBELL::zeroed().with_count(Be32(self.next())));
        self.count = self.count.wrapping_add(self.step);
        Ok(())
    }
}

macro_rules! write_address {
    ($bar:expr, $register:ident, $address:expr) => {{
        let address: u64 = $address;
        let high = Be32((address >> 32) as u32);
        let low = Be32(address as u32);
        $bar.write(
            regs::$register::at(0),
            regs::$register::zeroed().with_half(high),
        );
        $bar.write(
            regs::$register::at(1),
            regs::$register::zeroed().with_half(low),
        );
    }};
}

/// Tells the card where the regions are.
fn configure(bar: &Bar0<'_>, layout: &Layout) {
    let tags = u32::from(layout.tags);
    bar.write_reg(regs::READY::zeroed());
    bar.write_reg(regs::SCSI_SLOTS::zeroed().with_count(Be32(tags)));
    bar.write_reg(regs::MANAGEMENT_SLOTS::zeroed().with_count(Be32(1)));
    bar.write_reg(regs::RING_ENTRIES::zeroed().with_count(Be32(tags + 1)));
    write_address!(bar, REGION_A, layout.slots);
    write_address!(bar, REGION_B, layout.management_command);
    bar.write_reg(regs::REGION_B_SIZE::zeroed().with_bytes(Be32(layout.management_command_len)));
    write_address!(bar, REGION_C, layout.ring);
    write_address!(bar, REGION_D, layout.management_response);
    write_address!(bar, REGION_E, layout.lists);
    bar.write_reg(regs::REGION_E_UNITS::zeroed().with_count(Be32(layout.list_units)));
    write_address!(bar, REGION_F, layout.responses);
}

/// Where the card wants tags to be written.
///
/// # Errors
///
/// `ENODEV` if that is not an even offset in the BAR behind the registers that are known.
fn mailbox(pdev: &pci::Device<Bound>, bar: &Bar0<'_>) -> Result<usize> {
    let high = bar.read(regs::MAILBOX_OFFSET::at(0)).half().0;
    let low = bar.read(regs::MAILBOX_OFFSET::at(1)).half().0;
    let bar_len = pdev.resource_len(0)?;
    let plausible =
        high == 0 && low % 2 == 0 && low as usize >= regs::END && u64::from(low) + 2 <= bar_len;
    if !plausible {
        dev_err!(
            pdev,
            "the card's submit mailbox is at {:#x}{:08x}, which is not in its BAR\n",
            high,
            low
        );
        return Err(ENODEV);
    }
    Ok(low as usize)
}

/// Waits until the firmware has taken the regions over.
fn wait_until_ready(pdev: &pci::Device<Bound>, bar: &Bar0<'_>) -> Result {
    let start: Instant<Monotonic> = Instant::now();
    let ready = read_poll_timeout(
        || Ok(bar.read(regs::READY).ready().get()),
        |ready| *ready != 0,
        READY_POLL,
        READY_TIMEOUT,
    );
    match ready {
        Ok(1) => {
            dev_dbg!(pdev, "ready after {} ms\n", start.elapsed().as_millis());
            Ok(())
        }
        Ok(value) => {
            dev_err!(pdev, "the card does not answer (ready flag {:#x})\n", value);
            Err(ENODEV)
        }
        Err(error) => {
            dev_err!(
                pdev,
                "the card's firmware was not ready within {} s\n",
                READY_TIMEOUT.as_millis() / 1000
            );
            Err(error)
        }
    }
}

/// Opens the interrupt masks.
fn open_interrupts(pdev: &pci::Device<Bound>, bar: &Bar0<'_>) {
    bar.write_reg(regs::MANAGEMENT_MASK::zeroed());
    bar.write_reg(regs::THIRD_MASK::zeroed());
    // There is no extended configuration space behind a conventional PCI bridge.
    if let Ok(config) = pdev.config_space_extended() {
        dev_dbg!(
            pdev,
            "config word {:#x}: {:#x}\n",
            UNKNOWN_CONFIG,
            config.read32(UNKNOWN_CONFIG)
        );
    }
    bar.write_reg(regs::SCSI_MASK::zeroed());
}

/// Does the handshake, but for the masks of the interrupts. The card becomes bus master only when
/// it has been told of the regions. Returns where the mailbox is.
///
/// # Errors
///
/// `ENODEV` or `ETIMEDOUT` if the card does not play its part; a line in the log says why.
pub(crate) fn shake_hands(
    pdev: &pci::Device<Bound>,
    bar: &Bar0<'_>,
    layout: &Layout,
    become_master: impl FnOnce(),
) -> Result<usize> {
    configure(bar, layout);
    let mailbox = mailbox(pdev, bar)?;
    become_master();

    let rung = bar.read(regs::CONFIG_DOORBELL).count().0;
    bar.write_reg(regs::CONFIG_DOORBELL::zeroed().with_count(Be32(rung.wrapping_add(1))));
    wait_until_ready(pdev, bar)?;
    Ok(mailbox)
}

/// Does the whole handshake, with a card whose doorbell is of that kind.
///
/// # Errors
///
/// As for [`shake_hands`].
pub(crate) fn bring_up(
    pdev: &pci::Device<Bound>,
    bar: &Bar0<'_>,
    layout: &Layout,
    kind: DoorbellKind,
    become_master: impl FnOnce(),
) -> Result<Doorbell> {
    let mailbox = shake_hands(pdev, bar, layout, become_master)?;
    open_interrupts(pdev, bar);
    Ok(Doorbell::new(bar, mailbox, kind))
}
