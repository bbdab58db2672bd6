// SPDX-License-Identifier: GPL-2.0

//! Commands that a driver itself sends to a logical unit.

use crate::bindings;
use kernel::{
    prelude::*,
    time::{
        msecs_to_jiffies,
        Msecs, //
    },
};

use super::{
    Device,
    Operations,
    Status, //
};

/// How often the midlayer tries again what failed on the way to the unit or back. A command that
/// timed out and was aborted is not tried again, nor is one that ended with sense data, but for
/// [`ATTENTIONS`].
const RETRIES: i32 = 1;

/// How many unit attention conditions a unit may report before it answers. They should not come in
/// answer to INQUIRY, but `scsi_probe_lun()` knows of units that do it.
const ATTENTIONS: i8 = 3;

/// Why a command that a driver sent did not succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExecuteError {
    /// The unit says so: sense key, additional sense code and qualifier.
    Sense(u8, u8, u8),
    /// There is no answer of the unit, or none that says why.
    Failed,
}

impl<T: Operations> Device<T> {
    /// Sends a command that reads data, and waits for its end. Returns how many bytes came. For
    /// process context, and not for callbacks.
    ///
    /// Unit attention conditions are passed over: the command is tried again. The data come through
    /// memory that is allocated here, since a device cannot reach all memory: not that of a static.
    pub fn execute_in(
        &self,
        cdb: &[u8],
        data: &mut [u8],
        timeout: Msecs,
    ) -> Result<usize, ExecuteError> {
        let mut bytes = [0; 16];
        let place = bytes.get_mut(..cdb.len()).ok_or(ExecuteError::Failed)?;
        place.copy_from_slice(cdb);
        let len = u32::try_from(data.len()).map_err(|_| ExecuteError::Failed)?;
        let mut buffer =
            KVec::from_elem(0u8, data.len(), GFP_KERNEL).map_err(|_| ExecuteError::Failed)?;
        let mut sense = bindings::scsi_sense_hdr::default();
        let mut resid = 0;
        let mut attentions = [
            bindings::scsi_failure {
                result: Status::CHECK_CONDITION.0.into(),
                sense: bindings::UNIT_ATTENTION as u8,
                asc: bindings::SCMD_FAILURE_ASC_ANY as u8,
                ascq: bindings::SCMD_FAILURE_ASCQ_ANY as u8,
                allowed: ATTENTIONS,
                retries: 0,
            },
            // The end.
            pin_init::zeroed(),
        ];
        let mut failures = bindings::scsi_failures {
            failure_definitions: attentions.as_mut_ptr(),
            ..pin_init::zeroed()
        };
        let args = bindings::scsi_exec_args {
            sshdr: &mut sense,
            resid: &mut resid,
            failures: &mut failures,
            ..pin_init::zeroed()
        };
        // SAFETY: By the type invariant the device is valid. The CDB has the 16 bytes that the
        // midlayer copies of any, and the buffer, by `kmalloc()`, is as long as is said. `args` and
        // what it points to outlive the call; the failures end with one that is zero.
        let result = unsafe {
            bindings::scsi_execute_cmd(
                self.as_raw(),
                bytes.as_ptr(),
                bindings::req_op_REQ_OP_DRV_IN,
                buffer.as_mut_ptr().cast(),
                len,
                // CAST: A timeout is a number of jiffies that fits.
                msecs_to_jiffies(timeout) as i32,
                RETRIES,
                &args,
            )
        };
        if result == 0 {
            data.copy_from_slice(&buffer);
            return Ok(data
                .len()
                .saturating_sub(usize::try_from(resid).unwrap_or(0)));
        }
        // Current sense data, in either format.
        let is_valid = result == Status::CHECK_CONDITION.0.into()
            && matches!(sense.response_code, 0x70 | 0x72);
        Err(if is_valid {
            ExecuteError::Sense(sense.sense_key, sense.asc, sense.ascq)
        } else {
            ExecuteError::Failed
        })
    }
}
