use std::io::Write as _;
use std::process::{Command, Stdio};

use proptest::prelude::*;

use super::*;

/// One entry as a reader that knows only the format's description sees it.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    name: Vec<u8>,
    mode: u32,
    owner: (u32, u32),
    device: (u32, u32),
    data: Vec<u8>,
}

/// Reads an archive to its end; every step is checked.
fn read(bytes: &[u8]) -> Vec<Entry> {
    let (mut at, mut entries, mut inos) = (0, Vec::new(), Vec::new());
    loop {
        assert_eq!(at % 4, 0, "headers are aligned");
        assert_eq!(&bytes[at..at + 6], b"070701");
        let field = |index: usize| {
            let digits = &bytes[at + 6 + 8 * index..][..8];
            u32::from_str_radix(std::str::from_utf8(digits).expect("ASCII"), 16).expect("hexadecimal")
        };
        let (size, name_size) = (field(6) as usize, field(11) as usize);
        let name = &bytes[at + 110..][..name_size];
        assert_eq!(name.last(), Some(&0), "names are terminated");
        let data = (at + 110 + name_size).next_multiple_of(4);
        assert!(bytes[at + 110 + name_size..data].iter().all(|byte| *byte == 0));
        let end = (data + size).next_multiple_of(4);
        assert!(bytes[data + size..end].iter().all(|byte| *byte == 0));
        if name == b"TRAILER!!!\0" {
            assert_eq!(end, bytes.len(), "nothing follows the trailer");
            return entries;
        }
        assert!(!inos.contains(&field(0)), "every entry is a file of its own");
        inos.push(field(0));
        entries.push(Entry {
            name: name[..name_size - 1].to_vec(),
            mode: field(1),
            owner: (field(2), field(3)),
            device: (field(9), field(10)),
            data: bytes[data..data + size].to_vec(),
        });
        at = end;
    }
}

/// The names in an archive.
pub(crate) fn names(bytes: &[u8]) -> Vec<String> {
    read(bytes).into_iter().map(|entry| String::from_utf8(entry.name).expect("UTF-8")).collect()
}

#[derive(Clone, Debug)]
enum OwnedNode {
    Directory,
    File(Vec<u8>),
    Symlink(Vec<u8>),
    Char(u32, u32),
    Fifo,
}

fn node(owned: &OwnedNode) -> Node<'_> {
    match owned {
        OwnedNode::Directory => Node::Directory,
        OwnedNode::File(content) => Node::File(content),
        OwnedNode::Symlink(target) => Node::Symlink(target),
        OwnedNode::Char(major, minor) => Node::CharDevice(*major, *minor),
        OwnedNode::Fifo => Node::Fifo,
    }
}

fn any_node() -> impl Strategy<Value = OwnedNode> {
    prop_oneof![
        Just(OwnedNode::Directory),
        Just(OwnedNode::Fifo),
        prop::collection::vec(any::<u8>(), 0..200).prop_map(OwnedNode::File),
        prop::collection::vec(1..=255_u8, 1..50).prop_map(OwnedNode::Symlink),
        (any::<u32>(), any::<u32>()).prop_map(|(major, minor)| OwnedNode::Char(major, minor)),
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(
        entries in prop::collection::vec(("[a-z]{1,9}(/[a-z]{1,40}){0,3}", any_node(), 0..0o10000_u32, any::<u16>()), 0..20)
    ) {
        let mut archive = Archive::new(Vec::new());
        for (name, owned, perm, uid) in &entries {
            let attributes = Attributes { perm: *perm, uid: u32::from(*uid), gid: 7 };
            archive.add(format!("/{name}").as_bytes(), node(owned), attributes).expect("good");
        }
        let back = read(&archive.finish().expect("memory"));
        prop_assert_eq!(back.len(), entries.len());
        for ((name, owned, perm, uid), entry) in entries.iter().zip(back) {
            prop_assert_eq!(&entry.name, name.as_bytes());
            prop_assert_eq!(entry.mode & 0o7777, *perm);
            prop_assert_eq!(entry.owner, (u32::from(*uid), 7));
            let expected: (u32, &[u8], (u32, u32)) = match owned {
                OwnedNode::Directory => (S_IFDIR, b"", (0, 0)),
                OwnedNode::File(content) => (S_IFREG, content, (0, 0)),
                OwnedNode::Symlink(target) => (S_IFLNK, target, (0, 0)),
                OwnedNode::Char(major, minor) => (S_IFCHR, b"", (*major, *minor)),
                OwnedNode::Fifo => (S_IFIFO, b"", (0, 0)),
            };
            prop_assert_eq!((entry.mode & !0o7777, &entry.data[..], entry.device), expected);
        }
    }

    #[test]
    fn no_path_panics(path in prop::collection::vec(any::<u8>(), 0..60)) {
        let mut archive = Archive::new(Vec::new());
        if archive.add(&path, Node::Fifo, Attributes::root(0o644)).is_ok() {
            prop_assert_eq!(read(&archive.finish().expect("memory")).len(), 1);
        }
    }
}

#[test]
fn paths_that_mean_something_else_are_refused() {
    let mut archive = Archive::new(Vec::new());
    let long = vec![b'a'; MAX_NAME];
    for path in [&b""[..], b"/", b"///", b"a\0b", b"../etc/x", b"/a/../b", b"TRAILER!!!", b"/TRAILER!!!", &long] {
        assert!(archive.add(path, Node::Fifo, Attributes::root(0o644)).is_err(), "{}", path.escape_ascii());
    }
    assert!(archive.add(b"l", Node::Symlink(b""), Attributes::root(0o777)).is_err());
    archive.add(&long[1..], Node::Fifo, Attributes::root(0o644)).expect("the longest that the kernel takes");
    archive.add(b"..a/b..", Node::Fifo, Attributes::root(0o644)).expect("dots in names are no parents");
    assert_eq!(read(&archive.finish().expect("memory")).len(), 2);
}

/// The lines that another cpio lists an archive in; none if this machine has no such program.
fn listed(program: &str, arguments: &[&str], archive: &[u8]) -> Option<Vec<String>> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    child.stdin.take().expect("a pipe").write_all(archive).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{program} refuses the archive");
    Some(String::from_utf8(output.stdout).expect("UTF-8").lines().map(str::to_owned).collect())
}

#[test]
fn other_programs_read_it() {
    let mut archive = Archive::new(Vec::new());
    archive.add(b"/etc", Node::Directory, Attributes::root(0o755)).expect("good");
    archive.add(b"/etc/passwd", Node::File(b"root:x:0:0\n"), Attributes::root(0o644)).expect("good");
    archive.add(b"/dev-console", Node::CharDevice(5, 1), Attributes::root(0o600)).expect("good");
    archive.add(b"/link", Node::Symlink(b"/etc/passwd"), Attributes::root(0o777)).expect("good");
    let bytes = archive.finish().expect("memory");
    for (program, arguments) in [("busybox", &["cpio", "-t"][..]), ("cpio", &["-t", "--quiet"])] {
        if let Some(lines) = listed(program, arguments, &bytes) {
            assert_eq!(lines, ["etc", "etc/passwd", "dev-console", "link"], "{program}");
        }
    }
}
