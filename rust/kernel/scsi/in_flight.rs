// SPDX-License-Identifier: GPL-2.0

//! The table of commands in flight: the only place where a started command rests.
//!
//! One slot for each tag. Who exchanges a slot for null owns the command from then on; so an
//! interrupt handler, a poll after a timeout and error handling can race for a command, and one of
//! them gets it.
//!
//! Commands are queued and taken out under an RCU read lock, and their tokens do not outlive it.
//! Error handling first empties the table and then waits for a grace period: after that no token
//! of an old command exists anywhere.
//!
//! The slot is stored with release and loaded with acquire semantics: who takes a command sees what
//! its driver wrote for it before [`Command::start`]. What was read before it was taken may be of
//! an earlier command with the same tag.

use crate::bindings;
use core::{
    marker::PhantomData,
    ptr::{
        null_mut,
        NonNull, //
    },
};
use kernel::{
    bitmap::BitmapVec,
    pr_err_once,
    prelude::*,
    sync::{
        atomic::{
            ordering,
            Atomic, //
        },
        rcu, //
    },
};

use super::{
    command::Held,
    victim::Owner,
    Command,
    Host,
    HostByte,
    Mapped,
    Operations,
    Outcome,
    Tag,
    Victim, //
};

/// Proof that a device does no DMA.
///
/// Who makes one states that the device can neither read nor write memory until it is started
/// again, which takes the proof away. [`pci::BusMaster::stop`] makes one.
///
/// [`pci::BusMaster::stop`]: super::pci::BusMaster::stop
pub struct DmaStopped<'a> {
    /// The device; only compared.
    dev: *const bindings::device,
    _marker: PhantomData<&'a ()>,
}

impl DmaStopped<'_> {
    pub(super) fn new(dev: *const bindings::device) -> Self {
        Self {
            dev,
            _marker: PhantomData,
        }
    }

    pub(super) fn is_of(&self, dev: *const bindings::device) -> bool {
        core::ptr::eq(self.dev, dev)
    }
}

/// The commands in flight, by tag.
///
/// # Invariants
///
/// A slot that is not null holds a valid command that belongs to the slot, in whose area `lun` is
/// set and `held` initialised.
pub struct InFlight<T: Operations> {
    slots: KVec<Atomic<*mut bindings::scsi_cmnd>>,
    /// A hint: the bit of a tag is set before its slot can be seen by the device, and cleared
    /// after it was emptied.
    occupied: BitmapVec,
    _marker: PhantomData<T>,
}

impl<T: Operations> InFlight<T> {
    pub(super) fn new(tags: u16) -> Result<Self> {
        let mut slots = KVec::with_capacity(tags.into(), GFP_KERNEL)?;
        for _ in 0..tags {
            slots.push(Atomic::new(null_mut()), GFP_KERNEL)?;
        }
        Ok(Self {
            slots,
            occupied: BitmapVec::new(tags.into(), GFP_KERNEL)?,
            _marker: PhantomData,
        })
    }

    /// Puts a command into the slot of its tag.
    pub(super) fn insert(&self, cmd: Command<'_, T>, mapped: u32, data: T::CommandData) {
        let tag = cmd.tag().index();
        let Some(slot) = self.slots.get(tag) else {
            // Tags are below `can_queue`; the token's destructor says so and ends the command.
            return;
        };
        let lun = cmd.lun();
        let cmd = cmd.into_raw();
        // SAFETY: The command is valid. Nobody else uses `held`, since it belonged to the token;
        // and of the rest of the area there are shared references at most.
        unsafe {
            let area = Command::<T>::area(cmd).as_ptr();
            (*area).lun.store(lun, ordering::Relaxed);
            (&raw mut (*area).held)
                .cast::<Held<T::CommandData>>()
                .write(Held { mapped, data });
        }
        // INVARIANT: The command belonged to the token, which is gone.
        slot.store(cmd.as_ptr(), ordering::Release);
        self.occupied.set_bit_atomic(tag);
    }

    fn is_occupied(&self, tag: usize) -> bool {
        match self.slots.get(tag) {
            Some(slot) => !slot.load(ordering::Acquire).is_null(),
            None => false,
        }
    }

    /// Tags that are in flight, or were a moment ago.
    pub fn tags(&self) -> impl Iterator<Item = Tag> + '_ {
        let mut start = 0;
        core::iter::from_fn(move || loop {
            if start >= self.occupied.len() {
                return None;
            }
            let tag = self.occupied.next_bit(start)?;
            start = tag + 1;
            if self.is_occupied(tag) {
                // CAST: There are at most `u16::MAX` tags.
                return Some(Tag(tag as u16));
            }
        })
    }

    /// Takes a command out of the table and undoes its DMA mapping.
    ///
    /// To be called when the device is done with the command. `None` if there is none with this
    /// tag: it was never started, is done already, or error handling has it.
    pub fn take<'a>(
        &'a self,
        tag: Tag,
        _rcu: &'a rcu::Guard,
    ) -> Option<(Command<'a, T>, T::CommandData)> {
        let slot = self.slots.get(tag.index())?;
        let cmd = NonNull::new(slot.xchg(null_mut(), ordering::Full))?;
        // SAFETY: The exchange took the command out of the slot of its tag.
        Some(unsafe { self.taken(cmd, tag) })
    }

    /// As [`InFlight::take`], but only if it is this command.
    pub(super) fn take_this<'a>(
        &'a self,
        cmd: NonNull<bindings::scsi_cmnd>,
        tag: Tag,
        _rcu: &'a rcu::Guard,
    ) -> Option<(Command<'a, T>, T::CommandData)> {
        let slot = self.slots.get(tag.index())?;
        slot.cmpxchg(cmd.as_ptr(), null_mut(), ordering::Full)
            .ok()?;
        // SAFETY: The exchange took the command out of the slot of its tag.
        Some(unsafe { self.taken(cmd, tag) })
    }

    /// What goes with a command that was taken out. Its DMA mapping is undone.
    ///
    /// # Safety
    ///
    /// The command must just have been taken out of the slot of this tag, by an exchange, and the
    /// RCU read lock be held for `'a`.
    unsafe fn taken<'a>(
        &'a self,
        cmd: NonNull<bindings::scsi_cmnd>,
        tag: Tag,
    ) -> (Command<'a, T>, T::CommandData) {
        // SAFETY: By the safety requirement.
        let held = unsafe { self.held(cmd, tag) };
        // SAFETY: The mapping went into the table with the command.
        unsafe { Mapped::<T>::undo(cmd.as_ptr(), held.mapped) };
        // SAFETY: The exchange made the command ours. It stays valid while the RCU read lock is
        // held, since error handling waits for a grace period, or until it is completed.
        (unsafe { Command::from_raw(cmd) }, held.data)
    }

    /// What the table held with a command that was taken out.
    ///
    /// # Safety
    ///
    /// As for [`InFlight::taken`], but for the lock.
    unsafe fn held(&self, cmd: NonNull<bindings::scsi_cmnd>, tag: Tag) -> Held<T::CommandData> {
        self.occupied.clear_bit_atomic(tag.index());
        // SAFETY: By the type invariant the slot held a valid command, with an initialised `held`;
        // the exchange made both the caller's.
        unsafe { (*Command::<T>::area(cmd).as_ptr()).held.assume_init_read() }
    }

    /// Ends all commands in flight with `host_byte`.
    pub(super) fn complete_all(&self, host_byte: HostByte, mut each: impl FnMut(T::CommandData)) {
        let rcu = rcu::read_lock();
        for tag in self.tags() {
            if let Some((cmd, data)) = self.take(tag, &rcu) {
                each(data);
                cmd.complete(Outcome::host(host_byte));
            }
        }
    }

    /// The commands in flight of a logical unit, for `eh_device_reset`: the midlayer keeps new ones
    /// away meanwhile.
    pub fn victims<'a>(
        &'a self,
        host: &'a Host<T>,
        lun: u64,
    ) -> impl Iterator<Item = Victim<'a, T>> + 'a {
        self.tags().filter_map(move |tag| {
            let cmd = self.slots.get(tag.index())?.load(ordering::Acquire);
            let cmd = NonNull::new(cmd)?;
            // SAFETY: A command and its area are allocated with the tag, and stay as long as the
            // host. `lun` is accessed by atomic operations, except when the midlayer clears the
            // area for a new command: then the old one has ended, and is no victim any more.
            let of = unsafe { &(*Command::<T>::area(cmd).as_ptr()).lun };
            (of.load(ordering::Relaxed) == lun).then(|| Victim::new(host, cmd, tag, lun, Owner::Us))
        })
    }

    /// Whether the command is in the table.
    pub(super) fn holds(&self, cmd: *mut bindings::scsi_cmnd, tag: Tag) -> bool {
        match self.slots.get(tag.index()) {
            Some(slot) => slot.load(ordering::Acquire) == cmd,
            None => false,
        }
    }

    /// Takes all that is left away from the driver, and waits until no token of it exists.
    ///
    /// Mappings are left in place, on purpose: nobody has proved that the device does not write
    /// to them any more. A driver that surrenders its commands never gets here.
    pub(super) fn revoke(&self) {
        for (tag, slot) in self.slots.iter().enumerate() {
            if let Some(cmd) = NonNull::new(slot.xchg(null_mut(), ordering::Full)) {
                pr_err_once!("{}: a driver kept a SCSI command in a reset\n", T::NAME);
                // SAFETY: The exchange took the command out of the slot of its tag.
                //
                // CAST: There are at most `u16::MAX` tags.
                drop(unsafe { self.held(cmd, Tag(tag as u16)) });
                // SAFETY: The exchange made the command ours.
                let cmd = unsafe { Command::<T>::from_raw(cmd) };
                cmd.complete(Outcome::host(HostByte::Error));
            }
        }
        Self::drain();
    }

    /// Waits until no token of a command that is not in the table exists.
    pub(super) fn drain() {
        // SAFETY: Called in process context only: by who resets or quiesces the device, or removes
        // the host.
        unsafe { bindings::synchronize_rcu() };
    }
}

// SAFETY: The table owns commands and the drivers' data that goes with them, which is `Send`.
unsafe impl<T: Operations> Send for InFlight<T> {}

// SAFETY: Slots are atomic, and a command changes hands by an atomic exchange.
unsafe impl<T: Operations> Sync for InFlight<T> {}
