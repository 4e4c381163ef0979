//! Places in Lua files, cheap to copy: every exchange and every resource remembers one.

use std::fmt;
use std::rc::Rc;

use super::event::Site;

/// A line of a Lua file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, as it was named to the run.
    pub file: Rc<str>,
    /// Line, counted from 1.
    pub line: u32,
}

impl Place {
    /// The same for the event stream.
    #[must_use]
    pub fn to_site(&self) -> Site {
        Site { file: self.file.to_string(), line: self.line }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}
