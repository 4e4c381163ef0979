//! provium
