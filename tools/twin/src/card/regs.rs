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

/// Flags; the host sets [`CONFIGURED`].
pub const FLAGS: u32 = 0x2c;
/// The flag that says: the configuration below is written.
pub const CONFIGURED: u32 = 1;
/// Producer index of the submit ring, the host's.
pub const SUBMIT_INDEX: u32 = 0x40;
/// Producer index of the completion ring, the card's.
pub const PRODUCER: u32 = 0x48;
/// Consumer index of the completion ring, the host's.
pub const CONSUMER: u32 = 0x4c;
/// First cause of interrupt, of which nothing is known.
pub const CAUSES: u32 = 0x58;
/// Cause: entries were added to the completion ring.
pub const SCSI_CAUSE: u32 = 0x59;
/// Cause: a management reply.
pub const MGMT_CAUSE: u32 = 0x5a;
/// Cause: the controller's state has changed.
pub const STATE_CAUSE: u32 = 0x5c;
/// The configuration was taken.
pub const READY: u32 = 0x5d;
/// 1 when seen; nobody knows why.
pub const UP: u32 = 0x5f;
/// A cause's mask lies so far above it.
pub const MASK_ABOVE: u32 = 8;
/// A mask that lets nothing through; an open one is 0.
pub const CLOSED: u8 = 0xff;
/// The causes that have a mask.
pub const MASKED: [u32; 6] = [CAUSES, SCSI_CAUSE, MGMT_CAUSE, STATE_CAUSE, READY, UP];
/// Management doorbell, a counter.
pub const MGMT_DOORBELL: u32 = 0x68;
/// Controller id.
pub const CONTROLLER_ID: u32 = 0x74;
/// Firmware version.
pub const VERSION: u32 = 0x78;
/// Product name: 32 characters, padded with blanks.
pub const PRODUCT: u32 = 0x84;
/// Most SCSI slots.
pub const MOST_SLOTS: u32 = 0xb4;
/// Most ring entries.
pub const MOST_ENTRIES: u32 = 0xbc;
/// Offset in BAR0 of the submit ring, high word; the low one follows.
pub const SUBMIT_RING_AT: u32 = 0xc4;
/// SCSI slots in use.
pub const SLOTS: u32 = 0xe4;
/// Always 1.
pub const ONE: u32 = 0xe8;
/// Entries of both rings.
pub const ENTRIES: u32 = 0xec;
/// Address of the requests.
pub const REQUESTS: u32 = 0xf4;
/// Address of the management request frame.
pub const MGMT_REQUEST: u32 = 0xfc;
/// Its size.
pub const MGMT_SIZE: u32 = 0x104;
/// Address of the responses.
pub const RESPONSES: u32 = 0x114;
/// Address of the management reply frame.
pub const MGMT_REPLY: u32 = 0x11c;
/// Address of the list units.
pub const LISTS: u32 = 0x12c;
/// Number of list units.
pub const LIST_UNITS: u32 = 0x134;
/// Address of the completion ring.
pub const RING: u32 = 0x144;
/// The submit ring.
pub const SUBMIT_RING: u32 = 0x174;

/// What the management doorbell counted when the trace was taken.
pub const FIRST_MGMT_COUNT: u32 = 0x4a0;

/// The id and the version that the twin shows; those of a real card are not known.
const SHOWN: (u32, u32) = (0x008a_0001, 0x0001_0403);

/// Every register: offset, length, name, and whether the host writes it (in one access of
/// just that length).
#[rustfmt::skip]
const TABLE: &[(u32, u32, &str, bool)] = &[
    (FLAGS, 4, "flags", true), (SUBMIT_INDEX, 4, "submit-index", true),
    (PRODUCER, 4, "producer", false), (CONSUMER, 4, "consumer", true),
    (CAUSES, 1, "cause-58", true), (SCSI_CAUSE, 1, "scsi-cause", true), (MGMT_CAUSE, 1, "mgmt-cause", true),
    (0x5b, 1, "cause-5b", false), (STATE_CAUSE, 1, "state-cause", true), (READY, 1, "ready", true),
    (0x5e, 1, "cause-5e", false), (UP, 1, "up", false),
    (0x60, 1, "mask-58", true), (0x61, 1, "scsi-mask", true), (0x62, 1, "mgmt-mask", true),
    (0x64, 1, "state-mask", true), (0x65, 1, "ready-mask", true), (0x67, 1, "up-mask", true),
    (MGMT_DOORBELL, 4, "mgmt-doorbell", true), (CONTROLLER_ID, 4, "controller-id", false),
    (VERSION, 4, "version", false), (PRODUCT, 32, "product", false),
    (MOST_SLOTS, 4, "most-slots", false), (MOST_ENTRIES, 4, "most-entries", false),
    (SUBMIT_RING_AT, 4, "submit-ring-hi", false), (0xc8, 4, "submit-ring-lo", false),
    (SLOTS, 4, "slots", true), (ONE, 4, "one", true), (ENTRIES, 4, "entries", true),
    (REQUESTS, 4, "requests-hi", true), (0xf8, 4, "requests-lo", true),
    (MGMT_REQUEST, 4, "mgmt-request-hi", true), (0x100, 4, "mgmt-request-lo", true),
    (MGMT_SIZE, 4, "mgmt-request-size", true),
    (RESPONSES, 4, "responses-hi", true), (0x118, 4, "responses-lo", true),
    (MGMT_REPLY, 4, "mgmt-reply-hi", true), (0x120, 4, "mgmt-reply-lo", true),
    (LISTS, 4, "lists-hi", true), (0x130, 4, "lists-lo", true), (LIST_UNITS, 4, "list-units", true),
    (RING, 4, "ring-hi", true), (0x148, 4, "ring-lo", true),
];

/// The name of the register at `offset`.
pub fn name(offset: u64, params: &CardParams) -> &'static str {
    let ring = u64::from(SUBMIT_RING)..u64::from(SUBMIT_RING + 2 * params.entries());
    if ring.contains(&offset) {
        return "submit-ring";
    }
    TABLE
        .iter()
        .find(|(at, len, ..)| (u64::from(*at)..u64::from(at + len)).contains(&offset))
        .map_or("sram", |(_, _, name, _)| name)
}

/// Whether a host writes so many bytes there in one access.
pub fn is_the_hosts(offset: u64, len: usize, params: &CardParams) -> bool {
    let whole = |(at, width, _, hosts): &(u32, u32, &str, bool)| {
        *hosts && u64::from(*at) == offset && *width as usize == len
    };
    match name(offset, params) {
        "submit-ring" => len == 2 && offset % 2 == u64::from(SUBMIT_RING % 2),
        _ => TABLE.iter().any(whole),
    }
}

/// The memory behind BAR0.
pub struct Sram {
    bytes: Vec<u8>,
    /// The odd card whose words are little-endian.
    swapped: bool,
}

impl Sram {
    /// The memory as firmware leaves it for the host to find.
    pub fn new(params: &CardParams, mgmt_doorbell: u32) -> Sram {
        let mut sram = Sram {
            bytes: vec![0; BAR_LEN],
            swapped: params.odd == Some(Odd::ByteSwapped),
        };
        sram.put_u32(MGMT_DOORBELL, mgmt_doorbell);
        sram.put_u32(CONTROLLER_ID, SHOWN.0);
        sram.put_u32(VERSION, SHOWN.1);
        sram.write(
            PRODUCT.into(),
            format!("{:<32}", "Apple RAID Card").as_bytes(),
        );
        sram.put_u32(MOST_SLOTS, params.slots);
        sram.put_u32(MOST_ENTRIES, params.entries());
        sram.put_u32(SUBMIT_RING_AT + 4, SUBMIT_RING);
        sram.mask_all();
        sram
    }

    /// Closes the masks.
    pub fn mask_all(&mut self) {
        for cause in MASKED {
            self.put_u8(cause + MASK_ABOVE, CLOSED);
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
        let sram = Sram::new(&CardParams::default(), FIRST_MGMT_COUNT);
        assert_eq!((sram.u32(MOST_SLOTS), sram.u32(MOST_ENTRIES)), (128, 129));
        assert_eq!(sram.u64(SUBMIT_RING_AT), 0x174);
        assert_eq!(sram.u32(MGMT_DOORBELL), 0x4a0);
        let mut raw = [0; 4];
        sram.read(0xb4, &mut raw);
        assert_eq!(u32::from_le_bytes(raw), 0x8000_0000);
    }

    #[test]
    fn accesses_of_any_width_and_at_the_edges() {
        let mut sram = Sram::new(&CardParams::default(), 0);
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
    fn names_and_what_is_the_hosts() {
        let params = CardParams::default();
        assert_eq!(name(0x59, &params), "scsi-cause");
        assert_eq!(name(0x175, &params), "submit-ring");
        assert_eq!(name(0x174 + 129 * 2, &params), "sram");
        let hosts = |offset, len| is_the_hosts(offset, len, &params);
        assert!(hosts(0x40, 4) && hosts(0x59, 1) && hosts(0x176, 2) && hosts(0x148, 4));
        assert!(!hosts(0x48, 4) && !hosts(0x58, 8) && !hosts(0x175, 2) && !hosts(0xf4, 8));
        assert!(!hosts(0x5f, 1) && !hosts(0x174, 4) && !hosts(0x9000, 4));
    }
}
