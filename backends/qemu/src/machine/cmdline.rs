//! The kernel's command line: what was asked for, and what every guest needs.

use super::spec::{Accel, LaunchSpec};

impl LaunchSpec {
    /// The command line that the kernel gets, but for what is a matter of the host's speed.
    #[must_use]
    pub fn full_cmdline(&self) -> String {
        let tcg = self.accel == Accel::Tcg;
        let mut line = self.cmdline.trim().to_owned();
        // The kernel counts timer interrupts against processor cycles early in its boot, and panics if there are too few: as
        // many as an emulated timer gives on a busy host.
        let words = [
            ("console=", "console=ttyS0", true),
            ("panic=", "panic=-1", true),
            ("no_timer_check", "no_timer_check", true),
            ("norandmaps", "norandmaps", tcg),
            // A kernel that has one processor writes each locked instruction of its code anew, nine thousand of them one by one,
            // and TCG forgets its translations each time.
            ("noreplace-smp", "noreplace-smp", tcg && self.cpus == 1),
        ];
        for (key, word, wanted) in words {
            if wanted && !says(&line, key) {
                add(&mut line, word);
            }
        }
        line
    }

    /// The whole command line, for a kernel whose time-stamp counter runs at this rate, if it is known.
    pub(crate) fn cmdline_with_tsc(&self, khz: Option<u32>) -> String {
        let mut line = self.full_cmdline();
        if let Some(khz) = khz
            && !says(&line, "tsc_early_khz=")
        {
            add(&mut line, &format!("tsc_early_khz={khz}"));
        }
        line
    }
}

fn says(line: &str, key: &str) -> bool {
    line.split_ascii_whitespace().any(|word| word.starts_with(key))
}

fn add(line: &mut String, word: &str) {
    if !line.is_empty() {
        line.push(' ');
    }
    line.push_str(word);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_ones_own_win_and_only_translated_programs_stay_where_they_are() {
        let spec = |cmdline: &str, accel| {
            let spec = LaunchSpec::new("a", "/kernel", None);
            LaunchSpec { cmdline: cmdline.to_owned(), accel, ..spec }
        };
        let line = |cmdline, accel| spec(cmdline, accel).full_cmdline();
        assert_eq!(line("", Accel::Kvm), "console=ttyS0 panic=-1 no_timer_check");
        assert_eq!(line("quiet", Accel::Tcg), "quiet console=ttyS0 panic=-1 no_timer_check norandmaps noreplace-smp");
        assert_eq!(
            line("console=tty0 norandmaps panic=5", Accel::Tcg),
            "console=tty0 norandmaps panic=5 no_timer_check noreplace-smp"
        );
        let two = LaunchSpec { cpus: 2, ..spec("", Accel::Tcg) };
        assert_eq!(two.full_cmdline(), "console=ttyS0 panic=-1 no_timer_check norandmaps");
        let kvm = spec("", Accel::Kvm);
        assert_eq!(kvm.cmdline_with_tsc(None), kvm.full_cmdline());
        assert_eq!(kvm.cmdline_with_tsc(Some(5)), kvm.full_cmdline() + " tsc_early_khz=5");
        let own = spec("tsc_early_khz=7", Accel::Kvm);
        assert_eq!(own.cmdline_with_tsc(Some(5)), own.full_cmdline());
    }
}
