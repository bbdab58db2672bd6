// SPDX-License-Identifier: GPL-2.0

// The buffer of a command is written to after it was started.
// expected: E0382

fn write<T: Operations<CommandData = ()>>(cmd: Command<'_, T>) {
    cmd.start(());
    cmd.copy_to_data(0, &[0]);
}
