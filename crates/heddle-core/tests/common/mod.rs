//! A world around the engine for tests: workers with lanes and stores, one client that remembers what it was
//! told. Every row yields its own number plus what its inputs yield, so that a wrong schedule gives a wrong sum.
//! The engine checks its whole state after every event.
// The closures are needed: an enum's constructor has one lifetime, a closure any.
#![allow(dead_code, clippy::unwrap_used, clippy::redundant_closure)]

pub mod ahead;
pub mod chaos;
pub mod graph;
pub mod worker;

use std::collections::{BTreeMap, BTreeSet};

use heddle_core::column::{U32s, u32_bytes};
use heddle_core::event::{Demand, Event, Malformed};
use heddle_core::id::{ClientId, LayerSerial, Millis, TaskRef};
use heddle_core::out::{AssignSection, Message, ProcOut};
use heddle_core::update::RowState;
use heddle_core::{CheckLevel, Config, Engine, Out, UpdateOut};

pub const EPOCH: u32 = 7;
pub const CLIENT: ClientId = ClientId(1);

/// A record a lane was sent and has not reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub proc: u32,
    pub lane: u32,
    pub lane_epoch: u32,
    pub serial: u32,
    pub index: u32,
    pub attempt: u32,
    /// Value, or the input that the store it was said to be in does not have.
    pub result: Result<u64, (u32, u32, u32)>,
}

/// What the client was last told of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    Done(u64),
    Failed { blame: (u32, u32), text: Vec<u8> },
    Cancelled,
    Pending,
}

pub struct World {
    pub engine: Engine,
    pub out: Out,
    pub now: u64,
    pub records: Vec<Record>,
    /// Records that wait at their worker for inputs that are made there.
    pub parked: Vec<ahead::Parked>,
    /// Of these, those asked back: they are given back as soon as the frame was read.
    pub returned: Vec<Record>,
    /// (proc, serial, index, attempt) to value.
    pub stores: BTreeMap<(u32, u32, u32, u32), u64>,
    /// (client's layer, row) to what was told.
    pub told: BTreeMap<(u32, u32), Told>,
    pub tellings: u64,
    pub messages: Vec<Message>,
    pub retracts: Vec<(u32, u32, u32, u32, bool)>,
    pub serials: BTreeMap<u32, u32>,
    pub procs: BTreeMap<u32, Vec<(u32, bool)>>,
    next_proc: u32,
    /// (proc, serial) of layers and of functions a worker knows; how often it was told to drop one.
    pub layers_known: BTreeSet<(u32, u32)>,
    pub functions_known: BTreeSet<(u32, u32)>,
    pub forgotten: u32,
    pub graph: graph::Model,
}

impl World {
    pub fn new() -> World {
        World::with_check(CheckLevel::Full)
    }

    pub fn with_check(check: CheckLevel) -> World {
        let mut world = World {
            engine: Engine::new(Config {
                epoch: EPOCH,
                check,
            }),
            out: Out::new(),
            now: 0,
            records: Vec::new(),
            parked: Vec::new(),
            returned: Vec::new(),
            stores: BTreeMap::new(),
            told: BTreeMap::new(),
            tellings: 0,
            messages: Vec::new(),
            retracts: Vec::new(),
            serials: BTreeMap::new(),
            procs: BTreeMap::new(),
            next_proc: 1,
            layers_known: BTreeSet::new(),
            functions_known: BTreeSet::new(),
            forgotten: 0,
            graph: graph::Model::default(),
        };
        world.apply(Event::ClientJoined {
            client: CLIENT,
            update_credit: 4,
        });
        world.define(1);
        world
    }

    pub fn apply(&mut self, event: Event<'_>) {
        self.try_apply(event).unwrap();
    }

    pub fn try_apply(&mut self, event: Event<'_>) -> Result<(), Malformed> {
        let taken = self.engine.apply(Millis(self.now), event, &mut self.out);
        self.collect();
        taken
    }

    fn collect(&mut self) {
        let out = std::mem::take(&mut self.out);
        self.messages.extend(out.messages.iter().cloned());
        for message in &out.messages {
            if let Message::Accepted {
                layers, serials, ..
            } = message
            {
                self.serials
                    .extend(layers.iter().copied().zip(serials.iter().copied()));
            }
        }
        for proc in out.procs() {
            let id = proc.proc.0;
            if !self.procs.contains_key(&id) {
                assert!(proc.is_empty(), "effects for proc {id}, which is gone");
                continue;
            }
            for run in 0..proc.free.serials.len() {
                for i in 0..proc.free.counts[run] {
                    let (serial, start) = (proc.free.serials[run], proc.free.starts[run]);
                    self.stores
                        .remove(&(id, serial, start + i, proc.free.attempts[run]));
                }
            }
            for section in &proc.retract {
                for (&index, &attempt) in section.indices.iter().zip(&section.attempts) {
                    self.retracts
                        .push((id, section.serial, index, attempt, section.cancel));
                    self.take_back(id, section.serial, index, attempt);
                    if section.cancel {
                        self.records.retain(|r| {
                            (r.proc, r.serial, r.index, r.attempt)
                                != (id, section.serial, index, attempt)
                        });
                    }
                }
            }
            self.define_on(proc);
            let waiting = self.parked.len();
            proc.assign()
                .iter()
                .for_each(|section| self.take(id, section));
            self.find_missing(waiting);
            self.forget_on(proc);
        }
        self.out = out;
        self.out.clear();
        while let Some(record) = self.returned.pop() {
            self.give_back(&record);
        }
    }

    /// A worker is told what it does not know.
    fn define_on(&mut self, proc: &ProcOut) {
        let id = proc.proc.0;
        for serial in &proc.layers {
            assert!(self.engine.layer(*serial).is_some(), "layer {serial:?}");
            assert!(self.layers_known.insert((id, serial.0)), "told twice");
        }
        for serial in &proc.functions {
            assert!(
                self.engine.function(*serial).is_some(),
                "function {serial:?}"
            );
            assert!(self.functions_known.insert((id, serial.0)), "told twice");
        }
    }

    /// A worker drops what it knows, once, after the last record that needs it.
    fn forget_on(&mut self, proc: &ProcOut) {
        let id = proc.proc.0;
        for serial in &proc.forget_layers {
            assert!(
                self.layers_known.remove(&(id, serial.0)),
                "layer {serial:?} is not known"
            );
            self.forgotten += 1;
        }
        for serial in &proc.forget_functions {
            assert!(
                self.functions_known.remove(&(id, serial.0)),
                "function {serial:?} is not known"
            );
            self.forgotten += 1;
        }
    }

    fn take(&mut self, proc: u32, section: &AssignSection) {
        let known = self.layers_known.contains(&(proc, section.serial));
        assert!(known, "layer {} was not defined", section.serial);
        let (mut dep, mut byte, mut item) = (0, 0, 0);
        for i in 0..section.count as usize {
            let size = section
                .data_sizes
                .get(i)
                .copied()
                .unwrap_or(section.data_stride) as usize;
            let own = &section.data[item..item + size];
            item += size;
            let mut result = Ok(own.try_into().map_or(0, u64::from_le_bytes));
            let deps = section.dep_counts.get(i).copied().unwrap_or(0);
            let mut awaits = Vec::new();
            for _ in 0..deps {
                let serial = section
                    .dep_serials
                    .get(dep)
                    .copied()
                    .unwrap_or(section.dep_serial);
                let index = section.dep_indices[dep];
                let attempt = section.dep_attempts.get(dep).copied().unwrap_or(1);
                let holder = section.dep_procs.get(dep).copied().unwrap_or(0);
                let size = section
                    .dep_sizes
                    .get(dep)
                    .copied()
                    .unwrap_or(section.dep_stride) as usize;
                dep += 1;
                let value = if holder == 0 {
                    let bytes = &section.dep_bytes[byte..byte + size];
                    byte += size;
                    Some(u64::from_le_bytes(bytes[..8].try_into().unwrap()))
                } else if holder == proc
                    && !self.stores.contains_key(&(holder, serial, index, attempt))
                {
                    awaits.push((serial, index, attempt));
                    Some(0)
                } else {
                    self.stores.get(&(holder, serial, index, attempt)).copied()
                };
                result = match (result, value) {
                    (Ok(sum), Some(value)) => Ok(sum.wrapping_add(value)),
                    (Ok(_), None) => Err((serial, index, holder)),
                    (missing, _) => missing,
                };
            }
            let record = Record {
                proc,
                lane: section.lane,
                lane_epoch: section.lane_epoch,
                serial: section.serial,
                index: section.index(i),
                attempt: section.attempt(i),
                result,
            };
            if awaits.is_empty() {
                self.records.push(record);
            } else {
                self.parked.push(ahead::Parked { record, awaits });
            }
        }
        assert_eq!(byte, section.dep_bytes.len(), "inline inputs without gaps");
        assert_eq!(item, section.data.len(), "row data without gaps");
    }

    pub fn demand(
        &mut self,
        what: impl for<'a> Fn(Demand<'a>) -> Event<'a>,
        ranges: &[(u32, u32, u32)],
    ) {
        let column = |pick: fn(&(u32, u32, u32)) -> u32| {
            u32_bytes(&ranges.iter().map(pick).collect::<Vec<_>>())
        };
        let (layers, starts, counts) = (column(|r| r.0), column(|r| r.1), column(|r| r.2));
        self.apply(what(Demand {
            client: CLIENT,
            layers: U32s::new(&layers),
            starts: U32s::new(&starts),
            counts: U32s::new(&counts),
            reason: "",
        }));
    }

    pub fn want(&mut self, layer: u32, start: u32, count: u32) {
        self.demand(|d| Event::Wanted(d), &[(layer, start, count)]);
    }

    pub fn release(&mut self, layer: u32, start: u32, count: u32) {
        self.demand(|d| Event::Released(d), &[(layer, start, count)]);
    }

    pub fn cancel(&mut self, layer: u32, start: u32, count: u32) {
        self.demand(|d| Event::Cancelled(d), &[(layer, start, count)]);
    }

    /// The client reads all it is told and gives credit for it.
    pub fn listen(&mut self) {
        let mut update = UpdateOut::new();
        while self.engine.next_update(CLIENT, 500, &mut update) {
            for section in update.sections() {
                let (mut byte, mut at) = (0, 0);
                for (&start, &count) in section.starts.iter().zip(&section.counts) {
                    for row in start..start + count {
                        let stored = section.homes.get(at) == Some(&1);
                        let size =
                            section.sizes.get(at).copied().unwrap_or(section.stride) as usize;
                        let told = match section.state {
                            RowState::Done if stored => {
                                let attempt = section.attempts.get(at).copied().unwrap_or(1);
                                let key = (section.procs[at], section.serial, row, attempt);
                                // A holder that is gone: the client asks again, and is told again.
                                self.stores
                                    .get(&key)
                                    .map_or(Told::Pending, |&value| Told::Done(value))
                            }
                            RowState::Done => {
                                let bytes = &section.bytes[byte..byte + 8];
                                Told::Done(u64::from_le_bytes(bytes.try_into().unwrap()))
                            }
                            RowState::Failed => Told::Failed {
                                blame: (section.blame_serials[at], section.blame_indices[at]),
                                text: section.bytes[byte..byte + size].to_vec(),
                            },
                            RowState::Cancelled => Told::Cancelled,
                            RowState::Pending => Told::Pending,
                        };
                        byte += if stored || section.state == RowState::Pending {
                            0
                        } else {
                            size
                        };
                        at += 1;
                        self.told.insert((section.layer, row), told);
                        self.tellings += 1;
                    }
                }
            }
            let credit = Event::Credited {
                client: CLIENT,
                seq: update.seq,
            };
            self.apply(credit);
        }
    }

    /// Every row the client was told of, as text, in order; forgets them.
    pub fn heard(&mut self) -> Vec<String> {
        self.listen();
        let told = std::mem::take(&mut self.told);
        told.into_iter()
            .map(|((layer, row), told)| match told {
                Told::Done(value) => format!("{layer}.{row} = {value}"),
                Told::Failed { blame, .. } => {
                    format!("{layer}.{row} failed for {}.{}", blame.0, blame.1)
                }
                Told::Cancelled => format!("{layer}.{row} cancelled"),
                Told::Pending => format!("{layer}.{row} pending"),
            })
            .collect()
    }

    /// What is on lanes, as text, in order of dispatch; stays there.
    pub fn on_lanes(&self) -> Vec<String> {
        let records = self.records.iter();
        records
            .map(|r| {
                format!(
                    "{}.{} attempt {} on {}/{}",
                    r.serial, r.index, r.attempt, r.proc, r.lane
                )
            })
            .collect()
    }

    pub fn state(&self, layer: u32, index: u32) -> &'static str {
        self.engine
            .why(CLIENT, layer, index)
            .map_or("forgotten", |why| why.state)
    }

    pub fn story(&self, layer: u32, index: u32) -> Vec<String> {
        self.engine.story(TaskRef {
            serial: LayerSerial(self.serials[&layer]),
            index,
        })
    }

    /// Nothing is under way and nothing happens by itself.
    pub fn expect_silence(&mut self) {
        self.listen();
        assert_eq!(
            self.on_lanes(),
            Vec::<String>::new(),
            "records left on lanes"
        );
        assert_eq!(self.ahead(), Vec::<String>::new(), "records left waiting");
        let (tellings, messages, retracts) =
            (self.tellings, self.messages.len(), self.retracts.len());
        let digest = self.engine.digest();
        self.now += 10;
        self.apply(Event::Tick);
        self.listen();
        assert_eq!(
            self.on_lanes(),
            Vec::<String>::new(),
            "time alone sent records"
        );
        assert_eq!(
            (tellings, messages, retracts),
            (self.tellings, self.messages.len(), self.retracts.len())
        );
        assert_eq!(digest, self.engine.digest(), "time alone changed the state");
        self.engine.check();
    }
}
