#!/bin/sh
# root-image.sh FILE SIZE: makes an ext4 file system with a small Debian in it, from
# what is installed in the build root: the files of the essential packages, those of a
# few more, and the libraries that their programs need.

set -eu
to=$1
size=$2
more="busybox-static e2fsprogs kmod libc6 mount procps qemu-guest-agent"
packages="$(dpkg-query -Wf '${Essential} ${binary:Package}\n' | sed -n 's/^yes //p') $more"

tree=$to.tree
rm -rf "$tree"
mkdir -p "$tree"
trap 'rm -rf "$tree"' EXIT

# shellcheck disable=SC2086 # a list
dpkg-query -L $packages | sort -u |
	grep -Ev '^/usr/share/(doc|info|locale|man|lintian|bash-completion)(/|$)' >"$tree.list"
while read -r file; do
	[ ! -f "$file" ] || [ ! -x "$file" ] || echo "$file"
done <"$tree.list" | xargs ldd 2>/dev/null | sed -n 's/.*=> \(\/[^ ]*\) .*/\1/p' | sort -u |
	while read -r library; do
		# The name that programs know, and what it leads to.
		echo "$library"
		readlink -f "$library"
	done >>"$tree.list"
# What maintainer scripts have made, and the links of a merged /usr.
for file in /bin /sbin /lib /lib64 /etc/passwd /etc/group /etc/ld.so.cache /var/lib/dpkg/status; do
	echo "$file"
done >>"$tree.list"
# One name for each file: / is merged with /usr.
sed -E 's,^/(bin|sbin|lib|lib64)/,/usr/&,; s,//,/,g' "$tree.list" | sort -u | tar -c --no-recursion --ignore-failed-read -C / -T - 2>/dev/null |
	tar -x -p -C "$tree"
rm "$tree.list"
mkdir -p "$tree/dev" "$tree/proc" "$tree/sys" "$tree/run" "$tree/tmp" "$tree/mnt" "$tree/root"
truncate -s "$size" "$to"
mke2fs -q -F -t ext4 -L root -d "$tree" "$to"
