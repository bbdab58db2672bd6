// SPDX-License-Identifier: GPL-2.0

//! What is kept with each command: whether it is in flight, and what it needs then.
//!
//! Whether a command is in flight, and with what tag, is one word in its private area. Who
//! exchanges that for zero owns the command from then on; so an interrupt handler, a poll after a
//! timeout and error handling can race for a command, and one of them gets it. How it is found by
//! its tag is in `in_flight.rs`.
//!
//! The word is stored with release and exchanged with full semantics: who takes a command sees what
//! its driver wrote for it before [`Command::start`]. What was read before it was taken may be of
//! an earlier command with the same tag.

use crate::bindings;
use core::{
    mem::MaybeUninit,
    ptr::{
        null_mut,
        NonNull, //
    },
};
use kernel::sync::atomic::{
    ordering::{
        Acquire,
        Relaxed,
        Release, //
    },
    Atomic, //
};

use super::{
    Command,
    Operations, //
};

/// The tag of a command. No two commands in flight of a host share one.
///
/// It is below `can_queue` of [`Limits`](super::Limits), and goes with a hardware queue, unless
/// these share their tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag(u32);

impl Tag {
    /// The tag that a device names. Whether there is such a command is seen when it is taken.
    pub fn new(hw_queue: u16, tag: u16) -> Self {
        Self(u32::from(hw_queue) << bindings::BLK_MQ_UNIQUE_TAG_BITS | u32::from(tag))
    }

    /// The tag of a request.
    ///
    /// # Safety
    ///
    /// `rq` must be a valid request, of a tag set whose hardware queues share their tags or not, as
    /// `shared` says. The tag is of no use if it is about to be queued again, and so has none.
    pub(super) unsafe fn of_request(rq: *mut bindings::request, shared: bool) -> Self {
        // SAFETY: By the safety requirement.
        Self(unsafe {
            if shared {
                // CAST: All ones stand for none.
                (*rq).tag as u32
            } else {
                bindings::blk_mq_unique_tag(rq)
            }
        })
    }

    /// The tag as an index.
    pub fn index(self) -> usize {
        self.as_u16().into()
    }

    /// The tag as a number on a wire.
    pub fn as_u16(self) -> u16 {
        // CAST: The lower half.
        self.0 as u16
    }

    /// The hardware queue; 0 if the queues share their tags.
    pub fn hw_queue(self) -> u16 {
        // CAST: The upper half.
        (self.0 >> bindings::BLK_MQ_UNIQUE_TAG_BITS) as u16
    }

    /// The word of a command in flight with this tag. Tags are far below the highest numbers; all
    /// ones, which are none, are the word of no command.
    pub(super) fn word(self) -> u32 {
        self.0.saturating_add(IN_FLIGHT)
    }
}

impl From<u16> for Tag {
    /// The tag that a device with one hardware queue names.
    fn from(tag: u16) -> Self {
        Self::new(0, tag)
    }
}

/// Words of a command that is not in flight.
pub(super) const IDLE: u32 = 0;
/// It timed out when it was not in flight, and was given another time.
pub(super) const WAITED: u32 = 1;
/// The word of tag 0.
const IN_FLIGHT: u32 = 2;

/// The private area of each `scsi_cmnd`, initialised when that is allocated.
pub(super) struct Area<D> {
    /// [`IDLE`], [`WAITED`], or the tag of a command in flight.
    word: Atomic<u32>,
    /// Segments that are mapped for DMA; 0 means that nothing is mapped.
    mapped: Atomic<u32>,
    /// The logical unit of the command; only compared.
    pub(super) unit: Atomic<*mut bindings::scsi_device>,
    /// The id of its target.
    pub(super) id: Atomic<u32>,
    /// The driver's data. Initialised for a command in flight, and its property.
    pub(super) data: MaybeUninit<D>,
}

impl<T: Operations> Command<'_, T> {
    /// Size of the private area that the host template asks for, in bytes.
    pub(super) const PRIVATE_SIZE: usize = {
        // The area follows the `scsi_cmnd`, which is what its alignment rests on; and the midlayer
        // puts the first entries of the scatter-gather list behind the area.
        assert!(align_of::<Area<T::CommandData>>() <= align_of::<bindings::scsi_cmnd>());
        size_of::<Area<T::CommandData>>().next_multiple_of(align_of::<bindings::scatterlist>())
    };

    /// The private area behind `cmd`.
    ///
    /// # Safety
    ///
    /// `cmd` must be a valid command of a host of `T`.
    pub(super) unsafe fn area(cmd: NonNull<bindings::scsi_cmnd>) -> NonNull<Area<T::CommandData>> {
        // SAFETY: The midlayer allocates `cmd_size` bytes, which is `PRIVATE_SIZE`, behind each
        // command of the host.
        unsafe { cmd.add(1) }.cast()
    }

    /// The word of `cmd`.
    ///
    /// # Safety
    ///
    /// As for [`Command::area`]; the command must be valid for `'w`.
    pub(super) unsafe fn word<'w>(cmd: NonNull<bindings::scsi_cmnd>) -> &'w Atomic<u32> {
        // SAFETY: By the safety requirement. It is accessed by atomic operations only.
        unsafe { &(*Self::area(cmd).as_ptr()).word }
    }

    /// How many segments of `cmd` are mapped.
    ///
    /// # Safety
    ///
    /// As for [`Command::word`].
    pub(super) unsafe fn mapped<'w>(cmd: NonNull<bindings::scsi_cmnd>) -> &'w Atomic<u32> {
        // SAFETY: By the safety requirement. It is accessed by atomic operations only.
        unsafe { &(*Self::area(cmd).as_ptr()).mapped }
    }

    /// Initialises the private area of a command that was just allocated.
    ///
    /// # Safety
    ///
    /// As for [`Command::area`], and nobody else may know of the command.
    pub(super) unsafe fn init_area(cmd: NonNull<bindings::scsi_cmnd>) {
        // SAFETY: By the safety requirements.
        unsafe {
            Self::area(cmd).write(Area {
                word: Atomic::new(IDLE),
                mapped: Atomic::new(0),
                unit: Atomic::new(null_mut()),
                id: Atomic::new(0),
                data: MaybeUninit::uninit(),
            });
        }
    }

    /// Forgets what the area says of the command's past: it is queued. Returns whether it can be,
    /// since it is not in flight: error handling sends commands of its own in an old one's place.
    ///
    /// # Safety
    ///
    /// As for [`Command::area`], and the command must belong to the caller.
    pub(super) unsafe fn forget_past(cmd: NonNull<bindings::scsi_cmnd>) -> bool {
        // SAFETY: By the safety requirements.
        unsafe {
            let word = Self::word(cmd);
            if word.load(Acquire) >= IN_FLIGHT {
                return false;
            }
            word.store(IDLE, Relaxed);
            let (area, unit) = (Self::area(cmd).as_ptr(), (*cmd.as_ptr()).device);
            (*area).unit.store(unit, Relaxed);
            (*area).id.store((*unit).id, Relaxed);
        }
        true
    }

    /// Puts the command in flight.
    pub(super) fn insert(self, data: T::CommandData) {
        let word = self.tag().word();
        let cmd = self.into_raw();
        // SAFETY: The command is valid. The area was the token's, but for the parts that are
        // atomic.
        unsafe {
            let area = Self::area(cmd).as_ptr();
            (*area).data = MaybeUninit::new(data);
            // The token is gone: the command belongs to who exchanges this.
            (*area).word.store(word, Release);
        }
    }
}
