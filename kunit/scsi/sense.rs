// SPDX-License-Identifier: GPL-2.0

//! Sense data, of a device and of the host.

#[kernel::prelude::kunit_tests(rust_scsi_sense)]
mod tests {
    use super::super::super::{
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
}
