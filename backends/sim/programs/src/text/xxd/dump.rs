//! From bytes to text.

use provium_kernel::Fd;

use super::{BLOCK, Job, Kind};
use crate::shared::tool::text_of;
use crate::shared::{Exit, Outcome, Tool};

struct Source<'a> {
    tool: &'a Tool,
    fd: Fd,
    held: Vec<u8>,
    at: usize,
    left: u64,
    ended: bool,
}

impl Source<'_> {
    async fn take(&mut self, length: usize) -> Result<Vec<u8>, Exit> {
        let length = usize::try_from(self.left).unwrap_or(usize::MAX).min(length);
        let mut row = Vec::with_capacity(length);
        while row.len() < length {
            if self.at == self.held.len() {
                if self.ended {
                    break;
                }
                self.held = match self.tool.sys.read(self.fd, BLOCK).await {
                    Ok(held) => held,
                    Err(errno) => return Err(self.tool.fail(2, text_of(errno)).await),
                };
                self.at = 0;
                self.ended = self.held.is_empty();
                continue;
            }
            let step = (length - row.len()).min(self.held.len() - self.at);
            row.extend_from_slice(&self.held[self.at..self.at + step]);
            self.at += step;
        }
        self.left -= row.len() as u64;
        Ok(row)
    }
}

pub(super) async fn run(tool: &Tool, fd: Fd, job: &Job, skipped: u64, name: Option<&[u8]>) -> Outcome {
    let left = job.length.unwrap_or(u64::MAX);
    let mut source = Source { tool, fd, held: Vec::new(), at: 0, left, ended: false };
    match job.kind {
        Kind::Plain => plain(&mut source, job).await,
        Kind::Include => include(&mut source, job, name).await,
        _ => rows(&mut source, job, skipped).await,
    }
}

fn hex(bytes: &[u8], upper: bool) -> String {
    bytes.iter().map(|byte| if upper { format!("{byte:02X}") } else { format!("{byte:02x}") }).collect()
}

async fn plain(source: &mut Source<'_>, job: &Job) -> Outcome {
    let columns = job.columns.unwrap_or(30);
    let block = if columns == 0 { BLOCK } else { columns };
    let mut any = false;
    loop {
        let row = source.take(block).await?;
        if row.is_empty() {
            break;
        }
        any = true;
        let end = if columns == 0 { "" } else { "\n" };
        source.tool.out.write(format!("{}{end}", hex(&row, job.upper))).await?;
    }
    if any && columns == 0 {
        source.tool.out.write("\n").await?;
    }
    Ok(0)
}

async fn include(source: &mut Source<'_>, job: &Job, name: Option<&[u8]>) -> Outcome {
    let columns = job.columns.filter(|columns| *columns > 0).unwrap_or(12);
    let variable: Option<String> = name.map(|name| {
        let digit = if name.first().is_some_and(u8::is_ascii_digit) { "__" } else { "" };
        let body: String =
            name.iter().map(|byte| if byte.is_ascii_alphanumeric() { char::from(*byte) } else { '_' }).collect();
        format!("{digit}{body}")
    });
    let out = &source.tool.out;
    if let Some(variable) = &variable {
        out.write(format!("unsigned char {variable}[] = {{\n")).await?;
    }
    let mut count: u64 = 0;
    loop {
        let row = source.take(columns).await?;
        if row.is_empty() {
            break;
        }
        let items: Vec<String> =
            row.iter().map(|byte| if job.upper { format!("0X{byte:02X}") } else { format!("0x{byte:02x}") }).collect();
        source.tool.out.write(format!("{}  {}", if count > 0 { ",\n" } else { "" }, items.join(", "))).await?;
        count += row.len() as u64;
    }
    let out = &source.tool.out;
    if count > 0 {
        out.write("\n").await?;
    }
    if let Some(variable) = variable {
        out.write(format!("}};\nunsigned int {variable}_len = {count};\n")).await?;
    }
    Ok(0)
}

async fn rows(source: &mut Source<'_>, job: &Job, skipped: u64) -> Outcome {
    let bits = job.kind == Kind::Bits;
    let columns = job.columns.filter(|columns| *columns > 0).unwrap_or(if bits { 6 } else { 16 });
    let group = job.group.unwrap_or(match job.kind {
        Kind::Bits => 1,
        Kind::LittleEndian => 4,
        _ => 2,
    });
    let group = if group == 0 || group > columns { columns } else { group };
    let mut address = skipped.wrapping_add(job.shift);
    let mut zero_rows = 0;
    let mut held: Option<String> = None;
    loop {
        let row = source.take(columns).await?;
        let last = row.is_empty();
        if last {
            break;
        }
        let text = line(&row, address, columns, group, job);
        address = address.wrapping_add(row.len() as u64);
        let zero = job.autoskip && row.len() == columns && row.iter().all(|byte| *byte == 0);
        if !zero {
            // One zero row more than shown: it stands as it is, several become a star.
            if let Some(held) = held.take() {
                source.tool.out.write(if zero_rows > 2 { "*\n" } else { held.as_str() }).await?;
            }
            zero_rows = 0;
            source.tool.out.write(text).await?;
            continue;
        }
        zero_rows += 1;
        if zero_rows == 1 {
            source.tool.out.write(text).await?;
        } else {
            held = Some(text);
        }
    }
    if let Some(held) = held {
        // The last row is always shown.
        source.tool.out.write(if zero_rows > 2 { format!("*\n{held}") } else { held }).await?;
    }
    Ok(0)
}

fn line(row: &[u8], address: u64, columns: usize, group: usize, job: &Job) -> String {
    let digits = if job.kind == Kind::Bits { 8 } else { 2 };
    let mut text = if job.decimal { format!("{address:08}:") } else { format!("{address:08x}:") };
    let start = text.len();
    for chunk in row.chunks(group) {
        text.push(' ');
        match job.kind {
            Kind::Bits => text.extend(chunk.iter().map(|byte| format!("{byte:08b}"))),
            Kind::LittleEndian => {
                text.extend(std::iter::repeat_n("  ", group - chunk.len()));
                let reversed: Vec<u8> = chunk.iter().rev().copied().collect();
                text.push_str(&hex(&reversed, job.upper));
            }
            _ => text.push_str(&hex(chunk, job.upper)),
        }
    }
    let width = start + 1 + (columns * digits) + (columns - 1) / group;
    while text.len() < width {
        text.push(' ');
    }
    text.push_str("  ");
    text.extend(row.iter().map(|byte| if (b' '..=b'~').contains(byte) { char::from(*byte) } else { '.' }));
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::{Job, Kind, line};

    #[test]
    fn rows_line_up() {
        assert_eq!(
            line(b"hello\nworld\n", 0, 16, 2, &Job::USUAL),
            "00000000: 6865 6c6c 6f0a 776f 726c 640a            hello.world.\n"
        );
        assert_eq!(line(b"d\n", 10, 5, 2, &Job::USUAL), "0000000a: 640a          d.\n");
        let little = Job { kind: Kind::LittleEndian, ..Job::USUAL };
        assert_eq!(
            line(b"hello\nworld\n", 0, 16, 4, &little),
            "00000000: 6c6c6568 6f770a6f 0a646c72           hello.world.\n"
        );
    }
}
