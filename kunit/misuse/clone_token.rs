// SPDX-License-Identifier: GPL-2.0

// A token is copied.
// expected: E0599

fn copy<T: Operations>(cmd: Command<'_, T>) {
    let copy = cmd.clone();
    copy.complete(Outcome::status(Status::GOOD));
    cmd.complete(Outcome::status(Status::GOOD));
}
