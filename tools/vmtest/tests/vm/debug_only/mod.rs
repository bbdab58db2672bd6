// SPDX-License-Identifier: GPL-2.0

//! What only a debug kernel can show.

mod detector;
mod io_timeout;
mod pressure;
