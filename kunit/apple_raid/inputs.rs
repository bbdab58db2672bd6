// SPDX-License-Identifier: GPL-2.0

//! What several suites generate.

use crate::{
    scsi::kunit::Generator,
    transfer::Buffer,
    wire::CDB_LEN, //
};

/// A CDB that begins with `bytes`.
pub(super) fn cdb(bytes: &[u8]) -> [u8; CDB_LEN] {
    let mut cdb = [0; CDB_LEN];
    for (to, from) in cdb.iter_mut().zip(bytes) {
        *to = *from;
    }
    cdb
}

/// READ(10) of so many blocks.
pub(super) fn read10(blocks: u16) -> [u8; CDB_LEN] {
    let [high, low] = blocks.to_be_bytes();
    cdb(&[0x28, 0, 0, 0, 0, 0, 0, high, low])
}

/// WRITE(10) of so many blocks.
pub(super) fn write10(blocks: u16) -> [u8; CDB_LEN] {
    let mut cdb = read10(blocks);
    cdb[0] = 0x2a;
    cdb
}

/// Operation codes that the driver knows.
const KNOWN: [u8; 48] = [
    0x00, 0x03, 0x08, 0x0a, 0x12, 0x15, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x25, 0x28, 0x2a, 0x2e, 0x2f,
    0x34, 0x35, 0x3b, 0x3c, 0x41, 0x42, 0x4c, 0x4d, 0x55, 0x5a, 0x5e, 0x5f, 0x88, 0x8a, 0x8e, 0x8f,
    0x90, 0x91, 0x93, 0x9e, 0xa0, 0xa2, 0xa3, 0xa8, 0xaa, 0xae, 0xaf, 0xb5, 0x00, 0x28, 0x2a, 0x12,
];

/// Any CDB. Bytes of chance would rarely be a command that is known, with a length that matters.
pub(super) fn any_cdb(any: &mut Generator) -> [u8; CDB_LEN] {
    let mut cdb = [0; CDB_LEN];
    any.fill(&mut cdb);
    if any.below(8) != 0 {
        cdb[0] = any.pick(&KNOWN);
    }
    let zeros = any.any_u32() | any.any_u32();
    for (n, byte) in cdb.iter_mut().enumerate().skip(1) {
        if zeros >> n & 1 != 0 {
            *byte = 0;
        }
    }
    cdb
}

/// Any length of a buffer: short, of whole blocks, or as it comes.
pub(super) fn any_len(any: &mut Generator) -> u32 {
    match any.below(4) {
        0 => any.below(65),
        1 => any.below(65) * 512,
        2 => any.below(257) * 4096,
        _ => any.below(1 << 20),
    }
}

/// Any buffer. One of length 0 counts as none, as in `submission.rs`.
pub(super) fn any_buffer(any: &mut Generator, len: u32) -> Buffer {
    match (any.below(4), len) {
        (0, _) | (_, 0) => Buffer::None,
        (1, len) => Buffer::In(len),
        (2, len) => Buffer::Out(len),
        (_, len) => Buffer::Either(len),
    }
}
