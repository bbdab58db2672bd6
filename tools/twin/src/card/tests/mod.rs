// SPDX-License-Identifier: GPL-2.0

//! The card as a whole, over a fake guest memory: no QEMU, no SCSI.

mod commands;
mod faults;
mod odd;
mod random;
mod replay;
mod transfers;

use super::bench::{Bench, REGIONS};
use super::bringup::Regions;
use super::regs::*;
use super::state::Phase;
use std::sync::Arc;

const A: u64 = REGIONS.slots;
const B: u64 = REGIONS.mgmt_command;
const C: u64 = REGIONS.ring;
const D: u64 = REGIONS.mgmt_response;
const E: u64 = REGIONS.lists;
const F: u64 = REGIONS.responses;
const LIST_UNITS: u32 = REGIONS.list_units;

impl Bench {
    /// A card that is bus master, before the handshake.
    fn new(settings: &str) -> Bench {
        Bench::busy(settings.parse().unwrap())
    }

    /// A card that is ready.
    fn ready(settings: &str) -> Bench {
        let bench = Bench::new(&format!("bring-up-delay=0 {settings}"));
        bench.handshake();
        bench
    }

    fn submit(&self, tag: u16) {
        self.put_slot(tag, &[], [0; 8]);
        self.ring(tag);
    }

    fn response(&self, tag: u16) -> Vec<u8> {
        let stride = u64::from(self.card.params().response_stride);
        self.memory.get(F + u64::from(tag) * stride, 26)
    }

    /// Whether the response of `tag` is there.
    fn answered(&self, tag: u16) -> bool {
        let [hi, lo] = tag.to_be_bytes();
        let response = self.response(tag);
        response[0] == 2 && response[2..4] == [hi, lo]
    }

    fn regions(&self) -> Arc<Regions> {
        match &self.card.state().phase {
            Phase::Ready(regions) => regions.clone(),
            phase => panic!("not ready: {phase:?}"),
        }
    }
}
