// SPDX-License-Identifier: GPL-2.0

//! The host's regions: what the handshake says of where they lie, and whether K has it so.

use super::regs::{self, Sram};
use super::wire::{RESPONSE_LEN, SLOT_LEN, UNIT_LEN};

/// Length of a page, and of a management frame.
pub const PAGE: u64 = 4096;

/// What the host said in the handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Regions {
    /// SCSI slots in use.
    pub slots: u32,
    /// Entries of both rings.
    pub entries: u32,
    /// Requests, 32 bytes a slot.
    pub requests: u64,
    /// Responses, 32 bytes a slot.
    pub responses: u64,
    /// The list units.
    pub lists: u64,
    /// How many there are.
    pub list_units: u32,
    /// The completion ring.
    pub ring: u64,
    /// The management request frame.
    pub mgmt_request: u64,
    /// Its size.
    pub mgmt_size: u32,
    /// The management reply frame.
    pub mgmt_reply: u64,
}

impl Regions {
    pub(super) fn latch(sram: &Sram) -> Regions {
        Regions {
            slots: sram.u32(regs::SLOTS),
            entries: sram.u32(regs::ENTRIES),
            requests: sram.u64(regs::REQUESTS),
            responses: sram.u64(regs::RESPONSES),
            lists: sram.u64(regs::LISTS),
            list_units: sram.u32(regs::LIST_UNITS),
            ring: sram.u64(regs::RING),
            mgmt_request: sram.u64(regs::MGMT_REQUEST),
            mgmt_size: sram.u32(regs::MGMT_SIZE),
            mgmt_reply: sram.u64(regs::MGMT_REPLY),
        }
    }

    /// Where a tag's request lies.
    pub fn request_of(&self, tag: u16) -> u64 {
        self.requests
            .saturating_add(u64::from(tag) * SLOT_LEN as u64)
    }

    /// Where a tag's response lies.
    pub fn response_of(&self, tag: u16) -> u64 {
        self.responses
            .saturating_add(u64::from(tag) * RESPONSE_LEN as u64)
    }

    /// Where a list unit lies.
    pub fn unit(&self, index: u16) -> u64 {
        self.lists
            .saturating_add(u64::from(index) * UNIT_LEN as u64)
    }

    /// Where an entry of the completion ring lies.
    pub fn ring_entry(&self, index: u32) -> u64 {
        self.ring.saturating_add(u64::from(index) * 2)
    }

    /// All of them: name, address, length with so many slots.
    fn all(&self, slots: u32) -> [(&'static str, u64, u64); 6] {
        let slots = u64::from(slots);
        [
            ("requests", self.requests, slots * SLOT_LEN as u64),
            ("responses", self.responses, slots * RESPONSE_LEN as u64),
            (
                "list units",
                self.lists,
                u64::from(self.list_units) * UNIT_LEN as u64,
            ),
            ("completion ring", self.ring, u64::from(self.entries) * 2),
            ("management request", self.mgmt_request, PAGE),
            ("management reply", self.mgmt_reply, PAGE),
        ]
    }

    /// What a host does not do: a line for each point.
    pub fn complaints(&self, most_slots: u32, one: u32) -> Vec<String> {
        let mut lines = Vec::new();
        let (slots, entries) = (self.slots, self.entries);
        if slots == 0 || slots > most_slots {
            lines.push(format!("0xe4 asks for {slots} slots of {most_slots}"));
        }
        if one != 1 {
            lines.push(format!("0xe8 is {one}, not 1"));
        }
        if u64::from(entries) != u64::from(slots) + 1 {
            lines.push(format!(
                "0xec says {entries} ring entries for {slots} slots"
            ));
        }
        if u64::from(self.mgmt_size) != PAGE {
            lines.push(format!("0x104 says {:#x}, not {PAGE:#x}", self.mgmt_size));
        }
        let all = self.all(slots.min(most_slots));
        for (n, (name, at, length)) in all.iter().enumerate() {
            if at % PAGE != 0 {
                lines.push(format!("{name} at {at:#x}: not page aligned"));
            }
            for (other, begin, size) in &all[..n] {
                let apart =
                    at.saturating_add(*length) <= *begin || begin.saturating_add(*size) <= *at;
                if !apart && *length > 0 && *size > 0 {
                    lines.push(format!("{name} at {at:#x}: overlaps {other}"));
                }
            }
        }
        lines
    }
}
