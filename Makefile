# SPDX-License-Identifier: GPL-2.0
#
# Everything is built and run inside the build root (tools/env/mkroot), which
# the first call makes. What stands behind "##" is what `make` alone prints.

VERBOSE = $(if $(filter 1,$(V)),--verbose)

.PHONY: help demo shell module clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile
	@echo 'V=1 shows all output; ARGS="..." adds options of tools/vm, such as ARGS="--kernel debug".'

demo: ## boot Debian's kernel with the emulated card; show, and check, that its volumes are disks
	+@tools/vm demo $(VERBOSE) $(ARGS)

shell: ## a shell in the same machine; `exit` powers it off
	+@tools/vm shell $(VERBOSE) --volume 1G --volume 20T $(ARGS)

module: ## build the driver for Debian's kernel
	@tools/env/task "prepare the kernel's tree" tools/env/mkkernel
	@tools/env/task "build the module" tools/env/mkmodule

clean: ## remove what was built here; build root and kernel tree stay in the cache
	rm -rf build tools/target
