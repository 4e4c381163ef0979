//! Canonical names of files: no links, no `.`, no `..`, no doubled slashes.

use std::collections::VecDeque;

use provium_kernel::{Errno, Sys};

use super::path::join;

/// Links followed before a name counts as a loop, as in the kernel.
const MAX_LINKS: u32 = 40;

/// Which components of the name must exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MustExist {
    /// All (`-e`).
    All,
    /// All but the last (`-f`).
    AllButLast,
    /// None (`-m`).
    None,
}

/// The canonical name of `path`. `links` says whether symbolic links are followed.
pub async fn canonicalize(sys: &Sys, path: &[u8], must: MustExist, links: bool) -> Result<Vec<u8>, Errno> {
    if path.is_empty() {
        return Err(Errno::ENOENT);
    }
    let mut result = if path.starts_with(b"/") { b"/".to_vec() } else { sys.getcwd().await? };
    let mut todo: VecDeque<Vec<u8>> = components(path).collect();
    let wants_directory = path.ends_with(b"/") || path.ends_with(b"/.");
    let mut followed = 0;
    while let Some(component) = todo.pop_front() {
        if component == b".." {
            let parent = super::path::dir_name(&result).to_vec();
            result = parent;
            continue;
        }
        let candidate = join(&result, &component);
        let target = if links { sys.readlink(&candidate).await } else { Err(Errno::EINVAL) };
        match target {
            Ok(target) => {
                followed += 1;
                if followed > MAX_LINKS {
                    return if must == MustExist::None { Ok(rest(candidate, &todo)) } else { Err(Errno::ELOOP) };
                }
                if target.starts_with(b"/") {
                    result = b"/".to_vec();
                }
                for component in components(&target).collect::<Vec<_>>().into_iter().rev() {
                    todo.push_front(component);
                }
            }
            // It is there and no link; a directory is needed if the name goes on.
            Err(Errno::EINVAL) => {
                if links && must != MustExist::None && (!todo.is_empty() || wants_directory) {
                    check_directory(sys, &candidate).await?;
                } else if !links && must != MustExist::None {
                    let last = todo.is_empty();
                    match sys.stat(&candidate).await {
                        Ok(stat) if (!last || wants_directory) && !stat.is_dir() => return Err(Errno::ENOTDIR),
                        Ok(_) => {}
                        Err(Errno::ENOENT) if last && must == MustExist::AllButLast => {}
                        Err(errno) => return Err(errno),
                    }
                }
                result = candidate;
            }
            Err(_) if must == MustExist::None => result = candidate,
            Err(Errno::ENOENT) if must == MustExist::AllButLast && todo.is_empty() => result = candidate,
            Err(errno) => return Err(errno),
        }
    }
    Ok(result)
}

async fn check_directory(sys: &Sys, path: &[u8]) -> Result<(), Errno> {
    if sys.stat(path).await?.is_dir() { Ok(()) } else { Err(Errno::ENOTDIR) }
}

fn components(path: &[u8]) -> impl DoubleEndedIterator<Item = Vec<u8>> {
    path.split(|&byte| byte == b'/').filter(|part| !part.is_empty() && *part != b".").map(<[u8]>::to_vec)
}

fn rest(mut path: Vec<u8>, todo: &VecDeque<Vec<u8>>) -> Vec<u8> {
    for component in todo {
        path = join(&path, component);
    }
    path
}
