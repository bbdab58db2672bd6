// SPDX-License-Identifier: GPL-2.0

//! A command in the driver's hands.

use crate::bindings;
use core::{
    marker::PhantomData,
    mem::{
        ManuallyDrop,
        MaybeUninit, //
    },
    ptr::NonNull, //
};
use kernel::{
    pr_err_once,
    prelude::*, //
};

use super::{
    Host,
    HostByte,
    Mapped,
    Operations,
    Outcome,
    Sense,
    Status, //
};

/// The tag of a command: below the host's `can_queue`, and no two commands in flight share one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag(pub(super) u16);

impl Tag {
    /// The tag as an index.
    pub fn index(self) -> usize {
        self.0.into()
    }

    /// The tag as a number on a wire.
    pub fn as_u16(self) -> u16 {
        self.0
    }
}

/// Which way the data of a command goes, as the midlayer says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// There is no buffer.
    None,
    /// From the device into the buffer.
    In,
    /// From the buffer to the device.
    Out,
    /// The midlayer does not know.
    Both,
}

/// What the abstraction keeps in the private area of each `scsi_cmnd`, while it is in flight.
pub(super) struct Private<D> {
    /// Segments that are mapped for DMA; 0 means that nothing is mapped.
    pub(super) mapped: u32,
    pub(super) data: MaybeUninit<D>,
}

/// A command that the midlayer handed to the driver.
///
/// # Invariants
///
/// `cmd` is a valid command of a host of `T`, and it belongs to the driver: until this token is
/// consumed nobody else completes, starts or frees it. `cmd` is valid for `'a`.
#[must_use = "a command must be completed, started or given back"]
pub struct Command<'a, T: Operations> {
    cmd: NonNull<bindings::scsi_cmnd>,
    _marker: PhantomData<(&'a Host<T>, *mut T)>,
}

impl<'a, T: Operations> Command<'a, T> {
    /// Size of the private area that the host template must ask for, in bytes.
    pub(super) const PRIVATE_SIZE: usize = {
        // The area follows the `scsi_cmnd`, which is what its alignment rests on.
        assert!(
            core::mem::align_of::<Private<T::CommandData>>()
                <= core::mem::align_of::<bindings::scsi_cmnd>()
        );
        core::mem::size_of::<Private<T::CommandData>>()
    };

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

    /// Gives up the token without ending the command; somebody else has charge of it now.
    pub(super) fn into_raw(self) -> NonNull<bindings::scsi_cmnd> {
        ManuallyDrop::new(self).cmd
    }

    pub(super) fn as_raw(&self) -> *mut bindings::scsi_cmnd {
        self.cmd.as_ptr()
    }

    /// The private area behind `cmd`.
    ///
    /// # Safety
    ///
    /// `cmd` must be a valid command of a host of `T`.
    pub(super) unsafe fn private(
        cmd: NonNull<bindings::scsi_cmnd>,
    ) -> NonNull<Private<T::CommandData>> {
        // SAFETY: The midlayer allocates `cmd_size` bytes, which is `PRIVATE_SIZE`, behind each
        // command of the host.
        unsafe { cmd.add(1) }.cast()
    }

    /// The command's tag.
    pub fn tag(&self) -> Tag {
        // SAFETY: By the type invariant the command is valid; it is the private data of a request.
        let tag = unsafe { (*bindings::blk_mq_rq_from_pdu(self.as_raw().cast())).tag };
        // CAST: Tags are below `can_queue`, which is a `u16`.
        Tag(tag as u16)
    }

    /// The host that the command came from.
    pub(super) fn host(&self) -> &'a Host<T> {
        // SAFETY: By the type invariant the command is one of a host of `T`, and valid for `'a`; so
        // are its device and that one's host.
        unsafe { Host::from_raw((*(*self.as_raw()).device).host) }
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
        // SAFETY: By the type invariant the command is valid, and so is its device.
        unsafe { (*(*self.as_raw()).device).lun }
    }

    /// Which way the data goes.
    pub fn direction(&self) -> Direction {
        // SAFETY: By the type invariant the command is valid.
        match unsafe { (*self.as_raw()).sc_data_direction } {
            bindings::dma_data_direction::DMA_FROM_DEVICE => Direction::In,
            bindings::dma_data_direction::DMA_TO_DEVICE => Direction::Out,
            bindings::dma_data_direction::DMA_NONE => Direction::None,
            _ => Direction::Both,
        }
    }

    /// Length of the data buffer, in bytes.
    pub fn data_len(&self) -> u32 {
        // SAFETY: By the type invariant the command is valid.
        unsafe { (*self.as_raw()).sdb.length }
    }

    /// Copies `from` into the data buffer, `skip` bytes from its beginning; returns how many bytes
    /// had room.
    pub fn copy_to_data(&self, skip: usize, from: &[u8]) -> usize {
        let room = (self.data_len() as usize).saturating_sub(skip);
        // SAFETY: By the type invariant the command and its scatter-gather table are valid, and
        // `from` is readable for its length. The C function takes a mutable pointer, but reads.
        unsafe {
            let table = &(*self.as_raw()).sdb.table;
            bindings::sg_pcopy_from_buffer(
                table.sgl,
                table.nents,
                from.as_ptr().cast(),
                from.len().min(room),
                skip as bindings::off_t,
            )
        }
    }

    /// Copies from the data buffer, `skip` bytes from its beginning; returns how many bytes there
    /// were.
    pub fn copy_from_data(&self, skip: usize, to: &mut [u8]) -> usize {
        let left = (self.data_len() as usize).saturating_sub(skip);
        // SAFETY: By the type invariant the command and its scatter-gather table are valid, and
        // `to` is writable for its length.
        unsafe {
            let table = &(*self.as_raw()).sdb.table;
            bindings::sg_pcopy_to_buffer(
                table.sgl,
                table.nents,
                to.as_mut_ptr().cast(),
                to.len().min(left),
                skip as bindings::off_t,
            )
        }
    }

    /// Maps the data buffer for DMA.
    ///
    /// # Errors
    ///
    /// The command comes back as [`Busy`] if there is no room for the mapping now.
    pub fn map(self) -> Result<Mapped<'a, T>, Busy<'a, T>> {
        Mapped::new(self)
    }

    /// Puts the command into the host's table of commands in flight, with what the driver wants
    /// back when it is done. To be called before the device can see the command.
    pub fn start(self, data: T::CommandData) {
        self.host().in_flight().insert(self, 0, data);
    }

    /// Ends the command.
    pub fn complete(self, outcome: Outcome) {
        let cmd = self.into_raw().as_ptr();
        // SAFETY: The command is valid and belonged to the token, which is consumed: nobody else
        // ends it.
        unsafe {
            (*cmd).resid_len = outcome.residual().min((*cmd).sdb.length);
            (*cmd).result = outcome.result();
            bindings::scsi_done(cmd);
        }
    }

    /// Ends the command with CHECK CONDITION.
    pub fn complete_with_sense(self, sense: Sense) {
        let residual = self.data_len();
        self.complete_with(sense, residual);
    }

    /// Ends the command with CHECK CONDITION; `residual` bytes of the buffer were not transferred.
    pub fn complete_with(self, sense: Sense, residual: u32) {
        const {
            assert!(Sense::LEN <= bindings::SCSI_SENSE_BUFFERSIZE as usize);
        }
        let bytes = sense.as_bytes();
        // SAFETY: By the type invariant the command is valid; its sense buffer has
        // SCSI_SENSE_BUFFERSIZE bytes, which the assertion above compares.
        unsafe {
            core::ptr::copy_nonoverlapping(
                bytes.as_ptr(),
                (*self.as_raw()).sense_buffer,
                bytes.len(),
            );
        }
        self.complete(Outcome::status(Status::CHECK_CONDITION).with_residual(residual));
    }

    /// Gives the command back; the midlayer tries again later.
    pub fn busy(self) -> Busy<'a, T> {
        Busy(self)
    }
}

impl<T: Operations> Drop for Command<'_, T> {
    fn drop(&mut self) {
        pr_err_once!("{}: a driver dropped a SCSI command\n", T::NAME);
        // SAFETY: By the type invariant the command is valid and belongs to this token, which is
        // gone after this.
        unsafe {
            let cmd = self.cmd.as_ptr();
            (*cmd).result = Outcome::host(HostByte::Error).result();
            bindings::scsi_done(cmd);
        }
    }
}

/// A command on its way back to the midlayer, which tries again later.
#[must_use = "to be returned from `queue_command`"]
pub struct Busy<'a, T: Operations>(Command<'a, T>);

impl<T: Operations> Busy<'_, T> {
    /// Hands the command back: the answer to `queuecommand`.
    pub(super) fn into_status(self) -> bindings::scsi_qc_status {
        let _ = self.0.into_raw();
        bindings::scsi_qc_status::SCSI_MLQUEUE_HOST_BUSY
    }
}
