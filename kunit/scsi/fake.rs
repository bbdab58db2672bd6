// SPDX-License-Identifier: GPL-2.0

//! A host that is no device: it does with a command what the CDB asks for.

use super::super::{
    Busy,
    Command,
    DmaStopped,
    Host,
    HostByte,
    Operations,
    Outcome,
    Sense,
    SenseKey,
    Status, //
};
use kernel::{
    device,
    prelude::*,
    str::CStr,
    sync::{
        aref::ARef,
        atomic::{
            ordering::Relaxed,
            Atomic, //
        },
        rcu,
        Arc, //
    },
};

/// What is to become of a command.
#[derive(Clone, Copy, Default)]
#[repr(u8)]
pub(super) enum Deed {
    /// It completes at once, with the status of [`Ask::argument`] and the residual of
    /// [`Ask::number`].
    #[default]
    Complete,
    /// It completes at once, without an answer of a device: [`HOST_BYTES`].
    CompleteByHost,
    /// It completes at once, with so many bytes of [`SENSE`].
    CompleteWithSense,
    /// It is started.
    Start,
    /// It is mapped and started.
    StartMapped,
    /// It is started, unless it is the first one that this host is asked for: when it is tried
    /// again, it completes.
    StartFirst,
    /// Its token is dropped.
    Drop,
    /// It is mapped, and its token is dropped.
    DropMapped,
}

const DEEDS: [Deed; 8] = [
    Deed::Complete,
    Deed::CompleteByHost,
    Deed::CompleteWithSense,
    Deed::Start,
    Deed::StartMapped,
    Deed::StartFirst,
    Deed::Drop,
    Deed::DropMapped,
];

/// What [`Deed::CompleteByHost`] can say.
pub(super) const HOST_BYTES: [HostByte; 2] = [HostByte::NoConnect, HostByte::Error];

/// Sense data: INVALID FIELD IN CDB, with all that is not needed for it, and more than fits.
pub(super) const SENSE: [u8; 32] = [
    0x70, 0xaa, 0x05, 0x11, 0x22, 0x33, 0x44, 24, 0x55, 0x66, 0x77, 0x88, 0x24, 0x00, 0x99, 0xc0,
    0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f,
];

/// A vendor specific command of ten bytes.
const OPCODE: u8 = 0xc0;

/// A command for the fake host.
#[derive(Clone, Copy, Default)]
pub(super) struct Ask {
    pub(super) deed: Deed,
    pub(super) argument: u8,
    pub(super) number: u32,
}

impl From<Deed> for Ask {
    fn from(deed: Deed) -> Self {
        Self {
            deed,
            ..Self::default()
        }
    }
}

impl Ask {
    /// Length of the CDB: what the midlayer takes that of [`OPCODE`] to be.
    pub(super) const CDB_LEN: usize = 10;

    pub(super) fn to_cdb(self) -> [u8; Self::CDB_LEN] {
        let [a, b, c, d] = self.number.to_be_bytes();
        [OPCODE, self.deed as u8, self.argument, a, b, c, d, 0, 0, 0]
    }

    fn from_cdb(cdb: &[u8]) -> Option<Self> {
        match *cdb {
            [OPCODE, deed, argument, a, b, c, d, 0, 0, 0] => Some(Self {
                deed: *DEEDS.get(usize::from(deed))?,
                argument,
                number: u32::from_be_bytes([a, b, c, d]),
            }),
            _ => None,
        }
    }
}

/// What the fake host keeps with a command in flight: which one it is. There is one of them for
/// each command in flight, and no more.
pub(super) struct Cargo {
    pub(super) number: u32,
    count: Arc<Atomic<i32>>,
}

impl Cargo {
    fn new(number: u32, state: &State) -> Self {
        state.cargo.add(1, Relaxed);
        Self {
            number,
            count: state.cargo.clone(),
        }
    }
}

impl Drop for Cargo {
    fn drop(&mut self) {
        self.count.add(-1, Relaxed);
    }
}

/// What the host counts, and how it behaves.
pub(super) struct State {
    dev: ARef<device::Device>,
    cargo: Arc<Atomic<i32>>,
    /// How often [`Ask`]s came in.
    pub(super) asked: Atomic<u32>,
    /// How often they will be given back as busy.
    pub(super) busy: Atomic<u32>,
    /// Whether they all are, from a reset, or from when the device was quiesced, until commands are
    /// let in: not 0.
    pub(super) shut: Atomic<u32>,
    pub(super) polls: Atomic<u32>,
    /// The poll that finds all commands done; 0 stands for none.
    pub(super) found_by_poll: Atomic<u32>,
    pub(super) resets: Atomic<u32>,
    /// Whether the device comes back from a reset: not 0.
    pub(super) comes_back: Atomic<u32>,
    /// How many commands a reset gave up.
    pub(super) surrendered: Atomic<u32>,
}

impl State {
    pub(super) fn new(dev: &device::Device) -> Result<Self> {
        Ok(Self {
            dev: dev.into(),
            cargo: Arc::new(Atomic::new(0), GFP_KERNEL)?,
            asked: Atomic::new(0),
            busy: Atomic::new(0),
            shut: Atomic::new(0),
            polls: Atomic::new(0),
            found_by_poll: Atomic::new(0),
            resets: Atomic::new(0),
            comes_back: Atomic::new(1),
            surrendered: Atomic::new(0),
        })
    }

    /// How many [`Cargo`]s exist.
    pub(super) fn cargo(&self) -> i32 {
        self.cargo.load(Relaxed)
    }

    /// It never does any DMA.
    pub(super) fn stopped(&self) -> DmaStopped<'_> {
        DmaStopped::new(self.dev.as_raw())
    }
}

/// The driver.
pub(super) struct Fake;

type Queued<'a> = Result<(), Busy<'a, Fake>>;

fn good() -> Outcome {
    Outcome::status(Status::GOOD)
}

/// What a processor device of SCSI-2 says of itself: no other driver wants one.
fn inquiry(cmd: Command<'_, Fake>) {
    let mut data = *b"\x03\0\x02\x02\x1f\0\0\0FAKE    HOST            1   ";
    data[4] = data.len() as u8 - 5;
    let copied = cmd.copy_to_data(0, &data);
    let residual = cmd.data_len() - copied as u32;
    cmd.complete(good().with_residual(residual));
}

fn carry_out<'a>(state: &State, ask: Ask, cmd: Command<'a, Fake>) -> Queued<'a> {
    if state.shut.load(Relaxed) != 0 {
        return Err(cmd.busy());
    }
    let times = state.asked.fetch_add(1, Relaxed) + 1;
    let busy = state.busy.load(Relaxed);
    if busy > 0 {
        state.busy.store(busy - 1, Relaxed);
        return Err(cmd.busy());
    }
    let argument = usize::from(ask.argument);
    match ask.deed {
        Deed::Complete => {
            let outcome = Outcome::status(Status(ask.argument));
            cmd.complete(outcome.with_residual(ask.number));
        }
        Deed::CompleteByHost => {
            let host = HOST_BYTES.get(argument).copied();
            cmd.complete(Outcome::host(host.unwrap_or(HostByte::Error)));
        }
        Deed::CompleteWithSense => {
            let sense = SENSE.get(..argument).unwrap_or(&SENSE);
            cmd.complete_with_sense(Sense::from_device(sense));
        }
        Deed::StartFirst if times > 1 => cmd.complete(good()),
        Deed::Start | Deed::StartFirst => cmd.start(Cargo::new(ask.number, state)),
        Deed::StartMapped => cmd.map()?.start(Cargo::new(ask.number, state)),
        Deed::Drop => drop(cmd),
        Deed::DropMapped => drop(cmd.map()?),
    }
    Ok(())
}

#[vtable]
impl Operations for Fake {
    type Data<'bound> = State;
    type CommandData = Cargo;

    const NAME: &'static CStr = c"scsi_kunit";

    fn queue_command<'a>(
        state: &State,
        _host: &'a Host<Self>,
        cmd: Command<'a, Self>,
    ) -> Result<(), Busy<'a, Self>> {
        let ask = Ask::from_cdb(cmd.cdb());
        match (ask, cmd.cdb().first()) {
            (Some(ask), _) => return carry_out(state, ask, cmd),
            (_, Some(0x12)) => inquiry(cmd),
            // TEST UNIT READY, by which error handling tests whether it was of use.
            (_, Some(0x00)) => cmd.complete(good()),
            _ => cmd.complete_with_sense(Sense::new(SenseKey::IllegalRequest, 0x20, 0)),
        }
        Ok(())
    }

    fn poll(state: &State, host: &Host<Self>) {
        let polls = state.polls.fetch_add(1, Relaxed) + 1;
        if state.found_by_poll.load(Relaxed) != polls {
            return;
        }
        let rcu = rcu::read_lock();
        for tag in host.in_flight().tags() {
            if let Some((cmd, _cargo)) = host.in_flight().take(tag, &rcu) {
                cmd.complete(good());
            }
        }
    }

    fn host_reset(state: &State, host: &Host<Self>) -> Result {
        state.resets.add(1, Relaxed);
        state.shut.store(1, Relaxed);
        if state.comes_back.load(Relaxed) == 0 {
            return Err(ENODEV);
        }
        host.surrender(&state.stopped(), |_cargo| {
            state.surrendered.add(1, Relaxed);
        })
    }

    fn accept_commands(state: &State, _host: &Host<Self>) {
        state.shut.store(0, Relaxed);
    }
}
