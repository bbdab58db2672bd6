//! The VM test bed.
