// SPDX-License-Identifier: GPL-2.0

//! Sense data: those that the host makes, and what those of a device mean.

#[kernel::prelude::kunit_tests(rust_scsi_sense)]
mod tests {
    use super::super::super::{
        sense::SenseEvent,
        Sense,
        SenseKey, //
    };

    /// Without additional bytes.
    const LEN: usize = 18;

    /// Fixed format (SPC-4, 4.5.3): response code, sense key, additional length, ASC and ASCQ.
    #[test]
    fn of_the_host() {
        for (asc, ascq) in [(0x20, 0x00), (0x24, 0x00), (0xff, 0xfe)] {
            let sense = Sense::new(SenseKey::IllegalRequest, asc, ascq);
            let mut expected = [0; LEN];
            expected[0] = 0x70;
            expected[2] = 0x05;
            expected[7] = 10;
            expected[12] = asc;
            expected[13] = ascq;
            assert_eq!(sense.as_bytes(), &expected);
        }
    }

    /// What of all sense data leads to a rescan.
    #[test]
    fn events() {
        let changed = [
            (0x6, 0x2a, 0x09),
            (0x6, 0x3f, 0x03),
            (0x6, 0x3f, 0x05),
            (0x6, 0x3f, 0x0e),
        ];
        for key in 0..16 {
            for code in 0..=u16::MAX {
                let [asc, ascq] = code.to_be_bytes();
                let mut bytes = [0; LEN];
                bytes[0] = 0x70;
                // The bits above the key are others' (file mark and the like).
                bytes[2] = 0xe0 | key;
                bytes[12] = asc;
                bytes[13] = ascq;
                let expected = match (key, asc, ascq) {
                    (0x5, 0x25, 0x00) => Some(SenseEvent::NotThere),
                    told if changed.contains(&told) => Some(SenseEvent::Changed),
                    _ => None,
                };
                assert_eq!(SenseEvent::of_sense(&bytes), expected);
            }
        }
    }

    /// Deferred errors, another format, and sense data that end too early.
    #[test]
    fn no_events() {
        let mut bytes = [0; LEN];
        bytes[2] = 0x06;
        bytes[12] = 0x3f;
        bytes[13] = 0x0e;
        for code in (0..=u8::MAX).filter(|code| code & 0x7f != 0x70) {
            bytes[0] = code;
            assert_eq!(SenseEvent::of_sense(&bytes), None);
        }
        bytes[0] = 0xf0;
        for len in 0..LEN {
            let told = SenseEvent::of_sense(&bytes[..len]);
            assert_eq!(told.is_some(), len > 13);
        }
    }
}
