//! The device server behind the card: logical units and what a CDB does to them.

/// Length of fixed-format sense data as the card returns it, in bytes (O).
pub const SENSE_LEN: usize = 18;

/// SCSI status byte (SAM-4, 5.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Status {
    /// The command completed without error.
    Good = 0x00,
    /// Sense data says what happened.
    CheckCondition = 0x02,
}

/// What a command's data phase moves, as its CDB alone says it (bytes).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataPhase {
    /// No data.
    None,
    /// Towards the host, at most this many bytes (allocation length, or blocks × 512).
    In(u64),
    /// From the host, exactly this many bytes.
    Out(u64),
}

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// SCSI status.
    pub status: Status,
    /// Fixed-format sense data, with [`Status::CheckCondition`].
    pub sense: Option<[u8; SENSE_LEN]>,
    /// Data-in; never longer than what [`DataPhase::In`] said.
    pub data_in: Vec<u8>,
}

/// The target behind the card: its logical units, by LUN.
#[derive(Default)]
pub struct Target {}

impl Target {
    /// What the CDB would move, whatever buffer the host provided.
    pub fn data_phase(&self, _lun: u16, _cdb: &[u8; 16]) -> DataPhase {
        DataPhase::None
    }

    /// Executes one command. `data_out` holds as many bytes as [`DataPhase::Out`] said.
    pub fn execute(&self, _lun: u16, _cdb: &[u8; 16], _data_out: &[u8]) -> Reply {
        Reply { status: Status::Good, sense: None, data_in: Vec::new() }
    }
}
