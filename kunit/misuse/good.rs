// SPDX-License-Identifier: GPL-2.0

// What is used as it should be: this compiles.
// expected: none

fn use_up<T: Operations>(
    host: &Host<T>,
    cmd: Command<'_, T>,
    data: T::CommandData,
    dma: &mut Dma<'_>,
) {
    match cmd.cdb().first() {
        Some(0) => cmd.complete(Outcome::status(Status::GOOD)),
        _ => cmd.start(data),
    }
    let stopped = dma.stop();
    let _ = host.complete_all(&stopped, HostByte::Reset);
    dma.start();
}
