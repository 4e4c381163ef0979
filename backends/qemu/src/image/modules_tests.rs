use proptest::prelude::*;

use super::*;

/// Modules by name, with what they need and what they want.
#[derive(Debug, Default)]
struct Fake {
    modules: BTreeMap<String, (Vec<String>, Vec<String>)>,
    built_in: BTreeSet<String>,
}

impl Fake {
    fn new(lines: &[(&str, &[&str])]) -> Fake {
        let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let modules = lines.iter().map(|(name, depends)| ((*name).to_owned(), (own(depends), Vec::new()))).collect();
        Fake { modules, built_in: BTreeSet::new() }
    }
}

impl Source for Fake {
    fn module(&self, name: &str) -> Result<Option<Module>, ModuleError> {
        Ok(self.modules.get(name).map(|(depends, wants)| Module {
            name: name.to_owned(),
            path: format!("kernel/{name}.ko"),
            content: Vec::new(),
            depends: depends.clone(),
            wants: wants.clone(),
            aliases: Vec::new(),
        }))
    }

    fn built_in(&self, name: &str) -> bool {
        self.built_in.contains(name)
    }
}

fn names(modules: &[Module]) -> Vec<&str> {
    modules.iter().map(|module| module.name.as_str()).collect()
}

#[test]
fn what_is_needed_comes_first() {
    let fake = Fake::new(&[
        ("virtio_pci", &["virtio_ring", "virtio_pci_modern_dev", "virtio"]),
        ("virtio", &["virtio_ring"]),
        ("virtio_ring", &[]),
        ("virtio_pci_modern_dev", &[]),
        ("virtio_console", &["virtio", "virtio_ring"]),
    ]);
    let mut order = Order::new(&fake);
    order.require("virtio-pci").expect("there");
    order.require("virtio_console").expect("there");
    assert_eq!(
        names(&order.into_modules()),
        ["virtio_ring", "virtio_pci_modern_dev", "virtio", "virtio_pci", "virtio_console"]
    );
}

#[test]
fn what_is_missing_is_named() {
    let mut fake = Fake::new(&[("a", &["b"]), ("b", &["c"]), ("x", &["y"]), ("y", &["x"]), ("ok", &["d"]), ("d", &[])]);
    let error = |fake: &Fake, name| Order::new(fake).require(name).map_err(|error| error.to_string());
    assert_eq!(error(&fake, "a"), Err("`b` needs `c`, which the package does not hold".to_owned()));
    assert_eq!(error(&fake, "z"), Err("the kernel has no `z`, neither built in nor as a module".to_owned()));
    assert_eq!(error(&fake, "x"), Err("`x` needs itself".to_owned()));
    let mut order = Order::new(&fake);
    assert!(order.offer("ok").expect("readable"));
    assert!(!order.offer("a").expect("readable"));
    assert_eq!(names(&order.into_modules()), ["d", "ok"], "what cannot be had leaves nothing behind");
    fake.built_in.insert("c".to_owned());
    assert_eq!(error(&fake, "a"), Ok(()));
}

#[test]
fn modprobe_is_told_what_modules_need() {
    let fake = Fake::new(&[("c", &["b"]), ("b", &["a"]), ("a", &[])]);
    let mut order = Order::new(&fake);
    order.require("c").expect("there");
    let modules = order.into_modules();
    assert_eq!(modules_dep(&modules), "kernel/a.ko:\nkernel/b.ko: kernel/a.ko\nkernel/c.ko: kernel/b.ko kernel/a.ko\n");
}

#[test]
fn a_module_says_what_it_needs() {
    let read =
        info(b"license=GPL\0alias=fs-overlay\0depends=virtio,snd-pcm\0softdep=pre: crc32c x post: y\0name=z\0\xff\0");
    let expected = Info {
        depends: vec!["virtio".to_owned(), "snd_pcm".to_owned()],
        wants: vec!["crc32c".to_owned(), "x".to_owned()],
        aliases: vec!["fs-overlay".to_owned()],
    };
    assert_eq!(read, expected);
    assert_eq!(info(b"depends="), Info::default());
}

#[test]
fn files_are_modules_by_their_endings() {
    let name = |path| module_name(Path::new(path));
    assert_eq!(name("kernel/drivers/virtio-rng.ko"), Some("virtio_rng".to_owned()));
    assert_eq!(name("a/b.ko.xz"), Some("b".to_owned()));
    assert_eq!(name("a/b.ko.zst"), Some("b".to_owned()));
    assert_eq!(name("modules.order"), None);
    assert_eq!(name(".ko"), None);
}

#[test]
fn compressed_modules_are_unpacked_and_keep_their_place() {
    let dir = tempfile::tempdir().expect("a directory");
    let folder = dir.path().join("kernel/net");
    fs::create_dir_all(&folder).expect("made");
    let packed = zstd::encode_all(&b"\x7fELF and nothing"[..], 1).expect("memory");
    fs::write(folder.join("a-b.ko.zst"), packed).expect("written");
    fs::write(dir.path().join("modules.builtin"), "kernel/fs/ext4/ext4.ko\n").expect("written");
    let tree = Tree::scan(dir.path()).expect("readable");
    assert!(tree.built_in("ext4") && !tree.built_in("a_b"));
    assert!(tree.module("c").expect("readable").is_none());
    let error = tree.module("a_b").expect_err("no module").to_string();
    assert!(error.contains("a-b.ko.zst is no module: "), "{error}");
}

/// A few modules that need and want each other in any way.
fn any_fake() -> impl Strategy<Value = Fake> {
    let some = || prop::collection::vec(0..12_usize, 0..4);
    (prop::collection::vec((some(), some()), 1..10), prop::collection::btree_set(0..12_usize, 0..3)).prop_map(
        |(lines, built_in)| {
            let name = |number: usize| format!("m{number}");
            let names = |numbers: Vec<usize>| numbers.into_iter().map(name).collect::<Vec<_>>();
            Fake {
                modules: lines
                    .into_iter()
                    .enumerate()
                    .map(|(at, (depends, wants))| (name(at), (names(depends), names(wants))))
                    .collect(),
                built_in: built_in.into_iter().map(name).collect(),
            }
        },
    )
}

proptest! {
    #[test]
    fn dependencies_come_before_dependents(fake in any_fake(), asked in prop::collection::vec(0..12_usize, 1..8)) {
        let mut order = Order::new(&fake);
        let mut had = Vec::new();
        for number in asked {
            let name = format!("m{number}");
            if order.offer(&name).expect("nothing is unreadable") {
                had.push(name);
            }
        }
        let modules = order.into_modules();
        let names = names(&modules);
        for (at, module) in modules.iter().enumerate() {
            prop_assert!(!names[..at].contains(&names[at]), "nothing is inserted twice");
            prop_assert!(!fake.built_in(&module.name));
            for needed in &module.depends {
                prop_assert!(fake.built_in(needed) || names[..at].contains(&needed.as_str()), "{} before {}", needed, names[at]);
            }
        }
        for name in &had {
            prop_assert!(fake.built_in(name) || names.contains(&name.as_str()));
        }
    }

    #[test]
    fn no_bytes_panic(data in prop::collection::vec(any::<u8>(), 0..500)) {
        let _ = info(&data);
        let _ = modinfo(&data);
        let _ = modinfo(&[&b"\x7fELF\x02\x01\x01"[..], &data].concat());
    }
}
