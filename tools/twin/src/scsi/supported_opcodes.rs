// SPDX-License-Identifier: GPL-2.0

//! REPORT SUPPORTED OPERATION CODES: the table of commands, for the host to read
//! (SPC-4, 6.35).

use super::cdb::{Cdb, be};
use super::lun::LogicalUnit;
use super::opcodes::{COMMANDS, Command};
use super::sense::Sense;
use super::target::Outcome;

/// Byte 2 of the CDB: return timeouts too; and which format is asked for.
const RCTD: u8 = 0x80;
const REPORTING_OPTIONS: u8 = 0x07;

/// A descriptor of all commands: it has a service action; timeouts follow it.
const SERVACTV: u8 = 0x01;
const CTDP: u8 = 0x02;
/// One command: timeouts follow it; whether it is supported.
const ONE_CTDP: u8 = 0x80;
const NOT_SUPPORTED: u8 = 0x01;
const SUPPORTED: u8 = 0x03;

/// The time after which a host may worry, in seconds. The nominal time is not
/// indicated.
const RECOMMENDED_TIMEOUT: u32 = 60;
const TIMEOUTS_LEN: u16 = 10;

/// REPORT SUPPORTED OPERATION CODES.
pub(super) fn report_supported(_: &LogicalUnit, cdb: &Cdb, _: &[u8]) -> Outcome {
    let timeouts = cdb[2] & RCTD != 0;
    match cdb[2] & REPORTING_OPTIONS {
        0 => Ok(all(timeouts)),
        option @ 1..=3 => Ok(one(wanted(option, cdb)?, timeouts)),
        _ => Err(Sense::invalid_cdb_bits(2, REPORTING_OPTIONS)),
    }
}

/// The command asked for, if it is supported: by opcode (1), by opcode and
/// service action (2), or by whichever of the two the opcode needs (3).
fn wanted(option: u8, cdb: &Cdb) -> Result<Option<&'static Command>, Sense> {
    let action = be(&cdb[4..6]);
    let mut of_opcode = COMMANDS
        .iter()
        .filter(|command| command.opcode == cdb[3])
        .peekable();
    let Some(first) = of_opcode.peek().copied() else {
        return Ok(None);
    };
    match (option, first.service_action) {
        (1, Some(_)) | (2, None) => Err(Sense::invalid_cdb_bits(2, REPORTING_OPTIONS)),
        (3, None) if action != 0 => Ok(None),
        (_, None) => Ok(Some(first)),
        (_, Some(_)) => {
            Ok(of_opcode.find(|command| command.service_action.map(u64::from) == Some(action)))
        }
    }
}

fn all(timeouts: bool) -> Vec<u8> {
    let mut list = Vec::new();
    for command in COMMANDS {
        let [length_hi, length] = (command.usage_map().len() as u16).to_be_bytes();
        let action = command.service_action.unwrap_or(0);
        let flags =
            command.service_action.map_or(0, |_| SERVACTV) | if timeouts { CTDP } else { 0 };
        list.extend([command.opcode, 0, 0, action, 0, flags, length_hi, length]);
        if timeouts {
            list.extend(timeouts_descriptor());
        }
    }
    let mut data = (list.len() as u32).to_be_bytes().to_vec();
    data.extend(list);
    data
}

fn one(command: Option<&Command>, timeouts: bool) -> Vec<u8> {
    let Some(command) = command else {
        return vec![0, NOT_SUPPORTED, 0, 0];
    };
    let map = command.usage_map();
    let [length_hi, length] = (map.len() as u16).to_be_bytes();
    let ctdp = if timeouts { ONE_CTDP } else { 0 };
    let mut data = vec![0, ctdp | SUPPORTED, length_hi, length];
    data.extend(map);
    if timeouts {
        data.extend(timeouts_descriptor());
    }
    data
}

fn timeouts_descriptor() -> Vec<u8> {
    let mut descriptor = TIMEOUTS_LEN.to_be_bytes().to_vec();
    descriptor.extend([0; 6]);
    descriptor.extend(RECOMMENDED_TIMEOUT.to_be_bytes());
    descriptor
}
