// SPDX-License-Identifier: GPL-2.0

//! What a VM shall be like.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use crate::error::Result;
use crate::hba::Hba;
use crate::kernel::Flavour;
use crate::size;
use crate::vm::Vm;

/// Whether the guest has an IOMMU.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Iommu {
    /// There is none.
    #[default]
    Off,
    /// The card sees only what is mapped for it, and only while it is.
    Strict,
    /// There is one, but the card sees all of the memory.
    Passthrough,
}

/// What a logical unit of the card is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VolumeSpec {
    /// So many bytes, gone with the VM.
    Size(u64),
    /// A file.
    File(PathBuf),
}

impl FromStr for VolumeSpec {
    type Err = String;

    /// A size, or else the path of a file.
    fn from_str(text: &str) -> std::result::Result<Self, String> {
        match size::parse(text) {
            Ok(bytes) => Ok(Self::Size(bytes)),
            Err(_) if Path::new(text).is_file() => Ok(Self::File(text.into())),
            Err(_) => Err(format!(
                "neither a size (512M, 1G, 16T) nor a file: {text:?}; `truncate -s 1G FILE` makes one"
            )),
        }
    }
}

/// A VM to be. Its defaults: 2 GiB of memory, two processors, the kernel that the
/// environment asks for, no IOMMU, a card with one volume of 1 GiB, the driver
/// loaded. Time limits are those for Debian's kernel; the debug kernel gets more.
#[derive(Debug, Clone)]
pub struct Builder {
    pub(crate) memory: u64,
    pub(crate) high_memory: u64,
    pub(crate) cpus: u32,
    pub(crate) flavour: Option<Flavour>,
    pub(crate) iommu: Iommu,
    pub(crate) behind_bridge: bool,
    pub(crate) hba: Hba,
    pub(crate) card: bool,
    pub(crate) volumes: Vec<VolumeSpec>,
    pub(crate) twin: Vec<String>,
    pub(crate) trace: bool,
    pub(crate) share: Option<PathBuf>,
    pub(crate) load: bool,
    pub(crate) root_on_card: bool,
    pub(crate) terminal: bool,
    pub(crate) find_leaks: bool,
    pub(crate) kunit: bool,
    pub(crate) append: String,
    pub(crate) run_folder: Option<PathBuf>,
    pub(crate) boot_limit: Duration,
    pub(crate) exec_limit: Duration,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            memory: 2 << 30,
            high_memory: 0,
            cpus: 2,
            flavour: None,
            iommu: Iommu::Off,
            behind_bridge: false,
            hba: Hba::default(),
            card: true,
            volumes: Vec::new(),
            twin: Vec::new(),
            trace: false,
            share: None,
            load: true,
            root_on_card: false,
            terminal: false,
            find_leaks: false,
            kunit: false,
            append: String::new(),
            run_folder: None,
            boot_limit: Duration::from_secs(180),
            exec_limit: Duration::from_secs(120),
        }
    }
}

impl Builder {
    /// So many bytes of memory.
    pub fn memory(mut self, bytes: u64) -> Self {
        self.memory = bytes;
        self
    }

    /// So many bytes more, above 64 GiB.
    pub fn high_memory(mut self, bytes: u64) -> Self {
        self.high_memory = bytes;
        self
    }

    /// So many processors.
    pub fn cpus(mut self, count: u32) -> Self {
        self.cpus = count;
        self
    }

    /// This kernel, whatever the environment says (see [`Flavour::from_environment`]).
    pub fn kernel(mut self, flavour: Flavour) -> Self {
        self.flavour = Some(flavour);
        self
    }

    /// An IOMMU.
    pub fn iommu(mut self, iommu: Iommu) -> Self {
        self.iommu = iommu;
        self
    }

    /// The card sits behind a bridge from PCI Express to PCI.
    pub fn behind_bridge(mut self) -> Self {
        self.behind_bridge = true;
        self
    }

    /// Another host adapter than the card, with the volumes as its disks.
    pub fn hba(mut self, hba: Hba) -> Self {
        self.hba = hba;
        self
    }

    /// No card at all.
    pub fn no_card(mut self) -> Self {
        self.card = false;
        self
    }

    /// One more volume; they get LUNs from 0 in the order of these calls (with pvscsi, targets).
    pub fn volume(mut self, volume: VolumeSpec) -> Self {
        self.volumes.push(volume);
        self
    }

    /// A setting of the twin, as `key=value`.
    pub fn twin(mut self, setting: &str) -> Self {
        self.twin.push(setting.to_owned());
        self
    }

    /// All that host and card say to each other goes to the file `card.trace` in the
    /// folder of the run.
    pub fn trace(mut self) -> Self {
        self.trace = true;
        self
    }

    /// A folder that the guest sees, and may write to, at /mnt/share.
    pub fn share(mut self, folder: &Path) -> Self {
        self.share = Some(folder.to_path_buf());
        self
    }

    /// The driver is not loaded, and need not be built.
    pub fn no_load(mut self) -> Self {
        self.load = false;
        self
    }

    /// The guest's root is the file system on the first volume (see [`root_image`]); the
    /// driver comes along in its initramfs.
    ///
    /// [`root_image`]: crate::root_image::root_image
    pub fn root_on_card(mut self) -> Self {
        self.root_on_card = true;
        self
    }

    /// The guest's /dev/hvc0 is the terminal of this process.
    pub fn terminal(mut self) -> Self {
        self.terminal = true;
        self
    }

    /// Has modules run their KUnit tests when they are loaded, on a kernel that has them:
    /// it takes seconds.
    pub fn kunit(mut self) -> Self {
        self.kunit = true;
        self
    }

    /// The debug kernel keeps a record of all memory, for [`Vm::leaks`]. That makes it
    /// half as fast.
    pub fn find_leaks(mut self) -> Self {
        self.find_leaks = true;
        self
    }

    /// More parameters for the kernel.
    pub fn append(mut self, parameters: &str) -> Self {
        if !self.append.is_empty() {
            self.append.push(' ');
        }
        self.append.push_str(parameters);
        self
    }

    /// An empty folder for the files of this run, instead of a new one in the
    /// cache.
    pub fn run_folder(mut self, folder: &Path) -> Self {
        self.run_folder = Some(folder.to_path_buf());
        self
    }

    /// How long a boot may take.
    pub fn boot_limit(mut self, limit: Duration) -> Self {
        self.boot_limit = limit;
        self
    }

    /// How long a command may take that [`Vm::exec`] runs.
    pub fn exec_limit(mut self, limit: Duration) -> Self {
        self.exec_limit = limit;
        self
    }

    /// Waits until no other VM runs, then boots this one, up to where commands can
    /// be run; the driver is loaded then.
    pub fn boot(self) -> Result<Vm> {
        Vm::boot(self)
    }
}

#[cfg(test)]
mod tests {
    use super::VolumeSpec;

    #[test]
    fn a_volume_is_a_size_or_a_file() {
        assert_eq!("16T".parse(), Ok(VolumeSpec::Size(16 << 40)));
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().to_str().unwrap();
        assert_eq!(path.parse(), Ok(VolumeSpec::File(path.into())));
        assert!("no/such/file".parse::<VolumeSpec>().is_err());
    }
}
