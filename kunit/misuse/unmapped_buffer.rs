// SPDX-License-Identifier: GPL-2.0

// The segments of a mapping are used after it was undone.
// expected: E0382

fn unmapped<T: Operations>(mapped: Mapped<'_, T>) -> usize {
    let cmd = mapped.unmap();
    cmd.complete(Outcome::status(Status::GOOD));
    mapped.segments().count()
}
