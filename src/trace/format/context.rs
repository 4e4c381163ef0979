//! zstd, set up as traces want it.
//!
//! A context takes longer to make than a short trace takes to pack, so that each thread keeps one and uses it again. What
//! was packed with it before does not show: the same records give the same bytes.

use std::cell::Cell;

use zstd::zstd_safe::{CCtx, CParameter, DCtx, DParameter, ParamSwitch, ResetDirective, Strategy, get_error_name};

/// What packer and unpacker know before the first block: pieces of records and of Lua as they occur in most traces, so
/// that short ones are small, too. `traces/dictionary.sh` made it.
pub const DICTIONARY: &[u8] = include_bytes!("dictionary");

/// The feature that a trace needs which was packed with [`DICTIONARY`]: the first 32 bits of its SHA-256 are in it.
pub const DICTIONARY_FEATURE: &str = "dictionary-f689c9d0";

/// How far back a block may refer, as a power of two (256 KiB): repetition is between neighbours, and a reader needs
/// that much memory.
const WINDOW_LOG: u32 = 18;

/// How zstd looks for repetition: on the conformance suite a tenth smaller than level 3 has it, in a few hundredths of
/// a millisecond more for each trace. What saves more than that takes several times as long.
const STRATEGY: Strategy = Strategy::ZSTD_lazy;

/// How many places it looks at, as a power of two.
const SEARCH_LOG: u32 = 1;

/// Sizes of zstd's tables, as powers of two, smaller than levels have them: traces are short, and the tables are cleared
/// for each.
const TABLE_LOG: u32 = 14;

/// The shortest match that zstd looks for, in bytes: fields are short.
const MIN_MATCH: u32 = 4;

thread_local! {
    static COMPRESSOR: Cell<Option<CCtx<'static>>> = const { Cell::new(None) };
    static DECOMPRESSOR: Cell<Option<DCtx<'static>>> = const { Cell::new(None) };
}

/// Compresses one trace.
pub struct Compressor(Option<CCtx<'static>>);

impl Compressor {
    /// One that has seen nothing yet.
    ///
    /// # Errors
    /// When zstd cannot be set up.
    pub fn new() -> Result<Compressor, &'static str> {
        match COMPRESSOR.take() {
            Some(context) => Ok(Compressor(Some(context))),
            None => Compressor::make().map(|context| Compressor(Some(context))),
        }
    }

    fn make() -> Result<CCtx<'static>, &'static str> {
        let mut context = CCtx::try_create().ok_or("no memory")?;
        for parameter in [
            CParameter::Strategy(STRATEGY),
            CParameter::WindowLog(WINDOW_LOG),
            CParameter::HashLog(TABLE_LOG),
            CParameter::ChainLog(TABLE_LOG),
            CParameter::SearchLog(SEARCH_LOG),
            CParameter::MinMatch(MIN_MATCH),
            // What it finds would depend on what the context was used for before, and on the processor.
            CParameter::UseRowMatchFinder(ParamSwitch::Disable),
            CParameter::ContentSizeFlag(false),
            // Blocks have their own, and can be checked before they are unpacked.
            CParameter::ChecksumFlag(false),
        ] {
            context.set_parameter(parameter).map_err(get_error_name)?;
        }
        context.load_dictionary(DICTIONARY).map_err(get_error_name)?;
        Ok(context)
    }

    /// zstd's context.
    ///
    /// # Panics
    /// Never: it is taken only when this is dropped.
    pub fn get(&mut self) -> &mut CCtx<'static> {
        self.0.as_mut().expect("it is there until it is dropped")
    }
}

impl Drop for Compressor {
    fn drop(&mut self) {
        // One that does not forget what it was doing is of no use to anybody.
        if let Some(mut context) = self.0.take()
            && context.reset(ResetDirective::SessionOnly).is_ok()
        {
            // A thread that ends keeps nothing.
            let _ = COMPRESSOR.try_with(|kept| kept.set(Some(context)));
        }
    }
}

/// Decompresses one trace.
pub struct Decompressor {
    context: Option<DCtx<'static>>,
    dictionary: bool,
}

impl Decompressor {
    /// One for a trace that was compressed with the dictionary, or without.
    ///
    /// # Errors
    /// When zstd cannot be set up, in words.
    pub fn new(dictionary: bool) -> Result<Decompressor, String> {
        let kept = if dictionary { DECOMPRESSOR.take() } else { None };
        let context = match kept {
            Some(context) => context,
            None => Decompressor::make(dictionary)?,
        };
        Ok(Decompressor { context: Some(context), dictionary })
    }

    fn make(dictionary: bool) -> Result<DCtx<'static>, String> {
        let mut context = DCtx::try_create().ok_or("no memory")?;
        context.set_parameter(DParameter::WindowLogMax(WINDOW_LOG)).map_err(get_error_name)?;
        if dictionary {
            context.load_dictionary(DICTIONARY).map_err(get_error_name)?;
        }
        Ok(context)
    }

    /// zstd's context.
    ///
    /// # Panics
    /// Never: it is taken only when this is dropped.
    pub fn get(&mut self) -> &mut DCtx<'static> {
        self.context.as_mut().expect("it is there until it is dropped")
    }
}

impl Drop for Decompressor {
    fn drop(&mut self) {
        if let Some(mut context) = self.context.take()
            && self.dictionary
            && context.reset(ResetDirective::SessionOnly).is_ok()
        {
            let _ = DECOMPRESSOR.try_with(|kept| kept.set(Some(context)));
        }
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn the_feature_names_the_dictionary() {
        let digest: String = Sha256::digest(DICTIONARY).iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(DICTIONARY_FEATURE, format!("dictionary-{digest}"));
    }
}
