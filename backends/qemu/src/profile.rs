//! What a kind of guest is under QEMU, beyond what every backend knows of it.
//!
//! `provium_protocol::profile::Profile` travels into traces; these are facts of the machine that QEMU runs on and stay with
//! the backend, by the profile's name.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use thiserror::Error;

/// A kind of guest: what it boots from, and what carries operations out in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QemuProfile {
    /// The profile's name.
    pub name: String,
    /// Its own kernel: a bzImage, or an uncompressed one. Without it, one is made of the distribution's packages.
    pub kernel: Option<PathBuf>,
    /// Its own initramfs, compressed or not. Without it, one is made.
    pub initrd: Option<PathBuf>,
    /// Who carries operations out in the guest.
    pub agent: AgentKind,
    /// What carries the conversation with provium's agent.
    pub link: LinkKind,
    /// How the guest's time passes.
    pub time: TimeKind,
    /// The machine that QEMU emulates; the backend's choice by default.
    pub machine: Option<MachineKind>,
    /// What runs the guest's instructions.
    pub accel: AccelKind,
}

impl QemuProfile {
    /// The profile of this name that says nothing of its own.
    #[must_use]
    pub fn named(name: &str) -> QemuProfile {
        QemuProfile { name: name.to_owned(), ..QemuProfile::default() }
    }
}

/// A word that is none of those a key takes.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("unknown {what} `{}`: expected {expected}", given.escape_debug())]
pub struct UnknownWord {
    what: &'static str,
    given: String,
    expected: String,
}

/// Makes an enum whose values are written as words.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $what:literal { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// All of them, as they are written.
            pub const WORDS: &[&str] = &[$($word),+];

            /// As it is written.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $($name::$variant => $word,)+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(text: &str) -> Result<$name, UnknownWord> {
                match text {
                    $($word => Ok($name::$variant),)+
                    _ => Err(UnknownWord { what: $what, given: text.to_owned(), expected: one_of($name::WORDS) }),
                }
            }
        }
    };
}

words! {
    /// Who carries operations out in a guest.
    AgentKind, "agent" {
        /// provium's own agent, put into the guest at boot.
        #[default]
        Provium = "provium",
        /// The `qemu-guest-agent` that the guest comes with.
        Qga = "qga",
    }
}

words! {
    /// What carries the conversation with provium's agent.
    LinkKind, "link" {
        /// A port of a virtio serial controller.
        #[default]
        Virtio = "virtio",
        /// The second serial port: slow, and there is a driver for it in every kernel.
        Serial = "serial",
        /// A socket between host and guest; needs `/dev/vhost-vsock` of the host.
        Vsock = "vsock",
    }
}

words! {
    /// How a guest's time passes.
    TimeKind, "time" {
        /// With the host's.
        #[default]
        Real = "real",
        /// With the instructions that the guest executes; when it has nothing to do, time jumps.
        Virtual = "virtual",
    }
}

words! {
    /// A machine that QEMU emulates.
    MachineKind, "machine" {
        /// A PC with PCI Express.
        #[default]
        Q35 = "q35",
        /// An older PC.
        Pc = "pc",
    }
}

words! {
    /// What runs a guest's instructions.
    AccelKind, "accelerator" {
        /// KVM if it really works, else TCG.
        #[default]
        Auto = "auto",
        /// The processor's own virtualisation.
        Kvm = "kvm",
        /// QEMU's translator: works everywhere.
        Tcg = "tcg",
    }
}

fn one_of(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_they_are_written() {
        for word in MachineKind::WORDS {
            assert_eq!(word.parse::<MachineKind>().map(MachineKind::as_str), Ok(*word));
        }
        let error = "fast\n".parse::<AccelKind>().map_err(|error| error.to_string());
        assert_eq!(error, Err("unknown accelerator `fast\\n`: expected `auto`, `kvm` or `tcg`".to_owned()));
        let error = "x".parse::<TimeKind>().map_err(|error| error.to_string());
        assert_eq!(error, Err("unknown time `x`: expected `real` or `virtual`".to_owned()));
        assert_eq!(LinkKind::WORDS, ["virtio", "serial", "vsock"]);
    }
}
