// SPDX-License-Identifier: GPL-2.0

//! The table of commands, from which everything that depends on an opcode comes:
//! dispatch, the data phase, the check of reserved bits, and what REPORT
//! SUPPORTED OPERATION CODES says.

use super::cdb::{Cdb, Extent, be};
use super::lun::LogicalUnit;
use super::sense::Sense;
use super::target::{Outcome, Request};
use super::verify::ByteCheck;
use super::write_same::NDOB;
use super::{
    BLOCK_LEN, DataPhase, MAX_TRANSFER_BLOCKS, capacity, inquiry, log, mode_select, mode_sense,
    power, report_luns, reservations, rw, supported_opcodes, verify, write_same,
};

/// The service action, in byte 1 of the CDBs that have one here.
pub(super) const SERVICE_ACTION: u8 = 0x1f;

/// Who carries a command out.
pub(super) enum Handler {
    /// Answers even without a unit, and is not held up by unit attention: INQUIRY,
    /// REPORT LUNS and REQUEST SENSE.
    Always(fn(&Request<'_>) -> Outcome),
    /// Asks a unit, started or stopped.
    Unit(fn(&LogicalUnit, &Cdb, &[u8]) -> Outcome),
    /// Needs a started unit.
    Medium(fn(&LogicalUnit, &Cdb, &[u8]) -> Outcome),
}

/// A big-endian field of a CDB.
#[derive(Clone, Copy)]
pub(super) struct Field {
    at: usize,
    len: usize,
}

impl Field {
    fn of(self, cdb: &Cdb) -> u64 {
        cdb.get(self.at..self.at + self.len).map_or(0, be)
    }
}

/// How a CDB says what its data phase moves.
#[derive(Clone, Copy)]
pub(super) enum Phase {
    Nothing,
    /// A fixed number of bytes to the host.
    InBytes(u64),
    /// An allocation length.
    In(Field),
    /// A parameter list length.
    Out(Field),
    /// Blocks to the host.
    InBlocks,
    /// Blocks from the host.
    OutBlocks,
    /// One block from the host, unless one of these bits of byte 1 is set.
    OutBlock {
        unless: u8,
    },
    /// What VERIFY compares with.
    OutVerify,
}

impl Phase {
    pub(super) fn of(self, cdb: &Cdb) -> DataPhase {
        let phase = match self {
            Self::Nothing => DataPhase::None,
            Self::InBytes(bytes) => DataPhase::In(bytes),
            Self::In(field) => DataPhase::In(field.of(cdb)),
            Self::Out(field) => DataPhase::Out(field.of(cdb)),
            Self::InBlocks => DataPhase::In(Extent::of(cdb).bytes()),
            Self::OutBlocks => DataPhase::Out(Extent::of(cdb).bytes()),
            Self::OutBlock { unless } if cdb[1] & unless != 0 => DataPhase::None,
            Self::OutBlock { .. } => DataPhase::Out(BLOCK_LEN as u64),
            Self::OutVerify => match ByteCheck::of(cdb) {
                Some(ByteCheck::EveryBlock) => DataPhase::Out(Extent::of(cdb).bytes()),
                Some(ByteCheck::OneBlock) => DataPhase::Out(BLOCK_LEN as u64),
                Some(ByteCheck::Nothing) | None => DataPhase::None,
            },
        };
        match phase {
            DataPhase::In(0) | DataPhase::Out(0) => DataPhase::None,
            phase => phase,
        }
    }

    /// Whether the command touches as many blocks as its CDB says.
    fn counts_blocks(self) -> bool {
        matches!(self, Self::InBlocks | Self::OutBlocks | Self::OutVerify)
    }
}

/// A command of the device server.
pub(super) struct Command {
    pub(super) name: &'static str,
    pub(super) opcode: u8,
    pub(super) service_action: Option<u8>,
    /// The CDB usage map: its length is the CDB's, a one stands for each bit that
    /// is evaluated. Opcode and service action are not in it.
    usage: &'static [u8],
    pub(super) phase: Phase,
    pub(super) handler: Handler,
}

impl Command {
    /// Whether it is answered even without a unit or with unit attention pending.
    pub(super) fn always(&self) -> bool {
        matches!(self.handler, Handler::Always(_))
    }

    /// Refuses a CDB that has bits set which mean nothing here.
    pub(super) fn check_reserved(&self, cdb: &Cdb) -> Result<(), Sense> {
        let service_action = self.service_action.map_or(0, |_| SERVICE_ACTION);
        for (at, (byte, used)) in (0..).zip(cdb.iter().zip(self.usage)).skip(1) {
            let used = if at == 1 {
                used | service_action
            } else {
                *used
            };
            if byte & !used != 0 {
                return Err(Sense::invalid_cdb_bits(at, byte & !used));
            }
        }
        Ok(())
    }

    /// Refuses more blocks than the Block Limits VPD page allows.
    pub(super) fn check_length(&self, cdb: &Cdb) -> Result<(), Sense> {
        if self.phase.counts_blocks() && Extent::of(cdb).blocks > MAX_TRANSFER_BLOCKS {
            return Err(Sense::invalid_cdb(Extent::length_at(cdb)));
        }
        Ok(())
    }

    /// The usage map as the host gets it, with opcode and service action.
    pub(super) fn usage_map(&self) -> Vec<u8> {
        let mut map = self.usage.to_vec();
        let own = [self.opcode, self.service_action.unwrap_or(0)];
        for (byte, own) in map.iter_mut().zip(own) {
            *byte |= own;
        }
        map
    }

    /// As much of `data` as the CDB announces.
    pub(super) fn data_out<'a>(&self, cdb: &Cdb, data: &'a [u8]) -> Result<&'a [u8], Sense> {
        let DataPhase::Out(announced) = self.phase.of(cdb) else {
            return Ok(&[]);
        };
        let announced = usize::try_from(announced).unwrap_or(usize::MAX);
        data.get(..announced).ok_or(Sense::DATA_PHASE)
    }
}

/// The command that a CDB names.
pub(super) fn find(cdb: &Cdb) -> Result<&'static Command, Sense> {
    let mut of_opcode = COMMANDS
        .iter()
        .filter(|command| command.opcode == cdb[0])
        .peekable();
    if of_opcode.peek().is_none() {
        return Err(Sense::INVALID_OPCODE);
    }
    let wanted = cdb[1] & SERVICE_ACTION;
    of_opcode
        .find(|command| command.service_action.is_none_or(|action| action == wanted))
        .ok_or(Sense::invalid_cdb_bits(1, SERVICE_ACTION))
}

/// A row of the table.
const fn row(
    name: &'static str,
    opcode: u8,
    usage: &'static [u8],
    phase: Phase,
    handler: Handler,
) -> Command {
    Command {
        name,
        opcode,
        service_action: None,
        usage,
        phase,
        handler,
    }
}

impl Command {
    const fn action(self, service_action: u8) -> Self {
        Self {
            service_action: Some(service_action),
            ..self
        }
    }
}

/// A field of `len` bytes at byte `at`.
const fn field(at: usize, len: usize) -> Field {
    Field { at, len }
}

// Usage maps that several commands share. Byte 0 is the opcode's.
const NOTHING_6: &[u8] = &[0, 0, 0, 0, 0, 0];
const NOTHING_10: &[u8] = &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
/// LBA and length.
const BLOCKS_6: &[u8] = &[0, 0x1f, 0xff, 0xff, 0xff, 0];
/// DPO, FUA, LBA, length.
const BLOCKS_10: &[u8] = &[0, 0x18, 0xff, 0xff, 0xff, 0xff, 0, 0xff, 0xff, 0];
const BLOCKS_12: &[u8] = &[
    0, 0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0,
];
const BLOCKS_16: &[u8] = &[
    0, 0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0,
];
/// IMMED, LBA, length.
const SYNC_10: &[u8] = &[0, 0x02, 0xff, 0xff, 0xff, 0xff, 0, 0xff, 0xff, 0];
const SYNC_16: &[u8] = &[
    0, 0x02, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0,
];

/// DPO, BYTCHK, LBA, length.
const VERIFY_10: &[u8] = &[0, 0x16, 0xff, 0xff, 0xff, 0xff, 0, 0xff, 0xff, 0];
const VERIFY_16: &[u8] = &[
    0, 0x16, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0,
];
/// LBA, length; the long one has NDOB too.
const SAME_10: &[u8] = &[0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0xff, 0xff, 0];
const SAME_16: &[u8] = &[
    0, NDOB, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0,
];

const RESERVE_IN: &[u8] = &[0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0];

use Handler::{Always, Medium, Unit};
use Phase::{In, InBlocks, InBytes, Nothing, Out, OutBlock, OutBlocks, OutVerify};

/// Every command of the device server, by opcode.
#[rustfmt::skip]
pub(super) static COMMANDS: &[Command] = &[
    row("TEST UNIT READY", 0x00, NOTHING_6, Nothing, Medium(power::test_unit_ready)),
    row("REQUEST SENSE", 0x03, &[0, 0, 0, 0, 0xff, 0], In(field(4, 1)),
        Always(power::request_sense)),
    row("READ(6)", 0x08, BLOCKS_6, InBlocks, Medium(rw::read)),
    row("WRITE(6)", 0x0a, BLOCKS_6, OutBlocks, Medium(rw::write)),
    row("INQUIRY", 0x12, &[0, 0x01, 0xff, 0xff, 0xff, 0], In(field(3, 2)),
        Always(inquiry::inquiry)),
    row("MODE SELECT(6)", 0x15, &[0, 0x11, 0, 0, 0xff, 0], Out(field(4, 1)),
        Unit(mode_select::mode_select_6)),
    row("MODE SENSE(6)", 0x1a, &[0, 0x08, 0xff, 0xff, 0xff, 0], In(field(4, 1)),
        Unit(mode_sense::mode_sense_6)),
    row("START STOP UNIT", 0x1b, &[0, 0x01, 0, 0, 0x05, 0], Nothing,
        Unit(power::start_stop_unit)),
    row("READ CAPACITY(10)", 0x25, NOTHING_10, InBytes(capacity::CAPACITY_10_LEN),
        Unit(capacity::read_capacity_10)),
    row("READ(10)", 0x28, BLOCKS_10, InBlocks, Medium(rw::read)),
    row("WRITE(10)", 0x2a, BLOCKS_10, OutBlocks, Medium(rw::write)),
    row("VERIFY(10)", 0x2f, VERIFY_10, OutVerify, Medium(verify::verify)),
    row("SYNCHRONIZE CACHE(10)", 0x35, SYNC_10, Nothing, Medium(rw::synchronize_cache)),
    row("WRITE SAME(10)", 0x41, SAME_10, OutBlock { unless: 0 }, Medium(write_same::write_same)),
    row("LOG SENSE", 0x4d, &[0, 0, 0xff, 0xff, 0, 0xff, 0xff, 0xff, 0xff, 0], In(field(7, 2)),
        Unit(log::log_sense)),
    row("MODE SELECT(10)", 0x55, &[0, 0x11, 0, 0, 0, 0, 0, 0xff, 0xff, 0], Out(field(7, 2)),
        Unit(mode_select::mode_select_10)),
    row("MODE SENSE(10)", 0x5a, &[0, 0x18, 0xff, 0xff, 0, 0, 0, 0xff, 0xff, 0],
        In(field(7, 2)), Unit(mode_sense::mode_sense_10)),
    row("PERSISTENT RESERVE IN, READ KEYS", 0x5e, RESERVE_IN, In(field(7, 2)),
        Unit(reservations::nothing_reserved)).action(reservations::READ_KEYS),
    row("PERSISTENT RESERVE IN, READ RESERVATION", 0x5e, RESERVE_IN, In(field(7, 2)),
        Unit(reservations::nothing_reserved)).action(reservations::READ_RESERVATION),
    row("PERSISTENT RESERVE IN, REPORT CAPABILITIES", 0x5e, RESERVE_IN, In(field(7, 2)),
        Unit(reservations::capabilities)).action(reservations::REPORT_CAPABILITIES),
    row("READ(16)", 0x88, BLOCKS_16, InBlocks, Medium(rw::read)),
    row("WRITE(16)", 0x8a, BLOCKS_16, OutBlocks, Medium(rw::write)),
    row("VERIFY(16)", 0x8f, VERIFY_16, OutVerify, Medium(verify::verify)),
    row("SYNCHRONIZE CACHE(16)", 0x91, SYNC_16, Nothing, Medium(rw::synchronize_cache)),
    row("WRITE SAME(16)", 0x93, SAME_16, OutBlock { unless: NDOB },
        Medium(write_same::write_same)),
    row("READ CAPACITY(16)", 0x9e,
        &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0], In(field(10, 4)),
        Unit(capacity::read_capacity_16)).action(0x10),
    row("REPORT LUNS", 0xa0, &[0, 0, 0xff, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0],
        In(field(6, 4)), Always(report_luns::report_luns)),
    row("REPORT SUPPORTED OPERATION CODES", 0xa3,
        &[0, 0, 0x87, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0], In(field(6, 4)),
        Unit(supported_opcodes::report_supported)).action(0x0c),
    row("READ(12)", 0xa8, BLOCKS_12, InBlocks, Medium(rw::read)),
    row("WRITE(12)", 0xaa, BLOCKS_12, OutBlocks, Medium(rw::write)),
];
