// SPDX-License-Identifier: GPL-2.0

//! Why the target's logical units cannot be what somebody wants them to be.

use super::target::MAX_LUN;
use super::volume::VolumeError;

/// Why the target's logical units could not be changed.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// There is a volume at that LUN.
    #[error("LUN {0} has a volume already")]
    Taken(u16),
    /// There is no volume at that LUN.
    #[error("LUN {0} has no volume")]
    Absent(u16),
    /// LUN 0 is the card's own unit.
    #[error("LUN {0} is the card's own unit")]
    Card(u16),
    /// The card has no such LUN.
    #[error("LUN {0} is beyond {MAX_LUN}")]
    BeyondLimit(u16),
    /// The volume itself.
    #[error("LUN {lun}: {source}")]
    Volume {
        /// Its LUN.
        lun: u16,
        /// What went wrong.
        source: VolumeError,
    },
}
