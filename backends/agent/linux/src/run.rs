//! Starting the agent.

use std::rc::Rc;
use std::time::Duration;

use provium_agent::Agent;
use tokio::task::LocalSet;

use crate::init::{self, Config};
use crate::os::LinuxOs;
use crate::server::{Endpoint, Power, serve};

/// How long process 1 pauses before it looks for the host again when the link has failed.
const PAUSE: Duration = Duration::from_millis(100);

/// As what the agent was started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Startup {
    /// The first process of a guest.
    Init,
    /// An ordinary process.
    Process {
        /// Where the host is.
        endpoint: Endpoint,
        /// Whether the machine is a guest that it may change and switch off.
        guest: bool,
    },
}

impl Startup {
    /// Reads the command line. That of process 1 is the kernel's, and says nothing.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(args: impl Iterator<Item = String>) -> Result<Startup, String> {
        if std::process::id() == 1 {
            return Ok(Startup::Init);
        }
        Startup::of_process(args)
    }

    fn of_process(mut args: impl Iterator<Item = String>) -> Result<Startup, String> {
        let (mut found, mut guest) = (None, false);
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or_else(|| format!("`{arg}` wants a value"));
            let endpoint = match arg.as_str() {
                "--guest" => {
                    guest = true;
                    continue;
                }
                "--virtio-port" => Endpoint::VirtioPort(value()?),
                "--port" => Endpoint::Device(value()?.into()),
                "--unix" => Endpoint::Unix(value()?.into()),
                "--stdio" => Endpoint::Stdio,
                "--vsock" => {
                    let port = value()?;
                    Endpoint::Vsock(port.parse().map_err(|_| format!("`{port}` is no vsock port"))?)
                }
                _ => return Err(format!("`{arg}` is not understood")),
            };
            if found.replace(endpoint).is_some() {
                return Err("there can be one host only".to_owned());
            }
        }
        let endpoint = found.ok_or("where is the host?")?;
        Ok(Startup::Process { endpoint, guest })
    }
}

/// Runs the agent to its end: an ordinary process's, that of its host; process 1 has none.
///
/// # Errors
/// Why an ordinary process cannot serve.
pub fn run(startup: Startup) -> std::io::Result<()> {
    let (endpoint, power, config) = match startup {
        Startup::Init => {
            let config = init::start();
            let endpoint = config.endpoint.clone().unwrap_or(Endpoint::Auto);
            (endpoint, init::power(), Some(config))
        }
        Startup::Process { endpoint, guest } => {
            init::fill_standard();
            // Orphans come to it, as they do to process 1.
            // SAFETY: it takes numbers.
            unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1) };
            (endpoint, Power::new(guest, None), None)
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    LocalSet::new().block_on(&runtime, serve_all(&endpoint, Rc::new(power), config))
}

async fn serve_all(endpoint: &Endpoint, power: Rc<Power>, config: Option<Config>) -> std::io::Result<()> {
    let as_error = |errno: provium_protocol::Errno| std::io::Error::from_raw_os_error(errno.0);
    let mut os = LinuxOs::start().map_err(as_error)?;
    if config.is_none() && power.owns_the_machine() {
        os.spare_me();
    }
    let births = os.births();
    let agent = Agent::new(os, 0);
    let Some(config) = config else {
        return serve(agent, power, endpoint).await.map_err(as_error);
    };
    init::start_own_init(&config);
    births.count();
    loop {
        // A kernel whose process 1 ends panics: whatever happens to the link, the agent looks for the host again.
        if let Err(errno) = serve(agent.clone(), power.clone(), endpoint).await {
            init::say(&format!("the link to the host failed: {errno}"));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &str) -> Result<Startup, String> {
        Startup::of_process(words.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn an_ordinary_process_is_told_where_the_host_is() {
        let unix = Startup::Process { endpoint: Endpoint::Unix("/tmp/x".into()), guest: false };
        assert_eq!(parse("--unix /tmp/x"), Ok(unix));
        let vsock = Startup::Process { endpoint: Endpoint::Vsock(7), guest: true };
        assert_eq!(parse("--vsock 7 --guest"), Ok(vsock));
        for wrong in ["", "--unix", "--vsock x", "--stdio --stdio", "--what", "--guest"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
