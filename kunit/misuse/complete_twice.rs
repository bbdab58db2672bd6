// SPDX-License-Identifier: GPL-2.0

// A command is completed twice.
// expected: E0382

fn twice<T: Operations>(cmd: Command<'_, T>) {
    cmd.complete(Outcome::status(Status::GOOD));
    cmd.complete(Outcome::status(Status::GOOD));
}
