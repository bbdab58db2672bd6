// SPDX-License-Identifier: GPL-2.0

//! Numbers that go round, and that the card at hand had begun to count before the trace.

/// How far the trace is ahead of the model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lead {
    by: u32,
    /// Whether the trace has shown, since it may have changed, what it is.
    pub known: bool,
}

impl Lead {
    /// The trace shows this number where the model has that, of so many.
    pub fn learn(&mut self, trace: u32, model: u32, of: u32) {
        self.by = (trace % of + of - model % of) % of;
        self.known = true;
    }

    /// The number in the model.
    pub fn to_model(self, trace: u32, of: u32) -> u32 {
        match trace < of {
            true => (trace + of - self.by % of) % of,
            // Stays wrong.
            false => trace,
        }
    }

    /// The number in the trace.
    pub fn to_trace(self, model: u32, of: u32) -> u32 {
        (model + self.by) % of
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let mut lead = Lead::default();
        lead.learn(3, 128, 129);
        assert_eq!((lead.to_trace(128, 129), lead.to_model(3, 129)), (3, 128));
        assert_eq!((lead.to_trace(0, 129), lead.to_model(2, 129)), (4, 127));
        assert_eq!(lead.to_model(129, 129), 129);
    }
}
