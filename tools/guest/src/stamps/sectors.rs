// SPDX-License-Identifier: GPL-2.0

//! What may stand in each sector of a part of a disk.

/// Length of a sector.
pub const SECTOR: usize = 512;

/// A generation: the number of the write that it came with; 0 is what was there before.
type Generation = u32;

/// The sectors of one worker, who alone writes them.
#[derive(Debug)]
pub struct Sectors {
    /// Number on the disk of the first one.
    first: u64,
    /// What makes the stamps of this run differ from those of another.
    salt: u64,
    /// What each may hold: after a write that failed, the old or the new.
    held: Vec<Vec<Generation>>,
    latest: Generation,
}

impl Sectors {
    /// So many sectors, of which nothing is known.
    pub fn new(first: u64, count: usize, salt: u64) -> Self {
        Self {
            first,
            salt,
            held: vec![vec![0]; count],
            latest: 0,
        }
    }

    /// Fills a buffer for the next write at sector `at`.
    pub fn stamp(&mut self, at: usize, data: &mut [u8]) {
        self.latest += 1;
        for (n, sector) in (at as u64..).zip(data.chunks_exact_mut(SECTOR)) {
            let stamp = Stamp::new(self.first + n, self.latest, self.salt);
            sector.copy_from_slice(&stamp.0);
        }
    }

    /// The latest write, at sector `at`, wrote `done` of `count` sectors for sure; of
    /// the others nobody knows.
    pub fn written(&mut self, at: usize, count: usize, done: usize) {
        for (n, held) in self.held[at..at + count].iter_mut().enumerate() {
            if n < done {
                held.clear();
            }
            held.push(self.latest);
        }
    }

    /// Compares what was read from sector `at`. An error says what is wrong.
    pub fn check(&mut self, at: usize, data: &[u8]) -> Result<(), String> {
        for (n, sector) in (at..).zip(data.chunks_exact(SECTOR)) {
            let held = &mut self.held[n];
            if held.contains(&0) {
                continue;
            }
            let place = self.first + n as u64;
            let is = |generation: &Generation| {
                sector == Stamp::new(place, *generation, self.salt).0.as_slice()
            };
            let Some(found) = held.iter().copied().find(is) else {
                let begin: Vec<_> = sector.chunks_exact(8).take(4).map(number).collect();
                return Err(format!(
                    "sector {place} holds none of the generations {held:?}, but {begin:x?}"
                ));
            };
            *held = vec![found];
        }
        Ok(())
    }
}

fn number(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(0, |n, byte| (n << 8) | u64::from(*byte))
}

/// The bytes of a sector: each word depends on all there is to know.
struct Stamp([u8; SECTOR]);

impl Stamp {
    fn new(place: u64, generation: Generation, salt: u64) -> Self {
        let mut bytes = [0; SECTOR];
        let mut word = place ^ (u64::from(generation) << 40) ^ salt.rotate_left(17);
        let plain = [place, generation.into()];
        for (n, to) in bytes.chunks_exact_mut(8).enumerate() {
            // An odd constant, so that no two words of a stamp are the same.
            word = word.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29) ^ n as u64;
            let word = plain.get(n).copied().unwrap_or(word);
            to.copy_from_slice(&word.to_le_bytes());
        }
        Self(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_what_is_read() {
        let mut sectors = Sectors::new(100, 8, 7);
        let (mut old, mut new) = ([0; 1024], [0; 1024]);
        sectors.stamp(2, &mut old);
        sectors.written(2, 2, 2);
        assert!(sectors.check(2, &old).is_ok());
        assert!(sectors.check(2, &[0; 1024]).is_err());
        assert!(sectors.check(4, &[0; 1024]).is_ok(), "nobody wrote there");
        // One sector for sure, the other perhaps.
        sectors.stamp(2, &mut new);
        sectors.written(2, 2, 1);
        assert!(sectors.check(2, &old).is_err());
        let half = [&new[..512], &old[512..]].concat();
        assert!(sectors.check(2, &half).is_ok());
        // It was the old one, and stays that.
        assert!(sectors.check(2, &new).is_err());
    }

    #[test]
    fn another_place_is_another_stamp() {
        let mut sectors = Sectors::new(0, 8, 7);
        let mut data = [0; 1024];
        sectors.stamp(0, &mut data);
        sectors.written(0, 2, 2);
        data.rotate_left(512);
        assert!(sectors.check(0, &data).is_err());
    }
}
