//! The image that is made here, of this machine's packages: is in it what guests need?

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use provium_qemu::image::{self, Image, MODULES, MODULES_LATER};
use provium_qemu::profile::{AgentKind, QemuProfile};
use provium_qemu::testing;

/// What an archive says of a file: its mode and its content.
type Files = BTreeMap<String, (u32, Vec<u8>)>;

const TYPE: u32 = 0o170_000;
const LINK: u32 = 0o120_000;
const DIRECTORY: u32 = 0o040_000;

/// The files of an initramfs made of archives that follow each other; later ones win.
fn files(bytes: &[u8]) -> Files {
    let (mut at, mut files) = (0, Files::new());
    while at < bytes.len() {
        if bytes[at] == 0 {
            at += 1;
            continue;
        }
        assert_eq!(&bytes[at..at + 6], b"070701", "an archive begins at {at}");
        let field = |index: usize| {
            let digits = std::str::from_utf8(&bytes[at + 6 + 8 * index..][..8]).expect("ASCII");
            u32::from_str_radix(digits, 16).expect("hexadecimal") as usize
        };
        let (mode, size, name_size) = (field(1), field(6), field(11));
        let name = String::from_utf8(bytes[at + 110..at + 110 + name_size - 1].to_vec()).expect("UTF-8");
        let data = (at + 110 + name_size).next_multiple_of(4);
        if name != "TRAILER!!!" {
            let mode = u32::try_from(mode).expect("a mode");
            files.insert(format!("/{name}"), (mode, bytes[data..data + size].to_vec()));
        }
        at = (data + size).next_multiple_of(4);
    }
    files
}

fn built(profile: &QemuProfile) -> Option<(Image, Files)> {
    let image =
        testing::available("image of Debian's packages", image::ensure(profile, &mut |line| eprintln!("{line}")))?;
    let dir = tempfile::tempdir().expect("a directory");
    let initrd = dir.path().join("initrd");
    image::initrd_with(&image, Some(b"\x7fELF agent"), &[], &initrd).expect("writable");
    let files = files(&fs::read(&initrd).expect("written"));
    Some((image, files))
}

/// Follows links from a path to a file.
fn follow<'a>(files: &'a Files, path: &str) -> Option<&'a (u32, Vec<u8>)> {
    let mut path = path.to_owned();
    for _ in 0..8 {
        let found = files.get(&path)?;
        if found.0 & TYPE != LINK {
            return Some(found);
        }
        let target = String::from_utf8(found.1.clone()).ok()?;
        path = if target.starts_with('/') { target } else { format!("{}/{target}", path.rsplit_once('/')?.0) };
    }
    None
}

fn lines(files: &Files, path: &str) -> Vec<String> {
    let content = &files.get(path).unwrap_or_else(|| panic!("no {path}")).1;
    String::from_utf8(content.clone()).expect("UTF-8").lines().map(str::to_owned).collect()
}

/// The loader looks into its cache first, and searches for what is not in it.
fn assert_the_loader_knows_all_libraries(files: &Files) {
    let cache = &files.get("/etc/ld.so.cache").expect("there is one").1;
    let libraries: Vec<&String> = files.keys().filter(|path| path.contains(".so")).collect();
    assert!(libraries.len() > 10);
    for path in libraries.into_iter().filter(|path| *path != "/etc/ld.so.cache") {
        let entry = [b"\0", path.as_bytes(), b"\0"].concat();
        assert!(cache.windows(entry.len()).any(|window| window == entry), "{path}");
    }
}

#[test]
fn the_image_holds_what_guests_need() {
    let Some((image, files)) = built(&QemuProfile::named("linux")) else { return };
    assert!(fs::metadata(&image.kernel).expect("there").len() > 1 << 20);
    let (first, later) = (lines(&files, MODULES), lines(&files, MODULES_LATER));
    let all: Vec<&String> = first.iter().chain(&later).collect();
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len(), "nothing is inserted twice");
    for module in &all {
        assert!(
            files.get(*module).is_some_and(|(_, content)| content.starts_with(b"\x7fELF")),
            "{module} is uncompressed"
        );
    }
    // What the link needs is inserted first, or built in.
    assert!(!later.iter().any(|module| module.ends_with("/virtio_console.ko")));
    for program in
        ["/bin/sh", "/bin/cat", "/usr/bin/awk", "/usr/bin/flock", "/bin/busybox", "/bin/mount", "/provium-agent"]
    {
        let (mode, content) = follow(&files, program).unwrap_or_else(|| panic!("no {program}"));
        assert!(mode & 0o111 != 0 && content.starts_with(b"\x7fELF"), "{program}");
    }
    assert!(files.keys().any(|path| path.contains("/ld-linux")), "there is a loader");
    assert_the_loader_knows_all_libraries(&files);
    assert!(!files.contains_key("/init"), "the agent is the first process");
    // A guest has the places of a simulated one.
    for (path, mode) in
        [("/tmp", 0o1777), ("/root", 0o700), ("/home/user", 0o755), ("/usr/local/bin", 0o755), ("/.", 0o755)]
    {
        assert_eq!(files.get(path).map(|(mode, _)| *mode), Some(DIRECTORY | mode), "{path}");
    }
    assert!(lines(&files, "/etc/passwd").iter().any(|line| line.starts_with("user:x:1000:1000:")));
}

#[test]
fn every_path_has_its_parents_before_it() {
    let Some((image, files)) = built(&QemuProfile::named("linux")) else { return };
    for path in files.keys() {
        let parent = path.rsplit_once('/').expect("absolute").0;
        assert!(parent.is_empty() || files.get(parent).is_some_and(|(mode, _)| mode & TYPE == DIRECTORY), "{path}");
    }
    assert_eq!(image::find(&QemuProfile::named("linux")).expect("readable"), Some(image), "what was made is found");
}

#[test]
fn a_guest_with_qemu_guest_agent_starts_it_itself() {
    let profile = QemuProfile { agent: AgentKind::Qga, ..QemuProfile::named("stock") };
    let Some((image, files)) = built(&profile) else { return };
    assert_eq!(image.init, None);
    assert_eq!(files.get("/init").map(|(_, target)| target.as_slice()), Some(&b"/bin/busybox"[..]));
    assert!(follow(&files, "/usr/sbin/qemu-ga").is_some_and(|(_, content)| content.starts_with(b"\x7fELF")));
    assert!(files.keys().any(|path| path.contains("/libglib-2.0.so")), "with its libraries");
    assert_the_loader_knows_all_libraries(&files);
    assert!(lines(&files, "/etc/inittab").iter().any(|line| line.contains(image::QGA_PORT)));
}
