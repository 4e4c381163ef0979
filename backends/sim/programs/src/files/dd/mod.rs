//! dd(1): one read(2) and one write(2) a block.

mod operands;
mod stats;

use provium_kernel::flags::{O_ACCMODE, O_CREAT, O_EXCL, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY, SEEK_CUR};
use provium_kernel::{Errno, Fd, SigAction, Signal};

use crate::shared::tool::{STDIN, STDOUT};
use crate::shared::{Exit, Outcome, Tool, quoteaf, quotef};
use operands::{Conversions, Operands, Status};
use stats::Stats;

/// A copy under way.
struct Copy {
    tool: Tool,
    operands: Operands,
    stats: Stats,
    /// What is read and not yet written, when blocks are put together anew.
    pending: Vec<u8>,
    /// The output ends in a hole that only a change of its size makes.
    open_end: bool,
}

pub(super) async fn run(tool: Tool) -> Outcome {
    let operands = operands::read(&tool).await?;
    let _set = tool.sys.sigaction(Signal::SIGUSR1, SigAction::Catch).await;
    if tool.sys.sigaction(Signal::SIGINT, SigAction::Catch).await == Ok(SigAction::Ignore) {
        let _set = tool.sys.sigaction(Signal::SIGINT, SigAction::Ignore).await;
    }
    let stats = Stats::new(tool.sys.clock_monotonic().await);
    let mut copy = Copy { tool, operands, stats, pending: Vec::new(), open_end: false };
    copy.open().await?;
    let code = copy.all().await;
    let (Ok(code) | Err(Exit(code))) = copy.finish(code).await;
    Ok(code)
}

impl Copy {
    fn input_name(&self) -> String {
        self.operands.input.as_ref().map_or("'standard input'".into(), quoteaf)
    }

    fn output_name(&self) -> String {
        self.operands.output.as_ref().map_or("'standard output'".into(), quoteaf)
    }

    /// Puts input and output in the places of standard input and output.
    async fn open(&mut self) -> Result<(), Exit> {
        let sys = self.tool.sys.clone();
        let (operands, conversions) = (&self.operands, self.operands.conversions);
        match &operands.input {
            Some(path) => {
                let opened = sys.open(path, O_RDONLY | operands.input_flags, 0).await;
                self.move_to(opened, STDIN, path).await?;
            }
            None => self.set_flags(STDIN, operands.input_flags).await?,
        }
        match &operands.output {
            Some(path) => {
                let truncate = operands.seek_bytes == 0 && !conversions.notrunc;
                let mut flags = operands.output_flags;
                flags |= if conversions.nocreat { 0 } else { O_CREAT };
                flags |= if conversions.excl { O_EXCL } else { 0 };
                flags |= if truncate { O_TRUNC } else { 0 };
                let mut opened = Err(Errno::EACCES);
                // Going ahead in a file that cannot seek means reading it.
                if operands.seek_bytes > 0 {
                    opened = sys.open(path, flags | O_RDWR, 0o666).await;
                }
                if opened.is_err() {
                    opened = sys.open(path, flags | O_WRONLY, 0o666).await;
                }
                self.move_to(opened, STDOUT, path).await?;
                if operands.seek_bytes > 0 && !conversions.notrunc {
                    let size = operands.seek_bytes;
                    if let Err(errno) = sys.ftruncate(STDOUT, size).await
                        && sys.fstat(STDOUT).await.is_ok_and(|stat| stat.is_file() || stat.is_dir())
                    {
                        let text = format!("failed to truncate to {size} bytes in output file {}", quoteaf(path));
                        return Err(self.tool.fail_errno(1, text, errno).await);
                    }
                }
            }
            None => self.set_flags(STDOUT, operands.output_flags).await?,
        }
        Ok(())
    }

    async fn move_to(&self, opened: Result<Fd, Errno>, place: Fd, path: &[u8]) -> Result<(), Exit> {
        let sys = &self.tool.sys;
        let result = match opened {
            Ok(fd) if fd == place => return Ok(()),
            Ok(fd) => match sys.dup2(fd, place).await {
                Ok(_) => sys.close(fd).await,
                Err(errno) => Err(errno),
            },
            Err(errno) => Err(errno),
        };
        match result {
            Ok(()) => Ok(()),
            Err(errno) => Err(self.tool.fail_errno(1, format!("failed to open {}", quoteaf(path)), errno).await),
        }
    }

    async fn set_flags(&self, fd: Fd, add: i32) -> Result<(), Exit> {
        if add == 0 {
            return Ok(());
        }
        let sys = &self.tool.sys;
        let result = match sys.getfl(fd).await {
            Ok(flags) => sys.setfl(fd, (flags & !O_ACCMODE) | add).await,
            Err(errno) => Err(errno),
        };
        match result {
            Ok(()) => Ok(()),
            Err(errno) => {
                let name = if fd == STDIN { "'standard input'" } else { "'standard output'" };
                Err(self.tool.fail_errno(1, format!("setting flags for {name}"), errno).await)
            }
        }
    }

    async fn all(&mut self) -> Result<i32, Exit> {
        self.skip().await?;
        self.seek().await?;
        let mut code = 0;
        loop {
            if self.operands.count.is_some_and(|count| self.stats.blocks_read() >= count) {
                break;
            }
            let want = self.wanted();
            if want == 0 {
                break;
            }
            let mut bad = false;
            let mut data = match self.read(want).await {
                Ok(data) => data,
                Err(errno) => {
                    let text = format!("error reading {}", self.input_name());
                    self.tool.error_errno(text, errno).await;
                    code = 1;
                    if !self.operands.conversions.noerror {
                        break;
                    }
                    self.say_stats().await;
                    // The bad block is passed over; with conv=sync zeros stand in its place.
                    let block = i64::try_from(self.operands.input_block).unwrap_or(i64::MAX);
                    let _moved = self.tool.sys.lseek(STDIN, block, SEEK_CUR).await;
                    if !self.operands.conversions.sync {
                        continue;
                    }
                    bad = true;
                    Vec::new()
                }
            };
            if data.is_empty() && !bad {
                break;
            }
            let full = data.len() == self.operands.input_block;
            self.stats.read(full);
            self.stats.bytes_read += data.len() as u64;
            if !full && self.operands.conversions.sync {
                data.resize(self.operands.input_block, 0);
            }
            self.operands.conversions.apply(&mut data);
            if self.operands.recombine {
                self.pending.extend_from_slice(&data);
                while self.pending.len() >= self.operands.output_block {
                    let rest = self.pending.split_off(self.operands.output_block);
                    let block = std::mem::replace(&mut self.pending, rest);
                    self.write(&block).await?;
                }
            } else {
                self.write(&data).await?;
            }
        }
        if !self.pending.is_empty() {
            let rest = std::mem::take(&mut self.pending);
            self.write(&rest).await?;
        }
        Ok(code)
    }

    /// Bytes to ask for: a block, or what is left of a count in bytes.
    fn wanted(&self) -> usize {
        let block = self.operands.input_block;
        match self.operands.count_bytes {
            None => block,
            Some(bytes) => {
                let left = bytes.saturating_sub(self.stats.bytes_read);
                usize::try_from(left).unwrap_or(block).min(block)
            }
        }
    }

    async fn read(&mut self, want: usize) -> Result<Vec<u8>, Errno> {
        let mut data = self.read_once(want).await?;
        if self.operands.full_blocks {
            while !data.is_empty() && data.len() < want {
                let more = self.read_once(want - data.len()).await?;
                if more.is_empty() {
                    break;
                }
                data.extend_from_slice(&more);
            }
        }
        Ok(data)
    }

    async fn read_once(&mut self, want: usize) -> Result<Vec<u8>, Errno> {
        loop {
            self.signals().await;
            match self.tool.sys.read(STDIN, want).await {
                Err(Errno::EINTR) => {}
                other => return other,
            }
        }
    }

    /// Acts on signals: SIGUSR1 shows how far it is, SIGINT shows it and ends.
    async fn signals(&mut self) {
        for signal in self.tool.sys.take_caught() {
            self.say_stats().await;
            if signal == Signal::SIGINT {
                let _set = self.tool.sys.sigaction(Signal::SIGINT, SigAction::Default).await;
                let _sent = self.tool.sys.kill(self.tool.sys.pid(), Some(Signal::SIGINT)).await;
            }
        }
    }

    async fn write(&mut self, block: &[u8]) -> Result<(), Exit> {
        if self.operands.conversions.sparse && !block.is_empty() && block.iter().all(|&byte| byte == 0) {
            let ahead = i64::try_from(block.len()).unwrap_or(0);
            if self.tool.sys.lseek(STDOUT, ahead, SEEK_CUR).await.is_ok() {
                self.open_end = true;
                self.stats.wrote(block.len(), self.operands.output_block);
                return Ok(());
            }
        }
        let mut written = 0;
        while written < block.len() {
            self.signals().await;
            match self.tool.sys.write(STDOUT, &block[written..]).await {
                Ok(count) => written += count,
                Err(Errno::EINTR) => {}
                Err(errno) => {
                    self.stats.wrote(written, self.operands.output_block);
                    let text = format!("error writing {}", self.output_name());
                    return Err(self.tool.fail_errno(1, text, errno).await);
                }
            }
        }
        self.open_end = false;
        self.stats.wrote(written, self.operands.output_block);
        Ok(())
    }

    async fn skip(&mut self) -> Result<(), Exit> {
        let bytes = self.operands.skip_bytes;
        if bytes == 0 {
            return Ok(());
        }
        let sys = self.tool.sys.clone();
        let Ok(distance) = i64::try_from(bytes) else {
            let text = format!("{}: cannot skip", quotef(self.operands.input.as_deref().unwrap_or(b"standard input")));
            return Err(self.tool.fail_errno(1, text, Errno::EOVERFLOW).await);
        };
        let before = sys.lseek(STDIN, 0, SEEK_CUR).await;
        if let Ok(before) = before
            && sys.lseek(STDIN, distance, SEEK_CUR).await.is_ok()
        {
            let short = sys.fstat(STDIN).await.is_ok_and(|stat| stat.is_file() && stat.size < before + bytes);
            if short {
                self.cannot_skip().await;
            }
            return Ok(());
        }
        // What cannot be sought is read and thrown away.
        let mut left = bytes;
        while left > 0 {
            let want = usize::try_from(left).unwrap_or(usize::MAX).min(self.operands.input_block);
            match self.read_once(want).await {
                Ok(data) if data.is_empty() => {
                    self.cannot_skip().await;
                    return Ok(());
                }
                Ok(data) => left = left.saturating_sub(data.len() as u64),
                Err(errno) => {
                    let text = format!("error reading {}", self.input_name());
                    return Err(self.tool.fail_errno(1, text, errno).await);
                }
            }
        }
        Ok(())
    }

    async fn cannot_skip(&self) {
        if self.operands.status != Status::None {
            let name = quotef(self.operands.input.as_deref().unwrap_or(b"standard input"));
            self.tool.error(format!("{name}: cannot skip to specified offset")).await;
        }
    }

    async fn seek(&mut self) -> Result<(), Exit> {
        let bytes = self.operands.seek_bytes;
        if bytes == 0 {
            return Ok(());
        }
        let sys = self.tool.sys.clone();
        let distance = i64::try_from(bytes).unwrap_or(i64::MAX);
        if sys.lseek(STDOUT, distance, SEEK_CUR).await.is_ok() {
            return Ok(());
        }
        // As the real tool does: what cannot be sought is read, and where nothing is left zeros are written.
        let mut left = bytes;
        while left > 0 {
            let want = usize::try_from(left).unwrap_or(usize::MAX).min(self.operands.output_block);
            match sys.read(STDOUT, want).await {
                Ok(data) if data.is_empty() => {
                    if let Err(errno) = sys.write_all(STDOUT, &vec![0; want]).await {
                        let text = format!("error writing {}", self.output_name());
                        return Err(self.tool.fail_errno(1, text, errno).await);
                    }
                    left = left.saturating_sub(want as u64);
                }
                Ok(data) => left = left.saturating_sub(data.len() as u64),
                Err(_) => {
                    let text = format!(
                        "{}: cannot seek",
                        quotef(self.operands.output.as_deref().unwrap_or(b"standard output"))
                    );
                    return Err(self.tool.fail_errno(1, text, Errno::ESPIPE).await);
                }
            }
        }
        Ok(())
    }

    async fn finish(&mut self, ended: Result<i32, Exit>) -> Result<i32, Exit> {
        let sys = self.tool.sys.clone();
        let (Ok(mut code) | Err(Exit(mut code))) = ended;
        let Conversions { fsync, fdatasync, .. } = self.operands.conversions;
        if self.open_end
            && let Ok(end) = sys.lseek(STDOUT, 0, SEEK_CUR).await
            && let Err(errno) = sys.ftruncate(STDOUT, end).await
        {
            let text = format!("failed to truncate to {end} bytes in output file {}", self.output_name());
            self.tool.error_errno(text, errno).await;
            code = 1;
        }
        if ended.is_ok()
            && (fsync || fdatasync)
            && let Err(errno) = sys.fsync(STDOUT).await
        {
            let call = if fdatasync { "fdatasync" } else { "fsync" };
            self.tool.error_errno(format!("{call} failed for {}", self.output_name()), errno).await;
            code = 1;
        }
        self.say_stats().await;
        Ok(code)
    }

    async fn say_stats(&mut self) {
        if self.operands.status == Status::None {
            return;
        }
        let now = self.tool.sys.clock_monotonic().await;
        self.tool.stderr(self.stats.records()).await;
        if self.operands.status != Status::NoTransfer {
            self.tool.stderr(self.stats.transfer(now)).await;
        }
    }
}
