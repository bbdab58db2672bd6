// SPDX-License-Identifier: GPL-2.0

// A command that was taken is put in flight again.
// expected: E0507

fn restart<T: Operations<CommandData = ()>>(host: &Host<T>, tag: Tag) {
    let rcu = kernel::sync::rcu::read_lock();
    if let Some((cmd, ())) = host.take(tag, &rcu) {
        cmd.start(());
    };
}
