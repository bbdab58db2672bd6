// SPDX-License-Identifier: GPL-2.0

//! Decisions: whatever CDB and buffer are, what is described is what the CDB moves, and nothing is
//! described that is not there.

use core::num::NonZero;

use apple_raid_twin::{
    card::properties::Cdb,
    scsi::{DataPhase, Target},
};
use arbitrary::{Arbitrary, Unstructured};

use super::Buffer;
use crate::{
    cdb::{self, Amount, Way},
    transfer::{OWN_LEN, SINK_LEN, plan},
    wire::UNIT,
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
        Some((_, Amount::Bytes(0))) | None => return false,
        Some((Way::In, amount)) => DataPhase::In(bytes(amount)),
        Some((Way::Out, amount)) => DataPhase::Out(bytes(amount)),
    };
    if theirs == DataPhase::None {
        return false;
    }
    assert_eq!(ours, theirs, "{cdb:02x?}");
    true
}

fn described_is_what_the_cdb_moves(input: &Input) {
    let Input { cdb, buffer, block } = *input;
    let (offered, room) = buffer;
    let Ok(plan) = plan(&cdb.0, offered, room, block) else {
        return;
    };
    let (way, amount) = cdb::phase(&cdb.0).expect("an unknown command was not refused");
    let moved = match amount {
        Amount::Bytes(bytes) => u64::from(bytes),
        Amount::Blocks(0) => 0,
        Amount::Blocks(blocks) => {
            u64::from(blocks) * u64::from(block.expect("no length of a block, no plan").get())
        }
    };
    let Some(transfer) = plan else {
        assert_eq!(moved, 0, "{input:02x?}");
        return;
    };
    assert_eq!((transfer.way, u64::from(transfer.len)), (way, moved));
    assert!(room == 0 || offered.is_none_or(|offered| offered == way));
    // The caller's memory is used in whole units, and never beyond its end.
    assert_eq!(transfer.straight % UNIT, 0, "{input:02x?}");
    assert!(transfer.straight <= room.min(transfer.len), "{input:02x?}");
    let own = transfer.straight + transfer.own;
    assert!(transfer.own as usize <= OWN_LEN && own <= transfer.len);
    if cdb::block_length_in_answer(&cdb.0).is_none() {
        assert_eq!(own, room.min(transfer.len), "{input:02x?}");
    }
    match way {
        Way::In => assert!(transfer.len - own <= SINK_LEN, "{input:02x?}"),
        // Otherwise bytes would be invented.
        Way::Out => assert_eq!(own, transfer.len, "{input:02x?}"),
    }
}
