// SPDX-License-Identifier: GPL-2.0

//! What the card says that it is (K), and what of this, and of its state, sysfs shows of the host.

use crate::{
    card::Card,
    regs,
    scsi,
    states::State,
    AppleRaid, //
};
use core::str;
use kernel::{
    fmt,
    io::{
        register::Array,
        Io, //
    },
    sync::atomic::ordering::Relaxed, //
};

/// What the card says that it is.
pub(crate) struct Identity {
    controller_id: u32,
    pub(crate) firmware_version: u32,
    product_name: [u8; 32],
}

impl Identity {
    pub(crate) fn read(bar: &regs::Bar0<'_>) -> Self {
        let mut product_name = [0; 32];
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
        let is_printed = |byte: &&u8| matches!(byte, b' '..=b'~');
        let len = self.product_name.iter().take_while(is_printed).count();
        let name = self.product_name.get(..len).unwrap_or_default();
        str::from_utf8(name).unwrap_or_default().trim_end()
    }
}

fn known<'a>(card: &'a Card<'_>) -> Result<&'a Identity, fmt::Error> {
    card.identity.as_ref().ok_or(fmt::Error)
}

/// The attributes of the host.
pub(crate) const ATTRIBUTES: scsi::HostAttributes<AppleRaid> = scsi::HostAttributes::new(
    const {
        &[
            scsi::Attribute::new(c"controller_state", |card, f| {
                f.write_str(State::read(card.pdev).name())
            }),
            scsi::Attribute::new(c"controller_id", |card, f| {
                write!(f, "{:#010x}", known(card)?.controller_id)
            }),
            scsi::Attribute::new(c"firmware_version", |card, f| {
                write!(f, "{:#010x}", known(card)?.firmware_version)
            }),
            scsi::Attribute::new(c"product_name", |card, f| {
                f.write_str(known(card)?.product_name())
            }),
            scsi::Attribute::new(c"refused_commands", |card, f| {
                write!(f, "{}", card.refused.load(Relaxed))
            }),
        ]
    },
);
