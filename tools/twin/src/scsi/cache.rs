// SPDX-License-Identifier: GPL-2.0

//! The volatile write cache: blocks that were written and not yet flushed.
//!
//! Only dirty blocks are held, in pages of eight with a bit for each block, by
//! page number in a tree, so that whoever looks for the dirty blocks of a range
//! (a read, which lays them over what the medium holds; a flush) visits only
//! pages that exist. The volume's lock protects it; there is none in here.

use std::collections::BTreeMap;
use std::ops::Range;

use super::BLOCK_LEN;

/// Blocks in a page: as many as its mask of dirty blocks has bits.
const PAGE_BLOCKS: u64 = 8;
const PAGE_LEN: usize = PAGE_BLOCKS as usize * BLOCK_LEN;
/// The longest write that a flush puts together from adjacent blocks.
const RUN_LEN: usize = 1 << 20;

struct Page {
    /// Bit n: block n of the page is dirty. Never zero for a page in the tree.
    dirty: u8,
    data: Box<[u8; PAGE_LEN]>,
}

/// The part of one page that a range of blocks covers.
struct Span {
    page: u64,
    /// Its blocks, as bits of a page's mask.
    mask: u8,
    /// Its bytes within the page.
    bytes: Range<usize>,
}

/// The spans of `blocks`, in order, one a page.
fn spans(blocks: Range<u64>) -> impl Iterator<Item = Span> {
    pages(&blocks).map(move |page| span(page, &blocks))
}

/// What `blocks` covers of `page`, which must overlap with it.
fn span(page: u64, blocks: &Range<u64>) -> Span {
    let base = page * PAGE_BLOCKS;
    let first = blocks.start.saturating_sub(base).min(PAGE_BLOCKS) as usize;
    let end = blocks.end.saturating_sub(base).min(PAGE_BLOCKS) as usize;
    let mask = (first..end).fold(0, |mask, block| mask | (1 << block));
    Span {
        page,
        mask,
        bytes: first * BLOCK_LEN..end * BLOCK_LEN,
    }
}

/// The dirty blocks of a volume.
#[derive(Default)]
pub(super) struct Cache {
    pages: BTreeMap<u64, Page>,
    dirty_blocks: u64,
}

impl Cache {
    /// How much is held, in bytes.
    pub(super) fn dirty_bytes(&self) -> u64 {
        self.dirty_blocks * BLOCK_LEN as u64
    }

    /// Takes whole blocks, the first at `lba`.
    pub(super) fn write(&mut self, lba: u64, mut data: &[u8]) {
        let end = lba + (data.len() / BLOCK_LEN) as u64;
        for span in spans(lba..end) {
            let (piece, rest) = data.split_at(span.bytes.len());
            let page = self.pages.entry(span.page).or_insert_with(|| Page {
                dirty: 0,
                data: Box::new([0; PAGE_LEN]),
            });
            page.data[span.bytes].copy_from_slice(piece);
            self.dirty_blocks += u64::from((span.mask & !page.dirty).count_ones());
            page.dirty |= span.mask;
            data = rest;
        }
    }

    /// Lays the dirty blocks over `data`, which the medium gave for `lba` and on.
    pub(super) fn overlay(&self, lba: u64, data: &mut [u8]) {
        for (block, bytes) in self.dirty(lba..lba + (data.len() / BLOCK_LEN) as u64) {
            let at = (block - lba) as usize * BLOCK_LEN;
            data[at..at + BLOCK_LEN].copy_from_slice(bytes);
        }
    }

    /// Forgets blocks: they were written to the medium, or are lost.
    pub(super) fn forget(&mut self, blocks: Range<u64>) {
        let pages: Vec<u64> = self
            .pages
            .range(pages(&blocks))
            .map(|(page, _)| *page)
            .collect();
        for number in pages {
            let gone = span(number, &blocks).mask;
            let Some(page) = self.pages.get_mut(&number) else {
                continue;
            };
            self.dirty_blocks -= u64::from((page.dirty & gone).count_ones());
            page.dirty &= !gone;
            if page.dirty == 0 {
                self.pages.remove(&number);
            }
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Hands the dirty blocks of a range to `write`, adjacent ones together, and
    /// forgets those that it took; ends with its first error.
    pub(super) fn write_back<E>(
        &mut self,
        blocks: Range<u64>,
        mut write: impl FnMut(u64, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut next = blocks.start;
        let mut run = Vec::new();
        while let Some(first) = self.gather(next..blocks.end, &mut run) {
            write(first, &run)?;
            next = first + (run.len() / BLOCK_LEN) as u64;
            self.forget(first..next);
        }
        Ok(())
    }

    /// Copies the first run of adjacent dirty blocks into `run`; says where it begins.
    fn gather(&self, blocks: Range<u64>, run: &mut Vec<u8>) -> Option<u64> {
        run.clear();
        let mut dirty = self.dirty(blocks);
        let (first, bytes) = dirty.next()?;
        run.extend_from_slice(bytes);
        for (expected, (block, bytes)) in (first + 1..).zip(dirty) {
            if block != expected || run.len() >= RUN_LEN {
                break;
            }
            run.extend_from_slice(bytes);
        }
        Some(first)
    }

    /// The dirty blocks of a range, in order.
    fn dirty(&self, blocks: Range<u64>) -> impl Iterator<Item = (u64, &[u8])> {
        self.pages
            .range(pages(&blocks))
            .flat_map(move |(number, page)| {
                let wanted = page.dirty & span(*number, &blocks).mask;
                (0..PAGE_BLOCKS)
                    .zip(page.data.chunks_exact(BLOCK_LEN))
                    .filter_map(move |(block, bytes)| {
                        ((wanted >> block) & 1 == 1)
                            .then_some((number * PAGE_BLOCKS + block, bytes))
                    })
            })
    }
}

/// The numbers of the pages that hold `blocks`: none, if there are none.
fn pages(blocks: &Range<u64>) -> Range<u64> {
    if blocks.is_empty() {
        return 0..0;
    }
    blocks.start / PAGE_BLOCKS..blocks.end.div_ceil(PAGE_BLOCKS)
}
