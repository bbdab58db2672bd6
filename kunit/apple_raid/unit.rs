// SPDX-License-Identifier: GPL-2.0

//! Whether a logical unit is the one that was found.

#[kernel::prelude::kunit_tests(apple_raid_unit)]
mod tests {
    use crate::unit::{
        digest,
        Verdict,
        INQUIRY_LEN, //
    };
    use kernel::prelude::*;

    /// INQUIRY data of 36 bytes, in the format of all standards since SPC.
    fn inquiry_data(kind: u8) -> [u8; INQUIRY_LEN] {
        let mut data = [0; INQUIRY_LEN];
        data[0] = kind;
        data[3] = 0x12;
        data[4] = 31;
        data
    }

    /// Peripheral qualifier in the upper three bits, device type in the others.
    #[test]
    fn kinds() {
        for found in [0x00, 0x05, 0x20] {
            for now in 0..=u8::MAX {
                let expected = match (found, now) {
                    _ if now == found => Verdict::Same,
                    // Qualifier 3.
                    (_, 0x60..=0x7f) => Verdict::Gone,
                    // No device type.
                    (_, 0x1f) => Verdict::Unclear,
                    (_, 0x00..=0x1e) => Verdict::Gone,
                    // No driver has it, so that it can go.
                    (0x20, 0x21..=0x3f) => Verdict::Gone,
                    _ => Verdict::Unclear,
                };
                assert_eq!(Verdict::of(found, &inquiry_data(now)), expected);
            }
        }
    }

    /// Nothing is taken away because of data that are none.
    #[test]
    fn data_that_make_no_sense() {
        let data = inquiry_data(0x7f);
        assert_eq!(Verdict::of(0x00, &data), Verdict::Gone);
        let wrong_format = (0..16).filter(|format| *format != 2);
        for format in wrong_format {
            let mut data = data;
            data[3] = format;
            assert_eq!(Verdict::of(0x00, &data), Verdict::Unclear);
        }
        for additional in 0..31 {
            let mut data = data;
            data[4] = additional;
            assert_eq!(Verdict::of(0x00, &data), Verdict::Unclear);
        }
        assert_eq!(Verdict::of(0x00, &[0xff; INQUIRY_LEN]), Verdict::Unclear);
        assert_eq!(Verdict::of(0x05, &[0; INQUIRY_LEN]), Verdict::Unclear);
    }

    /// A device identification page with these designators: code set, protocol and association and
    /// type, bytes.
    fn page(designators: &[(u8, u8, &[u8])]) -> Result<KVec<u8>> {
        let mut page = KVec::new();
        page.extend_from_slice(&[0x00, 0x83, 0, 0], GFP_KERNEL)?;
        for (code_set, kind, bytes) in designators {
            // CAST: Short.
            page.extend_from_slice(&[*code_set, *kind, 0, bytes.len() as u8], GFP_KERNEL)?;
            page.extend_from_slice(bytes, GFP_KERNEL)?;
        }
        // CAST: Below 256.
        page[3] = page.len() as u8 - 4;
        Ok(page)
    }

    const NAA: (u8, u8, &[u8]) = (1, 3, &[0x30, 1, 2, 3, 4, 5, 6, 7]);
    const OTHER_NAA: (u8, u8, &[u8]) = (1, 3, &[0x30, 1, 2, 3, 4, 5, 6, 8]);

    /// EUI-64, NAA and SCSI names of the logical unit tell two units apart.
    #[test]
    fn names_differ() -> Result {
        let naa = digest(&page(&[NAA])?);
        assert!(naa != 0);
        let mut names = KVec::new();
        for designator in [
            NAA,
            OTHER_NAA,
            (1, 2, NAA.2),
            (3, 8, &b"eui.0102030405060708"[..]),
            // Of another length.
            (1, 3, &NAA.2[..7]),
        ] {
            let name = digest(&page(&[designator])?);
            assert!(name != 0 && !names.contains(&name));
            names.push(name, GFP_KERNEL)?;
        }
        Ok(())
    }

    /// Others do not: vendor, relative port, vendor specific; and those of the port or the target.
    #[test]
    fn names_that_are_none() -> Result {
        let naa = digest(&page(&[NAA])?);
        for kind in 0..=u8::MAX {
            let is_name = kind & 0x30 == 0 && matches!(kind & 0xf, 2 | 3 | 8);
            let designator = (1, kind, OTHER_NAA.2);
            let alone = digest(&page(&[designator])?);
            let with_another = digest(&page(&[NAA, designator])?);
            let found = (alone != 0, with_another != naa);
            assert_eq!(found, (is_name, is_name));
        }
        Ok(())
    }

    /// Neither the header, in which is the peripheral qualifier, nor reserved bits are a name.
    #[test]
    fn names_are_without_header() -> Result {
        let name = digest(&page(&[NAA])?);
        let mut other = page(&[(0x51, 0x83, NAA.2)])?;
        other[0] = 0x20;
        assert_eq!(digest(&other), name);
        Ok(())
    }

    /// What ends too early, at any place, has no name, or that of what came whole.
    #[test]
    fn names_that_are_cut() -> Result {
        let whole = page(&[NAA, OTHER_NAA])?;
        let first = digest(&page(&[NAA])?);
        for len in 0..whole.len() {
            let expected = if len < 4 + 12 { 0 } else { first };
            assert_eq!(digest(&whole[..len]), expected);
        }
        assert_eq!(digest(&[0xff; 300]), 0);
        Ok(())
    }
}
