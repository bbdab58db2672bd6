// SPDX-License-Identifier: GPL-2.0

//! The two kinds of frame: a page each, big-endian.

/// Length of a frame.
pub const FRAME: usize = 4096;
/// A frame.
pub type Page = [u8; FRAME];

/// Most bytes of a piece of a request, and where it begins.
pub const MOST_REQUEST: usize = 4088;
const REQUEST_AT: usize = 8;
/// Most bytes of a piece of a reply, and where it begins.
pub const MOST_REPLY: usize = 4084;
const REPLY_AT: usize = 11;

/// In byte 0 of a request: it is one. In byte 0 of a reply: it is a token.
pub const VALID: u8 = 0x80;
/// Byte 0 of a request that only asks for the reply.
const POLL: u8 = 0xff;

/// Operations, as far as the card knows them.
pub mod operation {
    /// An XML document.
    pub const DOCUMENT: u8 = 0;
    /// Set the time.
    pub const SET_TIME: u8 = 1;
    /// Shut down the controller.
    pub const SHUT_DOWN_CONTROLLER: u8 = 8;
    /// What is in the flash.
    pub const FLASH_INFO: u8 = 32;
    /// Shut down the system.
    pub const SHUT_DOWN_SYSTEM: u8 = 35;
    /// Writing firmware, and running a command line on the card: not for anybody.
    pub const FORBIDDEN: [u8; 4] = [33, 34, 36, 53];
}

/// A request frame.
#[derive(Debug, PartialEq, Eq)]
pub enum Request<'a> {
    /// The next piece of the reply to this task, please; 0 means whichever there is.
    Poll(u8),
    /// A piece of a request.
    Piece {
        /// What is asked for.
        operation: u8,
        /// For which task.
        task: u8,
        /// How long the request is in all.
        total: u32,
        /// This piece of it.
        data: &'a [u8],
    },
}

/// Takes a request frame apart, or says what is wrong with it.
pub fn decode(page: &Page) -> Result<Request<'_>, String> {
    let [first, task, high, low, a, b, c, d, ..] = *page;
    let length = usize::from(u16::from_be_bytes([high, low]));
    let total = u32::from_be_bytes([a, b, c, d]);
    if first & VALID == 0 {
        return Err(format!("byte 0 of a management frame is {first:#04x}"));
    }
    if first == POLL {
        return match (length, total) {
            (0, 0) => Ok(Request::Poll(task)),
            _ => Err("a management frame that asks for the reply is not empty".to_owned()),
        };
    }
    if task == 0 {
        return Err("management task 0".to_owned());
    }
    if length > MOST_REQUEST || length as u64 > u64::from(total) {
        return Err(format!(
            "a management frame has a piece of {length} bytes of {total}"
        ));
    }
    let data = page.get(REQUEST_AT..REQUEST_AT + length).unwrap_or(&[]);
    Ok(Request::Piece {
        operation: first & !VALID,
        task,
        total,
        data,
    })
}

/// What a reply frame brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// The piece has arrived.
    Ack = 0,
    /// The status, and a piece of the reply.
    Status = 1,
}

/// Makes a reply frame with this token.
pub fn encode(token: u8, kind: Kind, task: u8, status: u16, piece: &[u8], total: u32) -> Box<Page> {
    let piece = &piece[..piece.len().min(MOST_REPLY)];
    let mut page = Box::new([0; FRAME]);
    page[0] = token | VALID;
    page[1] = kind as u8;
    page[2] = task;
    page[3..5].copy_from_slice(&status.to_be_bytes());
    page[5..7].copy_from_slice(&(piece.len() as u16).to_be_bytes());
    page[7..11].copy_from_slice(&total.to_be_bytes());
    page[REPLY_AT..REPLY_AT + piece.len()].copy_from_slice(piece);
    page[FRAME - 1] = page[0];
    page
}

/// A request frame, as a host makes it: tests, and the replay of a trace.
pub fn request(operation: u8, task: u8, piece: &[u8], total: u32) -> Page {
    let mut page = [0; FRAME];
    page[0] = operation | VALID;
    page[1] = task;
    page[2..4].copy_from_slice(&(piece.len() as u16).to_be_bytes());
    page[4..8].copy_from_slice(&total.to_be_bytes());
    page[REQUEST_AT..REQUEST_AT + piece.len()].copy_from_slice(piece);
    page
}
