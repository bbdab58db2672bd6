// SPDX-License-Identifier: GPL-2.0

// A command is completed, and returned as busy.
// expected: E0382

fn both<'a, T: Operations>(cmd: Command<'a, T>) -> Busy<'a, T> {
    cmd.complete(Outcome::status(Status::GOOD));
    cmd.busy()
}
