# SPDX-License-Identifier: GPL-2.0
#
# Everything is built and run inside the build root (tools/env/mkroot), which
# the first call makes. V=1 shows all output.

.PHONY: module clean

module:
	@tools/env/task "build the module" tools/env/mkmodule

clean:
	rm -rf build tools/target
