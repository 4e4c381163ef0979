//! From what a test asks of a boot to a machine that runs.

use std::rc::Rc;

use provium_kernel::{Machine, MachineConfig};
use provium_protocol::profile::{BootFile, BootSpec};
use provium_protocol::{Choices, OpError};

use crate::executor::GuestId;
use crate::image::Image;
use crate::os::SimOs;
use crate::world::Lab;

/// The name of the first process.
const AGENT: &str = "provium-agent";

/// Permission bits of a boot file that says nothing else.
const FILE_PERM: u32 = 0o644;

/// Boots a machine and starts the process of its agent.
pub fn boot(lab: &Rc<Lab>, guest: GuestId, image: &Image, spec: &BootSpec) -> Result<(Rc<Machine>, SimOs), OpError> {
    let config = config(spec, &**lab.world.choices())?;
    // Half of the memory is what a tmpfs may take by default.
    let tree = image.tree(config.memory / 2, config.boot_time);
    let machine = Machine::boot(&lab.world, config, image.programs(), tree, AGENT)
        .map_err(|errno| OpError::os(errno, format!("boot {}", spec.vm)))?;
    for extra in image.extras() {
        let added = machine.add_program(&extra.path, &extra.name, extra.program.clone());
        added.map_err(|errno| OpError::os(errno, format!("put the program {}", extra.path)))?;
    }
    for file in &spec.options.files {
        put(&machine, file)?;
    }
    let os = SimOs::start(lab, guest, machine.clone())
        .map_err(|errno| OpError::os(errno, format!("start the agent of {}", spec.vm)))?;
    Ok((machine, os))
}

fn config(spec: &BootSpec, choices: &dyn Choices) -> Result<MachineConfig, OpError> {
    let (options, profile) = (&spec.options, &spec.profile);
    let default = MachineConfig::default();
    let mut cmdline =
        options.kernel_cmdline.clone().or_else(|| profile.kernel_cmdline.clone()).unwrap_or(default.cmdline);
    if let Some(more) = &options.kernel_cmdline_append {
        cmdline = format!("{cmdline} {more}");
    }
    let boot_time = match options.initial_time_ns {
        None => default.boot_time,
        Some(time) => i64::try_from(time).map_err(|_| {
            OpError::usage(format!("initial_time of {time} ns is outside of the years 1677 to 2262 that 64 bits hold"))
        })?,
    };
    Ok(MachineConfig {
        hostname: spec.hostname().to_owned(),
        memory: options.memory.or(profile.memory).unwrap_or(default.memory),
        cpus: options.cpus.or(profile.cpus).unwrap_or(default.cpus).max(1),
        boot_time,
        seed: options.rng_seed.unwrap_or_else(|| choices.draw()),
        cmdline,
    })
}

fn put(machine: &Machine, file: &BootFile) -> Result<(), OpError> {
    let path = String::from_utf8_lossy(&file.path.0);
    if file.path.0.first() != Some(&b'/') {
        return Err(OpError::usage(format!("the path of a boot file must be absolute: `{path}`")));
    }
    let put = machine.kernel().borrow_mut().put_file(&file.path.0, &file.content, file.mode.unwrap_or(FILE_PERM));
    put.map_err(|errno| OpError::os(errno, format!("put the boot file {path}")))
}
