// SPDX-License-Identifier: GPL-2.0

//! QEMU's command line: pure functions from a [`Machine`] to arguments.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::builder::Iommu;
use crate::paths;

pub mod disks;

/// The name of the card in QEMU, for `device_del` and the like.
pub const CARD_ID: &str = "card";
/// The bus that the card sits on.
pub const PORT_ID: &str = "card-port";

/// Where memory begins that the card cannot reach.
const HIGH: u64 = 64 << 30;

/// The bus that the guest's own devices sit on.
const GUEST_PORT: &str = "guest-port";

/// All that the command line depends on.
#[derive(Debug, Clone)]
pub struct Machine {
    /// Whether the processor of the host runs the guest's code.
    pub kvm: bool,
    /// Bytes of guest memory.
    pub memory: u64,
    /// Bytes of more memory above 64 GiB.
    pub high_memory: u64,
    /// How many processors.
    pub cpus: u32,
    /// The kernel, as an ELF file.
    pub kernel: PathBuf,
    /// A tree with the kernel's own modules, when the build root has them not.
    pub kernel_layer: Option<PathBuf>,
    /// The folder of this run: sockets, logs, what host and guest exchange.
    pub run: PathBuf,
    /// A folder of the user's to be seen by the guest.
    pub share: Option<PathBuf>,
    /// Whether there is an IOMMU, and how it is used.
    pub iommu: Iommu,
    /// Whether the card sits behind a bridge to plain PCI.
    pub behind_bridge: bool,
    /// Where the twin listens, when there is one.
    pub card: Option<PathBuf>,
    /// The disks of QEMU's pvscsi, when that is there instead: files.
    pub disks: Vec<PathBuf>,
    /// Whether the guest's hvc0 is the terminal that this process was started on.
    pub terminal: bool,
    /// Whether the guest's root lies on the card.
    pub root_on_card: bool,
    /// More parameters for the kernel.
    pub append: String,
    /// Whether kmemleak shall work, where there is one.
    pub find_leaks: bool,
    /// Whether KUnit tests shall run, where there are any.
    pub kunit: bool,
}

/// Whether KVM can be used: the processor must offer virtualization to us (the
/// mere existence of /dev/kvm says nothing), and the node must open.
pub fn has_kvm() -> bool {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    offers_virtualization(&info)
        && fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open("/dev/kvm")
            .is_ok()
}

fn offers_virtualization(cpuinfo: &str) -> bool {
    cpuinfo
        .lines()
        .filter(|line| line.starts_with("flags"))
        .any(|line| {
            line.split_whitespace()
                .any(|flag| flag == "vmx" || flag == "svm")
        })
}

impl Machine {
    /// The arguments after `qemu-system-x86_64`.
    pub fn arguments(&self) -> Vec<String> {
        let mut args = Arguments::default();
        self.board(&mut args);
        self.boot(&mut args);
        self.control(&mut args);
        self.folders(&mut args);
        self.card(&mut args);
        args.0
    }

    fn board(&self, args: &mut Arguments) {
        let (accel, cpu) = if self.kvm {
            ("kvm", "host")
        } else {
            ("tcg", "max")
        };
        let irqchip = match (self.kvm, self.iommu) {
            (true, Iommu::Strict | Iommu::Passthrough) => ",kernel-irqchip=split",
            _ => "",
        };
        let memory = format!(
            "memory-backend-memfd,id=memory,size={},share=on",
            self.memory
        );
        args.add("-machine", format!("q35,memory-backend=memory{irqchip}"));
        args.add("-accel", accel);
        args.add("-cpu", cpu);
        args.add("-smp", self.cpus.to_string());
        args.add("-object", memory);
        if self.high_memory == 0 {
            args.add("-m", format!("{}B", self.memory));
        } else {
            let size = self.high_memory;
            let most = self.memory + HIGH + size;
            args.add("-m", format!("{}B,slots=1,maxmem={most}B", self.memory));
            args.add(
                "-object",
                format!("memory-backend-memfd,id=high,size={size},share=on"),
            );
            args.add("-device", format!("pc-dimm,memdev=high,addr={HIGH}"));
        }
        args.flag("-nodefaults");
        args.add("-display", "none");
        if self.iommu != Iommu::Off {
            args.add("-device", "intel-iommu,intremap=on,caching-mode=on");
        }
    }

    fn boot(&self, args: &mut Arguments) {
        args.add("-kernel", self.kernel.display().to_string());
        args.add("-initrd", self.run_file("initramfs"));
        args.add("-append", self.parameters());
    }

    /// The kernel's command line.
    fn parameters(&self) -> String {
        // The console gets everything: the detector reads it. Disks are there when
        // modprobe returns. The rest makes an emulated boot shorter.
        let mut words = vec![
            "console=ttyS0 loglevel=7 scsi_mod.scan=sync",
            "mitigations=off no_timer_check tsc=reliable lsm=",
            // Of the drivers for pvscsi it is ours that is tried.
            "modprobe.blacklist=vmw_pvscsi",
            // Debian's default. TCG keeps what it made of a page of code, and does not see when
            // the twin writes to the page, but when the guest clears it.
            "init_on_alloc=1",
        ];
        match self.iommu {
            Iommu::Off => {}
            Iommu::Strict => words.push("intel_iommu=on iommu.strict=1 iommu.passthrough=0"),
            Iommu::Passthrough => words.push("intel_iommu=on iommu.passthrough=1"),
        }
        if self.kernel_layer.is_some() {
            words.push("vm.kernel_layer");
        }
        // A slab cache that checks what it does has no sheaves. These keep the addresses of
        // objects that were handed out, where kmemleak sees them: none of those would be lost.
        words.push(if self.find_leaks {
            "slab_debug=F"
        } else {
            "kmemleak=off"
        });
        if !self.kunit {
            words.push("kunit.enable=0");
        }
        if self.root_on_card {
            words.push("vm.root=/dev/sda");
        }
        if self.share.is_some() {
            words.push("vm.share");
        }
        if !self.append.is_empty() {
            words.push(&self.append);
        }
        words.join(" ")
    }

    fn control(&self, args: &mut Arguments) {
        let socket = |id: &str, file: &str| {
            let path = escape(&self.run_file(file));
            format!("socket,id={id},path={path},server=on,wait=off")
        };
        let console = escape(&self.run_file("console.log"));
        args.add("-chardev", format!("file,id=console,path={console}"));
        args.add("-serial", "chardev:console");
        args.add("-chardev", socket("control", "qmp.sock"));
        args.add("-qmp", "chardev:control");
        // All of the guest's own devices are functions of one, below a port: there they can
        // keep their state while the guest sleeps, which virtio-9p does not survive otherwise.
        // The slot is a high one, so that the card has the first bus.
        args.add(
            "-device",
            format!("pcie-root-port,id={GUEST_PORT},chassis=2,addr=1e"),
        );
        args.add("-device", guest_device("virtio-serial-pci", 0));
        args.add("-chardev", socket("agent", "agent.sock"));
        args.add(
            "-device",
            "virtserialport,chardev=agent,name=org.qemu.guest_agent.0",
        );
        if self.terminal {
            args.add("-chardev", "stdio,id=terminal,mux=on,signal=off");
            args.add("-device", "virtconsole,chardev=terminal");
        }
    }

    fn folders(&self, args: &mut Arguments) {
        let mut functions = 1..;
        let mut folder = |tag: &str, path: &Path, access: &str| {
            let path = escape(&path.display().to_string());
            args.add(
                "-fsdev",
                format!("local,id={tag},path={path},security_model=none{access}"),
            );
            let driver = format!("virtio-9p-pci,fsdev={tag},mount_tag={tag}");
            let function = functions.next().unwrap_or_default();
            args.add("-device", guest_device(&driver, function));
        };
        folder(
            "root",
            Path::new(paths::GUEST_ROOT),
            ",readonly=on,multidevs=remap",
        );
        folder("modules", &self.run.join("modules"), ",readonly=on");
        if let Some(layer) = &self.kernel_layer {
            folder("kernel", layer, ",readonly=on");
        }
        folder("exchange", &self.run.join("exchange"), "");
        if let Some(share) = &self.share {
            folder("share", share, ",multidevs=remap");
        }
    }

    fn card(&self, args: &mut Arguments) {
        if self.card.is_none() && self.disks.is_empty() {
            return;
        }
        // As fast as the card is: the link of a faster port would be seen to stay down when the
        // kernel resets it, because QEMU does not say that it is up.
        args.add(
            "-device",
            format!("pcie-root-port,id={PORT_ID},chassis=1,x-speed=2_5,x-width=8"),
        );
        disks::add(&self.disks, args);
        let Some(socket) = &self.card else { return };
        let mut bus = PORT_ID;
        if self.behind_bridge {
            args.add(
                "-device",
                format!("pcie-pci-bridge,id=bridge,bus={PORT_ID}"),
            );
            bus = "bridge";
        }
        args.add("-device", card_device(socket, bus).to_string());
    }

    fn run_file(&self, name: &str) -> String {
        self.run.join(name).display().to_string()
    }
}

/// The card as QEMU's `-device` and QMP's `device_add` want it.
pub fn card_device(socket: &Path, bus: &str) -> serde_json::Value {
    let mut device = json!({
        "driver": "vfio-user-pci",
        "id": CARD_ID,
        "bus": bus,
        "socket": { "path": socket, "type": "unix" },
    });
    if bus != PORT_ID {
        device["addr"] = json!("1");
    }
    device
}

/// One of the guest's own devices, as a function of the one below [`GUEST_PORT`].
fn guest_device(driver: &str, function: u32) -> String {
    format!(
        "{driver},bus={GUEST_PORT},addr=0.{function},multifunction=on,x-pcie-pm-no-soft-reset=on"
    )
}

#[derive(Default)]
struct Arguments(Vec<String>);

impl Arguments {
    fn flag(&mut self, name: &str) {
        self.0.push(name.to_owned());
    }

    fn add(&mut self, name: &str, value: impl Into<String>) {
        self.flag(name);
        self.0.push(value.into());
    }
}

/// QEMU splits its options at commas, and reads two commas as one.
fn escape(value: &str) -> String {
    value.replace(',', ",,")
}

#[cfg(test)]
mod tests;
