#!/bin/sh
# stuck.sh SESSION: where the threads of a session, and of what they started, are in
# the kernel, and what the SCSI hosts and disks have to do: for the message about a
# command that takes too long.

# fio's jobs have sessions of their own.
found=$(pgrep -s "$1" | paste -sd, -)
for generation in 1 2; do
	found=$({ echo "$found"; pgrep -P "$found"; } | paste -sd, -)
done
for process in $(echo "$found" | tr , '\n' | sort -nu); do
	for thread in /proc/"$process"/task/*; do
		while read -r key value; do
			case $key in
			Name:) name=$value ;;
			State:) echo "${thread##*/} $name, $value:"; break ;;
			esac
		done <"$thread/status"
		# Its innermost functions.
		sed 's/^\[<0>\] /  /; 8q' "$thread/stack"
	done
done 2>/dev/null
grep -s . /sys/class/scsi_host/host*/state /sys/class/scsi_host/host*/host_busy
for disk in /sys/kernel/debug/block/sd*; do
	[ -d "$disk" ] || continue
	cat "$disk"/requeue_list "$disk"/hctx*/dispatch "$disk"/hctx*/busy "$disk"/sched/*_list 2>/dev/null |
		sed "s/^/${disk##*/}: /; 20q"
done
