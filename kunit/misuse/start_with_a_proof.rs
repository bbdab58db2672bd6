// SPDX-License-Identifier: GPL-2.0

// A device is started while there is a proof that it is stopped.
// expected: E0499

fn both<T: Operations>(host: &Host<T>, dma: &mut Dma<'_>) {
    let stopped = dma.stop();
    dma.start();
    let _ = host.complete_all(&stopped, HostByte::Reset);
}
