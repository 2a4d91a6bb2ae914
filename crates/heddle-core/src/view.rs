//! Read-only answers for encoders and tools.

use crate::engine::Engine;
use crate::id::{
    ClientId, FunctionSerial, Incarnation, LaneSlot, LayerSerial, Millis, ProcId, Task, TaskRef,
};
use crate::proc::{ASIDE, Proc};
use crate::row::{STORED, SUSPECT};
use crate::state::State;

/// What `DefineFunction` says.
#[derive(Clone, Copy, Debug)]
pub struct FunctionView<'a> {
    /// The scheduler's number.
    pub serial: FunctionSerial,
    /// SHA-256 of the body.
    pub hash: &'a [u8; 32],
    /// For people.
    pub name: &'a str,
    /// Opaque.
    pub body: &'a [u8],
}

/// What `DefineLayer` says.
#[derive(Clone, Copy, Debug)]
pub struct LayerView<'a> {
    /// The layer.
    pub serial: LayerSerial,
    /// Function serial; [`FUNCTION_PER_ROW`](crate::event::FUNCTION_PER_ROW): each record names its own.
    pub function: u32,
    /// For people.
    pub name: &'a str,
    /// Shared argument list.
    pub template: Option<&'a [u8]>,
    /// Codec of the row data.
    pub data_codec: u8,
}

/// What `Peers` says of a proc, and tools.
#[derive(Clone, Copy, Debug)]
pub struct ProcView<'a> {
    /// Its id.
    pub proc: ProcId,
    /// Its connection.
    pub incarnation: Incarnation,
    /// Equal on one machine.
    pub host: &'a str,
    /// For people.
    pub name: &'a str,
    /// Where its values are fetched.
    pub data_address: &'a str,
    /// Lanes that are up.
    pub lanes: u32,
    /// Records sent and not answered.
    pub in_flight: u64,
    /// Bytes of live values in its store.
    pub stored_bytes: u64,
    /// Its managed memory limit; 0: unknown.
    pub memory_bytes: u64,
}

/// Counters since the engine began, and what is there now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Results accepted.
    pub tasks_completed: u64,
    /// Tasks that failed for good, dependents not counted.
    pub tasks_failed: u64,
    /// Records sent.
    pub attempts: u64,
    /// Records and frames that spoke of something superseded.
    pub stale: u64,
    /// Events found malformed.
    pub malformed: u64,
    /// Rows in each state, by [`State`] as a number. Rows of pages not yet or no longer there are not counted.
    pub states: [u64; State::COUNT],
    /// Clients known.
    pub clients: u64,
    /// Procs known.
    pub procs: u64,
    /// Lanes that are up.
    pub lanes: u64,
    /// Layers known.
    pub layers: u64,
    /// Pages allocated.
    pub pages: u64,
    /// Bytes of inline values.
    pub inline_bytes: u64,
}

/// Why a row is where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    /// Its state.
    pub state: &'static str,
    /// For people.
    pub reason: String,
}

impl Engine {
    /// What workers need to know of a function.
    pub fn function(&self, serial: FunctionSerial) -> Option<FunctionView<'_>> {
        self.functions.get(serial).map(|function| FunctionView {
            serial,
            hash: &function.hash,
            name: &function.name,
            body: &function.body,
        })
    }

    /// What workers need to know of a layer.
    pub fn layer(&self, serial: LayerSerial) -> Option<LayerView<'_>> {
        let layer = &self.layers[self.layers.find(serial)?];
        Some(LayerView {
            serial,
            function: layer.function,
            name: &layer.name,
            template: layer.template.as_deref(),
            data_codec: layer.data_codec,
        })
    }

    /// True while the client is connected or waited for.
    pub fn has_client(&self, client: ClientId) -> bool {
        self.clients.contains_key(&client)
    }

    /// A proc that is connected.
    pub fn proc(&self, proc: ProcId) -> Option<ProcView<'_>> {
        self.procs.table.get(&proc).map(|proc| self.view(proc))
    }

    /// Every proc that is connected, by id.
    pub fn procs(&self) -> impl Iterator<Item = ProcView<'_>> {
        self.procs.table.values().map(|proc| self.view(proc))
    }

    fn view<'a>(&'a self, proc: &'a Proc) -> ProcView<'a> {
        let lanes = || proc.lanes.iter().map(|&slot| &self.lanes[slot]);
        ProcView {
            proc: proc.id,
            incarnation: proc.incarnation,
            host: self.procs.host_name(proc.host),
            name: &proc.name,
            data_address: &proc.data_address,
            lanes: lanes().filter(|lane| lane.up).count() as u32,
            in_flight: lanes().map(|lane| u64::from(lane.in_flight)).sum(),
            stored_bytes: proc.stored_bytes,
            memory_bytes: proc.memory_bytes,
        }
    }

    /// Counters.
    pub fn stats(&self) -> Stats {
        Stats {
            tasks_completed: self.totals.completed,
            tasks_failed: self.totals.failed,
            attempts: self.totals.attempts,
            stale: self.totals.stale,
            malformed: self.totals.malformed,
            states: self.ledger.counts(),
            clients: self.clients.len() as u64,
            procs: self.procs.table.len() as u64,
            lanes: u64::from(self.lanes.up),
            layers: self.layers.len() as u64,
            pages: self.pages.used() as u64,
            inline_bytes: self.totals.cell_bytes + self.blobs.bytes(),
        }
    }

    /// Why a client's row is where it is; None: no such row.
    pub fn why(&self, client: ClientId, layer: u32, index: u32) -> Option<Why> {
        let slot = *self.clients.get(&client)?.layers.get(&layer)?;
        let layer = &self.layers[slot];
        if index >= layer.tasks {
            return None;
        }
        let Some(task) = layer.task(index) else {
            let (state, reason) = if !layer.untouched(index) {
                (State::Forgotten, "it was released and is finished")
            } else if layer.latent.contains(index) {
                let reason = if self.lanes.up == 0 {
                    "no worker is connected"
                } else {
                    "the frontier of the graph has not reached it"
                };
                (State::Waiting, reason)
            } else {
                (State::Released, "nobody needs it")
            };
            return Some(Why {
                state: state.name(),
                reason: reason.into(),
            });
        };
        let row = &self.rows[task];
        let reason = match row.state() {
            State::Released => "nobody needs it".into(),
            State::Waiting if self.is_data(task) => "its value has not been scattered yet".into(),
            State::Waiting => self.why_waiting(task),
            State::NoWorker => "it is ready and no worker is connected".into(),
            State::Queued if row.is(SUSPECT) => {
                "it runs alone, because a worker died while it was there".into()
            }
            State::Queued => "it is ready and every lane has its fill".into(),
            State::Processing | State::Ahead => {
                let lane = &self.lanes[LaneSlot(row.at)];
                let (number, worker) = (lane.number & !ASIDE, lane.proc.0);
                if lane.number & ASIDE == 0 {
                    format!("it was sent to lane {number} of worker {worker}")
                } else {
                    format!("it waits on lane {number} of worker {worker} for tasks it submitted")
                }
            }
            State::Memory if row.is(STORED) => format!("worker {} holds its value", row.at),
            State::Memory => "the scheduler holds its value".into(),
            State::Erred => match self.failures.get(row.at) {
                Some(f) if f.blame == self.name_of(task) => "it failed or was cancelled".into(),
                Some(f) => format!(
                    "row {} of layer {} failed, which it needs",
                    f.blame.index, f.blame.serial.0
                ),
                None => String::new(),
            },
            State::Forgotten => "it was released and is finished".into(),
        };
        Some(Why {
            state: row.state().name(),
            reason,
        })
    }

    fn why_waiting(&self, task: Task) -> String {
        let mut inputs = Vec::new();
        self.inputs_into(task, &mut inputs);
        let missing = inputs
            .into_iter()
            .find(|&input| self.rows[input].state() != State::Memory);
        let unmet = self.rows[task].at;
        match missing.map(|input| (self.name_of(input), self.rows[input].state())) {
            Some((name, state)) => format!(
                "it waits for {unmet} inputs, row {} of layer {} ({}) among them",
                name.index,
                name.serial.0,
                state.name()
            ),
            None => format!("it waits for {unmet} inputs"),
        }
    }

    /// The last changes of a row, oldest first, as far as the log reaches; for people.
    pub fn story(&self, task: TaskRef) -> Vec<String> {
        let Some(task) = self.find(task) else {
            return Vec::new();
        };
        let changes = self.ledger.story(task).into_iter();
        changes
            .map(|change| {
                format!(
                    "event {}: {} -> {}",
                    change.event,
                    change.from.name(),
                    change.to.name()
                )
            })
            .collect()
    }

    /// How often rows went from one state to another.
    pub fn transitions(&self, from: State, to: State) -> u64 {
        self.ledger.hits(from, to)
    }

    /// The earliest time at which a `Tick` would do something: end a lost client's demand, or ask records back from
    /// a lane that is silent while another is idle.
    pub fn deadline(&self) -> Option<Millis> {
        let graces = self.clients.values().filter_map(|client| client.deadline);
        graces.chain(self.rebalance_due()).min()
    }
}
