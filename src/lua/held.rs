//! What a test holds inside of a guest, and how its scope closes that: files, processes, workers, streams.

use std::rc::Rc;

use provium_protocol::{LocalFuture, Op};

use super::exchange::exchange;
use super::machine::{OpenThing, VmState};
use crate::runner::place::Place;
use crate::runner::scope::{Kind, Resource};

/// Something inside of a guest that has to be closed.
pub trait Held: 'static {
    /// What all of them have in common.
    fn open(&self) -> &OpenThing;
    /// The operation that closes it; `None` when the guest has nothing to close any more.
    fn closing(&self) -> Option<Op>;
    /// Lets go of what is of no use once it is closed.
    fn let_go(&self) {}
}

impl<T: Held> Resource for T {
    fn kind(&self) -> Kind {
        self.open().kind
    }

    fn label(&self) -> String {
        self.open().label.clone()
    }

    fn opened_at(&self) -> Option<Place> {
        self.open().at.clone()
    }

    fn is_closed(&self) -> bool {
        self.open().is_closed()
    }

    fn close(self: Rc<Self>) -> LocalFuture<Result<(), String>> {
        let Some(op) = self.closing() else {
            self.open().set_closed();
            return Box::pin(std::future::ready(Ok(())));
        };
        let Some(host) = self.open().host() else { return Box::pin(std::future::ready(Ok(()))) };
        let speaker = &self.open().speaker;
        // A paused guest answers nothing but what is asked of its console.
        let asks_guest = !matches!(&op, Op::StreamClose(stream) if stream.is_console());
        let resumed = (asks_guest && speaker.vm.state() == VmState::Paused)
            .then(|| speaker.vm.machine_op(&host, Op::Resume, VmState::Booted, None));
        let said = exchange(&host, speaker, op, None);
        Box::pin(async move {
            if let Some(resumed) = resumed {
                resumed.await.map_err(|error| error.to_string())?;
            }
            said.await.map_err(|error| error.to_string())?;
            self.let_go();
            self.open().set_closed();
            Ok(())
        })
    }
}
