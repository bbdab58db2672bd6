// SPDX-License-Identifier: GPL-2.0

//! Chaos: which faults a seed has, and how often they strike.

use super::setting::Setting;
use super::table::{Chaos, FAULTS, Fault};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

impl Chaos {
    /// In how many of a hundred seeds a fault takes part.
    fn percent(self) -> u32 {
        match self {
            Chaos::Often => 25,
            Chaos::Sometimes => 12,
            Chaos::Seldom => 1,
            Chaos::Unseen | Chaos::Mix => 0,
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
pub fn mix(random: &mut ChaCha8Rng) -> Vec<Setting> {
    loop {
        let mut settings = Vec::new();
        for fault in FAULTS {
            // Drawn for each, so that a fault more or less changes little.
            let (part, scale) = (random.random_range(0..100), random.random_range(1..=8));
            if part < fault.chaos.percent() {
                settings.push(setting(fault, scale));
            }
        }
        if !settings.is_empty() {
            return settings;
        }
    }
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
    use rand::SeedableRng;
    use std::collections::HashSet;

    #[test]
    fn a_seed_is_a_mix_and_all_seeds_together_are_all_that_can_be_seen() {
        let of = |seed| mix(&mut ChaCha8Rng::seed_from_u64(seed));
        assert_eq!(of(7), of(7));
        assert_ne!(of(7), of(8));
        let mut met = HashSet::new();
        let mut count = 0;
        for seed in 0..1000 {
            let settings = of(seed);
            count += settings.len();
            met.extend(settings.iter().map(|setting| setting.fault.name));
        }
        assert!(count > 4000, "{count}");
        for fault in FAULTS {
            let part = !matches!(fault.chaos, Chaos::Unseen | Chaos::Mix);
            assert_eq!(met.contains(fault.name), part, "{}", fault.name);
        }
    }
}
