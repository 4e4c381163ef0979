//! Pathname expansion.

use super::MAX_FIELDS;
use super::fields::text_of;
use crate::shell::pattern::{Pattern, QUOTED, Symbol, byte_of};
use crate::shell::state::Shell;

/// A component of a path and the slashes before it.
struct Component<'s> {
    slashes: usize,
    symbols: &'s [Symbol],
}

fn components(path: &[Symbol]) -> Vec<Component<'_>> {
    let is_slash = |symbol: &&Symbol| byte_of(**symbol) == b'/';
    let mut components = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        let slashes = rest.iter().take_while(is_slash).count();
        let length = rest[slashes..].iter().take_while(|symbol| !is_slash(symbol)).count();
        components.push(Component { slashes, symbols: &rest[slashes..slashes + length] });
        rest = &rest[slashes + length..];
    }
    components
}

/// The text of a component that is no pattern; a backslash from an expansion quotes what follows it.
fn literal(symbols: &[Symbol]) -> Vec<u8> {
    let mut text = Vec::with_capacity(symbols.len());
    let mut rest = symbols.iter();
    while let Some(&symbol) = rest.next() {
        let escapes = symbol & QUOTED == 0 && byte_of(symbol) == b'\\';
        match rest.as_slice().first() {
            Some(&next) if escapes => {
                rest.next();
                text.push(byte_of(next));
            }
            _ => text.push(byte_of(symbol)),
        }
    }
    text
}

impl Shell {
    /// The files that match, in order; the text itself if there are none.
    pub(super) async fn glob(&mut self, field: &[Symbol]) -> Vec<Vec<u8>> {
        self.made_call = true;
        let components = components(field);
        let last = components.len() - 1;
        let mut paths = vec![Vec::new()];
        let mut searched = false;
        for (index, component) in components.iter().enumerate() {
            for path in &mut paths {
                path.extend(std::iter::repeat_n(b'/', component.slashes));
            }
            if Pattern::is_pattern(component.symbols) {
                paths = self.matches_in(paths, component.symbols).await;
                searched = true;
            } else {
                let name = literal(component.symbols);
                for path in &mut paths {
                    path.extend_from_slice(&name);
                }
                if searched && index == last {
                    paths = self.existing(paths).await;
                }
            }
        }
        if paths.is_empty() {
            return vec![text_of(field)];
        }
        paths.sort();
        paths
    }

    async fn matches_in(&mut self, directories: Vec<Vec<u8>>, symbols: &[Symbol]) -> Vec<Vec<u8>> {
        let pattern = Pattern::new(symbols);
        let mut paths = Vec::new();
        for directory in directories {
            let place: &[u8] = if directory.is_empty() { b"." } else { &directory };
            let Ok(entries) = self.sys.read_dir(place).await else { continue };
            let dots = [b".".to_vec(), b"..".to_vec()];
            for name in dots.into_iter().chain(entries.into_iter().map(|entry| entry.name)) {
                let is_hidden = name.first() == Some(&b'.') && !pattern.begins_with_dot();
                if !is_hidden && pattern.matches(&name) && paths.len() < MAX_FIELDS {
                    paths.push([&directory[..], &name].concat());
                }
            }
        }
        paths
    }

    async fn existing(&mut self, paths: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        let mut existing = Vec::new();
        for path in paths {
            if self.sys.lstat(&path).await.is_ok() {
                existing.push(path);
            }
        }
        existing
    }
}
