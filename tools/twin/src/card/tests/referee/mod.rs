// SPDX-License-Identifier: GPL-2.0

//! The referee: each complaint, and a host that provokes just that.

mod memory;
mod registers;

use super::*;

/// What the host does is complained about once, in these words.
#[track_caller]
fn complaint(what: &str, does: impl FnOnce(&Bench)) {
    complaint_of("", what, does);
}

#[track_caller]
fn complaint_of(settings: &str, what: &str, does: impl FnOnce(&Bench)) {
    let bench = Bench::ready(&format!("inline=never {settings}"));
    complaint_on(&bench, what, does);
}

#[track_caller]
fn complaint_on(bench: &Bench, what: &str, does: impl FnOnce(&Bench)) {
    bench.is_clean();
    bench.card.trace().record(true);
    does(bench);
    bench.until("end", || {
        let state = bench.card.state();
        !state.is_enabled() || state.in_flight.is_empty()
    });
    let report = bench.report();
    assert_eq!(report.first_protocol_error.as_deref(), Some(what));
    let lines = bench.card.trace().lines();
    let lines = lines
        .iter()
        .filter(|line| line.contains(" protocol-error "));
    assert_eq!(lines.count(), 1, "{:#?}", bench.card.trace().lines());
}
