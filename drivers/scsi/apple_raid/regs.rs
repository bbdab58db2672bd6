// SPDX-License-Identifier: GPL-2.0

//! BAR0: a window on SRAM local to the RAID chip (P). Its "registers" are words of shared memory
//! that the firmware reads and writes; all of them are big-endian.
//!
//! The marks O, P, K, I and A are those of `Documentation/scsi/apple_raid_hw.rst`.

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
    /// Flags; the host sets bit 0 when the configuration is written (K, O).
    pub(crate) FLAGS(u32) @ 0x2c { 31:0 value => Be32; }
    /// Producer index of the submit ring, written by the host (K, O).
    pub(crate) SUBMIT_PRODUCER(u32) @ 0x40 { 31:0 value => Be32; }
    /// Producer index of the completion ring, written by the card; all ones: it is gone (K).
    pub(crate) COMPLETION_PRODUCER(u32) @ 0x48 { 31:0 value => Be32; }
    /// Consumer index of the completion ring, written by the host (K).
    pub(crate) COMPLETION_CONSUMER(u32) @ 0x4c { 31:0 value => Be32; }

    /// Causes of interrupts, see [`cause`]: not 0 if there is one, and 0 acknowledges it (O, K).
    pub(crate) CAUSE(u8)[8] @ 0x58 { 7:0 value; }
    /// Masks of the causes: 0 is open, 0xff is closed (K, O).
    pub(crate) MASK(u8)[8] @ 0x60 { 7:0 value; }

    /// Controller id (K).
    pub(crate) CONTROLLER_ID(u32) @ 0x74 { 31:0 value => Be32; }
    /// Version of the firmware (K).
    pub(crate) FIRMWARE_VERSION(u32) @ 0x78 { 31:0 value => Be32; }
    /// Product name: 32 characters, padded with spaces (K).
    pub(crate) PRODUCT_NAME(u8)[32] @ 0x84 { 7:0 value; }

    /// Most SCSI slots (O, K).
    pub(crate) MAX_SLOTS(u32) @ 0xb4 { 31:0 value => Be32; }
    /// Most ring entries (O, K).
    pub(crate) MAX_RING_ENTRIES(u32) @ 0xbc { 31:0 value => Be32; }
    /// Offset of the submit ring in BAR0 (O, K).
    pub(crate) SUBMIT_RING(u32)[2] @ 0xc4 { 31:0 value => Be32; }

    /// SCSI slots in use (O, K).
    pub(crate) SLOTS(u32) @ 0xe4 { 31:0 value => Be32; }
    /// 1 (O, K); what it counts is not known.
    pub(crate) ONE(u32) @ 0xe8 { 31:0 value => Be32; }
    /// Entries of both rings: slots and one more (O, K).
    pub(crate) RING_ENTRIES(u32) @ 0xec { 31:0 value => Be32; }
    /// Address of the requests, 32 bytes a slot (O, K).
    pub(crate) REQUESTS(u32)[2] @ 0xf4 { 31:0 value => Be32; }
    /// Address of the management request frame (O, K).
    pub(crate) MANAGEMENT_REQUEST(u32)[2] @ 0xfc { 31:0 value => Be32; }
    /// Size of it, in bytes (O, K).
    pub(crate) MANAGEMENT_REQUEST_SIZE(u32) @ 0x104 { 31:0 value => Be32; }
    /// Address of the responses, 32 bytes a slot (O, K).
    pub(crate) RESPONSES(u32)[2] @ 0x114 { 31:0 value => Be32; }
    /// Address of the management reply frame (O, K).
    pub(crate) MANAGEMENT_REPLY(u32)[2] @ 0x11c { 31:0 value => Be32; }
    /// Address of the list units (O, K).
    pub(crate) LIST_UNITS(u32)[2] @ 0x12c { 31:0 value => Be32; }
    /// Number of list units of 64 bytes (O, K).
    pub(crate) LIST_UNIT_COUNT(u32) @ 0x134 { 31:0 value => Be32; }
    /// Address of the completion ring, u16 tags (O, K).
    pub(crate) COMPLETION_RING(u32)[2] @ 0x144 { 31:0 value => Be32; }
}

/// Places in [`CAUSE`] and [`MASK`].
pub(crate) mod cause {
    /// Not known; cleared before the configuration (K).
    pub(crate) const FIRST: usize = 0;
    /// Entries were added to the completion ring.
    pub(crate) const SCSI: usize = 1;
    /// A management reply.
    pub(crate) const MANAGEMENT: usize = 2;
    /// The controller state has changed.
    pub(crate) const STATE: usize = 4;
    /// The configuration was taken: the host writes 0 before it, the card something else.
    pub(crate) const CONFIGURED: usize = 5;
    /// All that have a mask; the last one is not known (K).
    pub(crate) const ALL: [usize; 6] = [FIRST, SCSI, MANAGEMENT, STATE, CONFIGURED, 7];
}

/// End of the registers with a fixed place.
pub(crate) const END: usize = 0x14c;

/// BAR0.
pub(crate) type Bar0<'bound> = pci::Bar<'bound, END>;
