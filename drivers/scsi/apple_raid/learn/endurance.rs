// SPDX-License-Identifier: GPL-2.0

//! What the card writes to the completion ring, and that it goes on when more commands have
//! completed than the ring has entries. If there were registers that acknowledge entries, this is
//! where the card would stop answering.

use super::{
    answers,
    misfit::Misfit,
    trial::{
        Question,
        Trial, //
    },
    Stop, //
};
use crate::regions;
use kernel::time::{
    delay::fsleep,
    Delta, //
};

/// Commands that have to complete: more than twice the entries of the ring.
const COMMANDS: u32 = 300;

/// From the last answer to the end of the trial.
const REST: Delta = Delta::from_millis(10);

/// Looks at the first entries of the ring, which the first two commands left.
pub(super) fn look_at_ring(trial: &mut Trial<'_, '_>) -> Result<(), Stop> {
    let bytes = trial.memory.ring()?;
    trial.say(format_args!("the ring begins {bytes:02x?}"));
    let last = trial.tags - 1;
    let first = last.min(1);
    trial.model.ring.see(answers::ring(&bytes, [first, last]));
    Ok(())
}

/// Has more commands completed than the ring has entries, with every tag. All of the ring has been
/// written then.
pub(super) fn check(trial: &mut Trial<'_, '_>) -> Result<(), Stop> {
    for n in 0..COMMANDS {
        // CAST: Less than `tags`.
        let tag = (n % u32::from(trial.tags)) as u16;
        match trial.answer(tag, &Question::TEST_UNIT_READY) {
            Err(Stop::Misfit(Misfit::NoAnswer(_))) => {
                return Err(Misfit::Stalled(trial.answered - 1).into());
            }
            answer => answer?,
        };
    }
    // The last entry may come behind its answer.
    fsleep(REST);
    let used = trial.memory.ring_used();
    trial.say(format_args!("the ring has {used} bytes"));
    if used > regions::ring_len(trial.tags) {
        return Err(Misfit::Ring(used).into());
    }
    Ok(())
}
