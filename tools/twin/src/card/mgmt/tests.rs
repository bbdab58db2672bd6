// SPDX-License-Identifier: GPL-2.0

//! The channel by itself: frames in, frames out.

use super::channel::MOST_DOCUMENT;
use super::frame::{MOST_REPLY, MOST_REQUEST, Page, request};
use super::*;
use proptest::prelude::*;

const GET_VERSION: &str =
    "<SOAP-ENV:Envelope><SOAP-ENV:Body><pshim:getVersion/></SOAP-ENV:Body></SOAP-ENV:Envelope>";

/// A document with another verb, of any length.
fn get_info(padding: usize) -> Vec<u8> {
    let fill = "x".repeat(padding);
    format!(
        "<?xml version='1.0'?><SOAP-ENV:Envelope xmlns:SOAP-ENV='e' xmlns:SOAP-ENC='c' \
         xmlns:xsi='i' xmlns:xsd='d' xmlns:tsal='t'><SOAP-ENV:Body><tsal:getInfo>{fill}\
         </tsal:getInfo></SOAP-ENV:Body></SOAP-ENV:Envelope>"
    )
    .into_bytes()
}

/// A reply frame taken apart: kind, task, status, piece, total.
struct Reply {
    kind: u8,
    task: u8,
    status: u16,
    piece: Vec<u8>,
    total: usize,
}

/// What holds of every reply.
fn decode(page: &Page) -> Reply {
    assert!(page[0] & 0x80 != 0 && page[0] == page[4095]);
    let length = usize::from(u16::from_be_bytes([page[5], page[6]]));
    let total = u32::from_be_bytes([page[7], page[8], page[9], page[10]]) as usize;
    assert!(length <= MOST_REPLY && length <= total && page[1] <= 1);
    assert!(page[11 + length..4095].iter().all(|byte| *byte == 0));
    Reply {
        kind: page[1],
        task: page[2],
        status: u16::from_be_bytes([page[3], page[4]]),
        piece: page[11..11 + length].to_vec(),
        total,
    }
}

/// Sends a frame; the reply, and what else came of it.
fn send(channel: &mut Channel, page: &Page) -> (Reply, Vec<Effect>) {
    let mut effects = channel.request(page);
    let Effect::Reply(reply) = effects.remove(0) else {
        panic!("no reply comes first");
    };
    assert!(
        effects
            .iter()
            .all(|effect| !matches!(effect, Effect::Reply(_)))
    );
    (decode(&reply), effects)
}

fn poll(task: u8) -> Page {
    let mut page = [0; 4096];
    (page[0], page[1]) = (0xff, task);
    page
}

/// Sends a frame that must be complained about.
#[track_caller]
fn complaint(channel: &mut Channel, page: &Page) -> String {
    let (reply, effects) = send(channel, page);
    assert_ne!(reply.status, 0);
    match &effects[..] {
        [Effect::ProtocolError(what)] => what.clone(),
        other => panic!("{other:?}"),
    }
}

/// Sends a whole request in pieces and fetches the whole reply.
fn talk(channel: &mut Channel, operation: u8, task: u8, data: &[u8]) -> (u16, Vec<u8>) {
    let total = data.len() as u32;
    let mut last = None;
    for piece in data.chunks(MOST_REQUEST) {
        let (reply, effects) = send(channel, &request(operation, task, piece, total));
        assert_eq!((reply.task, effects), (task, vec![]));
        last = Some(reply);
    }
    let mut reply = last.unwrap();
    if reply.kind == 0 {
        reply = send(channel, &poll(task)).0;
    }
    let mut whole = reply.piece;
    while whole.len() < reply.total {
        let (next, effects) = send(channel, &poll(task));
        assert_eq!((next.kind, next.task, effects), (1, task, vec![]));
        whole.extend(next.piece);
    }
    (reply.status, whole)
}

#[test]
fn the_version() {
    let reply = talk(&mut Channel::default(), 0, 1, GET_VERSION.as_bytes());
    assert_eq!(reply, (0xaa55, b"\x00\x04\x00\x003\0".to_vec()));
}

#[test]
fn other_verbs_get_a_fault() {
    let mut channel = Channel::default();
    for padding in [0, 5000, 100_000] {
        let (status, reply) = talk(&mut channel, 0, 7, &get_info(padding));
        let text = String::from_utf8(reply).unwrap();
        assert_eq!(status, 0);
        assert!(text.contains("SOAP-ENV:Fault") && text.contains("tsal:getInfo"));
    }
}

#[test]
fn a_long_reply_comes_in_pieces() {
    let mut channel = Channel::default();
    let long = vec![7; 2 * MOST_REPLY + 1];
    channel.answer_with(9, long.clone());
    let mut whole = Vec::new();
    for length in [MOST_REPLY, MOST_REPLY, 1] {
        let (reply, _) = send(&mut channel, &poll(9));
        assert_eq!((reply.piece.len(), reply.total), (length, long.len()));
        whole.extend(reply.piece);
    }
    assert_eq!(whole, long);
    assert!(complaint(&mut channel, &poll(9)).contains("no reply"));
}

#[test]
fn time_and_shutdown() {
    let mut channel = Channel::default();
    let seconds = 1_234_567_890u64.to_be_bytes();
    let (reply, effects) = send(&mut channel, &request(1, 2, &seconds, 8));
    assert_eq!((reply.kind, reply.status), (1, 0));
    assert_eq!(effects, [Effect::SetTime(1_234_567_890)]);
    for (operation, state) in [(8, 8), (35, 9)] {
        let (reply, effects) = send(&mut channel, &request(operation, 2, &[], 0));
        assert_eq!((reply.kind, reply.status), (1, 0));
        assert_eq!(effects, [Effect::State(state)]);
    }
}

#[test]
fn several_tasks_wait_side_by_side() {
    let mut channel = Channel::default();
    let document = get_info(5000);
    let total = document.len() as u32;
    for piece in document.chunks(MOST_REQUEST) {
        for task in [1, 2, 255] {
            let (reply, _) = send(&mut channel, &request(0, task, piece, total));
            assert_eq!((reply.kind, reply.task, reply.total), (0, task, 0));
        }
    }
    for (ask, task) in [(255, 255), (0, 1), (2, 2)] {
        let (reply, effects) = send(&mut channel, &poll(ask));
        assert_eq!((reply.kind, reply.task, effects), (1, task, vec![]));
    }
}

#[test]
fn complaints() {
    let mut channel = Channel::default();
    let mut is = |page: &Page, what: &str| {
        let line = complaint(&mut channel, page);
        assert!(line.contains(what), "{line}");
    };
    is(&[0; 4096], "byte 0");
    is(&request(1, 0, &[0; 8], 8), "task 0");
    is(&request(1, 1, &[0; 8], 7), "8 bytes of 7");
    is(&request(1, 1, &[0; 7], 7), "not 8");
    is(&request(0, 1, &[], 1), "a piece of 0 bytes");
    is(&request(0, 1, &[1], MOST_DOCUMENT + 1), "a piece of 1");
    is(&poll(3), "task 3");
    is(&poll(0), "task 0");
    let mut asks = poll(3);
    asks[3] = 1;
    is(&asks, "not empty");
    for operation in [33, 34, 36, 53] {
        is(&request(operation, 1, &[], 0), "nobody is to use");
    }
    is(&request(2, 1, &[], 0), "not known");
    let mut long = request(0, 1, &[], 5000);
    long[2..4].copy_from_slice(&4089u16.to_be_bytes());
    is(&long, "4089");
    // Two pieces that are longer than the whole.
    let piece = [b'x'; 4000];
    assert_eq!(send(&mut channel, &request(0, 4, &piece, 5000)).1, []);
    let (reply, effects) = send(&mut channel, &request(0, 4, &piece, 5000));
    assert!(reply.status != 0 && format!("{effects:?}").contains("1000 of 5000"));
    // Another request with the id of one that is not whole.
    assert_eq!(send(&mut channel, &request(0, 4, &piece, 5000)).1, []);
    let (_, effects) = send(&mut channel, &request(1, 4, &[0; 8], 8));
    assert!(format!("{effects:?}").contains("in use"));
    let (reply, effects) = send(&mut channel, &request(0, 4, b"<a/>", 4));
    assert!(reply.status == 0 && format!("{effects:?}").contains("malformed"));
}

proptest! {
    #[test]
    fn any_page_gets_a_sound_reply(
        pages in prop::collection::vec(
            (any::<[u8; 8]>(), 0..4u8, prop::collection::vec(any::<u8>(), 0..300)), 1..200),
    ) {
        let mut channel = Channel::default();
        for (head, shape, data) in &pages {
            let mut page = [0; 4096];
            page[..8].copy_from_slice(head);
            match shape {
                // Any bytes, or a piece that makes sense, or a question.
                0 => {}
                1 => page = request(head[0] % 4, head[1] % 8, data, data.len() as u32),
                2 => page = request(0, head[1] % 8, &[0x3c; 4088], u32::from(head[2]) * 1000),
                _ => page = poll(head[1] % 8),
            }
            send(&mut channel, &page);
            prop_assert!(channel.weight() <= 1 << 20);
        }
    }

    #[test]
    fn any_document_gets_an_answer(document in ".{1,200}", cut in 0..300usize) {
        talk_loosely(document.as_bytes());
        let whole = get_info(40);
        talk_loosely(&whole[..cut.clamp(1, whole.len())]);
    }
}

fn talk_loosely(document: &[u8]) {
    let page = request(0, 1, document, document.len() as u32);
    assert_eq!(send(&mut Channel::default(), &page).0.kind, 1);
}
