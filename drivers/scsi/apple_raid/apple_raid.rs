// SPDX-License-Identifier: GPL-2.0
//! x
#[cfg(out_of_tree)]
include!("../../../rust/out_of_tree.rs");
#[cfg(not(out_of_tree))]
use kernel::scsi;

use kernel::prelude::*;
struct M;
impl kernel::Module for M { fn init(_m: &'static ThisModule) -> Result<Self> { Ok(M) } }
module! { type: M, name: "apple_raid", authors: ["x"], description: "x", license: "GPL", }
