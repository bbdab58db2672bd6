// SPDX-License-Identifier: GPL-2.0
/*
 * Calls the error handlers of the card's driver, one at a time, as the PCI core
 * does. The real thing leaves a test no time between two of them.
 *
 *	echo frozen >/sys/module/vmtest_recovery/parameters/call
 *	cat /sys/module/vmtest_recovery/parameters/call		# need_reset
 *
 * Nothing is reset in between: the driver has to cope with less, not with more.
 *
 * The same for the callbacks of hibernation ("freeze" and "thaw", "poweroff" and
 * "restore"), which are called by way of the PCI core's. The guest as a whole does
 * not survive it: its root comes by virtio-9p.
 */

#include <linux/device.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/pm.h>

static const char *answer = "";

static const char *name_of(pci_ers_result_t result)
{
	switch (result) {
	case PCI_ERS_RESULT_NEED_RESET:
		return "need_reset";
	case PCI_ERS_RESULT_DISCONNECT:
		return "disconnect";
	case PCI_ERS_RESULT_RECOVERED:
		return "recovered";
	default:
		return "other";
	}
}

/* Calls two callbacks, the second only if the first succeeds. */
static int both(struct device *dev, int (*first)(struct device *),
		int (*second)(struct device *))
{
	int error;

	if (!first || !second)
		return -EOPNOTSUPP;
	error = first(dev);
	return error ? error : second(dev);
}

static int make(struct pci_dev *pdev, const char *call)
{
	const struct dev_pm_ops *pm = pdev->dev.bus->pm;
	const struct pci_error_handlers *handlers;

	if (!pdev->driver || !pdev->driver->err_handler)
		return -ENODEV;
	handlers = pdev->driver->err_handler;
	answer = "";
	if (sysfs_streq(call, "normal"))
		answer = name_of(handlers->error_detected(pdev, pci_channel_io_normal));
	else if (sysfs_streq(call, "frozen"))
		answer = name_of(handlers->error_detected(pdev, pci_channel_io_frozen));
	else if (sysfs_streq(call, "failure"))
		answer = name_of(handlers->error_detected(pdev, pci_channel_io_perm_failure));
	else if (sysfs_streq(call, "slot_reset"))
		answer = name_of(handlers->slot_reset(pdev));
	else if (sysfs_streq(call, "resume"))
		handlers->resume(pdev);
	else if (sysfs_streq(call, "reset_prepare"))
		handlers->reset_prepare(pdev);
	else if (sysfs_streq(call, "reset_done"))
		handlers->reset_done(pdev);
	else if (!pm)
		return -EOPNOTSUPP;
	else if (sysfs_streq(call, "freeze"))
		return both(&pdev->dev, pm->freeze, pm->freeze_noirq);
	else if (sysfs_streq(call, "thaw"))
		return both(&pdev->dev, pm->thaw_noirq, pm->thaw);
	else if (sysfs_streq(call, "poweroff"))
		return both(&pdev->dev, pm->poweroff, pm->poweroff_noirq);
	else if (sysfs_streq(call, "restore"))
		return both(&pdev->dev, pm->restore_noirq, pm->restore);
	else
		return -EINVAL;
	return 0;
}

static int set_call(const char *call, const struct kernel_param *unused)
{
	struct pci_dev *pdev = pci_get_device(0x106b, 0x008a, NULL);
	int result;

	if (!pdev)
		return -ENODEV;
	device_lock(&pdev->dev);
	result = make(pdev, call);
	device_unlock(&pdev->dev);
	pci_dev_put(pdev);
	return result;
}

static int get_answer(char *buffer, const struct kernel_param *unused)
{
	return sysfs_emit(buffer, "%s\n", answer);
}

static const struct kernel_param_ops call_ops = {
	.set = set_call,
	.get = get_answer,
};
module_param_cb(call, &call_ops, NULL, 0600);
MODULE_PARM_DESC(call, "the handler to call; the answer of the last one");

static int __init vmtest_recovery_init(void)
{
	return 0;
}
module_init(vmtest_recovery_init);

static void __exit vmtest_recovery_exit(void)
{
}
module_exit(vmtest_recovery_exit);

MODULE_DESCRIPTION("Calls the error handlers of the card's driver, for tests");
MODULE_LICENSE("GPL");
