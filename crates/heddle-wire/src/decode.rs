//! One frame to one meaning. The columns of hot messages are not copied; sections are gathered in vectors that
//! live for the call, so the result is handed to a function instead of returned.

use crate::error::WireError;
use crate::frame::Frame;
use crate::generated::protocol::Kind;
use crate::session::{self, Bye, Heartbeat, Hello, Query};
use crate::template::{self, TemplateFrame};
use crate::{graph, worker};
use heddle_core::event::Event;
use heddle_core::id::{ClientId, ProcId};

/// Who a frame comes from, as the connection proves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// Nobody has said hello on this connection.
    New,
    /// A client.
    Client(ClientId),
    /// A worker process.
    Worker(ProcId),
}

/// What a frame means.
#[derive(Debug)]
pub enum Inbound<'a> {
    /// The first frame of a connection.
    Hello(Hello<'a>),
    /// A graceful end, perhaps of a session that had another connection.
    Bye(Bye<'a>),
    /// A sign of life.
    Heartbeat(Heartbeat<'a>),
    /// What a client or worker may say, on a connection where nobody said hello: left over from a connection that
    /// was lost, or from a peer that does not know yet that it was. It is not read; a client says it again, a worker
    /// that was given up ends once it learns so.
    Leftover,
    /// A tool's question.
    Query(Query<'a>),
    /// Of graphs that are kept: for who keeps them.
    Template(TemplateFrame<'a>),
    /// Something for the engine.
    Event(Event<'a>),
}

/// Verifies the body of a frame, checks it against the limits and hands its meaning to `then`.
///
/// # Errors
/// When the frame is malformed, beyond a limit, or of a kind its sender may not send; `then` was not called.
pub fn decode<R>(
    frame: &Frame<'_>,
    sender: Sender,
    then: impl FnOnce(Inbound<'_>) -> R,
) -> Result<R, WireError> {
    let event = match (sender, frame.header.kind) {
        (Sender::New, Kind::Hello) => {
            return Ok(then(Inbound::Hello(session::hello(frame)?)));
        }
        // Who was ever welcomed knows the epoch.
        (Sender::New, _) if frame.epoch() == 0 => return Err(not_allowed(frame)),
        (
            Sender::New,
            Kind::Query
            | Kind::Submit
            | Kind::DefineFunction
            | Kind::Want
            | Kind::Release
            | Kind::Cancel
            | Kind::Gather
            | Kind::Credit
            | Kind::Done
            | Kind::Lanes
            | Kind::Template
            | Kind::Instantiate
            | Kind::DropTemplate,
        ) => return Ok(then(Inbound::Leftover)),
        (_, Kind::Bye) => return Ok(then(Inbound::Bye(session::bye(frame)?))),
        (_, Kind::Heartbeat) => return Ok(then(Inbound::Heartbeat(session::heartbeat(frame)?))),
        (Sender::New, _) => return Err(not_allowed(frame)),
        (Sender::Client(client), kind) => match kind {
            Kind::Query => return Ok(then(Inbound::Query(session::query(frame)?))),
            Kind::Submit => return graph::submit(frame, client, |e| then(Inbound::Event(e))),
            Kind::Template => return Ok(then(Inbound::Template(template::define(frame)?))),
            Kind::Instantiate => {
                return Ok(then(Inbound::Template(template::instantiate(frame)?)));
            }
            Kind::DropTemplate => {
                return Ok(then(Inbound::Template(template::drop_template(frame)?)));
            }
            Kind::DefineFunction => graph::define_function(frame, client)?,
            Kind::Want => Event::Wanted(graph::demand(frame, client)?),
            Kind::Release => Event::Released(graph::demand(frame, client)?),
            Kind::Cancel => Event::Cancelled(graph::demand(frame, client)?),
            Kind::Gather => Event::Gathered(graph::demand(frame, client)?),
            Kind::Credit => Event::Credited {
                client,
                seq: graph::credit(frame)?,
            },
            _ => return Err(not_allowed(frame)),
        },
        (Sender::Worker(proc), kind) => match kind {
            Kind::Done => return worker::done(frame, proc, |e| then(Inbound::Event(e))),
            Kind::Lanes => worker::lanes(frame, proc)?,
            _ => return Err(not_allowed(frame)),
        },
    };
    Ok(then(Inbound::Event(event)))
}

fn not_allowed(frame: &Frame<'_>) -> WireError {
    let kind = frame.header.kind.0;
    WireError::protocol(
        "header.kind",
        u64::from(kind),
        "is not for this sender to send",
    )
}
