// SPDX-License-Identifier: GPL-2.0

//! The card as a vfio-user server: what QEMU's messages mean to it.
//!
//! The backend never returns an error: crate vfio_user would answer with an error
//! of number 0, and answer even messages that want no reply. What cannot be done
//! is logged instead. It never works for long either; QEMU waits for it.

use super::config_space::CONFIG_LEN;
use super::maps::{Access, Maps};
use super::regs::BAR_LEN;
use super::state::Card;
use super::trace::field;
use std::fmt::Write as _;
use std::fs::File;
use std::io;
use std::sync::Arc;
use vfio_bindings::bindings::vfio::{
    VFIO_IRQ_INFO_EVENTFD, VFIO_IRQ_SET_ACTION_TRIGGER, VFIO_PCI_BAR0_REGION_INDEX,
    VFIO_PCI_CONFIG_REGION_INDEX, VFIO_PCI_ERR_IRQ_INDEX, VFIO_PCI_MSI_IRQ_INDEX,
    VFIO_PCI_NUM_IRQS, VFIO_PCI_NUM_REGIONS, VFIO_REGION_INFO_FLAG_READ,
    VFIO_REGION_INFO_FLAG_WRITE, vfio_region_info,
};
use vfio_user::{DmaMapFlags, DmaUnmapFlags, IrqInfo, ServerBackend, ServerRegion};

/// The regions as QEMU learns of them: BAR0 and configuration space.
pub(crate) fn regions() -> Vec<ServerRegion> {
    let region = |index| {
        let size = match index {
            VFIO_PCI_BAR0_REGION_INDEX => BAR_LEN as u64,
            VFIO_PCI_CONFIG_REGION_INDEX => CONFIG_LEN as u64,
            _ => 0,
        };
        let flags = match size {
            0 => 0,
            _ => VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE,
        };
        let argsz = size_of::<vfio_region_info>() as u32;
        ServerRegion {
            region_info: vfio_region_info {
                argsz,
                flags,
                index,
                size,
                ..Default::default()
            },
            sparse_areas: Vec::new(),
            mmap_fd: None,
        }
    };
    (0..VFIO_PCI_NUM_REGIONS).map(region).collect()
}

/// The interrupts: one MSI, and the error interrupt that QEMU insists on.
pub(crate) fn irqs() -> Vec<IrqInfo> {
    let irq = |index| match index {
        VFIO_PCI_MSI_IRQ_INDEX | VFIO_PCI_ERR_IRQ_INDEX => IrqInfo {
            index,
            flags: VFIO_IRQ_INFO_EVENTFD,
            count: 1,
        },
        _ => IrqInfo {
            index,
            flags: 0,
            count: 0,
        },
    };
    (0..VFIO_PCI_NUM_IRQS).map(irq).collect()
}

/// One client's view of the card.
pub(crate) struct Backend {
    pub(crate) card: Arc<Card>,
    pub(crate) maps: Arc<Maps>,
}

impl Backend {
    /// The client is gone: nothing of it may be touched any more.
    pub(crate) fn disconnect(&self) {
        self.maps.clear();
        self.card.msi.connect(None);
        self.card.reset("client-gone");
    }
}

impl ServerBackend for Backend {
    fn region_read(&mut self, region: u32, offset: u64, data: &mut [u8]) -> io::Result<()> {
        match region {
            VFIO_PCI_BAR0_REGION_INDEX => self.card.read(offset, data),
            VFIO_PCI_CONFIG_REGION_INDEX => self.card.read_config(offset, data),
            _ => data.fill(0xff),
        }
        Ok(())
    }

    fn region_write(&mut self, region: u32, offset: u64, data: &[u8]) -> io::Result<()> {
        match region {
            VFIO_PCI_BAR0_REGION_INDEX => self.card.write(offset, data),
            VFIO_PCI_CONFIG_REGION_INDEX => self.card.write_config(offset, data),
            _ => tracing::debug!(region, offset, "write to a region that is not there"),
        }
        Ok(())
    }

    fn dma_map(
        &mut self,
        flags: DmaMapFlags,
        offset: u64,
        address: u64,
        size: u64,
        fd: Option<File>,
    ) -> io::Result<()> {
        let access = Access {
            read: flags.contains(DmaMapFlags::READ),
            write: flags.contains(DmaMapFlags::WRITE),
        };
        self.card.trace.event("map", |line| {
            let fd = u8::from(fd.is_some());
            let (read, write) = (u8::from(access.read), u8::from(access.write));
            field!(
                line,
                "addr={address:#012x} bytes={size:#x} r={read} w={write} fd={fd}"
            )
        });
        if let Err(error) = self
            .maps
            .map(address, size, fd.map(|fd| (fd, offset)), access)
        {
            tracing::warn!(%error, "cannot map {size:#x} bytes at {address:#x}");
        }
        Ok(())
    }

    fn dma_unmap(&mut self, flags: DmaUnmapFlags, address: u64, size: u64) -> io::Result<()> {
        self.card.trace.event("unmap", |line| {
            field!(line, "addr={address:#012x} bytes={size:#x}")
        });
        if flags.contains(DmaUnmapFlags::UNMAP_ALL) {
            self.maps.clear();
        } else if let Err(error) = self.maps.unmap(address, size) {
            tracing::warn!(%error, "cannot unmap");
        }
        Ok(())
    }

    fn reset(&mut self) -> io::Result<()> {
        self.card.reset("device-reset");
        Ok(())
    }

    fn set_irqs(
        &mut self,
        index: u32,
        flags: u32,
        start: u32,
        count: u32,
        fds: Vec<File>,
    ) -> io::Result<()> {
        if index != VFIO_PCI_MSI_IRQ_INDEX || flags & VFIO_IRQ_SET_ACTION_TRIGGER == 0 {
            return Ok(());
        }
        // No file means that the vector is disabled.
        let eventfd = fds.into_iter().next();
        tracing::debug!(start, count, enabled = eventfd.is_some(), "MSI");
        self.card.msi.connect(eventfd);
        Ok(())
    }
}
