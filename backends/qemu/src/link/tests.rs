//! The link against an agent that says what the test wants it to.

use provium_protocol::exec::ExecSpec;
use provium_protocol::wire::{FromAgent, Inbox, Outbox, Received, decode_to_agent};
use provium_protocol::{ErrorKind, Reply};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use super::*;

/// The other side.
struct Agent {
    socket: DuplexStream,
    inbox: Inbox,
    outbox: Outbox,
}

impl Agent {
    fn linked() -> (Link, Agent) {
        Agent::linked_by(1 << 20)
    }

    /// Each direction holds so many bytes on their way.
    fn linked_by(bytes: usize) -> (Link, Agent) {
        let (host, guest) = tokio::io::duplex(bytes);
        (Link::open(host), Agent { socket: guest, inbox: Inbox::default(), outbox: Outbox::default() })
    }

    async fn hears(&mut self) -> ToAgent {
        let mut buffer = [0; 4096];
        loop {
            if let Some(received) = self.inbox.receive() {
                match received {
                    Received::Message(bytes) => return decode_to_agent(&bytes).unwrap(),
                    Received::Garbled { why, .. } => panic!("{why}"),
                    Received::NoRoom { .. } => panic!("there is room"),
                }
            }
            let read = self.socket.read(&mut buffer).await.unwrap();
            assert_ne!(read, 0, "the host has gone");
            self.inbox.feed(&buffer[..read]);
        }
    }

    async fn says(&mut self, message: FromAgent) {
        self.outbox.put(0, &message).unwrap();
        let mut bytes = Vec::new();
        while self.outbox.next_chunk(&mut bytes) {}
        self.socket.write_all(&bytes).await.unwrap();
    }
}

fn spawn() -> Op {
    Op::Spawn(ExecSpec::shell("true"))
}

fn spawned(id: u64) -> FromAgent {
    FromAgent::Reply { id, result: Ok(Reply::Spawned { proc: id, pid: 7 }) }
}

fn frame(byte: u8) -> FromAgent {
    FromAgent::Frame { stream: StreamId(1), frame: Ok(Some(Frame { data: vec![byte] })) }
}

/// Opens stream 1 by the link's first call.
async fn open_stream(link: &Link, agent: &mut Agent) {
    let opening = link.call(Lane::Main, Op::FdStream(1));
    agent.hears().await;
    agent.says(FromAgent::Reply { id: 1, result: Ok(Reply::Stream(StreamId(1))) }).await;
    opening.await.unwrap();
}

#[tokio::test]
async fn replies_find_their_calls() {
    let (link, mut agent) = Agent::linked();
    let (one, two) = (link.call(Lane::Main, spawn()), link.call(Lane::Worker(3), spawn()));
    assert_eq!(agent.hears().await, ToAgent::Call { id: 1, lane: Lane::Main, op: spawn() });
    assert_eq!(agent.hears().await, ToAgent::Call { id: 2, lane: Lane::Worker(3), op: spawn() });
    agent.says(spawned(2)).await;
    agent.says(spawned(1)).await;
    assert_eq!(one.await, Ok(Reply::Spawned { proc: 1, pid: 7 }));
    assert_eq!(two.await, Ok(Reply::Spawned { proc: 2, pid: 7 }));
    assert_eq!(link.under_way(), 0);
}

#[tokio::test]
async fn pieces_of_an_answer_are_put_together() {
    let (link, mut agent) = Agent::linked();
    let read = || Op::ReadFile("/f".into());
    let piece = |id, byte, len| FromAgent::Piece { id, data: vec![byte; len] };
    let bytes = |id, bytes: &[u8]| FromAgent::Reply { id, result: Ok(Reply::Bytes(bytes.to_vec())) };
    let (one, two, three) =
        (link.call(Lane::Main, read()), link.call(Lane::Main, read()), link.call(Lane::Main, read()));
    for _ in 0..3 {
        agent.hears().await;
    }
    for message in [
        piece(1, b'a', 2),
        piece(2, b'x', 2),
        piece(1, b'b', 1),
        // Of a call that never was, or is over.
        piece(9, b'x', 1),
        bytes(1, b"c"),
        piece(1, b'x', 1),
        piece(3, b'd', 1),
        FromAgent::Reply { id: 2, result: Err(OpError::limit("too much")) },
        bytes(3, b""),
    ] {
        agent.says(message).await;
    }
    assert_eq!(one.await, Ok(Reply::Bytes(b"aabc".to_vec())));
    assert_eq!(two.await, Err(OpError::limit("too much")));
    assert_eq!(three.await, Ok(Reply::Bytes(b"d".to_vec())));
}

#[tokio::test]
async fn an_agent_that_sends_too_much_fills_no_memory() {
    let (link, mut agent) = Agent::linked();
    let call = link.call(Lane::Main, Op::ReadFile("/f".into()));
    agent.hears().await;
    let piece = || FromAgent::Piece { id: 1, data: vec![0; 64 << 20] };
    for _ in 0..5 {
        agent.says(piece()).await;
    }
    let error = call.await.unwrap_err();
    assert!(error.to_string().contains("sent more than it may"), "{error}");
}

#[tokio::test]
async fn what_nobody_waits_for_is_cancelled_or_given_back() {
    let (link, mut agent) = Agent::linked();
    drop(link.call(Lane::Main, spawn()));
    agent.hears().await;
    assert_eq!(agent.hears().await, ToAgent::Cancel { id: 1 });
    // The reply was under way already.
    agent.says(spawned(1)).await;
    assert_eq!(agent.hears().await, ToAgent::Discard(Box::new(Reply::Spawned { proc: 1, pid: 7 })));

    let unseen = link.call(Lane::Main, spawn());
    let seen = link.call(Lane::Main, spawn());
    agent.hears().await;
    agent.hears().await;
    agent.says(spawned(2)).await;
    agent.says(spawned(3)).await;
    seen.await.unwrap();
    drop(unseen);
    assert_eq!(agent.hears().await, ToAgent::Discard(Box::new(Reply::Spawned { proc: 2, pid: 7 })));
}

#[tokio::test]
async fn no_frame_is_lost_and_readers_give_credit() {
    let (link, mut agent) = Agent::linked();
    open_stream(&link, &mut agent).await;
    for byte in 0..8 {
        agent.says(frame(byte)).await;
    }
    for byte in 0..8 {
        // A reader that gives up takes nothing along.
        let given_up = link.next_frame(StreamId(1));
        let _ = tokio::time::timeout(std::time::Duration::ZERO, std::future::pending::<()>()).await;
        drop(given_up);
        assert_eq!(link.next_frame(StreamId(1)).await, Ok(Some(Frame { data: vec![byte] })));
    }
    for _ in 0..2 {
        assert_eq!(agent.hears().await, ToAgent::Credit { stream: StreamId(1), frames: 4 });
    }
    agent.says(FromAgent::Frame { stream: StreamId(1), frame: Ok(None) }).await;
    for _ in 0..2 {
        assert_eq!(link.next_frame(StreamId(1)).await, Ok(None));
    }
    drop(link.call(Lane::Main, Op::StreamClose(StreamId(1))));
    assert_eq!(link.next_frame(StreamId(1)).await.unwrap_err().kind, ErrorKind::State);
}

#[tokio::test]
async fn a_stream_has_one_reader_at_a_time() {
    let (link, mut agent) = Agent::linked();
    open_stream(&link, &mut agent).await;
    let mut one = std::pin::pin!(link.next_frame(StreamId(1)));
    assert!(tokio::time::timeout(std::time::Duration::from_millis(1), one.as_mut()).await.is_err());
    assert_eq!(link.next_frame(StreamId(1)).await.unwrap_err().kind, ErrorKind::State);
    agent.says(frame(9)).await;
    assert_eq!(one.await, Ok(Some(Frame { data: vec![9] })));
}

#[tokio::test]
async fn garbage_ends_what_is_under_way_and_nothing_else() {
    let (link, mut agent) = Agent::linked();
    let hit = link.call(Lane::Main, spawn());
    agent.hears().await;
    agent.socket.write_all(&[0x5a; 300]).await.unwrap();
    let error = hit.await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Agent);
    assert!(error.message.contains("disturbed"), "{error}");
    assert_eq!(agent.hears().await, ToAgent::Cancel { id: 1 });
    let next = link.call(Lane::Main, spawn());
    agent.hears().await;
    agent.says(spawned(2)).await;
    assert!(next.await.is_ok());
}

#[tokio::test]
async fn the_end_of_a_guest_ends_everything() {
    let (link, mut agent) = Agent::linked();
    open_stream(&link, &mut agent).await;
    let call = link.call(Lane::Main, spawn());
    agent.says(frame(1)).await;
    assert_eq!(link.next_frame(StreamId(1)).await, Ok(Some(Frame { data: vec![1] })));
    drop(agent);
    link.closed().await;
    link.fail(OpError::lost("the guest panicked"));
    assert_eq!(call.await, Err(OpError::lost("the guest panicked")));
    assert_eq!(link.next_frame(StreamId(1)).await, Err(OpError::lost("the guest panicked")));
    assert_eq!(link.call(Lane::Main, spawn()).await, Err(OpError::lost("the guest panicked")));
}

#[tokio::test(start_paused = true)]
async fn silence_is_trouble_only_while_something_is_under_way_and_runs() {
    let (link, mut agent) = Agent::linked();
    let mut silent = std::pin::pin!(link.unresponsive());
    let long = UNRESPONSIVE_AFTER * 5;
    assert!(tokio::time::timeout(long, silent.as_mut()).await.is_err());
    let _call = link.call(Lane::Main, spawn());
    link.set_paused(true);
    assert!(tokio::time::timeout(long, silent.as_mut()).await.is_err());
    link.set_paused(false);
    // It answers each ping for a while.
    agent.hears().await;
    for _ in 0..3 {
        tokio::select! {
            biased;
            () = silent.as_mut() => panic!("it did answer"),
            message = agent.hears() => assert!(matches!(message, ToAgent::Ping(_)), "{message:?}"),
        }
        agent.says(FromAgent::Pong(1)).await;
    }
    silent.await;
}

#[tokio::test(start_paused = true)]
async fn who_takes_what_is_sent_slowly_is_not_silent() {
    let (link, mut agent) = Agent::linked_by(1000);
    let data = vec![7; 100_000];
    let _call = link.call(Lane::Main, Op::WriteFile { path: "/f".into(), data, perm: None, append: false });
    let mut silent = std::pin::pin!(link.unresponsive());
    let mut taken = [0; 1000];
    for _ in 0..50 {
        assert!(tokio::time::timeout(std::time::Duration::from_secs(2), silent.as_mut()).await.is_err());
        agent.socket.read_exact(&mut taken).await.unwrap();
    }
    // It takes nothing any more, with half of it still to be sent.
    silent.await;
}

#[tokio::test(start_paused = true)]
async fn a_greeting_is_said_until_it_is_answered() {
    let (link, mut agent) = Agent::linked();
    let greeting = tokio::spawn({
        let link = link.clone();
        async move { link.hello(5, 1).await }
    });
    for _ in 0..3 {
        assert!(matches!(agent.hears().await, ToAgent::Hello(Hello { nonce: 5, boot: 1, .. })));
    }
    let welcome = |nonce| Welcome { nonce, version: 1, capabilities: vec![], kernel: "6.1".into(), agent: "0".into() };
    agent.says(FromAgent::Welcome(welcome(4))).await;
    agent.says(FromAgent::Welcome(welcome(5))).await;
    assert_eq!(greeting.await.unwrap(), Ok(welcome(5)));
    let refused = tokio::spawn({
        let link = link.clone();
        async move { link.hello(6, 1).await }
    });
    agent.says(FromAgent::Refused { nonce: 6, versions: (7, 9) }).await;
    assert!(refused.await.unwrap().unwrap_err().message.contains("versions 7 to 9"));
}
