// SPDX-License-Identifier: GPL-2.0

//! System sleep of PCI devices: suspend and hibernation.
//!
//! C header: [`include/linux/pm.h`](srctree/include/linux/pm.h)

use crate::bindings;
use core::marker::PhantomData;
use kernel::{
    container_of,
    device,
    error::from_result,
    ffi::c_int,
    prelude::*, //
};

use super::{
    Device,
    Driver, //
};

/// What a PCI driver does when the system goes to sleep, and when it wakes up.
///
/// The two callbacks serve all transitions, as with `DEFINE_SIMPLE_DEV_PM_OPS()` in C. A driver
/// that implements this trait sets [`Driver::PM_OPS`].
///
/// # Examples
///
///```
/// # use kernel::{bindings, device::Core, pci};
/// # struct MyDriver;
/// # kernel::pci_device_table!(
/// #     PCI_TABLE,
/// #     <MyDriver as pci::Driver>::IdInfo,
/// #     [(pci::DeviceId::from_id(pci::Vendor::REDHAT, bindings::PCI_ANY_ID as u32), ())]
/// # );
/// impl pci::Driver for MyDriver {
///     const PM_OPS: Option<&'static pci::PmOps<Self>> = Some(pci::PmOps::OPS);
/// #    type IdInfo = ();
/// #    type Data<'bound> = Self;
/// #    const ID_TABLE: pci::IdTable<Self::IdInfo> = &PCI_TABLE;
/// #    fn probe<'bound>(
/// #        _pdev: &'bound pci::Device<Core<'_>>,
/// #        _id_info: Option<&'bound Self::IdInfo>,
/// #    ) -> impl PinInit<Self::Data<'bound>, Error> + 'bound {
/// #        Err(ENODEV)
/// #    }
///     // ...
/// }
///
/// impl pci::PowerManagement for MyDriver {
///     fn suspend<'bound>(
///         _pdev: &'bound pci::Device<Core<'_>>,
///         _this: Pin<&Self::Data<'bound>>,
///     ) -> Result {
///         Ok(())
///     }
///
///     fn resume<'bound>(
///         pdev: &'bound pci::Device<Core<'_>>,
///         _this: Pin<&Self::Data<'bound>>,
///     ) -> Result {
///         pdev.set_master();
///         Ok(())
///     }
/// }
///```
pub trait PowerManagement: Driver {
    /// Quiesces the device (`suspend`, `freeze` and `poweroff` of `struct dev_pm_ops`).
    ///
    /// It must do no DMA and raise no interrupt from then on. The PCI core saves its configuration
    /// space and chooses its power state afterwards. On error the system stays awake.
    fn suspend<'bound>(
        dev: &'bound Device<device::Core<'_>>,
        this: Pin<&Self::Data<'bound>>,
    ) -> Result;

    /// Brings the device back (`resume`, `thaw` and `restore` of `struct dev_pm_ops`).
    ///
    /// The PCI core has restored its configuration space, MSI included; all else the device may
    /// have forgotten.
    fn resume<'bound>(
        dev: &'bound Device<device::Core<'_>>,
        this: Pin<&Self::Data<'bound>>,
    ) -> Result;
}

/// The `struct dev_pm_ops` of the driver `T`.
#[repr(transparent)]
pub struct PmOps<T>(bindings::dev_pm_ops, PhantomData<T>);

impl<T> PmOps<T> {
    pub(super) fn as_raw(&self) -> *const bindings::dev_pm_ops {
        &raw const self.0
    }
}

impl<T: PowerManagement> PmOps<T> {
    /// The operations of `T`.
    pub const OPS: &'static Self = &Self(
        bindings::dev_pm_ops {
            suspend: Some(Self::suspend_callback),
            resume: Some(Self::resume_callback),
            freeze: Some(Self::suspend_callback),
            thaw: Some(Self::resume_callback),
            poweroff: Some(Self::suspend_callback),
            restore: Some(Self::resume_callback),
            ..pin_init::zeroed()
        },
        PhantomData,
    );

    extern "C" fn suspend_callback(dev: *mut bindings::device) -> c_int {
        // SAFETY: The PCI core passes a device that is bound to `T`, and holds its lock.
        let (pdev, data) = unsafe { Self::bound(dev) };

        from_result(|| T::suspend(pdev, data).map(|()| 0))
    }

    extern "C" fn resume_callback(dev: *mut bindings::device) -> c_int {
        // SAFETY: The PCI core passes a device that is bound to `T`, and holds its lock.
        let (pdev, data) = unsafe { Self::bound(dev) };

        from_result(|| T::resume(pdev, data).map(|()| 0))
    }

    /// # Safety
    ///
    /// `dev` must be the `struct device` of a PCI device that is bound to `T`, and whose lock is
    /// held for `'a`.
    unsafe fn bound<'a>(
        dev: *mut bindings::device,
    ) -> (&'a Device<device::CoreInternal<'a>>, Pin<&'a T::Data<'a>>) {
        // SAFETY: By the safety requirement `dev` is embedded in a `struct pci_dev`.
        let pdev = unsafe { container_of!(dev, bindings::pci_dev, dev) };

        // SAFETY: `Device` is a transparent wrapper of `struct pci_dev`, which is valid for `'a`.
        //
        // INVARIANT: `pdev` is valid, and in a callback of the driver core, for `'a`.
        let pdev = unsafe { &*pdev.cast::<Device<device::CoreInternal<'a>>>() };

        // SAFETY: By the safety requirement `Device::set_drvdata()` was called and stored a
        // `Pin<KBox<T::Data<'_>>>`.
        (pdev, unsafe { pdev.as_ref().drvdata_borrow() })
    }
}
