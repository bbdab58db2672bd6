// SPDX-License-Identifier: GPL-2.0

//! Entries of the completion ring that should not be there.

use super::super::complete::Waiting;
use super::super::regions::Regions;
use super::super::state::{Card, State};
use super::{Kind, Stray};
use rand::Rng;
use std::sync::Arc;

impl Card {
    /// A command is about to enter the ring: something may go before it.
    pub(in super::super) fn add_strays(
        self: &Arc<Self>,
        state: &mut State,
        regions: &Arc<Regions>,
        tag: u16,
    ) {
        let Some(mut strike) = self.strikes_if(|fault| matches!(fault.kind, Kind::Stray(_))) else {
            return;
        };
        let slots = u16::try_from(regions.slots).unwrap_or(u16::MAX);
        let stray = match strike.fault.kind {
            Kind::Stray(Stray::OutOfRange) => {
                let random = strike.random.random_range(slots..=u16::MAX);
                strike.at.map_or(random, |at| at as u16)
            }
            Kind::Stray(Stray::NotInFlight) => {
                let idle = |tag: &u16| !state.in_flight.contains_key(tag);
                let free: Vec<u16> = (0..slots).filter(idle).collect();
                match free.len() {
                    0 => return,
                    count => free[strike.random.random_range(0..count)],
                }
            }
            _ => tag,
        };
        let waiting = Waiting {
            tag: stray,
            ends: false,
            tell: false,
        };
        self.enter(state, regions, waiting);
    }
}
