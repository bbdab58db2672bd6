# shellcheck shell=sh
# The kernel trees that the series is looked at in. All are git worktrees of one
# repository, which tools/env/mklinux makes:
#
#   source           the debug kernel and KUnit are built from it
#   each-1, each-2   for what goes from patch to patch, which would have the debug
#                    kernel built again
#
# Who uses a tree holds its lock, so what git left locked in it is of somebody who was
# killed. Sourced inside the build root, never run; wants SOURCE's path in $source.

work=${source%/source}

# use_source COMMIT: waits for the debug kernel's tree, and has COMMIT in it. Its lock
# is held as long as the shell lives.
use_source() {
	exec 9>"$work/lock"
	flock 9
	rm -f "$source/.git/index.lock"
	git -C "$source" checkout -q --force --detach "$1"
}

# use_tree NUMBER: the same for another tree; sets tree, and build for what is built of
# it. A tree that git does not know, or that a checkout stopped in the middle of, is
# made again.
use_tree() {
	tree=$work/each-$1 build=$work/each-$1-build
	exec 8>"$tree.lock"
	flock 8
	if ! git_dir=$(git -C "$tree" rev-parse --absolute-git-dir 2>/dev/null) || [ -e "$git_dir/index.lock" ]; then
		rm -rf "$tree"
		# Outside the build root these paths lead nowhere: --lock, or `git worktree
		# prune` there would forget the tree.
		git -C "$source" worktree add -q --force --force --lock --detach "$tree" base
	fi
}
