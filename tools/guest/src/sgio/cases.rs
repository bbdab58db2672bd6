// SPDX-License-Identifier: GPL-2.0

//! Random commands: what an SG_IO can be made of. Case `n` of a seed is always the
//! same, whatever came before.

use guest_tools::buffer::PAGE;
use guest_tools::sg::Direction;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Longest buffer.
pub const MOST: usize = 64 << 10;
const BLOCK: usize = 512;

/// One command, its buffer and what is said about them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    pub cdb: Vec<u8>,
    pub direction: Direction,
    pub len: usize,
    /// Where in a page the buffer begins.
    pub offset: usize,
    /// Whether the driver sg is asked for direct I/O.
    pub direct: bool,
    /// Which of the devices.
    pub device: usize,
    /// Seeds the contents of the buffer.
    pub fill: u8,
}

/// A command of the standards: where its CDB says how much it moves.
struct Known {
    opcode: u8,
    /// Service action or other bits of byte 1.
    byte1: u8,
    cdb_len: usize,
    /// First byte and width of the length field.
    length: Option<(usize, usize)>,
    unit: usize,
    direction: Direction,
}

const fn known(
    opcode: u8,
    cdb_len: usize,
    length: Option<(usize, usize)>,
    unit: usize,
    direction: Direction,
) -> Known {
    Known {
        opcode,
        byte1: 0,
        cdb_len,
        length,
        unit,
        direction,
    }
}

impl Known {
    const fn with(self, byte1: u8) -> Self {
        Self { byte1, ..self }
    }
}

use Direction::{In, None as Nothing, Out};

/// The commands that the card, or one like it, might carry out.
#[rustfmt::skip]
static KNOWN: &[Known] = &[
    known(0x00, 6, None, 1, Nothing),                       // TEST UNIT READY
    known(0x03, 6, Some((4, 1)), 1, In),                    // REQUEST SENSE
    known(0x08, 6, Some((4, 1)), BLOCK, In),                // READ(6)
    known(0x0a, 6, Some((4, 1)), BLOCK, Out),               // WRITE(6)
    known(0x12, 6, Some((3, 2)), 1, In),                    // INQUIRY
    known(0x12, 6, Some((3, 2)), 1, In).with(1),            // INQUIRY, VPD
    known(0x15, 6, Some((4, 1)), 1, Out).with(0x10),        // MODE SELECT(6)
    known(0x1a, 6, Some((4, 1)), 1, In),                    // MODE SENSE(6)
    known(0x1b, 6, None, 1, Nothing),                       // START STOP UNIT
    known(0x1c, 6, Some((3, 2)), 1, In),                    // RECEIVE DIAGNOSTIC RESULTS
    known(0x1d, 6, Some((3, 2)), 1, Out),                   // SEND DIAGNOSTIC
    known(0x25, 10, None, 1, In),                           // READ CAPACITY(10)
    known(0x28, 10, Some((7, 2)), BLOCK, In),               // READ(10)
    known(0x2a, 10, Some((7, 2)), BLOCK, Out),              // WRITE(10)
    known(0x2e, 10, Some((7, 2)), BLOCK, Out),              // WRITE AND VERIFY(10)
    known(0x2f, 10, Some((7, 2)), BLOCK, Nothing),          // VERIFY(10)
    known(0x2f, 10, Some((7, 2)), BLOCK, Out).with(2),      // VERIFY(10), bytes
    known(0x2f, 10, Some((7, 2)), BLOCK, Out).with(6),      // VERIFY(10), one block
    known(0x35, 10, Some((7, 2)), BLOCK, Nothing),          // SYNCHRONIZE CACHE(10)
    known(0x3b, 10, Some((6, 3)), 1, Out),                  // WRITE BUFFER
    known(0x3c, 10, Some((6, 3)), 1, In),                   // READ BUFFER(10)
    known(0x41, 10, Some((7, 2)), BLOCK, Out),              // WRITE SAME(10)
    known(0x42, 10, Some((7, 2)), 1, Out),                  // UNMAP
    known(0x4c, 10, Some((7, 2)), 1, Out),                  // LOG SELECT
    known(0x4d, 10, Some((7, 2)), 1, In),                   // LOG SENSE
    known(0x55, 10, Some((7, 2)), 1, Out).with(0x10),       // MODE SELECT(10)
    known(0x5a, 10, Some((7, 2)), 1, In),                   // MODE SENSE(10)
    known(0x5e, 10, Some((7, 2)), 1, In),                   // PERSISTENT RESERVE IN
    known(0x5f, 10, Some((5, 4)), 1, Out),                  // PERSISTENT RESERVE OUT
    known(0x88, 16, Some((10, 4)), BLOCK, In),              // READ(16)
    known(0x8a, 16, Some((10, 4)), BLOCK, Out),             // WRITE(16)
    known(0x8e, 16, Some((10, 4)), BLOCK, Out),             // WRITE AND VERIFY(16)
    known(0x8f, 16, Some((10, 4)), BLOCK, Out).with(2),     // VERIFY(16), bytes
    known(0x91, 16, Some((10, 4)), BLOCK, Nothing),         // SYNCHRONIZE CACHE(16)
    known(0x93, 16, Some((10, 4)), BLOCK, Out),             // WRITE SAME(16)
    known(0x9e, 16, Some((10, 4)), 1, In).with(0x10),       // READ CAPACITY(16)
    known(0x9e, 16, Some((10, 4)), 1, In).with(0x12),       // GET LBA STATUS
    known(0xa0, 12, Some((6, 4)), 1, In),                   // REPORT LUNS
    known(0xa2, 12, Some((6, 4)), 1, In),                   // SECURITY PROTOCOL IN
    known(0xa3, 12, Some((6, 4)), 1, In).with(0x0c),        // REPORT SUPPORTED OPERATION CODES
    known(0xa8, 12, Some((6, 4)), BLOCK, In),               // READ(12)
    known(0xaa, 12, Some((6, 4)), BLOCK, Out),              // WRITE(12)
    known(0xb5, 12, Some((6, 4)), 1, Out),                  // SECURITY PROTOCOL OUT
];

/// Case `number` of a seed.
pub fn case(seed: u64, number: u64, devices: usize) -> Case {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(number);
    let r = &mut random;
    let len = length(r);
    let (mut cdb, mut direction) = if r.random_ratio(4, 5) {
        standard(r, len)
    } else {
        anything(r)
    };
    if r.random_ratio(1, 10) {
        let at = r.random_range(1..cdb.len());
        cdb[at] = r.random();
    }
    if r.random_ratio(1, 12) {
        let lengths: [usize; 5] = [6, 10, 12, 16, 32];
        cdb.resize(*lengths.choose(r).unwrap_or(&16), 0);
    }
    if r.random_ratio(1, 5) {
        direction = any_direction(r);
    }
    Case {
        cdb,
        direction,
        len,
        offset: offset(r),
        direct: r.random(),
        device: r.random_range(0..devices),
        fill: r.random(),
    }
}

fn any_direction(r: &mut ChaCha8Rng) -> Direction {
    *[Nothing, In, Out, Direction::Both].choose(r).unwrap_or(&In)
}

/// A length of a buffer, with those preferred at which things go wrong.
fn length(r: &mut ChaCha8Rng) -> usize {
    let multiple = |r: &mut ChaCha8Rng, of: usize| r.random_range(0..=MOST / of) * of;
    let near = |r: &mut ChaCha8Rng, value: usize| match r.random_range(0..3) {
        0 => value.saturating_sub(1),
        1 => value,
        _ => value + 1,
    };
    let len = match r.random_range(0..10) {
        0 => 0,
        1 => r.random_range(0..MOST / 2) * 2 + 1,
        2 => multiple(r, 4),
        3 => near(r, 512),
        4 => near(r, PAGE),
        5 => {
            let value = multiple(r, 512);
            near(r, value)
        }
        6 | 7 => multiple(r, 512),
        8 => r.random_range(1..=255),
        _ => r.random_range(0..=MOST),
    };
    len.min(MOST)
}

fn offset(r: &mut ChaCha8Rng) -> usize {
    match r.random_range(0..4) {
        0 => 0,
        1 => r.random_range(0..PAGE / 512) * 512,
        2 => r.random_range(0..PAGE / 4) * 4,
        _ => r.random_range(0..PAGE),
    }
}

/// A command of the standards. What it moves is, or is about, or is far from what
/// the buffer holds.
fn standard(r: &mut ChaCha8Rng, len: usize) -> (Vec<u8>, Direction) {
    let known = KNOWN.choose(r).unwrap_or(&KNOWN[0]);
    let mut cdb = vec![0; known.cdb_len];
    (cdb[0], cdb[1]) = (known.opcode, known.byte1);
    if known.unit == BLOCK {
        block_address(r, &mut cdb);
    } else if r.random() {
        cdb[2] = page(r, known.opcode);
    }
    if known.opcode == 0x1b {
        cdb[4] = r.random_range(0..4);
    }
    if let Some((at, width)) = known.length {
        let amount = amount(r, len.div_ceil(known.unit), width);
        cdb[at..at + width].copy_from_slice(&amount.to_be_bytes()[8 - width..]);
    }
    (cdb, known.direction)
}

fn amount(r: &mut ChaCha8Rng, fits: usize, width: usize) -> u64 {
    let most = (1 << (8 * width)) - 1;
    let amount = match r.random_range(0..8) {
        0..4 => fits as u64,
        4 => r.random_range(0..=fits as u64),
        5 => fits as u64 + r.random_range(1..64),
        6 => (fits as u64) * r.random_range(2..5),
        _ => r.random_range(0..=most),
    };
    amount.min(most)
}

/// Where a command begins: mostly within the first 8 MiB.
fn block_address(r: &mut ChaCha8Rng, cdb: &mut [u8]) {
    let lba: u32 = match r.random_range(0..20) {
        0 => r.random(),
        _ => r.random_range(0..16 << 10),
    };
    let [a, b, c, d] = lba.to_be_bytes();
    match cdb.len() {
        6 => cdb[1..4].copy_from_slice(&[b & 0x1f, c, d]),
        16 => cdb[6..10].copy_from_slice(&[a, b, c, d]),
        _ => cdb[2..6].copy_from_slice(&[a, b, c, d]),
    }
}

/// A page of VPD, mode or log pages that exists, or just a byte.
fn page(r: &mut ChaCha8Rng, opcode: u8) -> u8 {
    let pages: &[u8] = match opcode {
        0x12 => &[0x00, 0x80, 0x83, 0xb0, 0xb1],
        0x1a | 0x5a => &[0x3f, 0x01, 0x08, 0x0a, 0x1c, 0x48],
        0x4d => &[0x40, 0x4d, 0x6f],
        _ => &[0],
    };
    match r.random_range(0..4) {
        0 => r.random(),
        _ => *pages.choose(r).unwrap_or(&0),
    }
}

/// Any operation code, and any bytes after it.
fn anything(r: &mut ChaCha8Rng) -> (Vec<u8>, Direction) {
    let opcode: u8 = r.random();
    let len = match opcode >> 5 {
        0 => 6,
        1 | 2 => 10,
        5 => 12,
        _ => 16,
    };
    let mut cdb = vec![0; len];
    r.fill(&mut cdb[1..]);
    cdb[0] = opcode;
    if r.random() {
        // Random bytes make random lengths, most of them huge. Not always.
        cdb[1..].iter_mut().for_each(|byte| *byte &= 0x01);
    }
    (cdb, any_direction(r))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn a_case_is_what_its_seed_and_number_say() {
        assert_eq!(case(7, 3, 2), case(7, 3, 2));
        assert_ne!(case(7, 3, 2), case(8, 3, 2));
        assert_ne!(case(7, 3, 2), case(7, 4, 2));
    }

    #[test]
    fn the_cases_go_everywhere() {
        let cases: Vec<Case> = (0..20_000).map(|n| case(1, n, 2)).collect();
        let opcodes: HashSet<u8> = cases.iter().map(|case| case.cdb[0]).collect();
        assert_eq!(opcodes.len(), 256);
        let any = |what: &dyn Fn(&Case) -> bool| assert!(cases.iter().any(what));
        for len in [0, 1, 511, 512, 513, 4095, 4096, 4097, MOST] {
            any(&|case| case.len == len);
        }
        for direction in [Nothing, In, Out, Direction::Both] {
            any(&|case| case.direction == direction && case.cdb[0] == 0x28);
            any(&|case| case.direction == direction && case.cdb[0] == 0x2a);
        }
        any(&|case| case.cdb.len() == 32);
        assert!(
            cases
                .iter()
                .all(|case| case.len <= MOST && case.offset < PAGE)
        );
        assert!(
            cases
                .iter()
                .all(|case| case.cdb.len() >= 6 && case.device < 2)
        );
    }
}
