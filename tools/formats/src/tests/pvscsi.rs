// SPDX-License-Identifier: GPL-2.0

//! Descriptors of pvscsi_rust against the layouts of drivers/scsi/vmw_pvscsi.h: offsets of the
//! packed structures there.

use crate::pvscsi::{Completion, Message, Request, element, flag};

#[test]
fn a_request_lies_as_the_header_has_it() {
    let bytes = Request {
        context: 0x0102_0304,
        flags: flag::TO_HOST | flag::WITH_LIST,
        data: 0x1112_1314_1516_1718,
        data_len: 0x2122_2324,
        sense: 0x3132_3334_3536_3738,
        sense_len: 96,
        cdb: &[0x28, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        target: 63,
        lun: 7,
    }
    .to_bytes();
    assert_eq!(bytes[..8], [4, 3, 2, 1, 0, 0, 0, 0]);
    assert_eq!(bytes[8..16], 0x1112_1314_1516_1718_u64.to_le_bytes());
    assert_eq!(bytes[16..24], [0x24, 0x23, 0x22, 0x21, 0, 0, 0, 0]);
    assert_eq!(bytes[24..32], 0x3132_3334_3536_3738_u64.to_le_bytes());
    assert_eq!(bytes[32..40], [96, 0, 0, 0, 1 << 3 | 1, 0, 0, 0]);
    assert_eq!(
        bytes[40..57],
        [0x28, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 0, 0, 0, 0, 0, 10]
    );
    // LUN, tag, bus, target, hint, unused.
    assert_eq!(bytes[57..70], [0, 7, 0, 0, 0, 0, 0, 0, 0x20, 0, 63, 0, 0]);
    assert_eq!(bytes[70..], [0; 58]);
}

#[test]
fn an_element_has_its_length_behind_its_address() {
    assert_eq!(
        element(0x1_0000_2000, 0xffff_f000),
        [0x1_0000_2000, 0xffff_f000]
    );
}

#[test]
fn what_the_device_says_is_read_as_the_header_has_it() {
    let mut bytes = [0xee; 32];
    bytes[..24].copy_from_slice(&[
        4, 3, 2, 1, 8, 7, 6, 5, // context
        0x14, 0x13, 0x12, 0x11, 0, 0, 0, 0, // dataLen
        18, 0, 0, 0, // senseLen
        0x26, 0, 2, 1, // hostStatus, scsiStatus
    ]);
    let completion = Completion::from_bytes(&bytes);
    assert_eq!(completion.context, 0x0506_0708_0102_0304);
    assert_eq!(completion.data_len, 0x1112_1314);
    assert_eq!(completion.sense_len, 18);
    assert_eq!(completion.host_status, 0x26);
    assert_eq!(completion.scsi_status, 0x102);

    let mut bytes = [0; 128];
    bytes[8] = 5;
    assert_eq!(Message::from_bytes(&bytes), Message::Added { target: 5 });
    bytes[0] = 1;
    assert_eq!(Message::from_bytes(&bytes), Message::Removed { target: 5 });
    bytes[0] = 2;
    assert_eq!(Message::from_bytes(&bytes), Message::Unknown(2));
}
