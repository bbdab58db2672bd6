// SPDX-License-Identifier: GPL-2.0

//! Where data and lists lie, and where they end.
//!
//! The data is always INQUIRY's, of LUN 0, 36 bytes, and each time the same. It goes to areas of
//! the yard (see `landing.rs`), and each guess that might be wrong leads to an area of its own.

use super::{
    answers::{
        self,
        INQUIRY_LEN, //
    },
    landing::{
        choose,
        landed,
        Piece,
        AREA, //
    },
    misfit::Misfit,
    trial::{
        Question,
        Trial, //
    },
    Stop, //
};
use crate::{
    model::CardModel,
    wire::{
        Entry,
        ENTRY_LEN, //
    },
};
use core::num::NonZero;
use kernel::prelude::*;

/// The data that each INQUIRY has to bring.
type Data = [u8; INQUIRY_LEN];

/// The index of a list whose place depends on the unit that an index counts.
const INDEX: usize = 8;

/// The first entry of a list at byte `at` of region E.
fn entry_at(at: usize) -> usize {
    at / ENTRY_LEN
}

fn list_at(at: usize, unit: usize) -> Result<Entry> {
    let index = at.checked_div(unit).ok_or(EINVAL)?;
    let index = NonZero::new(u16::try_from(index)?).ok_or(EINVAL)?;
    Ok(Entry::list(index))
}

const fn piece(area: usize, len: usize) -> Piece {
    Piece { area, len }
}

const WHOLE: [Piece; 1] = [piece(0, INQUIRY_LEN)];

/// Data by an entry in the slot: the simplest of all transfers.
pub(super) fn check_direct(trial: &mut Trial<'_, '_>) -> Result<Data, Stop> {
    let what = "INQUIRY";
    let to = trial.memory.entry(0, INQUIRY_LEN as u32)?;
    let marks = trial.inquire(what, to)?;
    let overrun = landed(what, &marks, &WHOLE)?;
    trial.note_overrun(overrun);
    let data: Data = trial.collect(&WHOLE)?;
    trial.say(format_args!("LUN 0: {:02x?}", data));
    answers::inquiry(&data)?;
    // Once more, so that what comes next has something to be compared with.
    let again = trial.memory.entry(1, INQUIRY_LEN as u32)?;
    let marks = trial.inquire(what, again)?;
    trial.confirm(what, &marks, &[piece(1, INQUIRY_LEN)], &data)?;
    Ok(data)
}

/// Which unit the index of a list counts: there is a list where each would have it.
pub(super) fn check_unit(trial: &mut Trial<'_, '_>, data: &Data) -> Result<(), Stop> {
    let what = "INQUIRY by a list";
    let [small, large] = CardModel::LIST_UNITS;
    for (area, unit) in [(0, small), (1, large)] {
        let entry = trial.memory.entry(area, INQUIRY_LEN as u32)?;
        trial.memory.write_entry(entry_at(INDEX * unit), entry)?;
        trial
            .memory
            .write_entry(entry_at(INDEX * unit) + 1, Entry::ZERO)?;
    }
    let marks = trial.inquire(what, list_at(INDEX, 1)?)?;
    let (in_small, in_large) = ([piece(0, INQUIRY_LEN)], [piece(1, INQUIRY_LEN)]);
    let ways = [(small, in_small.as_slice()), (large, in_large.as_slice())];
    let (unit, _) = choose(what, &marks, &ways)?;
    trial.say(format_args!("a list index counts units of {unit} bytes"));
    trial.model.list_unit.see(unit);
    let area = usize::from(unit == large);
    trial.confirm(what, &marks, &[piece(area, INQUIRY_LEN)], data)
}

/// That a list of several entries is followed, and ends: behind its end are entries that lead
/// elsewhere. One of nine is longer than 64 bytes, which an index may count.
pub(super) fn check_several(trial: &mut Trial<'_, '_>, data: &Data) -> Result<(), Stop> {
    let of_three = [piece(0, 8), piece(1, 16), piece(2, 12)];
    let mut of_nine = [piece(0, 4); INQUIRY_LEN / 4];
    for (area, piece) in of_nine.iter_mut().enumerate() {
        piece.area = area;
    }
    check_list(trial, data, "INQUIRY by a list of three", &of_three)?;
    check_list(trial, data, "INQUIRY by a list of nine", &of_nine)
}

/// That data comes in these pieces, by a list where the highest tag's will be.
fn check_list(
    trial: &mut Trial<'_, '_>,
    data: &Data,
    what: &'static str,
    pieces: &[Piece],
) -> Result<(), Stop> {
    let at = usize::from(trial.tags) * CardModel::LIST_LEN;
    for (n, piece) in pieces.iter().enumerate() {
        let entry = trial.memory.entry(piece.area, piece.len as u32)?;
        trial.memory.write_entry(entry_at(at) + n, entry)?;
    }
    trial
        .memory
        .write_entry(entry_at(at) + pieces.len(), Entry::ZERO)?;
    let marks = trial.inquire(what, list_at(at, trial.model.list_unit.value)?)?;
    trial.confirm(what, &marks, pieces, data)?;
    trial.say(format_args!(
        "a list of {} entries is followed, and ends",
        pieces.len()
    ));
    Ok(())
}

/// How wide the count of an entry is: at least 16 bits, with which the driver makes do.
pub(super) fn check_count(trial: &mut Trial<'_, '_>, data: &Data) -> Result<(), Stop> {
    if is_cut(trial, data, "INQUIRY by an entry of 0x102 words", 0x102)? {
        return Err(Misfit::Count.into());
    }
    let cut = is_cut(
        trial,
        data,
        "INQUIRY by an entry of 0x10002 words",
        0x1_0002,
    )?;
    let bits = if cut { 16 } else { 24 };
    trial.say(format_args!("the count of an entry has {bits} bits"));
    trial.model.count_bits.see(bits);
    Ok(())
}

/// Whether of the words that an entry counts only the 2 in the lowest byte are seen: then the rest
/// of the data comes to the next entry.
fn is_cut(
    trial: &mut Trial<'_, '_>,
    data: &Data,
    what: &'static str,
    words: u32,
) -> Result<bool, Stop> {
    let area = words as usize * 4 / AREA + 1;
    let at = CardModel::LIST_LEN;
    let long = trial.memory.entry(0, 8)?.with_words(words);
    let next = trial.memory.entry(area, INQUIRY_LEN as u32)?;
    for (n, entry) in [long, next, Entry::ZERO].into_iter().enumerate() {
        trial.memory.write_entry(entry_at(at) + n, entry)?;
    }
    let marks = trial.inquire(what, list_at(at, trial.model.list_unit.value)?)?;
    let in_two = [piece(0, 8), piece(area, INQUIRY_LEN - 8)];
    let ways = [(false, WHOLE.as_slice()), (true, in_two.as_slice())];
    let (cut, _) = choose(what, &marks, &ways)?;
    let pieces = if cut { in_two.as_slice() } else { &WHOLE };
    trial.confirm(what, &marks, pieces, data)?;
    Ok(cut)
}

/// How far behind data the card writes: tried with every length, since it does not always.
pub(super) fn check_overrun(trial: &mut Trial<'_, '_>) -> Result<(), Stop> {
    let what = "INQUIRY of few bytes";
    for len in 5..INQUIRY_LEN {
        let descriptor = trial.memory.entry(0, len as u32)?;
        trial.ask(&Question {
            what,
            lun: [0; 4],
            cdb: &[0x12, 0, 0, 0, len as u8],
            descriptor,
        })?;
        let span = trial.memory.mark(0)?.ok_or(Misfit::Nowhere(what))?;
        let end = usize::from(span.end);
        if end == AREA {
            return Err(Misfit::Overrun(AREA - len).into());
        }
        trial.note_overrun(end.saturating_sub(len.next_multiple_of(4)) as u32);
        trial.memory.sweep(0)?;
    }
    trial.say(format_args!(
        "{} bytes behind data, at most",
        trial.model.overrun.value
    ));
    Ok(())
}
