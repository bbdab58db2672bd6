// SPDX-License-Identifier: GPL-2.0

//! Failures that were asked for: what failslab and its like say of each.
//!
//! ```text
//! FAULT_INJECTION: forcing a failure.
//! name failslab, interval 1, probability 0, space 0, times 0
//! CPU: 0 UID: 0 PID: 123 Comm: failnth Not tainted 7.3.4-debug #1 PREEMPT
//! Call Trace:
//!  <TASK>
//!  dump_stack_lvl+0x6f/0xb0
//!  dump_stack+0x10/0x12
//!  should_fail_ex+0x4dc/0x5b0
//!  should_failslab+0xc2/0x100
//!  ...
//! ```
//!
//! Two processors may say so at once, and anybody may say something in between. But
//! `dump_stack()` lets only one processor print its trace at a time, so a trace is told by what is
//! innermost in it.

use super::message;

/// How a stack trace begins.
pub(super) const TRACE: &str = "Call Trace:";

/// What is innermost; of the functions that print, a compiler may leave one or the other out.
const PRINTS: [&str; 2] = ["dump_stack_lvl", "dump_stack"];
const FAILS: &str = "should_fail_ex";

/// What else prints a trace only to say that there is no memory.
const SHORTAGE: [&str; 2] = ["warn_alloc", "__kmem_cache_create_args"];

/// Most lines of a trace.
const MOST: usize = 200;

/// Which allocation failed, and on whose behalf: the functions that led to it, innermost first,
/// each as `name+offset/length [module]`.
pub type CallChain = Vec<String>;

/// All failures in a log that were asked for.
pub fn failures(log: &str) -> Vec<CallChain> {
    let lines: Vec<&str> = log.lines().collect();
    (0..lines.len())
        .filter_map(|at| call_chain(&lines, at))
        .collect()
}

/// The log without the beginnings of those traces by which the kernel only says that there is no
/// memory: whoever takes it away has to expect them.
pub fn without_shortage(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    let is_shortage = |at: usize| {
        let innermost = trace(&lines, at).and_then(|mut frames| frames.next());
        innermost.is_some_and(|frame| SHORTAGE.contains(&function(frame)))
    };
    let rest: Vec<&str> = (0..lines.len())
        .filter(|at| !is_shortage(*at))
        .map(|at| lines[at])
        .collect();
    rest.join("\n")
}

/// The chain of the trace that begins there, if it is one of a failure that was asked for.
pub(super) fn call_chain(lines: &[&str], begin: usize) -> Option<CallChain> {
    let mut frames = trace(lines, begin)?;
    if function(frames.next()?) != FAILS {
        return None;
    }
    Some(frames.map(str::to_owned).collect())
}

/// The frames of the trace that begins there, without what prints it.
fn trace<'a>(lines: &'a [&'a str], begin: usize) -> Option<impl Iterator<Item = &'a str>> {
    if !message(lines[begin]).starts_with(TRACE) {
        return None;
    }
    let rest = lines.iter().skip(begin + 1).take(MOST);
    let frames = rest
        .map(|line| message(line))
        .take_while(|message| !message.starts_with(TRACE) && *message != "</TASK>")
        .filter_map(frame)
        .skip_while(|frame| PRINTS.contains(&function(frame)));
    Some(frames)
}

/// The function of a frame.
fn function(frame: &str) -> &str {
    frame.split_once('+').map_or(frame, |(name, _)| name)
}

/// A line of a trace that says for sure who called (`?` marks the others).
fn frame(message: &str) -> Option<&str> {
    let (name, place) = message.split_once("+0x")?;
    let is_frame = !name.contains(' ') && place.contains("/0x");
    is_frame.then_some(message)
}
