//! Submissions: validate everything, change nothing; then commit what cannot fail any more.

use crate::cycle;
use crate::engine::Engine;
use crate::event::{FUNCTION_PER_ROW, LayerKind, LayerSpec, Malformed, Submit};
use crate::fault::{self, Fault};
use crate::id::PAGE_ROWS;
use crate::limits::{
    INLINE_BYTES_MAX, KEY_BYTES_MAX, LAYERS_PER_SUBMIT_MAX, ROW_DATA_BYTES_MAX,
    TASKS_PER_LAYER_MAX, TASKS_PER_SUBMIT_MAX, TEMPLATE_BYTES_MAX,
};
use crate::out::{Message, Out};
use crate::page::SLOTS_MAX;

/// A layer a submission may refer to: there already, or in the same frame.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    /// The client's number.
    pub number: u32,
    /// Slot, if it is there already.
    pub slot: Option<u32>,
    /// Its place in the frame, if it is in it.
    pub place: Option<usize>,
    /// Rows it has once the frame is taken in.
    pub tasks: u32,
}

/// A refusal.
pub(crate) fn refuse(
    code: &'static str,
    layer: u32,
    index: u32,
    message: impl Into<String>,
) -> Fault {
    Fault {
        code,
        message: message.into(),
        layer,
        index,
    }
}

pub(crate) fn invalid<T>(spec: &LayerSpec<'_>, message: &str) -> Result<T, Fault> {
    Err(refuse(fault::GRAPH_INVALID, spec.layer, 0, message))
}

pub(crate) fn limit<T>(spec: &LayerSpec<'_>, message: String) -> Result<T, Fault> {
    Err(refuse(fault::LIMIT_EXCEEDED, spec.layer, 0, message))
}

impl Engine {
    pub(crate) fn graph_submitted(
        &mut self,
        submit: &Submit<'_>,
        out: &mut Out,
    ) -> Result<(), Malformed> {
        if !self.clients.contains_key(&submit.client) {
            return Err(Malformed::UnknownClient);
        }
        match self.validate(submit) {
            Ok(known) => {
                let (layers, serials) = self.commit(submit, &known);
                out.messages.push(Message::Accepted {
                    client: submit.client,
                    graph: submit.graph,
                    layers,
                    serials,
                });
            }
            Err(fault) => out.messages.push(Message::Refused {
                client: submit.client,
                graph: submit.graph,
                fault,
            }),
        }
        Ok(())
    }

    /// Everything that could be wrong; nothing is changed.
    fn validate(&self, submit: &Submit<'_>) -> Result<Vec<Known>, Fault> {
        if submit.layers.len() > LAYERS_PER_SUBMIT_MAX {
            let message = format!("more than {LAYERS_PER_SUBMIT_MAX} layers in one submission");
            return Err(refuse(fault::LIMIT_EXCEEDED, 0, 0, message));
        }
        let known = self.known_layers(submit)?;
        let (mut rows, mut pages) = (0u64, 0u64);
        for spec in submit.layers {
            pages += u64::from(spec.tasks.div_ceil(PAGE_ROWS)) + 1;
            if spec.kind == LayerKind::Explicit {
                rows += u64::from(spec.tasks);
            }
        }
        if rows > TASKS_PER_SUBMIT_MAX as u64 || pages + self.totals.cells >= SLOTS_MAX as u64 {
            let message = "too many rows: submit the graph in parts, or release what is finished";
            return Err(refuse(fault::LIMIT_EXCEEDED, 0, 0, message));
        }
        let mut forward = false;
        for (place, spec) in submit.layers.iter().enumerate() {
            self.validate_columns(submit, spec)?;
            match spec.kind {
                LayerKind::Explicit => forward |= self.validate_deps(spec, place, &known)?,
                LayerKind::Data => {}
                _ => self.validate_inputs(spec, place, &known)?,
            }
        }
        if forward {
            cycle::check(submit)?;
        }
        self.validate_keys(submit)?;
        Ok(known)
    }

    /// Every layer the frame may name, sorted by number.
    fn known_layers(&self, submit: &Submit<'_>) -> Result<Vec<Known>, Fault> {
        let Some(client) = self.clients.get(&submit.client) else {
            return Ok(Vec::new());
        };
        let mut known: Vec<Known> = client
            .layers
            .iter()
            .map(|(&number, &slot)| Known {
                number,
                slot: Some(slot),
                place: None,
                tasks: self.layers[slot].tasks,
            })
            .collect();
        let mut last = 0;
        for (place, spec) in submit.layers.iter().enumerate() {
            if u64::from(spec.first) + u64::from(spec.tasks) > TASKS_PER_LAYER_MAX as u64 {
                return limit(
                    spec,
                    format!("a layer has at most {TASKS_PER_LAYER_MAX} rows"),
                );
            }
            if place > 0 && spec.layer <= last {
                return invalid(spec, "layer numbers must ascend within a submission");
            }
            last = spec.layer;
            let tasks = spec.first + spec.tasks;
            if let Ok(at) = known.binary_search_by_key(&spec.layer, |layer| layer.number) {
                let slot = known[at].slot.unwrap_or_default();
                self.validate_append(spec, slot)?;
                known[at].place = Some(place);
                known[at].tasks = tasks;
                continue;
            }
            let again = spec.first > 0 && spec.kind == LayerKind::Explicit;
            if spec.layer <= client.layer_max && !again {
                return invalid(
                    spec,
                    "layer numbers must ascend from one submission to the next",
                );
            }
            if spec.first > 0 && spec.layer > client.layer_max {
                return invalid(spec, "rows are appended to a layer that does not exist");
            }
            let at = known.partition_point(|layer| layer.number < spec.layer);
            known.insert(
                at,
                Known {
                    number: spec.layer,
                    slot: None,
                    place: Some(place),
                    tasks,
                },
            );
        }
        Ok(known)
    }

    fn validate_append(&self, spec: &LayerSpec<'_>, slot: u32) -> Result<(), Fault> {
        let layer = &self.layers[slot];
        if layer.kind != LayerKind::Explicit || spec.kind != LayerKind::Explicit {
            return invalid(spec, "rows can be appended to explicit layers only");
        }
        if spec.first != layer.tasks {
            return invalid(spec, "appended rows must begin where the layer ends");
        }
        if spec.template != layer.template.as_deref() || spec.data_codec != layer.data_codec {
            return invalid(
                spec,
                "appended rows must share the layer's template and codec",
            );
        }
        Ok(())
    }

    /// Lengths, sizes, functions.
    fn validate_columns(&self, submit: &Submit<'_>, spec: &LayerSpec<'_>) -> Result<(), Fault> {
        let n = spec.tasks as usize;
        let columns = [
            spec.functions.len(),
            spec.priorities.len(),
            spec.row_retries.len(),
            spec.row_timeouts_ms.len(),
        ];
        if columns.iter().any(|&len| len != 0 && len != n) {
            return invalid(spec, "a column does not have one entry per row");
        }
        if spec.kind != LayerKind::Explicit && columns.iter().any(|&len| len != 0) {
            return invalid(spec, "only explicit layers have columns per row");
        }
        if spec.key_rows.len() != spec.keys.len() {
            return invalid(spec, "keys and their rows differ in number");
        }
        if spec
            .template
            .is_some_and(|template| template.len() > TEMPLATE_BYTES_MAX)
        {
            return limit(
                spec,
                format!("a template has at most {TEMPLATE_BYTES_MAX} bytes"),
            );
        }
        if spec.name.len() > KEY_BYTES_MAX {
            return limit(
                spec,
                format!("a layer's name has at most {KEY_BYTES_MAX} bytes"),
            );
        }
        self.validate_functions(submit, spec)?;
        validate_data(spec)
    }

    fn validate_functions(&self, submit: &Submit<'_>, spec: &LayerSpec<'_>) -> Result<(), Fault> {
        if spec.kind == LayerKind::Data {
            return Ok(());
        }
        let Some(client) = self.clients.get(&submit.client) else {
            return Ok(());
        };
        let mut last = None;
        let own = spec.functions.iter();
        let shared = spec.functions.is_empty().then_some(spec.function);
        for function in shared.into_iter().chain(own) {
            if last != Some(function) && !client.functions.contains_key(&function) {
                return invalid(spec, "a function was not defined");
            }
            last = Some(function);
        }
        let per_row = spec.function == FUNCTION_PER_ROW;
        if !per_row && !client.functions.contains_key(&spec.function) {
            return invalid(spec, "the layer's function was not defined");
        }
        Ok(())
    }
}

/// Row data adds up.
fn validate_data(spec: &LayerSpec<'_>) -> Result<(), Fault> {
    let n = spec.tasks as usize;
    if spec.range_step != 0.0 || spec.range_start != 0.0 {
        let regular = !matches!(spec.kind, LayerKind::Explicit | LayerKind::Data);
        let last = spec.range_start + spec.range_step * f64::from(spec.tasks);
        if !regular || spec.range_step == 0.0 || !last.is_finite() || spec.data.is_some() {
            let message = "a range is for regular layers without other data, its numbers finite";
            return invalid(spec, message);
        }
    }
    let Some(data) = spec.data else {
        if spec.data_stride > 0 || !spec.data_sizes.is_empty() {
            return invalid(spec, "row data is announced and missing");
        }
        return Ok(());
    };
    let most = if spec.kind == LayerKind::Data {
        INLINE_BYTES_MAX
    } else {
        ROW_DATA_BYTES_MAX
    };
    let (total, largest) = if spec.data_sizes.is_empty() {
        (n * spec.data_stride as usize, spec.data_stride as usize)
    } else {
        if spec.data_stride > 0 || spec.data_sizes.len() != n {
            return invalid(spec, "row data has a stride or one size per row");
        }
        let sizes = || spec.data_sizes.iter().map(|size| size as usize);
        (sizes().sum(), sizes().max().unwrap_or(0))
    };
    if largest > most {
        return limit(
            spec,
            format!("row data of one task has at most {most} bytes here: scatter it"),
        );
    }
    if total != data.len() || total > u32::MAX as usize {
        return invalid(spec, "row data does not add up to its payload");
    }
    Ok(())
}
