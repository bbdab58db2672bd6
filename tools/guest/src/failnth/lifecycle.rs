// SPDX-License-Identifier: GPL-2.0

//! Coming and going: of the driver, of a logical unit, of its disk.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::io::Errno;

use crate::nth::{Operation, Outcome};

const DRIVER: &str = "/sys/bus/pci/drivers/apple_raid";
const DISK_DRIVER: &str = "/sys/bus/scsi/drivers/sd";
const PCI_DEVICES: &str = "/sys/bus/pci/devices";
const ID: (&str, &str) = ("0x106b", "0x008a");

/// How long what is done in the background may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The card, and its first logical unit.
#[derive(Debug, Clone)]
pub struct Card {
    address: String,
    folder: PathBuf,
}

impl Card {
    /// Finds it.
    pub fn find() -> Result<Self> {
        for entry in fs::read_dir(PCI_DEVICES)? {
            let folder = entry?.path();
            let id = |name| fs::read_to_string(folder.join(name)).unwrap_or_default();
            if (id("vendor").trim(), id("device").trim()) == ID {
                let name = folder.file_name().unwrap_or_default();
                let address = name.to_string_lossy().into_owned();
                return Ok(Self { address, folder });
            }
        }
        anyhow::bail!("there is no card")
    }

    fn is_bound(&self) -> bool {
        self.folder.join("driver").exists()
    }

    /// Has the driver have the card.
    pub fn bind(&self) -> Result<()> {
        if !self.is_bound() {
            Attribute::open(&Path::new(DRIVER).join("bind"))?.write(&self.address)?;
        }
        Ok(())
    }

    fn unbind(&self) -> Result<()> {
        if self.is_bound() {
            Attribute::open(&Path::new(DRIVER).join("unbind"))?.write(&self.address)?;
        }
        ensure!(!self.is_bound(), "the card is still bound");
        Ok(())
    }

    /// The number of its host.
    fn host(&self) -> Option<u32> {
        let entries = fs::read_dir(&self.folder).ok()?;
        let mut names = entries.flatten().map(|entry| entry.file_name());
        names.find_map(|name| name.to_str()?.strip_prefix("host")?.parse().ok())
    }

    /// Its first logical unit, if the midlayer knows of it.
    fn unit(&self) -> Option<Unit> {
        let host = self.host()?;
        let name = format!("{host}:0:0:0");
        let folder = self
            .folder
            .join(format!("host{host}/target{host}:0:0/{name}"));
        folder.exists().then_some(Unit { name, folder })
    }

    /// Has the driver have the card as if nothing had been before.
    pub fn bind_anew(&self) -> Result<()> {
        self.unbind()?;
        self.bind()
    }

    /// The nodes of its first logical unit, if it has both.
    pub fn nodes(&self) -> Option<(PathBuf, PathBuf)> {
        let unit = self.unit()?;
        let disk = unit.node("block")?;
        Some((disk, unit.node("scsi_generic")?))
    }

    /// Has the midlayer look for logical units.
    fn scan(&self) -> Result<()> {
        Ok(self.scan_file()?.write("- - -")?)
    }

    fn scan_file(&self) -> Result<Attribute> {
        let host = self.host().context("there is no host")?;
        Attribute::open(
            &self
                .folder
                .join(format!("host{host}/scsi_host/host{host}/scan")),
        )
    }

    /// Has the midlayer forget the first logical unit.
    fn forget(&self) -> Result<()> {
        if let Some(unit) = self.unit() {
            unit.delete_file()?.write("1")?;
        }
        ensure!(self.unit().is_none(), "the logical unit is still there");
        Ok(())
    }

    /// The logical unit. If it is new, its disk is waited for: the disk driver comes to it in the
    /// background.
    fn unit_is_there(&self) -> Result<Unit> {
        if let Some(unit) = self.unit() {
            return Ok(unit);
        }
        self.bind()?;
        self.scan()?;
        self.appears("the logical unit", || self.unit().filter(Unit::has_disk))
    }

    /// Waits until something is there.
    pub fn appears<T>(&self, what: &str, look: impl Fn() -> Option<T>) -> Result<T> {
        let begin = Instant::now();
        loop {
            if let Some(found) = look() {
                return Ok(found);
            }
            ensure!(begin.elapsed() < PATIENCE, "{what} does not appear");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// A logical unit, as the midlayer knows it.
#[derive(Debug)]
struct Unit {
    name: String,
    folder: PathBuf,
}

impl Unit {
    fn delete_file(&self) -> Result<Attribute> {
        Attribute::open(&self.folder.join("delete"))
    }

    /// What a class made of it.
    fn entry(&self, class: &str) -> Option<PathBuf> {
        let mut entries = fs::read_dir(self.folder.join(class)).ok()?;
        Some(entries.next()?.ok()?.path())
    }

    /// The node of that.
    fn node(&self, class: &str) -> Option<PathBuf> {
        let node = Path::new("/dev").join(self.entry(class)?.file_name()?);
        node.exists().then_some(node)
    }

    fn has_disk(&self) -> bool {
        self.folder.join("driver").exists()
    }

    /// Has the disk driver come, or go.
    fn attach(&self, attached: bool) -> Result<()> {
        if self.has_disk() != attached {
            let file = if attached { "bind" } else { "unbind" };
            Attribute::open(&Path::new(DISK_DRIVER).join(file))?.write(&self.name)?;
        }
        Ok(())
    }
}

/// A file of sysfs.
#[derive(Debug)]
struct Attribute(File);

impl Attribute {
    fn open(path: &Path) -> Result<Self> {
        let file = OpenOptions::new().write(true).open(path);
        Ok(Self(file.with_context(|| path.display().to_string())?))
    }

    fn write(&self, text: &str) -> io::Result<()> {
        self.0.write_all_at(text.as_bytes(), 0)
    }
}

/// What can be done to the card and to its logical unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Step {
    /// The driver comes to the card.
    Bind,
    /// The driver leaves the card.
    Unbind,
    /// The midlayer looks for logical units, and finds one.
    Scan,
    /// The midlayer forgets the logical unit.
    Delete,
    /// The disk driver comes to the logical unit.
    Attach,
    /// The disk driver leaves the logical unit.
    Detach,
    /// The midlayer looks at the logical unit once more, and so does the disk driver.
    Rescan,
    /// The disk's cache is set.
    Cache,
    /// The disk gets another scheduler.
    Scheduler,
    /// The function of the card is reset.
    Reset,
}

impl Step {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Unbind,
        Self::Bind,
        Self::Delete,
        Self::Scan,
        Self::Detach,
        Self::Attach,
        Self::Rescan,
        Self::Cache,
        Self::Scheduler,
        Self::Reset,
    ];
}

/// A step of the card's life, done by one write to a file of sysfs.
#[derive(Debug)]
pub struct Write {
    card: Card,
    step: Step,
    /// The file and the text, when all is prepared.
    ready: Option<(Attribute, String)>,
}

impl Write {
    /// That step of that card.
    pub fn new(card: &Card, step: Step) -> Self {
        Self {
            card: card.clone(),
            step,
            ready: None,
        }
    }

    /// Whether it was done, as sysfs has it; which says nothing of a step that changes nothing
    /// there, and of a scan, which has no result: what it could not look at, it leaves out.
    fn is_done(&self) -> Option<bool> {
        let unit = self.card.unit();
        match self.step {
            Step::Bind => Some(self.card.is_bound()),
            Step::Unbind => Some(!self.card.is_bound()),
            Step::Delete => Some(unit.is_none()),
            Step::Attach => Some(unit.is_some_and(|unit| unit.has_disk())),
            Step::Detach => Some(unit.is_some_and(|unit| !unit.has_disk())),
            Step::Scan | Step::Rescan | Step::Cache | Step::Scheduler | Step::Reset => None,
        }
    }
}

impl Operation for Write {
    fn name(&self) -> String {
        format!("{:?}", self.step).to_lowercase()
    }

    fn prepare(&mut self) -> Result<()> {
        let card = &self.card;
        let driver = |file| Attribute::open(&Path::new(DRIVER).join(file));
        let disk_driver = |file| Attribute::open(&Path::new(DISK_DRIVER).join(file));
        self.ready = Some(match self.step {
            Step::Bind => {
                card.unbind()?;
                (driver("bind")?, card.address.clone())
            }
            Step::Unbind => {
                card.unit_is_there()?;
                (driver("unbind")?, card.address.clone())
            }
            Step::Scan => {
                card.bind()?;
                card.forget()?;
                (card.scan_file()?, "- - -".to_owned())
            }
            Step::Delete => (card.unit_is_there()?.delete_file()?, "1".to_owned()),
            Step::Attach => {
                let unit = card.unit_is_there()?;
                unit.attach(false)?;
                (disk_driver("bind")?, unit.name)
            }
            Step::Detach => {
                let unit = card.unit_is_there()?;
                unit.attach(true)?;
                (disk_driver("unbind")?, unit.name)
            }
            Step::Rescan => {
                let unit = card.unit_is_there()?;
                unit.attach(true)?;
                let file = Attribute::open(&unit.folder.join("rescan"))?;
                (file, "1".to_owned())
            }
            Step::Cache => {
                let unit = card.unit_is_there()?;
                unit.attach(true)?;
                let file = unit
                    .folder
                    .join(format!("scsi_disk/{}/cache_type", unit.name));
                (Attribute::open(&file)?, "write back".to_owned())
            }
            Step::Scheduler => {
                let unit = card.unit_is_there()?;
                unit.attach(true)?;
                let disk = unit.entry("block").context("there is no disk")?;
                let file = Attribute::open(&disk.join("queue/scheduler"))?;
                file.write("none")?;
                (file, "mq-deadline".to_owned())
            }
            Step::Reset => {
                card.unit_is_there()?;
                (Attribute::open(&card.folder.join("reset"))?, "1".to_owned())
            }
        });
        Ok(())
    }

    fn act(&mut self) -> Outcome {
        let (file, text) = self.ready.as_ref().ok_or(Errno::INVAL)?;
        Ok(file.write(text)?)
    }

    fn judge(&mut self, outcome: &Outcome) -> Result<()> {
        self.ready = None;
        // The disk driver may have come in the background, and be busy.
        let is_busy = *outcome == Err(Errno::BUSY.into());
        let is_done = self.is_done();
        ensure!(
            is_busy || is_done.is_none_or(|is_done| is_done == outcome.is_ok()),
            "sysfs says otherwise"
        );
        Ok(())
    }
}
