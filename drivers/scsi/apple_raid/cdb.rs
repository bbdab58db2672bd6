// SPDX-License-Identifier: GPL-2.0

//! What a CDB moves, by the standards (SPC-4, SBC-3).
//!
//! The card takes direction and length of a transfer from the CDB, and what it does when the
//! buffer is shorter is not known (hazard 2 of `apple_raid_hw.rst`). So the driver has to read the
//! CDB as the card does: a command that is not in this table is refused before the card sees it.
//! The card is of 2006, so what younger standards added to old commands is refused too: it might
//! ignore a bit that changes how much is moved.

use crate::wire::CDB_LEN;

/// Which way data goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// From the card.
    In,
    /// To the card.
    Out,
}

/// How much a command moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Amount {
    /// That many bytes: an allocation length, or the length of a parameter list.
    Bytes(u32),
    /// That many blocks of the logical unit.
    Blocks(u32),
}

use Amount::{Blocks, Bytes};
use Way::{In, Out};

/// The data phase of a command: data-in at most that much, data-out exactly that much.
pub(crate) type Phase = (Way, Amount);

/// The command moves nothing.
pub(crate) const NO_DATA: Phase = (In, Bytes(0));

/// The big-endian number of `len` bytes at a place of a CDB.
fn be(cdb: &[u8; CDB_LEN], at: usize, len: usize) -> u32 {
    let bytes = cdb.iter().skip(at).take(len);
    bytes.fold(0, |value, byte| value << 8 | u32::from(*byte))
}

/// READ(6) and WRITE(6): a length of 0 means 256 blocks.
fn blocks_of_6(cdb: &[u8; CDB_LEN]) -> Amount {
    Blocks(match cdb[4] {
        0 => 256,
        n => n.into(),
    })
}

/// VERIFY: the BYTCHK field says whether data is compared. Its second bit is younger than the card,
/// which might not heed it.
fn verify(cdb: &[u8; CDB_LEN], blocks: u32) -> Option<Phase> {
    match cdb[1] >> 1 & 3 {
        0 => Some(NO_DATA),
        1 => Some((Out, Blocks(blocks))),
        _ => None,
    }
}

/// RDPROTECT, WRPROTECT, VRPROTECT: with protection information, a block is longer on the wire.
fn wants_protection(cdb: &[u8; CDB_LEN]) -> bool {
    // READ, WRITE, WRITE AND VERIFY, VERIFY of 10, 16 and 12 bytes; WRITE SAME
    let protectable = matches!(cdb[0], 0x28..=0x2f | 0x88..=0x8f | 0xa8..=0xaf | 0x41 | 0x93);
    protectable && cdb[1] >> 5 != 0
}

/// Where in its data the answer to this command says how long a block is: READ CAPACITY(10) and
/// (16), in SBC-3.
pub(crate) fn block_length_in_answer(cdb: &[u8]) -> Option<usize> {
    match *cdb {
        [0x25, ..] => Some(4),
        [0x9e, action, ..] if action & 0x1f == 0x10 => Some(8),
        _ => None,
    }
}

/// SECURITY PROTOCOL IN and OUT: with INC_512 the length counts units of 512 bytes.
fn security(cdb: &[u8; CDB_LEN]) -> Option<Amount> {
    let unit = if cdb[4] & 0x80 == 0 { 1 } else { 512 };
    be(cdb, 6, 4).checked_mul(unit).map(Bytes)
}

/// What the command moves; `None` if it is not one that the driver knows.
pub(crate) fn phase(cdb: &[u8; CDB_LEN]) -> Option<Phase> {
    if wants_protection(cdb) {
        return None;
    }
    Some(match cdb[0] {
        // TEST UNIT READY, START STOP UNIT, PREVENT ALLOW MEDIUM REMOVAL
        0x00 | 0x1b | 0x1e => NO_DATA,
        // SYNCHRONIZE CACHE(10), (16); PRE-FETCH(10), (16)
        0x35 | 0x91 | 0x34 | 0x90 => NO_DATA,
        // READ and WRITE
        0x08 => (In, blocks_of_6(cdb)),
        0x0a => (Out, blocks_of_6(cdb)),
        0x28 => (In, Blocks(be(cdb, 7, 2))),
        0x2a | 0x2e => (Out, Blocks(be(cdb, 7, 2))),
        0xa8 => (In, Blocks(be(cdb, 6, 4))),
        0xaa | 0xae => (Out, Blocks(be(cdb, 6, 4))),
        0x88 => (In, Blocks(be(cdb, 10, 4))),
        0x8a | 0x8e => (Out, Blocks(be(cdb, 10, 4))),
        // VERIFY
        0x2f => verify(cdb, be(cdb, 7, 2))?,
        0xaf => verify(cdb, be(cdb, 6, 4))?,
        0x8f => verify(cdb, be(cdb, 10, 4))?,
        // WRITE SAME(10), (16): one block. NDOB, "no data", is younger than the card.
        0x41 => (Out, Blocks(1)),
        0x93 if cdb[1] & 1 == 0 => (Out, Blocks(1)),
        // UNMAP, LOG SELECT, MODE SELECT(10)
        0x42 | 0x4c | 0x55 => (Out, Bytes(be(cdb, 7, 2))),
        // MODE SELECT(6)
        0x15 => (Out, Bytes(cdb[4].into())),
        // SEND DIAGNOSTIC
        0x1d => (Out, Bytes(be(cdb, 3, 2))),
        // INQUIRY, RECEIVE DIAGNOSTIC RESULTS
        0x12 | 0x1c => (In, Bytes(be(cdb, 3, 2))),
        // REQUEST SENSE, MODE SENSE(6)
        0x03 | 0x1a => (In, Bytes(cdb[4].into())),
        // LOG SENSE, MODE SENSE(10), PERSISTENT RESERVE IN
        0x4d | 0x5a | 0x5e => (In, Bytes(be(cdb, 7, 2))),
        // PERSISTENT RESERVE OUT
        0x5f => (Out, Bytes(be(cdb, 5, 4))),
        // READ CAPACITY(10)
        0x25 => (In, Bytes(8)),
        // WRITE BUFFER, READ BUFFER(10)
        0x3b => (Out, Bytes(be(cdb, 6, 3))),
        0x3c => (In, Bytes(be(cdb, 6, 3))),
        // SERVICE ACTION IN(16): READ CAPACITY(16), GET LBA STATUS
        0x9e if matches!(cdb[1] & 0x1f, 0x10 | 0x12) => (In, Bytes(be(cdb, 10, 4))),
        // REPORT LUNS
        0xa0 => (In, Bytes(be(cdb, 6, 4))),
        // MAINTENANCE IN, with all its service actions; MAINTENANCE OUT is not offered
        0xa3 => (In, Bytes(be(cdb, 6, 4))),
        // SECURITY PROTOCOL IN, OUT
        0xa2 => (In, security(cdb)?),
        0xb5 => (Out, security(cdb)?),
        _ => return None,
    })
}
