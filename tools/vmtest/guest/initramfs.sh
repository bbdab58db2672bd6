#!/bin/busybox sh
# The first program in the guest: puts the root file system together and hands
# over to init.sh, which comes along in this initramfs.
#
# The root is the build root itself (9p, read-only), below the modules that this
# run brought (9p, read-only), below a tmpfs that takes every write. Or else it is the
# disk that vm.root names.

b=/bin/busybox
p9() { $b mount -t 9p -o "$3,trans=virtio,version=9p2000.L,msize=512000" "$1" "$2"; }
stop() { echo "vm: initramfs: $* failed"; $b sh </dev/console; }
p9_root() {
	p9 root /root ro,cache=loose || stop "the mount of the build root"
	p9 modules /modules ro,cache=loose || stop "the mount of the modules"
	layers=/modules:/root
	if $b grep -qw vm.kernel_layer /proc/cmdline; then
		p9 kernel /kernel ro,cache=loose || stop "the mount of the kernel's own modules"
		layers=/modules:/kernel:/root
	fi
	$b mount -t tmpfs -o mode=755 tmpfs /rw
	$b mkdir /rw/upper /rw/work
	$b mount -t overlay -o "lowerdir=$layers,upperdir=/rw/upper,workdir=/rw/work" overlay /new || stop "the overlay"
}

$b mkdir -p /proc /modules /kernel /root /rw /new
$b mount -t proc proc /proc
while read -r module; do
	$b insmod "/m/$module" || stop "insmod $module"
done </m/order
disk=$($b sed -n 's/.*vm\.root=\([^ ]*\).*/\1/p' /proc/cmdline)
if [ -n "$disk" ]; then
	# Disks are probed in the background.
	$b mount -t devtmpfs devtmpfs /dev
	for _ in $($b seq 300); do
		[ ! -b "$disk" ] || break
		$b sleep 0.1
	done
	$b mount -t ext4 "$disk" /new || stop "the mount of $disk"
else
	p9_root
fi

$b mount -t devtmpfs devtmpfs /new/dev
$b mount -t tmpfs -o mode=755 tmpfs /new/run
$b mkdir /new/run/vm
p9 exchange /new/run/vm rw,cache=none || stop "the mount of the exchange folder"
if $b grep -qw vm.share /proc/cmdline; then
	$b mkdir -p /new/mnt/share
	p9 share /new/mnt/share rw,cache=none || stop "the mount of the shared folder"
fi
$b cp /init.sh /exec.sh $b /new/run/
$b mount -o move /proc /new/proc
exec $b switch_root /new /run/init.sh
