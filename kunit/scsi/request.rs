// SPDX-License-Identifier: GPL-2.0

//! Requests to the fake host's unit: as SG_IO makes them, but nobody waits for them.

use super::{
    super::Operations,
    bench::{
        eventually,
        Bench, //
    },
};
use crate::bindings;
use core::{
    marker::PhantomData,
    ptr::NonNull, //
};
use kernel::{
    error::{
        from_err_ptr,
        to_result, //
    },
    prelude::*,
    sync::atomic::{
        ordering::{
            Acquire,
            Release, //
        },
        Atomic, //
    },
};

/// Length of a sense buffer.
const SENSE_LEN: usize = bindings::SCSI_SENSE_BUFFERSIZE as usize;

/// The buffer of a request.
pub(super) enum Data {
    /// There is none.
    None,
    /// It is to be filled.
    In(KVec<u8>),
    /// It holds what is to be written.
    Out(KVec<u8>),
}

/// A request that was not sent yet.
pub(super) struct Request<'a> {
    request: NonNull<bindings::request>,
    bytes: KVec<u8>,
    _bench: PhantomData<&'a ()>,
}

impl<'a> Request<'a> {
    /// How long commands may take that do not say otherwise, in milliseconds: a test that hangs
    /// should end some time.
    const TIMEOUT: u32 = 30_000;

    pub(super) fn new<T: Operations>(bench: &'a Bench<T>, cdb: &[u8], data: Data) -> Result<Self> {
        Self::to(bench.unit(), cdb, data)
    }

    /// A request to a unit, to which the caller has a reference for `'a`.
    pub(super) fn to(unit: NonNull<bindings::scsi_device>, cdb: &[u8], data: Data) -> Result<Self> {
        let (op, bytes) = match data {
            Data::None => (bindings::req_op_REQ_OP_DRV_IN, KVec::new()),
            Data::In(bytes) => (bindings::req_op_REQ_OP_DRV_IN, bytes),
            Data::Out(bytes) => (bindings::req_op_REQ_OP_DRV_OUT, bytes),
        };
        // SAFETY: The caller has a reference to the unit, whose queue lives as long.
        let request = from_err_ptr(unsafe {
            bindings::scsi_alloc_request((*unit.as_ptr()).request_queue, op, 0)
        })?;
        let mut this = Self {
            request: NonNull::new(request).ok_or(ENOMEM)?,
            bytes,
            _bench: PhantomData,
        };
        let (data, len) = (this.bytes.as_mut_ptr(), this.bytes.len() as u32);
        if len > 0 {
            // SAFETY: The buffer is valid for its length, and lives until the request has ended:
            // see `Sent`.
            to_result(unsafe {
                bindings::blk_rq_map_kern(request, data.cast(), len, bindings::GFP_KERNEL)
            })?;
        }
        // SAFETY: The request was just allocated, and is ours; so is its command.
        unsafe {
            let cmd = this.cmd();
            let place = (*cmd).cmnd.get_mut(..cdb.len()).ok_or(EINVAL)?;
            place.copy_from_slice(cdb);
            // CAST: At most 32.
            (*cmd).cmd_len = cdb.len() as u16;
            (*cmd).allowed = 0;
            // No messages about errors that are part of the test.
            (*request).rq_flags |= 1 << bindings::rqf_flags___RQF_QUIET;
        }
        Ok(this.timeout(Self::TIMEOUT))
    }

    pub(super) fn cmd(&self) -> *mut bindings::scsi_cmnd {
        // SAFETY: The request is valid.
        unsafe { bindings::blk_mq_rq_to_pdu(self.request.as_ptr()) }.cast()
    }

    /// How long the command may take, in milliseconds.
    pub(super) fn timeout(self, milliseconds: u32) -> Self {
        // SAFETY: The request is ours.
        unsafe {
            (*self.request.as_ptr()).timeout = bindings::__msecs_to_jiffies(milliseconds) as u32
        };
        self
    }

    /// How often the midlayer may try again.
    pub(super) fn retries(self, times: i32) -> Self {
        // SAFETY: The request is ours, and so is its command.
        unsafe { (*self.cmd()).allowed = times };
        self
    }

    /// Sends the request.
    pub(super) fn send(self) -> Result<Sent<'a>> {
        let ends = KBox::new(Atomic::new(0), GFP_KERNEL)?;
        let request = self.request.as_ptr();
        // SAFETY: The request is ours. It ends before `ends` is freed: see `Sent::drop`.
        unsafe {
            (*request).end_io = Some(ended);
            (*request).end_io_data = core::ptr::from_ref(&*ends).cast_mut().cast();
            bindings::blk_execute_rq_nowait(request, false);
        }
        Ok(Sent {
            request: self,
            ends,
        })
    }
}

impl Drop for Request<'_> {
    fn drop(&mut self) {
        // SAFETY: The request is ours: it was not sent, or has ended.
        unsafe { bindings::blk_mq_free_request(self.request.as_ptr()) };
    }
}

/// Called when a request ends, possibly in an interrupt.
///
/// # Safety
///
/// `request` must be a request that was sent by [`Request::send`].
unsafe extern "C" fn ended(
    request: *mut bindings::request,
    _status: bindings::blk_status_t,
    _batch: *const bindings::io_comp_batch,
) -> bindings::rq_end_io_ret {
    // SAFETY: `send` set it; `Sent` keeps it until this was counted, and is not touched after.
    let ends = unsafe { &*(*request).end_io_data.cast::<Atomic<u32>>() };
    ends.fetch_add(1, Release);
    // `Request::drop` frees it.
    bindings::rq_end_io_ret_RQ_END_IO_NONE
}

/// A request that was sent. Dropping it waits for it.
pub(super) struct Sent<'a> {
    request: Request<'a>,
    /// How often it has ended.
    ends: KBox<Atomic<u32>>,
}

/// How a request ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct End {
    pub(super) result: i32,
    pub(super) residual: u32,
}

impl Sent<'_> {
    pub(super) fn has_ended(&self) -> bool {
        self.ends.load(Acquire) > 0
    }

    /// How the request ended; `None` if it does not, or not just once.
    pub(super) fn end(&self) -> Option<End> {
        if !eventually(|| self.has_ended()) || self.ends.load(Acquire) != 1 {
            return None;
        }
        // SAFETY: The request has ended, so it is ours again.
        let cmd = unsafe { &*self.request.cmd() };
        Some(End {
            // Without the byte that the midlayer itself puts into it.
            result: cmd.result & 0x00ff_00ff,
            residual: cmd.resid_len,
        })
    }

    /// The sense buffer, once the request has ended.
    pub(super) fn sense(&self) -> Option<[u8; SENSE_LEN]> {
        self.end()?;
        // SAFETY: The request has ended, so it is ours again, and so is its sense buffer.
        Some(unsafe {
            (*self.request.cmd())
                .sense_buffer
                .cast::<[u8; SENSE_LEN]>()
                .read()
        })
    }

    /// The buffer, once the request has ended.
    pub(super) fn bytes(&self) -> Option<&[u8]> {
        self.end()?;
        Some(&self.request.bytes)
    }
}

impl Drop for Sent<'_> {
    fn drop(&mut self) {
        // The buffer and the counter are in use until then. If it never ends, the test hangs here,
        // which KUnit reports.
        while !self.has_ended() {
            eventually(|| self.has_ended());
        }
    }
}
