// SPDX-License-Identifier: GPL-2.0

//! Commands in flight: where a started command rests, and how it is found again.
//!
//! A command is found by its tag through the tag set of the host. What is found there may be of an
//! earlier command, and may even be about to be freed: it is not used but under the lock of the tag
//! set (SRCU), and unless its word (`area.rs`) holds this very tag.
//!
//! Commands are queued and taken under an RCU read lock, and their tokens do not outlive it. Error
//! handling takes what is left, and then waits for a grace period: after that no token of an old
//! command exists anywhere.

use crate::bindings;
use core::ptr::{
    null_mut,
    NonNull, //
};
use kernel::sync::{
    atomic::{
        ordering::{
            Acquire,
            Full,
            Relaxed, //
        },
        Atomic, //
    },
    rcu, //
};

use super::{
    area::IDLE,
    victim::Victim,
    Command,
    Device,
    Host,
    Mapped,
    Operations,
    Tag,
    Taken, //
};

/// What there was of a command when somebody looked.
pub(super) struct Look {
    cmd: NonNull<bindings::scsi_cmnd>,
    pub(super) unit: *mut bindings::scsi_device,
    pub(super) id: u32,
    is_in_flight: bool,
    is_mapped: bool,
}

impl<T: Operations> Host<T> {
    /// Takes a command and undoes its DMA mapping.
    ///
    /// To be called when the device is done with the command. `None` if none is in flight with this
    /// tag: it was never started, is done already, or error handling has it.
    pub fn take<'a>(
        &'a self,
        tag: Tag,
        _rcu: &'a rcu::Guard,
    ) -> Option<(Taken<'a, T>, T::CommandData)> {
        self.with_command(tag, |cmd| {
            // SAFETY: `with_command` passes a command of this host.
            unsafe { Self::take_this(cmd, tag) }
        })?
    }

    /// As [`Host::take`], of a command.
    ///
    /// # Safety
    ///
    /// `cmd` must be a valid command of a host of `T`, and the RCU read lock held for `'a`.
    pub(super) unsafe fn take_this<'a>(
        cmd: NonNull<bindings::scsi_cmnd>,
        tag: Tag,
    ) -> Option<(Taken<'a, T>, T::CommandData)> {
        // SAFETY: By the safety requirement.
        let word = unsafe { Command::<T>::word(cmd) };
        word.cmpxchg(tag.word(), IDLE, Full).ok()?;
        // SAFETY: The exchange made the command and its area ours. It stays valid while the RCU
        // read lock is held, since error handling waits for a grace period, or until it is
        // completed.
        unsafe {
            let area = Command::<T>::area(cmd).as_ptr();
            Mapped::<T>::undo(cmd);
            let data = (*area).data.assume_init_read();
            Some((Taken::new(Command::from_raw(cmd)), data))
        }
    }

    /// Calls `f` with the last command that had this tag. Neither it nor its area is freed before
    /// that returns, but it may have ended.
    pub(super) fn with_command<R>(
        &self,
        tag: Tag,
        f: impl FnOnce(NonNull<bindings::scsi_cmnd>) -> R,
    ) -> Option<R> {
        if !self.private().has_tags.load(Relaxed) {
            return None;
        }
        let shost = self.as_raw();
        // `tags` has an entry for each hardware queue. What it names is freed after a grace period
        // of SRCU, and so are the requests of commands that `rqs` names.
        //
        // SAFETY: By the type invariant the host is valid. It was added: it has its tag set, until
        // a grace period of RCU after `has_tags` was cleared.
        unsafe {
            let set = &raw mut (*shost).tag_set;
            if u32::from(tag.hw_queue()) >= (*set).nr_hw_queues || (*set).tags.is_null() {
                return None;
            }
            let srcu = bindings::srcu_read_lock(&raw mut (*set).tags_srcu);
            // A queue that no processor uses has no tags.
            let tags = Atomic::from_ptr((*set).tags.add(tag.hw_queue().into())).load(Acquire);
            let has_tag = !tags.is_null() && tag.index() < (*tags).nr_tags as usize;
            let rq = if has_tag {
                Atomic::from_ptr((*tags).rqs.add(tag.index())).load(Acquire)
            } else {
                null_mut()
            };
            let cmd = NonNull::new(rq).map(|rq| bindings::blk_mq_rq_to_pdu(rq.as_ptr()));
            let found = cmd.and_then(|cmd| NonNull::new(cmd.cast())).map(f);
            bindings::srcu_read_unlock(&raw mut (*set).tags_srcu, srcu);
            found
        }
    }

    /// The tags of the commands in flight. They may complete, and new ones be started, at any time.
    pub fn in_flight(&self) -> impl Iterator<Item = Tag> + '_ {
        self.tags()
            .filter(|tag| self.look_at(*tag).is_some_and(|it| it.is_in_flight))
    }

    /// The commands in flight of a logical unit, for `eh_device_reset`: the midlayer keeps new ones
    /// away meanwhile.
    pub fn in_flight_of<'a>(
        &'a self,
        unit: &'a Device<T>,
    ) -> impl Iterator<Item = Victim<'a, T>> + 'a {
        self.tags().filter_map(move |tag| {
            let it = self.look_at(tag)?;
            (it.is_in_flight && it.unit == unit.as_raw())
                .then(|| Victim::new(self, it.cmd, tag, unit))
        })
    }

    /// Whether the device may still know of such commands, or a token of one exists. The device may
    /// know of those in flight, and of those that are mapped and that the driver has lost. To be
    /// called in process context, when none is put in flight any more.
    pub(super) fn is_anything_left(&self, is_such: impl Fn(&Look) -> bool) -> bool {
        let any = |is_left: fn(&Look) -> bool| {
            self.tags().any(|tag| {
                self.look_at(tag)
                    .is_some_and(|it| is_left(&it) && is_such(&it))
            })
        };
        let is_in_flight = any(|it| it.is_in_flight);
        // Who took one before that has completed it after this.
        Self::settle();
        is_in_flight || any(|it| it.is_mapped)
    }

    /// Undoes the mappings of commands that the driver has lost. To be called when no tokens exist,
    /// and the device does no DMA.
    pub(super) fn unmap_lost(&self) {
        let _rcu = rcu::read_lock();
        for tag in self.tags() {
            self.with_command(tag, |cmd| {
                // SAFETY: `with_command` passes a command of this host. What is mapped, and not in
                // flight, has not ended, but belongs to nobody: its token is gone.
                unsafe {
                    if !Self::is_in_flight(cmd, tag) {
                        Mapped::<T>::undo(cmd);
                    }
                }
            });
        }
    }

    /// All tags that commands can have.
    fn tags(&self) -> impl Iterator<Item = Tag> {
        let shost = self.as_raw();
        // SAFETY: By the type invariant the host is valid; the fields are set when it is allocated.
        let (queues, depth, shared) = unsafe {
            (
                (*shost).nr_hw_queues.max(1),
                (*shost).can_queue,
                (*shost).host_tagset() != 0,
            )
        };
        // CAST: Both were set from a `u16`.
        let queues = if shared { 1 } else { queues as u16 };
        (0..queues).flat_map(move |queue| (0..depth as u16).map(move |tag| Tag::new(queue, tag)))
    }

    /// Looks at the last command that had a tag. It is not kept from ending.
    fn look_at(&self, tag: Tag) -> Option<Look> {
        let _rcu = rcu::read_lock();
        self.with_command(tag, |cmd| {
            // SAFETY: The command is one of this host, and not freed yet.
            let (unit, id, mapped, is_in_flight) = unsafe {
                let area = Command::<T>::area(cmd).as_ptr();
                (
                    &(*area).unit,
                    &(*area).id,
                    Command::<T>::mapped(cmd),
                    Self::is_in_flight(cmd, tag),
                )
            };
            Look {
                cmd,
                unit: unit.load(Relaxed),
                id: id.load(Relaxed),
                is_in_flight,
                is_mapped: mapped.load(Relaxed) > 0,
            }
        })
    }

    /// Whether the command is in flight.
    ///
    /// # Safety
    ///
    /// `cmd` must be a valid command of a host of `T`.
    pub(super) unsafe fn is_in_flight(cmd: NonNull<bindings::scsi_cmnd>, tag: Tag) -> bool {
        // SAFETY: By the safety requirement.
        unsafe { Command::<T>::word(cmd) }.load(Acquire) == tag.word()
    }
}
