//! Between the socket and the state of a link.

use std::sync::Arc;
use std::task::Waker;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::Inner;

/// Bytes read, and gathered to be written, at once: several chunks, so that a fast link is not slowed down by calls.
const AT_ONCE: usize = 256 << 10;

/// Reads until the other side closes the connection.
pub async fn read(inner: Arc<Inner>, mut from: impl AsyncRead + Unpin) {
    let mut buffer = vec![0; AT_ONCE];
    loop {
        match from.read(&mut buffer).await {
            Ok(0) | Err(_) => break,
            Ok(read) => {
                let wakers = inner.lock().take(&buffer[..read]);
                inner.news.notify_waiters();
                inner.sends.notify_one();
                wakers.into_iter().for_each(Waker::wake);
            }
        }
    }
    inner.lock().closed = true;
    inner.news.notify_waiters();
}

/// Writes what is to be sent, for as long as the other side takes it.
pub async fn write(inner: Arc<Inner>, mut to: impl AsyncWrite + Unpin) {
    let mut buffer = Vec::with_capacity(AT_ONCE);
    loop {
        buffer.clear();
        {
            let mut state = inner.lock();
            buffer.append(&mut state.garbage);
            while buffer.len() < AT_ONCE && state.outbox.next_chunk(&mut buffer) {}
        }
        if buffer.is_empty() {
            inner.sends.notified().await;
        } else if to.write_all(&buffer).await.is_err() {
            inner.lock().closed = true;
            inner.news.notify_waiters();
            return;
        }
    }
}
