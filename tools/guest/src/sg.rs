// SPDX-License-Identifier: GPL-2.0

//! SG_IO, on /dev/sgN and on /dev/sdX.

use std::fmt;
use std::fs::File;
use std::time::Duration;

use rustix::io::Errno;
use rustix::ioctl::{Opcode, Updater, ioctl};

use crate::buffer::Guarded;

const SG_IO: Opcode = 0x2285;
/// The driver sg moves data straight into the caller's pages if it may (its
/// parameter allow_dio); without, it copies.
const SG_FLAG_DIRECT_IO: u32 = 1;
const SG_INFO_DIRECT_IO_MASK: u32 = 6;
const SG_INFO_DIRECT_IO: u32 = 2;
const SENSE_LEN: usize = 32;

/// A command that did not end within its time.
pub const HOST_TIME_OUT: u16 = 3;
/// A command that the midlayer did not give to the driver.
pub const HOST_ABORT: u16 = 5;

/// Which way the caller says that data goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Direction {
    /// No data.
    None,
    /// From the device.
    In,
    /// To the device.
    Out,
    /// From the device; the buffer is copied to the kernel before.
    Both,
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::In => "in",
            Self::Out => "out",
            Self::Both => "both",
        })
    }
}

/// `struct sg_io_hdr` of <scsi/sg.h>.
#[repr(C)]
struct Header {
    interface_id: i32,
    dxfer_direction: i32,
    cmd_len: u8,
    mx_sb_len: u8,
    iovec_count: u16,
    dxfer_len: u32,
    dxferp: *mut u8,
    cmdp: *const u8,
    sbp: *mut u8,
    timeout: u32,
    flags: u32,
    pack_id: i32,
    usr_ptr: *mut u8,
    status: u8,
    masked_status: u8,
    msg_status: u8,
    sb_len_wr: u8,
    host_status: u16,
    driver_status: u16,
    resid: i32,
    duration: u32,
    info: u32,
}

const _: () = assert!(size_of::<Header>() == 88);

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// SCSI status.
    pub status: u8,
    /// What the host adapter says (DID_...).
    pub host: u16,
    /// What the midlayer says (DRIVER_...).
    pub driver: u16,
    /// Sense data.
    pub sense: Vec<u8>,
    /// Bytes of the buffer that were not moved.
    pub resid: i32,
    /// Whether the data went straight into the caller's pages.
    pub direct: bool,
}

impl Ended {
    /// Sense key, additional sense code and its qualifier, if there is sense.
    pub fn sense_triple(&self) -> Option<(u8, u8, u8)> {
        let at = |n: usize| self.sense.get(n).copied().unwrap_or(0);
        match at(0) & 0x7f {
            0x70 | 0x71 => Some((at(2) & 0xf, at(12), at(13))),
            0x72 | 0x73 => Some((at(1) & 0xf, at(2), at(3))),
            _ => None,
        }
    }

    /// Whether all is well: status GOOD, and nobody has anything to add.
    pub fn is_good(&self) -> bool {
        self.status == 0 && self.host == 0 && self.driver == 0
    }
}

impl fmt::Display for Ended {
    /// The kind of outcome, in few words.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.host, self.status, self.sense_triple()) {
            (0, 0, None) if self.driver == 0 => write!(f, "GOOD"),
            (0, 2, Some((key, asc, ascq))) => write!(f, "CHECK {key:02x}/{asc:02x}/{ascq:02x}"),
            (host, status, _) => {
                write!(
                    f,
                    "host {host:#x} driver {:#x} status {status:#x}",
                    self.driver
                )
            }
        }
    }
}

/// The name of what the ioctl itself failed with.
pub fn name(errno: Errno) -> String {
    match errno {
        Errno::INVAL => "EINVAL".into(),
        Errno::IO => "EIO".into(),
        Errno::MSGSIZE => "EMSGSIZE".into(),
        Errno::NOMEM => "ENOMEM".into(),
        errno => errno.to_string(),
    }
}

/// Sends one command, and waits for its end.
pub fn send(
    device: &File,
    cdb: &[u8],
    direction: Direction,
    direct: bool,
    buffer: &mut Guarded,
    timeout: Duration,
) -> Result<Ended, Errno> {
    let mut sense = [0; SENSE_LEN];
    let len = buffer.data().len();
    let mut header = Header {
        interface_id: i32::from(b'S'),
        dxfer_direction: match direction {
            Direction::None => -1,
            Direction::Out => -2,
            Direction::In => -3,
            Direction::Both => -4,
        },
        cmd_len: u8::try_from(cdb.len()).map_err(|_| Errno::MSGSIZE)?,
        mx_sb_len: SENSE_LEN as u8,
        iovec_count: 0,
        dxfer_len: u32::try_from(len).map_err(|_| Errno::INVAL)?,
        dxferp: buffer.pointer(),
        cmdp: cdb.as_ptr(),
        sbp: sense.as_mut_ptr(),
        timeout: u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX),
        flags: if direct { SG_FLAG_DIRECT_IO } else { 0 },
        pack_id: 0,
        usr_ptr: std::ptr::null_mut(),
        status: 0,
        masked_status: 0,
        msg_status: 0,
        sb_len_wr: 0,
        host_status: 0,
        driver_status: 0,
        resid: 0,
        duration: 0,
        info: 0,
    };
    // SAFETY: SG_IO reads and writes one `sg_io_hdr`, whose layout `Header` has; its
    // pointers go to as many bytes as the lengths beside them say, and what they
    // point to outlives the call.
    unsafe { ioctl(device, Updater::<SG_IO, _>::new(&mut header)) }?;
    Ok(Ended {
        status: header.status,
        host: header.host_status,
        // DRIVER_SENSE only says what can be seen.
        driver: header.driver_status & !8,
        sense: sense[..usize::from(header.sb_len_wr).min(SENSE_LEN)].to_vec(),
        resid: header.resid,
        direct: header.info & SG_INFO_DIRECT_IO_MASK == SG_INFO_DIRECT_IO,
    })
}
