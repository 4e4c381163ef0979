//! Records on their way to the file, which are not copied for it.

use provium_protocol::{Frame, Lane, Op, OpError, Reply, StreamId};
use serde::{Serialize, Serializer};

use super::record::{At, GuestNo, Record};

/// A record. What may be large in it belongs to whoever says it.
///
/// Its serde form is that of [`Said::to_record`], as far as an encoding numbers variants and does not name them.
#[derive(Clone, Copy, Debug)]
pub enum Said<'a> {
    /// [`Record::Begun`].
    Begun {
        /// With which guest.
        guest: GuestNo,
        /// On whose line.
        lane: Lane,
        /// The worker's name.
        worker: Option<&'a str>,
        /// Where the test asks.
        at: Option<At>,
        /// What it asks.
        op: &'a Op,
    },
    /// [`Record::Ended`].
    Ended {
        /// Which exchange.
        back: u64,
        /// The answer.
        result: &'a Result<Reply, OpError>,
    },
    /// [`Record::Frame`].
    Frame {
        /// Of which guest.
        guest: GuestNo,
        /// Which stream.
        stream: StreamId,
        /// The piece.
        frame: &'a Result<Option<Frame>, OpError>,
    },
    /// Any other.
    Other(&'a Record),
}

impl Said<'_> {
    /// A copy.
    #[must_use]
    pub fn to_record(&self) -> Record {
        match *self {
            Said::Begun { guest, lane, worker, at, op } => {
                Record::Begun { guest, lane, worker: worker.map(str::to_owned), at, op: op.clone() }
            }
            Said::Ended { back, result } => Record::Ended { back, result: result.clone() },
            Said::Frame { guest, stream, frame } => Record::Frame { guest, stream, frame: frame.clone() },
            Said::Other(record) => record.clone(),
        }
    }
}

impl Serialize for Said<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // The numbers are those of the variants.
        match self {
            Said::Begun { guest, lane, worker, at, op } => (1_u32, guest, lane, worker, at, op).serialize(serializer),
            Said::Ended { back, result } => (2_u32, back, result).serialize(serializer),
            Said::Frame { guest, stream, frame } => (4_u32, guest, stream, frame).serialize(serializer),
            Said::Other(record) => record.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use provium_protocol::codec;

    use super::super::timeline::samples;
    use super::*;

    #[test]
    fn it_is_the_record() {
        let mut kinds = [0; 3];
        for record in samples::records() {
            let said = match &record {
                Record::Begun { guest, lane, worker, at, op } => {
                    kinds[0] += 1;
                    Said::Begun { guest: *guest, lane: *lane, worker: worker.as_deref(), at: *at, op }
                }
                Record::Ended { back, result } => {
                    kinds[1] += 1;
                    Said::Ended { back: *back, result }
                }
                Record::Frame { guest, stream, frame } => {
                    kinds[2] += 1;
                    Said::Frame { guest: *guest, stream: *stream, frame }
                }
                other => Said::Other(other),
            };
            let (mut as_record, mut as_said) = (Vec::new(), Vec::new());
            codec::encode(&record, &mut as_record).unwrap();
            codec::encode(&said, &mut as_said).unwrap();
            assert_eq!(as_said, as_record, "{record:?}");
            assert_eq!(said.to_record(), record);
        }
        assert!(kinds.iter().all(|count| *count > 0), "{kinds:?}");
    }
}
