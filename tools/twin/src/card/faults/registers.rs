// SPDX-License-Identifier: GPL-2.0

//! Registers that say what is not so.

use super::super::regs;
use super::super::state::Card;
use super::Kind;

impl Card {
    /// Puts what faults make of registers into what the host has read.
    pub(in super::super) fn misread(&self, offset: u64, data: &mut [u8]) {
        let capabilities = [regs::MOST_SCSI, regs::MOST_COMMANDS];
        if capabilities.iter().any(|at| hits(*at, 4, offset, data)) {
            let says = |fault: &super::Fault| matches!(fault.kind, Kind::Capabilities(..));
            if let Some(strike) = self.strikes_if(says) {
                if let Kind::Capabilities(scsi, all) = strike.fault.kind {
                    put(regs::MOST_SCSI, &scsi.to_be_bytes(), offset, data);
                    put(regs::MOST_COMMANDS, &all.to_be_bytes(), offset, data);
                }
            }
        }
        if hits(regs::MAILBOX_AT, 8, offset, data) {
            let says = |fault: &super::Fault| matches!(fault.kind, Kind::Mailbox(_));
            if let Some(strike) = self.strikes_if(says) {
                if let Kind::Mailbox(at) = strike.fault.kind {
                    put(regs::MAILBOX_AT, &at.to_be_bytes(), offset, data);
                }
            }
        }
    }
}

fn hits(register: u32, length: u64, offset: u64, data: &[u8]) -> bool {
    let register = u64::from(register);
    offset < register + length && register < offset.saturating_add(data.len() as u64)
}

/// Puts a register's bytes where `data`, read from `offset`, has them.
fn put(register: u32, bytes: &[u8], offset: u64, data: &mut [u8]) {
    for (at, byte) in (u64::from(register)..).zip(bytes) {
        let place = at.checked_sub(offset).and_then(|n| usize::try_from(n).ok());
        if let Some(to) = place.and_then(|n| data.get_mut(n)) {
            *to = *byte;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_register() {
        let mut data = [0; 4];
        put(0x10, &[1, 2, 3, 4, 5, 6, 7, 8], 0x12, &mut data);
        assert_eq!(data, [3, 4, 5, 6]);
        assert!(hits(0x10, 4, 0x13, &[0]) && !hits(0x10, 4, 0x14, &[0]));
        assert!(hits(0x10, 4, 0xc, &[0; 8]) && !hits(0x10, 4, 0xc, &[0; 4]));
    }
}
