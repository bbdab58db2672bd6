//! The card itself: registers, command slots, DMA, interrupts.
