// SPDX-License-Identifier: GPL-2.0

//! When commands may go to the card.

#[kernel::prelude::kunit_tests(apple_raid_submit)]
mod tests {
    use crate::{
        regions::RING_ENTRIES,
        submit::{
            next,
            Gate,
            SubmitRing, //
        },
    };

    #[test]
    fn indices_go_round() {
        let mut index = 0;
        for n in 1..RING_ENTRIES {
            index = next(index);
            assert_eq!(index, n);
        }
        assert_eq!(next(index), 0);
    }

    #[test]
    fn commands_are_held_back_and_let_go() {
        let mut gate = Gate::Open(SubmitRing::new(0x174, 0));
        assert!(gate.ring().is_some());
        assert!(gate.follow(true).is_none());
        assert_eq!(gate.follow(false), Some("wait"));
        assert!(gate.follow(false).is_none());
        assert!(gate.ring().is_none());
        assert_eq!(gate.follow(true), Some("go on"));
        assert!(gate.ring().is_some());
    }

    #[test]
    fn a_card_that_is_not_in_use_stays_so() {
        let mut gate = Gate::Shut;
        assert!(gate.follow(true).is_none() && gate.follow(false).is_none());
        assert!(matches!(gate, Gate::Shut));
        assert!(gate.ring().is_none());
    }
}
