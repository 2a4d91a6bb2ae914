//! Random graphs and random faults over a `World`.

use std::collections::BTreeSet;

use heddle_core::bench::Numbers;
use heddle_core::{CheckLevel, Event};

use super::graph::Options;
use super::worker::ASIDE;
use super::{CLIENT, Record, Told, World};

/// Which faults a seed has, in ppm per step.
pub struct Faults {
    kill: u32,
    lane: u32,
    throw: u32,
    cancel: u32,
    release: u32,
    stale: u32,
    give_back: u32,
    stored: u32,
    secede: u32,
}

pub struct Chaos {
    pub w: World,
    n: Numbers,
    faults: Faults,
    layers: u32,
    old: Vec<Record>,
    failed: BTreeSet<(u32, u32)>,
    released: BTreeSet<(u32, u32)>,
    puts: Vec<(u32, u32)>,
}

impl Chaos {
    pub fn new(seed: u64, check: CheckLevel) -> Chaos {
        let mut n = Numbers(seed);
        let mut swarm = |most: u32| if n.below(2) == 0 { 0 } else { n.below(most) };
        let faults = Faults {
            kill: swarm(30_000),
            lane: swarm(30_000),
            throw: swarm(60_000),
            cancel: swarm(20_000),
            release: swarm(60_000),
            stale: swarm(100_000),
            give_back: swarm(100_000),
            stored: swarm(900_000),
            secede: swarm(300_000),
        };
        Chaos {
            w: World::with_check(check),
            n,
            faults,
            layers: 0,
            old: Vec::new(),
            failed: BTreeSet::new(),
            released: BTreeSet::new(),
            puts: Vec::new(),
        }
    }

    fn chance(&mut self, ppm: u32) -> bool {
        self.n.below(1_000_000) < ppm
    }

    /// Some row of the graph that was not released.
    fn some_row(&mut self) -> Option<(u32, u32)> {
        if self.layers == 0 {
            return None;
        }
        let layer = self.n.below(self.layers) + 1;
        let rows = self.w.graph.rows_of(layer);
        if rows == 0 {
            return None;
        }
        let row = (layer, self.n.below(rows));
        (!self.released.contains(&row)).then_some(row)
    }

    /// A layer all of whose rows are still there.
    fn some_layer(&mut self) -> Option<u32> {
        let (layer, _) = self.some_row()?;
        let whole = self
            .released
            .range((layer, 0)..=(layer, u32::MAX))
            .next()
            .is_none();
        whole.then_some(layer)
    }

    fn submit(&mut self) {
        let layer = self.layers + 1;
        let wanted = self.n.below(3) > 0;
        let tasks = self.n.below(30) + 1;
        match (self.n.below(8), self.some_layer()) {
            (0, _) => self.w.items(layer, tasks, true),
            (1, Some(over)) if self.w.graph.rows_of(over) > 1 => {
                let fan_in = 2 + self.n.below(3);
                self.w.tree(layer, over, 0, fan_in, wanted);
            }
            (2 | 3, Some(over)) => {
                let rows = self.w.graph.rows_of(over);
                let first = self.n.below(rows);
                let mut inputs = vec![(over, first, false)];
                if let Some(other) = self.some_row().filter(|_| self.n.below(2) == 0) {
                    inputs.push((other.0, other.1, true));
                }
                let rows = rows - first;
                self.w.blockwise(layer, rows, &inputs, wanted);
            }
            (6, Some(over)) => {
                let rows = self.w.graph.rows_of(over);
                let first = self.n.below(rows);
                let rows = rows - first;
                let radius = self.n.below(4);
                let periodic = radius > 0 && 2 * radius < rows && self.n.below(2) == 0;
                let all = self.some_layer().map(|other| {
                    let count = self.w.graph.rows_of(other);
                    let from = self.n.below(count);
                    (other, from, 1 + self.n.below(count - from))
                });
                let all = all.filter(|_| self.n.below(2) == 0);
                let window = (radius, periodic);
                self.w
                    .window(layer, (over, first, rows), window, all, wanted);
            }
            (7, Some(over)) => {
                let count = self.w.graph.rows_of(over);
                let first = self.n.below(count);
                let count = 1 + self.n.below(count - first);
                self.w
                    .gather(layer, tasks.min(8), (over, first, count), wanted);
            }
            (4, _) if self.n.below(3) == 0 => {
                self.w.data(layer, tasks.min(3));
                self.puts.extend((0..tasks.min(3)).map(|row| (layer, row)));
            }
            _ => {
                let mut rows: Vec<(u64, Vec<(u32, u32)>)> = Vec::new();
                for row in 0..tasks {
                    let mut inputs = Vec::new();
                    for _ in 0..self.n.below(4) {
                        if row > 0 && self.n.below(2) == 0 {
                            inputs.push((layer, self.n.below(row)));
                        } else {
                            inputs.extend(self.some_row());
                        }
                    }
                    rows.push((u64::from(self.n.below(1000)), inputs));
                }
                let options = Options {
                    retries: self.n.below(3) as u16,
                    unwanted: !wanted,
                    priority: self.n.below(2) as i32,
                    priorities: if self.n.below(4) == 0 {
                        (0..tasks).map(|_| self.n.below(3) as i32).collect()
                    } else {
                        Vec::new()
                    },
                    ..Options::default()
                };
                self.w.explicit(layer, &rows, &options);
            }
        }
        // A frame may be refused: rows it reads may have been forgotten meanwhile.
        if self.w.serials.contains_key(&layer) {
            self.layers = layer;
            if !wanted && let Some(row) = self.some_row() {
                self.w.want(row.0, row.1, 1);
            }
        } else {
            self.w.graph.rows.retain(|row, _| row.0 != layer);
            self.puts.retain(|row| row.0 != layer);
        }
    }

    fn worker_step(&mut self) {
        let Some(n) = (!self.w.records.is_empty()).then_some(self.w.records.len()) else {
            return;
        };
        let at = self.n.below(n as u32) as usize;
        let record = self.w.records.remove(at);
        self.old.push(record.clone());
        if record.result.is_ok() && self.chance(self.faults.throw) {
            let retryable = self.n.below(2) == 0;
            let before = self.w.engine.stats().tasks_failed;
            self.w.throw(&record, retryable);
            if self.w.engine.stats().tasks_failed > before {
                self.failed.insert((record.serial, record.index));
            }
        } else if record.lane & ASIDE == 0 && self.chance(self.faults.secede) {
            self.old.pop();
            let aside = self.w.secede(&record);
            self.w.records.push(aside);
        } else if self.chance(self.faults.give_back) {
            self.w.give_back(&record);
        } else {
            let stored = self.chance(self.faults.stored);
            self.w.report(&record, stored);
        }
    }

    fn fault_step(&mut self) {
        let procs: Vec<u32> = self.w.procs.keys().copied().collect();
        if procs.len() < 4 && self.n.below(40) == 0 {
            let lanes = self.n.below(3) + 1;
            self.w.worker(lanes);
        }
        if !procs.is_empty() && self.chance(self.faults.kill) {
            let proc = procs[self.n.below(procs.len() as u32) as usize];
            self.w.kill(proc);
        } else if !procs.is_empty() && self.chance(self.faults.lane) {
            let proc = procs[self.n.below(procs.len() as u32) as usize];
            let lanes = self.w.procs[&proc].len() as u32;
            let lane = self.n.below(lanes);
            let up = self.w.procs[&proc][lane as usize].1;
            self.w.lane(proc, lane, !up);
        }
        if self.chance(self.faults.cancel)
            && let Some((layer, row)) = self.some_row()
        {
            let count = self.n.below(5) + 1;
            self.w.cancel(layer, row, count);
            let serial = self.w.serials[&layer];
            self.failed
                .extend((row..row + count).map(|row| (serial, row)));
        }
        if self.chance(self.faults.release)
            && let Some((layer, row)) = self.some_row()
        {
            let count = self.n.below(10) + 1;
            self.w.release(layer, row, count);
            self.released
                .extend((row..row + count).map(|row| (layer, row)));
        }
        if !self.old.is_empty() && self.chance(self.faults.stale) {
            let at = self.n.below(self.old.len() as u32) as usize;
            let old = self.old[at].clone();
            if self.w.procs.contains_key(&old.proc) {
                let digest = self.w.engine.digest();
                match self.n.below(3) {
                    0 => self.w.report(&old, true),
                    1 => self.w.throw(&old, true),
                    _ => self.w.report(&old, false),
                }
                assert_eq!(
                    digest,
                    self.w.engine.digest(),
                    "a stale frame changed the state"
                );
            }
        }
        if !self.puts.is_empty() && !procs.is_empty() && self.n.below(4) == 0 {
            let (layer, row) = self.puts.remove(0);
            let proc = *self.w.procs.keys().next_back().unwrap_or(&0);
            if proc > 0 {
                self.w.put(proc, layer, row, 100);
            }
        }
        if self.n.below(10) == 0 {
            self.w.listen();
        }
        if self.n.below(30) == 0 {
            self.w.now += 40;
            self.w.apply(Event::Tick);
        }
    }

    fn drain(&mut self) {
        let procs: Vec<u32> = self.w.procs.keys().copied().collect();
        for proc in procs {
            for lane in 0..self.w.procs[&proc].len() as u32 {
                if !self.w.procs[&proc][lane as usize].1 {
                    self.w.lane(proc, lane, true);
                }
            }
        }
        let proc = self.w.worker(2);
        for (layer, row) in std::mem::take(&mut self.puts) {
            self.w.put(proc, layer, row, 100);
        }
        self.w.finish_all();
        self.w.listen();
    }

    /// Every row that is wanted was told its one true end.
    fn verify(&mut self) {
        let layer_of = |w: &World, serial: u32| {
            w.serials
                .iter()
                .find(|(_, s)| **s == serial)
                .map(|(l, _)| *l)
        };
        let told: Vec<_> = self.w.told.clone().into_iter().collect();
        for (row, told) in told {
            if self.released.contains(&row) {
                continue;
            }
            match told {
                Told::Done(value) => assert_eq!(value, self.w.graph.value(row), "row {row:?}"),
                Told::Failed { blame, text } => {
                    let layer = layer_of(&self.w, blame.0).unwrap_or_default();
                    assert!(
                        self.w.graph.needs(row, (layer, blame.1)),
                        "{row:?} blames {blame:?}"
                    );
                    let own = text != b"oops";
                    assert!(
                        own || self.failed.contains(&blame),
                        "{row:?} blames {blame:?}, which is well"
                    );
                }
                Told::Cancelled => assert!(self.faults.cancel > 0),
                Told::Pending => panic!(
                    "row {row:?} is pending: {:?} {:?}",
                    self.w.engine.why(CLIENT, row.0, row.1),
                    self.w.story(row.0, row.1)
                ),
            }
        }
        self.w.expect_silence();
        let held = self
            .w
            .engine
            .procs()
            .map(|proc| proc.stored_bytes / 2000)
            .sum::<u64>();
        assert_eq!(
            held,
            self.w.stores.len() as u64,
            "values in stores and in the engine's books"
        );
    }

    fn release_all(&mut self) {
        for layer in (1..=self.layers).rev() {
            let rows = self.w.graph.rows_of(layer);
            self.w.release(layer, 0, rows);
        }
        let stats = self.w.engine.stats();
        assert!(self.w.stores.is_empty(), "{:?}", self.w.stores);
        assert_eq!(stats.inline_bytes, 0);
        assert!(stats.pages <= 1 && stats.layers <= 1, "{stats:?}");
        self.w.engine.check();
    }
}

/// Runs a seed; returns the digest along the way.
pub fn run(seed: u64, steps: u32, check: CheckLevel) -> (u64, World) {
    let mut chaos = Chaos::new(seed, check);
    let mut digest = 0u64;
    for step in 0..steps {
        if step % 40 == 0 {
            chaos.submit();
        }
        for _ in 0..3 {
            chaos.worker_step();
        }
        chaos.fault_step();
        if step % 16 == 0 {
            digest = digest.rotate_left(5) ^ chaos.w.engine.digest();
        }
    }
    chaos.drain();
    chaos.verify();
    chaos.release_all();
    (digest, chaos.w)
}
