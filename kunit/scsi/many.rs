// SPDX-License-Identifier: GPL-2.0

//! A host with several hardware queues, channels, targets and units, and a driver that has a say in
//! each of them.

use super::super::{
    Busy,
    Command,
    Device,
    Host,
    Limits,
    Operations,
    Outcome,
    QueueLimits,
    QueueMap,
    Sense,
    SenseKey,
    Status, //
};
use kernel::{
    prelude::*,
    str::CStr,
    sync::atomic::{
        ordering::Relaxed,
        Atomic, //
    },
};

/// The driver.
pub(super) struct Many;

pub(super) const QUEUES: u16 = 2;

pub(super) const LIMITS: Limits = Limits {
    can_queue: 4,
    cmd_per_lun: 8,
    nr_hw_queues: QUEUES,
    opt_sectors: 64,
    dma_boundary: 0xffff,
    max_segment_size: 0x10000,
    max_channel: 1,
    max_id: 4,
    max_lun: 3,
    this_id: Some(2),
    ..Limits::DEFAULT
};

/// A target that the driver refuses.
pub(super) const REFUSED: u32 = 1;

/// What it counts.
pub(super) struct Counts {
    pub(super) inits: Atomic<u32>,
    pub(super) configures: Atomic<u32>,
    pub(super) destroys: Atomic<u32>,
    pub(super) maps: Atomic<u32>,
    pub(super) target_resets: Atomic<u32>,
}

impl Counts {
    pub(super) fn new() -> Self {
        Self {
            inits: Atomic::new(0),
            configures: Atomic::new(0),
            destroys: Atomic::new(0),
            maps: Atomic::new(0),
            target_resets: Atomic::new(0),
        }
    }
}

/// A vendor specific command, which is started.
pub(super) const START: [u8; 10] = [0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

#[vtable]
impl Operations for Many {
    type Data<'bound> = Counts;
    /// The hardware queue.
    type CommandData = u16;

    const NAME: &'static CStr = c"scsi_many";

    fn queue_command<'a>(
        _counts: &Counts,
        _host: &'a Host<Self>,
        cmd: Command<'a, Self>,
        _is_last: bool,
    ) -> Result<(), Busy<'a, Self>> {
        let queue = cmd.hw_queue();
        match cmd.cdb().first() {
            Some(0xc0) => cmd.start(queue),
            Some(0x12) => {
                // A processor device.
                cmd.copy_to_data(0, b"\x03\0\x02\x02\x1f\0\0\0MANY    HOST            1   ");
                cmd.complete(Outcome::status(Status::GOOD));
            }
            Some(0x00) => cmd.complete(Outcome::status(Status::GOOD)),
            _ => cmd.complete_with_sense(Sense::new(SenseKey::IllegalRequest, 0x20, 0)),
        }
        Ok(())
    }

    fn map_queues(counts: &Counts, _map: &mut QueueMap) {
        // The queues stay spread as they are.
        counts.maps.add(1, Relaxed);
    }

    fn sdev_init(counts: &Counts, device: &Device<Self>) -> Result {
        counts.inits.add(1, Relaxed);
        if device.id() == REFUSED {
            Err(ENXIO)
        } else {
            Ok(())
        }
    }

    fn sdev_configure(counts: &Counts, device: &Device<Self>, limits: &mut QueueLimits) -> Result {
        counts.configures.add(1, Relaxed);
        if device.lun() == 2 {
            return Err(ENXIO);
        }
        limits.limit_hw_sectors(8 * (device.channel() + 1));
        limits.align_dma(511);
        Ok(())
    }

    fn sdev_destroy(counts: &Counts, _device: &Device<Self>) {
        counts.destroys.add(1, Relaxed);
    }

    fn eh_target_reset(counts: &Counts, host: &Host<Self>, device: &Device<Self>) -> Result {
        counts.target_resets.add(1, Relaxed);
        host.for_each_device(|of| {
            if (of.channel(), of.id()) == (device.channel(), device.id()) {
                for victim in host.in_flight_of(of) {
                    victim.take_back();
                }
            }
        });
        Ok(())
    }
}
