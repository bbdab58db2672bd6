// SPDX-License-Identifier: GPL-2.0

//! The lines of a trace: QEMU's vfio events as its simpletrace.py prints them.
//!
//! An event's name, the time since the last one, and then KEY=VALUE, of which a value may
//! have blanks in it. Whatever is no event of vfio's is passed over.

use super::ReplayError;
use std::collections::BTreeSet;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The host read BAR0.
    Read(Access),
    /// The host wrote BAR0.
    Write(Access),
    /// The host read configuration space.
    ReadConfig(Access),
    /// The host wrote configuration space.
    WriteConfig(Access),
    /// The card sent its MSI.
    Msi,
    /// Something that the model has no part in.
    Other,
}

/// One access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// Where.
    pub at: u32,
    /// How many bytes: 1, 2, 4 or 8.
    pub size: usize,
    /// What, as a little-endian host sees it.
    pub value: u64,
}

impl Access {
    /// The bytes in the order of their addresses.
    pub fn bytes(&self) -> Vec<u8> {
        self.value.to_le_bytes()[..self.size].to_vec()
    }
}

/// A line of the trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its number in the file, from 1.
    pub number: usize,
    /// All of it.
    pub text: String,
    /// What it tells.
    pub event: Event,
}

/// The events of one device.
pub fn parse(text: &str, device: Option<&str>) -> Result<Vec<Line>, ReplayError> {
    let mut lines = Vec::new();
    let mut devices = BTreeSet::new();
    for (number, text) in (1..).zip(text.lines()) {
        let Some(fields) = Fields::of(text) else {
            continue;
        };
        let name = fields.device();
        if device.is_some_and(|wanted| name.as_deref() != Some(wanted)) {
            continue;
        }
        devices.extend(name);
        let bad = |what| ReplayError::Line { number, what };
        let event = event(&fields).map_err(bad)?;
        let text = text.trim().to_owned();
        lines.push(Line {
            number,
            text,
            event,
        });
    }
    if devices.len() > 1 {
        let names: Vec<_> = devices.into_iter().collect();
        return Err(ReplayError::Devices(names.join(", ")));
    }
    match lines.iter().all(|line| line.event == Event::Other) {
        true => Err(ReplayError::NoTrace),
        false => Ok(lines),
    }
}

/// An event's name, and its fields.
struct Fields<'a> {
    name: &'a str,
    fields: Vec<(&'a str, String)>,
}

impl<'a> Fields<'a> {
    fn of(line: &'a str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let name = words.next().filter(|word| word.starts_with("vfio_"))?;
        let mut fields: Vec<(&str, String)> = Vec::new();
        for word in words {
            match (word.split_once('='), fields.last_mut()) {
                (Some((key, value)), _) => fields.push((key, value.to_owned())),
                (None, Some((_, value))) => value.push_str(word),
                (None, None) => {}
            }
        }
        Some(Fields { name, fields })
    }

    fn get(&self, key: &str) -> Result<&str, String> {
        let found = self.fields.iter().find(|(name, _)| *name == key);
        let missing = || format!("{} without {key}=", self.name);
        found.map(|(_, value)| value.as_str()).ok_or_else(missing)
    }

    fn number(&self, key: &str) -> Result<u64, String> {
        let value = self.get(key)?;
        let digits = value.strip_prefix("0x").unwrap_or(value);
        u64::from_str_radix(digits, 16).map_err(|_| format!("{key}={value} is no number"))
    }

    fn access(&self, size: &str, value: &str) -> Result<Access, String> {
        let at = self.number("addr")?;
        let at = u32::try_from(at).map_err(|_| format!("addr={at:#x} is beyond all regions"))?;
        let size = match self.number(size)? {
            size @ (1 | 2 | 4 | 8) => size as usize,
            other => return Err(format!("an access of {other} bytes")),
        };
        let value = self.number(value)?;
        // A configuration value is a signed int to QEMU.
        let value = value & (u64::MAX >> (64 - 8 * size));
        Ok(Access { at, size, value })
    }

    /// The device's name, which Python prints as bytes.
    fn device(&self) -> Option<String> {
        let name = self.get("name").ok()?;
        let name = name.strip_prefix('b').unwrap_or(name);
        Some(name.trim_matches(['\'', '"']).to_owned())
    }
}

fn event(fields: &Fields<'_>) -> Result<Event, String> {
    Ok(match fields.name {
        "vfio_region_read" if fields.number("index")? == 0 => {
            Event::Read(fields.access("size", "data")?)
        }
        "vfio_region_write" if fields.number("index")? == 0 => {
            Event::Write(fields.access("size", "data")?)
        }
        "vfio_pci_read_config" => Event::ReadConfig(fields.access("len", "val")?),
        "vfio_pci_write_config" => Event::WriteConfig(fields.access("len", "val")?),
        "vfio_msi_interrupt" => Event::Msi,
        _ => Event::Other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: &str = "vfio_region_read 22.7 pid=1 name=b'0000:01:00.0' index=0x0 addr=0x58 \
        size=0x8 data=0x01 00 01 00 00 00 01 00";

    #[test]
    fn lines() {
        let text = format!("-trace events=x\n{READ}\n... (more) ...\nvfio_reset 1.0\n");
        let lines = parse(&text, None).unwrap();
        let access = Access {
            at: 0x58,
            size: 8,
            value: 0x0100_0100_0000_0100,
        };
        assert_eq!((lines[0].number, lines[0].event), (2, Event::Read(access)));
        assert_eq!(access.bytes(), [0, 1, 0, 0, 0, 1, 0, 1]);
        assert_eq!(lines[1].event, Event::Other);
        let config = "vfio_pci_write_config 1 addr=0x4 val=0xffffffffffff0006 len=0x2";
        let access = Access {
            at: 4,
            size: 2,
            value: 6,
        };
        assert_eq!(
            parse(config, None).unwrap()[0].event,
            Event::WriteConfig(access)
        );
    }

    #[test]
    fn lines_that_cannot_be_read() {
        let error = |text: &str| parse(text, None).unwrap_err().to_string();
        assert!(error("hello\n").contains("no event"));
        assert!(
            error(&READ.replace("addr=0x58", ""))
                .contains("line 1: vfio_region_read without addr=")
        );
        assert!(error(&READ.replace("0x01 00", "0x01 zz")).contains("is no number"));
        assert!(error(&READ.replace("size=0x8", "size=0x3")).contains("3 bytes"));
        let two = format!("{READ}\n{}", READ.replace("01:00", "02:00"));
        assert!(error(&two).contains("0000:01:00.0, 0000:02:00.0"));
        assert_eq!(parse(&two, Some("0000:02:00.0")).unwrap()[0].number, 2);
    }
}
