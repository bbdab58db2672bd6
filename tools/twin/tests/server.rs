// SPDX-License-Identifier: GPL-2.0

//! The twin at its socket, with crate vfio_user's own client in QEMU's place.

use apple_raid_twin::scsi::Volume;
use apple_raid_twin::{Config, Server, Twin, Why};
use std::fs::File;
use std::io::Read;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use vfio_user::Client;

const BAR0: u32 = 0;
const CONFIG: u32 = 7;
const MSI: u32 = 1;
/// Data is an eventfd, action is to trigger it.
const EVENTFD_TRIGGER: u32 = (1 << 2) | (1 << 5);
const MEMORY: u64 = 0x1_0000_0000;
const MEMORY_LEN: u64 = 1 << 20;
const DATA: u64 = 0x80000;

/// A host: a client, its memory, and its end of the interrupt.
struct Host {
    client: Client,
    memory: File,
    interrupt: UnixStream,
}

impl Host {
    fn attach(path: &Path) -> Host {
        let mut client = Client::new(path).unwrap();
        let memory = tempfile::tempfile().unwrap();
        memory.set_len(MEMORY_LEN).unwrap();
        client
            .dma_map(0, MEMORY, MEMORY_LEN, memory.as_raw_fd())
            .unwrap();
        let (interrupt, theirs) = UnixStream::pair().unwrap();
        interrupt
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        client
            .set_irqs(MSI, EVENTFD_TRIGGER, 0, 1, &[theirs.as_raw_fd()])
            .unwrap();
        client.region_write(CONFIG, 4, &[0x06, 0x00]).unwrap();
        Host {
            client,
            memory,
            interrupt,
        }
    }

    fn read32(&mut self, offset: u64) -> u32 {
        let mut word = [0; 4];
        self.client.region_read(BAR0, offset, &mut word).unwrap();
        u32::from_be_bytes(word)
    }

    fn write32(&mut self, offset: u64, value: u32) {
        self.client
            .region_write(BAR0, offset, &value.to_be_bytes())
            .unwrap();
    }

    fn write8(&mut self, offset: u64, value: u8) {
        self.client.region_write(BAR0, offset, &[value]).unwrap();
    }

    fn controller(&mut self) -> u32 {
        let mut word = [0; 4];
        let read = self.client.region_read(CONFIG, 0x22c, &mut word);
        read.unwrap();
        u32::from_le_bytes(word)
    }

    fn until(&mut self, done: impl Fn(&mut Self) -> bool) {
        let begin = Instant::now();
        while !done(self) {
            assert!(begin.elapsed() < Duration::from_secs(10));
        }
    }

    /// Each region begins 64 KiB after the other.
    fn handshake(&mut self) {
        self.until(|host| (2..=4).contains(&host.controller()));
        self.write8(0x5d, 0);
        for (offset, value) in [
            (0xe4, 128),
            (0xe8, 1),
            (0xec, 129),
            (0x104, 0x1000),
            (0x134, 64),
        ] {
            self.write32(offset, value);
        }
        for (n, offset) in [0xf4, 0xfc, 0x114, 0x11c, 0x12c, 0x144]
            .into_iter()
            .enumerate()
        {
            self.write32(offset, (MEMORY >> 32) as u32);
            self.write32(offset + 4, n as u32 * 0x10000);
        }
        let flags = self.read32(0x2c);
        self.write32(0x2c, flags | 1);
        self.until(|host| {
            let mut ready = [0];
            host.client.region_read(BAR0, 0x5d, &mut ready).unwrap();
            ready[0] != 0
        });
        self.write8(0x62, 0);
        self.until(|host| host.controller() == 4);
        self.write8(0x61, 0);
    }

    /// Runs a command with an entry in place, and returns its response.
    fn command(&mut self, cdb: &[u8], words: u32) -> [u8; 32] {
        let tag = 7;
        let mut slot = [0; 32];
        slot[..4].copy_from_slice(&[1, u8::from(words > 0), 0, tag]);
        slot[8..8 + cdb.len()].copy_from_slice(cdb);
        if words > 0 {
            slot[24..29].copy_from_slice(&(MEMORY + DATA).to_be_bytes()[3..]);
            slot[29..].copy_from_slice(&words.to_be_bytes()[1..]);
        }
        self.memory
            .write_all_at(&slot, u64::from(tag) * 32)
            .unwrap();
        let index = self.read32(0x40);
        let at = 0x174 + u64::from(index) * 2;
        self.client.region_write(BAR0, at, &[0, tag]).unwrap();
        self.write32(0x40, (index + 1) % 129);
        self.interrupt.read_exact(&mut [0; 8]).unwrap();
        self.write8(0x59, 0);
        let consumer = self.read32(0x4c);
        let mut entry = [0; 2];
        self.memory
            .read_exact_at(&mut entry, 0x50000 + u64::from(consumer) * 2)
            .unwrap();
        assert_eq!((self.read32(0x48), entry), ((consumer + 1) % 129, [0, tag]));
        self.write32(0x4c, (consumer + 1) % 129);
        let mut response = [0; 32];
        self.memory
            .read_exact_at(&mut response, 0x20000 + u64::from(tag) * 32)
            .unwrap();
        response
    }

    /// Lets the unit tell what it has to tell first.
    fn until_good(&mut self) {
        for _ in 0..5 {
            if self.command(&[0; 6], 0)[1] == 1 {
                return;
            }
        }
        panic!("the unit is not ready");
    }
}

fn serve(settings: &[&str]) -> (Twin, Server, tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("card.sock");
    let mut config = Config::default();
    for setting in settings {
        config.set(setting).unwrap();
    }
    let twin = Twin::new(config);
    twin.target()
        .add_volume(0, Volume::temporary(1 << 20).unwrap())
        .unwrap();
    let server = twin.serve(&path).unwrap();
    (twin, server, dir, path)
}

#[test]
fn identity_writes_and_reads() {
    let (twin, server, _dir, path) = serve(&[]);
    twin.trace().record(true);
    let mut host = Host::attach(&path);
    let mut id = [0; 4];
    host.client.region_read(CONFIG, 0, &mut id).unwrap();
    assert_eq!(id, [0x6b, 0x10, 0x8a, 0x00]);
    host.handshake();
    host.until_good();
    let data: Vec<u8> = (0..1024).map(|n| (n / 3) as u8).collect();
    host.memory.write_all_at(&data, DATA).unwrap();
    assert_eq!(
        host.command(&[0x2a, 0, 0, 0, 0, 9, 0, 0, 2, 0], 256)[..4],
        [2, 1, 0, 7]
    );
    host.memory.write_all_at(&[0; 1024], DATA).unwrap();
    assert_eq!(
        host.command(&[0x28, 0, 0, 0, 0, 9, 0, 0, 2, 0], 256)[..4],
        [2, 1, 0, 7]
    );
    let mut back = vec![0; 1024];
    host.memory.read_exact_at(&mut back, DATA).unwrap();
    assert_eq!(back, data);
    let report = twin.report();
    assert_eq!(
        (report.dma_refused, report.protocol_errors, report.overruns),
        (0, 0, 0)
    );
    assert_eq!((report.bytes_in, report.bytes_out), (1024, 1024));
    assert!(
        twin.trace()
            .lines()
            .iter()
            .any(|line| line.contains("op=WRITE-10"))
    );
    server.stop();
}

#[test]
fn memory_that_was_unmapped_is_out_of_reach() {
    let (twin, _server, _dir, path) = serve(&[]);
    let mut host = Host::attach(&path);
    host.handshake();
    host.until_good();
    host.client.dma_unmap(MEMORY + DATA, 0x1000).unwrap();
    let response = host.command(&[0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0], 128);
    assert_eq!((response[1], response[10], response[20]), (5, 0x0b, 0x47));
    let refused = twin.report().first_refused.unwrap();
    assert_eq!((refused.address, refused.length), (MEMORY + DATA, 512));
    assert_eq!((refused.why, refused.tag), (Why::NotMapped, Some(7)));
}

#[test]
fn one_host_after_another() {
    let (twin, server, _dir, path) = serve(&[]);
    let mut first = Host::attach(&path);
    first.handshake();
    first.until_good();
    assert_ne!(first.read32(0x40), 0);
    drop(first);
    let mut second = Host::attach(&path);
    assert_eq!(
        (
            second.read32(0x40),
            second.read32(0x2c),
            second.read32(0xf8)
        ),
        (0, 0, 0)
    );
    second.handshake();
    second.until_good();
    second.client.reset().unwrap();
    assert_eq!((second.read32(0x5c), second.read32(0x2c)), (0, 0));
    twin.power_cut();
    assert_eq!((second.read32(0x40), second.read32(0x68)), (0, 0x4a0));
    // Ends although the client is still there, which loses its card.
    server.stop();
    assert!(second.client.region_read(BAR0, 0, &mut [0; 4]).is_err() && !path.exists());
}

#[test]
fn a_function_level_reset() {
    let (twin, _server, _dir, path) = serve(&[]);
    let mut host = Host::attach(&path);
    host.handshake();
    let resets = twin.report().resets;
    host.client
        .region_write(CONFIG, 0x88, &[0x10, 0xa8])
        .unwrap();
    assert_eq!((host.read32(0x5c), twin.report().resets), (0, resets + 1));
}

#[test]
fn stale_sockets_and_others() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("card.sock");
    let twin = Twin::new(Config::default());
    drop(UnixListener::bind(&path).unwrap());
    let server = twin.serve(&path).unwrap();
    assert!(twin.serve(&path).is_err());
    drop(server);
    let server = twin.serve(&path).unwrap();
    drop(Host::attach(&path));
    drop(server);
    std::fs::write(&path, "precious").unwrap();
    assert!(twin.serve(&path).is_err());
    assert_eq!(std::fs::read(&path).unwrap(), b"precious");
}
