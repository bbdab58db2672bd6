// SPDX-License-Identifier: GPL-2.0

//! Attributes of a host in sysfs, read as sysfs reads them.

#[kernel::prelude::kunit_tests(rust_scsi_attributes)]
mod tests {
    use super::super::{
        super::template::Template, ask::Deed, bench::Bench, fake::Fake, request::Data,
    };
    use kernel::{
        bindings,
        error::to_result,
        page::PAGE_SIZE,
        prelude::*,
        str::CStr, //
    };

    /// The attributes that the midlayer is told of.
    fn attributes() -> Result<KVec<&'static bindings::attribute>> {
        let mut found = KVec::new();
        // SAFETY: Both are arrays of pointers to what lives for ever, and end with null.
        unsafe {
            let mut groups = Template::<Fake>::get().shost_groups.cast_const();
            while let Some(group) = (*groups).as_ref() {
                let mut attributes = group.__bindgen_anon_2.attrs_const;
                while let Some(attribute) = (*attributes).as_ref() {
                    found.push(attribute, GFP_KERNEL)?;
                    attributes = attributes.add(1);
                }
                groups = groups.add(1);
            }
        }
        Ok(found)
    }

    fn name(attribute: &bindings::attribute) -> &CStr {
        // SAFETY: The name is a C string, which lives for ever.
        unsafe { CStr::from_char_ptr(attribute.name) }
    }

    /// Reads an attribute of the host, of which there must be a file.
    fn read(bench: &Bench, of: &CStr) -> Result<KVec<u8>> {
        let all = attributes()?;
        let attribute = *all.iter().find(|it| name(it) == of).ok_or(ENOENT)?;
        let mut page = KVec::from_elem(0, PAGE_SIZE, GFP_KERNEL)?;
        // SAFETY: The host was added, and the attribute is one of its driver. The page is as long
        // as sysfs would have it.
        let len = unsafe {
            let dev = &raw mut (*bench.host().as_raw()).shost_dev;
            // The mode that it has: this finds the file, or fails.
            let file = bindings::sysfs_chmod_file(&raw mut (*dev).kobj, attribute, attribute.mode);
            to_result(file)?;
            let attribute: *const bindings::device_attribute =
                core::ptr::from_ref(attribute).cast();
            let show = (*attribute).__bindgen_anon_1.show_const.ok_or(EINVAL)?;
            show(dev, attribute, page.as_mut_ptr().cast())
        };
        if len < 0 {
            return Err(Error::from_errno(len as i32));
        }
        page.truncate(len as usize);
        Ok(page)
    }

    #[test]
    fn all_are_there() -> Result {
        let bench = Bench::new()?;
        let all = attributes()?;
        let names = all.iter().map(|attribute| name(attribute));
        assert!(names.eq([c"asked", c"nothing", c"too_long", c"fits"]));
        assert!(all.iter().all(|attribute| attribute.mode == 0o444));
        assert_eq!(read(&bench, c"elsewhere"), Err(ENOENT));
        Ok(())
    }

    /// A value is what the driver's data say now, and a line.
    #[test]
    fn values() -> Result {
        let bench = Bench::new()?;
        assert_eq!(*read(&bench, c"asked")?, *b"0\n");
        for _ in 0..12 {
            let sent = bench.request(Deed::Complete, Data::None)?.send()?;
            assert!(sent.end().is_some());
        }
        assert_eq!(*read(&bench, c"asked")?, *b"12\n");
        assert_eq!(*read(&bench, c"nothing")?, *b"\n");
        Ok(())
    }

    /// What does not fit is an error, not half of a value.
    #[test]
    fn as_long_as_there_is_room() -> Result {
        let bench = Bench::new()?;
        // sysfs takes less than a page.
        assert_eq!(read(&bench, c"fits")?.len(), PAGE_SIZE - 1);
        assert_eq!(read(&bench, c"too_long"), Err(EIO));
        Ok(())
    }
}
