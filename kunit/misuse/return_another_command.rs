// SPDX-License-Identifier: GPL-2.0

// Another command than the one that was queued is returned as busy.
// expected: E0507

fn queue<'a, T: Operations<CommandData = ()>>(
    host: &'a Host<T>,
    cmd: Command<'a, T>,
    other: Tag,
    rcu: &'static kernel::sync::rcu::Guard,
) -> Result<(), Busy<'a, T>> {
    cmd.start(());
    match host.take(other, rcu) {
        Some((other, ())) => Err(other.busy()),
        None => Ok(()),
    }
}
