// SPDX-License-Identifier: GPL-2.0

// A command is kept beyond the callback.
// expected: lifetime

fn keep<T: Operations>(cmd: Command<'_, T>) -> Command<'static, T> {
    cmd
}
