#!/bin/sh
# The guest's init: mounts what programs expect, loads the SCSI midlayer, starts
# the agent through which the host runs commands, and reaps orphans.

export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 TERM=linux
cd /
mount -t sysfs sysfs /sys
mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null
mount -t tmpfs -o mode=1777 tmpfs /tmp
mkdir -p /dev/pts /dev/shm /run/lock
mount -t devpts devpts /dev/pts
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
ln -s /proc/self/fd /dev/fd
ln -s fd/0 /dev/stdin
ln -s fd/1 /dev/stdout
ln -s fd/2 /dev/stderr
busybox hostname vm
modprobe -qa scsi_mod sd_mod sg

for port in /sys/class/virtio-ports/*; do
	[ "$(cat "$port/name")" = org.qemu.guest_agent.0 ] || continue
	qemu-ga --daemonize --method virtio-serial --path "/dev/${port##*/}" --pidfile /run/qemu-ga.pid
done
: >/run/vm/ready

while :; do
	sleep 1000000 &
	wait $!
done
