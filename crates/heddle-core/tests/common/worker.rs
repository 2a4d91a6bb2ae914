//! The workers of the world: they join, report what they were sent, and die.

use heddle_core::column::{U8s, U32s, u32_bytes};
use heddle_core::event::{DoneSection, Event, Fence, NO_LANE, Outcome, ProcJoined};
use heddle_core::id::{Incarnation, LayerSerial, ProcId};

use super::{EPOCH, Record, World};

/// In the number of a lane: its aside.
pub const ASIDE: u32 = 1 << 31;

impl World {
    /// A worker process joins; returns its id.
    pub fn worker(&mut self, lanes: u32) -> u32 {
        let proc = self.next_proc;
        self.next_proc += 1;
        self.procs.insert(proc, vec![(1, true); lanes as usize]);
        self.apply(Event::ProcJoined(ProcJoined {
            proc: ProcId(proc),
            incarnation: Incarnation(proc),
            host: "here",
            name: "w",
            lanes,
            data_address: "ipc://w",
            memory_bytes: 0,
            ahead: true,
        }));
        proc
    }

    /// A worker process dies with all it holds.
    pub fn kill(&mut self, proc: u32) {
        self.procs.remove(&proc);
        self.records.retain(|record| record.proc != proc);
        self.parked.retain(|parked| parked.record.proc != proc);
        self.layers_known.retain(|&(holder, _)| holder != proc);
        self.functions_known.retain(|&(holder, _)| holder != proc);
        self.stores.retain(|&(holder, ..), _| holder != proc);
        self.apply(Event::ProcLost {
            proc: ProcId(proc),
            incarnation: Incarnation(proc),
        });
    }

    pub fn fence(&self, proc: u32) -> Fence {
        Fence {
            epoch: EPOCH,
            proc: ProcId(proc),
            incarnation: Incarnation(proc),
        }
    }

    /// A lane's thread dies and (with `up`) a new one takes its place.
    pub fn lane(&mut self, proc: u32, lane: u32, up: bool) {
        let slot = &mut self.procs.get_mut(&proc).unwrap()[lane as usize];
        let epoch = if up { slot.0 + 1 } else { slot.0 };
        *slot = (epoch, up);
        if !up {
            self.records
                .retain(|record| (record.proc, record.lane & !ASIDE) != (proc, lane));
            self.parked
                .retain(|parked| (parked.record.proc, parked.record.lane) != (proc, lane));
        }
        self.apply(Event::LanesChanged {
            from: self.fence(proc),
            lanes: U32s::new(&u32_bytes(&[lane])),
            lane_epochs: U32s::new(&u32_bytes(&[epoch])),
            states: U8s::new(&[if up { 1 } else { 2 }]),
        });
    }

    /// Reports one record as it is: its value (inline, or stored first), or its missing input.
    pub fn report(&mut self, record: &Record, stored: bool) {
        let value = match record.result {
            Ok(value) => value,
            Err((serial, index, holder)) => {
                let missing = [serial, index, holder].map(|id| u32_bytes(&[id]));
                let section = DoneSection {
                    outcome: Outcome::MissingInput,
                    missing_serials: U32s::new(&missing[0]),
                    missing_indices: U32s::new(&missing[1]),
                    missing_procs: U32s::new(&missing[2]),
                    stride: 0,
                    ..self.section(record)
                };
                self.done(record.proc, &[section]);
                return;
            }
        };
        let mut values = value.to_le_bytes().to_vec();
        if value % 3 == 0 {
            // Larger than a row's cell.
            values.extend([0; 8]);
        }
        if stored {
            let Record {
                proc,
                serial,
                index,
                attempt,
                ..
            } = *record;
            self.stores.insert((proc, serial, index, attempt), value);
            let section = DoneSection {
                homes: U8s::new(&[1]),
                stride: 2000,
                ..self.section(record)
            };
            self.done(proc, &[section]);
            self.hand_over(record, value);
            return;
        }
        let section = DoneSection {
            stride: values.len() as u32,
            values: &values,
            ..self.section(record)
        };
        self.done(record.proc, &[section]);
        self.hand_over(record, value);
    }

    /// The body of a record throws.
    pub fn throw(&mut self, record: &Record, retryable: bool) {
        let section = DoneSection {
            outcome: Outcome::Failed,
            codec: 6,
            values: b"oops",
            stride: 4,
            retryable,
            ..self.section(record)
        };
        self.done(record.proc, &[section]);
    }

    /// The body of a record waits for tasks it submitted; gives the record as it is from then on.
    pub fn secede(&mut self, record: &Record) -> Record {
        let section = DoneSection {
            outcome: Outcome::Seceded,
            stride: 0,
            ..self.section(record)
        };
        self.done(record.proc, &[section]);
        Record {
            lane: record.lane | ASIDE,
            ..record.clone()
        }
    }

    /// A record is given back before it started.
    pub fn give_back(&mut self, record: &Record) {
        let section = DoneSection {
            outcome: Outcome::Retracted,
            ..self.section(record)
        };
        self.done(record.proc, &[section]);
    }

    pub fn section(&self, record: &Record) -> DoneSection<'static> {
        DoneSection {
            lane: record.lane,
            lane_epoch: record.lane_epoch,
            serial: LayerSerial(record.serial),
            first: record.index,
            count: 1,
            // One attempt per frame: a leaked column keeps the borrow out of every test.
            attempts: U32s::new(Vec::leak(u32_bytes(&[record.attempt]))),
            codec: 1,
            stride: 8,
            duration_us: 100_000,
            ..DoneSection::default()
        }
    }

    pub fn done(&mut self, proc: u32, sections: &[DoneSection<'_>]) {
        self.apply(Event::Done {
            from: self.fence(proc),
            sections,
        });
    }

    /// A client's scattered value arrives in a proc's store.
    pub fn put(&mut self, proc: u32, layer: u32, index: u32, value: u64) {
        let serial = self.serials[&layer];
        self.stores.insert((proc, serial, index, 1), value);
        let section = DoneSection {
            lane: NO_LANE,
            serial: LayerSerial(serial),
            first: index,
            count: 1,
            homes: U8s::new(&[1]),
            stride: 2000,
            codec: 5,
            ..DoneSection::default()
        };
        self.done(proc, &[section]);
    }

    /// Takes the record of a row out of the lanes' queues.
    pub fn pull(&mut self, layer: u32, index: u32) -> Record {
        let serial = self.serials[&layer];
        let found = self
            .records
            .iter()
            .position(|r| (r.serial, r.index) == (serial, index));
        let at = found.unwrap_or_else(|| {
            panic!(
                "row {index} of layer {layer} is on no lane: {:?}",
                self.records
            )
        });
        self.records.remove(at)
    }

    /// Runs a row that is on a lane.
    pub fn finish(&mut self, layer: u32, index: u32) -> &mut World {
        let record = self.pull(layer, index);
        self.report(&record, false);
        self
    }

    /// The same; its value stays in the proc's store.
    pub fn finish_stored(&mut self, layer: u32, index: u32) -> &mut World {
        let record = self.pull(layer, index);
        self.report(&record, true);
        self
    }

    /// Runs whatever is on lanes until nothing is.
    pub fn finish_all(&mut self) -> &mut World {
        while let Some(record) = self.records.first().cloned() {
            self.records.remove(0);
            self.report(&record, false);
        }
        self
    }
}
