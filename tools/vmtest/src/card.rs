// SPDX-License-Identifier: GPL-2.0

//! The card of a VM: a twin, its volumes, and the server that QEMU attaches to.
//! This is the only place that knows how these are made.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use apple_raid_twin::scsi::Volume;
use apple_raid_twin::{Config, Server, Twin};

use crate::builder::VolumeSpec;

/// A twin, served or not.
#[derive(Debug)]
pub struct Card {
    twin: Twin,
    server: Option<Server>,
}

impl Card {
    /// Makes a twin, with volumes as LUN 0, 1, ..., or from 1 on if LUN 0 is the card's own.
    pub fn new(settings: &[String], volumes: &[VolumeSpec]) -> Result<Self> {
        let mut config = Config::default();
        for setting in settings {
            config
                .set(setting)
                .with_context(|| format!("the twin's setting {setting:?}"))?;
        }
        let first = config.card.first_volume();
        let twin = Twin::new(config);
        for (lun, spec) in (first..).zip(volumes) {
            let volume = match spec {
                VolumeSpec::Size(bytes) => Volume::temporary(*bytes),
                VolumeSpec::File(path) => Volume::open(path),
            };
            let volume = volume.with_context(|| format!("the volume of LUN {lun}: {spec:?}"))?;
            twin.target().add_volume(lun, volume)?;
        }
        Ok(Self { twin, server: None })
    }

    /// Lets QEMU attach at a socket.
    pub fn serve(&mut self, socket: &Path) -> Result<()> {
        let server = self.twin.serve(socket);
        self.server = Some(server.with_context(|| format!("serve at {}", socket.display()))?);
        Ok(())
    }

    /// Writes all that host and card say to each other to a file.
    pub fn trace_to(&self, file: &Path) -> Result<()> {
        let result = self.twin.trace().write_to(file);
        result.with_context(|| format!("trace to {}", file.display()))
    }

    /// The handle on the twin.
    pub fn twin(&self) -> &Twin {
        &self.twin
    }

    /// Ends the server, has the volumes written back, and leaves the card's figures
    /// in a file.
    pub fn finish(&mut self, file: &Path) -> Result<()> {
        self.server = None;
        self.twin.trace().flush();
        fs::write(file, format!("{:#?}\n", self.twin.report()))?;
        self.twin
            .target()
            .shutdown()
            .context("write the volumes back")
    }
}
