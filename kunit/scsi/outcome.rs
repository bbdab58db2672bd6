// SPDX-License-Identifier: GPL-2.0

//! How the end of a command looks to the midlayer.

#[kernel::prelude::kunit_tests(rust_scsi_outcome)]
mod tests {
    use super::super::super::{
        HostByte,
        Outcome,
        Status, //
    };

    #[test]
    fn status_is_the_lowest_byte() {
        for status in 0..=u8::MAX {
            let outcome = Outcome::status(Status(status));
            assert_eq!(outcome.result(), i32::from(status));
            assert_eq!(outcome.residual(), 0);
        }
        assert_eq!(Outcome::status(Status::GOOD).result(), 0);
        assert_eq!(Outcome::status(Status::CHECK_CONDITION).result(), 0x02);
    }

    /// `DID_NO_CONNECT`, `DID_ERROR` and `DID_RESET` are 1, 7 and 8, in the third byte.
    #[test]
    fn host_is_the_third_byte() {
        assert_eq!(Outcome::host(HostByte::Ok).result(), 0);
        assert_eq!(Outcome::host(HostByte::NoConnect).result(), 0x0001_0000);
        assert_eq!(Outcome::host(HostByte::Error).result(), 0x0007_0000);
        assert_eq!(Outcome::host(HostByte::Reset).result(), 0x0008_0000);
    }

    #[test]
    fn residual_is_kept() {
        for bytes in [0, 1, 512, u32::MAX] {
            let outcome = Outcome::status(Status::BUSY).with_residual(bytes);
            assert_eq!(outcome.residual(), bytes);
            assert_eq!(outcome.result(), 0x08);
        }
    }

    /// SAM-5, table 39.
    #[test]
    fn known_status_codes() {
        let known = [0x00, 0x02, 0x04, 0x08, 0x18, 0x28, 0x30, 0x40];
        for status in 0..=u8::MAX {
            assert_eq!(Status(status).is_known(), known.contains(&status));
        }
    }
}
