// SPDX-License-Identifier: GPL-2.0

//! Rate limits for messages that a device or a user can provoke at will.
//!
//! C header: [`include/linux/ratelimit.h`](srctree/include/linux/ratelimit.h)

use crate::bindings;
use kernel::{
    prelude::*,
    str::CStr,
    types::Opaque, //
};

/// Lets a burst of messages through in each interval, and counts the others.
///
/// The count of suppressed messages is printed when the next interval begins.
#[pin_data(PinnedDrop)]
pub struct RateLimit {
    #[pin]
    state: Opaque<bindings::ratelimit_state>,
}

impl RateLimit {
    /// Messages let through in an interval (`DEFAULT_RATELIMIT_BURST`).
    const BURST: i32 = 10;

    /// Five seconds, in jiffies (`DEFAULT_RATELIMIT_INTERVAL`).
    const INTERVAL: i32 = 5 * bindings::HZ as i32;

    /// The kernel's default limit: ten messages in five seconds.
    pub fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            state <- Opaque::ffi_init(|slot| {
                // SAFETY: `slot` is valid for writes, as `ffi_init` promises.
                unsafe { bindings::ratelimit_state_init(slot, Self::INTERVAL, Self::BURST) }
            }),
        })
    }

    /// Whether a message may be printed now. `whose` is printed with the suppressed ones.
    pub fn allows(&self, whose: &'static CStr) -> bool {
        // SAFETY: `state` was initialised by `new`; the C function does its own locking and may
        // be called from any context. `whose` is a valid, NUL-terminated string.
        unsafe { bindings::___ratelimit(self.state.get(), whose.as_char_ptr()) != 0 }
    }
}

// SAFETY: `struct ratelimit_state` has a lock of its own and no tie to a thread.
unsafe impl Send for RateLimit {}

// SAFETY: The only operation, `___ratelimit`, locks.
unsafe impl Sync for RateLimit {}

#[pinned_drop]
impl PinnedDrop for RateLimit {
    fn drop(self: Pin<&mut Self>) {}
}
