// SPDX-License-Identifier: GPL-2.0

//! A SCSI host in Rust: a disk in memory.
//!
//! This is the least that a SCSI low-level driver has to do. There is no hardware: a faux device
//! stands for it, and commands are carried out at once, within [`queue_command`]. A driver of real
//! hardware starts a command there, and completes it in its interrupt handler.
//!
//! The disk shows up as `/dev/sdX` when the module is loaded, is empty then, and goes with it.
//!
//! [`queue_command`]: scsi::Operations::queue_command

#[cfg(out_of_tree)]
include!("../../rust/out_of_tree.rs");
#[cfg(not(out_of_tree))]
use kernel::scsi;

use kernel::{
    faux,
    new_spinlock,
    prelude::*,
    str::CStr,
    sync::SpinLock, //
};

module! {
    type: RustScsiHost,
    name: "rust_scsi_host",
    authors: ["The apple-raid developers"],
    description: "Rust SCSI host sample",
    license: "GPL",
}

const BLOCK_SIZE: usize = 512;
const BLOCKS: u32 = 64 << 20 >> 9;

// The commands that the disk knows (SPC-4, SBC-3).
const TEST_UNIT_READY: u8 = 0x00;
const INQUIRY: u8 = 0x12;
const MODE_SENSE_6: u8 = 0x1a;
const READ_CAPACITY_10: u8 = 0x25;
const READ_10: u8 = 0x28;
const WRITE_10: u8 = 0x2a;
const SYNCHRONIZE_CACHE_10: u8 = 0x35;
const REPORT_LUNS: u8 = 0xa0;

/// A disk of SPC-3 that can have several commands at a time. The 31 bytes from the fifth one on
/// are counted in it; then come vendor, product and revision.
const INQUIRY_DATA: [u8; 36] = *b"\x00\x00\x05\x02\x1f\x00\x00\x02Linux   Rust RAM disk   0001";
/// The header alone: no block descriptor, no pages. The disk can be written to.
const MODE_DATA: [u8; 4] = [3, 0, 0, 0];
/// A list of 8 bytes: LUN 0.
const LUNS: [u8; 16] = [0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// The last block, and how long a block is: four bytes for each.
const CAPACITY_DATA: u64 = (BLOCKS as u64 - 1) << 32 | BLOCK_SIZE as u64;

const INVALID_OPCODE: scsi::Sense = scsi::Sense::new(scsi::SenseKey::IllegalRequest, 0x20, 0);
const LBA_OUT_OF_RANGE: scsi::Sense = scsi::Sense::new(scsi::SenseKey::IllegalRequest, 0x21, 0);
const INVALID_FIELD: scsi::Sense = scsi::Sense::new(scsi::SenseKey::IllegalRequest, 0x24, 0);

/// What the host can do. The midlayer keeps to it: there are never more commands at a time, nor
/// longer ones, and it looks for one logical unit only (see the defaults).
const LIMITS: scsi::Limits = scsi::Limits {
    can_queue: 32,
    cmd_per_lun: 32,
    ..scsi::Limits::DEFAULT
};

/// The driver, and what it keeps for each host. Most drivers have two types for that.
#[pin_data]
struct RamDisk {
    // Commands come in atomic context, from several CPUs at a time: so what they share needs a
    // spinlock.
    #[pin]
    blocks: SpinLock<KVVec<u8>>,
}

impl RamDisk {
    fn new() -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            blocks <- new_spinlock!(KVVec::zeroed(BLOCKS as usize * BLOCK_SIZE, GFP_KERNEL)?),
        })
    }

    /// Carries a command out. Returns how many bytes of its data buffer were used, or the sense
    /// data that say why it cannot be done.
    fn carry_out(&self, cmd: &scsi::Command<'_, Self>) -> Result<usize, scsi::Sense> {
        // Users can send any CDB, of any length, with any buffer (`SG_IO`): nothing is relied upon.
        match *cmd.cdb() {
            [TEST_UNIT_READY | SYNCHRONIZE_CACHE_10, ..] => Ok(0),
            // With another second byte it asks for a page of vital product data.
            [INQUIRY, 0, _, a, b, _] => Ok(answer(cmd, &INQUIRY_DATA, u16::from_be_bytes([a, b]))),
            [MODE_SENSE_6, _, _, _, a, _] => Ok(answer(cmd, &MODE_DATA, a)),
            [REPORT_LUNS, _, _, _, _, _, a, b, c, d, _, _] => {
                Ok(answer(cmd, &LUNS, u32::from_be_bytes([a, b, c, d])))
            }
            [READ_CAPACITY_10, ..] => Ok(cmd.copy_to_data(0, &CAPACITY_DATA.to_be_bytes())),
            [opcode @ (READ_10 | WRITE_10), _, a, b, c, d, _, e, f, _] => {
                let lba = u32::from_be_bytes([a, b, c, d]);
                self.transfer(cmd, opcode, lba, u16::from_be_bytes([e, f]))
            }
            [INQUIRY | MODE_SENSE_6 | REPORT_LUNS | READ_10 | WRITE_10, ..] => Err(INVALID_FIELD),
            _ => Err(INVALID_OPCODE),
        }
    }

    /// Copies blocks between disk and buffer, one after the other: as the lock is held for one
    /// block at a time, no CPU waits long.
    fn transfer(
        &self,
        cmd: &scsi::Command<'_, Self>,
        opcode: u8,
        lba: u32,
        count: u16,
    ) -> Result<usize, scsi::Sense> {
        if u64::from(lba) + u64::from(count) > u64::from(BLOCKS) {
            return Err(LBA_OUT_OF_RANGE);
        }
        // A place in the buffer, which moves on with each copy, and stops at the end.
        let mut buffer = cmd.data();
        let mut copied = 0;
        for block in lba..lba + u32::from(count) {
            let start = block as usize * BLOCK_SIZE;
            let mut blocks = self.blocks.lock();
            let Some(block) = blocks.get_mut(start..start + BLOCK_SIZE) else {
                return Err(LBA_OUT_OF_RANGE);
            };
            copied += match opcode {
                READ_10 => buffer.write(block),
                _ => buffer.read(block),
            };
        }
        Ok(copied)
    }
}

/// Puts data into the buffer of a command, of which the initiator wants so many bytes at most.
fn answer(cmd: &scsi::Command<'_, RamDisk>, data: &[u8], most: impl Into<u32>) -> usize {
    let len = data.len().min(most.into() as usize);
    cmd.copy_to_data(0, data.get(..len).unwrap_or(data))
}

// The callbacks. Those that are left out have a default: a device that needs neither error handling
// nor stopping, as here, has `queue_command` only.
#[vtable]
impl scsi::Operations for RamDisk {
    // With hardware, this would borrow from what the device is bound to: its registers, for
    // example.
    type Data<'bound> = RamDisk;
    // What `scsi::Command::start` would keep with each command in flight.
    type CommandData = ();

    const NAME: &'static CStr = c"rust_scsi_host";

    fn queue_command<'a>(
        disk: &RamDisk,
        _host: &'a scsi::Host<Self>,
        cmd: scsi::Command<'a, Self>,
        _is_last: bool,
    ) -> Result<(), scsi::Busy<'a, Self>> {
        match disk.carry_out(&cmd) {
            Ok(used) => {
                // CAST: No more than there are.
                let residual = cmd.data_len().saturating_sub(used as u32);
                let good = scsi::Outcome::status(scsi::Status::GOOD);
                // This consumes the command: it cannot be completed again, nor be forgotten.
                cmd.complete(good.with_residual(residual));
            }
            Err(sense) => cmd.complete_with_sense(sense),
        }
        // A host that has no room for a command returns it: `Err(cmd.busy())`.
        Ok(())
    }
}

/// The module. When it is unloaded the device goes, and with it the host and its disk.
struct RustScsiHost {
    _device: faux::Registration,
}

impl kernel::Module for RustScsiHost {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        // 1. The device that the host is at. With hardware there is one: this is `probe` then.
        let device = faux::Registration::new(c"rust_scsi_host", None)?;
        let bound: &faux::Device<_> = device.as_ref();

        // 2. A host, which nobody knows yet.
        let host = scsi::Host::<RamDisk>::new(&LIMITS)?;

        // 3. The midlayer gets to know it. The device does no DMA; one that does hands over the
        //    switch for it. The last closure would bring the device up: there is nothing to do.
        let dma = scsi::Dma::none(bound.as_ref())?;
        let disk = |_: &_| KBox::pin_init(RamDisk::new(), GFP_KERNEL);
        let scsi = scsi::Registration::new(&host, bound, dma, disk, |_, _| Ok(()))?;

        // 4. The midlayer looks for disks, in the background. From here on commands come.
        scsi.scan();

        // 5. The host lives as long as its device is bound. A driver with a `probe` keeps the
        //    registration in the data of the device; a faux device has no data.
        scsi.into_devres();
        Ok(Self { _device: device })
    }
}
