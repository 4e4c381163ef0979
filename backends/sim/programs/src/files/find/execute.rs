//! `-exec`: runs commands on what was found.

use provium_kernel::{Errno, WaitFor, WaitOptions, WaitStatus};

use super::Search;
use super::expression::Command;
use crate::shared::exec::exec_path;
use crate::shared::path::{base_name, dir_name, join};
use crate::shared::quote::quoteaf;
use crate::shared::tool::{STDERR, text_of};
use crate::shared::{Exit, quote};

/// Bytes of arguments in one command line, as find takes it: 128 KiB.
const MAX_COMMAND: usize = 128 << 10;

/// A command that gathers arguments.
pub(super) struct Batch {
    command: Command,
    files: Vec<Vec<u8>>,
    /// Bytes of the arguments, each with its end.
    bytes: usize,
}

impl Batch {
    pub(super) fn new(command: Command) -> Batch {
        Batch { bytes: own_bytes(&command), command, files: Vec::new() }
    }
}

fn own_bytes(command: &Command) -> usize {
    command.words.iter().map(|word| word.len() + 1).sum()
}

impl Search {
    /// Runs a command for one file; whether it exited with 0.
    pub(super) async fn execute(&mut self, command: &Command, path: &[u8]) -> Result<bool, Exit> {
        let (shown, directory) = if command.in_directory {
            (join(b".", base_name(path)), Some(dir_name(path).to_vec()))
        } else {
            (path.to_vec(), None)
        };
        let words = command.words.iter().map(|word| filled(word, &shown)).collect();
        self.run_command(words, directory).await
    }

    /// Adds a file to a command; the command runs when its line is full.
    pub(super) async fn gather(&mut self, number: usize, path: &[u8]) -> Result<(), Exit> {
        let Some(batch) = self.batches.get(number) else { return Ok(()) };
        if !batch.files.is_empty() && batch.bytes + path.len() + 1 > MAX_COMMAND {
            self.run_batch(number).await?;
        }
        if let Some(batch) = self.batches.get_mut(number) {
            batch.bytes += path.len() + 1;
            batch.files.push(path.to_vec());
        }
        Ok(())
    }

    /// Runs what is gathered still.
    pub(super) async fn finish(&mut self) -> Result<(), Exit> {
        for number in 0..self.batches.len() {
            self.run_batch(number).await?;
        }
        Ok(())
    }

    async fn run_batch(&mut self, number: usize) -> Result<(), Exit> {
        let Some(batch) = self.batches.get_mut(number) else { return Ok(()) };
        if batch.files.is_empty() {
            return Ok(());
        }
        let mut words = batch.command.words.clone();
        words.append(&mut batch.files);
        batch.bytes = own_bytes(&batch.command);
        if !self.run_command(words, None).await? {
            self.code = 1;
        }
        Ok(())
    }

    async fn run_command(&mut self, words: Vec<Vec<u8>>, directory: Option<Vec<u8>>) -> Result<bool, Exit> {
        self.tool.out.flush().await?;
        let env = self.tool.env.clone();
        let name = self.tool.name().to_vec();
        let forked = self.tool.sys.fork(move |sys| {
            Box::pin(async move {
                let mut failure = None;
                if let Some(directory) = directory {
                    failure = sys.chdir(directory).await.err();
                }
                let shown = quoteaf(words.first().map_or(&[][..], Vec::as_slice));
                let errno = match failure {
                    Some(errno) => errno,
                    None => exec_path(&sys, words, env).await,
                };
                let text = format!("{}: {shown}: {}\n", String::from_utf8_lossy(&name), text_of(errno));
                let _lost = sys.write_all(STDERR, text.as_bytes()).await;
                1
            })
        });
        let child = match forked.await {
            Ok(child) => child,
            Err(errno) => return Err(self.tool.fail_errno(1, "cannot fork", errno).await),
        };
        loop {
            match self.tool.sys.wait(WaitFor::Pid(child), WaitOptions::default()).await {
                Ok(Some((_, WaitStatus::Exited(code)))) => return Ok(code == 0),
                Ok(Some((_, WaitStatus::Signalled(signal, _)))) => {
                    self.tool.error(format!("{} terminated by signal {}", quote("command"), signal.0)).await;
                    return Ok(false);
                }
                Ok(_) | Err(Errno::EINTR) => {}
                Err(errno) => return Err(self.tool.fail_errno(1, "error waiting for the command", errno).await),
            }
        }
    }
}

/// A word of the command with the file in the place of each `{}`.
fn filled(word: &[u8], path: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    let mut rest = word;
    while let Some(at) = rest.windows(2).position(|pair| pair == b"{}") {
        text.extend_from_slice(&rest[..at]);
        text.extend_from_slice(path);
        rest = &rest[at + 2..];
    }
    text.extend_from_slice(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::filled;

    #[test]
    fn braces_are_filled_wherever_they_stand() {
        assert_eq!(filled(b"a{}b{}", b"x"), b"axbx");
        assert_eq!(filled(b"{", b"x"), b"{");
    }
}
