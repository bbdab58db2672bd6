// SPDX-License-Identifier: GPL-2.0

//! The handshake that begins a conversation with the card, in the order in which macOS does it
//! (O, K). It is also how one is begun anew.
//!
//! ```text
//!   wait     until the controller can be configured
//!   clear    the causes of interrupts
//!   check    what the card offers
//!   write    the number of slots, the addresses of the regions
//!   show     that they are written, and wait until the card has taken them
//!   open     the masks of management and state
//!   wait     until the controller is enabled, and old commands are over
//!   read     where the rings stand
//! ```
//!
//! The mask of SCSI is opened later, when the card has been tried. The card becomes bus master only
//! when it has been told of the regions, unless it cannot be configured yet: its firmware waits for
//! that (P).

use crate::{
    complete::CompletionRing,
    regions::{
        Regions,
        FRAME_LEN,
        LIST_UNITS,
        RING_ENTRIES,
        SLOTS, //
    },
    regs::{
        self,
        cause,
        Bar0,
        Be32, //
    },
    states::State,
    submit::SubmitRing, //
};
use kernel::{
    device::Bound,
    io::{
        poll::read_poll_timeout,
        register::Array,
        Io, //
    },
    pci,
    prelude::*,
    time, //
};

/// How long a bring-up may take, in seconds: what macOS allows after a resume (K).
const LIMIT: i64 = 120;

/// How often the log hears of it, in seconds.
const REPORT: i64 = 10;

/// How often the driver looks. macOS does it once a second (O, K).
const PAUSE: time::Delta = time::Delta::from_millis(10);

/// How long a card that was in use may take to be done with the commands that it was at (A).
pub(crate) const SETTLE: time::Delta = time::Delta::from_millis(500);

/// A conversation with a card that takes commands: where its two rings stand.
pub(crate) struct Conversation {
    pub(crate) submit: SubmitRing,
    pub(crate) complete: CompletionRing,
}

macro_rules! write_value {
    ($bar:expr, $register:ident, $value:expr) => {
        $bar.write_reg(regs::$register::zeroed().with_value(Be32($value)))
    };
}

macro_rules! write_address {
    ($bar:expr, $register:ident, $memory:expr) => {{
        let address = $memory.dma_address();
        let half = |half| regs::$register::zeroed().with_value(Be32(half));
        // CAST: Each half is one word.
        $bar.write(regs::$register::at(0), half((address >> 32) as u32));
        $bar.write(regs::$register::at(1), half(address as u32));
    }};
}

/// Begins a conversation. It takes two minutes at most, and says every ten seconds what it waits
/// for. Returns `ENODEV` or `ETIMEDOUT` if the card does not play its part; a line in the log says
/// why.
pub(crate) fn bring_up(
    pdev: &pci::Device<Bound>,
    bar: &Bar0<'_>,
    regions: &Regions,
    become_master: impl FnOnce(),
) -> Result<Conversation> {
    let begin = time::Instant::now();
    let mut become_master = Some(become_master);
    wait(pdev, begin, |state| {
        let offers_slots = || bar.read(regs::MAX_SLOTS).value().0 != 0;
        if state.has_started().unwrap_or_else(offers_slots) {
            return None;
        }
        if let Some(become_master) = become_master.take() {
            become_master();
        }
        Some(state.name())
    })?;

    bar.write(regs::CAUSE::at(cause::FIRST), regs::CAUSE::zeroed());
    bar.write(regs::CAUSE::at(cause::SCSI), regs::CAUSE::zeroed());
    bar.write(regs::CAUSE::at(cause::MANAGEMENT), regs::CAUSE::zeroed());
    check_offer(pdev, bar)?;
    configure(bar, regions);
    let at = submit_ring(pdev, bar)?;
    if let Some(become_master) = become_master {
        become_master();
    }
    let flags = bar.read(regs::FLAGS).value().0;
    write_value!(bar, FLAGS, flags | 1);
    wait(pdev, begin, |_| {
        let configured = bar.read(regs::CAUSE::at(cause::CONFIGURED)).value().get();
        (configured == 0).then_some("not configured")
    })?;

    bar.write(regs::MASK::at(cause::MANAGEMENT), regs::MASK::zeroed());
    bar.write(regs::MASK::at(cause::STATE), regs::MASK::zeroed());
    wait(pdev, begin, |state| {
        (!state.is_enabled()).then_some(state.name())
    })?;
    rings(pdev, bar, at)
}

/// Waits until `what_is_missing` has nothing to say. For process context.
fn wait(
    pdev: &pci::Device<Bound>,
    begin: time::Instant<time::Monotonic>,
    mut what_is_missing: impl FnMut(State) -> Option<&'static str>,
) -> Result {
    loop {
        let left = LIMIT - begin.elapsed().as_millis() / 1000;
        let next = time::Delta::from_secs(left.clamp(0, REPORT));
        let mut missing = None;
        let look = || {
            let state = State::read(pdev);
            state.must_live(pdev)?;
            missing = what_is_missing(state);
            Ok(missing.is_none())
        };
        match read_poll_timeout(look, |is_done| *is_done, PAUSE, next) {
            Err(error) if error == ETIMEDOUT => {}
            other => return other.map(|_| ()),
        }
        let waited = begin.elapsed().as_millis() / 1000;
        let missing = missing.unwrap_or_default();
        if waited >= LIMIT {
            dev_err!(pdev, "the card was not ready within {LIMIT} s: {missing}\n");
            return Err(ETIMEDOUT);
        }
        dev_info!(pdev, "waiting for the card: {missing}, {waited} s so far\n");
    }
}

/// Lets the card interrupt when commands have ended. What came before is acknowledged.
pub(crate) fn open_interrupts(bar: &Bar0<'_>) {
    bar.write(regs::CAUSE::at(cause::SCSI), regs::CAUSE::zeroed());
    bar.write(regs::MASK::at(cause::SCSI), regs::MASK::zeroed());
}

/// Keeps the card from interrupting.
pub(crate) fn close_interrupts(bar: &Bar0<'_>) {
    let closed = regs::MASK::zeroed().with_value(0xff);
    for mask in cause::ALL {
        if let Some(mask) = regs::MASK::try_at(mask) {
            bar.write(mask, closed);
        }
    }
}

/// Looks whether the card offers what the driver's memory was allocated for, as macOS does (K).
fn check_offer(pdev: &pci::Device<Bound>, bar: &Bar0<'_>) -> Result {
    let slots = bar.read(regs::MAX_SLOTS).value().0;
    let entries = bar.read(regs::MAX_RING_ENTRIES).value().0;
    if slots == u32::MAX {
        State::GONE.must_live(pdev)?;
    }
    if slots >= SLOTS.into() && entries >= RING_ENTRIES.into() {
        return Ok(());
    }
    dev_err!(
        pdev,
        "the card offers {slots:#x} slots and {entries:#x} ring entries, \
            not {SLOTS:#x} and {RING_ENTRIES:#x}\n"
    );
    Err(ENODEV)
}

/// Tells the card where the regions are.
fn configure(bar: &Bar0<'_>, regions: &Regions) {
    bar.write(regs::CAUSE::at(cause::CONFIGURED), regs::CAUSE::zeroed());
    write_value!(bar, SLOTS, SLOTS.into());
    write_value!(bar, ONE, 1);
    write_value!(bar, RING_ENTRIES, RING_ENTRIES.into());
    write_address!(bar, REQUESTS, regions.slots);
    write_address!(bar, MANAGEMENT_REQUEST, regions.management_request);
    write_value!(bar, MANAGEMENT_REQUEST_SIZE, FRAME_LEN as u32);
    write_address!(bar, RESPONSES, regions.responses);
    write_address!(bar, MANAGEMENT_REPLY, regions.management_reply);
    write_address!(bar, LIST_UNITS, regions.units);
    write_value!(bar, LIST_UNIT_COUNT, LIST_UNITS.into());
    write_address!(bar, COMPLETION_RING, regions.ring);
}

/// Where the submit ring lies in BAR0, in bytes; `ENODEV` if not all of it lies there, behind the
/// registers that are known.
fn submit_ring(pdev: &pci::Device<Bound>, bar: &Bar0<'_>) -> Result<usize> {
    let high = bar.read(regs::SUBMIT_RING::at(0)).value().0;
    let low = bar.read(regs::SUBMIT_RING::at(1)).value().0;
    let end = u64::from(low) + u64::from(RING_ENTRIES) * 2;
    // CAST: `usize` has 64 bits.
    let at = low as usize;
    if high == 0 && low % 2 == 0 && at >= regs::END && end <= pdev.resource_len(0)? {
        return Ok(at);
    }
    dev_err!(
        pdev,
        "the card's submit ring is at {high:#x}{low:08x}, which is not in its BAR\n"
    );
    Err(ENODEV)
}

/// The rings as they stand. Whether the handshake sets them to 0 is not known (A). If it does not,
/// what the completion ring names, or soon will, is of old commands, and is passed over.
fn rings(pdev: &pci::Device<Bound>, bar: &Bar0<'_>, at: usize) -> Result<Conversation> {
    let submit = bar.read(regs::SUBMIT_PRODUCER).value().0;
    if submit != 0 {
        time::delay::fsleep(SETTLE);
    }
    let producer = bar.read(regs::COMPLETION_PRODUCER).value().0;
    let consumer = bar.read(regs::COMPLETION_CONSUMER).value().0;
    let indices = [submit, producer, consumer];
    if indices.iter().all(|index| *index < RING_ENTRIES.into()) {
        if producer != consumer {
            write_value!(bar, COMPLETION_CONSUMER, producer);
        }
        // CAST: Below `RING_ENTRIES`.
        return Ok(Conversation {
            submit: SubmitRing::new(at, submit as u16),
            complete: CompletionRing::new(producer as u16),
        });
    }
    dev_err!(
        pdev,
        "the card's rings make no sense: \
            indices {submit:#x}, {producer:#x}, {consumer:#x} of {RING_ENTRIES:#x}\n"
    );
    Err(ENODEV)
}
