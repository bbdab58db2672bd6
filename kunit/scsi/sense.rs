// SPDX-License-Identifier: GPL-2.0

//! Sense data, of a device and of the host.

#[kernel::prelude::kunit_tests(rust_scsi_sense)]
mod tests {
    use super::super::super::{
        sense::News,
        Sense,
        SenseKey, //
    };

    /// Bytes that differ from each other, and from zero.
    const BYTES: [u8; 255] = {
        let mut bytes = [0; 255];
        let mut n = 0;
        while n < bytes.len() {
            bytes[n] = n as u8 + 1;
            n += 1;
        }
        bytes
    };

    #[test]
    fn of_every_length() {
        for len in 0..=BYTES.len() {
            let sense = Sense::from_device(&BYTES[..len]);
            assert_eq!(sense.as_bytes(), &BYTES[..len.min(18)]);
        }
    }

    /// What there is of it is what counts, not what might follow.
    #[test]
    fn lengths_differ() {
        let zeros = [0; 18];
        for len in 0..18 {
            let short = Sense::from_device(&zeros[..len]);
            assert!(short != Sense::from_device(&zeros[..len + 1]));
        }
    }

    /// REPORTED LUNS DATA HAS CHANGED, as the card of a macOS trace gave it.
    #[test]
    fn of_a_device() {
        let bytes = [
            0x70, 0x00, 0x06, 0x00, 0x00, 0x00, 0x00, 0x0a, 0x00, //
            0x00, 0x00, 0x00, 0x3f, 0x0e, 0x00, 0x00, 0x00, 0x00,
        ];
        assert_eq!(Sense::from_device(&bytes).as_bytes(), &bytes);
    }

    /// Fixed format (SPC-4, 4.5.3): response code, sense key, additional length, ASC and ASCQ.
    #[test]
    fn of_the_host() {
        for (asc, ascq) in [(0x20, 0x00), (0x24, 0x00), (0xff, 0xfe)] {
            let sense = Sense::new(SenseKey::IllegalRequest, asc, ascq);
            let mut expected = [0; Sense::LEN];
            expected[0] = 0x70;
            expected[2] = 0x05;
            expected[7] = 10;
            expected[12] = asc;
            expected[13] = ascq;
            assert_eq!(sense.as_bytes(), &expected);
            assert_eq!(Sense::from_device(&expected), sense);
        }
    }

    /// What of all sense data leads to a rescan.
    #[test]
    fn news() {
        let changed = [
            (0x6, 0x2a, 0x09),
            (0x6, 0x3f, 0x03),
            (0x6, 0x3f, 0x05),
            (0x6, 0x3f, 0x0e),
        ];
        for key in 0..16 {
            for code in 0..=u16::MAX {
                let [asc, ascq] = code.to_be_bytes();
                let mut bytes = [0; Sense::LEN];
                bytes[0] = 0x70;
                // The bits above the key are others' (file mark and the like).
                bytes[2] = 0xe0 | key;
                bytes[12] = asc;
                bytes[13] = ascq;
                let expected = match (key, asc, ascq) {
                    (0x5, 0x25, 0x00) => Some(News::NotThere),
                    told if changed.contains(&told) => Some(News::Changed),
                    _ => None,
                };
                assert_eq!(Sense::from_device(&bytes).news(), expected);
            }
        }
    }

    /// Deferred errors, another format, and sense data that end too early.
    #[test]
    fn no_news() {
        let mut bytes = [0; Sense::LEN];
        bytes[2] = 0x06;
        bytes[12] = 0x3f;
        bytes[13] = 0x0e;
        for code in (0..=u8::MAX).filter(|code| code & 0x7f != 0x70) {
            bytes[0] = code;
            assert_eq!(Sense::from_device(&bytes).news(), None);
        }
        bytes[0] = 0xf0;
        for len in 0..Sense::LEN {
            let told = Sense::from_device(&bytes[..len]).news();
            assert_eq!(told.is_some(), len > 13);
        }
    }
}
