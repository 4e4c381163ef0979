//! md5sum, sha1sum, sha224sum, sha256sum, sha384sum, sha512sum: message digests.

use provium_kernel::{Errno, Fd};
use sha1::digest::Digest;

use super::common::{close, lines, open, or_stdin};
use crate::shared::tool::program;
use crate::shared::{Exit, Opt, Outcome, Parsed, Spec, Tool, quotef};

/// Bytes of one read, as in the real tool.
const BLOCK: usize = 32 << 10;

const SPEC: Spec = Spec::new(
    "[OPTION]... [FILE]...",
    &[
        Opt::flag("b", "binary"),
        Opt::flag("c", "check"),
        Opt::flag("", "tag"),
        Opt::flag("t", "text"),
        Opt::flag("z", "zero"),
        Opt::flag("", "ignore-missing"),
        Opt::flag("", "quiet"),
        Opt::flag("", "status"),
        Opt::flag("", "strict"),
        Opt::flag("w", "warn"),
    ],
);

/// A digest algorithm.
#[derive(Clone, Copy)]
pub(super) struct Algorithm {
    /// Its name in `--tag` lines.
    tag: &'static str,
    hex_length: usize,
    start: fn() -> Box<dyn Running>,
}

/// A digest that is being made.
trait Running {
    fn update(&mut self, data: &[u8]);
    fn finish(self: Box<Self>) -> String;
}

struct Hash<D>(D);

impl<D: Digest> Running for Hash<D> {
    fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    fn finish(self: Box<Self>) -> String {
        self.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

const MD5: Algorithm = Algorithm { tag: "MD5", hex_length: 32, start: || Box::new(Hash(md5::Md5::new())) };
const SHA1: Algorithm = Algorithm { tag: "SHA1", hex_length: 40, start: || Box::new(Hash(sha1::Sha1::new())) };
const SHA224: Algorithm = Algorithm { tag: "SHA224", hex_length: 56, start: || Box::new(Hash(sha2::Sha224::new())) };
const SHA256: Algorithm = Algorithm { tag: "SHA256", hex_length: 64, start: || Box::new(Hash(sha2::Sha256::new())) };
const SHA384: Algorithm = Algorithm { tag: "SHA384", hex_length: 96, start: || Box::new(Hash(sha2::Sha384::new())) };
const SHA512: Algorithm = Algorithm { tag: "SHA512", hex_length: 128, start: || Box::new(Hash(sha2::Sha512::new())) };

/// Every tool of this kind.
pub(super) fn programs() -> impl Iterator<Item = (&'static str, provium_kernel::ProgramFn)> {
    [
        ("md5sum", MD5),
        ("sha1sum", SHA1),
        ("sha224sum", SHA224),
        ("sha256sum", SHA256),
        ("sha384sum", SHA384),
        ("sha512sum", SHA512),
    ]
    .into_iter()
    .map(|(name, algorithm)| (name, program(move |tool| run(tool, algorithm))))
}

async fn run(tool: Tool, algorithm: Algorithm) -> Outcome {
    let parsed = tool.parse(&SPEC).await?;
    if parsed.has("check") {
        return check(&tool, algorithm, &parsed).await;
    }
    for key in ["ignore-missing", "status", "warn", "quiet", "strict"] {
        if parsed.has(key) {
            let message = format!("the --{key} option is meaningful only when verifying checksums");
            return Err(tool.usage_error(1, message).await);
        }
    }
    let mut code = 0;
    let binary = parsed.last_of(&["binary", "text"]) == Some("binary");
    for name in or_stdin(parsed.operands.clone()) {
        match digest_of(&tool, algorithm, &name).await {
            Ok(digest) => tool.out.write(line(&digest, &name, algorithm, &parsed, binary)).await?,
            Err(errno) => {
                tool.error_errno(quotef(&name), errno).await;
                code = 1;
            }
        }
    }
    Ok(code)
}

fn line(digest: &str, name: &[u8], algorithm: Algorithm, parsed: &Parsed, binary: bool) -> Vec<u8> {
    let mut line = Vec::new();
    let escape = !parsed.has("zero") && name.iter().any(|byte| matches!(byte, b'\\' | b'\n' | b'\r'));
    let shown = if escape { escaped(name) } else { name.to_vec() };
    if escape {
        line.push(b'\\');
    }
    if parsed.has("tag") {
        line.extend_from_slice(algorithm.tag.as_bytes());
        line.extend_from_slice(b" (");
        line.extend_from_slice(&shown);
        line.extend_from_slice(b") = ");
        line.extend_from_slice(digest.as_bytes());
    } else {
        line.extend_from_slice(digest.as_bytes());
        line.extend_from_slice(if binary { b" *" } else { b"  " });
        line.extend_from_slice(&shown);
    }
    line.push(if parsed.has("zero") { 0 } else { b'\n' });
    line
}

fn escaped(name: &[u8]) -> Vec<u8> {
    let mut shown = Vec::new();
    for byte in name {
        match byte {
            b'\\' => shown.extend_from_slice(b"\\\\"),
            b'\n' => shown.extend_from_slice(b"\\n"),
            b'\r' => shown.extend_from_slice(b"\\r"),
            other => shown.push(*other),
        }
    }
    shown
}

fn unescaped(name: &[u8]) -> Vec<u8> {
    let mut bytes = name.iter();
    let mut real = Vec::new();
    while let Some(&byte) = bytes.next() {
        real.push(match (byte, byte == b'\\') {
            (_, true) => match bytes.next() {
                Some(b'n') => b'\n',
                Some(b'r') => b'\r',
                _ => b'\\',
            },
            (byte, false) => byte,
        });
    }
    real
}

async fn digest_of(tool: &Tool, algorithm: Algorithm, name: &[u8]) -> Result<String, Errno> {
    let fd = open(tool, name).await?;
    let digest = stream(tool, algorithm, fd).await;
    close(tool, fd).await;
    digest
}

async fn stream(tool: &Tool, algorithm: Algorithm, fd: Fd) -> Result<String, Errno> {
    let mut running = (algorithm.start)();
    loop {
        let data = tool.sys.read(fd, BLOCK).await?;
        if data.is_empty() {
            return Ok(running.finish());
        }
        running.update(&data);
    }
}

/// A line of a list of digests: digest and name.
fn parse_line(line: &[u8], algorithm: Algorithm) -> Option<(String, Vec<u8>)> {
    let (line, is_escaped) = match line.strip_prefix(b"\\") {
        Some(rest) => (rest, true),
        None => (line, false),
    };
    let real = |name: &[u8]| if is_escaped { unescaped(name) } else { name.to_vec() };
    let is_digest = |text: &[u8]| text.len() == algorithm.hex_length && text.iter().all(u8::is_ascii_hexdigit);
    let lower = |text: &[u8]| String::from_utf8_lossy(text).to_ascii_lowercase();
    if let Some(rest) = line.strip_prefix(algorithm.tag.as_bytes()) {
        let rest = rest.strip_prefix(b" ").unwrap_or(rest).strip_prefix(b"(")?;
        let close = rest.windows(4).rposition(|window| window == b") = ")?;
        let digest = &rest[close + 4..];
        return is_digest(digest).then(|| (lower(digest), real(&rest[..close])));
    }
    let (digest, rest) = line.split_at_checked(algorithm.hex_length)?;
    let name = rest.strip_prefix(b"  ").or_else(|| rest.strip_prefix(b" *"))?;
    (is_digest(digest) && !name.is_empty()).then(|| (lower(digest), real(name)))
}

#[derive(Default)]
struct Tally {
    proper: u64,
    improper: u64,
    mismatched: u64,
    unreadable: u64,
    matched: u64,
}

async fn check(tool: &Tool, algorithm: Algorithm, parsed: &Parsed) -> Outcome {
    for key in ["tag", "binary", "text"] {
        if parsed.has(key) {
            let message = if key == "tag" {
                "the --tag option is meaningless when verifying checksums"
            } else {
                "the --binary and --text options are meaningless when verifying checksums"
            };
            return Err(tool.usage_error(1, message).await);
        }
    }
    let mut code = 0;
    for list in or_stdin(parsed.operands.clone()) {
        if !check_list(tool, algorithm, parsed, &list).await? {
            code = 1;
        }
    }
    Ok(code)
}

async fn check_list(tool: &Tool, algorithm: Algorithm, parsed: &Parsed, list: &[u8]) -> Result<bool, Exit> {
    let shown = if list == b"-" { "'standard input'".to_owned() } else { quotef(list) };
    let fd = match open(tool, list).await {
        Ok(fd) => fd,
        Err(errno) => {
            tool.error_errno(shown, errno).await;
            return Ok(false);
        }
    };
    let status = parsed.has("status");
    let mut tally = Tally::default();
    let mut reader = lines(tool, fd);
    let mut number = 0;
    loop {
        let line = match reader.line().await {
            Ok(Some(line)) => line,
            Ok(None) => break,
            Err(errno) => {
                tool.error(format!("{shown}: read error: {}", errno.text())).await;
                close(tool, fd).await;
                return Ok(false);
            }
        };
        number += 1;
        let line = super::common::chomp(&line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.starts_with(b"#") {
            continue;
        }
        let Some((digest, name)) = parse_line(line, algorithm) else {
            tally.improper += 1;
            if parsed.has("warn") {
                let message = format!("{shown}: {number}: improperly formatted {} checksum line", algorithm.tag);
                tool.error(message).await;
            }
            continue;
        };
        tally.proper += 1;
        check_file(tool, algorithm, parsed, &name, &digest, &mut tally).await?;
    }
    close(tool, fd).await;
    if tally.proper == 0 {
        tool.error(format!("{shown}: no properly formatted checksum lines found")).await;
        return Ok(false);
    }
    if !status {
        summary(tool, &tally).await;
        if parsed.has("ignore-missing") && tally.matched == 0 {
            tool.error(format!("{shown}: no file was verified")).await;
        }
    }
    let verified = tally.matched > 0 || !parsed.has("ignore-missing");
    let strict = parsed.has("strict") && tally.improper > 0;
    Ok(tally.mismatched == 0 && tally.unreadable == 0 && verified && !strict)
}

async fn check_file(
    tool: &Tool,
    algorithm: Algorithm,
    parsed: &Parsed,
    name: &[u8],
    digest: &str,
    tally: &mut Tally,
) -> Result<(), Exit> {
    let status = parsed.has("status");
    let verdict = match digest_of(tool, algorithm, name).await {
        Ok(found) if found == digest => {
            tally.matched += 1;
            if parsed.has("quiet") {
                return Ok(());
            }
            "OK"
        }
        Ok(_) => {
            tally.mismatched += 1;
            "FAILED"
        }
        Err(Errno::ENOENT) if parsed.has("ignore-missing") => return Ok(()),
        Err(errno) => {
            tool.error_errno(quotef(name), errno).await;
            tally.unreadable += 1;
            "FAILED open or read"
        }
    };
    if !status {
        let escape = name.contains(&b'\n');
        let shown = if escape { [b"\\", &escaped(name)[..]].concat() } else { name.to_vec() };
        tool.out.write([&shown, &b": "[..], verdict.as_bytes(), b"\n"].concat()).await?;
    }
    Ok(())
}

async fn summary(tool: &Tool, tally: &Tally) {
    for (count, one, many) in [
        (tally.improper, "line is improperly formatted", "lines are improperly formatted"),
        (tally.unreadable, "listed file could not be read", "listed files could not be read"),
        (tally.mismatched, "computed checksum did NOT match", "computed checksums did NOT match"),
    ] {
        if count > 0 {
            tool.error(format!("WARNING: {count} {}", if count == 1 { one } else { many })).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{MD5, SHA256, parse_line};

    #[test]
    fn lists_are_read_in_both_forms() {
        let empty = "d41d8cd98f00b204e9800998ecf8427e";
        assert_eq!(parse_line(format!("{empty}  a b").as_bytes(), MD5), Some((empty.into(), b"a b".to_vec())));
        assert_eq!(parse_line(format!("{empty} *x").as_bytes(), MD5), Some((empty.into(), b"x".to_vec())));
        assert_eq!(parse_line(format!("MD5 (x) = {empty}").as_bytes(), MD5), Some((empty.into(), b"x".to_vec())));
        assert_eq!(parse_line(format!("\\{empty}  a\\nb").as_bytes(), MD5), Some((empty.into(), b"a\nb".to_vec())));
        assert_eq!(parse_line(format!("{empty}  x").as_bytes(), SHA256), None);
        assert_eq!(parse_line(b"x  y", MD5), None);
    }

    #[test]
    fn digests_are_those_of_the_standards() {
        let mut running = (SHA256.start)();
        running.update(b"abc");
        assert_eq!(running.finish(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
