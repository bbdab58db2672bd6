// SPDX-License-Identifier: GPL-2.0

//! `KEY=VALUE`: what is understood, and what is said of the rest.

use super::super::faults::Plan;
use super::super::odd::Odd;
use super::super::params::{CardParams, Inline, KEYS, LengthFrom, ListFlag, vocabulary};
use std::time::Duration;

#[test]
fn every_setting_reaches_its_field() {
    let params: CardParams = "seed=7 workers=2 delay-us=100 init-ms=1 ready-ms=2 enable-ms=3 \
        length-from=descriptor inline=fits lun0=card indices=reset old-commands=forget \
        list-flag=any reset-victims=ring stall=no batch=no lists=30 slots=64 left-running=yes \
        odd=tail-lost"
        .parse()
        .unwrap();
    assert_eq!(
        params,
        CardParams {
            seed: 7,
            workers: 2,
            delay: Duration::from_micros(100),
            init: Duration::from_millis(1),
            ready: Duration::from_millis(2),
            enable: Duration::from_millis(3),
            length_from: LengthFrom::Descriptor,
            inline: Inline::Fits,
            lun0_card: true,
            reset_indices: true,
            late_answers: false,
            list_flag: ListFlag::Any,
            victims_ring: true,
            stall: false,
            batch: false,
            lists: 30,
            slots: 64,
            left_running: true,
            faults: Plan::default(),
            odd: Some(Odd::TailLost),
        }
    );
    assert_eq!((params.entries(), params.first_volume()), (65, 1));
}

#[test]
fn the_first_word_is_the_default() {
    for key in KEYS.iter().filter(|key| key.name != "fault") {
        let Some((first, _)) = key.values.split_once('|') else {
            continue;
        };
        let mut params = CardParams::default();
        params.set(&format!("{}={first}", key.name)).unwrap();
        assert_eq!(
            format!("{params:?}"),
            format!("{:?}", CardParams::default()),
            "{}",
            key.name
        );
    }
}

#[test]
fn the_vocabulary_is_whole() {
    let text = vocabulary();
    for key in KEYS {
        assert!(text.contains(&format!("  {}={}", key.name, key.values)));
    }
    assert!(text.contains("odd=list-first-unit-only"));
}

#[test]
fn errors_say_what_would_be_right() {
    let mut params = CardParams::default();
    let unknown = params.set("colour=red").unwrap_err().to_string();
    assert!(unknown.contains("inline=seed|never|fits") && unknown.contains("delay-us"));
    let value = params.set("stall=maybe").unwrap_err().to_string();
    assert_eq!(value, "stall takes yes|no, not \"maybe\"");
    let odd = params.set("odd=strange").unwrap_err().to_string();
    assert!(odd.contains("`tools/vm settings`"), "{odd}");
    let fault = params.set("fault=nonsense").unwrap_err().to_string();
    assert!(fault.starts_with("no fault \"nonsense\"; faults: chaos, lost-interrupt, "));
    let fault = params.set("fault=busy:often").unwrap_err().to_string();
    assert_eq!(
        fault,
        "\"often\" is not [N][xMOST][@WHERE], numbers from 1 on"
    );
    assert!(params.set("inline").is_err() && params.set("init-ms=600001").is_err());
    assert_eq!(params, CardParams::default());
}
