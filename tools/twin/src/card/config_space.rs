// SPDX-License-Identifier: GPL-2.0

//! PCI configuration space: identity and capabilities.
//!
//! QEMU emulates the sizing of BARs and what is inside the MSI capability; the
//! card has to supply the headers, a Command register that holds what is written
//! to it (bus master), and Device Control, whose bit 15 is the only sign of a
//! function level reset.

use super::state::Card;
use super::trace::field;
use std::fmt::Write as _;
use std::sync::Arc;

/// Length of the extended configuration space.
pub const CONFIG_LEN: usize = 4096;

const COMMAND: usize = 0x04;
const BUS_MASTER: u8 = 1 << 2;
const MSI: usize = 0x50;
const POWER: usize = 0x70;
const EXPRESS: usize = 0x80;
const DEVICE_CONTROL: usize = EXPRESS + 0x08;
/// Initiate function level reset, in Device Control's high byte.
const FLR: u8 = 1 << 7;
/// The controller's state. The card shows no extended capabilities (their list, at
/// 0x100, is empty), so it is part of none.
const CONTROLLER: usize = 0x22c;

/// What a write to configuration space asked for beyond holding its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effects {
    /// Whether the card is bus master now.
    pub bus_master: bool,
    /// Whether a function level reset was asked for.
    pub reset: bool,
}

/// The card's configuration space.
pub struct ConfigSpace {
    bytes: [u8; CONFIG_LEN],
    /// Bits that the host may change.
    writable: [u8; CONFIG_LEN],
}

impl Default for ConfigSpace {
    fn default() -> Self {
        Self::new()
    }
}

impl ConfigSpace {
    /// Configuration space after a reset.
    pub fn new() -> ConfigSpace {
        let mut space = ConfigSpace {
            bytes: [0; CONFIG_LEN],
            writable: [0; CONFIG_LEN],
        };
        space.header();
        space.capabilities();
        space
    }

    fn header(&mut self) {
        // Apple, 008a; memory, bus master, parity, SERR and INTx disable can be set.
        self.put(0x00, &[0x6b, 0x10, 0x8a, 0x00], &[]);
        self.put(COMMAND, &[0x00, 0x00, 0x10, 0x00], &[0x46, 0x05]);
        // Revision 1.00 of the board; class 010400, RAID.
        self.put(0x08, &[100, 0x00, 0x04, 0x01], &[]);
        self.put(0x0c, &[0; 4], &[0xff, 0xff]);
        // BAR0: 1 MiB, 64 bits, not prefetchable.
        self.put(
            0x10,
            &[0x04, 0, 0, 0, 0, 0, 0, 0],
            &[0, 0, 0xf0, 0xff, 0xff, 0xff, 0xff, 0xff],
        );
        self.put(0x2c, &[0x6b, 0x10, 0x8a, 0x00], &[]);
        self.put(0x34, &[MSI as u8], &[]);
        self.put(0x3c, &[0; 4], &[0xff]);
    }

    fn capabilities(&mut self) {
        // MSI: 64-bit addresses, one vector.
        self.put(MSI, &[0x05, POWER as u8, 0x80, 0x00], &[0, 0, 0x01, 0x00]);
        self.put(
            MSI + 4,
            &[0; 10],
            &[0xfc, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        );
        // Power management: version 3, no PME; D3hot keeps the state.
        self.put(
            POWER,
            &[0x01, EXPRESS as u8, 0x03, 0x00, 0x08, 0x00],
            &[0, 0, 0, 0, 0x03],
        );
        // Express: version 1, legacy endpoint.
        self.put(EXPRESS, &[0x10, 0x00, 0x11, 0x00], &[]);
        // Payload 512, role-based error reporting, function level reset.
        self.put(EXPRESS + 4, &(0x1000_8002u32).to_le_bytes(), &[]);
        // Read requests of 512, relaxed ordering, no snoop.
        self.put(DEVICE_CONTROL, &[0x10, 0x28, 0x00, 0x00], &[0xff, 0x7f]);
        // Eight lanes at 2.5 GT/s, as they can be and as they are.
        self.put(EXPRESS + 0x0c, &0x81u32.to_le_bytes(), &[]);
        self.put(EXPRESS + 0x10, &[0x00, 0x00, 0x81, 0x00], &[0xc3, 0x00]);
    }

    fn put(&mut self, offset: usize, bytes: &[u8], writable: &[u8]) {
        self.bytes[offset..offset + bytes.len()].copy_from_slice(bytes);
        self.writable[offset..offset + writable.len()].copy_from_slice(writable);
    }

    /// The host reads; beyond the end all ones.
    pub fn read(&self, offset: u64, data: &mut [u8]) {
        data.fill(0xff);
        let from = usize::try_from(offset)
            .ok()
            .and_then(|at| self.bytes.get(at..))
            .unwrap_or(&[]);
        data.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
    }

    /// Shows another state of the controller.
    fn show(&mut self, controller: u8) {
        self.put(CONTROLLER, &u32::from(controller).to_le_bytes(), &[]);
    }

    /// The host writes.
    pub fn write(&mut self, offset: u64, data: &[u8]) -> Effects {
        let at = usize::try_from(offset)
            .unwrap_or(CONFIG_LEN)
            .min(CONFIG_LEN);
        let held = self.bytes[at..].iter_mut().zip(&self.writable[at..]);
        held.zip(data)
            .for_each(|((held, may), new)| *held = *held & !may | new & may);
        let device_control = (DEVICE_CONTROL + 1)
            .checked_sub(at)
            .and_then(|n| data.get(n));
        Effects {
            bus_master: self.bytes[COMMAND] & BUS_MASTER != 0,
            reset: device_control.is_some_and(|high| high & FLR != 0),
        }
    }
}

impl Card {
    /// The host writes configuration space.
    pub fn write_config(self: &Arc<Self>, offset: u64, data: &[u8]) {
        self.trace.event("config-write", |line| {
            field!(line, "off={offset:#x} width={} value=0x", data.len())?;
            data.iter()
                .rev()
                .try_for_each(|byte| write!(line, "{byte:02x}"))
        });
        if self.state().dead {
            return;
        }
        let effects = self.config().write(offset, data);
        if !effects.bus_master && self.dma.is_bus_master() && self.goes_in_remove() {
            return;
        }
        if effects.reset {
            return self.reset("flr");
        }
        if effects.bus_master && !self.dma.is_bus_master() {
            self.wake();
        }
        self.dma.set_bus_master(effects.bus_master);
    }

    /// The host reads configuration space.
    pub fn read_config(&self, offset: u64, data: &mut [u8]) {
        let (dead, controller) = {
            let mut state = self.state();
            let end = offset.saturating_add(data.len() as u64);
            if offset < CONTROLLER as u64 + 4 && end > CONTROLLER as u64 {
                self.note_look(&mut state);
            }
            (state.dead, state.controller as u8)
        };
        let mut config = self.config();
        config.show(controller);
        match dead {
            true => data.fill(0xff),
            false => config.read(offset, data),
        }
        drop(config);
        self.trace.event("config-read", |line| {
            field!(line, "off={offset:#x} width={} value=0x", data.len())?;
            data.iter()
                .rev()
                .try_for_each(|byte| write!(line, "{byte:02x}"))
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get<const N: usize>(space: &ConfigSpace, offset: u64) -> [u8; N] {
        let mut data = [0; N];
        space.read(offset, &mut data);
        data
    }

    #[test]
    fn identity_and_capability_chain() {
        let mut space = ConfigSpace::new();
        space.show(4);
        assert_eq!(get(&space, 0), [0x6b, 0x10, 0x8a, 0x00]);
        assert_eq!(get(&space, 9), [0x00, 0x04, 0x01]);
        let (mut at, mut ids) = (get::<1>(&space, 0x34)[0], Vec::new());
        while at != 0 {
            let [id, next] = get(&space, at.into());
            ids.push(id);
            at = next;
        }
        assert_eq!(ids, [0x05, 0x01, 0x10]);
        assert_eq!(u32::from_le_bytes(get(&space, 0x22c)), 4);
        assert_eq!(get(&space, 0x100), [0; 4]);
        assert_eq!(get(&space, 4094), [0, 0, 0xff, 0xff]);
    }

    #[test]
    fn command_and_bars_hold_what_is_written() {
        let mut space = ConfigSpace::new();
        assert!(space.write(4, &[0xff, 0xff]).bus_master);
        assert_eq!(get(&space, 4), [0x46, 0x05]);
        assert!(!space.write(4, &[0x02, 0x00]).bus_master);
        space.write(0x10, &[0xff; 8]);
        assert_eq!(
            get(&space, 0x10),
            [4, 0, 0xf0, 0xff, 0xff, 0xff, 0xff, 0xff]
        );
        space.write(0, &[0; 4]);
        assert_eq!(get(&space, 0), [0x6b, 0x10, 0x8a, 0x00]);
    }

    #[test]
    fn function_level_reset() {
        let mut space = ConfigSpace::new();
        assert!(!space.write(0x88, &[0x10, 0x28]).reset);
        assert!(space.write(0x88, &[0x10, 0xa8]).reset);
        assert!(space.write(0x89, &[0x80]).reset);
        assert!(space.write(0x84, &[0, 0, 0, 0, 0, 0x80, 0, 0]).reset);
        assert_eq!(get(&space, 0x88), [0x00, 0x00]);
        space.write(u64::MAX, &[1]);
    }
}
