// SPDX-License-Identifier: GPL-2.0

mod cdbs;
mod seed;
mod transfers;
