//! Streams that are filled from files: tails and open descriptors.

use std::future::Future;
use std::rc::Rc;

use provium_protocol::fs::{EntryType, FileHandle, OpenMode, TailStart};
use provium_protocol::limits::MAX_FRAME;
use provium_protocol::{Errno, Lane, OpError, Reply};

use crate::Os;
use crate::agent::Inner;
use crate::capture::Capture;
use crate::checks::{self, text};
use crate::paths::OwnedFd;
use crate::stream::Stream;
use crate::sync::{First, race};

/// Opens a stream that follows a file by path.
pub async fn path<O: Os>(agent: &Rc<Inner<O>>, lane: Lane, path: &[u8], start: TailStart) -> Result<Reply, OpError> {
    checks::path(path)?;
    let doing = format!("tail {}", text(path));
    let mode = OpenMode { read: true, ..OpenMode::default() };
    let fd = OwnedFd::open(&agent.os, path, &mode, 0).await.map_err(|errno| OpError::os(errno, doing.clone()))?;
    let start = begin(&*agent.os, fd.number(), start, &doing).await?;
    open_stream(agent, lane, async move |os: Rc<O>, stream: Rc<Stream>| {
        let end = race(stream.closed.wait(), follow(&*os, fd.number(), start, &stream.capture)).await;
        let _ = fd.close().await;
        finish(&stream, end, &doing);
    })
}

/// Opens a stream that follows an open file from its end.
pub async fn file<O: Os>(agent: &Rc<Inner<O>>, lane: Lane, handle: FileHandle) -> Result<Reply, OpError> {
    let file = agent.files.get(handle)?;
    let doing = format!("tail {}", file.path);
    let start = begin(&*agent.os, file.fd, TailStart::End, &doing).await?;
    open_stream(agent, lane, async move |os: Rc<O>, stream: Rc<Stream>| {
        let stopped = race(stream.closed.wait(), file.closed.wait());
        let end = race(stopped, follow(&*os, file.fd, start, &stream.capture)).await;
        finish(&stream, end, &doing);
    })
}

/// Opens a stream of what an open file gives to reads.
pub fn fd_stream<O: Os>(agent: &Rc<Inner<O>>, lane: Lane, handle: FileHandle) -> Result<Reply, OpError> {
    let file = agent.files.get(handle)?;
    open_stream(agent, lane, async move |os: Rc<O>, stream: Rc<Stream>| {
        let stopped = race(stream.closed.wait(), file.closed.wait());
        let pump = async {
            loop {
                stream.capture.room().await;
                let data = os.read(file.fd, MAX_FRAME).await?;
                if data.is_empty() {
                    return Ok(());
                }
                stream.capture.push(&data);
            }
        };
        let end = race(stopped, pump).await;
        finish(&stream, end, &format!("read {}", file.path));
    })
}

fn open_stream<O: Os, F>(
    agent: &Rc<Inner<O>>,
    lane: Lane,
    fill: impl FnOnce(Rc<O>, Rc<Stream>) -> F,
) -> Result<Reply, OpError>
where
    F: Future<Output = ()> + 'static,
{
    if agent.workers.is_closing(lane) {
        return Err(OpError::state("worker is closed"));
    }
    // Nothing is kept for a result: all of it is for the one stream.
    let id = agent.streams.open(lane, Rc::new(Capture::new(0, agent.budget.clone())));
    let stream = agent.streams.get(id)?;
    agent.os.spawn_task(Box::pin(fill(agent.os.clone(), stream)));
    Ok(Reply::Stream(id))
}

fn finish<A>(stream: &Stream, end: First<A, Result<(), Errno>>, doing: &str) {
    match end {
        First::B(Err(errno)) => stream.capture.fail(OpError::os(errno, doing)),
        First::A(_) | First::B(Ok(())) => stream.capture.end(),
    }
}

/// Where a follower stands in its file.
struct Place {
    offset: u64,
    /// The file's size when it was last looked at.
    size: u64,
}

async fn begin<O: Os>(os: &O, fd: i32, start: TailStart, doing: &str) -> Result<Place, OpError> {
    let stat = os.fstat(fd).await.map_err(|errno| OpError::os(errno, doing))?;
    match EntryType::from_mode(stat.mode) {
        EntryType::File => {}
        EntryType::Directory => return Err(OpError::os(Errno::EISDIR, doing)),
        other => {
            return Err(OpError::usage(format!(
                "{doing}: only a regular file can be followed, this is a {}",
                other.name()
            )));
        }
    }
    // Also the proof that it may be read at all.
    os.pread(fd, 0, 0).await.map_err(|errno| OpError::os(errno, doing))?;
    let offset = match start {
        TailStart::End => stat.size,
        TailStart::Beginning => 0,
        TailStart::Offset(offset) if offset < 0 => stat.size.saturating_sub(offset.unsigned_abs()),
        TailStart::Offset(offset) => offset.unsigned_abs(),
    };
    Ok(Place { offset, size: stat.size })
}

/// Pushes what a file holds from a place on, as it grows, for ever. A file that became shorter is
/// followed from its beginning, as tail(1) does.
async fn follow<O: Os>(os: &O, fd: i32, from: Place, into: &Capture) -> Result<(), Errno> {
    let Place { mut offset, mut size } = from;
    loop {
        into.room().await;
        let data = os.pread(fd, offset, MAX_FRAME).await?;
        if !data.is_empty() {
            into.push(&data);
            offset += data.len() as u64;
            size = size.max(offset);
            continue;
        }
        let now = os.wait_file_change(fd, size).await?;
        if now < size {
            offset = 0;
        }
        size = now;
    }
}
