// SPDX-License-Identifier: GPL-2.0

//! BAR0: a window on SRAM local to the RAID chip (P). Its "registers" are words of shared memory
//! that the firmware reads and writes; all of them are big-endian.
//!
//! Glossary:
//! - **doorbell**: a counter that the host increases to make the firmware look;
//! - **mailbox**: the word that holds the tag of the command being submitted;
//! - **region**: a piece of host memory whose address the host writes at bring-up, A to F.
//!
//! The marks O, P, I and A are those of `Documentation/scsi/apple_raid_hw.rst`.

use kernel::{
    io::register,
    num::Bounded,
    pci, //
};

/// A big-endian word in a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Be32(pub(crate) u32);

impl From<Bounded<u32, 32>> for Be32 {
    fn from(raw: Bounded<u32, 32>) -> Self {
        Self(raw.get().swap_bytes())
    }
}

impl From<Be32> for Bounded<u32, 32> {
    fn from(value: Be32) -> Self {
        value.0.swap_bytes().into()
    }
}

register! {
    /// Configuration doorbell (O), a counter (I): the firmware takes the regions over.
    pub(crate) CONFIG_DOORBELL(u32) @ 0x2c {
        31:0 count => Be32;
    }

    /// SCSI submit doorbell (O), a counter (I).
    pub(crate) SUBMIT_DOORBELL(u32) @ 0x40 {
        31:0 count => Be32;
    }

    /// First half of the status block, as a little-endian host reads it: byte 0x58 is lowest.
    /// macOS reads the block as one 8-byte access (O); it is memory, and takes any width (P).
    pub(crate) STATUS(u32) @ 0x58 {
        15:8 scsi;
        23:16 management;
    }

    /// Second half of the status block.
    pub(crate) STATUS_REST(u32) @ 0x5c {
        7:0 third;
        15:8 ready;
    }

    /// SCSI completion pending (O); 0 acknowledges.
    pub(crate) SCSI_PENDING(u8) @ 0x59 {
        7:0 pending;
    }

    /// Management response pending (O); 0 acknowledges.
    pub(crate) MANAGEMENT_PENDING(u8) @ 0x5a {
        7:0 pending;
    }

    /// Perhaps a third cause of interrupts (I); 0 acknowledges.
    pub(crate) THIRD_PENDING(u8) @ 0x5c {
        7:0 pending;
    }

    /// Written 0 before configuring; 1 when the firmware has taken the regions over (O).
    pub(crate) READY(u8) @ 0x5d {
        7:0 ready;
    }

    /// Interrupt masks (I), 0 is open: SCSI, management, third.
    pub(crate) SCSI_MASK(u8) @ 0x61 {
        7:0 mask;
    }

    /// See [`SCSI_MASK`].
    pub(crate) MANAGEMENT_MASK(u8) @ 0x62 {
        7:0 mask;
    }

    /// See [`SCSI_MASK`].
    pub(crate) THIRD_MASK(u8) @ 0x64 {
        7:0 mask;
    }

    /// Most SCSI commands (O; meaning I).
    pub(crate) MAX_SCSI_COMMANDS(u32) @ 0xb4 {
        31:0 count => Be32;
    }

    /// Most commands of both kinds (O; meaning I).
    pub(crate) MAX_COMMANDS(u32) @ 0xbc {
        31:0 count => Be32;
    }

    /// Offset of the submit mailbox in BAR0, high word first (O; meaning I).
    pub(crate) MAILBOX_OFFSET(u32)[2] @ 0xc4 {
        31:0 half => Be32;
    }

    /// SCSI command slots in use (O; I).
    pub(crate) SCSI_SLOTS(u32) @ 0xe4 {
        31:0 count => Be32;
    }

    /// Management commands in use (O; I).
    pub(crate) MANAGEMENT_SLOTS(u32) @ 0xe8 {
        31:0 count => Be32;
    }

    /// Completion ring entries (O; I).
    pub(crate) RING_ENTRIES(u32) @ 0xec {
        31:0 count => Be32;
    }

    /// Address of region A, SCSI command slots (O; role I). High word first, like all addresses.
    pub(crate) REGION_A(u32)[2] @ 0xf4 {
        31:0 half => Be32;
    }

    /// Address of region B, the management command (O; role I).
    pub(crate) REGION_B(u32)[2] @ 0xfc {
        31:0 half => Be32;
    }

    /// Size of region B in bytes (O; I).
    pub(crate) REGION_B_SIZE(u32) @ 0x104 {
        31:0 bytes => Be32;
    }

    /// Address of region C, the completion ring (O; role I).
    pub(crate) REGION_C(u32)[2] @ 0x114 {
        31:0 half => Be32;
    }

    /// Address of region D, the management response (O; role I).
    pub(crate) REGION_D(u32)[2] @ 0x11c {
        31:0 half => Be32;
    }

    /// Address of region E, scatter-gather lists (O; role I).
    pub(crate) REGION_E(u32)[2] @ 0x12c {
        31:0 half => Be32;
    }

    /// Size of region E in units of 64 bytes (O; unit I).
    pub(crate) REGION_E_UNITS(u32) @ 0x134 {
        31:0 count => Be32;
    }

    /// Address of region F, one response for each tag (O; role I).
    pub(crate) REGION_F(u32)[2] @ 0x144 {
        31:0 half => Be32;
    }
}

/// End of the registers with a fixed place.
pub(crate) const END: usize = 0x14c;

/// BAR0.
pub(crate) type Bar0<'bound> = pci::Bar<'bound, END>;
