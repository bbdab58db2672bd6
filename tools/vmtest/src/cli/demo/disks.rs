// SPDX-License-Identifier: GPL-2.0

//! Which nodes in /dev the card's volumes have. The letters may change from one
//! load of the driver to the next, so they are looked up by LUN.

/// The nodes of one volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disk {
    /// The block device, /dev/sdX.
    pub sd: String,
    /// The generic SCSI device, /dev/sgN.
    pub sg: String,
}

impl Disk {
    /// Finds LUN 0 and LUN 1 in what `lsscsi -g` has printed, and accepts no more and
    /// no less.
    pub fn find(lsscsi: &str) -> Result<[Self; 2], String> {
        let mut disks: Vec<(&str, Self)> = lsscsi.lines().filter_map(disk).collect();
        disks.sort_by_key(|(lun, _)| *lun);
        match disks.as_slice() {
            [("0", first), ("1", second)] => Ok([first.clone(), second.clone()]),
            found => Err(format!(
                "{} disks of Apple with nodes of their own, where LUN 0 and LUN 1 should be",
                found.len()
            )),
        }
    }
}

/// The LUN and the nodes in a line such as
/// `[0:0:0:1]    disk    Apple    RAID Card Vol    2210  /dev/sdb   /dev/sg1`.
fn disk(line: &str) -> Option<(&str, Disk)> {
    let (address, rest) = line.strip_prefix('[')?.split_once(']')?;
    let (_, lun) = address.rsplit_once(':')?;
    let words: Vec<&str> = rest.split_whitespace().collect();
    match words.as_slice() {
        ["disk", "Apple", .., sd, sg] if sd.starts_with("/dev/sd") && sg.starts_with("/dev/sg") => {
            let (sd, sg) = ((*sd).to_owned(), (*sg).to_owned());
            Some((lun, Disk { sd, sg }))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::Disk;

    const ZERO: &str =
        "[2:0:0:0]    disk    Apple    RAID Card Vol    2210  /dev/sdb   /dev/sg1 \n";
    const ONE: &str = "[2:0:0:1]    disk    Apple    RAID Card Vol    2210  /dev/sda   /dev/sg0 \n";

    #[test]
    fn nodes_go_by_lun() {
        let [first, second] = Disk::find(&format!("{ONE}{ZERO}")).unwrap();
        assert_eq!(
            (first.sd.as_str(), first.sg.as_str()),
            ("/dev/sdb", "/dev/sg1")
        );
        assert_eq!(second.sd, "/dev/sda");
    }

    #[test]
    fn a_disk_too_few_or_without_a_node_is_refused() {
        assert!(Disk::find("").is_err());
        assert!(Disk::find(ZERO).is_err());
        assert!(Disk::find(&format!("{ZERO}{ONE}{ONE}")).is_err());
        let bare = ONE.replace("/dev/sda", "-");
        assert!(Disk::find(&format!("{ZERO}{bare}")).is_err());
        assert!(Disk::find(&format!("{ZERO}{}", ONE.replace("Apple", "QEMU"))).is_err());
    }
}
