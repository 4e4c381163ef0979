use super::*;

fn make(cache: &Cache, kind: Kind, key: &str, content: &str) -> Entry {
    let _lock = cache.lock(kind, &mut |_| {}).expect("free");
    let made = cache.fresh(kind).expect("writable");
    fs::write(made.path().join("kernel"), content).expect("writable");
    let files = [("kernel".to_owned(), describe(&made.path().join("kernel")).expect("readable"))];
    let manifest = Manifest {
        kind: kind.as_str().to_owned(),
        builder: BUILDER,
        kernel_version: "6.1".to_owned(),
        packages: Vec::new(),
        files: files.into(),
    };
    cache.commit(kind, key, made, manifest).expect("writable")
}

fn cache() -> (tempfile::TempDir, Cache) {
    let dir = tempfile::tempdir().expect("a directory");
    let cache = Cache::at(dir.path().join("cache"));
    (dir, cache)
}

#[test]
fn an_entry_is_found_again() {
    let (_dir, cache) = cache();
    assert_eq!(cache.current(Kind::Linux), None);
    assert!(cache.entries().is_empty());
    let entry = make(&cache, Kind::Linux, "a", "one");
    assert_eq!(cache.current(Kind::Linux), Some(entry.clone()));
    assert_eq!(cache.keyed(Kind::Linux, "a"), Some(entry.clone()));
    assert_eq!(cache.current(Kind::LinuxQga), None);
    assert_eq!(cache.entries(), std::slice::from_ref(&entry));
    assert_eq!(fs::read_to_string(entry.file("kernel").expect("listed")).expect("there"), "one");
    assert_eq!(entry.file("initrd"), None);
}

#[test]
fn damage_is_noticed() {
    let (_dir, cache) = cache();
    let entry = make(&cache, Kind::Linux, "a", "one");
    let kernel = entry.file("kernel").expect("listed");
    // Same size, other content, and then the old time of change: the time of the inode's change remains.
    let old = fs::metadata(&kernel).and_then(|found| found.modified()).expect("a time");
    fs::write(&kernel, "two").expect("writable");
    File::options().write(true).open(&kernel).and_then(|file| file.set_modified(old)).expect("writable");
    assert_eq!(cache.current(Kind::Linux), None);
    fs::write(&kernel, "one").expect("writable");
    assert!(cache.current(Kind::Linux).is_some(), "what is whole again is used again");
    fs::write(&kernel, "on").expect("writable");
    assert_eq!(cache.current(Kind::Linux), None);
    fs::remove_file(&kernel).expect("there");
    assert_eq!(cache.current(Kind::Linux), None);
    let whole = make(&cache, Kind::Linux, "a", "one");
    assert_eq!(cache.current(Kind::Linux), Some(whole), "made anew over the damaged one");
}

#[test]
fn a_manifest_that_is_damaged_is_none() {
    let (_dir, cache) = cache();
    let entry = make(&cache, Kind::Linux, "a", "one");
    let good = fs::read_to_string(entry.dir.join(MANIFEST)).expect("there");
    for text in ["", "{", "null", &good.replace("kernel\"", "../kernel\""), &good[..good.len() - 2]] {
        fs::write(entry.dir.join(MANIFEST), text).expect("writable");
        assert_eq!(cache.current(Kind::Linux), None, "{text}");
    }
    fs::write(entry.dir.join(MANIFEST), good.replace("\"builder\": ", "\"builder\": 9")).expect("writable");
    assert_eq!(cache.current(Kind::Linux), None, "of another builder");
}

#[test]
fn only_the_last_two_are_kept() {
    let (_dir, cache) = cache();
    for key in ["a", "b", "c"] {
        make(&cache, Kind::Linux, key, key);
    }
    let other = make(&cache, Kind::LinuxQga, "a", "q");
    let names: Vec<String> = cache
        .entries()
        .iter()
        .map(|entry| entry.dir.file_name().expect("a name").to_string_lossy().into_owned())
        .collect();
    assert_eq!(names, ["linux-b", "linux-c", "linux-qga-a"]);
    assert_eq!(cache.current(Kind::LinuxQga), Some(other));
}

#[test]
fn what_a_killed_maker_left_is_removed() {
    let (_dir, cache) = cache();
    make(&cache, Kind::Linux, "a", "one");
    let (left, others) = (cache.images().join(".new-linux-x1"), cache.images().join(".new-linux-qga-x1"));
    for dir in [&left, &others] {
        fs::create_dir(dir).expect("writable");
        fs::write(dir.join("kernel"), "half").expect("writable");
    }
    drop(cache.fresh(Kind::Linux).expect("writable"));
    assert!(!left.exists() && others.exists(), "only of the kind that is locked");
}

#[test]
fn makers_wait_for_each_other() {
    let (_dir, cache) = cache();
    let held = cache.lock(Kind::Linux, &mut |_| {}).expect("free");
    let (told, heard) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let second = scope.spawn(|| {
            let mut progress = |text: &str| told.send(text.to_owned()).expect("listened to");
            make(&cache, Kind::LinuxQga, "free", "x");
            cache.lock(Kind::Linux, &mut progress).expect("free at last");
        });
        assert_eq!(heard.recv().expect("it says so"), "waiting for another provium that makes this image");
        assert!(!second.is_finished());
        drop(held);
        second.join().expect("it gets the lock");
    });
}

#[test]
fn the_environment_says_where() {
    let at = |variables: &[(&str, &str)]| {
        let find =
            |name: &str| variables.iter().find(|(other, _)| *other == name).map(|(_, value)| PathBuf::from(value));
        Cache::locate(find).map(|cache| cache.root).map_err(|error| error.to_string())
    };
    assert_eq!(at(&[("PROVIUM_CACHE", "/p"), ("HOME", "/h")]), Ok("/p".into()));
    assert_eq!(at(&[("XDG_CACHE_HOME", "/x"), ("HOME", "/h")]), Ok("/x/provium".into()));
    assert_eq!(at(&[("XDG_CACHE_HOME", "x"), ("HOME", "/h")]), Ok("/h/.cache/provium".into()));
    assert!(at(&[("HOME", "")]).is_err());
}
