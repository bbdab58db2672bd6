// SPDX-License-Identifier: GPL-2.0

//! `/sys/kernel/debug/apple_raid-ADDRESS/model`: what the card was found to be, an item a line,
//! with the evidence.

use crate::{
    model::CardModel,
    naming::Naming, //
};
use kernel::{
    debugfs::{
        Dir,
        File, //
    },
    device::{
        Bound,
        Device, //
    },
    prelude::*,
    str::CString,
    sync::Arc, //
};

/// The file; dropping this takes it away.
pub(crate) type Shown = Pin<KBox<File<Known>>>;

/// What the file tells of.
pub(crate) struct Known {
    model: CardModel,
    naming: Arc<Naming>,
}

/// Makes the file. A kernel without debugfs has none, and that is no error.
pub(crate) fn show(dev: &Device<Bound>, model: CardModel, naming: Arc<Naming>) -> Result<Shown> {
    let name = CString::try_from_fmt(fmt!("apple_raid-{}", dev.name()))?;
    let dir = Dir::new(&name);
    KBox::pin_init(
        dir.read_callback_file(c"model", Known { model, naming }, &|known: &Known, f| {
            known.naming.complete(known.model).write_table(f)
        }),
        GFP_KERNEL,
    )
}
