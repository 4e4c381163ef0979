//! Pipes and FIFOs, see pipe(7) and fifo(7).

use std::collections::VecDeque;

use provium_protocol::choice::choose;
use provium_protocol::{ChoicePoint, Errno, Signal};

use super::Kernel;
use super::file::{Attributes, FileKind, OpenFile};
use super::wait::{Channel, Stop};
use crate::flags::{O_ACCMODE, O_CLOEXEC, O_NONBLOCK, O_RDONLY, O_WRONLY};
use crate::limits::{PAGE, PIPE_BUF, PIPE_CAPACITY, PIPE_MAX_SIZE};
use crate::types::{Fd, Pid};
use crate::vfs::NodeId;
use crate::vfs::inode::InodeKind;
use crate::vfs::open::access_mode;

/// A pipe.
pub struct Pipe {
    pub(crate) ino: u64,
    data: VecDeque<u8>,
    /// Pages in use, oldest first. A page that holds a single byte is as full for others as a whole one,
    /// unless what comes next fits behind it: so the bytes that fit vary, as on Linux.
    slots: VecDeque<Slot>,
    /// Pages that it holds at most.
    max_slots: usize,
    readers: usize,
    writers: usize,
    /// How often an end was opened: a FIFO waits for these to change.
    reader_opens: u64,
    writer_opens: u64,
    /// The inode of a FIFO.
    node: Option<NodeId>,
    /// Counts changes, for edge-triggered waits.
    pub(crate) activity: u64,
    /// Permissions and owner of a pipe without a name.
    pub(crate) attributes: Attributes,
}

/// One page of a pipe.
struct Slot {
    start: usize,
    len: usize,
}

impl Pipe {
    fn new(ino: u64, node: Option<NodeId>) -> Pipe {
        Pipe {
            ino,
            data: VecDeque::new(),
            slots: VecDeque::new(),
            max_slots: PIPE_CAPACITY / PAGE,
            readers: 0,
            writers: 0,
            reader_opens: 0,
            writer_opens: 0,
            node,
            activity: 0,
            attributes: Attributes { perm: 0o600, uid: 0, gid: 0 },
        }
    }

    /// Whether no page is free.
    fn is_full(&self) -> bool {
        self.slots.len() >= self.max_slots
    }

    /// How much of a write goes behind what the last page holds.
    fn merges(&self, len: usize) -> usize {
        let odd = len % PAGE;
        match self.slots.back() {
            Some(last) if last.start + last.len + odd <= PAGE => odd,
            _ => 0,
        }
    }

    /// How much of a write fits.
    fn fits(&self, len: usize) -> usize {
        let merged = self.merges(len);
        merged + (len - merged).min((self.max_slots.saturating_sub(self.slots.len())) * PAGE)
    }

    /// Takes what fits.
    fn push(&mut self, data: &[u8]) {
        let merged = self.merges(data.len());
        if let Some(last) = self.slots.back_mut() {
            last.len += merged;
        }
        for page in data[merged..].chunks(PAGE) {
            self.slots.push_back(Slot { start: 0, len: page.len() });
        }
        self.data.extend(data);
        self.activity += 1;
    }

    /// Gives the oldest bytes away.
    fn pull(&mut self, amount: usize) -> Vec<u8> {
        let mut left = amount;
        while let Some(slot) = self.slots.front_mut() {
            let part = slot.len.min(left);
            slot.start += part;
            slot.len -= part;
            left -= part;
            if slot.len > 0 {
                break;
            }
            self.slots.pop_front();
        }
        self.activity += 1;
        // In two pieces, not byte by byte: reads of pipes are what many runs spend their time with.
        let (front, back) = self.data.as_slices();
        let split = amount.min(front.len());
        let taken = [&front[..split], &back[..amount - split]].concat();
        self.data.drain(..amount);
        taken
    }

    /// Bytes that wait to be read.
    pub(crate) fn len(&self) -> usize {
        self.data.len()
    }
}

/// An open of a FIFO that waits for the other end.
pub struct FifoOpen {
    file: OpenFile,
    pipe: usize,
    /// The count of the other end's opens when the wait began.
    seen: u64,
    reads: bool,
}

impl Kernel {
    /// pipe2(2): the reading and the writing end.
    pub fn pipe(&mut self, pid: Pid, flags: i32) -> Result<(Fd, Fd), Errno> {
        if flags & !(O_CLOEXEC | O_NONBLOCK) != 0 {
            return Err(Errno::EINVAL);
        }
        let ino = self.new_object_ino();
        let creds = &self.proc(pid)?.creds;
        let attributes = Attributes { perm: 0o600, uid: creds.euid, gid: creds.egid };
        let pipe = self.pipes.insert(Pipe { readers: 1, writers: 1, attributes, ..Pipe::new(ino, None) });
        let status = flags & O_NONBLOCK;
        let cloexec = flags & O_CLOEXEC != 0;
        let reader = OpenFile::new(
            FileKind::Pipe { pipe, read: true, write: false, quiet_at: None },
            O_RDONLY | status,
            None,
            None,
        );
        let writer = OpenFile::new(
            FileKind::Pipe { pipe, read: false, write: true, quiet_at: None },
            O_WRONLY | status,
            None,
            None,
        );
        let read = match self.install(pid, reader, cloexec, 0) {
            Ok(fd) => fd,
            Err(errno) => {
                self.pipe_remove(pipe, false, true);
                return Err(errno);
            }
        };
        match self.install(pid, writer, cloexec, 0) {
            Ok(write) => Ok((read, write)),
            Err(errno) => {
                self.close(pid, read)?;
                Err(errno)
            }
        }
    }

    /// Counts one more end.
    pub(crate) fn pipe_add(&mut self, pipe: usize, read: bool, write: bool) {
        let Some(state) = self.pipes.get_mut(pipe) else { return };
        if read {
            state.readers += 1;
            state.reader_opens += 1;
        }
        if write {
            state.writers += 1;
            state.writer_opens += 1;
        }
        self.wake(Channel::FifoPeer(pipe));
    }

    /// Counts one end less, and frees the pipe with the last.
    pub(crate) fn pipe_remove(&mut self, pipe: usize, read: bool, write: bool) {
        let Some(state) = self.pipes.get_mut(pipe) else { return };
        if read {
            state.readers -= 1;
        }
        if write {
            state.writers -= 1;
        }
        state.activity += 1;
        let (gone, node) = (state.readers == 0 && state.writers == 0, state.node);
        self.wake(Channel::PipeData(pipe));
        self.wake(Channel::PipeRoom(pipe));
        if gone {
            self.pipes.remove(pipe);
            if let Some(node) = node
                && let Ok(inode) = self.inode_mut(node)
                && let InodeKind::Fifo(open) = &mut inode.kind
            {
                *open = None;
            }
        }
    }

    pub(crate) fn open_fifo(
        &mut self,
        pid: Pid,
        mut file: OpenFile,
        pipe: Option<usize>,
        flags: i32,
        pending: &mut Option<FifoOpen>,
    ) -> Result<Fd, Stop> {
        // The access mode that is neither of the three opens nothing here.
        if flags & O_ACCMODE == O_ACCMODE {
            return Err(Errno::EINVAL.into());
        }
        let node = file.loc.ok_or(Errno::EIO)?.node;
        let (read, write) = access_mode(flags);
        let pipe = match pipe {
            Some(pipe) => pipe,
            None => {
                let made = self.pipes.insert(Pipe::new(node.ino, Some(node)));
                if let InodeKind::Fifo(open) = &mut self.inode_mut(node)?.kind {
                    *open = Some(made);
                }
                made
            }
        };
        let readers = self.pipes.get(pipe).map_or(0, |pipe| pipe.readers);
        if flags & O_NONBLOCK != 0 && write && !read && readers == 0 {
            // Counting an end in and out frees a pipe that was made for this open.
            self.pipe_add(pipe, false, true);
            self.pipe_remove(pipe, false, true);
            return Err(Errno::ENXIO.into());
        }
        self.pipe_add(pipe, read, write);
        let state = self.pipes.get(pipe).ok_or(Errno::EIO)?;
        let quiet = read && !write && state.writers == 0 && flags & O_NONBLOCK != 0;
        file.kind = FileKind::Pipe { pipe, read, write, quiet_at: quiet.then_some(state.writer_opens) };
        let state = self.pipes.get(pipe).ok_or(Errno::EIO)?;
        let alone = if read { state.writers == 0 } else { state.readers == 0 };
        if (read && write) || flags & O_NONBLOCK != 0 || !alone {
            return Ok(self.install(pid, file, flags & O_CLOEXEC != 0, 0)?);
        }
        let seen = if read { state.writer_opens } else { state.reader_opens };
        *pending = Some(FifoOpen { file, pipe, seen, reads: read });
        Err(Stop::on(Channel::FifoPeer(pipe)))
    }

    pub(crate) fn finish_fifo(
        &mut self,
        pid: Pid,
        open: FifoOpen,
        cloexec: bool,
        pending: &mut Option<FifoOpen>,
    ) -> Result<Fd, Stop> {
        let state = self.pipes.get(open.pipe).ok_or(Errno::EIO)?;
        let opens = if open.reads { state.writer_opens } else { state.reader_opens };
        if opens == open.seen {
            let pipe = open.pipe;
            *pending = Some(open);
            return Err(Stop::on(Channel::FifoPeer(pipe)));
        }
        Ok(self.install(pid, open.file, cloexec, 0)?)
    }

    /// Gives up an open of a FIFO that waits.
    pub(crate) fn abandon_fifo(&mut self, open: FifoOpen) {
        self.pipe_remove(open.pipe, open.reads, !open.reads);
    }

    pub(crate) fn pipe_read(&mut self, pipe: usize, len: usize, nonblock: bool) -> Result<Vec<u8>, Stop> {
        let choices = self.world.choices().clone();
        let state = self.pipes.get_mut(pipe).ok_or(Errno::EIO)?;
        if state.data.is_empty() {
            return match (state.writers == 0, nonblock) {
                (true, _) => Ok(Vec::new()),
                (false, true) => Err(Errno::EAGAIN.into()),
                (false, false) => Err(Stop::on(Channel::PipeData(pipe))),
            };
        }
        let available = state.data.len().min(len);
        // More than one buffer's worth may come in parts, because writers fill a pipe piece by piece.
        let amount = match available > PIPE_BUF {
            true => [available, PIPE_BUF, available / 2][choose(&*choices, ChoicePoint::Amount, &[0, 1, 2])],
            false => available,
        };
        let data = state.pull(amount);
        let node = state.node;
        self.wake(Channel::PipeRoom(pipe));
        if let Some(node) = node {
            self.accessed(node);
        }
        Ok(data)
    }

    pub(crate) fn pipe_write(&mut self, pid: Pid, pipe: usize, data: &[u8], nonblock: bool) -> Result<usize, Stop> {
        let choices = self.world.choices().clone();
        if data.is_empty() {
            return Ok(0);
        }
        let state = self.pipes.get_mut(pipe).ok_or(Errno::EIO)?;
        if state.readers == 0 {
            self.send(pid, Signal::SIGPIPE);
            return Err(Errno::EPIPE.into());
        }
        // What fits in PIPE_BUF goes into one page, so it goes in whole or not at all.
        let fits = state.fits(data.len());
        if fits == 0 {
            return Err(if nonblock { Errno::EAGAIN.into() } else { Stop::on(Channel::PipeRoom(pipe)) });
        }
        let amount = match fits > PIPE_BUF {
            true => [fits, PIPE_BUF, fits / 2][choose(&*choices, ChoicePoint::Amount, &[0, 1, 2])],
            false => fits,
        };
        state.push(&data[..amount]);
        let node = state.node;
        self.wake(Channel::PipeData(pipe));
        if let Some(node) = node {
            let now = self.realtime();
            if let Ok(inode) = self.inode_mut(node) {
                (inode.mtime, inode.ctime) = (now, now);
            }
        }
        Ok(amount)
    }

    /// What poll(2) says of a pipe's ends.
    pub(crate) fn pipe_poll(&self, pipe: usize, read: bool, write: bool, quiet_at: Option<u64>) -> i16 {
        use crate::flags::{POLLERR, POLLHUP, POLLIN, POLLOUT};
        let Some(state) = self.pipes.get(pipe) else { return POLLERR };
        let mut events = 0;
        if read {
            if !state.data.is_empty() {
                events |= POLLIN;
            }
            // A FIFO that had no writer since it was opened is not hung up.
            if state.writers == 0 && quiet_at != Some(state.writer_opens) {
                events |= POLLHUP;
            }
        }
        if write {
            if !state.is_full() {
                events |= POLLOUT;
            }
            if state.readers == 0 {
                events |= POLLERR;
            }
        }
        events
    }

    /// `F_GETPIPE_SZ`
    pub(crate) fn pipe_capacity(&self, pid: Pid, fd: Fd) -> Result<usize, Errno> {
        let pipe = self.pipe_of(pid, fd)?;
        Ok(self.pipes.get(pipe).ok_or(Errno::EBADF)?.max_slots * PAGE)
    }

    /// `F_SETPIPE_SZ`: whole pages, their number a power of two. The size that it got.
    pub(crate) fn set_pipe_capacity(&mut self, pid: Pid, fd: Fd, size: u32) -> Result<usize, Errno> {
        let pipe = self.pipe_of(pid, fd)?;
        let size = (size as usize).max(PAGE);
        if size > 1 << 31 {
            return Err(Errno::EINVAL);
        }
        let size = size.next_power_of_two();
        if size > PIPE_MAX_SIZE {
            // Root may go beyond it on Linux; here it bounds the host's memory.
            return Err(Errno::EPERM);
        }
        let state = self.pipes.get_mut(pipe).ok_or(Errno::EBADF)?;
        if state.slots.len() * PAGE > size {
            return Err(Errno::EBUSY);
        }
        state.max_slots = size / PAGE;
        self.wake(Channel::PipeRoom(pipe));
        Ok(size)
    }

    fn pipe_of(&self, pid: Pid, fd: Fd) -> Result<usize, Errno> {
        match self.file(self.file_id(pid, fd)?)?.kind {
            FileKind::Pipe { pipe, .. } => Ok(pipe),
            _ => Err(Errno::EBADF),
        }
    }

    /// Processes that hold the end of a pipe whose action would wake the others.
    pub(crate) fn pipe_holders(&self, pipe: usize, writers: bool) -> Vec<Pid> {
        let holds = |id: usize| {
            matches!(self.files.get(id).map(|file| &file.kind), Some(FileKind::Pipe { pipe: other, read, write, .. })
                if *other == pipe && if writers { *write } else { *read })
        };
        self.procs.values().filter(|process| process.fds.files().any(holds)).map(|process| process.pid).collect()
    }
}
