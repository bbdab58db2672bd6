// SPDX-License-Identifier: GPL-2.0

mod cdbs;
mod learn;
mod properties;
mod seed;
mod transfers;
