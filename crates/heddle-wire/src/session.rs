//! Session messages: who is there, who is gone, questions.

use crate::check::{at_most, exact, root, text};
use crate::error::WireError;
use crate::frame::Frame;
use crate::generated::protocol as fb;
use heddle_core::limits;

/// What a peer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Submits work and takes results.
    Client,
    /// Runs tasks.
    Worker,
}

/// The first frame of a connection.
#[derive(Clone, Debug)]
pub struct Hello<'a> {
    /// What the peer is.
    pub role: Role,
    /// The same over reconnects of one client; zeros if a worker gives none.
    pub session: [u8; 16],
    /// Version of its package.
    pub package_version: &'a str,
    /// What it can do beyond the protocol's minimum.
    pub capabilities: Vec<&'a str>,
    /// The CURVE public key it claims; empty on loopback.
    pub key_binding: &'a [u8],
    /// For people.
    pub name: &'a str,
    /// Equal on one machine.
    pub host: &'a str,
    /// Process id on that machine.
    pub pid: u32,
    /// Workers: where values are fetched.
    pub data_address: &'a str,
    /// Workers: at least 1.
    pub lanes: u32,
    /// Workers: managed memory limit; 0: unknown.
    pub memory_bytes: u64,
    /// Clients: Update frames it takes before the next credit.
    pub update_credit: u32,
    /// Clients: how long its demand outlives a lost connection.
    pub grace_ms: u32,
    /// Clients: ascending over the connections of a session.
    pub greeting: u32,
    /// Clients: the last graph that was accepted or refused.
    pub answered: u32,
}

/// A graceful end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bye<'a> {
    /// Why.
    pub reason: &'a str,
    /// The session a client ends, whatever the connection; `None` if it names none.
    pub session: Option<[u8; 16]>,
}

/// Totals of a peer since its process began; 0 where it has none.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "named and explained in schemas/session.fbs")]
pub struct Heartbeat<'a> {
    pub peer: u32,
    pub incarnation: u32,
    pub loop_lag_us: u32,
    pub rss_bytes: f64,
    pub stored_bytes: f64,
    pub stored_values: u32,
    pub fetched_bytes: f64,
    pub tasks_run: f64,
    pub cpu_compute_ns: f64,
    pub cpu_lane_ns: f64,
    pub cpu_main_ns: f64,
    pub layers: u32,
    pub received: f64,
    pub answered: u32,
    pub stage_cells: &'a [u8],
    pub stage_counts: &'a [u8],
}

/// A tool's question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query<'a> {
    /// Echoed in the reply.
    pub request: u32,
    /// `info`, `stats`, `stages`, `digest` or `why`.
    pub what: &'a str,
    /// JSON.
    pub body: &'a str,
}

/// The answer to a hello.
#[derive(Clone, Copy, Debug)]
pub struct Welcome<'a> {
    /// Client id or proc id.
    pub peer: u32,
    /// Workers: to be said in every frame.
    pub incarnation: u32,
    /// How often to send heartbeats.
    pub heartbeat_ms: u32,
    /// Larger results stay in the proc's store.
    pub inline_bytes_max: u32,
    /// Version of the scheduler's package.
    pub package_version: &'a str,
    /// What the scheduler can do beyond the protocol's minimum.
    pub capabilities: &'a [&'a str],
    /// Clients: frames of this session taken in so far; exact up to 2^53.
    pub received: u64,
}

const KEY_BINDING_BYTES_MAX: usize = 64;
/// Every bucket of every stage a worker may have, and room for more stages.
const STAGE_CELL_BYTES_MAX: usize = 16 * 592 * 4;

pub(crate) fn hello<'a>(frame: &Frame<'a>) -> Result<Hello<'a>, WireError> {
    let table = root::<fb::Hello<'_>>(frame.body)?;
    let role = match table.role() {
        fb::Role::Client => Role::Client,
        fb::Role::Worker => Role::Worker,
        other => {
            return Err(WireError::protocol(
                "Hello.role",
                u64::from(other.0),
                "is unknown",
            ));
        }
    };
    let session = table.session().map_or(&[][..], |v| v.bytes());
    let session = match (role, <[u8; 16]>::try_from(session)) {
        (_, Ok(session)) => session,
        (Role::Worker, Err(_)) if session.is_empty() => [0; 16],
        _ => {
            return Err(WireError::protocol(
                "Hello.session",
                session.len() as u64,
                "is not 16 bytes",
            ));
        }
    };
    let lanes = u32::from(table.lanes());
    at_most(u64::from(lanes), limits::LANES_PER_PROC_MAX, "Hello.lanes")?;
    if role == Role::Worker && lanes == 0 {
        return Err(WireError::protocol("Hello.lanes", 0, "is zero"));
    }
    at_most(
        u64::from(table.update_credit()),
        limits::UPDATE_CREDIT_MAX,
        "Hello.update_credit",
    )?;
    let names = table.capabilities();
    at_most(
        names.map_or(0, |v| v.len()) as u64,
        limits::CAPABILITIES_MAX,
        "Hello.capabilities",
    )?;
    let mut capabilities = Vec::new();
    for name in names.into_iter().flatten() {
        capabilities.push(text(Some(name), "Hello.capabilities")?);
    }
    let key_binding = table.key_binding().map_or(&[][..], |v| v.bytes());
    at_most(
        key_binding.len() as u64,
        KEY_BINDING_BYTES_MAX,
        "Hello.key_binding",
    )?;
    Ok(Hello {
        role,
        session,
        package_version: text(table.package_version(), "Hello.package_version")?,
        capabilities,
        key_binding,
        name: text(table.name(), "Hello.name")?,
        host: text(table.host(), "Hello.host")?,
        pid: table.pid(),
        data_address: text(table.data_address(), "Hello.data_address")?,
        lanes,
        memory_bytes: whole(table.memory_bytes()),
        update_credit: table.update_credit(),
        grace_ms: table.grace_ms(),
        greeting: table.greeting(),
        answered: table.answered(),
    })
}

pub(crate) fn heartbeat<'a>(frame: &Frame<'a>) -> Result<Heartbeat<'a>, WireError> {
    let table = root::<fb::Heartbeat<'_>>(frame.body)?;
    let cells = table.stage_cells().map_or(&[][..], |v| v.bytes());
    let counts = table.stage_counts().map_or(&[][..], |v| v.bytes());
    let size = cells.len() as u64;
    at_most(size, STAGE_CELL_BYTES_MAX, "Heartbeat.stage_cells")?;
    exact(counts.len(), cells.len(), "Heartbeat.stage_counts")?;
    Ok(Heartbeat {
        peer: table.peer(),
        incarnation: table.incarnation(),
        loop_lag_us: table.loop_lag_us(),
        rss_bytes: total(table.rss_bytes()),
        stored_bytes: total(table.stored_bytes()),
        stored_values: table.stored_values(),
        fetched_bytes: total(table.fetched_bytes()),
        tasks_run: total(table.tasks_run()),
        cpu_compute_ns: total(table.cpu_compute_ns()),
        cpu_lane_ns: total(table.cpu_lane_ns()),
        cpu_main_ns: total(table.cpu_main_ns()),
        layers: table.layers(),
        received: total(table.received()),
        answered: table.answered(),
        stage_cells: cells,
        stage_counts: counts,
    })
}

pub(crate) fn query<'a>(frame: &Frame<'a>) -> Result<Query<'a>, WireError> {
    let table = root::<fb::Query<'_>>(frame.body)?;
    let (what, body) = (
        text(table.what(), "Query.what")?,
        text(table.body(), "Query.body")?,
    );
    Ok(Query {
        request: table.request(),
        what,
        body,
    })
}

pub(crate) fn bye<'a>(frame: &Frame<'a>) -> Result<Bye<'a>, WireError> {
    let table = root::<fb::Bye<'_>>(frame.body)?;
    let session = table.session().map(|v| <[u8; 16]>::try_from(v.bytes()));
    Ok(Bye {
        reason: text(table.reason(), "Bye.reason")?,
        session: session
            .transpose()
            .map_err(|_| WireError::protocol("Bye.session", 0, "is not 16 bytes"))?,
    })
}

/// A total as a peer reports it: what is no number, or negative, counts as 0.
fn total(value: f64) -> f64 {
    if value.is_finite() && value > 0.0 {
        value
    } else {
        0.0
    }
}

/// The same as an integer; the conversion saturates.
fn whole(value: f64) -> u64 {
    total(value) as u64
}
