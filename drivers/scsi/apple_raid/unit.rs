// SPDX-License-Identifier: GPL-2.0

//! Whether a logical unit is still the one that was found.
//!
//! That the midlayer has a unit's INQUIRY data says what kind it is, that it has the VPD page 83h
//! says how it is named. INQUIRY data stay as they were when the unit was found. The page does not:
//! `scsi_rescan_device()` puts a new one in its place, and the midlayer itself calls that when a
//! unit reports that its INQUIRY data have changed. So the name is remembered before this can
//! happen: [`Names::remember`].

use crate::{
    card::Card,
    rescan::SenseEvent,
    scsi::ExecuteError,
    Device,
    MAX_LUN, //
};
use kernel::{
    sync::atomic::{
        ordering::Relaxed,
        Atomic, //
    },
    time::Msecs, //
};

/// How long a unit may take to say what it is, in milliseconds.
const TIMEOUT: Msecs = 10_000;

/// Length of the INQUIRY data that are looked at: what every unit has (SPC-4, 6.6.2).
pub(crate) const INQUIRY_LEN: usize = 36;

/// Whether a unit is the one that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is.
    Same,
    /// It is not there any more, or another one is in its place.
    Gone,
    /// It does not say, or nothing that can be trusted. It stays.
    Unclear,
}

impl Verdict {
    /// Of the first byte of the INQUIRY data that a unit was found with, and of those that it has
    /// now (SPC-4, 6.6.2).
    pub(crate) fn of(found: u8, now: &[u8; INQUIRY_LEN]) -> Self {
        let &[kind, _, _, format, additional, ..] = now;
        if kind == found {
            return Self::Same;
        }
        let is_plausible = format & 0xf == 2 && usize::from(additional) + 5 >= INQUIRY_LEN;
        if !is_plausible {
            return Self::Unclear;
        }
        match (found >> 5, kind >> 5) {
            // There cannot be a unit.
            (_, 0b011) => Self::Gone,
            // Connected, but the unit does not know what it is.
            (_, 0b000) if kind & 0x1f == 0x1f => Self::Unclear,
            // Another device type; or it was not connected, so that no driver took it, and is now.
            (_, 0b000) | (0b001, 0b001) => Self::Gone,
            // Not connected at the moment, or a qualifier that nobody knows.
            _ => Self::Unclear,
        }
    }
}

/// Looks whether a running unit is the one that was found, and if so has the disk driver ask for
/// its capacity.
pub(crate) fn look(card: &Card<'_>, device: &Device) -> Verdict {
    let mut data = [0; INQUIRY_LEN];
    // CAST: 36.
    let cdb = [0x12, 0, 0, 0, INQUIRY_LEN as u8, 0];
    let kind = match device.execute_in(&cdb, &mut data, TIMEOUT) {
        Ok(INQUIRY_LEN) => device.peripheral().map(|found| Verdict::of(found, &data)),
        Err(ExecuteError::Sense(key, asc, ascq)) => match SenseEvent::of(key, asc, ascq) {
            Some(SenseEvent::NotThere) => Some(Verdict::Gone),
            _ => None,
        },
        _ => None,
    };
    match kind {
        Some(Verdict::Same) => name_again(card, device),
        kind => kind.unwrap_or(Verdict::Unclear),
    }
}

/// Has the midlayer fetch the name of a unit, and the disk driver ask for the capacity.
fn name_again(card: &Card<'_>, device: &Device) -> Verdict {
    let found = card.names.remember(device);
    let place = || {
        device.with_device_identification(|page| (!page.is_empty()).then_some(page.as_ptr().addr()))
    };
    let before = place();
    if device.rescan().is_err() {
        return Verdict::Unclear;
    }
    let now = name(device);
    // A page that could not be fetched is the old one. The new one was there before the old one was
    // freed, so that it lies elsewhere.
    if before.is_some() && before == place() {
        Verdict::Unclear
    } else if found != 0 && now != 0 && found != now {
        Verdict::Gone
    } else {
        Verdict::Same
    }
}

/// How the midlayer has it now that a unit is named; 0 if that is not known.
fn name(device: &Device) -> u64 {
    device.with_device_identification(digest)
}

/// A digest of the designators of the logical unit in a device identification page (SPC-4, 7.8.6):
/// association 0; EUI-64, NAA, or SCSI name string. 0 if there is none.
///
/// Others can change while the unit stays, or are the same for several.
pub(crate) fn digest(page: &[u8]) -> u64 {
    let Some((&[_, _, high, low], body)) = page.split_first_chunk() else {
        return 0;
    };
    let len = usize::from(u16::from_be_bytes([high, low]));
    let mut rest = body.get(..len).unwrap_or(body);
    let mut hash = 0;
    while let Some((&[code_set, kind, _, len], tail)) = rest.split_first_chunk() {
        let Some((designator, others)) = tail.split_at_checked(len.into()) else {
            break;
        };
        if kind & 0x30 == 0 && matches!(kind & 0xf, 2 | 3 | 8) {
            hash = fnv(fnv(hash, &[code_set & 0xf, kind & 0xf, len]), designator);
        }
        rest = others;
    }
    hash
}

/// FNV-1a, with its basis in the place of 0.
fn fnv(hash: u64, bytes: &[u8]) -> u64 {
    let basis = if hash == 0 {
        0xcbf2_9ce4_8422_2325
    } else {
        hash
    };
    bytes.iter().fold(basis, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// How each logical unit was named first; 0 if that is not known.
pub(crate) struct Names([Atomic<u64>; MAX_LUN as usize]);

impl Names {
    pub(crate) fn new() -> Self {
        Self([const { Atomic::new(0) }; MAX_LUN as usize])
    }

    fn of(&self, lun: u64) -> Option<&Atomic<u64>> {
        self.0.get(usize::try_from(lun).ok()?)
    }

    /// Remembers how the unit is named, if that is not known yet, before anybody asks it again.
    /// Returns what it was named first. For any context.
    pub(crate) fn remember(&self, device: &Device) -> u64 {
        self.of(device.lun()).map_or(0, |kept| {
            let name = name(device);
            kept.cmpxchg(0, name, Relaxed)
                .map_or_else(|other| other, |_| name)
        })
    }

    /// There is another logical unit now, or none.
    pub(crate) fn forget(&self, lun: u64) {
        if let Some(kept) = self.of(lun) {
            kept.store(0, Relaxed);
        }
    }
}
