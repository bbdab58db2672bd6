// SPDX-License-Identifier: GPL-2.0

//! `kernel::pci` as it is with the patches of `tools/series/patches`, for a kernel without them.
//!
//! [`Driver`] is the patched trait. Its [`Adapter`] sets what the kernel's own does not know of in
//! `struct pci_driver`, and leaves the rest to that of a [`Bridge`].

use crate::bindings;
use core::{
    marker::PhantomData,
    mem::offset_of,
    ptr::null, //
};
use kernel::{
    device,
    driver,
    error::to_result,
    prelude::*,
    str::CStr,
    types::Opaque,
    ThisModule, //
};

pub(crate) use self::{
    error_handlers::{
        ChannelState,
        ErrorHandlerOps,
        ErrorHandlers,
        ErsResult, //
    },
    power::{
        PmOps,
        PowerManagement, //
    },
};
pub(crate) use kernel::pci::*;

#[path = "../kernel/pci/error_handlers.rs"]
mod error_handlers;
#[path = "../kernel/pci/power.rs"]
mod power;

/// The patched `kernel::pci::Driver`, which has the documentation.
pub trait Driver: Sized + 'static {
    type IdInfo: 'static;
    type Data<'bound>: Send + 'bound;

    const ID_TABLE: IdTable<Self::IdInfo>;
    const PROBE_ASYNC: bool = false;
    const PM_OPS: Option<&'static PmOps<Self>> = None;
    const ERROR_HANDLERS: Option<&'static ErrorHandlerOps<Self>> = None;

    fn probe<'bound>(
        dev: &'bound Device<device::Core<'_>>,
        id_info: Option<&'bound Self::IdInfo>,
    ) -> impl PinInit<Self::Data<'bound>, Error> + 'bound;

    fn unbind<'bound>(dev: &'bound Device<device::Core<'_>>, this: Pin<&Self::Data<'bound>>) {
        let _ = (dev, this);
    }

    fn shutdown<'bound>(dev: &'bound Device<device::Core<'_>>, this: Pin<&Self::Data<'bound>>) {
        let _ = (dev, this);
    }
}

/// What the patched `kernel::pci::Device` has, with documentation.
pub trait DeviceExt {
    fn save_state(&self) -> Result;
    fn restore_state(&self);
}

impl DeviceExt for Device<device::Core<'_>> {
    fn save_state(&self) -> Result {
        let pdev = core::ptr::from_ref(self).cast_mut().cast();
        // SAFETY: `Device` is a transparent wrapper of a valid `struct pci_dev`.
        to_result(unsafe { bindings::pci_save_state(pdev) })
    }

    fn restore_state(&self) {
        let pdev = core::ptr::from_ref(self).cast_mut().cast();
        // SAFETY: `Device` is a transparent wrapper of a valid `struct pci_dev`.
        unsafe { bindings::pci_restore_state(pdev) };
    }
}

/// A [`Driver`] as the kernel's own `pci::Driver`.
pub struct Bridge<T>(PhantomData<T>);

impl<T: Driver> kernel::pci::Driver for Bridge<T> {
    type IdInfo = T::IdInfo;
    type Data<'bound> = T::Data<'bound>;

    const ID_TABLE: IdTable<Self::IdInfo> = T::ID_TABLE;

    fn probe<'bound>(
        dev: &'bound Device<device::Core<'_>>,
        id_info: Option<&'bound Self::IdInfo>,
    ) -> impl PinInit<Self::Data<'bound>, Error> + 'bound {
        T::probe(dev, id_info)
    }

    fn unbind<'bound>(dev: &'bound Device<device::Core<'_>>, this: Pin<&Self::Data<'bound>>) {
        T::unbind(dev, this);
    }
}

/// An adapter for the registration of a [`Driver`].
pub struct Adapter<T: Driver>(PhantomData<T>);

/// The kernel's part of an [`Adapter`].
type Inner<T> = kernel::pci::Adapter<Bridge<T>>;

// SAFETY: As for `kernel::pci::Adapter`: `bindings::pci_driver` is `repr(C)`, and embeds a
// `struct device_driver` at this offset; `T::Data` is the private data for `Bridge<T>` too.
unsafe impl<T: Driver> driver::DriverLayout for Adapter<T> {
    type DriverType = bindings::pci_driver;
    type DriverData<'bound> = T::Data<'bound>;
    const DEVICE_DRIVER_OFFSET: usize = offset_of!(bindings::pci_driver, driver);
}

// SAFETY: `register` and `unregister` are those of `Inner<T>`.
unsafe impl<T: Driver> driver::RegistrationOps for Adapter<T> {
    unsafe fn register(
        pdrv: &Opaque<Self::DriverType>,
        name: &'static CStr,
        module: &'static ThisModule,
    ) -> Result {
        // SAFETY: It is safe to set the fields of `struct pci_driver` on initialization.
        unsafe {
            (*pdrv.get()).shutdown = Some(Self::shutdown_callback);
            if T::PROBE_ASYNC {
                (*pdrv.get()).driver.probe_type = bindings::probe_type_PROBE_PREFER_ASYNCHRONOUS;
            }
            (*pdrv.get()).driver.pm = T::PM_OPS.map_or(null(), PmOps::as_raw);
            (*pdrv.get()).err_handler = T::ERROR_HANDLERS.map_or(null(), ErrorHandlerOps::as_raw);
        }

        // SAFETY: By the safety requirements of this function.
        unsafe { <Inner<T> as driver::RegistrationOps>::register(pdrv, name, module) }
    }

    unsafe fn unregister(pdrv: &Opaque<Self::DriverType>) {
        // SAFETY: By the safety requirements of this function.
        unsafe { <Inner<T> as driver::RegistrationOps>::unregister(pdrv) }
    }
}

impl<T: Driver> Adapter<T> {
    extern "C" fn shutdown_callback(pdev: *mut bindings::pci_dev) {
        // INVARIANT: `pdev` is valid for the duration of `shutdown_callback()`.
        //
        // SAFETY: The PCI bus only ever calls the shutdown callback with a valid pointer to a
        // `struct pci_dev`.
        let pdev = unsafe { &*pdev.cast::<Device<device::CoreInternal<'_>>>() };

        // SAFETY: The PCI bus only ever calls the shutdown callback for a device that is bound,
        // hence `Device::set_drvdata()` has stored a `Pin<KBox<T::Data<'_>>>`.
        let data = unsafe { pdev.as_ref().drvdata_borrow::<T::Data<'_>>() };

        T::shutdown(pdev, data);
    }
}

/// `kernel::module_pci_driver`, with the [`Adapter`] of this module.
macro_rules! module_pci_driver {
    ($($f:tt)*) => {
        kernel::module_driver!(<T>, $crate::pci::Adapter<T>, { $($f)* });
    };
}
pub(crate) use module_pci_driver;
