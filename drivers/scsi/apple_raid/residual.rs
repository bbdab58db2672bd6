// SPDX-License-Identifier: GPL-2.0

//! How much a command has moved, beyond what the card says.
//!
//! The card states no residual but with inline data (K). What the standards let a driver conclude:
//!
//! - Many answers state their own length. What lies behind it is nothing that the unit said.
//! - A READ that ends with MEDIUM ERROR and names the bad block has delivered what lies before it
//!   (SBC-3, 4.17): the disk driver completes that part, and need not read it block by block.
//! - Sense with the key NO SENSE or RECOVERED ERROR belongs to a command that succeeded.
//!
//! Pure functions on bytes.

/// Length that the answer to a command states, in bytes; `answer` has the byte at a place of it.
/// `None` if this command has no such answer, or too little of it came to tell.
pub(crate) fn stated_len(cdb: &[u8], answer: impl Fn(usize) -> Option<u8>) -> Option<u32> {
    let byte = |at: usize| answer(at).map(u32::from);
    let u16_at = |at: usize| Some(byte(at)? << 8 | byte(at + 1)?);
    let u32_at = |at: usize| Some(u16_at(at)? << 16 | u16_at(at + 2)?);
    let plus = |len: u32, header: u32| Some(len.saturating_add(header));

    match *cdb.first_chunk::<3>()? {
        // INQUIRY: a page of vital product data, and standard data.
        [0x12, evpd, _] if evpd & 1 == 1 => plus(u16_at(2)?, 4),
        [0x12, ..] => plus(byte(4)?, 5),
        // REQUEST SENSE, in either format.
        [0x03, ..] => match byte(0)? & 0x7f {
            0x70..=0x73 => plus(byte(7)?, 8),
            _ => None,
        },
        // MODE SENSE(6) and (10), LOG SENSE
        [0x1a, ..] => plus(byte(0)?, 1),
        [0x5a, ..] => plus(u16_at(0)?, 2),
        [0x4d, ..] => plus(u16_at(2)?, 4),
        // PERSISTENT RESERVE IN: REPORT CAPABILITIES has a length of 2 bytes.
        [0x5e, action, _] if action & 0x1f == 2 => u16_at(0),
        [0x5e, ..] => plus(u32_at(4)?, 8),
        // READ CAPACITY(10) and (16)
        [0x25, ..] => Some(8),
        [0x9e, action, _] if action & 0x1f == 0x10 => Some(32),
        // REPORT LUNS
        [0xa0, ..] => plus(u32_at(0)?, 8),
        // REPORT SUPPORTED OPERATION CODES: all of them, or one with its usage data.
        [0xa3, 0x0c, options] if options & 7 == 0 => plus(u32_at(0)?, 4),
        [0xa3, 0x0c, options] => one_operation_code(options, byte(1)?, u16_at(2)?),
        _ => None,
    }
}

/// Length of the answer about one operation code (SPC-4, 6.35.3), with its timeouts descriptor if
/// it was asked for and is there.
fn one_operation_code(options: u8, flags: u32, cdb_size: u32) -> Option<u32> {
    let has_timeouts = options & 0x80 != 0 && flags & 0x80 != 0;
    Some(4 + cdb_size + 12 * u32::from(has_timeouts))
}

/// Bytes that a command has moved which failed, of `data_len` that it was to move.
pub(crate) fn moved_by_failed(
    cdb: &[u8],
    sense: &[u8],
    block_len: Option<u32>,
    data_len: u32,
) -> u32 {
    let Some(&[code, _, key, ..]) = sense.first_chunk::<3>() else {
        return 0;
    };
    match (code & 0x7f, key & 0xf) {
        (0x70, 0 | 1) => data_len,
        (0x70, 3) => good_before(cdb, sense, block_len).map_or(0, |good| good.min(data_len)),
        _ => 0,
    }
}

/// Bytes before the block that fixed-format sense of a READ names as bad.
fn good_before(cdb: &[u8], sense: &[u8], block_len: Option<u32>) -> Option<u32> {
    let be = |bytes: &[u8]| bytes.iter().fold(0, |n, byte| n << 8 | u64::from(*byte));
    let (start, blocks) = match cdb.first()? {
        0x28 => (cdb.get(2..6)?, cdb.get(7..9)?),
        0xa8 => (cdb.get(2..6)?, cdb.get(6..10)?),
        0x88 => (cdb.get(2..10)?, cdb.get(10..14)?),
        _ => return None,
    };
    let bad = be(sense.get(3..7)?);
    let good = u32::try_from(bad.checked_sub(be(start))?).ok()?;
    let is_named = *sense.first()? & 0x80 != 0 && u64::from(good) < be(blocks);
    is_named.then_some(good.checked_mul(block_len?)?)
}
