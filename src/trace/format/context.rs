//! zstd, set up as traces want it.
//!
//! A context takes longer to make than a short trace takes to pack, so that each thread keeps one and uses it again. What
//! was packed with it before does not show: the same records give the same bytes.

use std::cell::Cell;

use zstd::zstd_safe::{CCtx, CParameter, DCtx, DParameter, ResetDirective, Strategy, get_error_name};

/// What packer and unpacker know before the first block: pieces of records and of Lua as they occur in most traces, so
/// that short ones are small, too. `traces/README.md` says how it was made.
pub const DICTIONARY: &[u8] = include_bytes!("dictionary");

/// The feature that a trace needs which was packed with [`DICTIONARY`]: the first 32 bits of its SHA-256 are in it.
pub const DICTIONARY_FEATURE: &str = "dictionary-f689c9d0";

/// How far back a block may refer, as a power of two (256 KiB): repetition is between neighbours, and a reader needs
/// that much memory.
const WINDOW_LOG: u32 = 18;

/// Bytes of [`DICTIONARY`] that are no content but tables of zstd's.
const DICTIONARY_TABLES: usize = 174;

/// How much of the dictionary's content the packer looks at: its end, where the trainer puts what occurs most. A process
/// that packs one short trace would take longer to index all of it than to pack, for one byte of a hundred.
const INDEXED: usize = 4 << 10;

/// How zstd looks for repetition: on the conformance suite traces are a twentieth larger than the next strategies make
/// them, and packed in less than half the time.
const STRATEGY: Strategy = Strategy::ZSTD_dfast;

/// Sizes of zstd's tables, as powers of two, smaller than levels have them: traces are short, and the tables are cleared
/// for each.
const TABLE_LOG: u32 = 12;

/// The shortest match that zstd looks for, in bytes: fields are short.
const MIN_MATCH: u32 = 4;

thread_local! {
    static COMPRESSOR: Cell<Option<CCtx<'static>>> = const { Cell::new(None) };
    static DECOMPRESSOR: Cell<Option<DCtx<'static>>> = const { Cell::new(None) };
}

/// The dictionary as the packer knows it. Distances into it are counted from its end, so that whoever knows all of it can
/// unpack.
fn indexed() -> Vec<u8> {
    let (tables, content) = DICTIONARY.split_at(DICTIONARY_TABLES);
    [tables, &content[content.len() - INDEXED..]].concat()
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
            CParameter::MinMatch(MIN_MATCH),
            CParameter::ContentSizeFlag(false),
            // Blocks have their own, and can be checked before they are unpacked.
            CParameter::ChecksumFlag(false),
        ] {
            context.set_parameter(parameter).map_err(get_error_name)?;
        }
        context.load_dictionary(&indexed()).map_err(get_error_name)?;
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

    use super::super::block::{HEAD, Packer, Unpacker};
    use super::*;

    #[test]
    fn the_feature_names_the_dictionary() {
        let digest: String = Sha256::digest(DICTIONARY).iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(DICTIONARY_FEATURE, format!("dictionary-{digest}"));
    }

    #[test]
    fn the_content_of_the_dictionary_begins_behind_its_tables() {
        // The last of them are the three distances that a frame begins with, which every trainer leaves as they are.
        let tables = &DICTIONARY[..DICTIONARY_TABLES];
        assert!(tables.ends_with(&[1, 0, 0, 0, 4, 0, 0, 0, 8, 0, 0, 0]), "{tables:?}");
    }

    #[test]
    fn the_packer_refers_to_the_end_of_the_dictionary() {
        let piece = &DICTIONARY[DICTIONARY.len() - 200..];
        let mut out = Vec::new();
        Packer::default().records(piece, &mut out).unwrap();
        assert!(out.len() < HEAD + 30, "{} bytes of 200", out.len());
        let mut unpacked = Vec::new();
        Unpacker::new(true).unwrap().records(&out[HEAD..], piece.len(), &mut unpacked).unwrap();
        assert_eq!(unpacked, piece);
    }
}
