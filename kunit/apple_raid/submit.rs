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

    fn ready() -> Gate {
        Gate::Ready(SubmitRing::new(0x174, 0))
    }

    #[test]
    fn commands_wait_until_they_are_let_in() {
        let mut gate = ready();
        assert!(gate.ring().is_none());
        // What the controller does changes nothing about that.
        assert!(gate.follow(false).is_none() && gate.follow(true).is_none());
        assert!(gate.ring().is_none());
        gate.accept();
        assert!(gate.ring().is_some());
        // It is open already.
        assert!(gate.follow(true).is_none());
        assert!(gate.ring().is_some());
    }

    #[test]
    fn commands_are_held_back_and_let_go() {
        let mut gate = ready();
        gate.accept();
        assert_eq!(gate.follow(false), Some("wait"));
        assert!(gate.follow(false).is_none());
        assert!(gate.ring().is_none());
        // What ends a restart does not end this.
        gate.accept();
        assert!(matches!(gate, Gate::Held(..)));
        assert_eq!(gate.follow(true), Some("go on"));
        assert!(gate.ring().is_some());
    }

    #[test]
    fn a_card_that_is_not_in_use_stays_so() {
        let mut gate = Gate::Shut;
        gate.accept();
        assert!(gate.follow(true).is_none() && gate.follow(false).is_none());
        assert!(matches!(gate, Gate::Shut));
        let mut gate = Gate::Dead;
        gate.accept();
        assert!(gate.follow(true).is_none() && gate.follow(false).is_none());
        assert!(matches!(gate, Gate::Dead));
        assert!(gate.ring().is_none());
    }
}
