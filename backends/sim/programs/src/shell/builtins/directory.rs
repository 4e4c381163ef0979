//! `cd`, `pwd` and `umask`.

use provium_kernel::flags::{S_IFDIR, S_IFMT};

use super::Call;
use crate::shared::mode::ModeChange;
use crate::shell::flow::{Eval, Flow};
use crate::shell::state::Shell;

/// Whether `-P` is the last of `-L` and `-P`.
async fn is_physical(shell: &mut Shell, call: &Call) -> Result<(bool, Vec<Vec<u8>>), Flow> {
    let (options, operands) = shell.call_options(call, "LP").await?;
    Ok((options.last().is_some_and(|(letter, _)| *letter == b'P'), operands))
}

pub(super) async fn cd(shell: &mut Shell, call: &mut Call) -> Eval {
    let (physical, operands) = is_physical(shell, call).await?;
    let value = |shell: &Shell, name: &[u8]| shell.variables.get(name).map(|value| value.to_vec()).unwrap_or_default();
    let mut shows = false;
    let mut wanted = match operands.into_iter().next() {
        None => value(shell, b"HOME"),
        Some(operand) if operand == b"-" => {
            shows = true;
            value(shell, b"OLDPWD")
        }
        Some(operand) => operand,
    };
    if wanted.is_empty() {
        wanted = b".".to_vec();
    }
    let first = wanted.split(|&byte| byte == b'/').next().unwrap_or_default();
    let searched = !matches!(first, b"" | b"." | b"..");
    let directories = if searched { value(shell, b"CDPATH") } else { Vec::new() };
    for directory in directories.split(|&byte| byte == b':').filter(|_| searched) {
        let candidate = if directory.is_empty() { wanted.clone() } else { [directory, b"/", &wanted].concat() };
        let is_directory = shell.sys.stat(&candidate).await.is_ok_and(|stat| stat.mode & S_IFMT == S_IFDIR);
        if is_directory && enter(shell, &candidate, physical).await {
            shows |= !directory.is_empty();
            return Ok(show(shell, call, shows));
        }
    }
    if enter(shell, &wanted, physical).await {
        return Ok(show(shell, call, shows));
    }
    Err(shell.error([b"can't cd to ", &wanted[..]].concat()).await)
}

fn show(shell: &Shell, call: &mut Call, shows: bool) -> i32 {
    if shows {
        call.out.extend_from_slice(shell.directory.as_deref().unwrap_or_default());
        call.out.push(b'\n');
    }
    0
}

async fn enter(shell: &mut Shell, path: &[u8], physical: bool) -> bool {
    let logical = if physical { None } else { shell.directory.as_deref().map(|here| resolved(here, path)) };
    if shell.sys.chdir(logical.as_deref().unwrap_or(path)).await.is_err() {
        return false;
    }
    let old = shell.directory.take().unwrap_or_default();
    let new = match logical {
        Some(path) => Some(path),
        None => shell.sys.getcwd().await.ok(),
    };
    // Read-only names of directories are left as they are.
    let _kept = shell.try_assign(b"OLDPWD", &old, true);
    let _kept = shell.try_assign(b"PWD", new.as_deref().unwrap_or_default(), true);
    shell.directory = new;
    true
}

/// A path seen from a directory, without dots: by names alone, as a user thinks of it.
fn resolved(here: &[u8], path: &[u8]) -> Vec<u8> {
    let all = if path.first() == Some(&b'/') { path.to_vec() } else { [here, b"/", path].concat() };
    let mut names: Vec<&[u8]> = Vec::new();
    for name in all.split(|&byte| byte == b'/') {
        match name {
            b"" | b"." => {}
            b".." => {
                names.pop();
            }
            name => names.push(name),
        }
    }
    [b"/", &names.join(&b'/')[..]].concat()
}

pub(super) async fn pwd(shell: &mut Shell, call: &mut Call) -> Eval {
    let (physical, _) = is_physical(shell, call).await?;
    let directory = match &shell.directory {
        Some(directory) if !physical => Ok(directory.clone()),
        _ => shell.sys.getcwd().await,
    };
    match directory {
        Ok(directory) => {
            call.out.extend(directory);
            call.out.push(b'\n');
            Ok(0)
        }
        Err(errno) => Err(shell.error(format!("getcwd() failed: {}", errno.text())).await),
    }
}

pub(super) async fn umask(shell: &mut Shell, call: &mut Call) -> Eval {
    let (options, operands) = shell.call_options(call, "S").await?;
    let old = shell.sys.umask(0).await.unwrap_or_default();
    let new = match operands.first() {
        None => Ok(old),
        Some(text) if text.first().is_some_and(u8::is_ascii_digit) => octal(text).ok_or("Illegal number: "),
        Some(text) => {
            ModeChange::parse(text).map(|change| !change.apply(!old & 0o777, false, 0) & 0o777).ok_or("Illegal mode: ")
        }
    };
    let _infallible = shell.sys.umask(new.unwrap_or(old)).await;
    if let (Err(message), Some(text)) = (new, operands.first()) {
        return Err(shell.error([message.as_bytes(), text].concat()).await);
    }
    if operands.is_empty() {
        let text = if options.is_empty() { format!("{old:04o}\n") } else { symbolic(old) };
        call.out.extend_from_slice(text.as_bytes());
    }
    Ok(0)
}

fn octal(text: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(text).ok()?;
    u32::from_str_radix(text, 8).ok().map(|mask| mask & 0o777)
}

fn symbolic(mask: u32) -> String {
    let who = |name: char, shift: u32| {
        let allowed = !mask >> shift;
        let letters = [(4, 'r'), (2, 'w'), (1, 'x')].into_iter().filter(|(bit, _)| allowed & bit != 0);
        format!("{name}={}", letters.map(|(_, letter)| letter).collect::<String>())
    };
    format!("{},{},{}\n", who('u', 6), who('g', 3), who('o', 0))
}

#[cfg(test)]
mod tests {
    use super::{resolved, symbolic};

    #[test]
    fn paths_are_resolved_by_name() {
        for (here, path, expected) in
            [("/a/b", "c", "/a/b/c"), ("/a/b", "../c/.", "/a/c"), ("/", "..", "/"), ("/a", "/x//y/../z/", "/x/z")]
        {
            assert_eq!(String::from_utf8(resolved(here.as_bytes(), path.as_bytes())).unwrap(), expected);
        }
    }

    #[test]
    fn masks_can_be_shown_in_letters() {
        assert_eq!(symbolic(0o027), "u=rwx,g=rx,o=\n");
    }
}
