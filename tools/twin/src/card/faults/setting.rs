// SPDX-License-Identifier: GPL-2.0

//! How a fault is asked for: `NAME[:PARAMETER]`.
//!
//! The parameter is `[N][xMOST][@WHERE]`: it strikes one time in N, at most MOST
//! times, and WHERE (or how, or when) is what the table says.

use super::table::{FAULTS, Fault};

/// One fault, as it was asked for.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// The fault.
    pub fault: &'static Fault,
    /// It strikes one time in so many.
    pub one_in: u32,
    /// It strikes so many times at most.
    pub most: Option<u32>,
    /// Where, or how, or when.
    pub at: Option<u32>,
}

impl PartialEq for Setting {
    fn eq(&self, other: &Self) -> bool {
        let key = |s: &Self| (s.fault.name, s.one_in, s.most, s.at);
        key(self) == key(other)
    }
}

impl Eq for Setting {}

/// What is to go wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// These faults.
    pub settings: Vec<Setting>,
    /// And a mix that the seed decides.
    pub chaos: bool,
}

/// Why a plan was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// No such fault.
    #[error("no fault {0:?}; faults: chaos, {list}", list = names())]
    Name(String),
    /// The parameter is none.
    #[error("{0:?} is not [N][xMOST][@WHERE], numbers from 1 on")]
    Parameter(String),
}

fn names() -> String {
    let names: Vec<_> = FAULTS.iter().map(|fault| fault.name).collect();
    names.join(", ")
}

impl Plan {
    /// Adds what `NAME[:PARAMETER]` asks for; `none` takes all away.
    pub fn add(&mut self, text: &str) -> Result<(), PlanError> {
        let (name, parameter) = text.split_once(':').unwrap_or((text, ""));
        match name {
            "none" => *self = Plan::default(),
            "chaos" => self.chaos = true,
            name => {
                let fault = Fault::find(name).ok_or_else(|| PlanError::Name(name.into()))?;
                let setting = parameter_of(fault, parameter)
                    .ok_or_else(|| PlanError::Parameter(parameter.into()))?;
                self.settings.push(setting);
            }
        }
        Ok(())
    }

    /// The plan of several faults, with blanks or commas between them.
    pub fn parse(text: &str) -> Result<Plan, PlanError> {
        let mut plan = Plan::default();
        for one in text.split([' ', ',']).filter(|one| !one.is_empty()) {
            plan.add(one)?;
        }
        Ok(plan)
    }
}

fn parameter_of(fault: &'static Fault, text: &str) -> Option<Setting> {
    let mut setting = fault.setting();
    let (text, at) = text
        .split_once('@')
        .map_or((text, None), |(t, at)| (t, Some(at)));
    let (one_in, most) = text
        .split_once('x')
        .map_or((text, None), |(n, m)| (n, Some(m)));
    if let Some(at) = at {
        if fault.at.is_empty() {
            return None;
        }
        setting.at = Some(number(at)?);
    }
    if let Some(most) = most {
        setting.most = Some(number(most)?);
    }
    if !one_in.is_empty() {
        setting.one_in = number(one_in).filter(|n| *n > 0)?;
    }
    Some(setting)
}

fn number(text: &str) -> Option<u32> {
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters() {
        let of = |text: &str| {
            let setting = *Plan::parse(text).unwrap().settings.first().unwrap();
            (setting.one_in, setting.most, setting.at)
        };
        assert_eq!(of("lost-interrupt"), (50, None, None));
        assert_eq!(of("lost-interrupt:7"), (7, None, None));
        assert_eq!(of("lost-interrupt:1x3"), (1, Some(3), None));
        assert_eq!(of("garbled-response:1x1@5"), (1, Some(1), Some(5)));
        assert_eq!(of("silent-lun:@1"), (1, None, Some(1)));
        assert_eq!(of("busy:x2"), (50, Some(2), None));
        for wrong in [
            "busy:0",
            "busy:x",
            "busy:@1",
            "busy:1x1y",
            "busi",
            "busy:-1",
        ] {
            assert!(Plan::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn plans() {
        let plan = Plan::parse("busy, chaos long-sense").unwrap();
        assert!(plan.chaos && plan.settings.len() == 2);
        assert_eq!(Plan::parse("busy none").unwrap(), Plan::default());
        let wrong = Plan::parse("bisy").unwrap_err().to_string();
        assert!(wrong.contains("chaos, lost-interrupt"), "{wrong}");
    }
}
