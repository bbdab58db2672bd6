// SPDX-License-Identifier: GPL-2.0

//! Generated inputs, always the same ones: a property is a function of a [`Generator`], and when
//! it does not hold the seed and the counterexample are printed.

use core::fmt::Debug;
use kernel::{
    pr_err,
    prelude::*, //
};

/// A generator of numbers (SplitMix64).
pub struct Generator(u64);

impl Generator {
    /// The generator of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Any number.
    pub fn any_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut n = self.0;
        n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        n ^ (n >> 31)
    }

    /// Any number of 32 bits.
    pub fn any_u32(&mut self) -> u32 {
        // CAST: The upper half.
        (self.any_u64() >> 32) as u32
    }

    /// A number below `end`; 0 if there is none.
    pub fn below(&mut self, end: u32) -> u32 {
        // CAST: The product of two halves, shifted by one.
        (u64::from(self.any_u32()) * u64::from(end) >> 32) as u32
    }

    /// One of two.
    pub fn coin(&mut self) -> bool {
        self.any_u64() >> 63 == 0
    }

    /// One of the values; the default if there is none.
    pub fn pick<T: Copy + Default>(&mut self, values: &[T]) -> T {
        let at = self.below(values.len() as u32) as usize;
        values.get(at).copied().unwrap_or_default()
    }

    /// Fills `bytes`.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            // CAST: Eight bits of it.
            *byte = self.any_u32() as u8;
        }
    }
}

/// Whether `property` holds for the generators of `0..cases`. The first one for which it does not
/// is printed, with what the property says of it.
pub fn holds<D: Debug>(
    cases: u64,
    mut property: impl FnMut(&mut Generator) -> Result<(), D>,
) -> bool {
    for seed in 0..cases {
        if let Err(counterexample) = property(&mut Generator::new(seed)) {
            pr_err!("seed {seed}: {counterexample:x?}\n");
            return false;
        }
    }
    true
}

/// What a property returns: `counterexample` if the condition is false.
pub fn ensure<D: Debug>(condition: bool, counterexample: D) -> Result<(), D> {
    if condition {
        Ok(())
    } else {
        Err(counterexample)
    }
}
