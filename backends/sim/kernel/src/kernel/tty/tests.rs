//! The line discipline against what a Linux 6.1 serial console does with the same keys.

use super::discipline::Discipline;
use super::termios::{ECHO, ECHOCTL, ECHOE, ECHOK, ECHOKE, ICANON, ISIG, IXON, Termios, VMIN};

fn typed(tty: &mut Discipline, keys: &[u8]) -> String {
    keys.iter().for_each(|key| tty.typed(*key));
    String::from_utf8(tty.take_wire()).expect("text")
}

fn read(tty: &mut Discipline) -> Option<String> {
    tty.read(1000).map(|data| String::from_utf8(data).expect("text"))
}

fn set(tty: &mut Discipline, change: impl FnOnce(&mut Termios)) {
    let mut termios = tty.termios().clone();
    change(&mut termios);
    tty.set(termios);
}

#[test]
fn a_line_is_echoed_and_read_when_it_ends() {
    let mut tty = Discipline::default();
    assert_eq!(typed(&mut tty, b"ls"), "ls");
    assert_eq!((read(&mut tty), tty.is_readable(), tty.waiting()), (None, false, 0));
    assert_eq!(typed(&mut tty, b"\rnext"), "\r\nnext");
    assert_eq!((tty.is_readable(), tty.waiting()), (true, 3));
    assert_eq!(tty.read(2), Some(b"ls".to_vec()));
    assert_eq!(read(&mut tty).as_deref(), Some("\n"));
    assert_eq!(read(&mut tty), None);
    assert_eq!(tty.read(0), Some(Vec::new()));
}

#[test]
fn a_line_is_edited() {
    let mut tty = Discipline::default();
    let echoed = typed(&mut tty, b"wrong\x15abX\x7fc\n");
    assert_eq!(echoed, "wrong\x08 \x08\x08 \x08\x08 \x08\x08 \x08\x08 \x08abX\x08 \x08c\r\n");
    assert_eq!(read(&mut tty).as_deref(), Some("abc\n"));
    assert_eq!(typed(&mut tty, b"\x7f\x15\x17"), "", "there is nothing to erase");
    assert_eq!(typed(&mut tty, b"one two \x17"), "one two \x08 \x08\x08 \x08\x08 \x08\x08 \x08");
    assert_eq!(typed(&mut tty, b"\x01\x7f"), "^A\x08 \x08\x08 \x08");
    assert_eq!(typed(&mut tty, b"\t\x7f"), "\t\x08\x08\x08\x08");
    assert_eq!(typed(&mut tty, b"\x16\x03"), "^\x08^C");
    assert_eq!(typed(&mut tty, b"\x12"), "^R\r\none ^C");
    assert_eq!(typed(&mut tty, b"\n"), "\r\n");
    assert_eq!(read(&mut tty).as_deref(), Some("one \x03\n"));
}

#[test]
fn what_is_shown_of_editing_is_what_linux_shows() {
    /// Keys, what flags are off, what the console printed, what was read.
    const SEEN: &[(&str, u32, &str, &str)] = &[
        ("one\t\x7fx", 0, "one\t\x08\x08\x08\x08\x08x", "onex"),
        ("one \t\x01\t\x7fx", 0, "one \t^A\t\x08\x08\x08\x08\x08\x08x", "one \t\x01x"),
        ("one.two..\x17", 0, "one.two..\x08 \x08\x08 \x08\x08 \x08\x08 \x08\x08 \x08", "one."),
        ("a\x16\x03\x12", 0, "a^\x08^C^R\r\na^C", "a\x03"),
        ("é\x7f\x7f", 0, "é\x08 \x08\x08 \x08", ""),
        ("abc \x15\x15q", 0, "abc \x08 \x08\x08 \x08\x08 \x08\x08 \x08q", "q"),
        ("a\x00b", 0, "a^@b", "a\x00b"),
        ("abc\x15x", ECHOKE, "abc^U\r\nx", "x"),
        ("abc\x15x", ECHOK, "abc^Ux", "x"),
        ("abc\x7fx", ECHOE, "abc^?x", "abx"),
        ("abc\x7f\x01\x7fx", ECHOE | ECHOCTL, "abc\x7f\x01\x7fx", "abx"),
        ("abc\x17de \x7fx\x12", ECHOE | ECHOCTL, "abc\x08 \x08\x08 \x08\x08 \x08de \x7fx\x12\r\ndex", "dex"),
        ("raw\x7f\x04", ICANON, "raw^?^D", "raw\x7f\x04"),
        ("a\t\x1b\rb", ICANON | ISIG, "a\t^[^Jb", "a\t\x1b\nb"),
    ];
    for (keys, off, shown, line) in SEEN {
        let mut tty = Discipline::default();
        set(&mut tty, |termios| termios.local &= !off);
        assert_eq!(typed(&mut tty, keys.as_bytes()), *shown, "{keys:?}");
        typed(&mut tty, b"\n");
        assert_eq!(read(&mut tty), Some(format!("{line}\n")), "{keys:?}");
    }
}

#[test]
fn an_end_of_file_ends_a_read_and_is_no_part_of_it() {
    let mut tty = Discipline::default();
    assert_eq!(typed(&mut tty, b"\x04ab\x04cd\x04\n"), "abcd\r\n");
    assert_eq!(read(&mut tty).as_deref(), Some(""));
    assert_eq!((tty.waiting(), tty.read(2)), (5, Some(b"ab".to_vec())));
    assert_eq!(tty.read(1), Some(b"c".to_vec()));
    assert_eq!(read(&mut tty).as_deref(), Some("d"));
    assert_eq!(read(&mut tty).as_deref(), Some("\n"));
    assert_eq!(read(&mut tty), None);
}

#[test]
fn an_interrupt_forgets_what_was_typed() {
    let mut tty = Discipline::default();
    assert_eq!(typed(&mut tty, b"line\nmore\x03"), "line\r\nmore^C");
    assert_eq!(read(&mut tty), None);
    assert_eq!(typed(&mut tty, b"\x1c\x1ax\n"), "^\\^Zx\r\n");
    assert_eq!(read(&mut tty).as_deref(), Some("x\n"));
}

#[test]
fn output_stops_and_starts() {
    let mut tty = Discipline::default();
    assert_eq!(tty.write(b"a\tb\n"), 4);
    assert_eq!(typed(&mut tty, b"\x13"), "a\tb\r\n");
    assert_eq!(tty.write(&[b'x'; 5_000]), 4_096);
    assert!(!tty.is_writable());
    tty.print(b"the kernel\r\n");
    assert_eq!(typed(&mut tty, b""), "the kernel\r\n");
    assert_eq!(typed(&mut tty, b"\x11").len(), 4_096);
    typed(&mut tty, b"\x13");
    tty.write(b"y");
    set(&mut tty, |termios| termios.input &= !IXON);
    assert_eq!(typed(&mut tty, b""), "y");
}

#[test]
fn raw_input_comes_as_it_is_typed() {
    let mut tty = Discipline::default();
    typed(&mut tty, b"half");
    set(&mut tty, |termios| termios.local &= !(ICANON | ECHO));
    assert_eq!(tty.read(2), Some(b"ha".to_vec()));
    assert_eq!(typed(&mut tty, b"\x7f\x04\r"), "");
    assert_eq!(read(&mut tty).as_deref(), Some("lf\x7f\x04\n"));
    assert_eq!(read(&mut tty), None);
    set(&mut tty, |termios| termios.chars[VMIN] = 0);
    assert_eq!(read(&mut tty).as_deref(), Some(""));
    set(&mut tty, |termios| termios.chars[VMIN] = 3);
    typed(&mut tty, b"xy");
    assert_eq!((tty.is_readable(), read(&mut tty)), (false, None));
    set(&mut tty, |termios| termios.local |= ICANON);
    assert_eq!(read(&mut tty).as_deref(), Some("xy"));
}

#[test]
fn a_line_that_is_too_long_still_ends() {
    let mut tty = Discipline::default();
    for _ in 0..5_000 {
        assert!(tty.has_room());
        tty.typed(b'a');
    }
    tty.typed(b'\n');
    assert!(!tty.has_room());
    let line = tty.read(10_000).expect("a line");
    assert_eq!((line.len(), line.last()), (4_096, Some(&b'\n')));
    assert!(tty.has_room());
}

#[test]
fn settings_keep_their_bytes() {
    let termios = Termios::default();
    let bytes = termios.to_bytes();
    assert_eq!(Termios::from_bytes(&bytes), termios);
    // What `stty -g` says of a fresh serial console: 500:5:cbd:8a3b:3:1c:7f:15:4:0:1:0:11:13:1a:0:12:f:17:16:0:0:0.
    assert_eq!(bytes[..16], [0, 5, 0, 0, 5, 0, 0, 0, 0xbd, 0xc, 0, 0, 0x3b, 0x8a, 0, 0]);
    assert_eq!(bytes[17..34], [3, 0x1c, 0x7f, 0x15, 4, 0, 1, 0, 0x11, 0x13, 0x1a, 0, 0x12, 0xf, 0x17, 0x16, 0]);
}
