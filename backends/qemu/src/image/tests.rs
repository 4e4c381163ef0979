use provium_protocol::exec::ByteString;
use provium_protocol::profile::BootFile;

use super::*;

fn profile(dir: &Path) -> QemuProfile {
    let (kernel, initrd) = (dir.join("bzImage"), dir.join("initrd"));
    fs::write(&kernel, "kernel").expect("writable");
    fs::write(&initrd, "archive").expect("writable");
    QemuProfile { kernel: Some(kernel), initrd: Some(initrd), ..QemuProfile::named("own") }
}

#[test]
fn a_profile_may_bring_everything() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut own = profile(dir.path());
    let image = find(&own).expect("readable").expect("nothing is missing");
    assert_eq!((Some(image.kernel), Some(image.initrd.concat_one())), (own.kernel.clone(), own.initrd.clone()));
    assert_eq!(image.init, Some("rdinit=/provium-agent"));
    own.agent = AgentKind::Qga;
    let image = ensure(&own, &mut |line| panic!("nothing is made: {line}")).expect("readable");
    assert_eq!(image.init, None);
}

trait One {
    fn concat_one(self) -> PathBuf;
}

impl One for Vec<PathBuf> {
    fn concat_one(self) -> PathBuf {
        assert_eq!(self.len(), 1);
        self.into_iter().next().expect("one")
    }
}

#[test]
fn other_content_is_another_digest() {
    let dir = tempfile::tempdir().expect("a directory");
    let own = profile(dir.path());
    let digest = || find(&own).expect("readable").expect("there").digest;
    let before = digest();
    assert_eq!(digest(), before);
    fs::write(dir.path().join("initrd"), "changed").expect("writable");
    assert_ne!(digest(), before);
}

#[test]
fn files_that_are_missing_are_named() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut own = profile(dir.path());
    let told = |own: &QemuProfile| {
        let error = ensure(own, &mut |line| panic!("nothing is made: {line}")).expect_err("wrong").to_string();
        error.replace(&*dir.path().to_string_lossy(), "DIR")
    };
    fs::write(dir.path().join("bzImage"), "").expect("writable");
    assert_eq!(told(&own), "`kernel` of profile `own`: DIR/bzImage is empty");
    own.kernel = Some(dir.path().to_owned());
    assert_eq!(told(&own), "`kernel` of profile `own`: DIR is no ordinary file");
    own.kernel = None;
    own.initrd = Some(dir.path().join("none"));
    assert_eq!(
        told(&own),
        "`initrd` of profile `own`: DIR/none cannot be read: No such file or directory (os error 2)"
    );
}

#[test]
fn what_a_profile_leaves_out_is_made() {
    let mut some = QemuProfile::named("some");
    assert_eq!(Kind::of(&some), Some(Kind::Linux));
    some.agent = AgentKind::Qga;
    assert_eq!(Kind::of(&some), Some(Kind::LinuxQga));
    some.kernel = Some("k".into());
    assert_eq!(Kind::of(&some), Some(Kind::LinuxQga));
    some.initrd = Some("i".into());
    assert_eq!(Kind::of(&some), None);
    some.kernel = None;
    assert_eq!(Kind::of(&some), Some(Kind::Linux));
}

fn file(path: &str, content: &[u8], mode: Option<u32>) -> BootFile {
    BootFile { path: ByteString::from(path), content: content.to_vec(), mode }
}

#[test]
fn agent_and_files_follow_any_initramfs() {
    let dir = tempfile::tempdir().expect("a directory");
    let image = find(&profile(dir.path())).expect("readable").expect("there");
    let into = dir.path().join("out");
    let files =
        [file("/tmp/a/b", b"one", None), file("/tmp/a/c", b"two", Some(0o4755)), file("/etc/passwd", b"three", None)];
    initrd_with(&image, Some(b"\x7fELF"), &files, &into).expect("writable");
    let bytes = fs::read(&into).expect("written");
    assert!(bytes.starts_with(b"archive\x00070701"), "the next archive is aligned");
    let names: Vec<String> = cpio::tests::names(&bytes[8..]);
    assert_eq!(names, ["provium-agent", "tmp/a", "tmp/a/b", "tmp/a/c", "etc/passwd"]);
    initrd_with(&image, None, &[], &into).expect("writable");
    assert!(cpio::tests::names(&fs::read(&into).expect("written")[8..]).is_empty());
}

#[test]
fn boot_files_have_absolute_paths() {
    let dir = tempfile::tempdir().expect("a directory");
    let image = find(&profile(dir.path())).expect("readable").expect("there");
    for path in ["", "x", "/x/", "/", "/../x", "/a\0b"] {
        let error = initrd_with(&image, None, &[file(path, b"", None)], &dir.path().join("out"));
        assert!(matches!(error, Err(ImageError::Archive(_))), "{path}");
    }
    let error = initrd_with(&image, None, &[], &dir.path().join("none/out")).expect_err("no directory").to_string();
    assert!(error.starts_with("cannot write ") && error.contains("none/out: "), "{error}");
}
