// SPDX-License-Identifier: GPL-2.0

//! The card's way into host memory.
//!
//! Every access passes the gate: it must belong to the present era (a reset or a
//! new handshake begins another, and what is left of older commands may not touch
//! the host any more), its command must not have been aborted, the card must be bus
//! master, and the address must lie within 36 bits. The gate is held shared while bytes move; whoever closes it
//! waits for them, and knows afterwards that no DMA is under way.

use super::memory::{Direction, GuestMemory, Why};
use super::report::{Figures, Refused};
use super::trace::{Recorder, field};
use std::collections::HashSet;
use std::fmt::Write as _;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// The first bus address beyond the card's window on host memory (64 GiB).
const WINDOW_END: u64 = 1 << 36;

/// Counts the resets and handshakes; a command carries the one it began in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Era(u64);

impl Era {
    /// The era after this one.
    pub fn next(self) -> Era {
        Era(self.0.wrapping_add(1))
    }
}

/// On whose behalf the card reads or writes.
#[derive(Clone, Copy, Debug)]
pub struct Errand {
    /// When it began.
    pub era: Era,
    /// Whose it is; none for the management channel.
    pub tag: Option<u16>,
    /// The number of what it is for; 0 if that cannot be aborted.
    pub sequence: u64,
}

/// Why an access came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoDma {
    /// The command belongs to the past or was aborted, or the card is no bus master: it is
    /// over.
    Gone,
    /// The host does not allow this access.
    Refused,
}

#[derive(Default)]
struct Gate {
    era: Era,
    bus_master: bool,
    /// Commands of this era that may not touch the host any more.
    aborted: HashSet<u64>,
}

/// The card's DMA engine.
pub struct Dma {
    gate: RwLock<Gate>,
    memory: Box<dyn GuestMemory>,
    figures: Arc<Figures>,
    trace: Recorder,
}

impl Dma {
    pub(crate) fn new(
        memory: Box<dyn GuestMemory>,
        figures: Arc<Figures>,
        trace: Recorder,
    ) -> Self {
        Dma {
            gate: RwLock::default(),
            memory,
            figures,
            trace,
        }
    }

    /// Begins another era. No DMA of an older one is under way afterwards.
    pub fn begin(&self, era: Era) {
        let mut gate = self.close();
        gate.era = era;
        gate.aborted.clear();
    }

    /// Ends commands. No DMA of theirs is under way afterwards.
    pub fn abort(&self, sequences: &[u64]) {
        self.close().aborted.extend(sequences);
    }

    /// Makes the card bus master or not. Afterwards no DMA is under way if not.
    pub fn set_bus_master(&self, bus_master: bool) {
        self.close().bus_master = bus_master;
    }

    /// Whether the card is bus master.
    pub fn is_bus_master(&self) -> bool {
        self.gate().bus_master
    }

    /// Reads host memory.
    pub fn read(
        &self,
        errand: Errand,
        what: &'static str,
        address: u64,
        data: &mut [u8],
    ) -> Result<(), NoDma> {
        let length = data.len() as u64;
        self.pass(errand, what, Direction::Out, address, length, || {
            self.memory.read(address, data)
        })
    }

    /// Writes host memory.
    pub fn write(
        &self,
        errand: Errand,
        what: &'static str,
        address: u64,
        data: &[u8],
    ) -> Result<(), NoDma> {
        let length = data.len() as u64;
        self.pass(errand, what, Direction::In, address, length, || {
            self.memory.write(address, data)
        })
    }

    fn pass(
        &self,
        errand: Errand,
        what: &'static str,
        direction: Direction,
        address: u64,
        length: u64,
        access: impl FnOnce() -> Result<(), Why>,
    ) -> Result<(), NoDma> {
        if length == 0 {
            return Ok(());
        }
        let gate = self.gate();
        if gate.era != errand.era || gate.aborted.contains(&errand.sequence) {
            return Err(NoDma::Gone);
        }
        if !gate.bus_master {
            self.figures.lock().dma_blocked += 1;
            return Err(NoDma::Gone);
        }
        let result = match address.checked_add(length) {
            Some(end) if end <= WINDOW_END => access(),
            _ => Err(Why::Beyond36Bits),
        };
        result.map_err(|why| {
            let tag = errand.tag;
            self.refuse(Refused {
                direction,
                address,
                length,
                tag,
                what,
                why,
            });
            NoDma::Refused
        })
    }

    fn refuse(&self, refused: Refused) {
        let Refused {
            direction,
            address,
            length,
            tag,
            what,
            why,
        } = refused;
        tracing::warn!(
            ?direction,
            tag,
            what,
            "DMA refused: {length} bytes at {address:#x}: {why}"
        );
        self.trace.event("dma-refused", |line| {
            field!(
                line,
                "dir={direction:?} addr={address:#012x} bytes={length}"
            )?;
            field!(
                line,
                "tag={} what={what} why={why:?}",
                tag.map_or(-1, i32::from)
            )
        });
        self.figures.lock().refused(refused);
    }

    fn gate(&self) -> RwLockReadGuard<'_, Gate> {
        self.gate.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self) -> RwLockWriteGuard<'_, Gate> {
        self.gate.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::super::fake_memory::FakeMemory;
    use super::*;

    #[test]
    fn the_gate() {
        let (memory, figures) = (FakeMemory::default(), Arc::new(Figures::default()));
        memory.map(0x1000, 0x1000, true);
        memory.map(0x8000, 0x1000, false);
        let dma = Dma::new(Box::new(memory), figures.clone(), Recorder::default());
        let now = Errand {
            era: Era::default(),
            tag: Some(3),
            sequence: 7,
        };
        assert_eq!(dma.write(now, "data", 0x1000, &[1]), Err(NoDma::Gone));
        dma.set_bus_master(true);
        assert_eq!(dma.write(now, "data", 0x1000, &[1]), Ok(()));
        assert_eq!(dma.write(now, "data", 0x8000, &[1]), Err(NoDma::Refused));
        assert_eq!(dma.read(now, "data", 0x8000, &mut [1]), Ok(()));
        assert_eq!(
            dma.read(now, "data", (1 << 36) - 1, &mut [0; 2]),
            Err(NoDma::Refused)
        );
        dma.abort(&[7]);
        assert_eq!(dma.write(now, "data", 0x1000, &[1]), Err(NoDma::Gone));
        let other = Errand { sequence: 8, ..now };
        assert_eq!(dma.write(other, "data", 0x1000, &[1]), Ok(()));
        dma.begin(now.era.next());
        assert_eq!(dma.write(now, "data", 0x1000, &[1]), Err(NoDma::Gone));
        let report = figures.lock().clone();
        assert_eq!((report.dma_refused, report.dma_blocked), (2, 1));
        assert_eq!(report.refused_for, [("data", 2)].into());
        let first = report.first_refused.unwrap();
        assert_eq!(
            (first.address, first.why, first.tag),
            (0x8000, Why::Protected, Some(3))
        );
    }
}
