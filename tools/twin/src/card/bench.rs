// SPDX-License-Identifier: GPL-2.0

//! A card on a bench: fake host memory, no QEMU, and a host that does as it is told.
//!
//! With workers it behaves as any card does. Without them its commands are executed
//! by whoever asks, one after the other, so that the same input always takes the same
//! way: what a fuzzer needs, and whoever wants to see what one command did.

use super::bringup::Regions;
use super::fake_memory::FakeMemory;
use super::params::CardParams;
use super::regs;
use super::report::Report;
use super::state::Card;
use super::wire::SLOT_LEN;
use super::workers::{Job, Workers};
use crate::scsi::Target;
use std::fs::File;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Where the regions lie, as macOS had them.
pub const REGIONS: Regions = Regions {
    slots: 0x0ab7_5000,
    commands: 128,
    mgmt_command: 0x0ab7_7000,
    mgmt_command_len: 0x1000,
    ring: 0x0ab7_6000,
    ring_entries: 129,
    mgmt_response: 0x0ab7_8000,
    lists: 0x0ab7_9000,
    list_units: 2220,
    responses: 0x0ab9_c000,
};

/// A unit of region E, in bytes.
pub const LIST_UNIT: u64 = 64;

/// The largest distance of two responses, in bytes.
const MOST_STRIDE: u64 = 512;

/// A card, its host's memory, and a host to it.
pub struct Bench {
    /// The card.
    pub card: Arc<Card>,
    /// The host's memory; the regions are mapped, and the lists zero.
    pub memory: FakeMemory,
    _workers: Option<Workers>,
}

impl Bench {
    /// A card that is bus master, before the handshake, whose commands wait for
    /// [`Bench::next_job`].
    pub fn idle(params: CardParams) -> Bench {
        let memory = FakeMemory::default();
        let target = Arc::new(Target::default());
        let card = Arc::new(Card::new(params, target, Box::new(memory.clone())));
        let end = REGIONS.responses + u64::from(REGIONS.commands) * MOST_STRIDE;
        memory.map(REGIONS.slots, (end - REGIONS.slots) as usize, true);
        let lists = vec![0; (u64::from(REGIONS.list_units) * LIST_UNIT) as usize];
        let _ = memory.poke(REGIONS.lists, &lists);
        card.begin_faults();
        card.dma.set_bus_master(true);
        // Takes as many interrupts as are sent.
        let eventfd = File::options().write(true).open("/dev/null");
        card.msi.connect(eventfd.ok());
        Bench {
            card,
            memory,
            _workers: None,
        }
    }

    /// The same with workers.
    pub fn busy(params: CardParams) -> Bench {
        let mut bench = Bench::idle(params);
        bench._workers = Some(Workers::start(&bench.card));
        bench
    }

    /// The next command that waits, if the card has no workers to take it.
    pub fn next_job(&self) -> Option<Job> {
        self.card.queue.try_pop()
    }

    /// Does one job.
    pub fn execute(&self, job: &Job) {
        self.card.execute(job);
    }

    /// Writes 4 bytes.
    pub fn write32(&self, offset: u32, value: u32) {
        self.card.write(offset.into(), &value.to_be_bytes());
    }

    /// Writes a byte.
    pub fn write8(&self, offset: u32, value: u8) {
        self.card.write(offset.into(), &[value]);
    }

    /// Reads 4 bytes.
    pub fn read32(&self, offset: u32) -> u32 {
        let mut word = [0; 4];
        self.card.read(offset.into(), &mut word);
        u32::from_be_bytes(word)
    }

    /// Reads a byte.
    pub fn read8(&self, offset: u32) -> u8 {
        let mut byte = [0];
        self.card.read(offset.into(), &mut byte);
        byte[0]
    }

    /// Says where the regions lie, and rings the doorbell of the configuration.
    pub fn configure(&self, regions: &Regions) {
        self.write8(regs::READY, 0);
        for (register, value) in [
            (regs::SCSI_SLOTS, regions.commands),
            (regs::MGMT_SLOTS, 1),
            (regs::RING_ENTRIES, regions.ring_entries),
            (regs::REGION_B_SIZE, regions.mgmt_command_len),
            (regs::LIST_UNITS, regions.list_units),
        ] {
            self.write32(register, value);
        }
        for (register, at) in [
            (regs::REGION_A, regions.slots),
            (regs::REGION_B, regions.mgmt_command),
            (regs::REGION_C, regions.ring),
            (regs::REGION_D, regions.mgmt_response),
            (regs::REGION_E, regions.lists),
            (regs::REGION_F, regions.responses),
        ] {
            self.write32(register, (at >> 32) as u32);
            self.write32(register + 4, at as u32);
        }
        self.bump(regs::CONFIG_DOORBELL);
    }

    /// The whole handshake, with the regions as macOS had them.
    pub fn handshake(&self) {
        self.configure(&REGIONS);
        self.until("ready", || self.read8(regs::READY) == 1);
        self.open_masks();
    }

    /// Lets interrupts through.
    pub fn open_masks(&self) {
        for mask in [0x62, 0x64, 0x61] {
            self.write8(mask, 0);
        }
    }

    /// Rings a doorbell that counts.
    pub fn bump(&self, doorbell: u32) {
        self.write32(doorbell, self.read32(doorbell).wrapping_add(1));
    }

    /// Puts a whole slot where `tag` has its own.
    pub fn put_raw_slot(&self, tag: u16, slot: &[u8; SLOT_LEN]) {
        let at = REGIONS.slots + u64::from(tag) * SLOT_LEN as u64;
        let _ = self.memory.poke(at, slot);
    }

    /// Puts a command into its slot.
    pub fn put_slot(&self, tag: u16, cdb: &[u8], descriptor: [u8; 8]) {
        let mut slot = [0; SLOT_LEN];
        slot[..2].copy_from_slice(&[1, 1]);
        slot[2..4].copy_from_slice(&tag.to_be_bytes());
        slot[8..8 + cdb.len()].copy_from_slice(cdb);
        slot[24..].copy_from_slice(&descriptor);
        self.put_raw_slot(tag, &slot);
    }

    /// Names a tag and rings the doorbell.
    pub fn ring(&self, tag: u16) {
        let mailbox = self.card.params().mailbox;
        self.card.write(mailbox.into(), &tag.to_be_bytes());
        self.bump(regs::SCSI_DOORBELL);
    }

    /// The card's figures.
    pub fn report(&self) -> Report {
        self.card.report()
    }

    /// Waits, but not for ever.
    pub fn until(&self, what: &str, done: impl Fn() -> bool) {
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
