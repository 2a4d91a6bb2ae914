//! Cycles. A submission whose dependencies all point backward has none; one that points forward is walked once,
//! counting down from the rows that wait for nothing.

use crate::event::{LayerKind, Submit};
use crate::fault::{self, Fault};
use crate::ingest::refuse;

/// Refuses a frame in which rows wait for each other.
pub(crate) fn check(submit: &Submit<'_>) -> Result<(), Fault> {
    coarse(submit)?;
    let mut starts = Vec::with_capacity(submit.layers.len());
    let mut rows = 0usize;
    for spec in submit.layers {
        starts.push(rows);
        if spec.kind == LayerKind::Explicit {
            rows += spec.tasks as usize;
        }
    }
    // Edges between rows of this frame, as CSR from a row to the rows that wait for it.
    let mut ends = vec![0u32; rows + 1];
    let mut unmet = vec![0u32; rows];
    each_edge(submit, &starts, |from, to| {
        ends[from + 1] += 1;
        unmet[to] += 1;
    });
    for i in 0..rows {
        ends[i + 1] += ends[i];
    }
    let mut fill = ends.clone();
    let mut targets = vec![0u32; ends[rows] as usize];
    each_edge(submit, &starts, |from, to| {
        targets[fill[from] as usize] = to as u32;
        fill[from] += 1;
    });
    let mut ready: Vec<usize> = (0..rows).filter(|&row| unmet[row] == 0).collect();
    let mut done = 0;
    while let Some(row) = ready.pop() {
        done += 1;
        for &to in &targets[ends[row] as usize..ends[row + 1] as usize] {
            unmet[to as usize] -= 1;
            if unmet[to as usize] == 0 {
                ready.push(to as usize);
            }
        }
    }
    if done == rows {
        return Ok(());
    }
    let stuck = unmet.iter().position(|&left| left > 0).unwrap_or(0);
    let place = starts
        .partition_point(|&start| start <= stuck)
        .saturating_sub(1);
    let spec = &submit.layers[place];
    let index = spec.first + (stuck - starts[place]) as u32;
    let message = format!(
        "{} rows wait for each other, this one among them",
        rows - done
    );
    Err(refuse(fault::GRAPH_CYCLE, spec.layer, index, message))
}

/// Calls `each` with every edge between explicit rows of the frame: (input, row).
fn each_edge(submit: &Submit<'_>, starts: &[usize], mut each: impl FnMut(usize, usize)) {
    let places: Vec<(u32, usize)> = submit
        .layers
        .iter()
        .zip(0..)
        .map(|(spec, i)| (spec.layer, i))
        .collect();
    for (spec, &start) in submit.layers.iter().zip(starts) {
        if spec.kind != LayerKind::Explicit || spec.dep_offsets.is_empty() {
            continue;
        }
        for i in 0..spec.tasks as usize {
            for edge in spec.dep_offsets.get(i)..spec.dep_offsets.get(i + 1) {
                let number = spec.dep_layers.get_or(edge as usize, spec.dep_layer);
                let Ok(at) = places.binary_search_by_key(&number, |&(layer, _)| layer) else {
                    continue;
                };
                let input = &submit.layers[at];
                let index = spec.dep_indices.get(edge as usize);
                if input.kind == LayerKind::Explicit && index >= input.first {
                    each(starts[at] + (index - input.first) as usize, start + i);
                }
            }
        }
    }
}

/// Layers of the frame that reach each other through a regular layer: rows of regular layers are not walked one by
/// one, so such a frame is refused even if its rows could be ordered.
fn coarse(submit: &Submit<'_>) -> Result<(), Fault> {
    let places: Vec<u32> = submit.layers.iter().map(|spec| spec.layer).collect();
    let place = |number: u32| places.binary_search(&number).ok();
    for (at, spec) in submit.layers.iter().enumerate() {
        if spec.kind != LayerKind::Explicit {
            continue;
        }
        let edges = 0..spec.dep_indices.len();
        let ahead = edges
            .filter_map(|edge| place(spec.dep_layers.get_or(edge, spec.dep_layer)))
            .filter(|&to| to > at)
            .max();
        let Some(ahead) = ahead else {
            continue;
        };
        if submit.layers[at..=ahead]
            .iter()
            .any(|between| between.kind != LayerKind::Explicit)
        {
            let message =
                "depends on a later layer with regular layers between: send upstream layers first";
            return Err(refuse(fault::GRAPH_CYCLE, spec.layer, 0, message));
        }
    }
    Ok(())
}
