//! epoll(7).

use std::collections::BTreeMap;

use provium_protocol::{Errno, Nanos};

use super::Kernel;
use super::file::{FileKind, OpenFile};
use super::poll::Watch;
use super::wait::{Channel, object};
use crate::flags::{O_CLOEXEC, O_RDWR, POLLERR, POLLHUP, POLLIN};
use crate::types::{Fd, Pid};

/// epoll_ctl(2): report once, then keep silent until told otherwise.
pub const EPOLLONESHOT: u32 = 1 << 30;
/// epoll_ctl(2): report changes, not states.
pub const EPOLLET: u32 = 1 << 31;

/// Sets that watch sets, as on Linux.
const MAX_DEPTH: u32 = 5;

/// What one descriptor is watched for.
struct Item {
    events: u32,
    data: u64,
    /// What the file's activity was when it was last reported, for edge-triggered items.
    seen: Option<u64>,
}

/// One set of watched files. Files are watched, not descriptors: the number only tells them apart.
#[derive(Default)]
pub struct Epoll {
    items: BTreeMap<(Fd, usize), Item>,
    /// Where the next report begins, so that no item starves.
    next: usize,
}

/// What epoll_ctl(2) does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EpollChange {
    Add(u32, u64),
    Modify(u32, u64),
    Delete,
}

impl Kernel {
    /// epoll_create1(2).
    pub(crate) fn epoll(&mut self, pid: Pid, flags: i32) -> Result<Fd, Errno> {
        if flags & !O_CLOEXEC != 0 {
            return Err(Errno::EINVAL);
        }
        let id = self.epolls.insert(Epoll::default());
        let file = OpenFile::new(FileKind::Epoll(id), O_RDWR, None, None);
        self.install(pid, file, flags & O_CLOEXEC != 0, 0)
    }

    pub(crate) fn epoll_of(&self, pid: Pid, fd: Fd) -> Result<usize, Errno> {
        match self.file(self.file_id(pid, fd)?)?.kind {
            FileKind::Epoll(id) => Ok(id),
            _ => Err(Errno::EINVAL),
        }
    }

    /// epoll_ctl(2).
    pub(crate) fn epoll_change(&mut self, pid: Pid, epfd: Fd, fd: Fd, change: EpollChange) -> Result<(), Errno> {
        let (own, file) = (self.file_id(pid, epfd)?, self.file_id(pid, fd)?);
        // What is always ready cannot be waited for.
        if matches!(
            self.file(file)?.kind,
            FileKind::Regular | FileKind::Directory { .. } | FileKind::Path | FileKind::Proc { .. }
        ) {
            return Err(Errno::EPERM);
        }
        if own == file {
            return Err(Errno::EINVAL);
        }
        let id = self.epoll_of(pid, epfd)?;
        if let (EpollChange::Add(..), FileKind::Epoll(inner)) = (change, &self.file(file)?.kind)
            && self.epoll_depth(*inner, id)? >= MAX_DEPTH
        {
            return Err(Errno::ELOOP);
        }
        let epoll = self.epolls.get_mut(id).ok_or(Errno::EBADF)?;
        let key = (fd, file);
        match change {
            EpollChange::Add(events, data) => {
                if epoll.items.contains_key(&key) {
                    return Err(Errno::EEXIST);
                }
                epoll.items.insert(key, Item { events, data, seen: None });
            }
            EpollChange::Modify(events, data) => {
                let item = epoll.items.get_mut(&key).ok_or(Errno::ENOENT)?;
                *item = Item { events, data, seen: None };
            }
            EpollChange::Delete => {
                epoll.items.remove(&key).ok_or(Errno::ENOENT)?;
            }
        }
        self.wake(Channel::Object(object::EPOLL, id));
        Ok(())
    }

    /// How many sets lie below one; `ELOOP` if `outer` is among them.
    fn epoll_depth(&self, id: usize, outer: usize) -> Result<u32, Errno> {
        if id == outer {
            return Err(Errno::ELOOP);
        }
        let mut depth = 0;
        for (_, file) in self.epolls.get(id).into_iter().flat_map(|epoll| epoll.items.keys()) {
            if let FileKind::Epoll(inner) = self.file(*file)?.kind {
                depth = depth.max(1 + self.epoll_depth(inner, outer)?);
            }
        }
        Ok(depth)
    }

    /// epoll_wait(2): up to `limit` events, and what to wait for if there are none.
    pub(crate) fn epoll_ready(&mut self, id: usize, limit: usize) -> Result<(Vec<(u32, u64)>, Watch), Errno> {
        let mut watch = Watch::default();
        watch.channels.push(Channel::Object(object::EPOLL, id));
        let epoll = self.epolls.get(id).ok_or(Errno::EBADF)?;
        let mut keys: Vec<(Fd, usize)> = epoll.items.keys().copied().collect();
        if !keys.is_empty() {
            let start = epoll.next % keys.len();
            keys.rotate_left(start);
        }
        let mut found = Vec::new();
        for key in keys {
            if found.len() >= limit {
                break;
            }
            let events = self.item_events(id, key, &mut watch)?;
            let activity = self.activity(key.1);
            let Some(epoll) = self.epolls.get_mut(id) else { break };
            epoll.next = epoll.next.wrapping_add(1);
            if events == 0 {
                continue;
            }
            let Some(item) = epoll.items.get_mut(&key) else { continue };
            found.push((events, item.data));
            if item.events & EPOLLET != 0 {
                item.seen = Some(activity);
            }
            if item.events & EPOLLONESHOT != 0 {
                item.events &= EPOLLET | EPOLLONESHOT;
            }
        }
        Ok((found, watch))
    }

    fn item_events(&self, id: usize, key: (Fd, usize), watch: &mut Watch) -> Result<u32, Errno> {
        let Some(item) = self.epolls.get(id).and_then(|epoll| epoll.items.get(&key)) else { return Ok(0) };
        let asked = item.events & !(EPOLLET | EPOLLONESHOT);
        // A reported one-shot item says nothing, errors included.
        if asked == 0 && item.events & EPOLLONESHOT != 0 {
            return Ok(0);
        }
        let ready = self.ready_events(key.1, watch)? as u16;
        let events = u32::from(ready) & (asked | u32::from((POLLERR | POLLHUP) as u16));
        let reported = item.events & EPOLLET != 0 && item.seen == Some(self.activity(key.1));
        Ok(if reported { 0 } else { events })
    }

    /// What poll(2) says of a set: readable if something in it is ready.
    pub(crate) fn epoll_poll(&self, id: usize, watch: &mut Watch) -> Result<i16, Errno> {
        watch.channels.push(Channel::Object(object::EPOLL, id));
        let keys: Vec<(Fd, usize)> =
            self.epolls.get(id).map(|epoll| epoll.items.keys().copied().collect()).unwrap_or_default();
        for key in keys {
            if self.item_events(id, key, watch)? != 0 {
                return Ok(POLLIN);
            }
        }
        Ok(0)
    }

    /// A number that changes whenever a file may have become ready again.
    fn activity(&self, file: usize) -> u64 {
        match self.files.get(file).map(|file| &file.kind) {
            Some(FileKind::Pipe { pipe, .. }) => self.pipes.get(*pipe).map_or(0, |pipe| pipe.activity),
            Some(FileKind::Event(id)) => self.events.get(*id).map_or(0, |event| event.activity),
            Some(FileKind::Socket(id)) => self.sockets.get(*id).map_or(0, |socket| socket.activity),
            Some(FileKind::Timer(id)) => self.timer_activity(*id),
            Some(FileKind::Device(device)) if device.is_terminal() => self.tty.activity(),
            _ => 0,
        }
    }

    /// A file was closed for good: nobody watches it any more.
    pub(crate) fn forget_watched(&mut self, file: usize) {
        for (_, epoll) in &mut self.epolls {
            epoll.items.retain(|(_, watched), _| *watched != file);
        }
    }

    /// Descriptors that a set watches, for `/proc/PID/fdinfo`: number, events, data.
    pub(crate) fn epoll_items(&self, id: usize) -> Vec<(Fd, u32, u64)> {
        let items = self.epolls.get(id).map(|epoll| &epoll.items);
        items.into_iter().flatten().map(|((fd, _), item)| (*fd, item.events, item.data)).collect()
    }
}

/// The earlier of two deadlines.
pub(crate) fn earlier(a: Option<Nanos>, b: Option<Nanos>) -> Option<Nanos> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (one, other) => one.or(other),
    }
}
