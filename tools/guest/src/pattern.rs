// SPDX-License-Identifier: GPL-2.0

//! What programs write to a disk: it says where it belongs, and who wrote it.

/// Length of what repeats: a word.
const WORD: usize = 8;

/// Eight bytes that are found nowhere else: those of place `at`, of the writer `salt`.
fn word(at: u64, salt: u64) -> [u8; WORD] {
    (at ^ (salt << 48)).to_le_bytes()
}

/// Fills a buffer with what belongs to the places from `at` on.
pub fn fill(buffer: &mut [u8], at: u64, salt: u64) {
    for (n, place) in (0..).zip(buffer.chunks_exact_mut(WORD)) {
        place.copy_from_slice(&word(at + WORD as u64 * n, salt));
    }
}

/// The first place that holds something else, and what that is.
pub fn first_wrong(buffer: &[u8], at: u64, salt: u64) -> Option<String> {
    let places = (at..).step_by(WORD).zip(buffer.chunks_exact(WORD));
    for (at, found) in places {
        if found != word(at, salt) {
            return Some(format!("{found:02x?} at {at:#x}"));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_filled_is_right() {
        let mut buffer = [0; 64];
        fill(&mut buffer, 512, 3);
        assert_eq!(first_wrong(&buffer, 512, 3), None);
        buffer[17] ^= 1;
        let wrong = first_wrong(&buffer, 512, 3).unwrap();
        assert!(wrong.ends_with("at 0x210"), "{wrong}");
    }

    #[test]
    fn another_place_or_another_writer_is_wrong() {
        let mut buffer = [0; 64];
        fill(&mut buffer, 512, 3);
        assert!(first_wrong(&buffer, 1024, 3).is_some());
        assert!(first_wrong(&buffer, 512, 4).is_some());
    }
}
