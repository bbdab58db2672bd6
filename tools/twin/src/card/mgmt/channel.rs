// SPDX-License-Identifier: GPL-2.0

//! The conversation: requests that come in pieces, and replies that go out in pieces.
//!
//! A piece that is not the last one is acknowledged. The last one too, if there were
//! several, and the reply waits until the host asks for it; a request of one piece is
//! answered with the status at once. Tasks are told apart by their ids, and each frame
//! gets one frame in reply, whatever is in it.

use super::document::{self, VERSION_VERB};
use super::frame::{self, Kind, MOST_REPLY, Page, Request, operation};
use std::collections::BTreeMap;

/// The largest document that the card takes, as it says with its version.
pub const MOST_DOCUMENT: u32 = 256 << 10;
/// Most bytes that all tasks together may keep waiting.
const MOST_WAITING: usize = 1 << 20;
/// The version that the card says it has.
const VERSION: &str = "3";

/// Good; good with a version; and what the twin says if not. Other values are not known.
const GOOD: u16 = 0;
const VERSION_FOLLOWS: u16 = 0xaa55;
const FAILED: u16 = 1;

/// What comes of a request frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// This frame is the reply.
    Reply(Box<Page>),
    /// The controller's state becomes this, after the reply.
    State(u8),
    /// The host has told the time, in seconds since 1970.
    SetTime(u64),
    /// The host did what it should not have.
    ProtocolError(String),
}

/// A task: its request, as far as it has come, or its reply, as far as it has not gone.
enum Task {
    Asking {
        operation: u8,
        total: u32,
        data: Vec<u8>,
    },
    Answered {
        status: u16,
        data: Vec<u8>,
        sent: usize,
    },
}

impl Task {
    /// How many bytes it keeps.
    fn weight(&self) -> usize {
        match self {
            Task::Asking { data, .. } | Task::Answered { data, .. } => data.len(),
        }
    }
}

/// The channel, with all that it remembers.
#[derive(Default)]
pub struct Channel {
    tasks: BTreeMap<u8, Task>,
    /// Reply frames so far: what the token is made of.
    replies: u8,
}

impl Channel {
    /// Takes a request frame.
    pub fn request(&mut self, page: &Page) -> Vec<Effect> {
        let mut effects = Vec::new();
        let reply = match frame::decode(page) {
            Ok(Request::Poll(task)) => self.poll(task, &mut effects),
            Ok(Request::Piece {
                operation,
                task,
                total,
                data,
            }) => self.piece(operation, task, total, data, &mut effects),
            Err(what) => {
                effects.push(Effect::ProtocolError(what));
                self.status(page[1], FAILED, &[], 0)
            }
        };
        effects.insert(0, reply);
        effects
    }

    /// Has this wait as the reply to a task.
    #[cfg(test)]
    pub(super) fn answer_with(&mut self, task: u8, data: Vec<u8>) {
        let (status, sent) = (GOOD, 0);
        self.tasks
            .insert(task, Task::Answered { status, data, sent });
    }

    /// How many bytes the tasks keep.
    pub(super) fn weight(&self) -> usize {
        self.tasks.values().map(Task::weight).sum()
    }

    fn poll(&mut self, task: u8, effects: &mut Vec<Effect>) -> Effect {
        let answered = |task: &Task| matches!(task, Task::Answered { .. });
        let id = match task {
            0 => self
                .tasks
                .iter()
                .find(|(_, task)| answered(task))
                .map(|it| *it.0),
            id => Some(id).filter(|id| self.tasks.get(id).is_some_and(answered)),
        };
        match id {
            Some(id) => self.next_piece(id),
            None => {
                let what = format!("management task {task} has no reply to ask for");
                effects.push(Effect::ProtocolError(what));
                self.status(task, FAILED, &[], 0)
            }
        }
    }

    fn piece(
        &mut self,
        operation: u8,
        task: u8,
        total: u32,
        piece: &[u8],
        effects: &mut Vec<Effect>,
    ) -> Effect {
        let mut complain = |what| effects.push(Effect::ProtocolError(what));
        let (mut data, first) = match self.tasks.remove(&task) {
            None => (Vec::new(), true),
            Some(Task::Asking {
                operation: same,
                total: equal,
                data,
            }) if same == operation && equal == total => (data, false),
            Some(_) => {
                complain(format!("management task {task} is in use already"));
                (Vec::new(), true)
            }
        };
        let left = u64::from(total) - data.len() as u64;
        let fits = piece.len() as u64 <= left && (!piece.is_empty() || total == 0);
        if !fits || total > MOST_DOCUMENT {
            let length = piece.len();
            complain(format!(
                "management task {task}: a piece of {length} bytes with {left} of {total} to come"
            ));
            return self.status(task, FAILED, &[], 0);
        }
        if self.weight() + data.len() + piece.len() > MOST_WAITING {
            complain(format!(
                "more management tasks wait than have room: task {task}"
            ));
            return self.status(task, FAILED, &[], 0);
        }
        data.extend_from_slice(piece);
        if data.len() as u64 != u64::from(total) {
            let asking = Task::Asking {
                operation,
                total,
                data,
            };
            self.tasks.insert(task, asking);
            return self.ack(task);
        }
        let (status, data) = carry_out(operation, &data, effects);
        let sent = 0;
        self.tasks
            .insert(task, Task::Answered { status, data, sent });
        match first {
            true => self.next_piece(task),
            false => self.ack(task),
        }
    }

    /// The status of a task that has one, with the next piece of its reply.
    fn next_piece(&mut self, id: u8) -> Effect {
        let Some(Task::Answered { status, data, sent }) = self.tasks.remove(&id) else {
            return self.status(id, FAILED, &[], 0);
        };
        let end = data.len().min(sent + MOST_REPLY);
        let reply = self.status(id, status, &data[sent..end], data.len() as u32);
        if end < data.len() {
            let sent = end;
            self.tasks.insert(id, Task::Answered { status, data, sent });
        }
        reply
    }

    fn ack(&mut self, task: u8) -> Effect {
        Effect::Reply(frame::encode(self.token(), Kind::Ack, task, GOOD, &[], 0))
    }

    fn status(&mut self, task: u8, status: u16, piece: &[u8], total: u32) -> Effect {
        let token = self.token();
        Effect::Reply(frame::encode(
            token,
            Kind::Status,
            task,
            status,
            piece,
            total,
        ))
    }

    fn token(&mut self) -> u8 {
        self.replies = self.replies.wrapping_add(1);
        self.replies
    }
}

/// Does what a whole request asks for; status and reply.
fn carry_out(operation: u8, data: &[u8], effects: &mut Vec<Effect>) -> (u16, Vec<u8>) {
    match operation {
        operation::DOCUMENT => answer(data, effects),
        operation::SET_TIME => match <[u8; 8]>::try_from(data) {
            Ok(seconds) => {
                effects.push(Effect::SetTime(u64::from_be_bytes(seconds)));
                (GOOD, Vec::new())
            }
            Err(_) => {
                let what = format!("the time comes in {} bytes, not 8", data.len());
                effects.push(Effect::ProtocolError(what));
                (FAILED, Vec::new())
            }
        },
        operation::SHUT_DOWN_CONTROLLER => {
            effects.push(Effect::State(8));
            (GOOD, Vec::new())
        }
        operation::SHUT_DOWN_SYSTEM => {
            effects.push(Effect::State(9));
            (GOOD, Vec::new())
        }
        operation::FLASH_INFO => (FAILED, Vec::new()),
        other => {
            let what = match operation::FORBIDDEN.contains(&other) {
                true => format!("management operation {other}, which nobody is to use"),
                false => format!("management operation {other}, which is not known"),
            };
            effects.push(Effect::ProtocolError(what));
            (FAILED, Vec::new())
        }
    }
}

/// The answer to a document.
fn answer(data: &[u8], effects: &mut Vec<Effect>) -> (u16, Vec<u8>) {
    match document::verb(data) {
        Ok(VERSION_VERB) => {
            let mut reply = MOST_DOCUMENT.to_be_bytes().to_vec();
            reply.extend(VERSION.bytes());
            reply.push(0);
            (VERSION_FOLLOWS, reply)
        }
        Ok(verb) => {
            let reason = format!("The twin does not implement {verb}");
            (GOOD, document::fault("Client", &reason))
        }
        Err(what) => {
            effects.push(Effect::ProtocolError(format!(
                "a malformed document: {what}"
            )));
            let reason = format!("Malformed document: {what}");
            (GOOD, document::fault("Client", &reason))
        }
    }
}
