// SPDX-License-Identifier: GPL-2.0

//! Task management that goes wrong.

use super::super::state::Card;
use super::{Kind, Strike, Trouble};

/// Which of the two scopes a fault is of (whether it is of abort task), and what it does.
pub fn scope(kind: Kind) -> Option<(bool, Trouble)> {
    match kind {
        Kind::Abort(trouble) => Some((true, trouble)),
        Kind::Reset(trouble) => Some((false, trouble)),
        _ => None,
    }
}

impl Card {
    /// What goes wrong with a request of this function, if anything does.
    pub(in super::super) fn task_fault(&self, function: u8) -> Option<Strike> {
        let is_abort = function == 1;
        self.strikes_if(|fault| scope(fault.kind).is_some_and(|(abort, _)| abort == is_abort))
    }
}
