// SPDX-License-Identifier: GPL-2.0

//! A logical unit that the midlayer knows, and whether it is still the one that was found.
//!
//! That the midlayer has a unit's INQUIRY data says what kind it is, that it has the VPD pages 83h
//! and 80h says how it is named. INQUIRY data stay as they were when the unit was found. The pages
//! do not: `scsi_rescan_device()` puts new ones in their place, and the midlayer itself calls that
//! when a unit reports that its INQUIRY data have changed. So the names are remembered before this
//! can happen: [`Unit::remember`].
//!
//! The midlayer may be a module. So what calls it is generic, here as elsewhere: then it is
//! compiled with the driver, and not into the kernel.

use crate::bindings;
use core::{
    marker::PhantomData,
    ptr::NonNull, //
};
use kernel::{
    device,
    sync::{
        atomic::{
            ordering::{
                Acquire,
                Relaxed, //
            },
            Atomic, //
        },
        rcu, //
    },
    time::{
        msecs_to_jiffies,
        Msecs, //
    },
};

use super::{
    sense::SenseEvent,
    Operations,
    Status, //
};

/// How long a unit may take to say what it is, in milliseconds.
const TIMEOUT: Msecs = 10_000;

/// How often the midlayer tries again what failed on the way to the unit or back. A command that
/// timed out is not tried again, nor is one that ended with sense data, but for [`ATTENTIONS`].
const RETRIES: i32 = 1;

/// How many unit attention conditions a unit may report before it says what it is. They should not
/// come in answer to INQUIRY, but `scsi_probe_lun()` knows of units that do it.
const ATTENTIONS: i8 = 3;

const INQUIRY: u8 = bindings::INQUIRY as u8;

/// Length of the INQUIRY data that are looked at: what every unit has (SPC-4, 6.6.2).
pub(super) const INQUIRY_LEN: usize = 36;

/// Most that is looked at of a VPD page, in bytes.
const NAME_LEN: usize = 512;

/// A logical unit that the midlayer knows.
///
/// # Invariants
///
/// Points to a `struct scsi_device` that is valid for `'a`, of a host that is made by
/// [`Owner::new`](super::host::Owner::new) for `T`.
pub(super) struct Unit<'a, T>(NonNull<bindings::scsi_device>, PhantomData<&'a T>);

impl<T: Operations> Unit<'_, T> {
    /// # Safety
    ///
    /// `sdev` must be valid as long as this is used, and of a host of `T`.
    pub(super) unsafe fn from_raw(sdev: NonNull<bindings::scsi_device>) -> Self {
        // INVARIANT: By the safety requirement.
        Self(sdev, PhantomData)
    }

    fn as_raw(&self) -> *mut bindings::scsi_device {
        self.0.as_ptr()
    }

    pub(super) fn device(&self) -> &device::Device {
        // SAFETY: By the type invariant; `device::Device` is a transparent wrapper.
        unsafe { &*(&raw const (*self.as_raw()).sdev_gendev).cast() }
    }

    fn state(&self) -> bindings::scsi_device_state {
        // SAFETY: By the type invariant. C code writes the field at any time, as a whole.
        unsafe { Atomic::from_ptr(&raw mut (*self.as_raw()).sdev_state) }.load(Acquire)
    }

    /// Whether the unit was seen to be there, and is not just being looked for. May be called in
    /// any context.
    pub(super) fn is_known(&self) -> bool {
        !matches!(
            self.state(),
            bindings::scsi_device_state_SDEV_CREATED
                | bindings::scsi_device_state_SDEV_CREATED_BLOCK
        )
    }

    /// Whether the unit is known, and takes commands.
    pub(super) fn is_running(&self) -> bool {
        self.state() == bindings::scsi_device_state_SDEV_RUNNING
    }

    /// Looks whether a running unit is the one that was found, and if so has the disk driver ask
    /// for its capacity.
    pub(super) fn look(&self) -> Verdict {
        match self.inquire() {
            Verdict::Same => self.rescan(),
            other => other,
        }
    }

    pub(super) fn remove(&self) {
        // SAFETY: By the type invariant. The scan mutex is not held.
        unsafe { bindings::scsi_remove_device(self.as_raw()) };
    }

    /// Asks the unit what it is.
    fn inquire(&self) -> Verdict {
        let mut data = [0; INQUIRY_LEN];
        // CAST: 36.
        let cdb = [INQUIRY, 0, 0, 0, INQUIRY_LEN as u8, 0];
        let mut sense = bindings::scsi_sense_hdr::default();
        let mut resid = 0;
        let mut attentions = [
            bindings::scsi_failure {
                result: Status::CHECK_CONDITION.0.into(),
                sense: bindings::UNIT_ATTENTION as u8,
                asc: bindings::SCMD_FAILURE_ASC_ANY as u8,
                ascq: bindings::SCMD_FAILURE_ASCQ_ANY as u8,
                allowed: ATTENTIONS,
                retries: 0,
            },
            // The end.
            pin_init::zeroed(),
        ];
        let mut failures = bindings::scsi_failures {
            failure_definitions: attentions.as_mut_ptr(),
            ..pin_init::zeroed()
        };
        let args = bindings::scsi_exec_args {
            sshdr: &mut sense,
            resid: &mut resid,
            failures: &mut failures,
            ..pin_init::zeroed()
        };
        // `data` may be on the stack: `blk_rq_map_kern()` copies it then.
        //
        // SAFETY: By the type invariant the device is valid. CDB and `data` are as long as is said.
        // `args` and what it points to outlive the call; the failures end with one that is zero.
        let result = unsafe {
            bindings::scsi_execute_cmd(
                self.as_raw(),
                cdb.as_ptr(),
                bindings::req_op_REQ_OP_DRV_IN,
                data.as_mut_ptr().cast(),
                // CAST: 36.
                INQUIRY_LEN as u32,
                // CAST: A number of jiffies that fits; see `TIMEOUT`.
                msecs_to_jiffies(TIMEOUT) as i32,
                RETRIES,
                &args,
            )
        };
        if result == 0 && resid == 0 {
            return match self.kind() {
                Some(found) => Verdict::of(found, &data),
                None => Verdict::Unclear,
            };
        }
        // Current sense data, in either format.
        let valid = result == Status::CHECK_CONDITION.0.into()
            && matches!(sense.response_code, 0x70 | 0x72);
        match SenseEvent::of(sense.sense_key, sense.asc, sense.ascq) {
            Some(SenseEvent::NotThere) if valid => Verdict::Gone,
            _ => Verdict::Unclear,
        }
    }

    /// The first byte of the INQUIRY data that a running unit was found with: peripheral qualifier
    /// and device type.
    fn kind(&self) -> Option<u8> {
        let sdev = self.as_raw();
        // SAFETY: By the type invariant. `scsi_add_lun()` stores the data, which then stay as they
        // are, before it first sets the unit running, and that under this mutex. The unit was seen
        // to run, so we get the mutex after that, and see what was stored: 36 bytes or more.
        unsafe {
            bindings::mutex_lock(&raw mut (*sdev).state_mutex);
            let kind = (*sdev).inquiry.as_ref().copied();
            bindings::mutex_unlock(&raw mut (*sdev).state_mutex);
            kind
        }
    }

    /// Has the midlayer fetch the VPD pages, and the disk driver ask for the capacity. A unit that
    /// is not running is left alone.
    fn rescan(&self) -> Verdict {
        let found = self.remember();
        let before = self.pages();
        // SAFETY: By the type invariant.
        if unsafe { bindings::scsi_rescan_device(self.as_raw()) } != 0 {
            return Verdict::Unclear;
        }
        // A page that could not be fetched is the old one. The new one was there before the old
        // one was freed, so that it lies elsewhere.
        let mut both = before.into_iter().zip(self.pages());
        if found.differ(self.names()) {
            Verdict::Gone
        } else if both.any(|(before, now)| !before.is_null() && before == now) {
            Verdict::Unclear
        } else {
            Verdict::Same
        }
    }

    /// Remembers how the unit is named, if that is not known yet, before anybody asks it again.
    /// Returns what it was named first. May be called in any context.
    pub(super) fn remember(&self) -> Names {
        // SAFETY: By the type invariant. The field is the low-level driver's, which in Rust is this
        // abstraction. Nobody takes it for a pointer, and it is accessed here only.
        let kept =
            unsafe { Atomic::from_ptr((&raw mut (*self.as_raw()).hostdata).cast::<usize>()) };
        let before = kept.load(Relaxed);
        let names = Names(before).or(self.names());
        match kept.cmpxchg(before, names.0, Relaxed) {
            Ok(_) => names,
            Err(other) => Names(other),
        }
    }

    /// How the midlayer has it now that the unit is named.
    fn names(&self) -> Names {
        let _rcu = rcu::read_lock();
        Names::of(self.pages().map(|page| {
            if page.is_null() {
                return &[][..];
            }
            // SAFETY: The page is not freed as long as the RCU read lock is held, does not change,
            // and has `len` bytes.
            unsafe {
                let len = usize::try_from((*page).len).unwrap_or(0);
                core::slice::from_raw_parts((&raw const (*page).data).cast::<u8>(), len)
            }
        }))
    }

    /// Device identification and unit serial number (SPC-4, 7.8.6 and 7.8.20), or null.
    fn pages(&self) -> [*mut bindings::scsi_vpd; 2] {
        let sdev = self.as_raw();
        // SAFETY: By the type invariant. C code writes the fields at any time, as a whole.
        unsafe {
            [
                Atomic::from_ptr(&raw mut (*sdev).vpd_pg83).load(Acquire),
                Atomic::from_ptr(&raw mut (*sdev).vpd_pg80).load(Acquire),
            ]
        }
    }
}

/// Whether a unit is the one that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is.
    Same,
    /// It is not there any more, or another one is in its place.
    Gone,
    /// It does not say, or nothing that can be trusted. It stays.
    Unclear,
}

impl Verdict {
    /// Of the first byte of the INQUIRY data that a unit was found with, and of those that it has
    /// now (SPC-4, 6.6.2).
    pub(super) fn of(found: u8, now: &[u8; INQUIRY_LEN]) -> Self {
        let &[kind, _, _, format, additional, ..] = now;
        if kind == found {
            return Self::Same;
        }
        let is_plausible = format & 0xf == 2 && usize::from(additional) + 5 >= INQUIRY_LEN;
        if !is_plausible {
            return Self::Unclear;
        }
        match (found >> 5, kind >> 5) {
            // There cannot be a unit.
            (_, 0b011) => Self::Gone,
            // Connected, but the unit does not know what it is.
            (_, 0b000) if kind & 0x1f == 0x1f => Self::Unclear,
            // Another device type; or it was not connected, so that no driver took it, and is now.
            (_, 0b000) | (0b001, 0b001) => Self::Gone,
            // Not connected at the moment, or a qualifier that nobody knows.
            _ => Self::Unclear,
        }
    }
}

/// How a unit is named: digests of its two VPD pages, as halves of a word. Zero is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Names(usize);

impl Names {
    const HALF: u32 = usize::BITS / 2;

    /// Of the pages with their headers. An empty one is not known.
    pub(super) fn of([identification, serial_number]: [&[u8]; 2]) -> Self {
        Self::join(Self::digest(identification), Self::digest(serial_number))
    }

    fn join(identification: usize, serial_number: usize) -> Self {
        Self(identification << Self::HALF | serial_number)
    }

    fn halves(self) -> [usize; 2] {
        [self.0 >> Self::HALF, self.0 & (usize::MAX >> Self::HALF)]
    }

    /// FNV-1a of what follows the header, in which is the peripheral qualifier.
    fn digest(page: &[u8]) -> usize {
        let Some((_, name)) = page.split_at_checked(4) else {
            return 0;
        };
        let hash = name
            .iter()
            .take(NAME_LEN)
            .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
                (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
            });
        // CAST: As much of it as there is room for.
        ((hash ^ hash >> 32) as usize & (usize::MAX >> Self::HALF)).max(1)
    }

    /// These names, and of the others what is not known of these.
    pub(super) fn or(self, other: Self) -> Self {
        let [identification, serial_number] = self.halves();
        let [other_identification, other_serial_number] = other.halves();
        let first = |one, other| if one == 0 { other } else { one };
        Self::join(
            first(identification, other_identification),
            first(serial_number, other_serial_number),
        )
    }

    /// Whether they are of different units. Not if either is not known.
    pub(super) fn differ(self, other: Self) -> bool {
        let mut both = self.halves().into_iter().zip(other.halves());
        both.any(|(one, other)| one != 0 && other != 0 && one != other)
    }
}
