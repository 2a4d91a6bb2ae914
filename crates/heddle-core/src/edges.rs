//! Edges of a submission: every row named must be there, or come with the frame.

use crate::engine::Engine;
use crate::event::{LayerKind, LayerSpec};
use crate::fault::{self, Fault};
use crate::ingest::{Known, invalid, limit, refuse};
use crate::limits::{DEPS_PER_TASK_MAX, WINDOW_RADIUS_MAX};
use crate::regular;
use crate::state::State;

impl Engine {
    /// Explicit edges; true when one points forward, so that there may be a cycle.
    pub(crate) fn validate_deps(
        &self,
        spec: &LayerSpec<'_>,
        place: usize,
        known: &[Known],
    ) -> Result<bool, Fault> {
        let n = spec.tasks as usize;
        let edges = spec.dep_indices.len();
        if spec.dep_offsets.is_empty() && edges == 0 {
            return Ok(false);
        }
        let shape = spec.dep_offsets.len() == n + 1
            && spec.dep_offsets.get(0) == 0
            && spec.dep_offsets.get(n) as usize == edges
            && [0, edges].contains(&spec.dep_layers.len())
            && [0, edges].contains(&spec.dep_parts.len());
        if !shape {
            return invalid(spec, "dependency columns do not fit together");
        }
        let mut forward = false;
        let (mut start, mut edge) = (0, 0);
        let mut cached: Option<Known> = None;
        for (i, end) in spec.dep_offsets.iter().skip(1).enumerate() {
            if end < start || end as usize > edges || (end - start) as usize > DEPS_PER_TASK_MAX {
                let message =
                    "dependency offsets do not ascend, or a task has too many dependencies";
                return Err(refuse(
                    fault::GRAPH_INVALID,
                    spec.layer,
                    spec.first + i as u32,
                    message,
                ));
            }
            while edge < end as usize {
                let number = spec.dep_layers.get_or(edge, spec.dep_layer);
                let index = spec.dep_indices.get(edge);
                let layer = match cached {
                    Some(layer) if layer.number == number => layer,
                    _ => self.resolve(known, number, spec, i)?,
                };
                cached = Some(layer);
                if index >= layer.tasks {
                    let message = format!(
                        "depends on row {index} of layer {number}, which has {} rows",
                        layer.tasks
                    );
                    return Err(refuse(
                        fault::GRAPH_INVALID,
                        spec.layer,
                        spec.first + i as u32,
                        message,
                    ));
                }
                if layer.place == Some(place) && index >= spec.first {
                    forward |= index >= spec.first + i as u32;
                } else if layer.place.is_some_and(|other| other > place) {
                    forward = true;
                } else {
                    self.must_exist(layer, index, spec, spec.first + i as u32)?;
                }
                edge += 1;
            }
            start = end;
        }
        Ok(forward)
    }

    fn resolve(
        &self,
        known: &[Known],
        number: u32,
        spec: &LayerSpec<'_>,
        row: usize,
    ) -> Result<Known, Fault> {
        let at = known.binary_search_by_key(&number, |layer| layer.number);
        at.map(|at| known[at]).map_err(|_| {
            let message =
                format!("depends on layer {number}, which does not exist or was released");
            refuse(
                fault::DEPENDENCY_LOST,
                spec.layer,
                spec.first + row as u32,
                message,
            )
        })
    }

    /// A row that is there already must not be forgotten.
    fn must_exist(
        &self,
        layer: Known,
        index: u32,
        spec: &LayerSpec<'_>,
        row: u32,
    ) -> Result<(), Fault> {
        let Some(slot) = layer.slot else {
            return Ok(());
        };
        let there = match self.layers[slot].task(index) {
            Some(task) => self.rows[task].state() != State::Forgotten,
            None => index >= self.layers[slot].tasks || self.layers[slot].untouched(index),
        };
        if there {
            return Ok(());
        }
        let message = format!(
            "depends on row {index} of layer {}, which was released",
            layer.number
        );
        Err(refuse(fault::DEPENDENCY_LOST, spec.layer, row, message))
    }

    /// Inputs of a regular layer: lengths, reach and order, before anything is made of them.
    pub(crate) fn validate_inputs(
        &self,
        spec: &LayerSpec<'_>,
        place: usize,
        known: &[Known],
    ) -> Result<(), Fault> {
        if !spec.dep_offsets.is_empty() || !spec.dep_indices.is_empty() {
            return invalid(spec, "a regular layer has no explicit dependencies");
        }
        validate_shape(spec)?;
        for input in spec.inputs {
            let layer = self.resolve(known, input.layer, spec, 0)?;
            if layer.place.is_some_and(|other| other >= place) {
                let message = format!("reads layer {}, which is not upstream of it", input.layer);
                return Err(refuse(fault::GRAPH_CYCLE, spec.layer, 0, message));
            }
            let (first, held) = (input.first, layer.tasks);
            if spec.kind == LayerKind::TreeReduce {
                let rows = match input.count {
                    0 => held.checked_sub(first),
                    rows => Some(rows),
                };
                let end = u64::from(first) + u64::from(rows.unwrap_or(0));
                let tree = rows.map(|rows| regular::tree_rows(rows, spec.fan_in));
                if tree != Some(u64::from(spec.tasks)) || end > u64::from(held) {
                    let message = format!(
                        "has {} rows, and a tree of fan-in {} over rows {first} to {end} of layer {}, which has \
                         {held}, has {}",
                        spec.tasks,
                        spec.fan_in,
                        input.layer,
                        tree.unwrap_or(0)
                    );
                    return Err(refuse(fault::GRAPH_INVALID, spec.layer, 0, message));
                }
                self.must_all_exist(layer, first, end as u32, spec)?;
                continue;
            }
            let rows = match input.broadcast {
                true if spec.tasks == 0 => 0,
                true => input.count.max(1),
                false => spec.tasks,
            };
            let end = u64::from(first) + u64::from(rows);
            if end > u64::from(held) {
                let message = format!(
                    "reads rows {first} to {end} of layer {}, which has {held} rows",
                    input.layer
                );
                let index = if input.broadcast {
                    0
                } else {
                    held.saturating_sub(first)
                };
                return Err(refuse(fault::GRAPH_INVALID, spec.layer, index, message));
            }
            self.must_all_exist(layer, first, end as u32, spec)?;
        }
        Ok(())
    }

    fn must_all_exist(
        &self,
        layer: Known,
        start: u32,
        end: u32,
        spec: &LayerSpec<'_>,
    ) -> Result<(), Fault> {
        let Some(slot) = layer.slot else {
            return Ok(());
        };
        let touched =
            crate::demand::page_parts(start, end).filter(|&(s, _)| !self.layers[slot].untouched(s));
        touched
            .flat_map(|(s, e)| s..e)
            .try_for_each(|row| self.must_exist(layer, row, spec, 0))
    }
}

/// Numbers of a regular layer that bound what one row reads.
fn validate_shape(spec: &LayerSpec<'_>) -> Result<(), Fault> {
    let reach = 2 * u64::from(spec.radius) + 1;
    let reads = spec.inputs.iter().map(|input| match input.broadcast {
        true => u64::from(input.count.max(1)),
        false => reach,
    });
    let reads = u64::from(spec.fan_in).max(reads.sum());
    if spec.radius as usize > WINDOW_RADIUS_MAX {
        let message = format!(
            "a window of radius {}, more than {WINDOW_RADIUS_MAX}",
            spec.radius
        );
        return limit(spec, message);
    }
    if reads > DEPS_PER_TASK_MAX as u64 {
        let message = format!("a task of it has {reads} inputs, more than {DEPS_PER_TASK_MAX}");
        return limit(spec, message);
    }
    let tree = spec.kind == LayerKind::TreeReduce;
    if tree && (spec.inputs.len() != 1 || spec.inputs[0].broadcast) {
        return invalid(spec, "a tree has one input, not broadcast");
    }
    if tree && spec.fan_in < 2 {
        let message = format!("a tree has a fan-in of at least 2, not {}", spec.fan_in);
        return invalid(spec, &message);
    }
    let window = spec.kind == LayerKind::Window;
    if window && spec.radius == 0 {
        return invalid(spec, "a window has a radius of at least 1");
    }
    if window && spec.periodic && reach > u64::from(spec.tasks) {
        let message = format!(
            "a periodic window of radius {} over {} rows would read a row twice",
            spec.radius, spec.tasks
        );
        return invalid(spec, &message);
    }
    if !window && (spec.radius > 0 || spec.periodic) {
        return invalid(spec, "only windows have a radius");
    }
    Ok(())
}
