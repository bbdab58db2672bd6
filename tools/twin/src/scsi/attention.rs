// SPDX-License-Identifier: GPL-2.0

//! Unit attention conditions: what a logical unit must tell the host before it
//! does anything else (SAM-4, 5.14). There is one initiator: the card's host.

use std::sync::atomic::{AtomicU8, Ordering};

use super::sense::Sense;

/// The conditions, the most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Condition {
    PowerOn = 1 << 0,
    LunsChanged = 1 << 1,
    CapacityChanged = 1 << 2,
    InquiryChanged = 1 << 3,
}

impl Condition {
    const ALL: [Self; 4] = [
        Self::PowerOn,
        Self::LunsChanged,
        Self::CapacityChanged,
        Self::InquiryChanged,
    ];

    pub(super) fn sense(self) -> Sense {
        match self {
            Self::PowerOn => Sense::POWER_ON,
            Self::LunsChanged => Sense::LUNS_CHANGED,
            Self::CapacityChanged => Sense::CAPACITY_CHANGED,
            Self::InquiryChanged => Sense::INQUIRY_CHANGED,
        }
    }
}

/// The conditions pending on a logical unit.
#[derive(Debug)]
pub(super) struct Attention(AtomicU8);

impl Attention {
    /// A unit that was just powered on.
    pub(super) fn power_on() -> Self {
        Self(AtomicU8::new(Condition::PowerOn as u8))
    }

    /// Power was cut: that one condition stands for all that were pending.
    pub(super) fn power_cycle(&self) {
        self.0.store(Condition::PowerOn as u8, Ordering::SeqCst);
    }

    pub(super) fn raise(&self, condition: Condition) {
        self.0.fetch_or(condition as u8, Ordering::SeqCst);
    }

    /// Clears `condition`; says whether it was pending.
    pub(super) fn clear(&self, condition: Condition) -> bool {
        self.0.fetch_and(!(condition as u8), Ordering::SeqCst) & condition as u8 != 0
    }

    /// Takes the most urgent condition: of several threads only one gets it.
    pub(super) fn take(&self) -> Option<Condition> {
        if self.0.load(Ordering::SeqCst) == 0 {
            return None;
        }
        Condition::ALL
            .into_iter()
            .find(|condition| self.clear(*condition))
    }
}
