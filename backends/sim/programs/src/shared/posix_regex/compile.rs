//! The tree into the intermediate form of the `regex` crates.

use regex_syntax::hir::{Capture, Class, ClassBytes, ClassBytesRange, Hir, Look, Repetition};

use super::ast::{Assertion, Node};

/// Translates a tree that has no back-references.
pub(super) fn to_hir(node: &Node, multiline: bool) -> Hir {
    match node {
        Node::Empty => Hir::empty(),
        Node::Byte(byte) => Hir::literal([*byte]),
        Node::Any => Hir::class(Class::Bytes(ClassBytes::new([ClassBytesRange::new(0, 255)]))),
        Node::Set(set) => {
            let ranges = set.ranges().into_iter().map(|(low, high)| ClassBytesRange::new(low, high));
            Hir::class(Class::Bytes(ClassBytes::new(ranges)))
        }
        Node::Assert(assertion) => Hir::look(match assertion {
            Assertion::LineStart if multiline => Look::StartLF,
            Assertion::LineEnd if multiline => Look::EndLF,
            Assertion::LineStart | Assertion::TextStart => Look::Start,
            Assertion::LineEnd | Assertion::TextEnd => Look::End,
            Assertion::WordBoundary => Look::WordAscii,
            Assertion::NotWordBoundary => Look::WordAsciiNegate,
            Assertion::WordStart => Look::WordStartAscii,
            Assertion::WordEnd => Look::WordEndAscii,
            Assertion::WordStartHalf => Look::WordStartHalfAscii,
            Assertion::WordEndHalf => Look::WordEndHalfAscii,
        }),
        Node::Group(number, inner) => Hir::capture(Capture {
            index: u32::try_from(*number).unwrap_or(u32::MAX),
            name: None,
            sub: Box::new(to_hir(inner, multiline)),
        }),
        Node::Repeat(inner, low, high) => {
            Hir::repetition(Repetition { min: *low, max: *high, greedy: true, sub: Box::new(to_hir(inner, multiline)) })
        }
        Node::Concat(parts) => Hir::concat(parts.iter().map(|part| to_hir(part, multiline)).collect()),
        Node::Alternate(parts) => Hir::alternation(parts.iter().map(|part| to_hir(part, multiline)).collect()),
        // Patterns with back-references never come here; nothing matches in place of one.
        Node::BackReference(_) => Hir::fail(),
    }
}
