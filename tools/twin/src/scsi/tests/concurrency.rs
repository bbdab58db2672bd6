// SPDX-License-Identifier: GPL-2.0

//! Several commands at once: no block is seen half written, none goes back to what
//! it was, and a power cut loses nothing that was flushed.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use super::*;

/// Blocks that all threads share.
const BLOCKS: usize = 24;
const ROUNDS: u64 = 300;

const READ: &[u8] = &[0x28, 0, 0, 0, 0, 3, 0, 0, BLOCKS as u8, 0];
const READ_FUA: &[u8] = &[0x28, 8, 0, 0, 0, 3, 0, 0, BLOCKS as u8, 0];
const WRITE: &[u8] = &[0x2a, 0, 0, 0, 0, 3, 0, 0, BLOCKS as u8, 0];
const WRITE_FUA: &[u8] = &[0x2a, 8, 0, 0, 0, 3, 0, 0, BLOCKS as u8, 0];
const FLUSH: &[u8] = &[0x35];

/// All blocks full of one number.
fn filled(count: u64) -> Vec<u8> {
    count.to_be_bytes().repeat(BLOCKS * 512 / 8)
}

/// The number that every block is full of, by block.
fn counts(data: &[u8]) -> Vec<u64> {
    let count = |block: &[u8]| {
        let number = u64::from_be_bytes(block[..8].try_into().unwrap());
        let whole = block.chunks(8).all(|word| word == number.to_be_bytes());
        assert!(whole, "a block is half written");
        number
    };
    data.chunks(512).map(count).collect()
}

/// Runs a command until no unit attention is in its way.
fn insist(target: &Target, cdb: &[u8], data_out: &[u8]) -> Vec<u8> {
    loop {
        let reply = execute(target, 0, cdb, data_out);
        match reply.sense {
            None => return reply.data_in,
            Some(sense) => assert_eq!(sense[2], 6),
        }
    }
}

#[test]
fn readers_see_whole_blocks_that_never_go_back() {
    let volume = Volume::temporary(BYTES).unwrap().with_cache_limit(20 * 512);
    let target = Target::default();
    target.add_volume(0, volume).unwrap();
    good(&target, 0, &[0x03]);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for round in 1..=ROUNDS {
                let write = if round % 7 == 0 { WRITE_FUA } else { WRITE };
                good_out(&target, 0, write, &filled(round));
            }
            done.store(true, Ordering::SeqCst);
        });
        scope.spawn(|| {
            while !done.load(Ordering::SeqCst) {
                good(&target, 0, FLUSH);
                thread::yield_now();
            }
        });
        for read in [READ, READ, READ_FUA] {
            let (target, done) = (&target, &done);
            scope.spawn(move || {
                let mut before = vec![0; BLOCKS];
                while !done.load(Ordering::SeqCst) {
                    let now = counts(&good(target, 0, read));
                    assert!(before.iter().zip(&now).all(|(before, now)| before <= now));
                    before = now;
                }
            });
        }
    });
    assert_eq!(counts(&good(&target, 0, READ)), [ROUNDS; BLOCKS]);
}

#[test]
fn a_power_cut_between_commands_loses_nothing_that_was_flushed() {
    let target = target();
    let flushed = AtomicU64::new(0);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for round in 1..=ROUNDS {
                insist(&target, WRITE_FUA, &filled(round));
                flushed.store(round, Ordering::SeqCst);
                // Of this, a power cut may lose all or nothing of a block.
                insist(&target, WRITE, &filled(round));
                insist(&target, FLUSH, &[]);
            }
            done.store(true, Ordering::SeqCst);
        });
        scope.spawn(|| {
            while !done.load(Ordering::SeqCst) {
                target.power_cut();
                let least = flushed.load(Ordering::SeqCst);
                let now = counts(&insist(&target, READ, &[]));
                assert!(now.into_iter().all(|count| count >= least));
                thread::yield_now();
            }
        });
    });
    target.power_cut();
    assert_eq!(counts(&insist(&target, READ, &[])), [ROUNDS; BLOCKS]);
}

#[test]
fn units_come_and_go_under_load() {
    let target = target();
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..ROUNDS / 3 {
                target
                    .add_volume(1, Volume::temporary(BYTES).unwrap())
                    .unwrap();
                target.remove_volume(1).unwrap();
            }
        });
        for lun in [0, 1] {
            let target = &target;
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    for (cdb, data) in [(WRITE, filled(round)), (READ, Vec::new())] {
                        let sense = execute(target, lun, cdb, &data).sense;
                        // Gone, or unit attention; nothing else.
                        assert!(sense.is_none_or(|sense| matches!(sense[12], 0x25 | 0x29 | 0x3f)));
                    }
                }
            });
        }
    });
    assert_eq!(target.luns(), [0]);
}
