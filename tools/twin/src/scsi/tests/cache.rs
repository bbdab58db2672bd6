// SPDX-License-Identifier: GPL-2.0

//! The write cache against the simplest model there is: what is held, and what is
//! on the medium, block by block.

use proptest::prelude::*;

use super::super::BLOCK_LEN;
use super::super::volume::{Fault, Volume};

const BLOCKS: u64 = 64;

#[derive(Clone, Debug)]
enum Step {
    Read {
        lba: u64,
        blocks: u64,
        force: bool,
    },
    Write {
        lba: u64,
        blocks: u64,
        value: u8,
        force: bool,
    },
    Synchronize {
        lba: u64,
        blocks: u32,
    },
    Caching(bool),
    Flush,
    PowerCut,
    Resize(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let lba = 0..BLOCKS + 2;
    let blocks = 0..24u64;
    prop_oneof![
        4 => (lba.clone(), blocks.clone(), any::<bool>())
            .prop_map(|(lba, blocks, force)| Step::Read { lba, blocks, force }),
        6 => (lba.clone(), blocks, any::<u8>(), prop::bool::weighted(0.2))
            .prop_map(|(lba, blocks, value, force)| Step::Write { lba, blocks, value, force }),
        2 => (lba, 0..24u32).prop_map(|(lba, blocks)| Step::Synchronize { lba, blocks }),
        1 => any::<bool>().prop_map(Step::Caching),
        1 => Just(Step::Flush),
        1 => Just(Step::PowerCut),
        1 => (1..BLOCKS).prop_map(Step::Resize),
    ]
}

/// A block is a number; it is held if it was written and not flushed.
struct Model {
    medium: Vec<u8>,
    held: Vec<Option<u8>>,
    caching: bool,
    limit: usize,
}

impl Model {
    fn new(limit: usize) -> Self {
        let blocks = BLOCKS as usize;
        Self {
            medium: vec![0; blocks],
            held: vec![None; blocks],
            caching: true,
            limit,
        }
    }

    fn range(&self, lba: u64, blocks: u64) -> Option<std::ops::Range<usize>> {
        let end = lba.checked_add(blocks)?;
        (end <= self.medium.len() as u64).then_some(lba as usize..end as usize)
    }

    fn flush(&mut self, range: std::ops::Range<usize>) {
        for block in range {
            if let Some(value) = self.held[block].take() {
                self.medium[block] = value;
            }
        }
    }

    fn flush_all(&mut self) {
        self.flush(0..self.medium.len());
    }

    fn value(&self, block: usize) -> u8 {
        self.held[block].unwrap_or(self.medium[block])
    }

    fn dirty(&self) -> usize {
        self.held.iter().flatten().count()
    }
}

/// Does one step to both, and compares what they say.
fn run(volume: &Volume, model: &mut Model, step: &Step) {
    match *step {
        Step::Read { lba, blocks, force } => read(volume, model, lba, blocks, force),
        Step::Write {
            lba,
            blocks,
            value,
            force,
        } => {
            let data = vec![value; blocks as usize * BLOCK_LEN];
            let outcome = volume.write(lba, &data, force);
            let Some(range) = model.range(lba, blocks) else {
                return assert_eq!(outcome, Err(Fault::OutOfRange));
            };
            outcome.unwrap();
            model.held[range.clone()].fill(Some(value));
            if force || !model.caching {
                model.flush(range);
            } else if model.dirty() > model.limit {
                model.flush_all();
            }
        }
        Step::Synchronize { lba, blocks } => {
            let outcome = volume.synchronize(lba, blocks);
            let Some(mut range) = model.range(lba, blocks.into()) else {
                return assert_eq!(outcome, Err(Fault::OutOfRange));
            };
            outcome.unwrap();
            if blocks == 0 {
                range.end = model.medium.len();
            }
            model.flush(range);
        }
        Step::Caching(caching) => {
            volume.set_caching(caching).unwrap();
            model.caching = caching;
            if !caching {
                model.flush_all();
            }
        }
        Step::Flush => {
            volume.flush().unwrap();
            model.flush_all();
        }
        Step::PowerCut => {
            volume.power_cut(true);
            model.held.fill(None);
            model.caching = true;
        }
        Step::Resize(blocks) => {
            volume.resize(blocks * BLOCK_LEN as u64).unwrap();
            model.medium.resize(blocks as usize, 0);
            model.held.resize(blocks as usize, None);
        }
    }
}

fn read(volume: &Volume, model: &mut Model, lba: u64, blocks: u64, force: bool) {
    let mut data = vec![0xee; blocks as usize * BLOCK_LEN];
    let outcome = volume.read(lba, &mut data, force);
    let Some(range) = model.range(lba, blocks) else {
        return assert_eq!(outcome, Err(Fault::OutOfRange));
    };
    outcome.unwrap();
    if force {
        model.flush(range.clone());
    }
    for (block, bytes) in range.zip(data.chunks(BLOCK_LEN)) {
        assert_eq!(bytes, [model.value(block); BLOCK_LEN], "block {block}");
    }
}

proptest! {
    #[test]
    fn the_cache_does_what_the_model_does(
        limit in 1..40usize,
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let volume = Volume::temporary(BLOCKS * BLOCK_LEN as u64).unwrap();
        let volume = volume.with_cache_limit((limit * BLOCK_LEN) as u64);
        let mut model = Model::new(limit);
        for step in &steps {
            run(&volume, &mut model, step);
            prop_assert_eq!(volume.blocks(), model.medium.len() as u64);
            prop_assert_eq!(volume.dirty_bytes(), (model.dirty() * BLOCK_LEN) as u64);
        }
        read(&volume, &mut model, 0, volume.blocks(), false);
    }
}

#[test]
fn a_flush_joins_adjacent_blocks() {
    let mut cache = super::super::cache::Cache::default();
    cache.write(6, &[1; 4 * BLOCK_LEN]);
    cache.write(20, &[2; BLOCK_LEN]);
    cache.write(10, &[3; BLOCK_LEN]);
    let mut runs = Vec::new();
    let flush = cache.write_back(7..21, |lba, data| {
        runs.push((lba, data.len() / BLOCK_LEN));
        Ok::<(), ()>(())
    });
    assert_eq!((flush, runs), (Ok(()), vec![(7, 4), (20, 1)]));
    assert_eq!(cache.dirty_bytes(), BLOCK_LEN as u64);
}

#[test]
fn no_blocks_leave_no_trace() {
    let mut cache = super::super::cache::Cache::default();
    cache.write(9, &[]);
    cache.forget(9..9);
    cache.overlay(9, &mut []);
    let none = cache.write_back(0..BLOCKS, |_, _| Err(()));
    assert_eq!((none, cache.dirty_bytes()), (Ok(()), 0));
}
