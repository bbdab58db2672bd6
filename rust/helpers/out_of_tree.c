// SPDX-License-Identifier: GPL-2.0
/*
 * The helpers as an object of the out-of-tree module. In tree they are part of
 * rust/helpers/helpers.c, whose macro this file has to bring along. Those of module.c
 * are not needed: Debian's kernel can unload modules.
 */

#include <linux/compiler_types.h>

#define __rust_helper

#include "ratelimit.c"
