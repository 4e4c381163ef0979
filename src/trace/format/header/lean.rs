//! The JSON text of a header: what a reader assumes anyway is left out, because most traces are short.
//!
//! Keys stand in alphabetical order, so that the same header is the same text whatever order the fields are declared in.

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::super::super::record::Header;
use provium_protocol::profile::Profile;

/// The text.
pub(super) fn json(header: &Header) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(&Lean(header))
}

/// What leaves out of itself what a reader assumes anyway.
struct Lean<'a, T>(&'a T);

/// Writes an entry unless its value is what is assumed of one that is missing.
fn entry<M: SerializeMap, T: Serialize + Default + PartialEq>(
    map: &mut M,
    key: &'static str,
    value: &T,
) -> Result<(), M::Error> {
    if *value == T::default() { Ok(()) } else { map.serialize_entry(key, value) }
}

impl Serialize for Lean<'_, Header> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Header {
            writer,
            required,
            file,
            file_sha256,
            backend,
            virtual_clock,
            strategy,
            seed,
            default_timeout,
            profiles,
            profile_sha256,
            redacted,
        } = self.0;
        let mut map = serializer.serialize_map(None)?;
        entry(&mut map, "backend", backend)?;
        entry(&mut map, "default_timeout", default_timeout)?;
        entry(&mut map, "file", file)?;
        entry(&mut map, "file_sha256", file_sha256)?;
        entry(&mut map, "profile_sha256", profile_sha256)?;
        if !profiles.is_empty() {
            map.serialize_entry("profiles", &Profiles(profiles))?;
        }
        entry(&mut map, "redacted", redacted)?;
        entry(&mut map, "required", required)?;
        entry(&mut map, "seed", seed)?;
        entry(&mut map, "strategy", strategy)?;
        entry(&mut map, "virtual_clock", virtual_clock)?;
        entry(&mut map, "writer", writer)?;
        map.end()
    }
}

/// Profiles by name.
struct Profiles<'a>(&'a std::collections::BTreeMap<String, Profile>);

impl Serialize for Profiles<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, profile)| (name, Lean(profile))))
    }
}

impl Serialize for Lean<'_, Profile> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Profile { name, memory, cpus, kernel_cmdline, hostname } = self.0;
        let mut map = serializer.serialize_map(None)?;
        entry(&mut map, "cpus", cpus)?;
        entry(&mut map, "hostname", hostname)?;
        entry(&mut map, "kernel_cmdline", kernel_cmdline)?;
        entry(&mut map, "memory", memory)?;
        // The only one without a default.
        map.serialize_entry("name", name)?;
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn value(header: &Header) -> Value {
        serde_json::from_slice(&json(header).unwrap()).unwrap()
    }

    #[test]
    fn what_is_assumed_is_left_out() {
        assert_eq!(value(&Header::default()), json!({}));
        let profile = Profile { name: "linux".to_owned(), ..Profile::default() };
        let header = Header { profiles: [("linux".to_owned(), profile)].into(), ..Header::default() };
        assert_eq!(value(&header), json!({"profiles": {"linux": {"name": "linux"}}}));
    }

    #[test]
    fn all_else_is_what_serde_makes_of_it_in_alphabetical_order() {
        let profile = Profile {
            name: "big".to_owned(),
            memory: Some(1 << 30),
            cpus: Some(2),
            kernel_cmdline: Some("quiet".to_owned()),
            hostname: Some("host".to_owned()),
        };
        let header = Header {
            writer: "w".to_owned(),
            required: vec!["feature".to_owned()],
            file: "a.test.lua".to_owned(),
            file_sha256: "00".to_owned(),
            backend: "sim".to_owned(),
            virtual_clock: true,
            strategy: "random".to_owned(),
            seed: Some(1),
            default_timeout: Some(2),
            profiles: [("big".to_owned(), profile)].into(),
            profile_sha256: [("big".to_owned(), "11".to_owned())].into(),
            redacted: 3,
        };
        // serde_json's own objects are sorted.
        let whole = serde_json::to_value(&header).unwrap();
        assert!(whole.as_object().unwrap().values().all(|value| !value.is_null()), "each has a value: {whole}");
        assert_eq!(String::from_utf8(json(&header).unwrap()).unwrap(), whole.to_string());
    }
}
