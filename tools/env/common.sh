# shellcheck shell=sh
# What every script here shares: where the caches lie, how steps are reported,
# and how a program is started inside the build root.
#
# Sourced, never run. Sets TOP (the repository) and CACHE.

set -eu
TOP=$(cd "$(dirname "$0")/../.." && pwd -P)
[ -f "$TOP/tools/env/common.sh" ] || TOP=$(cd "$(dirname "$0")/.." && pwd -P)
CACHE=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/apple-raid
V=${V:-0}
# chroot, and what dpkg calls, are not in the PATH of an ordinary user.
PATH=$PATH:/usr/sbin:/sbin
export PATH
# The clock of the steps runs on in the scripts that a script calls.
STARTED=${STARTED:-$(date +%s)}
export STARTED

say() { printf '%s\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# step TITLE COMMAND...: run COMMAND, print TITLE and how long it took; its
# output is shown when it fails, or at once with V=1.
step() {
	title=$1; shift
	begin=$(date +%s)
	printf '  [%4ds] %s ... ' "$((begin - STARTED))" "$title" >&2
	if [ "$V" = 1 ]; then
		say
		("$@") >&2 || die "$title failed (status $?)"
	else
		mkdir -p "$CACHE"
		log=$(mktemp "$CACHE/step.XXXXXX")
		# In a subshell: a function that dies must not take the report with it.
		if ("$@") >"$log" 2>&1; then
			rm -f "$log"
		else
			status=$?
			say "failed"
			tail -n 40 "$log" >&2
			die "$title failed (status $status); the whole log: $log"
		fi
	fi
	say "$(($(date +%s) - begin)) s"
}

# hash_of WORD-OR-FILE...: 16 hex digits over the contents of files and over words.
hash_of() {
	for item in "$@"; do
		if [ -f "$item" ]; then cat "$item"; else printf '%s\n' "$item"; fi
	done | sha256sum | cut -c1-16
}

# as_root COMMAND...: as root of a mount namespace of our own. An ordinary user
# gets a user namespace, with the ids that /etc/subuid and /etc/subgid grant.
# The status is that of COMMAND.
as_root() {
	set -- --mount --propagation private -- "$@"
	if [ "$(id -u)" != 0 ]; then
		unshare --user --map-root-user --map-auto true ||
			die "no user namespace with a range of ids here: become root, or install uidmap and give $(id -un) a range in /etc/subuid and /etc/subgid"
		set -- --user --map-root-user --map-auto "$@"
	fi
	unshare "$@"
}
