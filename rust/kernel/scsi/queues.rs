// SPDX-License-Identifier: GPL-2.0

//! Which processor uses which hardware queue of a host.

use crate::bindings;
use kernel::{
    device::{
        Bound,
        Device, //
    },
    types::Opaque, //
};

/// The map from processors to hardware queues of a host, while it is being made. Without a change
/// the queues are spread evenly.
#[repr(transparent)]
pub struct QueueMap(Opaque<bindings::blk_mq_queue_map>);

impl QueueMap {
    /// # Safety
    ///
    /// `shost` must be a valid host that is being added, and its map is not used by others for
    /// `'a`.
    pub(super) unsafe fn of_host<'a>(shost: *mut bindings::Scsi_Host) -> &'a mut Self {
        // SAFETY: By the safety requirement. There is always a default map, the first one.
        unsafe { &mut *(&raw mut (*shost).tag_set.map).cast() }
    }

    pub(super) fn spread(&mut self) {
        // SAFETY: The block layer has allocated the map.
        unsafe { bindings::blk_mq_map_queues(self.0.get()) };
    }

    /// Maps each processor to the queue whose interrupt it handles: that of queue 0 is number
    /// `offset` of the device. If that is not known the queues are spread evenly.
    pub fn follow_interrupts(&mut self, dev: &Device<Bound>, offset: u32) {
        let dev = core::ptr::from_ref(dev).cast_mut().cast();
        // SAFETY: The device is valid; the block layer has allocated the map.
        unsafe { bindings::blk_mq_map_hw_queues(self.0.get(), dev, offset) };
    }
}
