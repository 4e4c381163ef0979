//! The keys of a profile that only real guests have.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use provium_qemu::profile::{AccelKind, AgentKind, LinkKind, QemuProfile, TimeKind};
use serde::{Deserialize, Deserializer, de};

use super::RawProfile;

/// What the file says of a profile, for QEMU. Paths are relative to `dir`.
pub(super) fn profile(dir: &Path, name: &str, raw: &RawProfile) -> QemuProfile {
    let path = |file: &Option<FilePath>| file.as_ref().map(|FilePath(path)| dir.join(path));
    QemuProfile {
        name: name.to_owned(),
        kernel: path(&raw.kernel),
        initrd: path(&raw.initrd),
        agent: word(&raw.agent),
        link: word(&raw.link),
        time: word(&raw.time),
        machine: raw.machine.as_ref().map(|Word(machine)| *machine),
        accel: word(&raw.accel),
    }
}

/// Refuses what each key allows and all of them together do not.
pub(super) fn check(raw: &RawProfile) -> Result<(), String> {
    if word(&raw.time) == TimeKind::Virtual && word(&raw.accel) == AccelKind::Kvm {
        return Err(
            "`time = \"virtual\"` counts the instructions of the guest, which KVM cannot: leave out `accel = \"kvm\"`"
                .to_owned(),
        );
    }
    let link = word(&raw.link);
    if word(&raw.agent) == AgentKind::Qga && link != LinkKind::Virtio {
        return Err(format!(
            "`agent = \"qga\"` is reached through the virtio port that packages of qemu-guest-agent listen on: leave out `link = \"{link}\"`"
        ));
    }
    Ok(())
}

fn word<T: Copy + Default>(given: &Option<Word<T>>) -> T {
    given.as_ref().map_or_else(T::default, |Word(word)| *word)
}

/// One of a few words.
pub(super) struct Word<T>(T);

impl<'de, T: FromStr<Err: std::fmt::Display>> Deserialize<'de> for Word<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Word<T>, D::Error> {
        String::deserialize(deserializer)?.parse().map(Word).map_err(de::Error::custom)
    }
}

/// The path of a file.
#[derive(Deserialize)]
#[serde(try_from = "String")]
pub(super) struct FilePath(PathBuf);

impl TryFrom<String> for FilePath {
    type Error = String;

    fn try_from(path: String) -> Result<FilePath, String> {
        match path.chars().find(|c| c.is_control()) {
            _ if path.is_empty() => Err("the path of a file cannot be empty".to_owned()),
            Some(c) => Err(format!("the path of a file cannot hold {c:?}")),
            None => Ok(FilePath(path.into())),
        }
    }
}
