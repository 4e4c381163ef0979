//! What is added to files, for ever.

use provium_kernel::{Errno, PollFd, Signal};

use super::super::common::{close, is_fifo, open};
use super::{File, Follow, Header, Job, ends};
use crate::shared::tool::STDOUT;
use crate::shared::{Exit, Outcome, Tool, quoteaf, quotef};

/// poll(2): the reader of standard output is gone.
const POLLERR: i16 = 8;

pub(super) async fn run(tool: &Tool, job: &Job, follow: Follow, files: &mut [File], header: &mut Header) -> Outcome {
    let mut writer_gone = false;
    loop {
        let mut any = false;
        for (index, file) in files.iter_mut().enumerate() {
            if file.ignored {
                continue;
            }
            if follow == Follow::Name {
                recheck(tool, job, file).await;
            }
            any |= look(tool, file, header, index).await?;
        }
        if files.iter().all(|file| file.ignored) {
            // Only piped standard input ends in peace.
            let only_pipes = files.iter().all(|file| file.accessible);
            if !only_pipes {
                tool.error("no files remaining").await;
            }
            return Ok(i32::from(!only_pipes));
        }
        tool.out.flush().await?;
        if any {
            continue;
        }
        if writer_gone {
            return Ok(0);
        }
        if let Some(pid) = job.pid {
            writer_gone = tool.sys.kill(pid, None).await == Err(Errno::ESRCH);
            if writer_gone {
                continue;
            }
        }
        pause(tool, job).await?;
    }
}

/// Waits, but no longer than somebody reads what is written.
async fn pause(tool: &Tool, job: &Job) -> Result<(), Exit> {
    let mut fds = [PollFd { fd: STDOUT, events: 0, revents: 0 }];
    let piped = tool.sys.fstat(STDOUT).await.is_ok_and(|stat| is_fifo(&stat));
    if !piped {
        let _woken = tool.sys.nanosleep(job.sleep_ns).await;
        return Ok(());
    }
    let polled = tool.sys.poll(&mut fds, Some(job.sleep_ns)).await;
    if polled.is_ok() && fds[0].revents & POLLERR != 0 {
        let _ends_us = tool.sys.kill(tool.sys.pid(), Some(Signal::SIGPIPE)).await;
        return Err(Exit(1));
    }
    Ok(())
}

/// Writes what is new; true if there was anything.
async fn look(tool: &Tool, file: &mut File, header: &mut Header, index: usize) -> Result<bool, Exit> {
    let Some(fd) = file.fd else { return Ok(false) };
    if file.regular {
        let Ok(stat) = tool.sys.fstat(fd).await else { return Ok(false) };
        if stat.size == file.place {
            return Ok(false);
        }
        if stat.size < file.place {
            tool.error(format!("{}: file truncated", quotef(file.shown()))).await;
            let _always_works = tool.sys.lseek(fd, 0, 0).await;
            file.place = 0;
            if stat.size == 0 {
                return Ok(false);
            }
        }
    }
    header.show(tool, file, index).await?;
    let before = file.place;
    match ends::copy(tool, fd, file.place).await? {
        Ok(place) => file.place = place,
        Err(errno) => {
            tool.error_errno(format!("error reading {}", quoteaf(file.shown())), errno).await;
            close(tool, fd).await;
            file.fd = None;
            file.ignored = true;
        }
    }
    Ok(file.place != before)
}

/// Sees whether the name means another file now.
async fn recheck(tool: &Tool, job: &Job, file: &mut File) {
    if file.name == b"-" {
        return;
    }
    let found = match open(tool, &file.name).await {
        Ok(fd) => match tool.sys.fstat(fd).await {
            Ok(stat) => Ok((fd, stat)),
            Err(errno) => Err(errno),
        },
        Err(errno) => Err(errno),
    };
    let (fd, stat) = match found {
        Ok(found) => found,
        Err(errno) => {
            if file.accessible {
                file.accessible = false;
                tool.error_errno(format!("{} has become inaccessible", quoteaf(&file.name)), errno).await;
            }
            if let Some(fd) = file.fd.take() {
                close(tool, fd).await;
            }
            file.ignored |= !job.retry;
            return;
        }
    };
    let same = file.identity == (stat.dev, stat.ino);
    if same && file.fd.is_some() {
        close(tool, fd).await;
        return;
    }
    let message = if file.accessible {
        format!("{} has been replaced;  following new file", quoteaf(&file.name))
    } else {
        format!("{} has appeared;  following new file", quoteaf(&file.name))
    };
    tool.error(message).await;
    if let Some(old) = file.fd.replace(fd) {
        close(tool, old).await;
    }
    file.accessible = true;
    file.identity = (stat.dev, stat.ino);
    file.regular = stat.is_file();
    file.place = 0;
}
