//! User and group names, from the guest's `/etc/passwd` and `/etc/group`.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use provium_kernel::{Errno, Sys};

use super::tool::Tool;

/// An entry of `/etc/passwd`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Login name.
    pub name: String,
    /// User id.
    pub uid: u32,
    /// Id of the primary group.
    pub gid: u32,
    /// Home directory.
    pub home: String,
    /// Login shell.
    pub shell: String,
}

/// An entry of `/etc/group`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Name.
    pub name: String,
    /// Group id.
    pub gid: u32,
    /// Names of the users who have it beside their primary group.
    pub members: Vec<String>,
}

/// Every user that `/etc/passwd` has; none if it cannot be read.
pub async fn users(sys: &Sys) -> Vec<User> {
    let fields = |line: &str| {
        let mut fields = line.split(':').map(str::to_owned);
        let (name, _password) = (fields.next()?, fields.next()?);
        let (uid, gid) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        let _comment = fields.next()?;
        Some(User { name, uid, gid, home: fields.next()?, shell: fields.next().unwrap_or_default() })
    };
    lines(sys, "/etc/passwd").await.lines().filter_map(fields).collect()
}

/// Every group that `/etc/group` has; none if it cannot be read.
pub async fn groups(sys: &Sys) -> Vec<Group> {
    let fields = |line: &str| {
        let mut fields = line.split(':');
        let (name, _password, gid) = (fields.next()?.to_owned(), fields.next()?, fields.next()?.parse().ok()?);
        let members = fields.next().unwrap_or_default().split(',').filter(|name| !name.is_empty());
        Some(Group { name, gid, members: members.map(str::to_owned).collect() })
    };
    lines(sys, "/etc/group").await.lines().filter_map(fields).collect()
}

async fn lines(sys: &Sys, path: &str) -> String {
    let data: Result<Vec<u8>, Errno> = sys.read_file(path).await;
    String::from_utf8_lossy(&data.unwrap_or_default()).into_owned()
}

/// Looks names up and remembers them, as `ls` and `ps` do.
#[derive(Default)]
pub struct NameCache {
    users: BTreeMap<u32, Option<String>>,
    groups: BTreeMap<u32, Option<String>>,
}

impl NameCache {
    /// The name of a user; `None` if nobody has that id.
    pub async fn user(&mut self, sys: &Sys, uid: u32) -> Option<String> {
        if let Entry::Vacant(missing) = self.users.entry(uid) {
            let name = users(sys).await.into_iter().find(|user| user.uid == uid).map(|user| user.name);
            missing.insert(name);
        }
        self.users.get(&uid).cloned().flatten()
    }

    /// The name of a group; `None` if there is none of that id.
    pub async fn group(&mut self, sys: &Sys, gid: u32) -> Option<String> {
        if let Entry::Vacant(missing) = self.groups.entry(gid) {
            let name = groups(sys).await.into_iter().find(|group| group.gid == gid).map(|group| group.name);
            missing.insert(name);
        }
        self.groups.get(&gid).cloned().flatten()
    }
}

/// The id that a user's name or number means.
pub async fn uid_of(sys: &Sys, text: &str) -> Option<u32> {
    match users(sys).await.into_iter().find(|user| user.name == text) {
        Some(user) => Some(user.uid),
        None => text.parse().ok(),
    }
}

/// The id that a group's name or number means.
pub async fn gid_of(sys: &Sys, text: &str) -> Option<u32> {
    match groups(sys).await.into_iter().find(|group| group.name == text) {
        Some(group) => Some(group.gid),
        None => text.parse().ok(),
    }
}

/// What `chown` takes: `user`, `user:group`, `:group`, `user:` (the user's own group).
pub async fn owner_of(tool: &Tool, text: &[u8]) -> Result<(Option<u32>, Option<u32>), String> {
    let shown = super::quote(text);
    let text = String::from_utf8_lossy(text).into_owned();
    let (user, group) = match text.split_once(':') {
        Some((user, group)) => (user, Some(group)),
        None => (text.as_str(), None),
    };
    let sys = &tool.sys;
    let uid = match user {
        "" => None,
        name => Some(uid_of(sys, name).await.ok_or_else(|| format!("invalid user: {shown}"))?),
    };
    let gid = match (group, uid) {
        (None, _) | (Some(""), None) => None,
        (Some(""), Some(uid)) => {
            let login = users(sys).await.into_iter().find(|known| known.uid == uid && user.parse::<u32>().is_err());
            Some(login.ok_or_else(|| format!("invalid spec: {shown}"))?.gid)
        }
        (Some(name), _) => Some(gid_of(sys, name).await.ok_or_else(|| format!("invalid group: {shown}"))?),
    };
    Ok((uid, gid))
}
