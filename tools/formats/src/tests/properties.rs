// SPDX-License-Identifier: GPL-2.0

//! The properties, with random input and with the fuzz targets' seeds.

use std::fmt::Debug;

use apple_raid_twin::card::properties::{Cdb, seeds};
use arbitrary::{Arbitrary, Unstructured};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};

use crate::properties::{journey, plan, wire};

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
fn seeds_of_every_target() {
    seeds("wire").iter().for_each(wire::both_sides_agree);
    seeds("plan")
        .iter()
        .for_each(plan::nothing_is_described_that_is_not_there);
    for input in seeds("journey") {
        journey::the_card_touches_only_what_is_meant_for_it(&input);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn formats(input in made_of(48)) {
        wire::both_sides_agree(&input);
    }

    #[test]
    fn plans(input in made_of(48)) {
        plan::nothing_is_described_that_is_not_there(&input);
    }

    #[test]
    fn journeys(input in made_of(48)) {
        journey::the_card_touches_only_what_is_meant_for_it(&input);
    }
}

/// The properties would hold of a driver that knows no command, too.
#[test]
fn enough_is_put_to_the_test() {
    let mut runner = TestRunner::deterministic();
    let cdbs = made_of::<Cdb>(18);
    let compared = (0..100_000)
        .map(|_| cdbs.new_tree(&mut runner).expect("a CDB").current())
        .filter(plan::reads_like_the_twin)
        .count();
    assert!(compared > 2_500, "only {compared} CDBs were compared");
    let inputs = made_of::<journey::Input>(48);
    let travelled = (0..10_000)
        .map(|_| inputs.new_tree(&mut runner).expect("an input").current())
        .filter(journey::the_card_touches_only_what_is_meant_for_it)
        .count();
    assert!(travelled > 200, "only {travelled} commands travelled");
}
