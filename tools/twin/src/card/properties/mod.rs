// SPDX-License-Identifier: GPL-2.0

//! What holds of the card whatever its host does, each property one function.
//!
//! The tests of this crate call them with random input, the targets in `tools/fuzz`
//! with input that a fuzzer looks for; both make it from bytes by crate arbitrary.

pub mod host;
mod script;
pub mod slot;
mod verdict;

use arbitrary::{Arbitrary, Unstructured};
use std::fs;
use std::path::Path;

/// Operation codes that one side or the other knows.
const KNOWN: &[u8] = &[
    0x00, 0x03, 0x08, 0x0a, 0x12, 0x15, 0x1a, 0x1b, 0x1c, 0x1d, 0x25, 0x28, 0x2a, 0x2e, 0x2f, 0x34,
    0x35, 0x3b, 0x3c, 0x41, 0x42, 0x4c, 0x4d, 0x55, 0x5a, 0x5e, 0x5f, 0x88, 0x8a, 0x8e, 0x8f, 0x91,
    0x93, 0x9e, 0xa0, 0xa2, 0xa3, 0xa8, 0xaa, 0xae, 0xaf, 0xb5,
];

/// A CDB, which often has a known operation code, and bytes of zero more often than chance
/// would have it: addresses and lengths are rarely in range otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cdb(pub [u8; 16]);

impl<'a> Arbitrary<'a> for Cdb {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let (mut cdb, zeros, more, known): ([u8; 16], u16, u16, u8) = u.arbitrary()?;
        for (n, byte) in cdb.iter_mut().enumerate().skip(1) {
            if ((zeros | more) >> n) & 1 != 0 {
                *byte = 0;
            }
        }
        // Beyond the list, and that is for a few, it stays what it is.
        if let Some(code) = known
            .checked_sub(1)
            .and_then(|n| KNOWN.get(usize::from(n % 64)))
        {
            cdb[0] = *code;
        }
        Ok(Cdb(cdb))
    }
}

/// What a fuzz target begins with: bytes of the trace, and whatever a fuzzer found that
/// had to be mended.
///
/// # Panics
///
/// Panics if there are none, or not the source tree.
pub fn seeds<T: for<'a> Arbitrary<'a>>(target: &str) -> Vec<T> {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds");
    let files = fs::read_dir(seeds.join(target)).expect("a folder of seeds");
    let made: Vec<T> = files
        .map(|file| fs::read(file.expect("a seed").path()).expect("a seed"))
        .map(|bytes| T::arbitrary_take_rest(Unstructured::new(&bytes)).expect("enough bytes"))
        .collect();
    assert!(!made.is_empty(), "no seeds for {target}");
    made
}
