// SPDX-License-Identifier: GPL-2.0

//! Values that do not outlive the binding of a device to its driver, even if they are forgotten.
//!
//! What a driver registers refers to what it got for the time in which its device is bound. Such a
//! registration has to be undone before that ends, and safe code can forget any value. So the
//! driver core (devres) drops it then, if its owner has not.

use crate::bindings;
use core::{
    marker::PhantomData,
    ptr::NonNull, //
};
use kernel::{
    device::{
        Bound,
        Device, //
    },
    error::to_result,
    ffi::c_void,
    prelude::*, //
};

/// A value that is dropped with this, or else by the driver core when the device is unbound.
///
/// # Invariants
///
/// `value` is a box that the devres action `release` of `dev` frees, unless `drop` takes that
/// action back.
pub(super) struct Managed<'bound, T> {
    dev: &'bound Device<Bound>,
    value: NonNull<T>,
    /// Compared by devres: one function can have several addresses.
    release: unsafe extern "C" fn(*mut c_void),
    _value: PhantomData<T>,
}

// SAFETY: This owns a `T`; the list of devres actions has a lock.
unsafe impl<T: Send> Send for Managed<'_, T> {}

// SAFETY: A shared reference gives access to a shared reference to a `T` only.
unsafe impl<T: Sync> Sync for Managed<'_, T> {}

impl<'bound, T: Send + 'bound> Managed<'bound, T> {
    /// Takes charge of a value.
    ///
    /// # Errors
    ///
    /// `ENOMEM`; the value is dropped then.
    pub(super) fn new(dev: &'bound Device<Bound>, value: T) -> Result<Self> {
        let value = KBox::into_raw(KBox::new(value, GFP_KERNEL)?);
        let release = Self::release;
        // SAFETY: The device is bound, and the action is called before that ends. It takes a box.
        let added = to_result(unsafe {
            bindings::__devm_add_action(
                raw(dev),
                Some(release),
                value.cast(),
                c"scsi".as_char_ptr(),
            )
        });
        if let Err(error) = added {
            // SAFETY: The box was made above, and nobody else has it.
            drop(unsafe { KBox::from_raw(value) });
            return Err(error);
        }
        // INVARIANT: The action was added.
        Ok(Self {
            dev,
            // SAFETY: A box is never null.
            value: unsafe { NonNull::new_unchecked(value) },
            release,
            _value: PhantomData,
        })
    }

    /// Leaves the value to the driver core.
    pub(super) fn leave(self) {
        core::mem::forget(self);
    }

    /// # Safety
    ///
    /// Called once, with a box of a `T`, while the device is bound.
    unsafe extern "C" fn release(value: *mut c_void) {
        // SAFETY: By the safety requirement.
        drop(unsafe { KBox::from_raw(value.cast::<T>()) });
    }
}

fn raw(dev: &Device<Bound>) -> *mut bindings::device {
    core::ptr::from_ref(dev).cast_mut().cast()
}

impl<T> Drop for Managed<'_, T> {
    fn drop(&mut self) {
        let value = self.value.as_ptr();
        // SAFETY: The device is bound for `'bound`.
        let removed = to_result(unsafe {
            bindings::devm_remove_action_nowarn(raw(self.dev), Some(self.release), value.cast())
        });
        if removed.is_ok() {
            // SAFETY: By the type invariant this is a box, which nobody else frees any more.
            drop(unsafe { KBox::from_raw(value) });
        }
    }
}

impl<T> core::ops::Deref for Managed<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: By the type invariant the box is there as long as this is.
        unsafe { self.value.as_ref() }
    }
}
