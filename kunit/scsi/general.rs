// SPDX-License-Identifier: GPL-2.0

//! What a host can be beyond one queue and one target: see [`many`](super::many).

#[kernel::prelude::kunit_tests(rust_scsi_general)]
mod tests {
    use super::super::{
        super::{
            template::Template,
            Device,
            Host,
            Limits,
            Outcome,
            Registration,
            Status,
            Tag, //
        },
        bench::{
            eventually,
            new_faux,
            register, //
        },
        lost::{
            reset,
            GOOD, //
        },
        many::{
            Counts,
            Many,
            LIMITS,
            QUEUES,
            REFUSED,
            START, //
        },
        processors,
        request::{
            Data,
            Request, //
        },
    };
    use crate::bindings;
    use core::ptr::{
        null_mut,
        NonNull, //
    };
    use kernel::{
        error::from_err_ptr,
        faux,
        prelude::*,
        sync::{
            aref::ARef,
            atomic::ordering::Relaxed,
            rcu, //
        },
    };

    /// A host that is not scanned: tests add units.
    struct Ground {
        registration: Registration<'static, Many>,
        _faux: faux::Registration,
    }

    /// A unit, of which we have a reference.
    struct Unit(NonNull<bindings::scsi_device>);

    impl Drop for Unit {
        fn drop(&mut self) {
            // SAFETY: We have a reference.
            unsafe { bindings::scsi_device_put(self.0.as_ptr()) };
        }
    }

    impl Unit {
        fn device(&self) -> &Device<Many> {
            // SAFETY: We have a reference to the unit, which is one of a host of `Many`.
            unsafe { Device::from_raw(self.0.as_ptr()) }
        }

        fn limits(&self) -> bindings::queue_limits {
            // SAFETY: We have a reference to the unit, and it has a queue. The limits are a value.
            unsafe { core::ptr::read(&raw const (*(*self.0.as_ptr()).request_queue).limits) }
        }

        fn request(&self, cdb: &[u8]) -> Result<Request<'_>> {
            let data = Data::In(KVec::from_elem(0, 64, GFP_KERNEL)?);
            Request::to(self.0, cdb, data)
        }
    }

    impl Ground {
        fn new(limits: &Limits) -> Result<Self> {
            let faux = new_faux()?;
            let host = Host::new(limits)?;
            let registration = register(&host, &faux, Counts::new())?;
            Ok(Self {
                registration,
                _faux: faux,
            })
        }

        fn host(&self) -> &Host<Many> {
            self.registration.host()
        }

        fn counts(&self) -> &Counts {
            // SAFETY: The host is registered.
            unsafe { self.host().data() }
        }

        fn add(&self, channel: u32, id: u32, lun: u64) -> Result<Unit> {
            let shost = self.host().as_raw();
            // SAFETY: The host is valid, and was added.
            let unit = from_err_ptr(unsafe {
                bindings::__scsi_add_device(shost, channel, id, lun, null_mut())
            })?;
            Ok(Unit(NonNull::new(unit).ok_or(ENODEV)?))
        }

        /// Takes and completes all commands; returns their tags, and the queues that they went to.
        fn take_all(&self) -> KVec<(Tag, u16)> {
            let mut taken = KVec::with_capacity(64, GFP_KERNEL).unwrap_or_default();
            let rcu = rcu::read_lock();
            for tag in self.host().in_flight() {
                if let Some((cmd, queue)) = self.host().take(tag, &rcu) {
                    assert!(cmd.tag() == tag && taken.len() < taken.capacity());
                    cmd.complete(Outcome::status(Status::GOOD));
                    let _ = taken.push_within_capacity((tag, queue));
                }
            }
            taken
        }
    }

    /// Runs the rest of the test on one processor.
    fn run_on(processor: usize) -> Result {
        let mut mask = bindings::cpumask::default();
        // CAST: A bit of the first word.
        mask.bits[0] = 1 << processor;
        // SAFETY: The current task is valid, and so is the mask.
        kernel::error::to_result(unsafe {
            bindings::set_cpus_allowed_ptr(bindings::get_current(), &mask)
        })
    }

    /// Each queue has tags of its own, or all have the same, but no two commands.
    #[test]
    fn queues_and_tags() -> Result {
        if processors::too_few() {
            return Ok(());
        }
        for host_tagset in [false, true] {
            let ground = Ground::new(&Limits {
                host_tagset,
                ..LIMITS
            })?;
            assert_eq!(ground.counts().maps.load(Relaxed), 1);
            // The midlayer sends no more commands to a unit than one queue takes.
            let units = [ground.add(0, 0, 0)?, ground.add(0, 0, 1)?];
            let mut sent = KVec::new();
            let most = usize::from(LIMITS.can_queue);
            let queues = usize::from(QUEUES);
            for (processor, unit) in units.iter().enumerate() {
                run_on(processor)?;
                let count = if host_tagset { most / queues } else { most };
                for _ in 0..count {
                    sent.push(unit.request(&START)?.send()?, GFP_KERNEL)?;
                }
            }
            let all = sent.len();
            assert!(eventually(|| ground.host().in_flight().count() == all));
            let taken = ground.take_all();
            assert_eq!(taken.len(), all);
            for (n, (tag, queue)) in taken.iter().enumerate() {
                let expected = if host_tagset { 0 } else { *queue };
                assert_eq!(tag.hw_queue(), expected);
                assert!(tag.index() < most);
                assert!(taken.iter().skip(n + 1).all(|(other, _)| other != tag));
            }
            for queue in 0..QUEUES {
                let of_queue = taken.iter().filter(|(_, of)| *of == queue).count();
                assert_eq!(of_queue, all / queues);
            }
            for sent in &sent {
                assert_eq!(sent.end(), GOOD);
            }
            assert_eq!(ground.host().in_flight().count(), 0);
        }
        Ok(())
    }

    /// The driver hears of each unit, can refuse it, and can limit its queue.
    #[test]
    fn units() -> Result {
        let ground = Ground::new(&LIMITS)?;
        for channel in 0..2 {
            for (id, lun) in [(0, 0), (0, 1), (3, 0)] {
                let unit = ground.add(channel, id, lun)?;
                let device = unit.device();
                let address = (device.channel(), device.id(), device.lun());
                assert_eq!(address, (channel, id, lun));
                assert!(device.is_running());
                assert_eq!(device.peripheral(), Some(3));
                let limits = unit.limits();
                assert_eq!(limits.max_hw_sectors, 8 * (channel + 1));
                assert_eq!(limits.dma_alignment, 511);
                assert_eq!(limits.seg_boundary_mask, 0xffff);
            }
        }
        assert!(ground.add(0, REFUSED, 0).is_err());
        // Refused when its queue is configured.
        assert!(ground.add(0, 0, 2).is_err());
        let mut units = 0;
        ground.host().for_each_device(|_| units += 1);
        assert_eq!(units, 6);
        let counts = ground.counts();
        let configured = counts.configures.load(Relaxed);
        assert_eq!((counts.inits.load(Relaxed), configured), (8, 7));
        Ok(())
    }

    /// What the driver says of a target holds for all of its units, and no others.
    #[test]
    fn targets() -> Result {
        let ground = Ground::new(&LIMITS)?;
        let units = [
            ground.add(0, 0, 0)?,
            ground.add(0, 0, 1)?,
            ground.add(0, 3, 0)?,
        ];
        let mut sent = KVec::new();
        for unit in &units {
            sent.push(unit.request(&START)?.send()?, GFP_KERNEL)?;
        }
        assert!(eventually(|| ground.host().in_flight().count() == 3));
        let cmd = KBox::<bindings::scsi_cmnd>::new_uninit(GFP_KERNEL | __GFP_ZERO)?;
        // SAFETY: It was zeroed, and may be all zeros.
        let mut cmd = unsafe { cmd.assume_init() };
        cmd.device = units[0].0.as_ptr();
        // SAFETY: This is process context, and the command's device is one of a host of `Many`.
        let disposition = unsafe { Template::<Many>::target_reset(&mut *cmd) };
        assert_eq!(disposition as u32, bindings::scsi_disposition_SUCCESS);
        assert_eq!(sent[0].end(), reset());
        assert_eq!(sent[1].end(), reset());
        assert!(!sent[2].has_ended());
        assert_eq!(ground.counts().target_resets.load(Relaxed), 1);
        assert_eq!(ground.take_all().len(), 1);
        assert_eq!(sent[2].end(), GOOD);
        Ok(())
    }

    /// A unit that goes is told of, after its last command.
    #[test]
    fn units_that_go() -> Result {
        let ground = Ground::new(&LIMITS)?;
        let unit = ground.add(1, 3, 1)?;
        unit.device().remove();
        assert_eq!(ground.counts().destroys.load(Relaxed), 1);
        assert!(!unit.device().is_running());
        let host: ARef<Host<Many>> = ground.host().into();
        drop(unit);
        drop(ground);
        assert_eq!(host.in_flight().count(), 0);
        Ok(())
    }
}
