// SPDX-License-Identifier: GPL-2.0

//! What the card's answers to the checks say. The card is not trusted: bytes go in, and a finding
//! or a [`Misfit`] comes out.

use super::misfit::Misfit;
use crate::model::{
    CardModel,
    DoorbellKind,
    Ring, //
};

/// Byte that fills the regions before the card writes to them. No response begins so.
pub(crate) const FILL: u8 = 0xa5;

/// Looks for a response in what was filled with [`FILL`]: where it is, and which tag it names.
pub(crate) fn find_response(bytes: &[u8]) -> Option<(usize, u16)> {
    bytes.chunks_exact(4).enumerate().find_map(|(n, word)| {
        let [0x02, 0x01 | 0x05, high, low] = *word else {
            return None;
        };
        Some((n * 4, u16::from_be_bytes([high, low])))
    })
}

/// Distance of two responses, of which tag 1's was found there.
pub(crate) fn stride(place: usize) -> Result<usize, Misfit> {
    if CardModel::RESPONSE_STRIDES.contains(&place) {
        Ok(place)
    } else {
        Err(Misfit::Stride(place))
    }
}

/// What the submit doorbell is, by what it held before and after it was rung.
pub(crate) fn doorbell(before: u32, written: u32, after: u32) -> Result<DoorbellKind, Misfit> {
    match after {
        _ if after == written => Ok(DoorbellKind::Counter),
        _ if after == before => Ok(DoorbellKind::Constant),
        _ => Err(Misfit::Doorbell {
            before,
            written,
            after,
        }),
    }
}

/// Bytes of INQUIRY data that every unit has.
pub(crate) const INQUIRY_LEN: usize = 36;

/// Whether this is what INQUIRY says of a unit, or of none: a qualifier and a type that can be, a
/// format that has been in use since SCSI-2, and names that can be read.
pub(crate) fn inquiry(data: &[u8; INQUIRY_LEN]) -> Result<(), Misfit> {
    let [device, _, _, format, _, _, _, _, names @ ..] = data;
    // A disk, or an array controller, there or not now; or no unit can be there.
    let device = matches!(device, 0x00 | 0x20 | 0x0c | 0x2c | 0x7f);
    let format = matches!(format & 0x0f, 1 | 2);
    let names = names.iter().all(|byte| matches!(byte, 0 | 0x20..=0x7e));
    if device && format && names {
        Ok(())
    } else {
        Err(Misfit::Inquiry)
    }
}

/// Whether INQUIRY data is of a unit that is there.
pub(crate) fn is_there(device: u8) -> bool {
    device >> 5 == 0
}

/// The first logical unit other than 0 in the data of REPORT LUNS, if there is one below `most`.
pub(crate) fn other_lun(data: &[u8], most: u64) -> Result<Option<u64>, Misfit> {
    let Some((head, list)) = data.split_first_chunk::<8>() else {
        return Err(Misfit::ReportLuns);
    };
    let [len @ .., 0, 0, 0, 0] = *head else {
        return Err(Misfit::ReportLuns);
    };
    let len = u32::from_be_bytes(len) as usize;
    if len % 8 != 0 {
        return Err(Misfit::ReportLuns);
    }
    let list = list.get(..len.min(list.len())).unwrap_or_default();
    // Peripheral device addressing, which is what small numbers are written in.
    let number = |lun: &[u8]| match *lun {
        [0, lun, 0, 0, 0, 0, 0, 0] => Some(u64::from(lun)),
        _ => None,
    };
    Ok(list
        .chunks_exact(8)
        .filter_map(number)
        .find(|lun| (1..most).contains(lun)))
}

/// Bytes of a page of vital product data that are compared.
pub(crate) const PAGE_LEN: usize = 252;

/// What a unit says that it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// Whether there is one.
    there: bool,
    /// Its page of vital product data; zeros if it does not say which unit it is.
    page: [u8; PAGE_LEN],
}

impl Identity {
    /// Of no unit.
    pub(crate) const ABSENT: Self = Self {
        there: false,
        page: [0; PAGE_LEN],
    };

    /// By a page, whose data may have junk behind it.
    pub(crate) fn of_page(code: u8, data: &[u8]) -> Self {
        let [device, found, high, low, ..] = *data else {
            return Self::ABSENT;
        };
        if !is_there(device) {
            return Self::ABSENT;
        }
        let len = match u16::from_be_bytes([high, low]) {
            body @ 1.. if found == code => 4 + usize::from(body),
            _ => 0,
        };
        let mut page = [0; PAGE_LEN];
        for (to, from) in page.iter_mut().zip(data).take(len) {
            *to = *from;
        }
        Self { there: true, page }
    }

    fn says_which(&self) -> bool {
        self.page != [0; PAGE_LEN]
    }

    /// Whether this is certainly a unit, and not the one that `first` is of.
    pub(crate) fn is_another_than(&self, first: &Self) -> bool {
        let differs = self.says_which() && first.says_which() && self.page != first.page;
        self.there && (!first.there || differs)
    }
}

/// The one of two encodings with which the unit asked for answered as another than LUN 0.
pub(crate) fn one_of<T: Copy>(answers: [(T, bool); 2]) -> Option<T> {
    match answers {
        [(encoding, true), (_, false)] | [(_, false), (encoding, true)] => Some(encoding),
        _ => None,
    }
}

/// What the card wrote to the completion ring, which was filled with [`FILL`], when first tag
/// `tags[0]` and then `tags[1]` had completed.
pub(crate) fn ring(bytes: &[u8; 8], tags: [u16; 2]) -> Ring {
    let [[a, b], [c, d]] = tags.map(u16::to_be_bytes);
    if bytes == &[FILL; 8] {
        Ring::None
    } else if bytes == &[0, 0, a, b, 0, 0, c, d] {
        Ring::Tag32
    } else if bytes.first_chunk() == Some(&[a, b, c, d]) {
        Ring::Tag16
    } else {
        Ring::Unknown
    }
}
