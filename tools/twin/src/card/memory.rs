// SPDX-License-Identifier: GPL-2.0

//! Host memory, as the card reaches it: the trait, and why it may say no.

/// Towards the host, or from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The card writes host memory.
    In,
    /// The card reads host memory.
    Out,
}

/// Why host memory cannot be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// Nothing, or not all of it, is mapped.
    #[error("not mapped")]
    NotMapped,
    /// It is mapped, but not for this direction.
    #[error("mapped for the other direction only")]
    Protected,
    /// It lies beyond the card's 36-bit window on host memory.
    #[error("beyond 36 bits")]
    Beyond36Bits,
}

/// Host memory. All of a piece moves, or none of it does.
pub trait GuestMemory: Send + Sync {
    /// Reads host memory.
    fn read(&self, address: u64, data: &mut [u8]) -> Result<(), Why>;

    /// Writes host memory. An aligned piece of 8 bytes appears at once.
    fn write(&self, address: u64, data: &[u8]) -> Result<(), Why>;
}
