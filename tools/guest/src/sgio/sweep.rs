// SPDX-License-Identifier: GPL-2.0

//! `sgio sweep`: commands that say how much they want, with every length.

use std::path::PathBuf;

use anyhow::{Result, anyhow, ensure};
use clap::Args;
use guest_tools::buffer::{Guarded, PAGE};
use guest_tools::sg::{self, Direction, Ended};

use crate::{Device, TIMEOUT};

/// Length of the read that all others are compared with.
const LONG: usize = PAGE;
/// What the buffer holds before.
const FILL: u8 = 0x5a;

/// Read INQUIRY data, mode pages and the like with every length
///
/// Each answer must be the begin of a long one. Each says how long it is: what lies
/// behind that is zero, and is the residual. Nothing outside of the buffer may change.
#[derive(Debug, Args)]
pub struct Sweep {
    /// The greatest length
    #[arg(long, default_value_t = 600)]
    most: usize,
    /// Only this command
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
    /// /dev/sgN or /dev/sdX
    #[arg(required = true)]
    devices: Vec<PathBuf>,
}

/// A command that is answered with data.
struct Probe {
    name: &'static str,
    cdb: &'static [u8],
    length: Length,
    answer: Answer,
}

/// How much is asked for.
enum Length {
    /// What a field of the CDB says: its first byte and its width.
    Field(usize, usize),
    /// Always so many bytes.
    Always(usize),
}

/// How long an answer is: a big-endian field of it (first byte, width), plus so much.
struct Answer(usize, usize, usize);

impl Answer {
    fn len(&self, data: &[u8]) -> usize {
        let Self(at, width, more) = *self;
        let field = data.iter().skip(at).take(width);
        field.fold(0, |value, byte| (value << 8) | usize::from(*byte)) + more
    }
}

use Length::{Always, Field};

#[rustfmt::skip]
static PROBES: &[Probe] = &[
    Probe { name: "INQUIRY", cdb: &[0x12, 0, 0, 0, 0, 0], length: Field(3, 2), answer: Answer(4, 1, 5) },
    Probe { name: "VPD 00", cdb: &[0x12, 1, 0x00, 0, 0, 0], length: Field(3, 2), answer: Answer(2, 2, 4) },
    Probe { name: "VPD 80", cdb: &[0x12, 1, 0x80, 0, 0, 0], length: Field(3, 2), answer: Answer(2, 2, 4) },
    Probe { name: "VPD 83", cdb: &[0x12, 1, 0x83, 0, 0, 0], length: Field(3, 2), answer: Answer(2, 2, 4) },
    Probe { name: "VPD B0", cdb: &[0x12, 1, 0xb0, 0, 0, 0], length: Field(3, 2), answer: Answer(2, 2, 4) },
    Probe { name: "VPD B1", cdb: &[0x12, 1, 0xb1, 0, 0, 0], length: Field(3, 2), answer: Answer(2, 2, 4) },
    Probe { name: "REQUEST SENSE", cdb: &[0x03, 0, 0, 0, 0, 0], length: Field(4, 1), answer: Answer(7, 1, 8) },
    Probe { name: "MODE SENSE(6)", cdb: &[0x1a, 0, 0x3f, 0, 0, 0], length: Field(4, 1), answer: Answer(0, 1, 1) },
    Probe { name: "MODE SENSE(10)", cdb: &[0x5a, 0, 0x3f, 0, 0, 0, 0, 0, 0, 0], length: Field(7, 2), answer: Answer(0, 2, 2) },
    Probe { name: "LOG SENSE", cdb: &[0x4d, 0, 0x40, 0, 0, 0, 0, 0, 0, 0], length: Field(7, 2), answer: Answer(2, 2, 4) },
    Probe { name: "LOG SENSE 0D", cdb: &[0x4d, 0, 0x4d, 0, 0, 0, 0, 0, 0, 0], length: Field(7, 2), answer: Answer(2, 2, 4) },
    Probe { name: "REPORT LUNS", cdb: &[0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], length: Field(6, 4), answer: Answer(0, 4, 8) },
    Probe { name: "READ CAPACITY(10)", cdb: &[0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0], length: Always(8), answer: Answer(0, 0, 8) },
    Probe { name: "READ CAPACITY(16)", cdb: &[0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], length: Field(10, 4), answer: Answer(0, 0, 32) },
    Probe { name: "REPORT SUPPORTED OPERATION CODES", cdb: &[0xa3, 0x0c, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], length: Field(6, 4), answer: Answer(0, 4, 4) },
];

impl Probe {
    /// The CDB for a buffer of `len` bytes, and how many bytes it asks for.
    fn with(&self, len: usize) -> (Vec<u8>, usize) {
        let mut cdb = self.cdb.to_vec();
        match self.length {
            Always(wanted) => (cdb, wanted),
            Field(at, width) => {
                let wanted = len.min((1 << (8 * width)) - 1);
                cdb[at..at + width].copy_from_slice(&wanted.to_be_bytes()[8 - width..]);
                (cdb, wanted)
            }
        }
    }
}

impl Sweep {
    /// Sends them; true when all went well.
    pub fn run(&self) -> Result<bool> {
        let mut buffer = Guarded::new(LONG.max(self.most))?;
        let (mut commands, mut direct) = (0, 0);
        for device in self.devices.iter().map(|path| Device::open(path)) {
            let device = device?;
            let only = self.only.as_deref();
            for probe in PROBES
                .iter()
                .filter(|probe| only.is_none_or(|only| only == probe.name))
            {
                let name = format!("{} on {}", probe.name, device.path.display());
                let answer = long(probe, &device, &mut buffer)
                    .map_err(|error| anyhow!("{name}: the long read: {error:#}"))?;
                for len in 0..=self.most {
                    for offset in offsets(len) {
                        let ended = short(probe, &device, &mut buffer, &answer, offset, len)
                            .map_err(|error| anyhow!("{name}: {len} at {offset}: {error:#}"))?;
                        commands += 1;
                        direct += u32::from(ended.direct);
                    }
                }
                println!("{name}: up to {} bytes of {}", self.most, answer.len());
            }
        }
        ensure!(commands > 0, "no such command");
        println!("{commands} commands, {direct} of them into the caller's pages");
        Ok(true)
    }
}

/// Where in a page a buffer is put: where it begins on a boundary or next to one, and
/// where it ends with the page.
fn offsets(len: usize) -> [usize; 2] {
    let begin = [0, 1, 512, 514][len % 4];
    [begin, len.next_multiple_of(PAGE) - len]
}

/// The whole answer.
fn long(probe: &Probe, device: &Device, buffer: &mut Guarded) -> Result<Vec<u8>> {
    let (ended, wanted) = send(probe, device, buffer, 0, LONG)?;
    let answer = &buffer.data()[..wanted.min(LONG)];
    let len = probe.answer.len(answer);
    ensure!((1..=answer.len()).contains(&len), "{len} bytes long?");
    ensure!(answer[..len].iter().any(|byte| *byte != 0), "all is zero");
    let answer = answer[..len].to_vec();
    judge(&ended, buffer, &answer)?;
    Ok(answer)
}

fn short(
    probe: &Probe,
    device: &Device,
    buffer: &mut Guarded,
    answer: &[u8],
    offset: usize,
    len: usize,
) -> Result<Ended> {
    let (ended, wanted) = send(probe, device, buffer, offset, len)?;
    judge(&ended, buffer, &answer[..answer.len().min(wanted)])?;
    Ok(ended)
}

/// Sends the command for a buffer that holds something else; gives how many bytes it
/// asks for, too.
fn send(
    probe: &Probe,
    device: &Device,
    buffer: &mut Guarded,
    offset: usize,
    len: usize,
) -> Result<(Ended, usize)> {
    let (cdb, wanted) = probe.with(len);
    buffer.place(offset, len);
    buffer.data_mut().fill(FILL);
    let ended = sg::send(&device.file, &cdb, Direction::In, true, buffer, TIMEOUT)?;
    ensure!(ended.is_good(), "{ended}");
    Ok((ended, wanted))
}

/// The answer has to be this, and nothing else.
fn judge(ended: &Ended, buffer: &Guarded, answer: &[u8]) -> Result<()> {
    let len = buffer.data().len();
    let (data, rest) = buffer.data().split_at(answer.len().min(len));
    ensure!(
        ended.resid as usize == rest.len(),
        "resid {} of {len}, but {} bytes came",
        ended.resid,
        data.len()
    );
    ensure!(
        data == &answer[..data.len()],
        "not the begin of the long answer"
    );
    let junk = rest.iter().position(|byte| *byte != 0);
    if let Some(at) = junk {
        return Err(anyhow!("{:#x} lies {at} behind the answer", rest[at]));
    }
    match buffer.damage() {
        None => Ok(()),
        Some(damage) => Err(anyhow!("the guards are damaged: {damage}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_go_where_the_standard_has_them() {
        let (cdb, wanted) = PROBES[0].with(0x1234);
        assert_eq!((&cdb[3..5], wanted), (&[0x12, 0x34][..], 0x1234));
        let sense = PROBES.iter().find(|probe| probe.name == "REQUEST SENSE");
        let (cdb, wanted) = sense.unwrap().with(600);
        assert_eq!((cdb[4], wanted), (0xff, 0xff));
    }

    #[test]
    fn offsets_are_within_a_page() {
        assert!((1..2 * PAGE).all(|len| offsets(len).iter().all(|offset| *offset < PAGE)));
        assert!((1..600).any(|len| offsets(len).iter().any(|at| (at + len) % PAGE == 0)));
    }
}
