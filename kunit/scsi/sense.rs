// SPDX-License-Identifier: GPL-2.0

//! Sense data that the host makes.

#[kernel::prelude::kunit_tests(rust_scsi_sense)]
mod tests {
    use super::super::super::{
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
}
