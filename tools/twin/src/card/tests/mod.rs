// SPDX-License-Identifier: GPL-2.0

//! The card as a whole, over a fake guest memory: no QEMU, no SCSI.

mod commands;
mod random;
mod replay;
mod transfers;

use super::bringup::Regions;
use super::memory::fake::FakeMemory;
use super::regs::*;
use super::report::Report;
use super::state::{Card, Phase};
use super::workers::Workers;
use crate::scsi::Target;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Where the tests' regions lie, as macOS had them.
const A: u64 = 0x0ab7_5000;
const B: u64 = 0x0ab7_7000;
const C: u64 = 0x0ab7_6000;
const D: u64 = 0x0ab7_8000;
const E: u64 = 0x0ab7_9000;
const F: u64 = 0x0ab9_c000;
const LIST_UNITS: u32 = 2220;

/// A card with workers, and a host to it.
struct Bench {
    card: Arc<Card>,
    memory: FakeMemory,
    _workers: Workers,
}

impl Bench {
    /// A card that is bus master, with memory at its regions, before the handshake.
    fn new(settings: &str) -> Bench {
        let memory = FakeMemory::default();
        let params = settings.parse().unwrap();
        let target = Arc::new(Target::default());
        let card = Arc::new(Card::new(params, target, Box::new(memory.clone())));
        memory.map(A, (F - A) as usize + 128 * 512, true);
        memory.put(E, &vec![0; LIST_UNITS as usize * 64]);
        card.dma.set_bus_master(true);
        card.msi.connect(Some(tempfile::tempfile().unwrap()));
        let workers = Workers::start(&card);
        Bench {
            card,
            memory,
            _workers: workers,
        }
    }

    /// A card that is ready.
    fn ready(settings: &str) -> Bench {
        let bench = Bench::new(&format!("bring-up-delay=0 {settings}"));
        bench.handshake();
        bench
    }

    fn write32(&self, offset: u32, value: u32) {
        self.card.write(offset.into(), &value.to_be_bytes());
    }

    fn write8(&self, offset: u32, value: u8) {
        self.card.write(offset.into(), &[value]);
    }

    fn read32(&self, offset: u32) -> u32 {
        let mut word = [0; 4];
        self.card.read(offset.into(), &mut word);
        u32::from_be_bytes(word)
    }

    fn read8(&self, offset: u32) -> u8 {
        let mut byte = [0];
        self.card.read(offset.into(), &mut byte);
        byte[0]
    }

    fn handshake(&self) {
        self.write8(READY, 0);
        for (register, value) in [(SCSI_SLOTS, 128), (MGMT_SLOTS, 1), (RING_ENTRIES, 129)] {
            self.write32(register, value);
        }
        for (register, at) in [
            (REGION_A, A),
            (REGION_B, B),
            (REGION_C, C),
            (REGION_D, D),
            (REGION_E, E),
            (REGION_F, F),
        ] {
            self.write32(register, (at >> 32) as u32);
            self.write32(register + 4, at as u32);
        }
        self.write32(REGION_B_SIZE, 0x1000);
        self.write32(super::regs::LIST_UNITS, LIST_UNITS);
        self.write32(
            CONFIG_DOORBELL,
            self.read32(CONFIG_DOORBELL).wrapping_add(1),
        );
        self.until("ready", || self.read8(READY) == 1);
        for mask in [0x62, 0x64, 0x61] {
            self.write8(mask, 0);
        }
    }

    /// Puts a command into its slot.
    fn put_slot(&self, tag: u16, cdb: &[u8], descriptor: [u8; 8]) {
        let mut slot = [0; 32];
        slot[..2].copy_from_slice(&[1, 1]);
        slot[2..4].copy_from_slice(&tag.to_be_bytes());
        slot[8..8 + cdb.len()].copy_from_slice(cdb);
        slot[24..].copy_from_slice(&descriptor);
        self.memory.put(A + u64::from(tag) * 32, &slot);
    }

    /// Names a tag and rings the doorbell.
    fn ring(&self, tag: u16) {
        self.card.write(0x174, &tag.to_be_bytes());
        self.write32(SCSI_DOORBELL, self.read32(SCSI_DOORBELL).wrapping_add(1));
    }

    fn submit(&self, tag: u16) {
        self.put_slot(tag, &[], [0; 8]);
        self.ring(tag);
    }

    fn response(&self, tag: u16) -> Vec<u8> {
        let stride = u64::from(self.card.params.response_stride);
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

    fn report(&self) -> Report {
        self.card.report()
    }

    fn until(&self, what: &str, done: impl Fn() -> bool) {
        let begin = Instant::now();
        while !done() {
            assert!(
                begin.elapsed() < Duration::from_secs(10),
                "no {what}: {:?}",
                self.report()
            );
            std::thread::sleep(Duration::from_micros(200));
        }
    }
}
