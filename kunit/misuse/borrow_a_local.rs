// SPDX-License-Identifier: GPL-2.0

// The data of a driver borrow from a local variable.
// expected: E0308 E0597

fn register<T>(host: &Host<T>, dev: &kernel::faux::Device<kernel::device::Bound>) -> Result
where
    T: for<'b> Operations<Data<'b> = &'b u32>,
{
    let local = 5;
    let dma = Dma::none(dev.as_ref())?;
    let data = |_: &kernel::faux::Device<kernel::device::Bound>| -> Result<Pin<KBox<&u32>>> {
        KBox::pin_init(Ok::<_, Error>(&local), GFP_KERNEL)
    };
    core::mem::forget(Registration::new(host, dev, dma, data, |_, _| Ok(()))?);
    Ok(())
}
