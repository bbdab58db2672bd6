// SPDX-License-Identifier: GPL-2.0

mod cdbs;
mod lists;
mod properties;
mod pvscsi;
mod residual;
mod seed;
mod transfers;
