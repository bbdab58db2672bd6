// SPDX-License-Identifier: GPL-2.0

//! Registers that say what is not so.

use super::super::regs;
use super::super::state::{Card, Phase, State};
use super::{Fault, Index, Kind};
use rand::Rng;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long the producer index reads all ones, in milliseconds.
const ALL_ONES: u32 = 100;

impl Card {
    /// Puts what faults make of registers into what the host has read.
    pub(in super::super) fn misread(
        self: &Arc<Self>,
        state: &mut State,
        offset: u64,
        data: &mut [u8],
    ) {
        let capabilities = [regs::MOST_SLOTS, regs::MOST_ENTRIES];
        if capabilities.iter().any(|at| hits(*at, 4, offset, data)) {
            let says = |fault: &Fault| matches!(fault.kind, Kind::Capabilities(..));
            if let Some(strike) = self.strikes_if(says) {
                if let Kind::Capabilities(slots, entries) = strike.fault.kind {
                    put(regs::MOST_SLOTS, &slots.to_be_bytes(), offset, data);
                    put(regs::MOST_ENTRIES, &entries.to_be_bytes(), offset, data);
                }
            }
        }
        if hits(regs::SUBMIT_RING_AT, 8, offset, data) {
            let says = |fault: &Fault| matches!(fault.kind, Kind::SubmitRing(_));
            if let Some(strike) = self.strikes_if(says) {
                if let Kind::SubmitRing(at) = strike.fault.kind {
                    put(regs::SUBMIT_RING_AT, &at.to_be_bytes(), offset, data);
                }
            }
        }
        if hits(regs::PRODUCER, 4, offset, data) {
            if let Some(index) = self.misread_producer(state) {
                put(regs::PRODUCER, &index.to_be_bytes(), offset, data);
            }
        }
    }

    /// What the producer index reads instead.
    fn misread_producer(self: &Arc<Self>, state: &mut State) -> Option<u32> {
        if let Some(until) = state.all_ones_until {
            if Instant::now() < until {
                return Some(u32::MAX);
            }
            state.all_ones_until = None;
        }
        let Phase::Ready(regions) = &state.phase else {
            return None;
        };
        let entries = regions.entries;
        let mut strike = self.strikes_if(|fault| matches!(fault.kind, Kind::Index(_)))?;
        state.ring.lied = true;
        match strike.fault.kind {
            Kind::Index(Index::Beyond) => {
                let random = strike.random.random_range(entries..u32::MAX);
                Some(strike.at.unwrap_or(random))
            }
            Kind::Index(Index::Back) => {
                let consumer = state.ring.consumer;
                Some(consumer.checked_sub(1).unwrap_or(entries - 1))
            }
            Kind::Index(Index::AllOnes) => {
                let length = Duration::from_millis(strike.at.unwrap_or(ALL_ONES).into());
                state.all_ones_until = Some(Instant::now() + length);
                Some(u32::MAX)
            }
            _ => None,
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
