// SPDX-License-Identifier: GPL-2.0

//! Whether a logical unit is the one that was found.

#[kernel::prelude::kunit_tests(rust_scsi_unit)]
mod tests {
    use super::super::super::unit::{
        Names,
        Verdict,
        INQUIRY_LEN, //
    };

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

    const ONE: &[u8] = &[0x00, 0x83, 0x00, 0x02, 0x11, 0x22];
    const OTHER: &[u8] = &[0x00, 0x83, 0x00, 0x02, 0x11, 0x23];
    const NONE: &[u8] = &[];
    /// Less than a header.
    const SHORT: &[u8] = &[0x00, 0x83, 0x00];

    /// Each of the pages tells two units apart.
    #[test]
    fn names_differ() {
        let names = Names::of([ONE, ONE]);
        assert!(!names.differ(names));
        for other in [[OTHER, ONE], [ONE, OTHER], [OTHER, NONE], [NONE, OTHER]] {
            assert!(names.differ(Names::of(other)));
            assert!(Names::of(other).differ(names));
        }
        // Another length, too.
        assert!(names.differ(Names::of([&ONE[..5], ONE])));
    }

    /// What is not known is not another name.
    #[test]
    fn names_that_are_not_known() {
        let names = Names::of([ONE, OTHER]);
        for unknown in [[NONE, NONE], [ONE, NONE], [NONE, OTHER], [SHORT, OTHER]] {
            assert!(!names.differ(Names::of(unknown)));
            assert!(!Names::of(unknown).differ(names));
        }
        assert!(!Names::of([ONE, NONE]).differ(Names::of([NONE, OTHER])));
    }

    /// The header has the peripheral qualifier, which is no name.
    #[test]
    fn names_are_without_header() {
        let not_connected = [0x20, 0x83, 0x00, 0x02, 0x11, 0x22];
        assert_eq!(Names::of([ONE, ONE]), Names::of([&not_connected, ONE]));
    }

    /// The first name that is known is kept.
    #[test]
    fn names_are_remembered() {
        let nothing = Names::of([NONE, NONE]);
        assert_eq!(nothing.or(Names::of([ONE, OTHER])), Names::of([ONE, OTHER]));
        assert_eq!(Names::of([ONE, OTHER]).or(nothing), Names::of([ONE, OTHER]));
        let names = Names::of([ONE, NONE]).or(Names::of([OTHER, OTHER]));
        assert_eq!(names, Names::of([ONE, OTHER]));
    }
}
