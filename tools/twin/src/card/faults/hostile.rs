// SPDX-License-Identifier: GPL-2.0

//! A card that means harm: random bytes at random times into all that it may write.
//!
//! That are the regions which are the card's to write (completion ring, management
//! reply, responses), the data of commands in flight, and its own registers. Half
//! of what it writes among the responses looks like a response, for otherwise the
//! host would hardly take any of it for one. It does not write where the host did not
//! say that it may: that is the IOMMU's business, not the driver's.

use super::super::dma::Errand;
use super::super::regions::{PAGE, Regions};
use super::super::regs;
use super::super::state::{Card, Phase};
use super::super::wire::RESPONSE_LEN;
use super::{Fault, Kind};
use rand::{Rng, RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

/// Most time between two writes, in microseconds.
const PACE: u64 = 3000;
/// One data-in transfer in so many has other bytes than it should.
const BAD_DATA: u32 = 8;

/// Registers that it writes: all but the flags, without which there would be no handshake
/// to disturb, and those in which the host says where the regions are, from which the card
/// itself would be led astray.
const REGISTERS: [std::ops::Range<u64>; 3] = [0x30..0x68, 0xa0..0xe1, 0x58..0x60];

fn hostile(fault: &Fault) -> bool {
    fault.kind == Kind::Hostile
}

impl Card {
    /// Begins to be hostile, if the plan says so, until there is another plan.
    pub(super) fn begin_hostility(self: &Arc<Self>) {
        let Some(strike) = self.faults.strike(hostile) else {
            return;
        };
        let plan = self.faults.plans.load(Ordering::Relaxed);
        let (card, mut random) = (Arc::downgrade(self), strike.random);
        thread::spawn(move || {
            loop {
                thread::sleep(Duration::from_micros(random.random_range(0..PACE)));
                match card.upgrade() {
                    Some(card) if card.faults.plans.load(Ordering::Relaxed) == plan => {
                        card.lash_out(&mut random);
                        card.count_fault(strike.fault);
                    }
                    _ => return,
                }
            }
        });
    }

    fn lash_out(self: &Arc<Self>, random: &mut ChaCha8Rng) {
        let (era, regions) = {
            let state = self.state();
            let regions = match &state.phase {
                Phase::Ready(regions) | Phase::Configuring { regions, .. } => regions.clone(),
                Phase::Down | Phase::Forgotten => return,
            };
            (state.era, regions)
        };
        let errand = Errand {
            era,
            tag: None,
            sequence: 0,
        };
        let (at, bytes) = match random.random_range(0..10) {
            0 => return self.scribble(random),
            1 => anywhere(regions.ring, u64::from(regions.entries) * 2, random),
            2 => anywhere(regions.mgmt_reply, PAGE, random),
            3..6 => self.in_responses(&regions, random),
            _ => self.like_a_response(&regions, random),
        };
        // That the host refuses it is as well.
        let _ = self.dma.write(errand, "hostile", at, &bytes);
        if random.random_range(0..4) == 0 {
            self.send_msi();
        }
    }

    fn in_responses(&self, regions: &Regions, random: &mut ChaCha8Rng) -> (u64, Vec<u8>) {
        let length = u64::from(regions.slots) * RESPONSE_LEN as u64;
        anywhere(regions.responses, length, random)
    }

    /// A response to some tag, mostly one in flight; what it says is random.
    fn like_a_response(&self, regions: &Regions, random: &mut ChaCha8Rng) -> (u64, Vec<u8>) {
        let mut in_flight: Vec<u16> = self.state().in_flight.keys().copied().collect();
        in_flight.sort_unstable();
        let tag = match in_flight.len() {
            0 => random.random_range(0..regions.slots.clamp(1, 0xffff)) as u16,
            count => in_flight[random.random_range(0..count)],
        };
        let mut bytes = vec![0; RESPONSE_LEN];
        random.fill_bytes(&mut bytes);
        bytes[0] = 2;
        bytes[1] = [1, 3, 5, bytes[1]][random.random_range(0..4)];
        bytes[2..4].copy_from_slice(&tag.to_be_bytes());
        let length = [0, 18, bytes[5]][random.random_range(0..3)];
        bytes[4..6].copy_from_slice(&[0, length]);
        bytes[6] = [0, 2, 8, 0x28, bytes[6]][random.random_range(0..5)];
        bytes[7] = 0;
        bytes[8] = [0x70, 0x72, bytes[8]][random.random_range(0..3)];
        (regions.response_of(tag), bytes)
    }

    /// Random bytes into registers.
    fn scribble(self: &Arc<Self>, random: &mut ChaCha8Rng) {
        let range = REGISTERS[random.random_range(0..REGISTERS.len())].clone();
        let mut bytes = [0; 4];
        random.fill_bytes(&mut bytes);
        let length = random.random_range(1..=4);
        let mut state = self.state();
        state.ring.lied = true;
        state
            .sram
            .write(random.random_range(range), &bytes[..length]);
        self.interrupt(&state, regs::SCSI_CAUSE);
    }

    /// Data-in that is not what it was.
    pub(in super::super) fn corrupt(&self, data: &mut [u8], random: &mut ChaCha8Rng) {
        if data.is_empty() || !self.faults.has(Kind::Hostile) {
            return;
        }
        if random.random_range(0..BAD_DATA) == 0 {
            let mut random = ChaCha8Rng::seed_from_u64(random.random());
            let from = random.random_range(0..data.len());
            let length = random.random_range(1..=64).min(data.len() - from);
            random.fill_bytes(&mut data[from..from + length]);
        }
    }
}

/// Up to 64 random bytes somewhere in a region.
fn anywhere(region: u64, length: u64, random: &mut ChaCha8Rng) -> (u64, Vec<u8>) {
    let from = random.random_range(0..length.max(1));
    let most = (length - from.min(length)).clamp(1, 64);
    let mut bytes = vec![0; random.random_range(1..=most) as usize];
    random.fill_bytes(&mut bytes);
    (region.saturating_add(from), bytes)
}
