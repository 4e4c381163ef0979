//! What guests are booted from: the standard programs and the tree that holds them, made once for all
//! backends of a thread, and the programs that a test adds.

use std::cell::RefCell;
use std::rc::Rc;

use provium_kernel::vfs::root::RootTree;
use provium_kernel::{ProgramFn, ProgramTable};

/// The standard programs, and the last tree that was made of them. The same for all runs of a thread,
/// so that nothing of one run can leak into another.
struct Standard {
    programs: ProgramTable,
    tree: RefCell<Option<Made>>,
}

struct Made {
    limit: u64,
    now: i64,
    tree: RootTree,
}

thread_local! {
    static STANDARD: Rc<Standard> = Rc::new(Standard::new());
}

impl Standard {
    fn new() -> Standard {
        let mut programs = ProgramTable::new();
        provium_programs::install(&mut programs);
        Standard { programs, tree: RefCell::new(None) }
    }
}

/// A program that is not one of the standard ones.
#[derive(Clone)]
pub struct Extra {
    /// Where it is in a guest.
    pub path: String,
    /// Its name in the kernel's table.
    pub name: String,
    /// What it does.
    pub program: ProgramFn,
}

/// What the guests of one backend are booted from.
#[derive(Clone)]
pub struct Image {
    standard: Rc<Standard>,
    extras: Vec<Extra>,
}

impl Default for Image {
    fn default() -> Self {
        Image { standard: STANDARD.with(Rc::clone), extras: Vec::new() }
    }
}

impl Image {
    /// Adds a program; one at the same path gives way to it.
    pub fn add(&mut self, extra: Extra) {
        self.extras.retain(|other| other.path != extra.path);
        self.extras.push(extra);
    }

    /// The standard programs.
    pub fn programs(&self) -> ProgramTable {
        self.standard.programs.clone()
    }

    /// The others, in order of addition.
    pub fn extras(&self) -> &[Extra] {
        &self.extras
    }

    /// The tree of a guest whose file system may hold `limit` bytes and whose clock reads `now` at boot.
    pub fn tree(&self, limit: u64, now: i64) -> RootTree {
        let mut made = self.standard.tree.borrow_mut();
        if let Some(made) = &*made
            && (made.limit, made.now) == (limit, now)
        {
            return made.tree.clone();
        }
        let tree = RootTree::new(&self.standard.programs, limit, now);
        *made = Some(Made { limit, now, tree: tree.clone() });
        tree
    }
}
