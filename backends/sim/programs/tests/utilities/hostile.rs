//! Nonsense on the command line: it may be refused, it may do odd things, it never panics.

use provium_kernel::ProgramTable;

use crate::guest::run_words;

/// Steps after which a command is left to itself: `yes` never ends.
const STEPS: u64 = 3_000;

/// Rounds for each program: a few seconds in all; what they find is by chance, and the same in every run.
const ROUNDS: u64 = 4;

/// Words that are likely to hurt.
const WORDS: &[&[u8]] = &[
    b"",
    b"-",
    b"--",
    b"-a",
    b"-l",
    b"-n",
    b"-r",
    b"-s",
    b"-t",
    b"-x",
    b"-z",
    b"-0",
    b"-1",
    b"-c",
    b"-d",
    b"-f",
    b"-i",
    b"--all",
    b"--help",
    b"--version",
    b"--size=1",
    b"--foo=",
    b"=",
    b"a=b",
    b".",
    b"..",
    b"/",
    b"//",
    b"/dev/null",
    b"/dev/zero",
    b"/dev/full",
    b"/proc/self",
    b"/proc/1/stat",
    b"/tmp",
    b"nope",
    b"nope/x",
    b"x/",
    b"\xff\xfe",
    b"\n",
    b"0",
    b"-5",
    b"18446744073709551615",
    b"99999999999999999999999999999999999999999",
    b"-9223372036854775808",
    b"1e999",
    b"0x7fffffffffffffff",
    b"1E",
    b"1Y",
    b"nan",
    b"inf",
    b"%",
    b"%%",
    b"%99999999999d",
    b"%s",
    b"%-99999.99999N",
    b"\\",
    b"\\x",
    b"\\0777",
    b"[",
    b"[a",
    b"[[:",
    b"*",
    b"\\(",
    b"(",
    b")",
    b"!",
    b",",
    b";",
    b"+",
    b"{}",
    b"-exec",
    b"-name",
    b"-o",
    b"-type",
    b"-printf",
    b"-mtime",
    b"-newermt",
    b"u+x",
    b"7777",
    b"a+rwxXst,o=u",
    b"root:root",
    b":",
    b"@0",
    b"@99999999999999999999",
    b"9999999999999999999 years",
    b"2024-02-30",
    b"2024-01-01T25:61",
    b"if=/dev/zero",
    b"of=/dev/null",
    b"bs=1x1x1",
    b"count=9999999999999999999",
    b"conv=sync,noerror",
    b"skip=18446744073709551615",
    b"seek=9223372036854775807",
    b"true",
    b"sh",
    b"KILL",
    b"SIGRTMIN+99",
    b"pid=,comm=",
    b"-eo",
    b"aux",
    b"kernel.x=1",
    "é\u{301}\u{1f600}".as_bytes(),
];

#[test]
fn nonsense_on_the_command_line_never_panics() {
    let mut programs = ProgramTable::new();
    provium_programs::install(&mut programs);
    let names: Vec<String> = programs.paths().map(|(path, _)| path.to_owned()).collect();
    assert!(names.len() > 60, "{names:?}");
    // A linear congruential generator: the same words in every run.
    let mut state = 42u64;
    let mut draw = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for name in &names {
        for round in 0..ROUNDS {
            let count = draw(5) + usize::from(round > 0);
            let mut words = vec![name.clone().into_bytes()];
            for _ in 0..count {
                words.push(WORDS[draw(WORDS.len())].to_vec());
            }
            let shown = || words.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect::<Vec<_>>();
            let ran = std::panic::catch_unwind(|| run_words(&words, STEPS));
            let ran = ran.unwrap_or_else(|_| panic!("panicked: {:?}", shown()));
            // A code is a byte.
            assert!(ran.is_none_or(|ran| (0..=255).contains(&ran.code)), "{:?}", shown());
        }
    }
}
