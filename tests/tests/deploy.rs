//! What lies in `deploy` fits the program: samples load, units and package name what is there, compose has the five levels.

use std::path::{Path, PathBuf};

use protocol::division::Level;
use wuji::config::Config;

const LEVELS: [(&str, Level); 5] = [
    ("city", Level::City),
    ("county", Level::County),
    ("township", Level::Township),
    ("community", Level::Community),
    ("grid", Level::Grid),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(file: &str) -> String {
    std::fs::read_to_string(root().join(file)).unwrap_or_else(|e| panic!("{file}: {e}"))
}

#[test]
fn the_sample_of_each_level_loads_and_hangs_below_the_one_above() {
    let samples: Vec<Config> = LEVELS
        .iter()
        .map(|(name, level)| {
            let config = Config::load(&root().join("deploy/samples").join(name)).expect("a sample that loads");
            assert_eq!(config.node.division.level(), *level, "{name}");
            assert!(config.http.listen.ip().is_loopback(), "{name} shows no plain HTTP to the network");
            config
        })
        .collect();
    assert!(samples[0].parent.is_none(), "the city is the top");
    for pair in samples.windows(2) {
        let parent = pair[1].parent.as_ref().expect("a parent");
        assert_eq!(parent.id, pair[0].node.id);
        assert_eq!(parent.address, pair[0].link.advertise);
        assert!(pair[0].node.division.contains(pair[1].node.division));
    }
}

#[test]
fn the_sample_of_a_pack_loads_and_its_front_door_speaks_https() {
    let folder = root().join("deploy/samples/pack");
    let pack = wuji::pack::PackFile::load(&folder.join("pack.toml")).expect("a sample that loads");
    assert_eq!(pack.pack.nodes, ["nodes/*"]);
    assert!(matches!(pack.http.door(&folder), Ok(wuji::config::Door::Files { .. })));
    assert_eq!(pack.database.shared(&folder).expect("one database at most"), None, "a file for each node");
}

#[test]
fn the_operations_guide_installs_the_package_under_the_name_that_it_has() {
    let value = |file: &str, section: &str, key: &str| {
        let text = read(file);
        let after = text.split(section).nth(1).expect("the section").to_owned();
        let line = after.lines().find_map(|line| line.strip_prefix(&format!("{key} = "))).map(str::to_owned);
        line.expect("the key").trim_matches('"').to_owned()
    };
    let version = value("Cargo.toml", "[workspace.package]", "version");
    let revision = value("node/Cargo.toml", "[package.metadata.deb]", "revision");
    let name = format!("./wuji_{version}-{revision}_amd64.deb ");
    assert!(read("docs/operations.md").contains(&format!("apt-get install {name}")), "{name}");
}

#[test]
fn the_package_holds_files_that_are_there_and_the_units_name_what_it_installs() {
    let manifest = read("node/Cargo.toml");
    let assets = manifest.split("[package.metadata.deb]").nth(1).expect("what goes into the package");
    let listed: Vec<&str> =
        assets.lines().filter_map(|line| line.trim().strip_prefix("[\"")?.split('"').next()).collect();
    assert!(listed.len() >= 10, "{listed:?}");
    for file in listed.iter().filter(|file| !file.starts_with("target/")) {
        assert!(root().join("node").join(file).exists(), "{file} is in the package and not in the repository");
    }
    for file in ["wuji@.service", "wuji-backup@.service", "wuji-backup@.timer", "90-wuji.conf"] {
        assert!(listed.iter().any(|listed| listed.ends_with(file)), "{file} is not in the package");
    }
    for unit in ["deploy/wuji@.service", "deploy/wuji-backup@.service"] {
        let text = read(unit);
        assert!(text.contains("/usr/bin/wuji") && text.contains("User=wuji"), "{unit}");
        for wall in [
            "NoNewPrivileges=yes",
            "ProtectSystem=strict",
            "CapabilityBoundingSet=\n",
            "SystemCallFilter=@system-service",
        ] {
            assert!(text.contains(wall), "{unit} lacks {wall}");
        }
    }
    assert!(read("deploy/wuji@.service").contains("LimitNOFILE=65536"));
}

#[test]
fn the_kernel_gives_as_much_as_a_node_asks_for_its_sockets() {
    let asked = federation::driver::HostSettings::default().socket_buffer;
    let text = read("deploy/90-wuji.conf");
    for name in ["net.core.rmem_max", "net.core.wmem_max"] {
        let line = text.lines().find(|line| line.starts_with(name)).expect("a line");
        let given: usize = line.rsplit('=').next().expect("a value").trim().parse().expect("a number");
        assert!(given >= asked, "{name} gives {given} of {asked} bytes");
    }
}

#[test]
fn compose_has_the_five_levels_each_below_the_one_above() {
    let text = read("deploy/compose.yaml");
    let services = text.split("\nnetworks:").next().expect("services");
    let mut above = None;
    for (name, level) in LEVELS {
        let service = services.split(&format!("\n  {name}:\n")).nth(1).unwrap_or_else(|| panic!("no service {name}"));
        let service: String =
            service.lines().take_while(|l| l.is_empty() || l.starts_with("    ")).collect::<Vec<_>>().join("\n");
        let code = service.split("DIVISION: \"").nth(1).and_then(|rest| rest.split('"').next()).expect("a division");
        let code: protocol::division::DivisionCode = code.parse().expect("a code");
        assert_eq!(code.level(), level, "{name}");
        match above {
            None => assert!(!service.contains("ABOVE"), "the city is the top"),
            Some(above) => assert!(service.contains(&format!("ABOVE: {above}\n")), "{name} hangs below {above}"),
        }
        above = Some(name);
    }
    let script = read("deploy/compose/node.sh");
    for word in ["wuji init", "wuji token", "wuji join", "exec wuji run"] {
        assert!(script.contains(word), "{word}");
    }
}
