// SPDX-License-Identifier: GPL-2.0

//! What the command line must have, and must not.

use super::*;

fn machine() -> Machine {
    Machine {
        kvm: false,
        memory: 2 << 30,
        cpus: 2,
        kernel: PathBuf::from("/cache/vm/vmlinux"),
        kernel_layer: None,
        run: PathBuf::from("/cache/vm/runs/1"),
        share: None,
        iommu: Iommu::Off,
        behind_bridge: false,
        card: Some(PathBuf::from("/cache/vm/runs/1/card.sock")),
        disks: Vec::new(),
        terminal: false,
        find_leaks: false,
        kunit: false,
        high_memory: 0,
        root_on_card: false,
        append: String::new(),
    }
}

/// The values of one option, in their order.
fn values(machine: &Machine, option: &str) -> Vec<String> {
    let arguments = machine.arguments();
    arguments
        .windows(2)
        .filter(|pair| pair[0] == option)
        .map(|pair| pair[1].clone())
        .collect()
}

#[test]
fn guest_memory_can_be_mapped_by_the_twin() {
    let object = &values(&machine(), "-object")[0];
    assert_eq!(
        object,
        "memory-backend-memfd,id=memory,size=2147483648,share=on"
    );
    assert_eq!(values(&machine(), "-m"), ["2147483648B"]);
    assert!(values(&machine(), "-machine")[0].contains("memory-backend=memory"));
}

#[test]
fn an_emulated_guest_gets_every_feature_and_a_real_one_the_hosts() {
    assert_eq!(values(&machine(), "-accel"), ["tcg"]);
    assert_eq!(values(&machine(), "-cpu"), ["max"]);
    let kvm = Machine {
        kvm: true,
        iommu: Iommu::Strict,
        ..machine()
    };
    assert_eq!(values(&kvm, "-cpu"), ["host"]);
    assert!(values(&kvm, "-machine")[0].contains("kernel-irqchip=split"));
}

#[test]
fn the_card_is_described_in_json_on_a_port_it_can_be_pulled_from() {
    let devices = values(&machine(), "-device");
    let card: serde_json::Value = serde_json::from_str(devices.last().unwrap()).unwrap();
    assert_eq!(card["driver"], "vfio-user-pci");
    assert_eq!(card["bus"], PORT_ID);
    assert_eq!(card["socket"]["path"], "/cache/vm/runs/1/card.sock");
    assert_eq!(card["socket"]["type"], "unix");
}

#[test]
fn a_bridge_comes_between_port_and_card() {
    let machine = Machine {
        behind_bridge: true,
        ..machine()
    };
    let devices = values(&machine, "-device");
    let [.., port, bridge, card] = devices.as_slice() else {
        panic!("{devices:?}")
    };
    assert!(port.starts_with("pcie-root-port"));
    assert!(bridge.starts_with("pcie-pci-bridge") && bridge.contains("bus=card-port"));
    assert!(card.contains(r#""bus":"bridge""#));
}

#[test]
fn the_iommu_comes_before_all_other_devices() {
    for (iommu, word) in [
        (Iommu::Strict, "iommu.strict=1"),
        (Iommu::Passthrough, "iommu.passthrough=1"),
    ] {
        let machine = Machine { iommu, ..machine() };
        assert!(values(&machine, "-device")[0].starts_with("intel-iommu"));
        let parameters = &values(&machine, "-append")[0];
        assert!(parameters.contains("intel_iommu=on") && parameters.contains(word));
    }
    let without = machine().arguments().join(" ");
    assert!(!without.contains("iommu"), "{without}");
}

#[test]
fn without_a_card_there_is_none() {
    let machine = Machine {
        card: None,
        ..machine()
    };
    assert!(!machine.arguments().join(" ").contains("vfio"));
}

#[test]
fn commas_in_paths_do_not_split_options() {
    let machine = Machine {
        share: Some(PathBuf::from("/srv/a,b")),
        ..machine()
    };
    let folders = values(&machine, "-fsdev");
    assert!(folders.last().unwrap().contains("path=/srv/a,,b,"));
    assert!(values(&machine, "-append")[0].contains("vm.share"));
}

#[test]
fn the_root_is_read_only() {
    for folder in values(&machine(), "-fsdev") {
        let writable = folder.contains("id=exchange");
        assert_eq!(folder.contains("readonly=on"), !writable, "{folder}");
    }
}

#[test]
fn kvm_is_for_processors_that_say_so() {
    assert!(offers_virtualization("flags\t\t: fpu vmx sse\n"));
    assert!(offers_virtualization("flags\t\t: fpu svm\n"));
    assert!(!offers_virtualization(
        "flags\t\t: fpu sse\nvmx flags\t: vnmi\n"
    ));
    assert!(!offers_virtualization("model name: svm vmx\n"));
}
