// SPDX-License-Identifier: GPL-2.0

//! Logical units that come and go, of which the device has messages.

use crate::{
    adapter::Adapter,
    wire::Message,
    Host,
    LIMITS, //
};
use kernel::{
    prelude::*,
    sync::atomic::ordering::Relaxed, //
};

/// Looks for messages, in an interrupt: they are put off. Returns whether there are any.
pub(crate) fn look(adapter: &Adapter<'_>, host: &Host) -> bool {
    let are_any = adapter.rings.messages(adapter.messages.load(Relaxed)) != Ok(0);
    if are_any {
        host.queue_work(0);
    }
    are_any
}

/// Does what the messages say.
pub(crate) fn work(adapter: &Adapter<'_>, host: &Host) {
    let mut consumed = adapter.messages.load(Relaxed);
    let count = adapter.rings.messages(consumed).unwrap_or_else(|index| {
        if host.should_log() {
            dev_err!(
                adapter.pdev,
                "message index {index:#x} is none of the ring\n"
            );
        }
        0
    });
    for _ in 0..count {
        match adapter.rings.message(consumed) {
            Ok(Message::Added { target }) if target < LIMITS.max_id => host.scan_target(0, target),
            Ok(Message::Removed { target }) => host.for_each_device(|device| {
                if device.id() == target {
                    device.remove();
                }
            }),
            message => {
                if host.should_log() {
                    dev_err!(adapter.pdev, "a message that makes no sense: {message:?}\n");
                }
            }
        }
        let next = consumed.wrapping_add(1);
        if adapter.messages.cmpxchg(consumed, next, Relaxed).is_err() {
            // The rings were set up anew meanwhile, and have no such message.
            adapter
                .rings
                .consumed_messages(adapter.messages.load(Relaxed));
            return;
        }
        consumed = next;
    }
}
