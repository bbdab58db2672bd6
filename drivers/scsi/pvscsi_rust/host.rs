// SPDX-License-Identifier: GPL-2.0

//! What the midlayer asks of the host.
//!
//! The device answers a request to abort a command, or to reset a unit, by completing what it has
//! lost thereby, and only that counts: it does not touch the memory of a command that has ended.

use crate::{
    adapter::Adapter,
    complete,
    messages,
    queue,
    scsi,
    Host,
    Pvscsi, //
};
use kernel::{
    io::poll::read_poll_timeout,
    prelude::*,
    time::Delta, //
};

/// How long the device may take to complete what it was told to abort, and how often the driver
/// looks, in case that the interrupt is lost.
const PATIENCE: Delta = Delta::from_secs(2);
const PAUSE: Delta = Delta::from_millis(2);

#[vtable]
impl scsi::Operations for Pvscsi {
    type Data<'bound> = Adapter<'bound>;
    type CommandData = ();

    const NAME: &'static CStr = c"pvscsi_rust";
    const TRACK_QUEUE_DEPTH: bool = true;
    const TAG_ALLOC_POLICY_RR: bool = true;

    fn queue_command<'a>(
        adapter: &Adapter<'_>,
        _host: &'a Host,
        cmd: scsi::Command<'a, Self>,
        is_last: bool,
    ) -> Result<(), scsi::Busy<'a, Self>> {
        let queued = queue::queue(adapter, cmd);
        if is_last {
            adapter.kick();
        }
        queued
    }

    fn commit_rqs(adapter: &Adapter<'_>, _host: &Host, _hw_queue: u16) {
        adapter.kick();
    }

    fn eh_timed_out(adapter: &Adapter<'_>, host: &Host) {
        complete::look(adapter, host);
    }

    fn eh_abort(adapter: &Adapter<'_>, host: &Host, victim: scsi::Victim<'_, Self>) -> Result {
        let (tag, target) = (victim.tag(), victim.device().id());
        let done = adapter
            .abort(tag, target)
            .and_then(|()| wait(adapter, host, || !victim.is_in_flight()));
        if host.should_log() {
            let tag = tag.as_u16();
            dev_warn!(
                adapter.pdev,
                "target {target}: abort of tag {tag}: {done:?}\n"
            );
        }
        done
    }

    fn eh_device_reset(adapter: &Adapter<'_>, host: &Host, device: &scsi::Device<Self>) -> Result {
        let target = device.id();
        // CAST: `LIMITS` has but one.
        let done = adapter
            .reset_device(target, device.lun() as u8)
            .and_then(|()| wait(adapter, host, || host.in_flight_of(device).next().is_none()));
        dev_warn!(adapter.pdev, "target {target}: reset: {done:?}\n");
        done
    }

    fn eh_host_reset(adapter: &Adapter<'_>, host: &Host, dma: &mut scsi::Dma<'_>) -> Result {
        adapter.close(host, scsi::Finished::Trusted);
        host.complete_all(&dma.stop(), scsi::HostByte::Reset)?;
        dma.start();
        let opened = adapter.open();
        dev_warn!(adapter.pdev, "reset of the adapter: {opened:?}\n");
        opened
    }

    fn quiesce(adapter: &Adapter<'_>, host: &Host, finished: scsi::Finished) {
        adapter.close(host, finished);
    }

    fn stop(adapter: &Adapter<'_>, host: &Host) {
        adapter.close(host, scsi::Finished::Trusted);
    }

    fn work(adapter: &Adapter<'_>, host: &Host) {
        messages::work(adapter, host);
    }
}

/// Waits until the device has completed what is asked for.
fn wait(adapter: &Adapter<'_>, host: &Host, is_done: impl Fn() -> bool) -> Result {
    let look = || {
        complete::look(adapter, host);
        Ok(is_done())
    };
    read_poll_timeout(look, |is_done| *is_done, PAUSE, PATIENCE).map(|_| ())
}
