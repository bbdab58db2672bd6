// SPDX-License-Identifier: GPL-2.0

//! Where the responses lie, what the submit doorbell does, and that each command is the one that
//! was submitted.
//!
//! Tag 1 comes first: its response lies one stride into region F, which is in there whatever the
//! stride. Only then comes the highest tag. If the mailbox were a ring, it would not be found:
//! the card would carry out what is in slot 0.

use super::{
    answers,
    misfit::Misfit,
    trial::{
        Question,
        Trial, //
    },
    Stop, //
};

/// Learns the stride of the responses and the kind of the doorbell. A card of one tag has no
/// stride.
pub(super) fn check(trial: &mut Trial<'_, '_>) -> Result<(), Stop> {
    let question = Question::TEST_UNIT_READY;
    let tag = trial.tags.min(2) - 1;
    let (before, written) = (trial.doorbell(), trial.next_ring());
    trial.submit(tag, &question)?;
    let (place, answered) = trial.find_response(question.what)?;
    trial.say(format_args!(
        "tag {answered} answered at {place} of region F"
    ));
    if answered != tag {
        return Err(Misfit::OtherTag {
            asked: tag,
            answered,
        }
        .into());
    }
    if tag == 1 {
        trial.model.response_stride.see(answers::stride(place)?);
    }
    trial.memory.forget_response(tag, place)?;
    let after = trial.doorbell();
    trial.say(format_args!(
        "doorbell: held {before:#x}, written {written:#x}, holds {after:#x}"
    ));
    trial.set_doorbell(answers::doorbell(before, written, after)?);

    let status = trial.answer(trial.tags - 1, &question)?;
    trial.say(format_args!(
        "tag {} answered where it should, status {:#x}",
        trial.tags - 1,
        status.0
    ));
    Ok(())
}
