# SPDX-License-Identifier: GPL-2.0
#
# Everything is built and run inside the build root (tools/env/mkroot), which
# the first call makes. What stands behind "##" is what `make` alone prints.

VERBOSE = $(if $(filter 1,$(V)),--verbose)

SECONDS = 60

.PHONY: help demo shell check check-all lint test-user test-vm test-debug test-series test-kunit series fuzz module debug-kernel clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile
	@echo 'V=1 shows all output; ARGS="..." adds options of tools/vm, such as ARGS="--kernel debug".'

demo: ## boot Debian's kernel with the emulated card; show, and check, that its volumes are disks
	+@tools/vm demo $(VERBOSE) $(ARGS)

shell: ## a shell in the same machine; `exit` powers it off
	+@tools/vm shell $(VERBOSE) --volume 1G --volume 20T $(ARGS)

check: ## the tests, but for those that take long; ends with "N passed, N failed"
	@tools/check

check-all: ## all tests, those in a guest on both kernels
	@tools/check lint user series arch kunit kunit-debug vm-all debug-all

lint: ## of these, warnings and format
	@tools/check lint

test-user: ## of these, what runs in user space
	@tools/check user

test-vm: ## what runs in a guest, all of it, on Debian's kernel
	@tools/check vm-all

test-debug: ## the same on the debug kernel
	@tools/check debug-all

test-series: ## whether the patch series applies, builds and is in style
	@tools/check series arch

test-kunit: ## the KUnit suites
	@tools/check kunit

series: ## write the patch series for linux-source-7.3 to OUT (build/series); SIGN_OFF=1 signs it off
	@tools/series/write "$(or $(OUT),build/series)"

fuzz: ## look for input that breaks the decoders of driver and twin, SECONDS=60 for each target
	@tools/fuzz/run $(SECONDS)

module: ## build the driver for Debian's kernel
	@tools/env/task "prepare the kernel's tree" tools/env/mkkernel
	@tools/env/task "build the module" tools/env/mkmodule

debug-kernel: ## build the debug kernel, with the driver in tree
	@tools/env/task "build the debug kernel" tools/env/mkdebug

clean: ## remove what was built here; build root and kernel tree stay in the cache
	rm -rf build tools/target tools/fuzz/artifacts
