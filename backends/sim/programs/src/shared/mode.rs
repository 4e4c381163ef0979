//! Permission bits: the notation of `ls -l`, and the octal and symbolic notation of `chmod`.

pub use provium_kernel::flags::{S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK};

const SET_UID: u32 = 0o4000;
const SET_GID: u32 = 0o2000;
const STICKY: u32 = 0o1000;
/// Every bit that chmod sets.
pub const ALL_BITS: u32 = 0o7777;

/// The letter of a file type in `ls -l`.
#[must_use]
pub fn type_letter(mode: u32) -> char {
    match mode & S_IFMT {
        S_IFSOCK => 's',
        S_IFLNK => 'l',
        S_IFREG => '-',
        S_IFBLK => 'b',
        S_IFDIR => 'd',
        S_IFCHR => 'c',
        S_IFIFO => 'p',
        _ => '?',
    }
}

/// The ten letters of `ls -l`: `-rw-r--r--`.
#[must_use]
pub fn mode_string(mode: u32) -> String {
    let mut text = String::with_capacity(10);
    text.push(type_letter(mode));
    for (shift, special, both, alone) in [(6, SET_UID, 's', 'S'), (3, SET_GID, 's', 'S'), (0, STICKY, 't', 'T')] {
        let bits = mode >> shift;
        text.push(if bits & 4 != 0 { 'r' } else { '-' });
        text.push(if bits & 2 != 0 { 'w' } else { '-' });
        text.push(match (bits & 1 != 0, mode & special != 0) {
            (true, true) => both,
            (false, true) => alone,
            (true, false) => 'x',
            (false, false) => '-',
        });
    }
    text
}

/// What a file is, in the words of `stat` and `rm -i`.
#[must_use]
pub fn type_name(mode: u32, size: u64) -> &'static str {
    match mode & S_IFMT {
        S_IFSOCK => "socket",
        S_IFLNK => "symbolic link",
        S_IFREG if size == 0 => "regular empty file",
        S_IFREG => "regular file",
        S_IFBLK => "block special file",
        S_IFDIR => "directory",
        S_IFCHR => "character special file",
        S_IFIFO => "fifo",
        _ => "weird file",
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Add,
    Remove,
    Set,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Value {
    Bits(u32),
    /// The permissions that the user, group or others have now: the shift of those bits.
    Copy(u32),
    /// `X`: execution if it is a directory or somebody may execute it already, with other bits.
    ExecuteIfAny(u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Clause {
    operator: Operator,
    /// Bits of those whose permissions change; `None` if nobody was named: then the umask counts.
    affected: Option<u32>,
    /// Special bits that the clause speaks of: those of a directory stay unless mentioned.
    mentioned: u32,
    value: Value,
}

/// A change of permissions as `chmod` reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModeChange(Vec<Clause>);

impl ModeChange {
    /// Reads `644`, `u+x,go=rX`, `+t`; `None` if it is neither octal nor symbolic.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<ModeChange> {
        if matches!(text.first(), Some(b'0'..=b'7')) {
            let bits = octal(text)?;
            // Five digits or more speak of the special bits too, which else stay on directories.
            let special = bits & (SET_UID | SET_GID | STICKY);
            let mentioned = if text.len() < 5 { special | 0o777 } else { ALL_BITS };
            let clause =
                Clause { operator: Operator::Set, affected: Some(ALL_BITS), mentioned, value: Value::Bits(bits) };
            return Some(ModeChange(vec![clause]));
        }
        let mut clauses = Vec::new();
        for part in text.split(|&byte| byte == b',') {
            Self::parse_part(part, &mut clauses)?;
        }
        Some(ModeChange(clauses))
    }

    fn parse_part(part: &[u8], clauses: &mut Vec<Clause>) -> Option<()> {
        let who = part.iter().take_while(|byte| matches!(byte, b'u' | b'g' | b'o' | b'a')).count();
        let mut affected = None;
        for letter in &part[..who] {
            let bits = match letter {
                b'u' => SET_UID | 0o700,
                b'g' => SET_GID | 0o070,
                b'o' => STICKY | 0o007,
                _ => ALL_BITS,
            };
            affected = Some(affected.unwrap_or(0) | bits);
        }
        let mut rest = &part[who..];
        if rest.is_empty() {
            return None;
        }
        while let Some((&operator, after)) = rest.split_first() {
            let operator = match operator {
                b'+' => Operator::Add,
                b'-' => Operator::Remove,
                b'=' => Operator::Set,
                _ => return None,
            };
            let length = after.iter().take_while(|byte| !matches!(byte, b'+' | b'-' | b'=')).count();
            let (permissions, next) = after.split_at(length);
            rest = next;
            clauses.push(Self::clause(operator, affected, permissions)?);
        }
        Some(())
    }

    fn clause(operator: Operator, affected: Option<u32>, permissions: &[u8]) -> Option<Clause> {
        if matches!(permissions.first(), Some(b'0'..=b'7')) {
            if affected.is_some() {
                return None;
            }
            let bits = Value::Bits(octal(permissions)?);
            return Some(Clause { operator, affected: Some(ALL_BITS), mentioned: ALL_BITS, value: bits });
        }
        let value = match permissions {
            b"u" => Value::Copy(6),
            b"g" => Value::Copy(3),
            b"o" => Value::Copy(0),
            letters => {
                let (mut bits, mut if_any) = (0, false);
                for letter in letters {
                    match letter {
                        b'r' => bits |= 0o444,
                        b'w' => bits |= 0o222,
                        b'x' => bits |= 0o111,
                        b'X' => if_any = true,
                        b's' => bits |= SET_UID | SET_GID,
                        b't' => bits |= STICKY,
                        _ => return None,
                    }
                }
                if if_any { Value::ExecuteIfAny(bits) } else { Value::Bits(bits) }
            }
        };
        let named = match value {
            Value::Bits(bits) | Value::ExecuteIfAny(bits) => bits,
            Value::Copy(_) => 0,
        };
        let mentioned = if operator == Operator::Set { affected.unwrap_or(0o777) & 0o777 | named } else { named };
        Some(Clause { operator, affected, mentioned, value })
    }

    /// The permissions after the change of a file that has `old` now.
    #[must_use]
    pub fn apply(&self, old: u32, is_directory: bool, umask: u32) -> u32 {
        let mut mode = old & ALL_BITS;
        for clause in &self.0 {
            let affected = clause.affected.unwrap_or(ALL_BITS);
            // A directory keeps its special bits unless the clause speaks of them.
            let kept_special = if is_directory { (SET_UID | SET_GID) & !clause.mentioned } else { 0 };
            let value = match clause.value {
                Value::Bits(bits) => bits,
                Value::Copy(shift) => {
                    let bits = (mode >> shift) & 7;
                    bits << 6 | bits << 3 | bits
                }
                Value::ExecuteIfAny(bits) if is_directory || mode & 0o111 != 0 => bits | 0o111,
                Value::ExecuteIfAny(bits) => bits,
            };
            let value = value & affected & !kept_special & if clause.affected.is_some() { !0 } else { !umask };
            match clause.operator {
                Operator::Add => mode |= value,
                Operator::Remove => mode &= !value,
                Operator::Set => {
                    let kept = !affected | kept_special;
                    mode = mode & kept & ALL_BITS | value;
                }
            }
        }
        mode
    }
}

fn octal(text: &[u8]) -> Option<u32> {
    let mut bits = 0u32;
    for byte in text {
        match byte {
            b'0'..=b'7' => bits = bits * 8 + u32::from(byte - b'0'),
            _ => return None,
        }
        if bits > ALL_BITS {
            return None;
        }
    }
    Some(bits)
}

#[cfg(test)]
mod tests {
    use super::{ModeChange, S_IFDIR, S_IFREG, mode_string};

    fn applied(change: &str, old: u32) -> Option<u32> {
        ModeChange::parse(change.as_bytes()).map(|change| change.apply(old, false, 0o022))
    }

    #[test]
    fn modes_read_as_in_a_long_listing() {
        assert_eq!(mode_string(S_IFREG | 0o644), "-rw-r--r--");
        assert_eq!(mode_string(S_IFDIR | 0o1777), "drwxrwxrwt");
        assert_eq!(mode_string(S_IFREG | 0o6745), "-rwsr-Sr-x");
    }

    #[test]
    fn symbolic_changes() {
        for (change, old, new) in [
            ("644", 0o777, 0o644),
            ("u+x", 0o644, 0o744),
            ("+x", 0o644, 0o755),
            ("+w", 0o444, 0o644),
            ("a+w", 0o444, 0o666),
            ("go=", 0o777, 0o700),
            ("u=rw,go=r", 0o000, 0o644),
            ("g=u", 0o740, 0o770),
            ("a+X", 0o644, 0o644),
            ("a+X", 0o744, 0o755),
            ("u+s", 0o755, 0o4755),
            ("+t", 0o755, 0o1755),
            ("u-x+w", 0o500, 0o600),
            ("=", 0o7777, 0),
            ("a=", 0o777, 0),
        ] {
            assert_eq!(applied(change, old), Some(new), "{change} on {old:o}");
        }
    }

    #[test]
    fn what_is_no_mode_is_refused() {
        for change in ["", "8", "99", "u", "u+q", "u+x,", "77777", "rwx", "u+7"] {
            assert_eq!(applied(change, 0), None, "{change}");
        }
    }

    #[test]
    fn a_directory_keeps_its_set_group_bit_unless_mentioned() {
        let change = |text: &str| ModeChange::parse(text.as_bytes()).map(|change| change.apply(0o2755, true, 0));
        assert_eq!(change("755"), Some(0o2755));
        assert_eq!(change("00755"), Some(0o755));
        assert_eq!(change("g-s"), Some(0o755));
    }
}
