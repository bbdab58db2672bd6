// SPDX-License-Identifier: GPL-2.0

//! What leads to a rescan.

#[kernel::prelude::kunit_tests(apple_raid_rescan)]
mod tests {
    use crate::rescan::SenseEvent;

    /// Sense data in fixed format, without additional bytes.
    const LEN: usize = 18;

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
