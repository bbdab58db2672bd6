// SPDX-License-Identifier: GPL-2.0

//! PCI error recovery, and resets of a function.
//!
//! See Documentation/PCI/pci-error-recovery.rst.
//!
//! C header: [`include/linux/pci.h`](srctree/include/linux/pci.h)

use crate::bindings;
use core::marker::PhantomData;
use kernel::{
    build_error,
    device,
    error::VTABLE_DEFAULT_ERROR,
    prelude::*, //
};

use super::{
    Device,
    Driver, //
};

/// How well a device is connected (`pci_channel_state_t`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelState {
    /// The device can be accessed.
    Normal,
    /// The device cannot be accessed until it is reset.
    Frozen,
    /// The device is lost.
    PermanentFailure,
}

impl ChannelState {
    fn from_raw(state: bindings::pci_channel_state_t) -> Self {
        match state {
            bindings::pci_channel_io_normal => Self::Normal,
            bindings::pci_channel_io_frozen => Self::Frozen,
            _ => Self::PermanentFailure,
        }
    }
}

/// What a driver answers to an error callback (`enum pci_ers_result`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum ErsResult {
    /// The driver has nothing to say.
    None = bindings::pci_ers_result_PCI_ERS_RESULT_NONE,
    /// The device can recover without a reset.
    CanRecover = bindings::pci_ers_result_PCI_ERS_RESULT_CAN_RECOVER,
    /// The device has to be reset.
    NeedReset = bindings::pci_ers_result_PCI_ERS_RESULT_NEED_RESET,
    /// The device has failed for good.
    Disconnect = bindings::pci_ers_result_PCI_ERS_RESULT_DISCONNECT,
    /// The device works again.
    Recovered = bindings::pci_ers_result_PCI_ERS_RESULT_RECOVERED,
}

/// What a PCI driver does when its device reports an error, or is reset by somebody else.
///
/// A driver that implements this trait sets [`Driver::ERROR_HANDLERS`]. All callbacks run in
/// process context, with the lock of the device held: AER, DPC, EEH, s390, CXL and xen-pcifront
/// take it. `cor_error_detected` is missing here because AER calls that one without the lock.
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
///     const ERROR_HANDLERS: Option<&'static pci::ErrorHandlerOps<Self>> =
///         Some(pci::ErrorHandlerOps::OPS);
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
/// #[vtable]
/// impl pci::ErrorHandlers for MyDriver {
///     fn error_detected<'bound>(
///         _pdev: &'bound pci::Device<Core<'_>>,
///         _this: Pin<&Self::Data<'bound>>,
///         state: pci::ChannelState,
///     ) -> pci::ErsResult {
///         match state {
///             pci::ChannelState::Normal => pci::ErsResult::CanRecover,
///             _ => pci::ErsResult::Disconnect,
///         }
///     }
/// }
///```
#[vtable]
pub trait ErrorHandlers: Driver {
    /// An error was reported: of this device, or of one that shares its link.
    ///
    /// The driver must keep away from the device's memory and I/O regions, unless the state is
    /// [`ChannelState::Normal`].
    fn error_detected<'bound>(
        dev: &'bound Device<device::Core<'_>>,
        this: Pin<&Self::Data<'bound>>,
        state: ChannelState,
    ) -> ErsResult;

    /// The device was reset because of an error; its configuration space is that of a fresh
    /// device.
    fn slot_reset<'bound>(
        dev: &'bound Device<device::Core<'_>>,
        this: Pin<&Self::Data<'bound>>,
    ) -> ErsResult {
        let _ = (dev, this);
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// All that the error has affected has recovered: normal operation may go on.
    fn resume<'bound>(dev: &'bound Device<device::Core<'_>>, this: Pin<&Self::Data<'bound>>) {
        let _ = (dev, this);
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// The device is about to be reset, for instance by its `reset` attribute in sysfs.
    ///
    /// The PCI core saves its configuration space and disables it when this returns.
    fn reset_prepare<'bound>(
        dev: &'bound Device<device::Core<'_>>,
        this: Pin<&Self::Data<'bound>>,
    ) {
        let _ = (dev, this);
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// The device was reset, or could not be; its configuration space has been restored.
    fn reset_done<'bound>(dev: &'bound Device<device::Core<'_>>, this: Pin<&Self::Data<'bound>>) {
        let _ = (dev, this);
        build_error!(VTABLE_DEFAULT_ERROR)
    }
}

/// The `struct pci_error_handlers` of the driver `T`.
#[repr(transparent)]
pub struct ErrorHandlerOps<T>(bindings::pci_error_handlers, PhantomData<T>);

impl<T> ErrorHandlerOps<T> {
    pub(super) fn as_raw(&self) -> *const bindings::pci_error_handlers {
        &raw const self.0
    }
}

/// `Some` for a callback that the driver has.
macro_rules! optional {
    ($has:expr, $callback:expr) => {
        if $has {
            Some($callback)
        } else {
            None
        }
    };
}

impl<T: ErrorHandlers> ErrorHandlerOps<T> {
    /// The operations of `T`.
    pub const OPS: &'static Self = &Self(
        bindings::pci_error_handlers {
            error_detected: Some(Self::error_detected_callback),
            slot_reset: optional!(T::HAS_SLOT_RESET, Self::slot_reset_callback),
            resume: optional!(T::HAS_RESUME, Self::resume_callback),
            reset_prepare: optional!(T::HAS_RESET_PREPARE, Self::reset_prepare_callback),
            reset_done: optional!(T::HAS_RESET_DONE, Self::reset_done_callback),
            ..pin_init::zeroed()
        },
        PhantomData,
    );

    extern "C" fn error_detected_callback(
        pdev: *mut bindings::pci_dev,
        state: bindings::pci_channel_state_t,
    ) -> bindings::pci_ers_result_t {
        // SAFETY: The PCI core passes a device that is bound to `T`, and holds its lock.
        let (pdev, data) = unsafe { Self::bound(pdev) };

        T::error_detected(pdev, data, ChannelState::from_raw(state)) as bindings::pci_ers_result_t
    }

    extern "C" fn slot_reset_callback(pdev: *mut bindings::pci_dev) -> bindings::pci_ers_result_t {
        // SAFETY: The PCI core passes a device that is bound to `T`, and holds its lock.
        let (pdev, data) = unsafe { Self::bound(pdev) };

        T::slot_reset(pdev, data) as bindings::pci_ers_result_t
    }

    extern "C" fn resume_callback(pdev: *mut bindings::pci_dev) {
        // SAFETY: The PCI core passes a device that is bound to `T`, and holds its lock.
        let (pdev, data) = unsafe { Self::bound(pdev) };

        T::resume(pdev, data);
    }

    extern "C" fn reset_prepare_callback(pdev: *mut bindings::pci_dev) {
        // SAFETY: The PCI core passes a device that is bound to `T`, and holds its lock.
        let (pdev, data) = unsafe { Self::bound(pdev) };

        T::reset_prepare(pdev, data);
    }

    extern "C" fn reset_done_callback(pdev: *mut bindings::pci_dev) {
        // SAFETY: The PCI core passes a device that is bound to `T`, and holds its lock.
        let (pdev, data) = unsafe { Self::bound(pdev) };

        T::reset_done(pdev, data);
    }

    /// # Safety
    ///
    /// `pdev` must be a device that is bound to `T`, and whose lock is held for `'a`.
    unsafe fn bound<'a>(
        pdev: *mut bindings::pci_dev,
    ) -> (&'a Device<device::CoreInternal<'a>>, Pin<&'a T::Data<'a>>) {
        // SAFETY: `Device` is a transparent wrapper of `struct pci_dev`, which is valid for `'a`.
        //
        // INVARIANT: `pdev` is valid, and in a callback of the driver core, for `'a`.
        let pdev = unsafe { &*pdev.cast::<Device<device::CoreInternal<'a>>>() };

        // SAFETY: By the safety requirement `Device::set_drvdata()` was called and stored a
        // `Pin<KBox<T::Data<'_>>>`.
        (pdev, unsafe { pdev.as_ref().drvdata_borrow() })
    }
}
