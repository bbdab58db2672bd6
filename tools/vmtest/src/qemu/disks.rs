// SPDX-License-Identifier: GPL-2.0

//! QEMU's own pvscsi with its disks, in the place of the card, and under its name. Each disk has a
//! throttle group, in which nothing is limited at first.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::{Arguments, CARD_ID, PORT_ID};
use crate::Vm;
use crate::error::Result;

/// The adapter and the disks, as `-device` and `device_add` want them, in their order.
pub fn devices(count: usize) -> Vec<Value> {
    let adapter = json!({ "driver": "pvscsi", "id": CARD_ID, "bus": PORT_ID });
    let disk = |n| {
        json!({
            "driver": "scsi-hd",
            "id": disk_id(n),
            "bus": format!("{CARD_ID}.0"),
            "scsi-id": n,
            "drive": node(n),
        })
    };
    std::iter::once(adapter)
        .chain((0..count).map(disk))
        .collect()
}

/// The name of a disk in QEMU.
pub fn disk_id(n: usize) -> String {
    format!("target{n}")
}

fn node(n: usize) -> String {
    format!("disk{n}")
}

pub(super) fn add(files: &[PathBuf], args: &mut Arguments) {
    if files.is_empty() {
        return;
    }
    for (n, file) in files.iter().enumerate() {
        let limits = json!({ "qom-type": "throttle-group", "id": group(n) });
        args.add("-object", limits.to_string());
        let node = json!({
            "driver": "throttle",
            "node-name": node(n),
            "throttle-group": group(n),
            "file": { "driver": "raw", "file": { "driver": "file", "filename": file } },
        });
        args.add("-blockdev", node.to_string());
    }
    for device in devices(files.len()) {
        args.add("-device", device.to_string());
    }
}

fn group(n: usize) -> String {
    format!("limits{n}")
}

impl Vm {
    /// Lets a disk of pvscsi transfer so many bytes in a second, 0 for as many as it can.
    pub fn limit_disk(&self, n: usize, bytes: u64) -> Result<()> {
        let limits = json!({
            "path": format!("/objects/{}", group(n)),
            "property": "limits",
            "value": { "bps-total": bytes },
        });
        self.qmp().execute("qom-set", limits)?;
        Ok(())
    }
}
