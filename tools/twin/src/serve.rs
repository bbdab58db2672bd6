// SPDX-License-Identifier: GPL-2.0

//! A twin at a socket: the thread that serves one QEMU after another.
//!
//! Crate vfio_user accepts a client by itself and then blocks until that client is
//! gone. To end it from outside, every socket of this process that is bound to the
//! path (the listener, and the connection it accepted) is shut down.

use crate::card::server::{Backend, irqs, regions};
use crate::twin::Twin;
use std::fs;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd, RawFd};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// A twin being served. It ends when this is dropped.
#[derive(Debug)]
pub struct Server {
    path: PathBuf,
    stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start(twin: Twin, path: &Path) -> io::Result<Server> {
        remove_stale(path)?;
        let listener = UnixListener::bind(path)?;
        let stopping = Arc::new(AtomicBool::new(false));
        let stop = stopping.clone();
        let thread = thread::Builder::new()
            .name("vfio-user".into())
            .spawn(move || serve(&twin, listener, &stop))?;
        Ok(Server {
            path: path.to_owned(),
            stopping,
            thread: Some(thread),
        })
    }

    /// Where the server listens.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Ends the server; a QEMU that is connected loses its card.
    pub fn stop(self) {}

    /// Waits for the server to end by itself, which it does only when it fails.
    pub fn wait(mut self) {
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            while !thread.is_finished() {
                shut_down(&self.path);
                thread::sleep(Duration::from_millis(2));
            }
            let _ = thread.join();
        }
        let _ = fs::remove_file(&self.path);
    }
}

fn serve(twin: &Twin, listener: UnixListener, stopping: &AtomicBool) {
    let server = vfio_user::Server::from_owned_fd(listener.into(), true, irqs(), regions());
    let mut backend = Backend {
        card: twin.card().clone(),
        maps: twin.maps().clone(),
    };
    while !stopping.load(Ordering::Acquire) {
        // A client may talk nonsense; that must not end the server.
        let ended = catch_unwind(AssertUnwindSafe(|| server.run(&mut backend)));
        backend.disconnect();
        match ended {
            Ok(Ok(())) => tracing::info!("client gone"),
            Ok(Err(error)) => {
                if !stopping.load(Ordering::Acquire) {
                    tracing::info!(%error, "client lost");
                    thread::sleep(Duration::from_millis(10));
                }
            }
            Err(_) => tracing::error!("the client's message made the server panic"),
        }
    }
}

/// Removes a socket that nobody listens at any more.
fn remove_stale(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Err(_) => Ok(()),
        Ok(about) if !about.file_type().is_socket() => Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            "the path exists and is no socket",
        )),
        Ok(_) if UnixStream::connect(path).is_ok() => Err(io::Error::new(
            io::ErrorKind::AddrInUse,
            "another server listens at this path",
        )),
        Ok(_) => fs::remove_file(path),
    }
}

/// Shuts down every socket of this process whose own address is `path`.
fn shut_down(path: &Path) {
    let Ok(open) = fs::read_dir("/proc/self/fd") else {
        return;
    };
    for fd in open.flatten() {
        let Some(fd) = fd.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let Some(socket) = duplicate(fd).map(UnixStream::from) else {
            continue;
        };
        // Fails for whatever is no socket.
        if socket
            .local_addr()
            .is_ok_and(|own| own.as_pathname() == Some(path))
        {
            let _ = socket.shutdown(std::net::Shutdown::Both);
        }
    }
}

/// Our own handle on whatever `fd` is now, so that it stays that while we look.
fn duplicate(fd: RawFd) -> Option<OwnedFd> {
    // SAFETY: the descriptor is borrowed for this one statement, and nothing is read
    // or written through it: if it was closed meanwhile, dup fails with EBADF; if it
    // was opened anew as something else, that is what gets duplicated.
    unsafe { BorrowedFd::borrow_raw(fd) }
        .try_clone_to_owned()
        .ok()
}
