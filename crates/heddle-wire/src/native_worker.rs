//! What a worker written in Rust hears and says. Only the zero-workers of the benchmark are: workers that run user
//! code are TypeScript's.

use crate::check::{root, text};
use crate::encode::{Encoder, OutFrame};
use crate::error::WireError;
use crate::frame::Frame;
use crate::generated::protocol::{self as fb, Kind};
use crate::session::{Hello, Role};
use heddle_core::column::U32s;
use heddle_core::event::{DoneSection, Fence};

/// What a frame of the scheduler means to a worker that has no store and no functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told<'a> {
    /// The answer to its hello.
    Welcome {
        /// Its proc id.
        peer: u32,
        /// To be said in every frame.
        incarnation: u32,
        /// Of the scheduler; to be said in every frame.
        epoch: u32,
        /// How often to send heartbeats, in ms.
        heartbeat_ms: u32,
    },
    /// What rows of a layer have in common.
    Layer {
        /// The layer.
        serial: u32,
        /// Codec of its row data.
        data_codec: u8,
    },
    /// Records: [`read_assign`](crate::read_assign) reads them.
    Assign,
    /// The scheduler refuses the worker or ends the connection, and why.
    Over(&'a str),
    /// Anything that such a worker need not know.
    Other,
}

/// Reads a frame of the scheduler.
///
/// # Errors
/// When the body is malformed.
pub fn hear<'a>(frame: &Frame<'a>) -> Result<Told<'a>, WireError> {
    Ok(match frame.header.kind {
        Kind::Welcome => {
            let table = root::<fb::Welcome<'_>>(frame.body)?;
            Told::Welcome {
                peer: table.peer(),
                incarnation: table.incarnation(),
                epoch: table.epoch(),
                heartbeat_ms: table.heartbeat_ms(),
            }
        }
        Kind::DefineLayer => {
            let table = root::<fb::DefineLayer<'_>>(frame.body)?;
            Told::Layer {
                serial: table.serial(),
                data_codec: table.data_codec().0,
            }
        }
        Kind::Assign => Told::Assign,
        Kind::Reject => {
            let table = root::<fb::Reject<'_>>(frame.body)?;
            Told::Over(text(table.message(), "Reject.message")?)
        }
        Kind::Bye => {
            let table = root::<fb::Bye<'_>>(frame.body)?;
            Told::Over(text(table.reason(), "Bye.reason")?)
        }
        _ => Told::Other,
    })
}

impl Encoder {
    /// The first frame of a worker; the encoder's epoch is 0 for it. Key, session and a client's fields stay out.
    pub fn hello(&mut self, hello: &Hello<'_>) -> OutFrame {
        let fbb = &mut self.fbb;
        let args = fb::HelloArgs {
            role: match hello.role {
                Role::Client => fb::Role::Client,
                Role::Worker => fb::Role::Worker,
            },
            package_version: Some(fbb.create_string(hello.package_version)),
            name: Some(fbb.create_string(hello.name)),
            host: Some(fbb.create_string(hello.host)),
            pid: hello.pid,
            data_address: Some(fbb.create_string(hello.data_address)),
            lanes: hello.lanes as u16,
            memory_bytes: hello.memory_bytes as f64,
            ..Default::default()
        };
        let root = fb::Hello::create(&mut self.fbb, &args);
        self.finish(Kind::Hello, root, Vec::new())
    }

    /// Outcomes; the values of all sections become payload part 0, each section's at a multiple of 8.
    pub fn done(&mut self, from: Fence, sections: &[DoneSection<'_>]) -> OutFrame {
        let mut part = Vec::with_capacity(sections.iter().map(|s| s.values.len() + 8).sum());
        let mut written = Vec::with_capacity(sections.len());
        for section in sections {
            part.resize(part.len().next_multiple_of(8), 0);
            let offset = part.len() as u32;
            part.extend_from_slice(section.values);
            let args = fb::DoneSectionArgs {
                lane: section.lane,
                lane_epoch: section.lane_epoch,
                serial: section.serial.0,
                outcome: fb::Outcome(section.outcome as u8),
                first: section.first,
                count: section.count,
                indices: self.column(section.indices),
                attempts: self.column(section.attempts),
                codec: fb::Codec(section.codec),
                stride: section.stride,
                part: 0,
                offset,
                duration_us: section.duration_us,
                ..Default::default()
            };
            written.push(fb::DoneSection::create(&mut self.fbb, &args));
        }
        let args = fb::DoneArgs {
            proc_: from.proc.0,
            incarnation: from.incarnation.0,
            sections: Some(self.fbb.create_vector(&written)),
            ..Default::default()
        };
        let root = fb::Done::create(&mut self.fbb, &args);
        self.finish(Kind::Done, root, vec![part])
    }

    /// A column that is absent when empty.
    fn column(
        &mut self,
        items: U32s<'_>,
    ) -> Option<flatbuffers::WIPOffset<flatbuffers::Vector<'static, u32>>> {
        (!items.is_empty()).then(|| {
            let each = (0..items.len()).map(|i| items.get(i));
            self.fbb.create_vector_from_iter(each)
        })
    }
}
