#!/bin/sh
# The guest's init: mounts what programs expect, loads the SCSI midlayer, starts
# the agent through which the host runs commands, and reaps orphans.
#
# On the debug kernel it takes most of a second to start a program with its
# libraries. So what busybox can do, the initramfs's does.

b=/run/busybox
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 TERM=linux
cd /
$b mount -t sysfs sysfs /sys
$b mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null
$b mount -t tmpfs -o mode=1777 tmpfs /tmp
$b mkdir -p /dev/pts /dev/shm /run/lock
$b mount -t devpts devpts /dev/pts
$b mount -t tmpfs -o mode=1777 tmpfs /dev/shm
$b ln -s /proc/self/fd /dev/fd
$b ln -s fd/0 /dev/stdin
$b ln -s fd/1 /dev/stdout
$b ln -s fd/2 /dev/stderr
$b hostname vm
modprobe -qa scsi_mod sd_mod sg

for port in /sys/class/virtio-ports/*; do
	read -r name <"$port/name"
	[ "$name" = org.qemu.guest_agent.0 ] || continue
	qemu-ga --daemonize --method virtio-serial --path "/dev/${port##*/}" --pidfile /run/qemu-ga.pid
done
: >/run/vm/ready

while :; do
	$b sleep 1000000 &
	wait $!
done
