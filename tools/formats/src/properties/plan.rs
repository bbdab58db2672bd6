// SPDX-License-Identifier: GPL-2.0

//! Decisions: whatever CDB and buffer are, what is described is what the CDB moves, and nothing is
//! described that is not there.

use core::num::NonZero;

use apple_raid_twin::{
    card::properties::Cdb,
    scsi::{DataPhase, Target},
};
use arbitrary::{Arbitrary, Unstructured};

use crate::{
    cdb::{self, Amount, Phase},
    transfer::{BOUNCE_MAX, Buffer, Plan, Way, plan},
};

/// A command, its buffer, and a logical unit.
#[derive(Clone, Copy, Debug)]
pub struct Input {
    cdb: Cdb,
    buffer: Buffer,
    block: Option<NonZero<u32>>,
}

impl<'a> Arbitrary<'a> for Input {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        let cdb = u.arbitrary()?;
        Ok(Input {
            cdb,
            buffer: super::buffer(u, &cdb)?,
            block: NonZero::new(match u.arbitrary::<u8>()? % 5 {
                0 => 0,
                1 => 520,
                2 => 4096,
                3 => u.arbitrary()?,
                _ => 512,
            }),
        })
    }
}

/// All of it.
pub fn nothing_is_described_that_is_not_there(input: &Input) {
    reads_like_the_twin(&input.cdb);
    described_is_what_the_cdb_moves(input);
}

/// The twin's reading of a CDB was written from the standards, without sight of the driver's.
/// What the two know, they read alike; what the driver does not know, it refuses. Returns whether
/// both know it.
pub fn reads_like_the_twin(cdb: &Cdb) -> bool {
    let theirs = Target::default().data_phase(0, &cdb.0);
    let bytes = |amount| match amount {
        Amount::Bytes(bytes) => u64::from(bytes),
        Amount::Blocks(blocks) => u64::from(blocks) * 512,
    };
    let ours = match cdb::phase(&cdb.0) {
        Some(Phase::None) => DataPhase::None,
        Some(Phase::In(amount)) => DataPhase::In(bytes(amount)),
        Some(Phase::Out(amount)) => DataPhase::Out(bytes(amount)),
        None => return false,
    };
    if theirs == DataPhase::None {
        return false;
    }
    assert_eq!(ours, theirs, "{cdb:02x?}");
    true
}

fn described_is_what_the_cdb_moves(input: &Input) {
    let Input { cdb, buffer, block } = *input;
    let Ok(plan) = plan(&cdb.0, buffer, block) else {
        return;
    };
    let bytes = |amount| match amount {
        Amount::Bytes(bytes) => u64::from(bytes),
        Amount::Blocks(0) => 0,
        Amount::Blocks(blocks) => {
            u64::from(blocks) * u64::from(block.expect("no length of a block, no plan").get())
        }
    };
    let phase = cdb::phase(&cdb.0).expect("an unknown command was not refused");
    let (way, moved) = match phase {
        Phase::None => (None, 0),
        Phase::In(amount) => (Some(Way::In), bytes(amount)),
        Phase::Out(amount) => (Some(Way::Out), bytes(amount)),
    };
    let offered = match (way, buffer) {
        (Some(Way::In), Buffer::In(len)) | (Some(Way::Out), Buffer::Out(len)) => Some(len),
        (Some(_), Buffer::Either(len)) => Some(len),
        _ => None,
    };
    match plan {
        Plan::NoData => assert_eq!(moved, 0, "{input:02x?}"),
        Plan::Straight(direct) => {
            assert_eq!(Some(direct), way, "{input:02x?}");
            let len = offered.expect("no buffer that goes this way");
            assert_eq!(moved, u64::from(len), "{input:02x?}");
        }
        Plan::Bounce(bounced, len) => {
            assert_eq!(Some(bounced), way, "{input:02x?}");
            assert_eq!(moved, u64::from(len), "{input:02x?}");
            assert!((1..=BOUNCE_MAX).contains(&len), "{input:02x?}");
            match bounced {
                Way::In => assert!(!matches!(buffer, Buffer::Out(_)), "{input:02x?}"),
                // Otherwise bytes would be invented.
                Way::Out => assert!(offered >= Some(len), "{input:02x?}"),
            }
        }
    }
}
