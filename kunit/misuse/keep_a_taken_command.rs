// SPDX-License-Identifier: GPL-2.0

// A command that was taken outlives the RCU read lock.
// expected: E0515

fn keep<T: Operations>(host: &Host<T>, tag: Tag) -> Option<Taken<'_, T>> {
    let rcu = kernel::sync::rcu::read_lock();
    host.take(tag, &rcu).map(|(cmd, _)| cmd)
}
