// SPDX-License-Identifier: GPL-2.0

//! The properties, with random input and with the fuzz targets' seeds.

use super::super::properties::{host, seeds, slot};
use arbitrary::{Arbitrary, Unstructured};
use proptest::prelude::*;
use std::fmt::Debug;

/// Anything that can be made of at most `most` bytes.
fn made_of<T>(most: usize) -> impl Strategy<Value = T>
where
    T: for<'a> Arbitrary<'a> + Debug,
{
    prop::collection::vec(any::<u8>(), 0..=most).prop_filter_map("too few bytes", |bytes| {
        T::arbitrary_take_rest(Unstructured::new(&bytes)).ok()
    })
}

#[test]
fn seeds_of_slots() {
    seeds("slot").iter().for_each(slot::decodes_to_what_it_says);
}

#[test]
fn seeds_of_hosts() {
    let scripts = seeds("host");
    scripts.iter().for_each(host::every_command_ends);
    scripts
        .iter()
        .for_each(host::every_command_ends_with_workers);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn any_slot(input in made_of(38)) {
        slot::decodes_to_what_it_says(&input);
    }
}

proptest! {
    #[test]
    fn any_host(script in made_of(1024)) {
        host::every_command_ends(&script);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_host_with_workers(script in made_of(1024)) {
        host::every_command_ends_with_workers(&script);
    }
}
