// SPDX-License-Identifier: GPL-2.0

//! How a command ended: the parts of `scsi_cmnd.result`, and the residual.

use crate::bindings;

/// A SCSI status byte (SAM-5, 5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct Status(pub u8);

impl Status {
    /// The command completed without error.
    pub const GOOD: Self = Self(bindings::sam_status_SAM_STAT_GOOD as u8);
    /// Sense data says what happened.
    pub const CHECK_CONDITION: Self = Self(bindings::sam_status_SAM_STAT_CHECK_CONDITION as u8);
    /// The logical unit is busy.
    pub const BUSY: Self = Self(bindings::sam_status_SAM_STAT_BUSY as u8);
    /// Another initiator holds a reservation.
    pub const RESERVATION_CONFLICT: Self =
        Self(bindings::sam_status_SAM_STAT_RESERVATION_CONFLICT as u8);
    /// The task set of the logical unit is full.
    pub const TASK_SET_FULL: Self = Self(bindings::sam_status_SAM_STAT_TASK_SET_FULL as u8);
    /// An auto contingent allegiance is in effect.
    pub const ACA_ACTIVE: Self = Self(bindings::sam_status_SAM_STAT_ACA_ACTIVE as u8);
    /// The command was aborted by another initiator.
    pub const TASK_ABORTED: Self = Self(bindings::sam_status_SAM_STAT_TASK_ABORTED as u8);

    /// Whether the standard defines this status.
    pub fn is_known(self) -> bool {
        matches!(
            self,
            Self::GOOD
                | Self::CHECK_CONDITION
                | Self::BUSY
                | Self::RESERVATION_CONFLICT
                | Self::TASK_SET_FULL
                | Self::ACA_ACTIVE
                | Self::TASK_ABORTED
        ) || self.0 == bindings::sam_status_SAM_STAT_CONDITION_MET as u8
    }
}

/// What the host says of a command's fate, apart from the device's status (`DID_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum HostByte {
    /// The device answered; its status counts.
    Ok = bindings::scsi_host_status_DID_OK as u8,
    /// There is nothing to talk to.
    NoConnect = bindings::scsi_host_status_DID_NO_CONNECT as u8,
    /// The bus was busy all the time. The midlayer retries, if it may.
    BusBusy = bindings::scsi_host_status_DID_BUS_BUSY as u8,
    /// There is no such target.
    BadTarget = bindings::scsi_host_status_DID_BAD_TARGET as u8,
    /// The command was aborted for another reason than those below.
    Abort = bindings::scsi_host_status_DID_ABORT as u8,
    /// The data were damaged on the way.
    Parity = bindings::scsi_host_status_DID_PARITY as u8,
    /// The host could not carry the command out, or does not understand what became of it. The
    /// midlayer may retry.
    Error = bindings::scsi_host_status_DID_ERROR as u8,
    /// The command was lost in a reset. The midlayer retries.
    Reset = bindings::scsi_host_status_DID_RESET as u8,
    /// The device failed, but may not do so again. The midlayer retries, if it may.
    SoftError = bindings::scsi_host_status_DID_SOFT_ERROR as u8,
    /// The way to the device is interrupted. The midlayer retries, if it may.
    TransportDisrupted = bindings::scsi_host_status_DID_TRANSPORT_DISRUPTED as u8,
    /// The command never came to the device, or not as far as it mattered. The midlayer queues it
    /// again, and does not count that as a try.
    Requeue = bindings::scsi_host_status_DID_REQUEUE as u8,
}

/// The end of a command.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    host: HostByte,
    status: Status,
    residual: u32,
}

impl Outcome {
    /// The device answered with `status`.
    pub fn status(status: Status) -> Self {
        Self {
            host: HostByte::Ok,
            status,
            residual: 0,
        }
    }

    /// The device did not answer, or not so that it could be trusted.
    pub fn host(host: HostByte) -> Self {
        Self {
            host,
            status: Status::GOOD,
            residual: 0,
        }
    }

    /// `bytes` of the buffer were not transferred.
    pub fn with_residual(mut self, bytes: u32) -> Self {
        self.residual = bytes;
        self
    }

    /// The value for `scsi_cmnd.result`.
    pub(super) fn result(self) -> i32 {
        i32::from(self.host as u8) << 16 | i32::from(self.status.0)
    }

    /// The value for `scsi_cmnd.resid_len`, in bytes.
    pub(super) fn residual(self) -> u32 {
        self.residual
    }
}
