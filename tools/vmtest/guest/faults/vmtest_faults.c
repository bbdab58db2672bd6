// SPDX-License-Identifier: GPL-2.0
/*
 * Mistakes, made on purpose: for each kind that the debug kernel finds, one that
 * it has to find. The test of the test bed's detector writes the name of one after
 * the other to /sys/module/vmtest_faults/parameters/make.
 */

#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timer.h>

static void warn(void)
{
	WARN(1, "made on purpose\n");
}

static void use_after_free(void)
{
	char *bytes = kmalloc(64, GFP_KERNEL);

	kfree(bytes);
	WRITE_ONCE(bytes[8], 1);
}

static void out_of_bounds(void)
{
	char *bytes = kmalloc(61, GFP_KERNEL);

	OPTIMIZER_HIDE_VAR(bytes);
	WRITE_ONCE(bytes[61], 1);
	kfree(bytes);
}

static void bad_index(void)
{
	static int array[4];
	volatile unsigned int index = 5;

	WRITE_ONCE(array[index & 7], 1);
}

static void bad_shift(void)
{
	volatile int by = 32;
	volatile int value = 1;

	value <<= by;
}

static void leak(void)
{
	void *lost = kmalloc(320, GFP_KERNEL);

	OPTIMIZER_HIDE_VAR(lost);
	memset(lost, 0x5a, 320);
}

static void sleep_in_atomic(void)
{
	static DEFINE_SPINLOCK(lock);

	spin_lock(&lock);
	might_sleep();
	spin_unlock(&lock);
}

static void rcu_without_lock(void)
{
	static int __rcu *pointer;

	(void)rcu_dereference(pointer);
}

static void lock_order(void)
{
	static DEFINE_MUTEX(one);
	static DEFINE_MUTEX(two);

	mutex_lock(&one);
	mutex_lock(&two);
	mutex_unlock(&two);
	mutex_unlock(&one);
	mutex_lock(&two);
	mutex_lock(&one);
	mutex_unlock(&one);
	mutex_unlock(&two);
}

static void nothing(struct timer_list *unused)
{
}

static void freed_timer(void)
{
	struct timer_list *timer = kzalloc(sizeof(*timer), GFP_KERNEL);

	timer_setup(timer, nothing, 0);
	mod_timer(timer, jiffies + 1000 * HZ);
	kfree(timer);
}

static void dma_never_mapped(void)
{
	struct platform_device *device;

	device = platform_device_register_simple("vmtest_faults", -1, NULL, 0);
	if (IS_ERR(device))
		return;
	device->dev.dma_mask = &device->dev.coherent_dma_mask;
	if (!dma_set_mask_and_coherent(&device->dev, DMA_BIT_MASK(32)))
		dma_unmap_single(&device->dev, 0x1000, 512, DMA_FROM_DEVICE);
	platform_device_unregister(device);
}

static void list_corruption(void)
{
	LIST_HEAD(head);
	struct list_head entry, other;

	list_add(&entry, &head);
	entry.prev = &other;
	INIT_LIST_HEAD(&other);
	list_del(&entry);
}

/* To be used with a short kernel.hung_task_timeout_secs. */
static void hung_task(void)
{
	msleep(5000);
}

/*
 * To be used with a short kernel.watchdog_thresh. By the clock: mdelay() counts loops here, and
 * how many make a second was measured while the host was busy with something else.
 */
static void soft_lockup(void)
{
	u64 end = ktime_get_ns() + 5 * (u64)NSEC_PER_SEC;

	preempt_disable();
	while (ktime_get_ns() < end)
		cpu_relax();
	preempt_enable();
}

static const struct {
	const char *name;
	void (*make)(void);
} faults[] = {
	{ "warn", warn },
	{ "use-after-free", use_after_free },
	{ "out-of-bounds", out_of_bounds },
	{ "bad-index", bad_index },
	{ "bad-shift", bad_shift },
	{ "leak", leak },
	{ "sleep-in-atomic", sleep_in_atomic },
	{ "rcu-without-lock", rcu_without_lock },
	{ "lock-order", lock_order },
	{ "freed-timer", freed_timer },
	{ "dma-never-mapped", dma_never_mapped },
	{ "list-corruption", list_corruption },
	{ "hung-task", hung_task },
	{ "soft-lockup", soft_lockup },
};

static int make(const char *name, const struct kernel_param *unused)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(faults); i++) {
		if (sysfs_streq(name, faults[i].name)) {
			faults[i].make();
			return 0;
		}
	}
	return -EINVAL;
}

static const struct kernel_param_ops make_ops = {
	.set = make,
};
module_param_cb(make, &make_ops, NULL, 0200);
MODULE_PARM_DESC(make, "Mistake to make");

MODULE_DESCRIPTION("Mistakes made on purpose, for tests of the test bed");
MODULE_LICENSE("GPL");
