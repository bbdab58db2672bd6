// SPDX-License-Identifier: GPL-2.0

//! Chaos: which faults a seed has, and how often they strike.

use super::setting::Setting;
use super::table::{Chaos, FAULTS, Fault};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// In one seed of so many there is a fault of those that are seldom, each in its turn.
const SELDOM: u64 = 7;

impl Chaos {
    /// In how many of a hundred seeds a fault takes part that is drawn.
    fn percent(self) -> u32 {
        match self {
            Chaos::Often => 25,
            Chaos::Sometimes => 12,
            Chaos::Seldom | Chaos::Unseen | Chaos::Mix => 0,
        }
    }

    /// How often it strikes at most, so that a seed of a few seconds gets on.
    fn most(self) -> Option<u32> {
        match self {
            Chaos::Sometimes => Some(2),
            _ => None,
        }
    }
}

/// The faults of a seed; at least one.
pub fn mix(seed: u64) -> Vec<Setting> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(u64::MAX);
    let seldom = seldom(seed);
    loop {
        let mut settings = Vec::new();
        for fault in FAULTS {
            // Drawn for each, so that a fault more or less changes little.
            let (part, scale) = (random.random_range(0..100), random.random_range(1..=8));
            if part < fault.chaos.percent() || seldom == Some(fault.name) {
                settings.push(setting(fault, scale));
            }
        }
        if !settings.is_empty() {
            return settings;
        }
    }
}

/// The fault of those that are seldom whose turn it is, if it is one's.
fn seldom(seed: u64) -> Option<&'static str> {
    let all = || FAULTS.iter().filter(|fault| fault.chaos == Chaos::Seldom);
    let turn = (seed % SELDOM == 0).then_some(seed / SELDOM)?;
    let turn = turn.checked_rem(all().count() as u64)?;
    all().nth(turn as usize).map(|fault| fault.name)
}

fn setting(fault: &'static Fault, scale: u32) -> Setting {
    Setting {
        one_in: (fault.one_in * scale / 4).max(1),
        most: fault.chaos.most(),
        ..fault.setting()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    /// How many seeds the tests in a guest have.
    const SEEDS: u64 = 200;

    #[test]
    fn a_seed_is_a_mix_and_the_usual_seeds_together_are_all_that_can_be_seen() {
        assert_eq!(mix(7), mix(7));
        assert_ne!(mix(7), mix(8));
        let mut met = HashSet::new();
        let mut count = 0;
        for seed in 0..SEEDS {
            let settings = mix(seed);
            count += settings.len();
            met.extend(settings.iter().map(|setting| setting.fault.name));
        }
        assert!(count as u64 > 4 * SEEDS, "{count}");
        for fault in FAULTS {
            let part = !matches!(fault.chaos, Chaos::Unseen | Chaos::Mix);
            assert_eq!(met.contains(fault.name), part, "{}", fault.name);
        }
    }
}
