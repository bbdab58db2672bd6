// SPDX-License-Identifier: GPL-2.0

//! Notices when a guest cannot go on, for those who wait for it.

use std::thread;
use std::time::Duration;

use super::Vm;
use crate::console::Tail;
use crate::detector;
use crate::error::{Error, Result};

/// How long a guest that panics gets to print why.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What is known of the guest so far.
#[derive(Debug)]
pub(crate) struct Watch<'vm> {
    pub(super) vm: &'vm Vm,
    pub(super) console: Tail,
}

impl Watch<'_> {
    /// An error when QEMU has ended or the kernel panicked.
    pub(crate) fn check(&mut self) -> Result<()> {
        if self.vm.console.panicked(&mut self.console) {
            thread::sleep(LAST_WORDS);
            return Err(Error::Panic(detector::reports(&self.vm.console.text())));
        }
        match self.vm.process.ended() {
            Some(how) => Err(Error::Died(how)),
            None => Ok(()),
        }
    }
}
