// SPDX-License-Identifier: GPL-2.0

//! What holds of the driver's modules whatever they are given, each property one function.
//!
//! The tests of this crate call them with random input, the targets in `tools/fuzz` with input
//! that a fuzzer looks for; both make it from bytes by crate arbitrary.

pub mod journey;
pub mod plan;
pub mod wire;

use apple_raid_twin::card::properties::Cdb;
use arbitrary::Unstructured;

use crate::cdb::{self, Amount, Way};

/// See [`buffer`].
type Buffer = (Option<Way>, u32);

/// The longest buffer that a caller has here.
const BUFFER_MAX: u32 = 1 << 20;

/// Which way a caller's buffer goes, if that is said, and its length; often of whole blocks, or just as long as the CDB wants it.
fn buffer(u: &mut Unstructured<'_>, cdb: &Cdb) -> arbitrary::Result<Buffer> {
    let (kind, len): (u8, u32) = u.arbitrary()?;
    let len = match kind >> 2 & 3 {
        0 => len % 65,
        1 => len % BUFFER_MAX,
        2 => len % 65 * 512,
        _ => moved(cdb).min(BUFFER_MAX),
    };
    Ok(match kind & 3 {
        0 => (None, 0),
        1 => (Some(Way::In), len),
        2 => (Some(Way::Out), len),
        _ => (None, len),
    })
}

/// Bytes that the CDB moves, if blocks have 512.
fn moved(cdb: &Cdb) -> u32 {
    match cdb::phase(&cdb.0) {
        Some((_, Amount::Blocks(n))) => n.saturating_mul(512),
        Some((_, Amount::Bytes(n))) => n,
        None => 0,
    }
}
