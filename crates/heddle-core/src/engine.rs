//! The engine: all state, one entry. Equal (state, now, event) gives equal effects and an equal digest.

use std::collections::BTreeMap;

use crate::agenda::{Agenda, Scratch};
use crate::client::Client;
use crate::event::{Event, Malformed};
use crate::function::Functions;
use crate::id::{ClientId, Millis, ProcId, Task, TaskRef};
use crate::layer::Layers;
use crate::ledger::Ledger;
use crate::out::Out;
use crate::page::{Pages, Rows};
use crate::proc::{Lanes, Procs};
use crate::ready::Ready;
use crate::values::{Blobs, Failures};
use crate::waiters::Waiters;

/// How much of its own state the engine examines after each event. Compiled in every profile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum CheckLevel {
    /// Nothing but the table of legal changes.
    Off,
    /// Sums that must agree.
    #[default]
    Light,
    /// Also every row the event changed, against a scan of its neighbours.
    Touched,
    /// Also every row there is.
    Full,
}

/// Fixed for the life of an engine.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Random, not zero; frames of another epoch are stale.
    pub epoch: u32,
    /// How much to examine.
    pub check: CheckLevel,
}

/// Running totals.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    pub completed: u64,
    pub failed: u64,
    pub attempts: u64,
    pub stale: u64,
    pub malformed: u64,
    /// Values in procs' stores.
    pub stored: u64,
    /// Bytes of inline values in row cells.
    pub cell_bytes: u64,
    /// Pages that exist or may come to exist.
    pub cells: u64,
    /// Entries of what only few rows have: retries spent, deaths caused, keys.
    pub oddities: u64,
}

/// The scheduler's state.
#[derive(Debug)]
pub struct Engine {
    pub(crate) config: Config,
    pub(crate) now: Millis,
    pub(crate) rows: Rows,
    pub(crate) pages: Pages,
    pub(crate) layers: Layers,
    pub(crate) waiters: Waiters,
    pub(crate) blobs: Blobs,
    pub(crate) failures: Failures,
    pub(crate) ledger: Ledger,
    pub(crate) ready: Ready,
    pub(crate) functions: Functions,
    pub(crate) clients: BTreeMap<ClientId, Client>,
    pub(crate) procs: Procs,
    pub(crate) lanes: Lanes,
    /// Retries spent, of rows that spent any.
    pub(crate) retried: BTreeMap<TaskRef, u16>,
    /// Procs that died while the row ran alone.
    pub(crate) kills: BTreeMap<TaskRef, Vec<ProcId>>,
    pub(crate) agenda: Agenda,
    pub(crate) scratch: Scratch,
    /// Rows in flight whose readers may be sent ahead.
    pub(crate) frontier: Vec<Task>,
    pub(crate) totals: Totals,
    /// Submissions so far.
    pub(crate) generation: u32,
    /// A lane has reported all it had.
    pub(crate) idled: bool,
}

impl Engine {
    /// An engine that knows nobody.
    pub fn new(config: Config) -> Engine {
        Engine {
            config,
            now: Millis(0),
            rows: Rows::default(),
            pages: Pages::default(),
            layers: Layers::default(),
            waiters: Waiters::new(),
            blobs: Blobs::default(),
            failures: Failures::default(),
            ledger: Ledger::default(),
            ready: Ready::default(),
            functions: Functions::default(),
            clients: BTreeMap::new(),
            procs: Procs::default(),
            lanes: Lanes::default(),
            retried: BTreeMap::new(),
            kills: BTreeMap::new(),
            agenda: Agenda::default(),
            scratch: Scratch::default(),
            frontier: Vec::new(),
            totals: Totals::default(),
            generation: 0,
            idled: false,
        }
    }

    /// Applies one event and collects its effects in `out`.
    ///
    /// # Errors
    /// [`Malformed`]: the event says what no correct peer says; nothing has changed.
    ///
    /// # Panics
    /// When the engine finds its own state wrong. It must not be used after that.
    pub fn apply(&mut self, now: Millis, event: Event<'_>, out: &mut Out) -> Result<(), Malformed> {
        self.now = now;
        self.ledger.begin();
        let verdict = self.handle(event, out);
        if verdict.is_err() {
            self.totals.malformed += 1;
            return verdict;
        }
        self.settle(out);
        self.dispatch(out);
        self.send_ahead(out);
        if std::mem::take(&mut self.idled) {
            self.rebalance(false, out);
        }
        self.check_after_event();
        Ok(())
    }

    fn handle(&mut self, event: Event<'_>, out: &mut Out) -> Result<(), Malformed> {
        match event {
            Event::ClientJoined {
                client,
                update_credit,
            } => self.client_joined(client, update_credit),
            Event::ClientResumed {
                client,
                update_credit,
            } => self.client_resumed(client, update_credit),
            Event::ClientLost { client, deadline } => self.client_lost(client, deadline),
            Event::ClientLeft { client } => self.client_left(client, out),
            Event::FunctionDefined(function) => self.function_defined(&function, out),
            Event::GraphSubmitted(submit) => self.graph_submitted(&submit, out),
            Event::Wanted(demand) => self.wanted(&demand),
            Event::Released(demand) => self.released(&demand),
            Event::Cancelled(demand) => self.cancelled(&demand),
            Event::Gathered(demand) => self.gathered(&demand),
            Event::Credited { client, seq } => self.credited(client, seq),
            Event::ProcJoined(joined) => self.proc_joined(&joined, out),
            Event::ProcLost { proc, incarnation } => self.proc_lost(proc, incarnation, out),
            Event::LanesChanged {
                from,
                lanes,
                lane_epochs,
                states,
            } => self.lanes_changed(from, lanes, lane_epochs, states, out),
            Event::Done { from, sections } => self.done(from, sections, out),
            Event::Tick => self.tick(out),
        }
    }
}
