// SPDX-License-Identifier: GPL-2.0

//! Single commands that error handling wants back: from an abort, or from a reset of their unit.
//!
//! What the driver answers is believed only if the table agrees.

#[kernel::prelude::kunit_tests(rust_scsi_abort)]
mod tests {
    use super::super::{
        super::{
            template::Template,
            Outcome,
            Status, //
        },
        ask::Deed,
        bench::Bench,
        fake::Fake,
        lost::{
            counts,
            lost,
            reset,
            timed_out,
            works,
            GOOD,
            SHORT, //
        },
        request::{
            Data,
            Request,
            Sent, //
        },
        state::Answer,
    };
    use crate::bindings;
    use core::ptr::NonNull;
    use kernel::{
        prelude::*,
        sync::atomic::ordering::Relaxed, //
    };

    /// Aborts, resets of the unit, and commands that were taken back.
    fn answers(bench: &Bench) -> (u32, u32, u32) {
        let state = bench.state();
        (
            state.aborts.load(Relaxed),
            state.device_resets.load(Relaxed),
            state.taken_back.load(Relaxed),
        )
    }

    #[test]
    fn taken_back_by_an_abort() -> Result {
        let bench = Bench::new()?;
        bench.state().abort.set(Answer::TakeBack);
        assert_eq!(lost(&bench)?.end(), timed_out());
        assert_eq!(answers(&bench), (1, 0, 1));
        assert_eq!(counts(&bench), (2, 0, 0));
        assert!(works(&bench)?);
        Ok(())
    }

    /// Only the one that has timed out is aborted.
    #[test]
    fn others_go_on() -> Result {
        let bench = Bench::new()?;
        bench.state().abort.set(Answer::TakeBack);
        let other = bench.request(Deed::Start, Data::None)?.send()?;
        assert!(bench.starts(1));
        let request = bench.request(Deed::StartMapped, Data::None)?.timeout(SHORT);
        assert_eq!(request.send()?.end(), timed_out());
        assert_eq!(answers(&bench), (1, 0, 1));
        assert_eq!(bench.in_flight(), 1);
        assert!(!other.has_ended());
        bench.take(|cmd, _| cmd.complete(Outcome::status(Status::GOOD)));
        assert_eq!(other.end(), GOOD);
        assert!(works(&bench)?);
        Ok(())
    }

    /// The interrupt was faster. There is nothing left to do.
    #[test]
    fn completed_before_it_was_aborted() -> Result {
        let bench = Bench::new()?;
        bench.state().abort.set(Answer::CompleteFirst);
        assert_eq!(lost(&bench)?.end(), timed_out());
        assert_eq!(answers(&bench), (1, 0, 0));
        assert_eq!(counts(&bench), (2, 0, 0));
        assert!(works(&bench)?);
        Ok(())
    }

    /// The driver says that it was aborted, and has it still: error handling goes on.
    #[test]
    fn not_aborted_at_all() -> Result {
        let bench = Bench::new()?;
        bench.state().abort.set(Answer::Lie);
        assert_eq!(lost(&bench)?.end(), timed_out());
        assert_eq!(answers(&bench), (1, 1, 0));
        assert_eq!(counts(&bench), (2, 1, 1));
        assert!(works(&bench)?);
        Ok(())
    }

    /// What cannot be aborted may go with the unit; then the host is left alone.
    #[test]
    fn taken_back_by_a_device_reset() -> Result {
        let bench = Bench::new()?;
        bench.state().device_reset.set(Answer::TakeBack);
        assert_eq!(lost(&bench)?.end(), timed_out());
        assert_eq!(answers(&bench), (1, 1, 1));
        assert_eq!(counts(&bench), (2, 0, 0));
        assert!(!bench.is_offline());
        assert!(works(&bench)?);
        Ok(())
    }

    /// The unit was not reset, whatever the driver says of it: the host is.
    #[test]
    fn a_unit_that_was_not_reset() -> Result {
        let bench = Bench::new()?;
        bench.state().device_reset.set(Answer::Lie);
        assert_eq!(lost(&bench)?.end(), timed_out());
        assert_eq!(answers(&bench), (1, 1, 0));
        assert_eq!(counts(&bench), (2, 1, 1));
        assert!(works(&bench)?);
        Ok(())
    }

    /// Has the unit reset, as `sg_reset` does: with a command that is none, and has no tag. Whether
    /// the midlayer is told that this worked.
    fn reset_by_ioctl(bench: &Bench) -> Result<bool> {
        let cmd = KBox::<bindings::scsi_cmnd>::new_uninit(GFP_KERNEL | __GFP_ZERO)?;
        // SAFETY: It was zeroed, and may be all zeros.
        let mut cmd = unsafe { cmd.assume_init() };
        cmd.device = bench.unit().as_ptr();
        // SAFETY: This is process context, and the command's device is one of a host of `Fake`.
        let disposition = unsafe { Template::<Fake>::device_reset(&mut *cmd) };
        Ok(disposition as u32 == bindings::scsi_disposition_SUCCESS)
    }

    /// Two commands, of which one has a mapping. Both have data: the midlayer tries those again
    /// that have none, whatever their sender says.
    fn two(bench: &Bench) -> Result<[Sent<'_>; 2]> {
        let data = || Ok::<_, Error>(Data::In(KVec::from_elem(0, 512, GFP_KERNEL)?));
        let sent = [
            bench.request(Deed::StartMapped, data()?)?.send()?,
            bench.request(Deed::Start, data()?)?.send()?,
        ];
        assert!(bench.starts(2));
        assert_eq!(bench.host().in_flight_of(bench.device()).count(), 2);
        Ok(sent)
    }

    /// Nobody but us ends commands that have not timed out.
    #[test]
    fn ended_by_an_ioctl() -> Result {
        let bench = Bench::new()?;
        bench.state().device_reset.set(Answer::TakeBack);
        let sent = two(&bench)?;
        assert!(reset_by_ioctl(&bench)?);
        for sent in &sent {
            assert_eq!(sent.end(), reset());
        }
        assert_eq!(answers(&bench), (0, 1, 2));
        assert_eq!(counts(&bench), (0, 0, 0));
        assert!(works(&bench)?);
        Ok(())
    }

    /// They may complete just then.
    #[test]
    fn completed_before_the_ioctl() -> Result {
        let bench = Bench::new()?;
        bench.state().device_reset.set(Answer::CompleteFirst);
        let sent = two(&bench)?;
        assert!(reset_by_ioctl(&bench)?);
        for sent in &sent {
            assert_eq!(sent.end(), GOOD);
        }
        assert_eq!(answers(&bench), (0, 1, 0));
        assert!(works(&bench)?);
        Ok(())
    }

    /// Whoever asked is told the truth, and the commands go on.
    #[test]
    fn an_ioctl_in_vain() -> Result {
        let bench = Bench::new()?;
        for answer in [Answer::Lie, Answer::Refuse] {
            bench.state().device_reset.set(answer);
            let sent = two(&bench)?;
            assert!(!reset_by_ioctl(&bench)?);
            assert_eq!(bench.in_flight(), 2);
            for _ in &sent {
                bench.take(|cmd, _| cmd.complete(Outcome::status(Status::GOOD)));
            }
            for sent in &sent {
                assert_eq!(sent.end(), GOOD);
            }
            assert!(works(&bench)?);
        }
        Ok(())
    }

    /// A driver whose device is gone is not asked.
    #[test]
    fn no_reset_of_a_unit_after_a_shutdown() -> Result {
        let bench = Bench::new()?;
        bench.state().device_reset.set(Answer::TakeBack);
        assert!(reset_by_ioctl(&bench)?);
        bench.host().shut_down();
        assert!(!reset_by_ioctl(&bench)?);
        assert_eq!(answers(&bench), (0, 1, 0));
        Ok(())
    }

    /// What error handling sends to a unit without data has it end the others of that unit if it
    /// succeeds: it waits while one of them is in flight.
    #[test]
    fn others_are_not_ended() -> Result {
        let bench = Bench::new()?;
        let start_unit = [0x1b, 0, 0, 0, 1, 0];
        let request = Request::to(bench.unit(), &start_unit, Data::None)?;
        let queue = || {
            let cmd = request.cmd();
            // SAFETY: The request is not sent, so that the command is ours.
            unsafe {
                (*cmd).device = bench.unit().as_ptr();
                (*cmd).sc_data_direction = bindings::dma_data_direction::DMA_NONE;
                (*cmd).submitter = bindings::scsi_cmnd_submitter_SUBMITTED_BY_SCSI_ERROR_HANDLER;
                Template::<Fake>::is_too_early(bench.host(), NonNull::new_unchecked(cmd))
            }
        };
        assert!(!queue());
        let sent = bench.request(Deed::Start, Data::None)?.send()?;
        assert!(bench.starts(1));
        assert!(queue());
        bench.take(|cmd, _| cmd.complete(Outcome::status(Status::GOOD)));
        assert_eq!(sent.end(), GOOD);
        assert!(!queue());
        Ok(())
    }

    /// A command that is nowhere gets its time once more, in which it may turn up, and then ends.
    #[test]
    fn a_command_that_nobody_has() -> Result {
        let bench = Bench::new()?;
        let request = bench.request(Deed::Forget, Data::None)?.timeout(SHORT);
        assert_eq!(request.send()?.end(), timed_out());
        // There is nothing to abort. The driver was asked to look before that.
        assert_eq!(answers(&bench), (0, 0, 0));
        assert_eq!(counts(&bench), (1, 0, 0));
        assert!(works(&bench)?);
        Ok(())
    }

    /// The same with a command that is in somebody's hands, as when it is being completed.
    #[test]
    fn once_more_and_never_again() -> Result {
        let bench = Bench::new()?;
        let sent = bench.request(Deed::Start, Data::None)?.send()?;
        assert!(bench.starts(1));
        let actions = bench.take(|cmd, _| {
            // SAFETY: The command has not ended, and is one of a host of `Fake`.
            let actions = [(); 3].map(|()| unsafe { Template::<Fake>::timed_out(cmd.as_raw()) });
            cmd.complete(Outcome::status(Status::GOOD));
            actions
        });
        let expected = [
            bindings::scsi_timeout_action::SCSI_EH_RESET_TIMER,
            bindings::scsi_timeout_action::SCSI_EH_NOT_HANDLED,
            bindings::scsi_timeout_action::SCSI_EH_NOT_HANDLED,
        ];
        assert!(actions == Some(expected));
        assert_eq!(sent.end(), GOOD);
        assert!(works(&bench)?);
        Ok(())
    }
}
