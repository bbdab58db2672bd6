// SPDX-License-Identifier: GPL-2.0

//! `sgio one`: one command.

use std::path::PathBuf;

use clap::Args;
use guest_tools::buffer::{Guarded, PAGE};
use guest_tools::sg::{self, Direction};

use crate::{Device, TIMEOUT, hex};

/// What the buffer holds before.
const FILL: u8 = 0x5a;

/// Send one command, print how it ended
///
/// The exit status is 0 when the command reached its end, whatever that was, and the
/// guards are intact; 1 when they are not.
#[derive(Debug, Args)]
pub struct One {
    /// The CDB, in hexadecimal
    #[arg(long, value_parser = parse_hex)]
    cdb: Hex,
    /// Length of the buffer
    #[arg(long, value_parser = guest_tools::size::parse, default_value = "0")]
    len: usize,
    /// Which way the data goes
    #[arg(long, value_enum, default_value = "none")]
    dir: Direction,
    /// Where in a page the buffer begins
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u16).range(0..PAGE as i64))]
    offset: u16,
    /// Ask the driver sg for direct I/O
    #[arg(long)]
    direct: bool,
    /// Look whether the memory around the buffer was changed
    #[arg(long)]
    guard: bool,
    /// Print the buffer
    #[arg(long)]
    dump: bool,
    /// /dev/sgN or /dev/sdX
    device: PathBuf,
}

#[derive(Debug, Clone)]
struct Hex(Vec<u8>);

fn parse_hex(text: &str) -> Result<Hex, String> {
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b' ').collect();
    let pair = |pair: &[u8]| {
        let text = std::str::from_utf8(pair)
            .ok()
            .filter(|text| text.len() == 2);
        text.and_then(|text| u8::from_str_radix(text, 16).ok())
    };
    let bytes: Option<Vec<u8>> = digits.chunks(2).map(pair).collect();
    bytes
        .map(Hex)
        .ok_or_else(|| format!("{text:?} is not hexadecimal"))
}

impl One {
    /// Sends it.
    pub fn run(&self) -> anyhow::Result<bool> {
        let device = Device::open(&self.device)?;
        let mut buffer = Guarded::new(self.len)?;
        buffer.place(self.offset.into(), self.len);
        buffer.data_mut().fill(FILL);
        let Hex(cdb) = &self.cdb;
        match sg::send(
            &device.file,
            cdb,
            self.dir,
            self.direct,
            &mut buffer,
            TIMEOUT,
        ) {
            Ok(ended) => {
                println!("{ended}, resid {}, direct {}", ended.resid, ended.direct);
                if !ended.sense.is_empty() {
                    println!("sense {}", hex(&ended.sense));
                }
            }
            Err(errno) => println!("refused: {}", sg::name(errno)),
        }
        if self.dump {
            println!("data {}", hex(buffer.data()));
        }
        if !self.guard {
            return Ok(true);
        }
        let damage = buffer.damage();
        let damaged = damage.as_ref().map_or("intact", String::as_str);
        println!("guards: {damaged}");
        Ok(damage.is_none())
    }
}
