//! The kernel's modules: which there are, what each needs, and the order in which to insert them.
//!
//! Packages hold no `modules.dep`: `depmod` makes it when they are installed. What it is made of stands in the modules
//! themselves, in the ELF section `.modinfo`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use elf::ElfBytes;
use elf::endian::AnyEndian;
use thiserror::Error;

use super::unpack::{self, UnpackError};

/// What the link to the agent needs: inserted before the agent looks for it. A kernel without one of these is no use.
pub const LINK: &[&str] = &["virtio_pci", "virtio_console"];

/// What else the link may need, on machines without PCI.
pub const LINK_IF_THERE: &[&str] = &["virtio_mmio"];

/// What is inserted when the guest already answers: entropy, the other link, networks, disks, the power button.
pub const LATER: &[&str] =
    &["virtio_rng", "pvpanic_pci", "vmw_vsock_virtio_transport", "virtio_net", "virtio_blk", "evdev", "button"];

/// What is only there, for tests that ask for it with `modprobe` or `mount`.
pub const AT_HAND: &[&str] = &["overlay", "loop", "veth", "dummy"];

/// Endings of a module's file, with what compressed it.
const ENDINGS: &[&str] = &[".ko", ".ko.xz", ".ko.zst", ".ko.gz"];

/// Why modules cannot be used.
#[derive(Debug, Error)]
pub enum ModuleError {
    /// A module is not in the package.
    #[error("the kernel has no `{0}`, neither built in nor as a module")]
    Missing(String),
    /// A module is needed by one that is not in the package.
    #[error("`{module}` needs `{needs}`, which the package does not hold")]
    Unmet {
        /// Which.
        module: String,
        /// What it needs.
        needs: String,
    },
    /// Modules need each other.
    #[error("`{0}` needs itself")]
    Circle(String),
    /// A module's file is no module.
    #[error("{} is no module: {why}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// A module's file cannot be read.
    #[error("{} cannot be read: {why}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// The system's reason.
        why: std::io::Error,
    },
    /// A module's file cannot be unpacked.
    #[error("{} cannot be unpacked: {why}", path.display())]
    Unpack {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        why: UnpackError,
    },
}

/// A module, ready to be inserted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// Its name, with `_` where its file may have `-`.
    pub name: String,
    /// Its file, below the directory of the kernel's version, without an ending for compression.
    pub path: String,
    /// The module itself, uncompressed.
    pub content: Vec<u8>,
    /// What must be there before it.
    pub depends: Vec<String>,
    /// What should be there before it, if it is there at all.
    pub wants: Vec<String>,
    /// What it also answers to.
    pub aliases: Vec<String>,
}

/// Where modules come from.
pub trait Source {
    /// The module of this name, unless it is not there.
    fn module(&self, name: &str) -> Result<Option<Module>, ModuleError>;

    /// Whether the kernel has it built in.
    fn built_in(&self, name: &str) -> bool;
}

/// Puts modules and all that they need in an order in which each finds what it needs.
pub struct Order<'a, S: Source> {
    source: &'a S,
    modules: Vec<Module>,
    placed: BTreeSet<String>,
}

impl<'a, S: Source> Order<'a, S> {
    /// No modules yet.
    pub fn new(source: &'a S) -> Order<'a, S> {
        Order { source, modules: Vec::new(), placed: BTreeSet::new() }
    }

    /// Adds a module, after everything that it needs and that is not yet there.
    pub fn require(&mut self, name: &str) -> Result<(), ModuleError> {
        self.place(&normal(name), &mut Vec::new())
    }

    /// Adds a module if it and all that it needs are there; whether they are.
    pub fn offer(&mut self, name: &str) -> Result<bool, ModuleError> {
        self.place_if_there(&normal(name), &mut Vec::new())
    }

    fn place_if_there(&mut self, name: &str, above: &mut Vec<String>) -> Result<bool, ModuleError> {
        let before = (self.modules.len(), self.placed.clone(), above.len());
        match self.place(name, above) {
            Ok(()) => Ok(true),
            Err(ModuleError::Missing(_) | ModuleError::Unmet { .. } | ModuleError::Circle(_)) => {
                self.modules.truncate(before.0);
                self.placed = before.1;
                above.truncate(before.2);
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// How many there are so far.
    pub fn len(&self) -> usize {
        self.modules.len()
    }

    /// The modules in order.
    pub fn into_modules(self) -> Vec<Module> {
        self.modules
    }

    /// `above` are the modules that wait for this one.
    fn place(&mut self, name: &str, above: &mut Vec<String>) -> Result<(), ModuleError> {
        if self.placed.contains(name) || self.source.built_in(name) {
            return Ok(());
        }
        if above.iter().any(|waiting| waiting == name) {
            return Err(ModuleError::Circle(name.to_owned()));
        }
        let Some(module) = self.source.module(name)? else {
            return Err(match above.last() {
                None => ModuleError::Missing(name.to_owned()),
                Some(module) => ModuleError::Unmet { module: module.clone(), needs: name.to_owned() },
            });
        };
        above.push(name.to_owned());
        for wanted in &module.wants {
            // A wish that leads back to who has it is a circle, and given up: only needs decide.
            self.place_if_there(wanted, above)?;
        }
        for needed in &module.depends {
            self.place(needed, above)?;
        }
        above.pop();
        self.placed.insert(name.to_owned());
        self.modules.push(module);
        Ok(())
    }
}

/// The modules of an unpacked kernel package.
pub struct Tree {
    dir: PathBuf,
    files: BTreeMap<String, PathBuf>,
    built_in: BTreeSet<String>,
}

impl Tree {
    /// Finds the modules below the directory of a kernel's version.
    pub fn scan(dir: &Path) -> Result<Tree, ModuleError> {
        let unreadable = |path: &Path, why| ModuleError::Read { path: path.to_owned(), why };
        let (mut files, mut folders) = (BTreeMap::new(), vec![dir.to_owned()]);
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).map_err(|why| unreadable(&folder, why))? {
                let entry = entry.map_err(|why| unreadable(&folder, why))?;
                let kind = entry.file_type().map_err(|why| unreadable(&entry.path(), why))?;
                if kind.is_dir() {
                    folders.push(entry.path());
                } else if let Some(name) = module_name(&entry.path()) {
                    files.insert(name, entry.path());
                }
            }
        }
        let list = dir.join("modules.builtin");
        let built_in = match fs::read_to_string(&list) {
            Ok(text) => text.lines().filter_map(|line| module_name(Path::new(line))).collect(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeSet::new(),
            Err(why) => return Err(unreadable(&list, why)),
        };
        Ok(Tree { dir: dir.to_owned(), files, built_in })
    }
}

impl Source for Tree {
    fn module(&self, name: &str) -> Result<Option<Module>, ModuleError> {
        let Some(path) = self.files.get(name) else { return Ok(None) };
        let content = fs::read(path).map_err(|why| ModuleError::Read { path: path.clone(), why })?;
        let content = if path.extension().is_some_and(|ending| ending == "ko") {
            content
        } else {
            unpack::unpack(&content).map_err(|why| ModuleError::Unpack { path: path.clone(), why })?
        };
        let info = modinfo(&content).map_err(|why| ModuleError::File { path: path.clone(), why })?;
        let relative = path.strip_prefix(&self.dir).unwrap_or(path).with_file_name(format!("{}.ko", file_stem(path)));
        let path = relative.to_string_lossy().into_owned();
        let Info { depends, wants, aliases } = info;
        Ok(Some(Module { name: name.to_owned(), path, content, depends, wants, aliases }))
    }

    fn built_in(&self, name: &str) -> bool {
        self.built_in.contains(name)
    }
}

/// What a module says of itself.
#[derive(Debug, Default, PartialEq, Eq)]
struct Info {
    depends: Vec<String>,
    wants: Vec<String>,
    aliases: Vec<String>,
}

/// Reads what a module says of itself.
fn modinfo(content: &[u8]) -> Result<Info, String> {
    let file = ElfBytes::<AnyEndian>::minimal_parse(content).map_err(|error| error.to_string())?;
    let section = file.section_header_by_name(".modinfo").map_err(|error| error.to_string())?;
    let section = section.ok_or("it has no section .modinfo")?;
    let (data, _) = file.section_data(&section).map_err(|error| error.to_string())?;
    Ok(info(data))
}

/// Reads lines of `key=value`, each ended by a zero byte.
fn info(data: &[u8]) -> Info {
    let mut info = Info::default();
    for line in data.split(|byte| *byte == 0) {
        let Ok(line) = std::str::from_utf8(line) else { continue };
        match line.split_once('=') {
            Some(("depends", names)) => {
                info.depends.extend(names.split(',').filter(|name| !name.is_empty()).map(normal));
            }
            Some(("softdep", text)) => {
                // "pre: a b post: c": what comes before the module concerns us, what comes after does not.
                let mut before = false;
                for word in text.split_whitespace() {
                    match word {
                        "pre:" => before = true,
                        "post:" => before = false,
                        name if before => info.wants.push(normal(name)),
                        _ => {}
                    }
                }
            }
            Some(("alias", alias)) => info.aliases.push(alias.to_owned()),
            _ => {}
        }
    }
    info
}

/// The file `modules.dep` for `modprobe`: for each module all that it needs, what is needed first last.
pub fn modules_dep(modules: &[Module]) -> String {
    let by_name: BTreeMap<&str, &Module> = modules.iter().map(|module| (module.name.as_str(), module)).collect();
    let mut text = String::new();
    for module in modules {
        let mut needed = BTreeSet::new();
        let mut open = vec![module];
        while let Some(next) = open.pop() {
            for name in &next.depends {
                if let Some(found) = by_name.get(name.as_str())
                    && needed.insert(name.as_str())
                {
                    open.push(found);
                }
            }
        }
        text.push_str(&format!("{}:", module.path));
        // The list is in order of insertion; modprobe goes from the right to the left.
        for other in modules.iter().rev().filter(|other| needed.contains(other.name.as_str())) {
            text.push_str(&format!(" {}", other.path));
        }
        text.push('\n');
    }
    text
}

/// The file `modules.alias`, by which `modprobe` and the kernel find modules.
pub fn modules_alias(modules: &[Module]) -> String {
    modules
        .iter()
        .flat_map(|module| module.aliases.iter().map(move |alias| format!("alias {alias} {}\n", module.name)))
        .collect()
}

/// As names are compared: files have `-` where names have `_`.
fn normal(name: &str) -> String {
    name.replace('-', "_")
}

fn file_stem(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    ENDINGS.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(&name).to_owned()
}

/// The module's name, if the file is a module.
fn module_name(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    ENDINGS.iter().find_map(|ending| name.strip_suffix(ending)).filter(|stem| !stem.is_empty()).map(normal)
}

#[cfg(test)]
#[path = "modules_tests.rs"]
mod tests;
