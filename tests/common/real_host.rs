//! What tests of real guests begin with.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use provium::config::Project;
use provium_qemu::backend::Host;
use provium_qemu::profile::QemuProfile;
use provium_qemu::{image, testing};

/// What all real guests of this process share; `None`, said on standard error, when there can be none.
pub fn host() -> Option<Arc<Host>> {
    static HOST: OnceLock<Option<Arc<Host>>> = OnceLock::new();
    HOST.get_or_init(|| {
        let project =
            Project::find(Path::new(env!("CARGO_MANIFEST_DIR"))).expect("the repository has a good provium.toml");
        let host = Host::new(project.qemu, false, Box::new(|line| eprintln!("{line}"))).expect("a thread");
        testing::available("QEMU", host.find_qemu())?;
        let made = image::ensure(&QemuProfile::named("linux"), &mut |line| eprintln!("{line}"));
        testing::available("image of the profile `linux`", made)?;
        Some(host)
    })
    .clone()
}
