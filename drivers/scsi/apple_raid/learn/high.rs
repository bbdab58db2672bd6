// SPDX-License-Identifier: GPL-2.0

//! That addresses above 4 GiB reach the memory there, where there is any.
//!
//! Everything else is checked below 4 GiB. This comes late, and asks for no more than 4 bytes, at
//! the end of a block of 512, behind which no junk is expected: if the card cuts addresses to 32
//! bits, they go to memory that is not the driver's. macOS was seen to use such addresses (O), so
//! the card is not expected to.

use super::{
    answers::{
        FILL,
        INQUIRY_LEN, //
    },
    misfit::Misfit,
    trial::{
        Question,
        Trial, //
    },
    Stop, //
};
use crate::wire::Entry;
use core::ops::Range;
use kernel::{
    dma::Coherent,
    io::{
        io_project,
        Io, //
    },
    page::PAGE_SIZE,
    prelude::*, //
};

/// Bytes that are asked for.
const LEN: usize = 4;

/// Where in a page the data has to go: there is room behind, should junk come nevertheless.
const PLACE: Range<usize> = PAGE_SIZE / 2 - LEN..PAGE_SIZE / 2;

fn fill(page: &Coherent<[u8]>) -> Result {
    io_project!(page, [try: PLACE]).copy_from_slice(&[FILL; LEN]);
    Ok(())
}

fn read(page: &Coherent<[u8]>) -> Result<[u8; LEN]> {
    let mut came = [0; LEN];
    io_project!(page, [try: PLACE]).copy_to_slice(&mut came);
    Ok(came)
}

/// Checks it if the kernel, free to choose, gives memory above 4 GiB.
pub(super) fn check(trial: &mut Trial<'_, '_>, data: &[u8; INQUIRY_LEN]) -> Result<(), Stop> {
    let what = "INQUIRY above 4 GiB";
    let page: Coherent<[u8]> = Coherent::zeroed_slice(trial.pdev.as_ref(), PAGE_SIZE, GFP_KERNEL)?;
    let address = page.dma_address() + PLACE.start as u64;
    if address >> 32 == 0 {
        trial.say(format_args!("no memory above 4 GiB was given"));
        return Ok(());
    }
    fill(&page)?;
    trial.memory.high = Some(page);
    trial.ask(&Question {
        what,
        lun: [0; 4],
        cdb: &[0x12, 0, 0, 0, LEN as u8],
        descriptor: Entry::new(address, LEN as u32).ok_or(EINVAL)?,
    })?;
    let came = read(trial.memory.high.as_ref().ok_or(EINVAL)?)?;
    trial.say(format_args!("at {address:#x}: {came:02x?}"));
    if data.first_chunk() != Some(&came) {
        return Err(Misfit::Address(address).into());
    }
    trial.model.address_bits.see(36);
    Ok(())
}
