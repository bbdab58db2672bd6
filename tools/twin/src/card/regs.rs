// SPDX-License-Identifier: GPL-2.0

//! BAR0: a window on 1 MiB of the card's SRAM.
//!
//! What the host calls registers are words in shared memory, big-endian, read and
//! written at any width. [`Sram`] is that memory and no more: what a write sets
//! in motion is the business of `mmio`.

use super::odd::Odd;
use super::params::CardParams;

/// Length of BAR0.
pub const BAR_LEN: usize = 1 << 20;

/// Configuration doorbell, a counter.
pub const CONFIG_DOORBELL: u32 = 0x2c;
/// SCSI submit doorbell, a counter.
pub const SCSI_DOORBELL: u32 = 0x40;
/// First byte of the status block.
pub const STATUS: u32 = 0x58;
/// SCSI completion pending.
pub const SCSI_PENDING: u32 = 0x59;
/// Management response pending.
pub const MGMT_PENDING: u32 = 0x5a;
/// Ready.
pub const READY: u32 = 0x5d;
/// 1 whenever the card is up; nobody knows why.
pub const UP: u32 = 0x5f;
/// A status byte's interrupt mask lies so far above it.
pub const MASK_ABOVE: u32 = 8;
/// Interrupt mask of the status byte 0x5c, of which nothing is known.
pub const OTHER_MASK: u32 = 0x64;
/// Management submit doorbell, a counter.
pub const MGMT_DOORBELL: u32 = 0x68;
/// Most SCSI commands.
pub const MOST_SCSI: u32 = 0xb4;
/// Most commands of both kinds.
pub const MOST_COMMANDS: u32 = 0xbc;
/// Offset of the SCSI submit mailbox, high word; the low one follows.
pub const MAILBOX_AT: u32 = 0xc4;
/// SCSI command slots in use.
pub const SCSI_SLOTS: u32 = 0xe4;
/// Management commands in use.
pub const MGMT_SLOTS: u32 = 0xe8;
/// Completion ring entries.
pub const RING_ENTRIES: u32 = 0xec;
/// Region A: SCSI command slots.
pub const REGION_A: u32 = 0xf4;
/// Region B: management command buffer.
pub const REGION_B: u32 = 0xfc;
/// Size of region B.
pub const REGION_B_SIZE: u32 = 0x104;
/// Region C: SCSI completion ring.
pub const REGION_C: u32 = 0x114;
/// Region D: management response buffer.
pub const REGION_D: u32 = 0x11c;
/// Region E: scatter-gather lists.
pub const REGION_E: u32 = 0x12c;
/// Units in region E.
pub const LIST_UNITS: u32 = 0x134;
/// Region F: responses.
pub const REGION_F: u32 = 0x144;

/// What the management doorbell counted when the trace was taken.
pub const FIRST_MGMT_COUNT: u32 = 0x4a0;

/// The names of all that is known in BAR0, for traces.
#[rustfmt::skip]
const NAMES: &[(u32, u32, &str)] = &[
    (CONFIG_DOORBELL, 4, "config-doorbell"), (SCSI_DOORBELL, 4, "scsi-doorbell"),
    (STATUS, 1, "status"), (SCSI_PENDING, 1, "scsi-pending"), (MGMT_PENDING, 1, "mgmt-pending"),
    (0x5b, 1, "status-5b"), (0x5c, 1, "other-pending"), (READY, 1, "ready"),
    (0x5e, 1, "status-5e"), (UP, 1, "up"),
    (0x61, 1, "scsi-mask"), (0x62, 1, "mgmt-mask"), (OTHER_MASK, 1, "other-mask"),
    (MGMT_DOORBELL, 4, "mgmt-doorbell"), (MOST_SCSI, 4, "most-scsi"), (MOST_COMMANDS, 4, "most-commands"),
    (MAILBOX_AT, 4, "mailbox-hi"), (0xc8, 4, "mailbox-lo"), (SCSI_SLOTS, 4, "scsi-slots"),
    (MGMT_SLOTS, 4, "mgmt-slots"), (RING_ENTRIES, 4, "ring-entries"),
    (REGION_A, 4, "region-a-hi"), (0xf8, 4, "region-a-lo"), (REGION_B, 4, "region-b-hi"), (0x100, 4, "region-b-lo"),
    (REGION_B_SIZE, 4, "region-b-size"), (REGION_C, 4, "region-c-hi"), (0x118, 4, "region-c-lo"),
    (REGION_D, 4, "region-d-hi"), (0x120, 4, "region-d-lo"), (REGION_E, 4, "region-e-hi"), (0x130, 4, "region-e-lo"),
    (LIST_UNITS, 4, "list-units"), (REGION_F, 4, "region-f-hi"), (0x148, 4, "region-f-lo"),
];

/// The name of the register at `offset`.
pub fn name(offset: u64, params: &CardParams) -> &'static str {
    if (params.mailbox.into()..u64::from(params.mailbox) + 2).contains(&offset) {
        return "mailbox";
    }
    NAMES
        .iter()
        .find(|(at, len, _)| (u64::from(*at)..u64::from(at + len)).contains(&offset))
        .map_or("sram", |(_, _, name)| name)
}

/// The counters that outlive a reset of the host.
#[derive(Clone, Copy)]
pub struct Counters {
    /// Configuration doorbell.
    pub config: u32,
    /// SCSI submit doorbell.
    pub scsi: u32,
    /// Management submit doorbell.
    pub mgmt: u32,
}

impl Counters {
    /// As they stood when the trace was taken.
    pub const FRESH: Counters = Counters {
        config: 0,
        scsi: 0,
        mgmt: FIRST_MGMT_COUNT,
    };
}

/// The memory behind BAR0.
pub struct Sram {
    bytes: Vec<u8>,
    /// The odd card whose words are little-endian.
    swapped: bool,
}

impl Sram {
    /// The memory as firmware leaves it for the host to find.
    pub fn new(params: &CardParams, counters: Counters) -> Sram {
        let mut sram = Sram {
            bytes: vec![0; BAR_LEN],
            swapped: params.odd == Some(Odd::ByteSwapped),
        };
        sram.put_u32(CONFIG_DOORBELL, counters.config);
        sram.put_u32(SCSI_DOORBELL, counters.scsi);
        sram.put_u32(MGMT_DOORBELL, counters.mgmt);
        sram.put_u32(MOST_SCSI, params.commands);
        sram.put_u32(MOST_COMMANDS, params.commands + 1);
        sram.put_u32(MAILBOX_AT + 4, params.mailbox);
        sram.mask_all();
        sram
    }

    /// Closes the three interrupt masks.
    pub fn mask_all(&mut self) {
        for mask in [
            SCSI_PENDING + MASK_ABOVE,
            MGMT_PENDING + MASK_ABOVE,
            OTHER_MASK,
        ] {
            self.put_u8(mask, 1);
        }
    }

    /// Reads any number of bytes; beyond the end all ones.
    pub fn read(&self, offset: u64, data: &mut [u8]) {
        data.fill(0xff);
        let from = self
            .bytes
            .get(usize::try_from(offset).unwrap_or(BAR_LEN)..)
            .unwrap_or(&[]);
        data.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
    }

    /// Writes any number of bytes; those beyond the end are lost.
    pub fn write(&mut self, offset: u64, data: &[u8]) {
        let at = usize::try_from(offset).unwrap_or(BAR_LEN);
        let to = self.bytes.get_mut(at..).unwrap_or(&mut []);
        to.iter_mut().zip(data).for_each(|(to, from)| *to = *from);
    }

    /// One byte.
    pub fn u8(&self, offset: u32) -> u8 {
        let mut byte = [0];
        self.read(offset.into(), &mut byte);
        byte[0]
    }

    /// A big-endian 16-bit word.
    pub fn u16(&self, offset: u32) -> u16 {
        let mut word = [0; 2];
        self.read(offset.into(), &mut word);
        match self.swapped {
            true => u16::from_le_bytes(word),
            false => u16::from_be_bytes(word),
        }
    }

    /// A big-endian 32-bit word.
    pub fn u32(&self, offset: u32) -> u32 {
        let mut word = [0; 4];
        self.read(offset.into(), &mut word);
        match self.swapped {
            true => u32::from_le_bytes(word),
            false => u32::from_be_bytes(word),
        }
    }

    /// A big-endian 64-bit word, high half first.
    pub fn u64(&self, offset: u32) -> u64 {
        (u64::from(self.u32(offset)) << 32) | u64::from(self.u32(offset + 4))
    }

    /// Sets one byte.
    pub fn put_u8(&mut self, offset: u32, value: u8) {
        self.write(offset.into(), &[value]);
    }

    /// Sets a big-endian 32-bit word.
    pub fn put_u32(&mut self, offset: u32, value: u32) {
        let word = match self.swapped {
            true => value.to_le_bytes(),
            false => value.to_be_bytes(),
        };
        self.write(offset.into(), &word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_card_shows_what_the_trace_shows() {
        let sram = Sram::new(&CardParams::default(), Counters::FRESH);
        assert_eq!((sram.u32(MOST_SCSI), sram.u32(MOST_COMMANDS)), (128, 129));
        assert_eq!(sram.u64(MAILBOX_AT), 0x174);
        assert_eq!(sram.u32(MGMT_DOORBELL), 0x4a0);
        let mut raw = [0; 4];
        sram.read(0xb4, &mut raw);
        assert_eq!(u32::from_le_bytes(raw), 0x8000_0000);
    }

    #[test]
    fn accesses_of_any_width_and_at_the_edges() {
        let mut sram = Sram::new(&CardParams::default(), Counters::FRESH);
        sram.write(0x8000, &[1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(
            (sram.u8(0x8001), sram.u16(0x8002), sram.u32(0x8004)),
            (2, 0x304, 0x5060708)
        );
        let mut over = [0; 8];
        sram.write(BAR_LEN as u64 - 4, &[9; 8]);
        sram.read(BAR_LEN as u64 - 4, &mut over);
        assert_eq!(over, [9, 9, 9, 9, 0xff, 0xff, 0xff, 0xff]);
        sram.read(u64::MAX, &mut over);
        assert_eq!(over, [0xff; 8]);
    }

    #[test]
    fn names() {
        let params = CardParams::default();
        assert_eq!(name(0x59, &params), "scsi-pending");
        assert_eq!(name(0x175, &params), "mailbox");
        assert_eq!(name(0x9000, &params), "sram");
    }
}
