//! mktemp(1).

use provium_kernel::Errno;
use provium_kernel::flags::{O_CREAT, O_EXCL, O_RDWR};

use super::temp_name::random_letters;
use crate::shared::path::join;
use crate::shared::{Opt, Outcome, Spec, Tool, quote};

const SPEC: Spec = Spec::new(
    "[OPTION]... [TEMPLATE]",
    &[
        Opt::flag("d", "directory"),
        Opt::optional("", "tmpdir"),
        Opt::value("p", ""),
        Opt::flag("q", "quiet"),
        Opt::value("", "suffix"),
        Opt::flag("t", ""),
        Opt::flag("u", "dry-run"),
    ],
);

/// Names tried before giving up: `TMP_MAX` of the GNU tool is 62³; each try costs a system call.
const ATTEMPTS: u32 = 62 * 62 * 62;

pub(super) async fn run(tool: Tool) -> Outcome {
    let parsed = tool.parse(&SPEC).await?;
    if parsed.operands.len() > 1 {
        return Err(tool.usage_error(1, "too many templates").await);
    }
    let (mut template, defaulted) = match parsed.operands.first() {
        Some(template) => (template.clone(), false),
        None => (b"tmp.XXXXXXXXXX".to_vec(), true),
    };
    let mut suffix = Vec::new();
    if let Some(given) = parsed.value("suffix") {
        if template.last() != Some(&b'X') {
            return Err(tool.fail(1, format!("with --suffix, template {} must end in X", quote(&template))).await);
        }
        suffix = given.to_vec();
    } else if let Some(last) = template.iter().rposition(|&byte| byte == b'X') {
        suffix = template.split_off(last + 1);
    }
    if suffix.contains(&b'/') {
        return Err(tool.fail(1, format!("invalid suffix {}, contains directory separator", quote(&suffix))).await);
    }
    let count = template.iter().rev().take_while(|&&byte| byte == b'X').count();
    if count < 3 {
        return Err(tool.fail(1, format!("too few X's in template {}", quote(&template))).await);
    }
    let in_directory = defaulted || parsed.has("t") || parsed.has("p") || parsed.has("tmpdir");
    let mut path = [template.as_slice(), &suffix].concat();
    if in_directory {
        let tmpdir = tool.env_var("TMPDIR").filter(|value| !value.is_empty());
        let given = parsed.value("p").or(parsed.value("tmpdir")).filter(|value| !value.is_empty());
        let directory = if parsed.has("t") { tmpdir.or(given) } else { given.or(tmpdir) }.unwrap_or(b"/tmp").to_vec();
        if parsed.has("t") && path.contains(&b'/') {
            let text = format!("invalid template, {}, contains directory separator", quote(&path));
            return Err(tool.fail(1, text).await);
        }
        if path.starts_with(b"/") {
            let text = format!("invalid template, {}; with --tmpdir, it may not be absolute", quote(&path));
            return Err(tool.fail(1, text).await);
        }
        path = join(&directory, &path);
    }
    let start = path.len() - suffix.len() - count;
    let template = path.clone();
    for _ in 0..ATTEMPTS {
        path.splice(start..start + count, random_letters(&tool.sys, count).await);
        let made = create(&tool, &path, parsed.has("directory"), parsed.has("dry-run")).await;
        match made {
            Ok(()) => {
                tool.out.write([path.as_slice(), b"\n"].concat()).await?;
                return Ok(0);
            }
            Err(Errno::EEXIST) => {}
            Err(errno) => {
                if !parsed.has("quiet") {
                    let what = if parsed.has("directory") { "directory" } else { "file" };
                    let text = format!("failed to create {what} via template {}", quote(&template));
                    tool.error_errno(text, errno).await;
                }
                return Ok(1);
            }
        }
    }
    let text = format!("failed to create file via template {}", quote(&template));
    Err(tool.fail_errno(1, text, Errno::EEXIST).await)
}

async fn create(tool: &Tool, path: &[u8], directory: bool, only_name: bool) -> Result<(), Errno> {
    if only_name {
        return match tool.sys.lstat(path).await {
            Ok(_) => Err(Errno::EEXIST),
            Err(Errno::ENOENT) => Ok(()),
            Err(errno) => Err(errno),
        };
    }
    if directory {
        return tool.sys.mkdir(path, 0o700).await;
    }
    let fd = tool.sys.open(path, O_RDWR | O_CREAT | O_EXCL, 0o600).await?;
    tool.sys.close(fd).await
}
