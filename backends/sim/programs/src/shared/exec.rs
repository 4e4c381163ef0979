//! Running another program: the search along `PATH`, and the exit codes of tools that run one.

use provium_kernel::{Errno, Sys};

use super::tool::env_var;

/// Where programs are looked for when the environment has no `PATH` (confstr(3) `_CS_PATH`).
pub const DEFAULT_PATH: &[u8] = b"/bin:/usr/bin";

/// execvp(3): tries each directory of `PATH` in turn, and runs a file that is neither program nor `#!`
/// script with `/bin/sh`. Returns only on failure.
pub async fn exec_path(sys: &Sys, argv: Vec<Vec<u8>>, env: Vec<Vec<u8>>) -> Errno {
    let Some(file) = argv.first().cloned() else { return Errno::EINVAL };
    if file.is_empty() {
        return Errno::ENOENT;
    }
    if file.contains(&b'/') {
        return exec_or_script(sys, file, argv, env).await;
    }
    let path = env_var(&env, "PATH").unwrap_or(DEFAULT_PATH).to_vec();
    let mut refused = None;
    for directory in path.split(|&byte| byte == b':') {
        let candidate = match directory {
            b"" => file.clone(),
            directory => [directory, b"/", &file].concat(),
        };
        match exec_or_script(sys, candidate, argv.clone(), env.clone()).await {
            // Like execvp: a forbidden one is reported only if no other is found.
            Errno::EACCES => refused = Some(Errno::EACCES),
            Errno::ENOENT | Errno::ENOTDIR | Errno::ESTALE | Errno::ENODEV | Errno::ETIMEDOUT => {}
            other => return other,
        }
    }
    refused.unwrap_or(Errno::ENOENT)
}

async fn exec_or_script(sys: &Sys, path: Vec<u8>, argv: Vec<Vec<u8>>, env: Vec<Vec<u8>>) -> Errno {
    match sys.exec(&path, argv.clone(), env.clone()).await {
        Errno::ENOEXEC => {
            let mut script = vec![b"/bin/sh".to_vec(), path];
            script.extend(argv.into_iter().skip(1));
            sys.exec("/bin/sh", script, env).await
        }
        other => other,
    }
}

/// The exit code of a tool that could not run its command: 127 if there is none, else 126.
#[must_use]
pub fn cannot_run(errno: Errno) -> i32 {
    if errno == Errno::ENOENT { 127 } else { 126 }
}
