// SPDX-License-Identifier: GPL-2.0

//! A command in the driver's hands.

use crate::bindings;
use core::{
    marker::PhantomData,
    mem::ManuallyDrop,
    ops::Deref,
    ptr::NonNull, //
};
use kernel::{
    pr_err_once,
    prelude::*,
    sync::atomic::{
        ordering::Relaxed,
        Atomic, //
    },
};

use super::{
    Device,
    Host,
    HostByte,
    MapError,
    Mapped,
    Operations,
    Outcome,
    Sense,
    Status,
    Tag, //
};

/// Which way the data of a command goes, as the midlayer says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// There is no buffer.
    None,
    /// From the device into the buffer.
    In,
    /// From the buffer to the device.
    Out,
}

/// A command that the midlayer handed to the driver.
///
/// # Invariants
///
/// `cmd` is a valid command of a host of `T`, and it belongs to the driver: until this token is
/// consumed nobody else completes, starts or frees it. `cmd` is valid for `'a`.
#[must_use = "a command must be completed, started or returned as busy"]
pub struct Command<'a, T: Operations> {
    cmd: NonNull<bindings::scsi_cmnd>,
    _marker: PhantomData<(&'a Host<T>, *mut T)>,
}

impl<'a, T: Operations> Command<'a, T> {
    /// Takes charge of `cmd`.
    ///
    /// # Safety
    ///
    /// `cmd` must be a valid command of a host of `T` for `'a`, and it must belong to the caller.
    pub(super) unsafe fn from_raw(cmd: NonNull<bindings::scsi_cmnd>) -> Self {
        // INVARIANT: By the safety requirements.
        Self {
            cmd,
            _marker: PhantomData,
        }
    }

    /// Consumes the token without ending the command; somebody else has charge of it now.
    pub(super) fn into_raw(self) -> NonNull<bindings::scsi_cmnd> {
        ManuallyDrop::new(self).cmd
    }

    pub(super) fn as_non_null(&self) -> NonNull<bindings::scsi_cmnd> {
        self.cmd
    }

    pub(super) fn as_raw(&self) -> *mut bindings::scsi_cmnd {
        self.cmd.as_ptr()
    }

    /// The command's tag.
    pub fn tag(&self) -> Tag {
        // SAFETY: By the type invariant the command is valid, has a host, and is the private data
        // of a request.
        unsafe {
            let rq = bindings::blk_mq_rq_from_pdu(self.as_raw().cast());
            let shared = (*(*(*self.as_raw()).device).host).host_tagset() != 0;
            Tag::of_request(rq, shared)
        }
    }

    /// The logical unit that the command is for.
    pub fn device(&self) -> &Device<T> {
        // SAFETY: By the type invariant the command is valid, and so is its device, until the
        // command has ended.
        unsafe { Device::from_raw((*self.as_raw()).device) }
    }

    /// Number of the hardware queue that the command was queued to.
    pub fn hw_queue(&self) -> u16 {
        // SAFETY: By the type invariant the command is valid; its request was queued to a hardware
        // queue.
        let queue = unsafe {
            let rq = bindings::blk_mq_rq_from_pdu(self.as_raw().cast());
            (*(*rq).mq_hctx).queue_num
        };
        // CAST: There are at most as many as `Limits::nr_hw_queues`.
        queue as u16
    }

    /// The command descriptor block.
    pub fn cdb(&self) -> &[u8] {
        // SAFETY: By the type invariant the command is valid, and the midlayer does not change it
        // while it belongs to the driver.
        let (cdb, len) = unsafe { (&(*self.as_raw()).cmnd, (*self.as_raw()).cmd_len) };
        cdb.get(..usize::from(len)).unwrap_or(cdb)
    }

    /// Number of the logical unit.
    pub fn lun(&self) -> u64 {
        self.device().lun()
    }

    /// Which way the data goes.
    pub fn direction(&self) -> Direction {
        // SAFETY: By the type invariant the command is valid.
        match unsafe { (*self.as_raw()).sc_data_direction } {
            bindings::dma_data_direction::DMA_FROM_DEVICE => Direction::In,
            bindings::dma_data_direction::DMA_TO_DEVICE => Direction::Out,
            // There is no command that moves data both ways.
            _ => Direction::None,
        }
    }

    /// Length of the data buffer, in bytes.
    pub fn data_len(&self) -> u32 {
        // SAFETY: By the type invariant the command is valid.
        unsafe { (*self.as_raw()).sdb.length }
    }

    /// Maps the data buffer for DMA. Without data there is nothing to map, and so no segment.
    ///
    /// # Errors
    ///
    /// See [`MapError`], which hands the command back.
    pub fn map(self) -> Result<Mapped<'a, T>, MapError<'a, T>> {
        Mapped::new(self)
    }

    /// Puts the command in flight, with what the driver wants back when it is done. To be called
    /// before the device can see the command.
    pub fn start(self, data: T::CommandData) {
        self.insert(data);
    }

    /// Ends the command.
    pub fn complete(self, outcome: Outcome) {
        let cmd = self.into_raw();
        // SAFETY: The command is valid and belonged to the token, which is consumed.
        unsafe { Self::end(cmd, &[], outcome) };
    }

    /// Ends the command with CHECK CONDITION and sense data that the host makes. No data were
    /// transferred.
    pub fn complete_with_sense(self, sense: Sense) {
        let residual = self.data_len();
        self.complete_with(sense.as_bytes(), residual);
    }

    /// Ends the command with CHECK CONDITION and the device's sense data, of which the midlayer has
    /// room for 96 bytes; `residual` bytes of the buffer were not transferred.
    pub fn complete_with(self, sense: &[u8], residual: u32) {
        let outcome = Outcome::status(Status::CHECK_CONDITION).with_residual(residual);
        let cmd = self.into_raw();
        // SAFETY: As in `complete`.
        unsafe { Self::end(cmd, sense, outcome) };
    }

    /// Ends a command.
    ///
    /// One that has timed out belongs to error handling, which reads and writes the same fields.
    /// That begins a grace period after the timeout, so not before this returns.
    ///
    /// # Safety
    ///
    /// `cmd` must be a valid command of a host of `T`, and its token just gone: nobody else ends
    /// it. The RCU read lock is held.
    unsafe fn end(cmd: NonNull<bindings::scsi_cmnd>, sense: &[u8], outcome: Outcome) {
        let len = sense.len().min(bindings::SCSI_SENSE_BUFFERSIZE as usize);
        // SAFETY: By the safety requirements. The sense buffer has SCSI_SENSE_BUFFERSIZE bytes, all
        // of which the midlayer has cleared.
        unsafe {
            if Self::is_complete(cmd) && !Self::is_of_error_handling(cmd) {
                return;
            }
            let cmd = cmd.as_ptr();
            core::ptr::copy_nonoverlapping(sense.as_ptr(), (*cmd).sense_buffer, len);
            (*cmd).resid_len = outcome.residual().min((*cmd).sdb.length);
            (*cmd).result = outcome.result();
            bindings::scsi_done(cmd);
        }
    }

    /// Whether error handling sent the command, on its own account.
    ///
    /// # Safety
    ///
    /// `cmd` must be a valid command.
    pub(super) unsafe fn is_of_error_handling(cmd: NonNull<bindings::scsi_cmnd>) -> bool {
        // SAFETY: By the safety requirement.
        let submitter = unsafe { (*cmd.as_ptr()).submitter };
        submitter == bindings::scsi_cmnd_submitter_SUBMITTED_BY_SCSI_ERROR_HANDLER
    }

    /// Whether the midlayer was told that the command has ended, or error handling has it.
    ///
    /// # Safety
    ///
    /// `cmd` must be a valid command.
    pub(super) unsafe fn is_complete(cmd: NonNull<bindings::scsi_cmnd>) -> bool {
        // SAFETY: By the safety requirement. C code accesses the field by atomic operations.
        let state = unsafe { Atomic::from_ptr(&raw mut (*cmd.as_ptr()).state) }.load(Relaxed);
        state & (1 << bindings::SCMD_STATE_COMPLETE) != 0
    }

    /// Returns the command to the midlayer: the host takes no commands now. It is tried again when
    /// another one of the host has ended, or later.
    pub fn busy(self) -> Busy<'a, T> {
        Busy(self)
    }
}

impl<T: Operations> Drop for Command<'_, T> {
    fn drop(&mut self) {
        pr_err_once!("{}: a driver dropped a SCSI command\n", T::NAME);
        // SAFETY: By the type invariant the command is valid and belongs to this token, which is
        // gone after this.
        unsafe { Self::end(self.cmd, &[], Outcome::host(HostByte::Error)) };
    }
}

/// A command that was in flight and was taken: the device is done with it. It can only be
/// completed: whoever stops the device looks once at what is in flight, so nothing may return
/// there.
#[must_use = "a command must be completed"]
pub struct Taken<'a, T: Operations>(Command<'a, T>);

impl<'a, T: Operations> Taken<'a, T> {
    pub(super) fn new(cmd: Command<'a, T>) -> Self {
        Self(cmd)
    }

    /// As [`Command::complete`].
    pub fn complete(self, outcome: Outcome) {
        self.0.complete(outcome);
    }

    /// As [`Command::complete_with_sense`].
    pub fn complete_with_sense(self, sense: Sense) {
        self.0.complete_with_sense(sense);
    }

    /// As [`Command::complete_with`].
    pub fn complete_with(self, sense: &[u8], residual: u32) {
        self.0.complete_with(sense, residual);
    }
}

impl<'a, T: Operations> Deref for Taken<'a, T> {
    type Target = Command<'a, T>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// A command on its way back to the midlayer, which tries again later.
#[must_use = "to be returned from `queue_command`"]
pub struct Busy<'a, T: Operations>(Command<'a, T>);

impl<T: Operations> Busy<'_, T> {
    /// The answer to `queuecommand`, by which the midlayer has the command.
    pub(super) fn into_status(self) -> bindings::scsi_qc_status {
        let _ = self.0.into_raw();
        bindings::scsi_qc_status::SCSI_MLQUEUE_HOST_BUSY
    }
}
