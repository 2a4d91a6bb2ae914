//! The engine run to the end of a graph by a worker that answers at once: each lane keeps its records in order and
//! reports up to 256 of them per frame, one section per layer. Its tasks add numbers, so that a wrong schedule
//! gives a wrong sum.

use std::collections::VecDeque;

use crate::bench::graph::{CLIENT, Graph, Shape};
use crate::column::{U8s, U32s};
use crate::event::{DoneSection, Event, Fence, Outcome, ProcJoined};
use crate::id::{Incarnation, LayerSerial, Millis, ProcId};
use crate::out::AssignSection;
use crate::{CheckLevel, Config, Engine, Out, UpdateOut};

/// Records per frame.
const BATCH: usize = 256;

const EPOCH: u32 = 1;

/// A graph submitted to an engine, not yet begun.
#[derive(Debug)]
pub struct Run {
    engine: Engine,
    out: Out,
    worker: Worker,
}

/// What the lanes still have to report.
#[derive(Debug, Default)]
struct Worker {
    /// Lanes of each proc.
    lanes_per_proc: u32,
    /// By lane, proc by proc, the records assigned: layer, row, attempt, result.
    lanes: Vec<VecDeque<(u32, u32, u32, u64)>>,
    /// Sections of the frame being written; buffers are reused.
    sections: Vec<Section>,
}

/// Records of one layer in a frame.
#[derive(Debug, Default)]
struct Section {
    serial: u32,
    count: u32,
    indices: Vec<u8>,
    attempts: Vec<u8>,
    values: Vec<u8>,
}

impl Run {
    /// Submits `graph` to a new engine, for one proc of so many lanes. The clock starts after this.
    pub fn new(graph: &Graph, lanes: u32) -> Run {
        Run::spread(graph, 1, lanes)
    }

    /// The same for any number of procs.
    pub fn spread(graph: &Graph, procs: u32, lanes_per_proc: u32) -> Run {
        let mut engine = Engine::new(Config {
            epoch: EPOCH,
            check: CheckLevel::default(),
        });
        let mut out = Out::new();
        graph.submit(&mut engine, &mut out);
        out.clear();
        let mut worker = Worker {
            lanes_per_proc,
            ..Worker::default()
        };
        let lanes = (procs * lanes_per_proc) as usize;
        worker.lanes.resize_with(lanes, VecDeque::new);
        Run {
            engine,
            out,
            worker,
        }
    }

    /// Runs the graph to its end; returns the number of results accepted.
    pub fn run(&mut self) -> u64 {
        for proc in 0..self.worker.lanes.len() as u32 / self.worker.lanes_per_proc {
            let joined = Event::ProcJoined(ProcJoined {
                proc: ProcId(proc + 1),
                incarnation: Incarnation(1),
                host: "here",
                name: "fake",
                lanes: self.worker.lanes_per_proc,
                data_address: "",
                memory_bytes: 0,
                ahead: false,
            });
            let taken = self.engine.apply(Millis(0), joined, &mut self.out);
            assert!(taken.is_ok(), "{taken:?}");
            self.worker.take(&self.out);
            self.out.clear();
        }
        let mut busy = true;
        while busy {
            busy = false;
            for lane in 0..self.worker.lanes.len() {
                if self.worker.compose(lane) {
                    busy = true;
                    self.report(lane);
                    self.worker.take(&self.out);
                    self.out.clear();
                }
            }
        }
        self.engine.stats().tasks_completed
    }

    /// Sends the frame composed for a lane.
    fn report(&mut self, lane: usize) {
        let lanes = self.worker.lanes_per_proc;
        let (proc, lane) = (lane as u32 / lanes, lane as u32 % lanes);
        let from = Fence {
            epoch: EPOCH,
            proc: ProcId(proc + 1),
            incarnation: Incarnation(1),
        };
        // A frame has one section per layer; the graphs here have at most two.
        let all = &self.worker.sections;
        let both = [all.first(), all.get(1)].map(|section| match section {
            Some(section) => section.done(lane),
            None => DoneSection::default(),
        });
        let sections = &both[..all.iter().filter(|section| section.count > 0).count()];
        let taken = self
            .engine
            .apply(Millis(0), Event::Done { from, sections }, &mut self.out);
        assert!(taken.is_ok(), "{taken:?}");
    }

    /// Reads all results as the client would and compares them with the graph's values.
    ///
    /// # Panics
    /// When a result is wrong or missing.
    pub fn verify(mut self, graph: &Graph) -> Engine {
        self.engine.check();
        let values = graph.values();
        let mut wanted = graph.wanted();
        let offset = match graph.shape {
            Shape::Tree => graph.ends.iter().take_while(|&&end| end == 0).count(),
            _ => 0,
        };
        let mut update = UpdateOut::new();
        while self.engine.next_update(CLIENT, 1 << 20, &mut update) {
            for section in update.sections() {
                let mut cells = section.bytes.chunks_exact(8);
                for (&start, &count) in section.starts.iter().zip(&section.counts) {
                    for row in start as usize + offset..(start + count) as usize + offset {
                        let cell = cells.next().and_then(|cell| cell.try_into().ok());
                        assert_eq!(cell.map(u64::from_le_bytes), Some(values[row]), "row {row}");
                        assert!(
                            std::mem::take(&mut wanted[row]),
                            "row {row} told twice or unasked"
                        );
                    }
                }
            }
            let credit = Event::Credited {
                client: CLIENT,
                seq: update.seq,
            };
            let taken = self.engine.apply(Millis(0), credit, &mut self.out);
            assert!(taken.is_ok(), "{taken:?}");
        }
        assert!(
            wanted.iter().all(|&missing| !missing),
            "a result is missing"
        );
        self.engine
    }
}

impl Section {
    fn done(&self, lane: u32) -> DoneSection<'_> {
        DoneSection {
            lane,
            lane_epoch: 1,
            serial: LayerSerial(self.serial),
            outcome: Outcome::Ok,
            count: self.count,
            indices: U32s::new(&self.indices),
            attempts: U32s::new(&self.attempts),
            codec: 1,
            codecs: U8s::default(),
            stride: 8,
            values: &self.values,
            ..DoneSection::default()
        }
    }
}

impl Worker {
    /// Runs all that was assigned; the lanes report it later.
    fn take(&mut self, out: &Out) {
        for proc in out.procs() {
            for section in proc.assign() {
                let lane = (proc.proc.0 - 1) * self.lanes_per_proc + section.lane;
                let lane = &mut self.lanes[lane as usize];
                let mut dep = 0;
                for i in 0..section.count as usize {
                    let result = compute(section, i, &mut dep);
                    lane.push_back((section.serial, section.index(i), section.attempt(i), result));
                }
            }
        }
    }

    /// Writes a lane's next frame; false when it has nothing to report.
    fn compose(&mut self, lane: usize) -> bool {
        for section in &mut self.sections {
            section.count = 0;
            section.indices.clear();
            section.attempts.clear();
            section.values.clear();
        }
        let n = BATCH.min(self.lanes[lane].len());
        for (serial, index, attempt, result) in self.lanes[lane].drain(..n) {
            let own = |section: &Section| section.count > 0 && section.serial == serial;
            let at = match self.sections.iter().position(own) {
                Some(at) => at,
                None => {
                    let free = self.sections.iter().position(|section| section.count == 0);
                    let at = free.unwrap_or(self.sections.len());
                    if free.is_none() {
                        self.sections.push(Section::default());
                    }
                    self.sections[at].serial = serial;
                    at
                }
            };
            let section = &mut self.sections[at];
            section.count += 1;
            section.indices.extend_from_slice(&index.to_le_bytes());
            section.attempts.extend_from_slice(&attempt.to_le_bytes());
            section.values.extend_from_slice(&result.to_le_bytes());
        }
        n > 0
    }
}

/// What record `i` yields: its item, if it has one, plus its inputs.
fn compute(section: &AssignSection, i: usize, dep: &mut usize) -> u64 {
    let deps = section.dep_counts.get(i).copied().unwrap_or(0) as usize;
    let number = |cell: &[u8]| cell.try_into().map_or(0, u64::from_le_bytes);
    let own = if section.has_data {
        section.data.get(i * 8..i * 8 + 8).map_or(0, number)
    } else {
        // Rows of the tree are its second layer; rows of the random graph count themselves.
        u64::from(section.serial == 1)
    };
    let bytes = &section.dep_bytes[*dep * 8..(*dep + deps) * 8];
    *dep += deps;
    bytes
        .chunks_exact(8)
        .fold(own, |sum, cell| sum.wrapping_add(number(cell)))
}
