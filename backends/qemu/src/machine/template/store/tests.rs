use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;

use super::*;
use crate::machine::{LaunchSpec, Qemu};

async fn key(content: &str) -> Option<TemplateKey> {
    let qemu: Qemu = crate::testing::qemu().await?;
    let spec = LaunchSpec::new("vm", "/dev/null", None);
    Some(TemplateKey::of(&qemu, &spec, Some(content)).unwrap())
}

/// Writes a template of one MiB.
fn put(store: &TemplateStore, key: &TemplateKey) {
    let memory = tempfile::tempfile().unwrap();
    memory.set_len(1 << 20).unwrap();
    memory.write_all_at(&[7; 300 << 10], 4096).unwrap();
    let memory: OwnedFd = memory.into();
    let state = files::anonymous().unwrap();
    state.write_all_at(b"devices", 0).unwrap();
    store.shared.put(key, |folder| files::write(folder, key.text(), 1, &memory, &state, b"printed")).unwrap();
}

#[tokio::test]
async fn only_what_is_whole_is_found() {
    let Some(key) = key("a").await else { return };
    let folder = tempfile::tempdir().unwrap();
    let open = || TemplateStore::open(folder.path().join("templates"), TEMPLATES_LIMIT).unwrap();
    let store = open();
    assert!(store.find(&key).await.unwrap().is_none());
    put(&store, &key);
    assert_eq!(store.find(&key).await.unwrap().unwrap().console(), b"printed");
    let template = folder.path().join("templates").join(key.id());
    for (name, at) in [("memory", 5000), ("memory", (1 << 20) - 1), ("state", 3), ("console", 0), ("manifest.json", 20)]
    {
        put(&store, &key);
        files::damage(&template, name, at);
        assert!(open().find(&key).await.unwrap().is_none(), "{name} was damaged at {at}");
    }
    for name in ["memory", "state", "console", "manifest.json"] {
        put(&store, &key);
        let file = File::options().write(true).open(template.join(name)).unwrap();
        file.set_len(file.metadata().unwrap().len() - 1).unwrap();
        assert!(open().find(&key).await.unwrap().is_none(), "{name} was cut");
        put(&store, &key);
        fs::remove_file(template.join(name)).unwrap();
        assert!(open().find(&key).await.unwrap().is_none(), "{name} was removed");
    }
    // Found before, and changed since: it is looked at again.
    put(&store, &key);
    assert!(store.find(&key).await.unwrap().is_some());
    files::damage(&template, "memory", 5000);
    assert!(store.find(&key).await.unwrap().is_none());
}

#[tokio::test]
async fn one_that_was_not_finished_is_never_found_and_goes() {
    let Some(key) = key("a").await else { return };
    let folder = tempfile::tempdir().unwrap();
    let store = TemplateStore::open(folder.path(), TEMPLATES_LIMIT).unwrap();
    let half = |folder: &Path| fs::write(folder.join("memory"), "half");
    let failing = |folder: &Path| half(folder).and(Err(io::Error::other("the disk is full")));
    let error = store.shared.put(&key, failing).unwrap_err().to_string();
    assert!(error.contains("the disk is full"), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    // Killed in the middle.
    let unfinished = folder.path().join(format!("{}{UNFINISHED}", key.id()));
    fs::create_dir(&unfinished).unwrap();
    half(&unfinished).unwrap();
    assert!(store.find(&key).await.unwrap().is_none());
    put(&store, &key);
    assert!(!unfinished.exists());
    assert!(store.find(&key).await.unwrap().is_some());
}

#[tokio::test]
async fn what_was_used_least_goes_when_room_is_needed() {
    let folder = tempfile::tempdir().unwrap();
    let store = TemplateStore::open(folder.path(), 900 << 10).unwrap();
    let mut keys = Vec::new();
    for content in ["a", "b", "c"] {
        let Some(key) = key(content).await else { return };
        keys.push(key);
    }
    put(&store, &keys[0]);
    put(&store, &keys[1]);
    let open = store.find(&keys[1]).await.unwrap().unwrap();
    assert!(store.find(&keys[0]).await.unwrap().is_some());
    put(&store, &keys[2]);
    assert!(store.find(&keys[0]).await.unwrap().is_some());
    assert!(store.find(&keys[1]).await.unwrap().is_none());
    assert!(store.find(&keys[2]).await.unwrap().is_some());
    assert_eq!(open.parts.memory.metadata().unwrap().len(), 1 << 20);
}

#[tokio::test]
async fn a_lock_is_one_persons() {
    let Some(key) = key("a").await else { return };
    let folder = tempfile::tempdir().unwrap();
    let store = TemplateStore::open(folder.path(), TEMPLATES_LIMIT).unwrap();
    let lock = store.lock(&key).await.unwrap();
    let other = TemplateStore::open(folder.path(), TEMPLATES_LIMIT).unwrap();
    assert!(tokio::time::timeout(Duration::from_millis(100), other.lock(&key)).await.is_err());
    drop(lock);
    other.lock(&key).await.unwrap();
}
