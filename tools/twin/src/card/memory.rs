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

#[cfg(test)]
pub(crate) mod fake {
    //! Host memory for tests: a few pieces of plain bytes.

    use super::*;
    use std::sync::{Arc, Mutex};

    /// A mapped piece: address, bytes, and whether the card may write it.
    type Piece = (u64, Vec<u8>, bool);

    /// Host memory, mapped piece by piece.
    #[derive(Clone, Default)]
    pub(crate) struct FakeMemory(Arc<Mutex<Vec<Piece>>>);

    impl FakeMemory {
        /// Maps a piece, filled with 0xa5.
        pub(crate) fn map(&self, address: u64, length: usize, writable: bool) {
            self.0
                .lock()
                .unwrap()
                .push((address, vec![0xa5; length], writable));
        }

        /// Reads as the host does.
        pub(crate) fn get(&self, address: u64, length: usize) -> Vec<u8> {
            let mut data = vec![0; length];
            self.read(address, &mut data).unwrap();
            data
        }

        /// Writes as the host does, whatever the card may do.
        pub(crate) fn put(&self, address: u64, data: &[u8]) {
            self.with(address, data.len(), |piece, _| {
                piece.copy_from_slice(data);
                Ok(())
            })
            .unwrap();
        }

        fn with(
            &self,
            address: u64,
            length: usize,
            then: impl FnOnce(&mut [u8], bool) -> Result<(), Why>,
        ) -> Result<(), Why> {
            let mut pieces = self.0.lock().unwrap();
            for (at, bytes, writable) in pieces.iter_mut() {
                let Some(skip) = address.checked_sub(*at) else {
                    continue;
                };
                let skip = skip as usize;
                if let Some(piece) = bytes.get_mut(skip..skip.saturating_add(length)) {
                    return then(piece, *writable);
                }
            }
            Err(Why::NotMapped)
        }
    }

    impl GuestMemory for FakeMemory {
        fn read(&self, address: u64, data: &mut [u8]) -> Result<(), Why> {
            self.with(address, data.len(), |piece, _| {
                data.copy_from_slice(piece);
                Ok(())
            })
        }

        fn write(&self, address: u64, data: &[u8]) -> Result<(), Why> {
            self.with(address, data.len(), |piece, writable| {
                if !writable {
                    return Err(Why::Protected);
                }
                piece.copy_from_slice(data);
                Ok(())
            })
        }
    }
}
