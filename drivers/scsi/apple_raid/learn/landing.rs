// SPDX-License-Identifier: GPL-2.0

//! Where data landed.
//!
//! Data of the checks goes to a yard: areas side by side, filled with a pattern. An entry leads to
//! the beginning of an area, and whatever the card does instead, it most likely does it in the
//! yard: to another area, or on beyond the end of the data. What does not bear the pattern any more
//! is where the card has written.
//!
//! An area is longer than INQUIRY and REPORT LUNS could be made to move, even if the card reads the
//! length in the CDB the wrong way round. A page of vital product data could fill several.

use super::misfit::Misfit;

/// Bytes of an area.
pub(crate) const AREA: usize = 16 * 1024;

/// Number of areas.
pub(crate) const AREAS: usize = 32;

/// The pattern. Data of INQUIRY or REPORT LUNS hardly ever has the highest bit set.
pub(crate) fn pattern(at: usize) -> u8 {
    // CAST: The low byte is meant.
    0x80 | (at * 37 + at / 256 * 11) as u8
}

/// What was written of an area: from the first byte to the last. As small as can be, since there is
/// one for each area on the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) first: u16,
    pub(crate) end: u16,
}

const _: () = assert!(AREA <= u16::MAX as usize);

impl Span {
    /// Of an area with these bytes, if anything.
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        let written = |(at, byte): &(usize, &u8)| **byte != pattern(*at);
        let (first, _) = bytes.iter().enumerate().find(written)?;
        let (last, _) = bytes.iter().enumerate().rev().find(written)?;
        // CAST: An area is shorter than 64 KiB.
        Some(Self {
            first: first as u16,
            end: (last + 1) as u16,
        })
    }
}

/// What was written of each area.
pub(crate) type Marks = [Option<Span>; AREAS];

/// Data that was sent: so many bytes to the beginning of an area.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) area: usize,
    pub(crate) len: usize,
}

/// Whether all pieces, and nothing else, are where they were sent; if so, how many bytes were
/// written behind one of them at most. Whole words are the card's due (O).
pub(crate) fn landed(what: &'static str, marks: &Marks, pieces: &[Piece]) -> Result<u32, Misfit> {
    let sent_to = |area: usize| pieces.iter().find(|piece| piece.area == area);
    let stray = (0..AREAS).any(|area| sent_to(area).is_none() && mark(marks, area).is_some());
    let mut overrun = 0;
    for piece in pieces {
        match mark(marks, piece.area) {
            // Data whose last bytes are like the pattern is none that was asked for here.
            Some(span) if span.first == 0 && usize::from(span.end) >= piece.len => {
                let words = piece.len.next_multiple_of(4);
                overrun = overrun.max(usize::from(span.end).saturating_sub(words));
            }
            None if marks.iter().all(Option::is_none) => return Err(Misfit::Nowhere(what)),
            _ => return Err(Misfit::Elsewhere(what)),
        }
        if mark(marks, piece.area).is_some_and(|span| usize::from(span.end) == AREA) {
            return Err(Misfit::Overrun(overrun));
        }
    }
    if stray {
        return Err(Misfit::Beyond(what));
    }
    // CAST: Less than an area.
    Ok(overrun as u32)
}

fn mark(marks: &Marks, area: usize) -> Option<Span> {
    marks.get(area).copied().flatten()
}

/// Which of several ways to send the same data is the card's: it landed as one of them says, and
/// as none of the others.
pub(crate) fn choose<T: Copy>(
    what: &'static str,
    marks: &Marks,
    ways: &[(T, &[Piece])],
) -> Result<(T, u32), Misfit> {
    let mut verdict = Err(Misfit::Nowhere(what));
    for (way, pieces) in ways {
        match landed(what, marks, pieces) {
            Ok(overrun) => return Ok((*way, overrun)),
            // Nothing came anywhere: all ways say so.
            Err(Misfit::Nowhere(_)) => {}
            Err(misfit @ Misfit::Beyond(_)) => verdict = Err(misfit),
            Err(_) if matches!(verdict, Err(Misfit::Beyond(_))) => {}
            Err(misfit) => verdict = Err(misfit),
        }
    }
    verdict
}
