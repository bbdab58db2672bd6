// SPDX-License-Identifier: GPL-2.0

//! What the card says that it is (K), and what of this, and of its state, sysfs shows of the host.

use crate::{
    regs::{
        self,
        Bar0, //
    },
    scsi::{
        Attribute,
        HostAttributes, //
    },
    states::State,
    AppleRaid, //
};
use kernel::{
    io::{
        register::Array,
        Io, //
    },
    sync::atomic::ordering::Relaxed, //
};

/// Characters of the product name.
const NAME_LEN: usize = 32;

/// What the card says that it is.
#[derive(Clone, Copy, Default)]
pub(crate) struct Identity {
    controller_id: u32,
    pub(crate) firmware_version: u32,
    product_name: [u8; NAME_LEN],
}

impl Identity {
    /// Reads it.
    pub(crate) fn read(bar: &Bar0<'_>) -> Self {
        let mut product_name = [0; NAME_LEN];
        for (n, place) in product_name.iter_mut().enumerate() {
            if let Some(at) = regs::PRODUCT_NAME::try_at(n) {
                *place = bar.read(at).value().get();
            }
        }
        Self {
            controller_id: bar.read(regs::CONTROLLER_ID).value().0,
            firmware_version: bar.read(regs::FIRMWARE_VERSION).value().0,
            product_name,
        }
    }

    /// The product name without its padding, as far as it can be printed.
    pub(crate) fn product_name(&self) -> &str {
        let end = self
            .product_name
            .iter()
            .position(|byte| !matches!(byte, b' '..=b'~'))
            .unwrap_or(NAME_LEN);
        let name = self.product_name.get(..end).unwrap_or_default();
        core::str::from_utf8(name).unwrap_or_default().trim_end()
    }
}

/// The attributes of the host.
pub(crate) const ATTRIBUTES: HostAttributes<AppleRaid> = HostAttributes::new(
    const {
        &[
            Attribute::new(c"controller_state", |card, f| {
                f.write_str(State::read(card.pdev).name())
            }),
            Attribute::new(c"controller_id", |card, f| {
                write!(f, "{:#010x}", card.identity.lock().controller_id)
            }),
            Attribute::new(c"firmware_version", |card, f| {
                write!(f, "{:#010x}", card.identity.lock().firmware_version)
            }),
            Attribute::new(c"product_name", |card, f| {
                f.write_str(card.identity.lock().product_name())
            }),
            Attribute::new(c"refused_commands", |card, f| {
                write!(f, "{}", card.refused.load(Relaxed))
            }),
        ]
    },
);
