//! Paths as the GNU tools take them apart and put them together.

/// A path without its trailing slashes; `/` stays.
#[must_use]
pub fn without_trailing_slashes(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|&byte| byte != b'/').map_or(path.len().min(1), |last| last + 1);
    &path[..end]
}

/// The last component, as basename(1) prints it: `"b"` of `"a/b/"`, `"/"` of `"//"`.
#[must_use]
pub fn base_name(path: &[u8]) -> &[u8] {
    let path = without_trailing_slashes(path);
    match path.iter().rposition(|&byte| byte == b'/') {
        Some(_) if path == b"/" => path,
        Some(slash) => &path[slash + 1..],
        None => path,
    }
}

/// All but the last component, as dirname(1) prints it: `"a"` of `"a/b"`, `"."` of `"a"`.
#[must_use]
pub fn dir_name(path: &[u8]) -> &[u8] {
    let path = without_trailing_slashes(path);
    match path.iter().rposition(|&byte| byte == b'/') {
        Some(0) => b"/",
        Some(slash) => without_trailing_slashes(&path[..slash]),
        None => b".",
    }
}

/// `directory/name`, with one slash between them.
#[must_use]
pub fn join(directory: &[u8], name: &[u8]) -> Vec<u8> {
    let mut path = directory.to_vec();
    if !path.is_empty() && !path.ends_with(b"/") {
        path.push(b'/');
    }
    path.extend_from_slice(name);
    path
}

/// Whether the name is `.` or `..`.
#[must_use]
pub fn is_dot_or_dotdot(name: &[u8]) -> bool {
    matches!(name, b"." | b"..")
}

#[cfg(test)]
mod tests {
    use super::{base_name, dir_name, join};

    #[test]
    fn paths_come_apart_and_together() {
        for (path, directory, base) in [
            ("a", ".", "a"),
            ("a/b/", "a", "b"),
            ("/a", "/", "a"),
            ("//", "/", "/"),
            ("/a//b", "/a", "b"),
            ("", ".", ""),
        ] {
            assert_eq!(dir_name(path.as_bytes()), directory.as_bytes(), "{path}");
            assert_eq!(base_name(path.as_bytes()), base.as_bytes(), "{path}");
        }
        assert_eq!(join(b"a/", b"b"), b"a/b");
        assert_eq!(join(b"a", b"b"), b"a/b");
    }
}
