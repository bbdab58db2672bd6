// SPDX-License-Identifier: GPL-2.0

mod cdbs;
mod properties;
mod seed;
mod transfers;
