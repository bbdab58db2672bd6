// SPDX-License-Identifier: GPL-2.0

// A command is started twice.
// expected: E0382

fn twice<T: Operations<CommandData = ()>>(cmd: Command<'_, T>) {
    cmd.start(());
    cmd.start(());
}
