// SPDX-License-Identifier: GPL-2.0

//! From an interrupt to completed commands.
//!
//! How the card says which commands are done is not known: neither the format of the completion
//! ring nor the registers that count completions. The driver does without. It clears the response
//! of a tag before submitting, and after an interrupt looks at the response of every tag in
//! flight.
//!
//! The order matters. First the interrupt is acknowledged. Then the status block is read, which
//! pushes the acknowledgment out and pulls what the card wrote before in. Then the responses are
//! looked at: one that lands after the look raises a new interrupt (A).

use crate::{
    hba::Hba,
    regs,
    scsi::{
        self,
        Command,
        HostByte,
        Outcome,
        Sense,
        Status, //
    },
    submission::Journey,
    wire,
    AppleRaid, //
};
use kernel::{
    io::Io,
    irq::IrqReturn,
    prelude::*,
    sync::rcu, //
};

type Host = scsi::Host<AppleRaid>;

/// The response of a command that succeeded.
const GOOD: wire::Response = wire::Response::Done {
    status: Status::GOOD.0,
    sense_len: 0,
};

/// The interrupt handler.
pub(crate) fn interrupt(hba: &Hba<'_>, host: &Host) -> IrqReturn {
    let managed = acknowledge(hba, host);
    if !complete_finished(hba, host) && !managed {
        look_for_other_causes(hba, host);
    }
    IrqReturn::Handled
}

/// As an interrupt, but one that was lost: acknowledging lets the next one come.
pub(crate) fn poll(hba: &Hba<'_>, host: &Host) {
    acknowledge(hba, host);
    complete_finished(hba, host);
    look_for_strays(hba, host);
}

/// A response that bears another tag answers nobody. Its command is left to the restart that
/// follows: the card may still be at work on it.
fn look_for_strays(hba: &Hba<'_>, host: &Host) {
    for tag in host.in_flight().tags() {
        let tag = tag.as_u16();
        let Ok(Some(header)) = hba.regions.stray(tag) else {
            continue;
        };
        if host.may_complain() {
            dev_err!(
                hba.pdev,
                "tag {}: the response is not for it: {:02x?}\n",
                tag,
                header
            );
        }
    }
}

/// Acknowledges what the card reports. Returns whether there was a management response.
pub(crate) fn acknowledge(hba: &Hba<'_>, host: &Host) -> bool {
    hba.bar.write_reg(regs::SCSI_PENDING::zeroed());
    let status = hba.bar.read(regs::STATUS);
    if status.into_raw() == u32::MAX {
        if host.may_complain() {
            dev_err!(
                hba.pdev,
                "the card is gone: its registers read as all ones\n"
            );
        }
        return false;
    }
    if status.management().get() == 0 {
        return false;
    }
    hba.bar.write_reg(regs::MANAGEMENT_PENDING::zeroed());
    if host.may_complain() {
        dev_info!(hba.pdev, "a management response, which nobody asked for\n");
    }
    true
}

/// An interrupt that completed nothing is late, or spurious, or has the cause that is not known.
fn look_for_other_causes(hba: &Hba<'_>, host: &Host) {
    let rest = hba.bar.read(regs::STATUS_REST);
    if rest.into_raw() == u32::MAX || rest.third().get() == 0 {
        return;
    }
    hba.bar.write_reg(regs::THIRD_PENDING::zeroed());
    if host.may_complain() {
        dev_info!(
            hba.pdev,
            "unknown cause of interrupt: status {:#010x}\n",
            rest.into_raw()
        );
    }
}

/// Completes each command in flight that the card has answered. Returns whether there was one.
pub(crate) fn complete_finished(hba: &Hba<'_>, host: &Host) -> bool {
    let allowed = hba.completing.lock();
    if !*allowed {
        return false;
    }
    let rcu = rcu::read_lock();
    let mut any = false;
    for tag in host.in_flight().tags() {
        let Ok(Some(response)) = hba.regions.response(tag.as_u16()) else {
            continue;
        };
        if let Some((cmd, journey)) = host.in_flight().take(tag, &rcu) {
            any = true;
            finish(hba, host, cmd, journey, response);
        }
    }
    any
}

/// Ends a command as the card's response says.
fn finish(
    hba: &Hba<'_>,
    host: &Host,
    cmd: Command<'_, AppleRaid>,
    journey: Journey,
    response: wire::Response,
) {
    let residual = journey.residual(cmd.data_len());
    if response == GOOD {
        hba.note_block_length(&cmd, &journey);
    }
    if hba.arrive(&cmd, journey).is_err() {
        return cmd.complete(Outcome::host(HostByte::Error));
    }
    let tag = cmd.tag().as_u16();
    match response {
        wire::Response::Done { status, sense_len } => {
            let status = Status(status);
            let sense = hba.regions.sense(tag, sense_len);
            match sense {
                Ok(sense) if status == Status::CHECK_CONDITION && sense_len > 0 => {
                    cmd.heed(&sense);
                    let residual = residual_of_failed(cmd.data_len(), &sense, residual);
                    cmd.complete_with(sense, residual);
                }
                _ if status.is_known() && sense_len == 0 => {
                    cmd.complete(Outcome::status(status).with_residual(residual));
                }
                _ => garbled(hba, host, cmd),
            }
        }
        wire::Response::Garbled => garbled(hba, host, cmd),
    }
}

/// The card does not say how much a command moved that failed: nothing, unless the sense key says
/// that it succeeded after all (NO SENSE, RECOVERED ERROR; fixed format).
fn residual_of_failed(data_len: u32, sense: &Sense, residual: u32) -> u32 {
    match sense.as_bytes() {
        [0x70, _, key, ..] if key & 0xf <= 1 => residual,
        _ => data_len,
    }
}

/// The card answered with something that is not an answer.
fn garbled(hba: &Hba<'_>, host: &Host, cmd: Command<'_, AppleRaid>) {
    if host.may_complain() {
        dev_err!(
            hba.pdev,
            "tag {}: the response makes no sense; the command is failed\n",
            cmd.tag().as_u16()
        );
    }
    cmd.complete(Outcome::host(HostByte::Error));
}
