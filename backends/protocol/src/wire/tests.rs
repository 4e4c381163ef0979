//! The laws of the link: whatever is put arrives whole and in order; garbage is skipped, named, and hurts nothing behind it.

use proptest::prelude::*;

use super::*;
use crate::{Lane, Op};

fn call(id: u64, size: usize) -> ToAgent {
    let op = Op::WriteFile { path: "/tmp/a".into(), data: vec![id as u8; size], perm: None, append: false };
    ToAgent::Call { id, lane: Lane::Main, op }
}

fn outbox(messages: &[(u64, ToAgent)]) -> Outbox {
    let mut outbox = Outbox::default();
    for (flow, message) in messages {
        outbox.put(*flow, message).unwrap();
    }
    outbox
}

fn sent(messages: &[(u64, ToAgent)]) -> Vec<u8> {
    let mut outbox = outbox(messages);
    let mut bytes = Vec::new();
    while outbox.next_chunk(&mut bytes) {}
    assert_eq!(outbox.bytes(), 0);
    bytes
}

/// As a writer sends that is never given more than so many bytes at once.
fn sent_from_where_they_are(outbox: &mut Outbox, at_once: usize) -> Vec<u8> {
    let (mut sending, mut bytes) = (Sending::default(), Vec::new());
    loop {
        outbox.fill(&mut sending, MAX_CHUNK);
        if sending.rest().is_empty() {
            assert!(outbox.is_empty() && outbox.bytes() == 0);
            return bytes;
        }
        while !sending.rest().is_empty() {
            let now = at_once.min(sending.rest().len());
            bytes.extend_from_slice(&sending.rest()[..now]);
            sending.advance(now);
        }
    }
}

fn ids(messages: &[ToAgent]) -> Vec<u64> {
    let id = |message: &ToAgent| match message {
        ToAgent::Call { id, .. } => *id,
        other => panic!("{other:?}"),
    };
    messages.iter().map(id).collect()
}

fn received(inbox: &mut Inbox) -> (Vec<ToAgent>, u64) {
    let (mut messages, mut garbled) = (Vec::new(), 0);
    while let Some(received) = inbox.receive() {
        match received {
            Received::Message(bytes) => messages.push(decode_to_agent(&bytes).unwrap()),
            Received::Garbled { .. } => garbled += 1,
            Received::NoRoom { .. } => panic!("there is room"),
        }
    }
    (messages, garbled)
}

#[test]
fn a_small_message_overtakes_a_large_one_of_another_flow_only() {
    let bytes = sent(&[(1, call(1, 1 << 20)), (2, call(2, 10)), (1, call(3, 10))]);
    let mut inbox = Inbox::default();
    inbox.feed(&bytes);
    assert_eq!(ids(&received(&mut inbox).0), [2, 1, 3]);
}

#[test]
fn small_messages_without_end_do_not_keep_a_large_one_waiting() {
    let (mut outbox, mut inbox, mut sending) = (Outbox::default(), Inbox::default(), Sending::default());
    outbox.put(1, &call(1, MAX_CHUNK * 3)).unwrap();
    let mut arrived = Vec::new();
    for round in 2..42 {
        // More than is sent at once, each in a flow of its own.
        for small in 0..80 {
            outbox.put(1_000 * round + small, &call(round, 900)).unwrap();
        }
        outbox.fill(&mut sending, MAX_CHUNK);
        inbox.feed(sending.rest());
        sending.advance(sending.rest().len());
        arrived.extend(received(&mut inbox).0);
    }
    assert!(ids(&arrived).contains(&1), "{:?}", ids(&arrived));
}

#[test]
fn an_outbox_that_is_cleared_ends_with_the_chunk_that_is_being_sent() {
    for chunks in 0..4 {
        let (mut outbox, mut sending, mut bytes) = (Outbox::default(), Sending::default(), Vec::new());
        outbox.put(1, &call(1, MAX_CHUNK * 4)).unwrap();
        outbox.put(1, &call(2, 10)).unwrap();
        for _ in 0..=chunks {
            outbox.fill(&mut sending, MAX_CHUNK);
            bytes.extend_from_slice(sending.rest());
            sending.advance(sending.rest().len());
        }
        outbox.clear();
        assert!(outbox.is_empty() && outbox.bytes() == 0);
        outbox.put(1, &call(3, MAX_CHUNK * 2)).unwrap();
        outbox.fill(&mut sending, MAX_CHUNK);
        bytes.extend_from_slice(sending.rest());
        sending.advance(sending.rest().len());
        bytes.extend(sent_from_where_they_are(&mut outbox, MAX_CHUNK));
        let mut inbox = Inbox::default();
        inbox.feed(&bytes);
        assert_eq!(received(&mut inbox), (vec![call(3, MAX_CHUNK * 2)], 0), "after {chunks}");
    }
}

#[test]
fn what_waits_behind_a_large_message_keeps_nobody_else_waiting() {
    let mut outbox = Outbox::default();
    outbox.put(1, &call(1, 1 << 20)).unwrap();
    outbox.put(1, &ToAgent::Cancel { id: 1 }).unwrap();
    outbox.put(0, &ToAgent::Ping(1)).unwrap();
    let mut bytes = Vec::new();
    assert!(outbox.next_chunk(&mut bytes) && outbox.next_chunk(&mut bytes));
    let mut inbox = Inbox::default();
    inbox.feed(&bytes);
    assert_eq!(received(&mut inbox), (vec![ToAgent::Ping(1)], 0));
}

#[test]
fn a_large_message_does_not_overtake_a_small_one_of_its_flow() {
    // One chunk each.
    let messages = [(1, call(1, 10)), (1, call(2, 50_000)), (2, call(3, 10)), (2, call(4, 50_000)), (2, call(5, 10))];
    let (copied, in_place) = (sent(&messages), sent_from_where_they_are(&mut outbox(&messages), MAX_CHUNK));
    for bytes in [copied, in_place] {
        let mut inbox = Inbox::default();
        inbox.feed(&bytes);
        assert_eq!(ids(&received(&mut inbox).0), [1, 3, 2, 4, 5]);
    }
}

#[test]
fn a_tail_is_sent_as_if_it_had_been_in_the_message() {
    let reply = |data| FromAgent::Reply { id: 7, result: Ok(crate::Reply::Bytes(data)) };
    for size in [0, 1, 250, 251, 70_000, MAX_CHUNK * 2] {
        let (mut one, mut other) = (Outbox::default(), Outbox::default());
        one.put(1, &reply(vec![9; size])).unwrap();
        other.put_with_tail(1, &reply(Vec::new()), vec![9; size]).unwrap();
        assert_eq!(one.bytes(), other.bytes());
        let (mut whole, mut parted) = (Vec::new(), Vec::new());
        while one.next_chunk(&mut whole) {}
        while other.next_chunk(&mut parted) {}
        assert!(whole == parted, "{size} bytes");
        let mut other = Outbox::default();
        other.put_with_tail(1, &reply(Vec::new()), vec![9; size]).unwrap();
        assert!(whole == sent_from_where_they_are(&mut other, 10_000), "{size} bytes");
    }
    assert!(Outbox::default().put_with_tail(1, &ToAgent::Ping(7), Vec::new()).is_err());
}

#[test]
fn the_latest_common_version_is_spoken() {
    assert_eq!(agree((1, 3), (2, 5)), Some(3));
    assert_eq!(agree((2, 5), (1, 3)), Some(3));
    assert_eq!(agree((1, 1), (2, 2)), None);
}

#[test]
fn a_connection_that_begins_in_the_middle_of_a_chunk_goes_on() {
    let first = sent(&[(1, call(1, 5000))]);
    let second = sent(&[(1, call(2, 10))]);
    for cut in 1..first.len() {
        let mut inbox = Inbox::default();
        inbox.feed(&first[cut..]);
        inbox.feed(&second);
        let (messages, garbled) = received(&mut inbox);
        assert_eq!(messages, [call(2, 10)], "cut at {cut}");
        assert!(garbled >= 1);
    }
}

#[test]
fn a_message_without_its_beginning_is_garbage() {
    let bytes = sent(&[(1, call(1, MAX_CHUNK * 2))]);
    let mut inbox = Inbox::default();
    inbox.feed(&bytes[HEADER + MAX_CHUNK..]);
    assert_eq!(received(&mut inbox), (Vec::new(), 2));
}

proptest! {
    #[test]
    fn what_is_put_arrives(
        sizes in prop::collection::vec((0u64..4, prop_oneof![0usize..2_000, 0usize..200_000]), 1..12),
        cuts in prop::collection::vec(1usize..100_000, 1..20),
        in_place in any::<bool>(),
    ) {
        let messages: Vec<(u64, ToAgent)> =
            sizes.iter().enumerate().map(|(at, (flow, size))| (*flow, call(at as u64, *size))).collect();
        let bytes =
            if in_place { sent_from_where_they_are(&mut outbox(&messages), cuts[0]) } else { sent(&messages) };
        let mut inbox = Inbox::default();
        let mut arrived = Vec::new();
        let (mut rest, mut cuts) = (&bytes[..], cuts.iter().cycle());
        while !rest.is_empty() {
            let (piece, more) = rest.split_at(rest.len().min(*cuts.next().unwrap()));
            inbox.feed(piece);
            let (messages, garbled) = received(&mut inbox);
            prop_assert_eq!(garbled, 0);
            arrived.extend(messages);
            rest = more;
        }
        for flow in 0..4 {
            let of_flow = |message: &&ToAgent| match message {
                ToAgent::Call { id, .. } => messages[*id as usize].0 == flow,
                _ => false,
            };
            let got: Vec<&ToAgent> = arrived.iter().filter(of_flow).collect();
            let want: Vec<&ToAgent> = messages.iter().filter(|(of, _)| *of == flow).map(|(_, message)| message).collect();
            let of = |messages: &[&ToAgent]| ids(&messages.iter().copied().cloned().collect::<Vec<_>>());
            prop_assert!(got == want, "{:?} of {:?}", of(&got), of(&want));
        }
    }

    #[test]
    fn garbage_is_named_and_hurts_nothing_behind_it(garbage in prop::collection::vec(any::<u8>(), 1..5_000)) {
        let mut inbox = Inbox::default();
        inbox.feed(&garbage);
        let mut garbled = received(&mut inbox).1;
        inbox.feed(&sent(&[(1, call(7, 100))]));
        let (messages, more) = received(&mut inbox);
        garbled += more;
        prop_assert_eq!(messages, [call(7, 100)]);
        prop_assert!(garbled >= 1);
    }

    #[test]
    fn no_flipped_bit_goes_unseen(at in 0usize..3_000, bit in 0u8..8) {
        let mut bytes = sent(&[(1, call(1, 2_900))]);
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        let mut inbox = Inbox::default();
        inbox.feed(&bytes);
        inbox.feed(&sent(&[(1, call(2, 10))]));
        let (messages, garbled) = received(&mut inbox);
        prop_assert_eq!(messages, [call(2, 10)]);
        prop_assert!(garbled >= 1);
    }

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = decode_to_agent(&bytes);
        let _ = decode_from_agent(&bytes);
    }
}

#[test]
fn a_message_without_room_is_given_up_and_hurts_no_other() {
    let bytes = sent(&[(1, call(300, 5 << 20)), (2, call(2, 3000)), (1, call(3, 10)), (4, call(4, 3 << 20))]);
    // At four MiB and a little, one more to come, room for five is asked for.
    let mut inbox = Inbox::with_room(|bytes| bytes <= 5 << 20);
    let (mut messages, mut given_up) = (Vec::new(), Vec::new());
    for piece in bytes.chunks(10_000) {
        inbox.feed(piece);
        while let Some(received) = inbox.receive() {
            match received {
                Received::Message(bytes) => messages.push(decode_to_agent(&bytes).unwrap()),
                Received::NoRoom { beginning, bytes } => given_up.push((call_of(&beginning), bytes >> 20)),
                Received::Garbled { why, .. } => panic!("{why}"),
            }
        }
    }
    assert_eq!(given_up, [(Some(300), 4)]);
    assert_eq!(messages, [call(2, 3000), call(4, 3 << 20), call(3, 10)]);
    // The number is free again.
    inbox.feed(&sent(&[(1, call(9, 100_000))]));
    assert_eq!(received(&mut inbox), (vec![call(9, 100_000)], 0));
}

#[test]
fn the_number_of_a_call_stands_at_its_beginning() {
    for id in [1, 250, 251, 70_000, u64::MAX] {
        let mut bytes = Vec::new();
        crate::codec::encode(&call(id, 1000), &mut bytes).unwrap();
        assert_eq!(call_of(&bytes[..64]), Some(id));
    }
    let mut bytes = Vec::new();
    crate::codec::encode(&ToAgent::Ping(7), &mut bytes).unwrap();
    assert_eq!(call_of(&bytes), None);
    assert_eq!(call_of(&[]), None);
}
