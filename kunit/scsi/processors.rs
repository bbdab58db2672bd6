// SPDX-License-Identifier: GPL-2.0

//! What can be tested only where two threads run at the same time.

use crate::bindings;

const WHY: &[u8] = b"needs two processors";

/// Whether there is one processor only. If so, the test that runs is marked as skipped, and should
/// return.
pub(super) fn too_few() -> bool {
    // SAFETY: The mask is a global, always there. It is only read.
    if unsafe { bindings::cpumask_weight((&raw mut bindings::__cpu_online_mask).cast()) } > 1 {
        return false;
    }
    // SAFETY: No requirements.
    let test = unsafe { bindings::kunit_get_current_test() };
    if !test.is_null() {
        // SAFETY: The test that runs is valid, and this is its thread. `kunit_mark_skipped` is a
        // macro; it does this. The comment was cleared before the test.
        unsafe {
            (*test).status = bindings::kunit_status_KUNIT_SKIPPED;
            let comment = &mut (*test).status_comment;
            for (to, from) in comment.iter_mut().zip(WHY) {
                *to = *from;
            }
        }
    }
    true
}
