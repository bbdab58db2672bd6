// SPDX-License-Identifier: GPL-2.0

// A command goes to another thread.
// expected: E0277

fn is_send<S: Send>(_: S) {}

fn send<T: Operations>(cmd: Command<'_, T>) {
    is_send(cmd);
}
