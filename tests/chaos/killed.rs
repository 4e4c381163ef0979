//! `provium` itself is killed, at the worst moments: nothing of its machines is left.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use provium_qemu::image::Cache;

use crate::real_host::host;

/// Far beyond what a boot takes on the slowest machine that tests run on: it only keeps a broken test from hanging.
const PATIENCE: Duration = Duration::from_secs(240);

/// How often is looked.
const LOOK: Duration = Duration::from_millis(5);

/// A project with one test, and folders for all that a run could leave behind.
struct Bed {
    vm: String,
    project: tempfile::TempDir,
    /// Where a program may put things: all of them are to be empty afterwards.
    places: [(&'static str, tempfile::TempDir); 2],
    cache: tempfile::TempDir,
}

impl Bed {
    /// `name` is part of the machine's, which no other machine of this host has.
    fn new(name: &str, script: &str) -> Bed {
        let vm = format!("{name}-{}", std::process::id());
        let folder = || tempfile::tempdir().expect("a directory");
        let bed = Bed {
            vm,
            project: folder(),
            places: [("TMPDIR", folder()), ("XDG_RUNTIME_DIR", folder())],
            cache: folder(),
        };
        fs::write(bed.project.path().join("provium.toml"), "roots = ['.']\n").expect("it can be written");
        // On a loaded machine a boot takes longer than a test usually may.
        let script = format!("provium.timeout = '{}s'\n{}", PATIENCE.as_secs(), script.replace("VM", &bed.vm));
        fs::write(bed.project.path().join("killed.test.lua"), script).expect("it can be written");
        // The images of everybody, and templates of its own: there are none yet.
        let real = Cache::from_environment().expect("the image was found there").root().to_owned();
        for shared in ["images", "packages", "accel.json"] {
            symlink(real.join(shared), bed.cache.path().join(shared)).expect("a link");
        }
        bed
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_provium"));
        command
            .args(["--backend", "qemu", "--record", "never", "--report", "json"])
            .current_dir(self.project.path())
            .env("PROVIUM_CACHE", self.cache.path())
            .envs(self.places.iter().map(|(name, folder)| (name, folder.path())))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        command
    }

    fn start(&self) -> (Child, BufReader<ChildStdout>) {
        let mut runner = self.command().spawn().expect("the command starts");
        let said = BufReader::new(runner.stdout.take().expect("it is piped"));
        (runner, said)
    }

    /// The processes of its machines, with their command lines.
    fn machines(&self) -> Vec<(PathBuf, String)> {
        let name = format!("guest=provium-{}\0", self.vm);
        let processes = fs::read_dir("/proc").expect("a list of processes").flatten().map(|entry| entry.path());
        let with_line = |path: PathBuf| Some((path.clone(), fs::read_to_string(path.join("cmdline")).ok()?));
        processes.filter_map(with_line).filter(|(_, line)| line.contains(&name)).collect()
    }

    /// Waits until it has a machine whose command line `fits`.
    fn machine(&self, runner: &mut Child, fits: impl Fn(&str) -> bool) {
        let begun = Instant::now();
        while !self.machines().iter().any(|(_, line)| fits(line)) {
            if let Some(ended) = runner.try_wait().expect("it can be asked") {
                panic!("the command ended before it was killed: {ended}");
            }
            assert!(begun.elapsed() < PATIENCE, "there never was such a machine");
            std::thread::sleep(LOOK);
        }
    }

    /// Kills the command and looks for what it leaves.
    fn kill(&self, mut runner: Child) {
        assert!(!self.machines().is_empty(), "there is nothing to leave behind");
        runner.kill().expect("it can be killed");
        runner.wait().expect("it ends");
        let begun = Instant::now();
        while !self.machines().is_empty() {
            assert!(begun.elapsed() < PATIENCE, "QEMU outlives its runner: {:?}", self.machines());
            std::thread::sleep(LOOK);
        }
        for (name, folder) in &self.places {
            assert_eq!(names(folder.path()), [""; 0], "left in {name}");
        }
        assert_eq!(names(self.project.path()), ["killed.test.lua", "provium.toml"]);
        let templates = self.cache.path().join("templates");
        let left: Vec<String> = names(&templates).into_iter().filter(|name| templates.join(name).is_dir()).collect();
        assert!(left.iter().all(|name| !name.contains('.')), "half-made templates are left: {left:?}");
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn while_guests_run() {
    let Some(_) = host() else { return };
    // Two of a name cannot be in one lab.
    let script = r#"
        local a, b = provium:vm("VM", "linux"):boot(), provium:lab("other"):vm("VM", "linux"):boot()
        test("booted", function() a:run("true"):assert_ok() end)
        test("goes on", function(t)
            t:spawn(function() b:run("cat /dev/zero") end)
            a:run("sleep 1000")
        end)
    "#;
    let bed = Bed::new("running", script);
    let (runner, mut said) = bed.start();
    let mut line = String::new();
    while !(line.contains("booted") && line.contains("passed")) {
        line.clear();
        assert!(said.read_line(&mut line).expect("it can be read") > 0, "the command ended before it was killed");
    }
    assert_eq!(bed.machines().len(), 2);
    bed.kill(runner);
}

#[test]
fn while_a_guest_boots() {
    let Some(_) = host() else { return };
    let script = r#"test("boots", function() provium:vm("VM", "linux", { cold = true }):boot() end)"#;
    let bed = Bed::new("booting", script);
    let (mut runner, _said) = bed.start();
    bed.machine(&mut runner, |_| true);
    bed.kill(runner);
}

/// What a maker of templates has left does not keep others from making them.
#[test]
fn while_a_template_is_made() {
    let Some(_) = host() else { return };
    let script = r#"test("boots", function() provium:vm("VM", "linux"):boot():run("true"):assert_ok() end)"#;
    let bed = Bed::new("templating", script);
    let (mut runner, _said) = bed.start();
    bed.machine(&mut runner, |line| line.contains("share=on"));
    bed.kill(runner);
    let again = bed.command().output().expect("the command starts");
    assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stdout));
    let templates = bed.cache.path().join("templates");
    assert_eq!(names(&templates).iter().filter(|name| !name.contains('.')).count(), 1, "{:?}", names(&templates));
}
