// SPDX-License-Identifier: GPL-2.0

//! `sgio fuzz`: many random commands, none of which may do harm.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use guest_tools::buffer::Guarded;
use guest_tools::sg::{self, Direction, Ended, HOST_ABORT, HOST_TIME_OUT};
use rustix::io::Errno;

use crate::cases::{self, Case, MOST};
use crate::{Device, TIMEOUT, hex};

const START_STOP_UNIT: u8 = 0x1b;
/// Longest CDB that the host takes.
const HOST_CDB: usize = 16;
/// After so many failures no more is learned.
const ENOUGH: usize = 10;

/// Send random commands to devices whose contents nobody needs
///
/// Each must end, with nothing changed around its buffer. What went wrong is printed
/// as a command line that does it again.
#[derive(Debug, Args)]
pub struct Fuzz {
    /// Decides what the cases are
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The first case
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// How many cases
    #[arg(long, default_value_t = 2000)]
    count: u64,
    /// Print every case
    #[arg(long)]
    verbose: bool,
    /// /dev/sgN or /dev/sdX, which are to be overwritten
    #[arg(required = true)]
    devices: Vec<PathBuf>,
}

impl Fuzz {
    /// Sends them; true when all went well.
    pub fn run(&self) -> anyhow::Result<bool> {
        let devices: Vec<Device> = self
            .devices
            .iter()
            .map(|path| Device::open(path))
            .collect::<Result<_, _>>()?;
        let mut buffer = Guarded::new(MOST)?;
        let mut kinds: BTreeMap<String, u64> = BTreeMap::new();
        let mut failures = 0;
        for number in self.first..self.first + self.count {
            let case = cases::case(self.seed, number, devices.len());
            let device = &devices[case.device];
            let outcome = send(&case, device, &mut buffer);
            let kind = match &outcome {
                Ok(ended) if ended.resid > 0 => format!("{ended} with a residual"),
                Ok(ended) => ended.to_string(),
                Err(errno) => sg::name(*errno),
            };
            if self.verbose {
                println!("{number}: {kind}: {}", replay(&case, device));
            }
            *kinds.entry(kind).or_default() += 1;
            if let Err(why) = judge(&case, device, &outcome, &buffer) {
                println!("FAILED case {number}: {why}\n  {}", replay(&case, device));
                failures += 1;
            }
            if failures >= ENOUGH {
                println!("giving up");
                break;
            }
            if case.cdb[0] == START_STOP_UNIT {
                start(device, &mut buffer);
            }
        }
        for (kind, count) in &kinds {
            println!("{count:6} {kind}");
        }
        let total: u64 = kinds.values().sum();
        println!("seed {}: {total} commands, {failures} failed", self.seed);
        Ok(failures == 0)
    }
}

fn send(case: &Case, device: &Device, buffer: &mut Guarded) -> Result<Ended, Errno> {
    buffer.place(case.offset, case.len);
    buffer.data_mut().fill(case.fill);
    sg::send(
        &device.file,
        &case.cdb,
        case.direction,
        case.direct,
        buffer,
        TIMEOUT,
    )
}

/// A unit that was stopped would answer nothing else from then on.
fn start(device: &Device, buffer: &mut Guarded) {
    let cdb = [START_STOP_UNIT, 0, 0, 0, 1, 0];
    buffer.place(0, 0);
    let _ = sg::send(&device.file, &cdb, Direction::None, false, buffer, TIMEOUT);
}

/// What may not be.
fn judge(
    case: &Case,
    device: &Device,
    outcome: &Result<Ended, Errno>,
    buffer: &Guarded,
) -> Result<(), String> {
    if let Some(damage) = buffer.damage() {
        return Err(format!("the guards are damaged: {damage}"));
    }
    let unread = matches!(case.direction, Direction::Out | Direction::None);
    if unread && buffer.data().iter().any(|byte| *byte != case.fill) {
        return Err("a buffer that was not to be written to has changed".into());
    }
    let ended = match outcome {
        Ok(ended) => ended,
        Err(errno) if kernel_refuses(case, device, *errno) => return Ok(()),
        Err(errno) => return Err(format!("the ioctl failed: {errno}")),
    };
    if !(0..=case.len as i64).contains(&i64::from(ended.resid)) {
        return Err(format!("resid {} of {}", ended.resid, case.len));
    }
    match (ended.host, ended.status, ended.sense_triple()) {
        (HOST_TIME_OUT, ..) => Err("the command did not end".into()),
        (HOST_ABORT, ..) if case.cdb.len() > HOST_CDB => Ok(()),
        (0, 0, None) if ended.driver == 0 => Ok(()),
        // Not ready, illegal request, unit attention, miscompare.
        (0, 2, Some((2 | 5 | 6 | 0xe, ..))) => Ok(()),
        _ => Err(format!("ended with {ended}, sense {}", hex(&ended.sense))),
    }
}

/// What no driver gets to see: /dev/sdX takes no buffer without a direction, and the
/// driver sg of Linux 7.3 cannot copy a buffer both ways, whatever the host.
fn kernel_refuses(case: &Case, device: &Device, errno: Errno) -> bool {
    match (device.is_generic(), case.direction) {
        (false, Direction::None) => errno == Errno::INVAL,
        (true, Direction::Both) => matches!(errno, Errno::INVAL | Errno::NOMEM),
        _ => false,
    }
}

/// The case as a command line.
fn replay(case: &Case, device: &Device) -> String {
    format!(
        "sgio one --guard --cdb {} --len {} --dir {} --offset {}{} {}",
        hex(&case.cdb),
        case.len,
        case.direction,
        case.offset,
        if case.direct { " --direct" } else { "" },
        device.path.display()
    )
}
