// SPDX-License-Identifier: GPL-2.0

//! The only place that knows the twin's interface.

use std::path::Path;

use anyhow::Result;

use crate::builder::VolumeSpec;

/// A twin that serves a card.
#[derive(Debug)]
pub struct Card {}

impl Card {
    /// Makes a card and serves it on a socket. There is no twin to make it from
    /// yet.
    pub fn start(
        _settings: &[String],
        _volumes: &[VolumeSpec],
        _socket: &Path,
    ) -> Result<Option<Self>> {
        tracing::warn!("there is no twin yet: the guest has no card");
        Ok(None)
    }
}
