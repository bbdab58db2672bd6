#!/bin/sh
# exec.sh ID PROGRAM ARGUMENT...: run a command for the host. What it prints goes
# to files of the exchange folder, where the host reads along: ID.out, ID.err. Its
# status goes to ID.status, which gets this name only when it is complete, and
# ID.end says that no more output follows.
#
# The command itself gets pipes, which is what programs expect (one that opens
# /dev/stderr anew would cut a file off), and need not wait for a 9p write.

job=/run/vm/$1
shift
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 TERM="${TERM:-linux}"
cd /root || cd /
{
	{
		"$@" </dev/null 2>&1 >&3 3>&-
		echo $? >"$job.tmp"
		/run/busybox mv "$job.tmp" "$job.status"
	} | /run/busybox cat >"$job.err"
} 3>&1 | /run/busybox cat >"$job.out"
: >"$job.end"
