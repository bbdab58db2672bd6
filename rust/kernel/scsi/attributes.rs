// SPDX-License-Identifier: GPL-2.0

//! Attributes of a host in sysfs.
//!
//! A driver states them as a constant, `Operations::HOST_ATTRIBUTES`, with a function for each that
//! writes its value. What the C side wants to have, arrays that end with null and a callback for
//! all of them, is made of it here.

use crate::bindings;
use core::{
    marker::PhantomData,
    ptr::null, //
};
use kernel::{
    container_of,
    fmt,
    page::PAGE_SIZE,
    prelude::*,
    str::CStr, //
};

use super::{
    Host,
    Operations, //
};

/// Writes the value of an attribute.
type Show<T> = fn(&<T as Operations>::Data<'_>, &mut fmt::Formatter<'_>) -> fmt::Result;

/// An attribute of a host: a file in `/sys/class/scsi_host/hostN`, which anybody can read.
#[repr(C)]
pub struct Attribute<T: Operations> {
    attr: bindings::device_attribute,
    show: Show<T>,
}

impl<T: Operations> Attribute<T> {
    /// An attribute whose value `show` writes, without the newline at the end.
    ///
    /// `show` is called in process context, at any time between the adding and the removal of the
    /// host, also while its device is quiesced or was stopped.
    #[allow(
        clippy::disallowed_methods,
        reason = "`as_char_ptr` cannot be called in a constant"
    )]
    pub const fn new(name: &'static CStr, show: Show<T>) -> Self {
        let mut attr: bindings::device_attribute = pin_init::zeroed();
        attr.attr.name = name.as_ptr().cast();
        attr.attr.mode = 0o444;
        attr.__bindgen_anon_1.show_const = Some(HostAttributes::<T>::show);
        Self { attr, show }
    }
}

/// How many attributes there can be.
const MOST: usize = 31;

/// The attributes of the hosts of a driver.
pub struct HostAttributes<T: Operations>(&'static [Attribute<T>]);

impl<T: Operations> HostAttributes<T> {
    /// None.
    pub const NONE: Self = Self(&[]);

    /// These, at most 31.
    pub const fn new(attributes: &'static [Attribute<T>]) -> Self {
        assert!(attributes.len() <= MOST);
        Self(attributes)
    }

    /// The value of `scsi_host_template.shost_groups`, for the attributes of `T`.
    pub(super) const GROUPS: *const *const bindings::attribute_group = Groups::<T>::LIST.as_ptr();

    /// # Safety
    ///
    /// Called by sysfs only, with the device of a host of `T` that was added and is not removed, an
    /// [`Attribute`] of `T` and a page.
    unsafe extern "C" fn show(
        dev: *mut bindings::device,
        attr: *const bindings::device_attribute,
        page: *mut kernel::ffi::c_char,
    ) -> isize {
        // SAFETY: By the safety requirement this is where the device lies, and its driver's data
        // are there: removal waits until this has returned.
        let data = unsafe {
            let shost = container_of!(dev, bindings::Scsi_Host, shost_dev);
            Host::<T>::from_raw(shost).data()
        };
        // SAFETY: By the safety requirement. `attr` is the first field.
        let attribute = unsafe { &*attr.cast::<Attribute<T>>() };
        // SAFETY: By the safety requirement there is a page, which is ours. sysfs has cleared it,
        // and does not expect all of it to be used.
        let page = unsafe { core::slice::from_raw_parts_mut(page.cast::<u8>(), PAGE_SIZE - 1) };
        let value = Value(data, attribute.show);
        let mut out = Out { page, len: 0 };
        match fmt::Write::write_fmt(&mut out, fmt!("{}\n", value)) {
            // CAST: A page at most.
            Ok(()) => out.len as isize,
            Err(_) => EIO.to_errno() as isize,
        }
    }
}

/// The attributes of `T` as sysfs wants them.
struct Groups<T>(PhantomData<T>);

impl<T: Operations> Groups<T> {
    const ATTRIBUTES: [*const bindings::attribute; MOST + 1] = {
        let mut pointers = [null(); MOST + 1];
        let mut rest = T::HOST_ATTRIBUTES.0;
        let mut index = 0;
        while let [first, others @ ..] = rest {
            // `attr.attr` is the first field of the first field.
            pointers[index] = core::ptr::from_ref(first).cast();
            rest = others;
            index += 1;
        }
        pointers
    };

    const GROUP: bindings::attribute_group = {
        let mut group: bindings::attribute_group = pin_init::zeroed();
        group.__bindgen_anon_2.attrs_const = Self::ATTRIBUTES.as_ptr();
        group
    };

    const LIST: &'static [*const bindings::attribute_group] = &[&Self::GROUP, null()];
}

/// The value of an attribute, which `show` writes.
struct Value<'a, T: Operations>(&'a T::Data<'a>, Show<T>);

impl<T: Operations> fmt::Display for Value<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.1(self.0, f)
    }
}

/// What was written so far.
struct Out<'a> {
    page: &'a mut [u8],
    len: usize,
}

impl fmt::Write for Out<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.len + text.len();
        let room = self.page.get_mut(self.len..end).ok_or(fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}
