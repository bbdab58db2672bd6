// SPDX-License-Identifier: GPL-2.0

//! The registers, and the commands that are written to them. All of it is of the header.

use kernel::{
    device::Bound,
    io::{
        register,
        Io, //
    },
    pci,
    prelude::*, //
};

register! {
    /// Number of a [`Command`], which begins it.
    pub(crate) COMMAND(u32) @ 0x0 { 31:0 value; }
    /// The words of its descriptor, one after the other. With the last one the command is done.
    pub(crate) COMMAND_DATA(u32) @ 0x4 { 31:0 value; }
    /// What became of it; all ones if it is not supported.
    pub(crate) COMMAND_STATUS(u32) @ 0x8 { 31:0 value; }
    /// The interrupts that are let through.
    pub(crate) INTR_MASK(u32) @ 0x2010 {
        0:0 completions;
        2:2 messages;
    }
    /// There are requests, of which not all are reads and writes.
    pub(crate) KICK_NON_RW_IO(u32) @ 0x3014 { 31:0 value; }
    /// There are requests that read or write.
    pub(crate) KICK_RW_IO(u32) @ 0x4018 { 31:0 value; }
}

/// Length of the registers: eight pages of 4 KiB, whatever the host's pages are.
const END: usize = 8 << 12;

/// The registers as memory.
pub(crate) type Bar<'bound> = pci::Bar<'bound, END>;

/// Maps the registers. They are there as memory and as I/O ports; which BAR is the memory the
/// header does not say, but the other one is too short.
pub(crate) fn map<'bound>(pdev: &'bound pci::Device<Bound>) -> Result<Bar<'bound>> {
    (0..6)
        .find_map(|bar| pdev.iomap_region_sized(bar, c"pvscsi_rust").ok())
        .ok_or(ENODEV)
}

/// The commands that the driver uses.
#[derive(Clone, Copy, Debug)]
#[repr(u32)]
pub(crate) enum Command {
    AdapterReset = 1,
    SetupRings = 3,
    ResetDevice = 5,
    AbortCmd = 6,
    SetupMsgRing = 8,
}

impl Command {
    /// Begins a command, whose descriptor follows. The callers take turns, see `adapter.rs`.
    pub(crate) fn begin<'a>(self, bar: &'a Bar<'_>) -> Descriptor<'a> {
        bar.write_reg(COMMAND::zeroed().with_value(self as u32));
        Descriptor(bar)
    }
}

/// The descriptor of a command, as it is written.
#[must_use = "the device waits for the rest of it"]
pub(crate) struct Descriptor<'a>(&'a Bar<'a>);

impl Descriptor<'_> {
    pub(crate) fn word(self, word: u32) -> Self {
        self.0.write_reg(COMMAND_DATA::zeroed().with_value(word));
        self
    }

    /// A number of 64 bits.
    pub(crate) fn wide(self, number: u64) -> Self {
        // CAST: Each half is one word.
        self.word(number as u32).word((number >> 32) as u32)
    }

    /// The device has it all, and has carried the command out.
    ///
    /// # Errors
    ///
    /// `EIO` if it says that it has not.
    pub(crate) fn end(self) -> Result {
        match self.0.read(COMMAND_STATUS).into_raw() {
            u32::MAX => Err(EIO),
            _ => Ok(()),
        }
    }
}
