//! What guests are booted from: the programs, and the tree that holds them. Made once, shared by all
//! guests, and by all backends of a thread that add no programs of their own.

use std::cell::RefCell;
use std::rc::Rc;

use provium_kernel::vfs::root::RootTree;
use provium_kernel::{ProgramFn, ProgramTable};

/// Programs, and the last tree that was made of them.
#[derive(Clone)]
pub struct Image {
    programs: ProgramTable,
    tree: RefCell<Option<Made>>,
}

#[derive(Clone)]
struct Made {
    limit: u64,
    now: i64,
    tree: RootTree,
}

thread_local! {
    static STANDARD: Rc<Image> = Rc::new(Image::new());
}

impl Image {
    fn new() -> Image {
        let mut programs = ProgramTable::new();
        provium_programs::install(&mut programs);
        Image { programs, tree: RefCell::new(None) }
    }

    /// The image with the programs of every simulated guest. It is the same for all runs of a thread,
    /// so nothing of a run can leak into another.
    pub fn standard() -> Rc<Image> {
        STANDARD.with(Rc::clone)
    }

    /// Adds a program to this image.
    pub fn add(&mut self, path: &str, name: &str, program: ProgramFn) {
        self.programs.add(path, name, program);
        self.tree.take();
    }

    /// The programs.
    pub fn programs(&self) -> ProgramTable {
        self.programs.clone()
    }

    /// The tree of a guest whose file system may hold `limit` bytes and whose clock reads `now` at boot.
    pub fn tree(&self, limit: u64, now: i64) -> RootTree {
        let mut made = self.tree.borrow_mut();
        if let Some(made) = &*made
            && (made.limit, made.now) == (limit, now)
        {
            return made.tree.clone();
        }
        let tree = RootTree::new(&self.programs, limit, now);
        *made = Some(Made { limit, now, tree: tree.clone() });
        tree
    }
}
