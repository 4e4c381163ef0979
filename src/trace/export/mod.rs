//! Traces for other eyes: as a page for a browser, and for the Perfetto UI.

pub mod html;
mod lanes;
pub mod perfetto;
#[cfg(test)]
mod tests;
