//! The engine's view of itself, checked against a scan: every cached count must equal what the neighbours say.
//! A disagreement is a defect and stops the engine.

use crate::engine::{CheckLevel, Engine};
use crate::event::LayerKind;
use crate::gate::Gate;
use crate::id::{LaneSlot, Task};
use crate::layer::NO_PAGE;
use crate::row::{DETACHED, ODD, STORED, SUSPECT};
use crate::state::State;

impl Engine {
    pub(crate) fn check_after_event(&self) {
        match self.config.check {
            CheckLevel::Off => {}
            CheckLevel::Light => self.check_sums(),
            CheckLevel::Touched => {
                self.check_sums();
                match self.ledger.touched() {
                    Some(tasks) => tasks
                        .into_iter()
                        .filter(|&task| self.exists(task))
                        .for_each(|task| self.check_task(task)),
                    None => self.check_rows(),
                }
            }
            CheckLevel::Full => self.check(),
        }
    }

    /// Examines everything.
    ///
    /// # Panics
    /// When anything is not as it must be.
    pub fn check(&self) {
        self.check_sums();
        self.check_rows();
        self.check_claims();
        self.check_lanes();
    }

    fn check_sums(&self) {
        let counts = self.ledger.counts();
        let flying = self.lanes.loads.in_flight;
        assert_eq!(counts[State::Processing as usize], flying, "rows in flight");
        let ready = self.ready.in_layers + (self.ready.odd.len() + self.ready.alone.len()) as u64;
        let states = counts[State::Queued as usize] + counts[State::NoWorker as usize];
        assert_eq!(states, ready, "ready rows");
        let alien = if self.lanes.up == 0 {
            State::Queued
        } else {
            State::NoWorker
        };
        assert_eq!(counts[alien as usize], 0, "rows in state {}", alien.name());
    }

    fn live_lanes(&self) -> impl Iterator<Item = LaneSlot> + '_ {
        self.procs
            .table
            .values()
            .flat_map(|proc| proc.lanes.iter().chain(&proc.asides).copied())
    }

    fn live_rows(&self) -> impl Iterator<Item = Task> + '_ {
        self.layers
            .iter()
            .flat_map(|slot| self.layers[slot].cells.iter())
            .filter(|cell| cell.slot != NO_PAGE)
            .flat_map(|cell| {
                (0..self.rows.page(cell.slot).len() as u32).map(|row| Task::new(cell.slot, row))
            })
    }

    fn check_rows(&self) {
        self.live_rows().for_each(|task| self.check_task(task));
    }

    /// One row against its inputs and its place.
    fn check_task(&self, task: Task) {
        let row = &self.rows[task];
        let slot = self.pages.layer(task);
        let layer = &self.layers[slot];
        let index = self.pages.index(task);
        let fault = |what: &str| {
            let story = self.story(self.name_of(task)).join("; ");
            panic!(
                "row {index} of layer {}: {what}: {row:?}; {story}",
                layer.serial.0
            )
        };
        assert!(layer.alive && self.pages.table[task.slot()].used);
        assert!(row.refs <= row.dependents, "{}", row.refs);
        if row.active() && !row.needed() && layer.kind != LayerKind::Data {
            fault("active and not needed");
        }
        if row.state() == State::Released && row.needed() {
            fault("needed and not waiting");
        }
        if row.active() && row.is(DETACHED) {
            fault("active without lineage");
        }
        let in_layer = layer.ready.contains(index);
        let ready = matches!(row.state(), State::Queued | State::NoWorker);
        if in_layer != (ready && row.flags & (ODD | SUSPECT) == 0) {
            fault("in its layer's ready set or not");
        }
        match row.state() {
            State::Waiting if layer.kind != LayerKind::Data => {
                let unmet = self.unmet(task);
                if unmet == 0 || unmet != row.at {
                    fault("unmet inputs");
                }
            }
            State::Queued | State::NoWorker if self.unmet(task) != 0 => {
                fault("ready with unmet inputs")
            }
            State::Ahead => {
                if let Some(what) = self.ahead_fault(task) {
                    fault(what);
                }
            }
            State::Processing if !self.lanes[LaneSlot(row.at)].up => {
                fault("in flight on a lane that is down")
            }
            State::Memory if row.is(STORED) => {
                let holder = self.procs.table.get(&crate::id::ProcId(row.at));
                if holder.is_none_or(|proc| !proc.stored.contains(&task)) {
                    fault("stored nowhere");
                }
                let lineage = layer.kind == LayerKind::Data && row.dependents > 0;
                if !row.needed() && !lineage {
                    fault("stored for nobody");
                }
            }
            State::Memory if !row.needed() && row.dependents == 0 => fault("held for nobody"),
            State::Erred if self.failures.get(row.at).is_none() => fault("failed for no reason"),
            State::Forgotten if row.dependents > 0 || row.needed() => fault("forgotten and needed"),
            _ => {}
        }
    }

    /// Claims counted in rows against claims their consumers have.
    fn check_claims(&self) {
        let mut claims: std::collections::BTreeMap<Task, (u32, u32)> =
            std::collections::BTreeMap::new();
        let mut inputs = Vec::new();
        for task in self.live_rows() {
            let row = &self.rows[task];
            if row.is(DETACHED) || self.layers[self.pages.layer(task)].kind != LayerKind::Explicit {
                continue;
            }
            inputs.clear();
            self.inputs_into(task, &mut inputs);
            for &input in &inputs {
                let (refs, dependents) = claims.entry(input).or_default();
                *refs += u32::from(row.active());
                *dependents += 1;
            }
        }
        for task in self.live_rows() {
            let (mut refs, mut dependents) = claims.get(&task).copied().unwrap_or_default();
            self.each_reader(
                self.pages.layer(task),
                self.pages.index(task),
                |layer, row| {
                    let (value, lineage) = self.claims(layer, row);
                    refs += u32::from(value);
                    dependents += u32::from(lineage);
                },
            );
            let row = &self.rows[task];
            let story = || self.story(self.name_of(task)).join("; ");
            assert_eq!(
                row.refs,
                refs,
                "claims on the value of {:?}: {}",
                self.name_of(task),
                story()
            );
            assert_eq!(
                row.dependents,
                dependents,
                "claims on lineage of {:?}: {}",
                self.name_of(task),
                story()
            );
        }
    }

    fn check_lanes(&self) {
        self.lanes.check_loads(self.live_lanes());
        let procs = self.procs.table.values();
        let stored: u64 = procs.map(|proc| u64::from(proc.stored_live)).sum();
        assert_eq!(self.totals.stored, stored, "stored values");
        for slot in self.live_lanes() {
            let lane = &self.lanes[slot];
            if lane.up {
                assert_eq!(
                    self.in_flight(slot).len() + self.ahead_of(slot).len(),
                    (lane.in_flight + lane.ahead) as usize,
                    "records of lane {slot:?}"
                );
            }
        }
        for slot in self.layers.iter() {
            let layer = &self.layers[slot];
            let live = layer
                .cells
                .iter()
                .filter(|cell| cell.slot != NO_PAGE)
                .count();
            assert_eq!(
                live, layer.live_pages as usize,
                "pages of layer {}",
                layer.serial.0
            );
            let latent = !layer.latent.is_empty() && layer.source();
            let has = !layer.ready.is_empty() || (latent && self.gate(slot) == Gate::Open);
            assert!(
                layer.queued || !has,
                "layer {} has ready rows and is not queued",
                layer.serial.0
            );
        }
    }
}
