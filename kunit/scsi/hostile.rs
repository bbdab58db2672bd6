// SPDX-License-Identifier: GPL-2.0

//! A driver in safe Rust that does everything wrong. The kernel has to survive it: each command
//! ends, once; the host can be removed, and a driver that behaves works after that.

#![forbid(unsafe_code)]

use super::super::{
    Busy,
    Command,
    Device,
    Dma,
    Finished,
    Host,
    HostByte,
    MapError,
    Operations,
    Outcome,
    Sense,
    SenseKey,
    Status,
    Tag,
    Taken,
    Victim, //
};
use kernel::{
    prelude::*,
    str::CStr,
    sync::{
        atomic::{
            ordering::Relaxed,
            Atomic, //
        },
        rcu, //
    },
};

/// The driver.
pub(super) struct Hostile;

/// What it does, and what it counts.
pub(super) struct Plot {
    /// What `eh_abort`, `eh_device_reset` and `eh_host_reset` do: a number of a [`Reset`].
    pub(super) reset: Atomic<u32>,
    pub(super) works: Atomic<u32>,
    pub(super) interrupts: Atomic<u32>,
}

impl Plot {
    pub(super) fn new() -> Self {
        Self {
            reset: Atomic::new(0),
            works: Atomic::new(0),
            interrupts: Atomic::new(0),
        }
    }
}

/// Vendor specific commands, each with a wrong way to carry it out.
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
pub(super) enum Crime {
    /// Its token is forgotten.
    Forget,
    /// It is mapped, and forgotten.
    ForgetMapped,
    /// Mapped without data, twice, and dropped.
    MapTwice,
    /// It is started, taken at once, and forgotten.
    TakeAndForget,
    /// It is started and never looked at again.
    Start,
    /// It is mapped, started and never looked at again.
    StartMapped,
    /// It completes, with nonsense.
    Nonsense,
    /// All that can be called in atomic context is called, and it completes.
    CallAll,
}

pub(super) const CRIMES: [Crime; 8] = [
    Crime::Forget,
    Crime::ForgetMapped,
    Crime::MapTwice,
    Crime::TakeAndForget,
    Crime::Start,
    Crime::StartMapped,
    Crime::Nonsense,
    Crime::CallAll,
];

const OPCODE: u8 = 0xc0;

impl Crime {
    pub(super) fn cdb(self) -> [u8; 10] {
        let mut cdb = [0; 10];
        cdb[0] = OPCODE;
        cdb[1] = self as u8;
        cdb
    }

    fn of(cdb: &[u8]) -> Option<Self> {
        match *cdb {
            [OPCODE, number, ..] => CRIMES.get(usize::from(number)).copied(),
            _ => None,
        }
    }
}

/// What the error handlers do.
pub(super) const RESETS: u32 = 4;

/// Takes everything that has a tag, and things that have none.
pub(super) fn take_any(host: &Host<Hostile>, mut each: impl FnMut(Taken<'_, Hostile>)) {
    let rcu = rcu::read_lock();
    for queue in [0, 1, u16::MAX] {
        for tag in Iterator::chain(0..64, [u16::MAX]) {
            if let Some((cmd, ())) = host.take(Tag::new(queue, tag), &rcu) {
                each(cmd);
            }
        }
    }
}

pub(super) fn forget(cmd: Taken<'_, Hostile>) {
    core::mem::forget(cmd);
}

/// Calls all that may be called in any context.
pub(super) fn call_all(host: &Host<Hostile>) {
    host.queue_work(0);
    host.queue_work(1_000_000);
    host.should_log();
    host.is_ending();
    host.in_flight().count();
    host.with_device(|plot| {
        plot.interrupts.add(1, Relaxed);
        host.with_device(|plot| plot.interrupts.add(1, Relaxed))
    });
}

/// Calls all that may be called in process context.
pub(super) fn call_all_that_sleeps(host: &Host<Hostile>) {
    call_all(host);
    host.for_each_device(|device| {
        let mut data = [0; 8];
        let _ = device.execute_in(&[], &mut [], 100);
        let _ = device.execute_in(&[0x12, 0, 0, 0, 8, 0], &mut data, 100);
        let _ = device.execute_in(&[0; 32], &mut data, 100);
        let _ = device.rescan();
        device.peripheral();
    });
    host.scan_target(0, 0);
    host.scan_target(7, u32::MAX);
}

fn carry_out<'a>(
    host: &'a Host<Hostile>,
    crime: Crime,
    cmd: Command<'a, Hostile>,
) -> Result<(), Busy<'a, Hostile>> {
    match crime {
        Crime::Forget => core::mem::forget(cmd),
        Crime::ForgetMapped => core::mem::forget(cmd.map()),
        Crime::MapTwice => {
            let once = match cmd.map() {
                Ok(mapped) => mapped.unmap(),
                Err(MapError::Impossible(cmd)) => cmd,
                Err(MapError::TryAgain(busy)) => return Err(busy),
            };
            drop(once.map());
        }
        Crime::TakeAndForget => {
            cmd.start(());
            take_any(host, forget);
        }
        Crime::Start => cmd.start(()),
        Crime::StartMapped => {
            if let Ok(mapped) = cmd.map() {
                mapped.start(());
            }
        }
        Crime::Nonsense => {
            cmd.copy_to_data(usize::MAX, &[1; 16]);
            let mut data = cmd.data();
            data.skip(usize::MAX);
            data.fill(usize::MAX);
            cmd.complete_with(&[0xff; 300], u32::MAX);
        }
        Crime::CallAll => {
            call_all(host);
            cmd.complete(Outcome::status(Status(0xff)).with_residual(u32::MAX));
        }
    }
    Ok(())
}

/// What all resets have in common.
fn commit(plot: &Plot, host: &Host<Hostile>) -> Result {
    call_all(host);
    match plot.reset.load(Relaxed) {
        // Nothing is ended, and that is called a success.
        0 => Ok(()),
        // All is taken, and forgotten.
        1 => {
            take_any(host, forget);
            Ok(())
        }
        // All is completed, and that is called a failure.
        2 => {
            take_any(host, |cmd| cmd.complete(Outcome::host(HostByte::Reset)));
            Err(EIO)
        }
        _ => Err(ENODEV),
    }
}

#[vtable]
impl Operations for Hostile {
    type Data<'bound> = Plot;
    type CommandData = ();

    const NAME: &'static CStr = c"scsi_hostile";

    fn queue_command<'a>(
        _plot: &Plot,
        host: &'a Host<Self>,
        cmd: Command<'a, Self>,
        _is_last: bool,
    ) -> Result<(), Busy<'a, Self>> {
        match (Crime::of(cmd.cdb()), cmd.cdb().first()) {
            (Some(crime), _) => return carry_out(host, crime, cmd),
            (_, Some(0x12)) => {
                // A processor device.
                cmd.copy_to_data(0, b"\x03\0\x02\x02\x1f\0\0\0HOSTILE HOST            1   ");
                cmd.complete(Outcome::status(Status::GOOD));
            }
            (_, Some(0x00)) => cmd.complete(Outcome::status(Status::GOOD)),
            _ => cmd.complete_with_sense(Sense::new(SenseKey::IllegalRequest, 0x20, 0)),
        }
        Ok(())
    }

    fn sdev_init(_plot: &Plot, device: &Device<Self>) -> Result {
        device.is_known();
        if device.lun() == 0 {
            Ok(())
        } else {
            Err(EINVAL)
        }
    }

    fn sdev_destroy(_plot: &Plot, device: &Device<Self>) {
        device.is_running();
    }

    fn eh_timed_out(_plot: &Plot, host: &Host<Self>) {
        call_all(host);
        take_any(host, forget);
    }

    #[expect(clippy::forget_non_drop, reason = "it may have a destructor one day")]
    fn eh_abort(plot: &Plot, host: &Host<Self>, victim: Victim<'_, Self>) -> Result {
        core::mem::forget(victim);
        commit(plot, host)
    }

    fn eh_device_reset(plot: &Plot, host: &Host<Self>, device: &Device<Self>) -> Result {
        host.in_flight_of(device).for_each(core::mem::forget);
        commit(plot, host)
    }

    #[expect(clippy::forget_non_drop, reason = "it may have a destructor one day")]
    fn eh_host_reset(plot: &Plot, host: &Host<Self>, dma: &mut Dma<'_>) -> Result {
        let result = commit(plot, host);
        core::mem::forget(dma.stop());
        dma.start();
        dma.start();
        result
    }

    fn quiesce(plot: &Plot, host: &Host<Self>, _finished: Finished) {
        let _ = commit(plot, host);
    }

    fn stop(plot: &Plot, host: &Host<Self>) {
        let _ = commit(plot, host);
    }

    fn work(plot: &Plot, host: &Host<Self>) {
        plot.works.add(1, Relaxed);
        host.for_each_device(|device| {
            let _ = device.rescan();
        });
    }
}
