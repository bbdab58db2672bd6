// SPDX-License-Identifier: GPL-2.0

//! What a machine goes through that none of its programs asks for: the card is pulled
//! out and put in, another kernel takes over without a reset.

use std::fs;
use std::time::Duration;

use anyhow::Context;
use serde_json::json;

use crate::error::Result;
use crate::hba::Hba;
use crate::qemu::{self, CARD_ID, PORT_ID, disks};
use crate::vm::{CARD_SOCKET, Vm};

/// How long the guest's kernel may take to let go of the card.
const UNPLUG: Duration = Duration::from_secs(60);

/// Boots the running kernel's own file by kexec, with the same parameters. The initial
/// RAM file system lies in the folder that host and guest share.
const KEXEC: &str = r#"
import ctypes, os, platform, sys
libc = ctypes.CDLL(None, use_errno=True)
kernel = os.open(f"/usr/lib/modules/{platform.release()}/vmlinuz.unsigned", os.O_RDONLY)
initrd = os.open("/run/vm/initramfs", os.O_RDONLY)
words = open("/proc/cmdline", "rb").read().strip() + b"\0"
KEXEC_FILE_LOAD, LINUX_REBOOT_CMD_KEXEC = 320, 0x45584543
if libc.syscall(KEXEC_FILE_LOAD, kernel, initrd, len(words), words, 0) != 0:
    sys.exit(os.strerror(ctypes.get_errno()))
libc.reboot(LINUX_REBOOT_CMD_KEXEC)
"#;

impl Vm {
    /// Asks the guest to let go of the card, and takes it out when that is done.
    pub fn unplug(&self) -> Result<()> {
        let mut qmp = self.qmp();
        qmp.execute("device_del", json!({ "id": CARD_ID }))?;
        loop {
            // Paths of what belongs to the card are told of, too.
            let gone = qmp.wait_event("DEVICE_DELETED", self.within(UNPLUG.as_secs()))?;
            if gone["device"] == CARD_ID {
                return Ok(());
            }
        }
    }

    /// Puts the card into its slot.
    pub fn plug(&self) -> Result<()> {
        let devices = match self.hba {
            Hba::AppleRaid => {
                let socket = self.run_folder().join(CARD_SOCKET);
                vec![qemu::card_device(&socket, PORT_ID)]
            }
            Hba::Pvscsi => disks::devices(self.disks.len()),
        };
        for device in devices {
            self.qmp().execute("device_add", device)?;
        }
        Ok(())
    }

    /// Has the guest's kernel start itself anew, without a reset of the machine, and
    /// waits as [`Vm::reboot`] does. For Debian's kernel only: the other one is not a
    /// file that kexec takes.
    pub fn kexec(&self) -> Result<()> {
        let shared = self.run_folder().join("exchange/initramfs");
        fs::copy(self.run_folder().join("initramfs"), shared).context("share the initramfs")?;
        self.restarted_by(&["/usr/bin/python3", "-c", KEXEC])
    }
}
