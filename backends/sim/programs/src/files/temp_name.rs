//! Names that nobody has guessed: for `mktemp` and for files that are renamed into place.

use provium_kernel::Sys;

use crate::shared::path::join;

const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// `directory/PREFIXxxxxxxSUFFIX` with `count` random letters.
pub(super) async fn random_name(sys: &Sys, directory: &[u8], prefix: &[u8], count: usize, suffix: &[u8]) -> Vec<u8> {
    let mut name = prefix.to_vec();
    name.extend(random_letters(sys, count).await);
    name.extend_from_slice(suffix);
    join(directory, &name)
}

/// Random letters and digits.
pub(super) async fn random_letters(sys: &Sys, count: usize) -> Vec<u8> {
    let draws = sys.getrandom(count).await;
    draws.iter().filter_map(|draw| LETTERS.get(usize::from(*draw) % LETTERS.len()).copied()).collect()
}
