// SPDX-License-Identifier: GPL-2.0

//! A card on a bench: fake host memory, no QEMU, and a host that does as it is told.
//!
//! With workers it behaves as any card does. Without them its commands are executed
//! by whoever asks, one after the other, so that the same input always takes the same
//! way: what a fuzzer needs, and whoever wants to see what one command did.

use super::fake_memory::FakeMemory;
use super::params::CardParams;
use super::regions::Regions;
use super::regs;
use super::report::Report;
use super::state::Card;
use super::wire::{RESPONSE_LEN, SLOT_LEN, UNIT_LEN};
use super::workers::{Job, Workers};
use crate::scsi::Target;
use std::fs::File;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Where the regions lie, as macOS had them.
pub const REGIONS: Regions = Regions {
    slots: 128,
    entries: 129,
    requests: 0x0ab7_5000,
    responses: 0x0ab7_6000,
    lists: 0x0ab7_9000,
    list_units: 2220,
    ring: 0x0ab9_c000,
    mgmt_request: 0x0ab7_7000,
    mgmt_size: 0x1000,
    mgmt_reply: 0x0ab7_8000,
};

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
        let end = REGIONS.ring + 0x1000;
        memory.map(REGIONS.requests, (end - REGIONS.requests) as usize, true);
        let lists = vec![0; REGIONS.list_units as usize * UNIT_LEN];
        let _ = memory.poke(REGIONS.lists, &lists);
        let _ = memory.poke(REGIONS.mgmt_request, &[0; 4096]);
        card.start();
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

    /// Reads 4 bytes of configuration space.
    pub fn controller(&self) -> u32 {
        let mut word = [0; 4];
        self.card.read_config(0x22c, &mut word);
        u32::from_le_bytes(word)
    }

    /// Says where the regions lie, and that it is said.
    pub fn configure(&self, regions: &Regions) {
        self.write8(regs::READY, 0);
        for (register, value) in [
            (regs::SLOTS, regions.slots),
            (regs::ONE, 1),
            (regs::ENTRIES, regions.entries),
            (regs::MGMT_SIZE, regions.mgmt_size),
            (regs::LIST_UNITS, regions.list_units),
        ] {
            self.write32(register, value);
        }
        for (register, at) in [
            (regs::REQUESTS, regions.requests),
            (regs::RESPONSES, regions.responses),
            (regs::LISTS, regions.lists),
            (regs::RING, regions.ring),
            (regs::MGMT_REQUEST, regions.mgmt_request),
            (regs::MGMT_REPLY, regions.mgmt_reply),
        ] {
            self.write32(register, (at >> 32) as u32);
            self.write32(register + 4, at as u32);
        }
        let flags = self.read32(regs::FLAGS);
        self.write32(regs::FLAGS, flags | regs::CONFIGURED);
    }

    /// The whole handshake, with the regions as macOS had them.
    pub fn handshake(&self) {
        self.until("state", || (2..=4).contains(&self.controller()));
        self.configure(&REGIONS);
        self.until("ready", || self.read8(regs::READY) == 1);
        self.write8(0x62, 0);
        self.write8(0x64, 0);
        self.until("state 4", || self.controller() == 4);
        self.write8(0x61, 0);
    }

    /// Puts a whole slot where `tag` has its own.
    pub fn put_raw_slot(&self, tag: u16, slot: &[u8; SLOT_LEN]) {
        let _ = self.memory.poke(REGIONS.request_of(tag), slot);
    }

    /// Puts a command into its slot; the descriptor is an entry in place, or a list, or
    /// all zero.
    pub fn put_slot(&self, tag: u16, cdb: &[u8], descriptor: [u8; 8]) {
        let mut slot = [0; SLOT_LEN];
        slot[0] = 1;
        slot[1] = u8::from(descriptor[2..] != [0; 6]);
        slot[2..4].copy_from_slice(&tag.to_be_bytes());
        slot[8..8 + cdb.len()].copy_from_slice(cdb);
        slot[24..].copy_from_slice(&descriptor);
        self.put_raw_slot(tag, &slot);
    }

    /// Puts tags into the submit ring, and moves the index once.
    pub fn ring_all(&self, tags: &[u16]) {
        let entries = self.card.params().entries();
        let mut index = self.read32(regs::SUBMIT_INDEX) % entries;
        for tag in tags {
            let at = regs::SUBMIT_RING + index * 2;
            self.card.write(at.into(), &tag.to_be_bytes());
            index = (index + 1) % entries;
        }
        self.write32(regs::SUBMIT_INDEX, index);
    }

    /// Puts a tag into the submit ring, and moves the index.
    pub fn ring(&self, tag: u16) {
        self.ring_all(&[tag]);
    }

    /// Takes all that is in the completion ring, as a driver does it.
    pub fn take_completions(&self) -> Vec<u16> {
        let producer = self.read32(regs::PRODUCER);
        let mut index = self.read32(regs::CONSUMER);
        let mut tags = Vec::new();
        while index != producer && producer < REGIONS.entries {
            let entry = self.memory.peek::<2>(REGIONS.ring_entry(index));
            tags.extend(entry.map(u16::from_be_bytes));
            index = (index + 1) % REGIONS.entries;
        }
        if !tags.is_empty() {
            self.write32(regs::CONSUMER, index);
        }
        tags
    }

    /// The response at a tag's place.
    pub fn response(&self, tag: u16) -> [u8; RESPONSE_LEN] {
        let response = self.memory.peek(REGIONS.response_of(tag));
        response.unwrap_or([0; RESPONSE_LEN])
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
