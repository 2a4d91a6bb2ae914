//! What clients say: functions, graphs, demand.

use crate::check::{
    at_most, bytes, exact, i32s, length, one_way, payload, root, tables, text, u16s, u32s,
};
use crate::error::WireError;
use crate::frame::Frame;
use crate::generated::protocol as fb;
use core::ops::Range;
use flatbuffers::{ForwardsUOffset, Vector};
use heddle_core::column::U32s;
use heddle_core::event::{Demand, Event, FunctionDefined, InputSpec, LayerKind, LayerSpec, Submit};
use heddle_core::id::ClientId;
use heddle_core::limits;

const NO_PART: u16 = u16::MAX;

pub(crate) fn define_function<'a>(
    frame: &Frame<'a>,
    client: ClientId,
) -> Result<Event<'a>, WireError> {
    let table = root::<fb::DefineFunction<'_>>(frame.body)?;
    let hash = table.hash().map_or(&[][..], |v| v.bytes());
    let Ok(hash) = <[u8; 32]>::try_from(hash) else {
        let length = hash.len() as u64;
        return Err(WireError::protocol(
            "DefineFunction.hash",
            length,
            "is not 32 bytes",
        ));
    };
    let body = bytes(
        table.body(),
        limits::FUNCTION_BODY_BYTES_MAX,
        "DefineFunction.body",
    )?;
    Ok(Event::FunctionDefined(FunctionDefined {
        client,
        function: table.function(),
        hash,
        name: text(table.name(), "DefineFunction.name")?,
        body: body.unwrap_or(&[]),
    }))
}

pub(crate) fn demand<'a>(frame: &Frame<'a>, client: ClientId) -> Result<Demand<'a>, WireError> {
    let table = root::<fb::Demand<'_>>(frame.body)?;
    let layers = u32s(table.layers());
    let (starts, counts) = (u32s(table.starts()), u32s(table.counts()));
    exact(starts.len(), layers.len(), "Demand.starts")?;
    exact(counts.len(), layers.len(), "Demand.counts")?;
    for (start, count) in starts.iter().zip(counts.iter()) {
        at_most(
            u64::from(start) + u64::from(count),
            limits::TASKS_PER_LAYER_MAX,
            "Demand.counts",
        )?;
    }
    Ok(Demand {
        client,
        layers,
        starts,
        counts,
        reason: text(table.reason(), "Demand.reason")?,
    })
}

pub(crate) fn credit(frame: &Frame<'_>) -> Result<u32, WireError> {
    Ok(root::<fb::Credit<'_>>(frame.body)?.seq())
}

/// Inputs and keys of all layers lie in two flat vectors, of which each layer has a range.
#[derive(Default)]
struct Flat<'a> {
    inputs: Vec<InputSpec>,
    keys: Vec<&'a str>,
}

pub(crate) fn submit<R>(
    frame: &Frame<'_>,
    client: ClientId,
    then: impl FnOnce(Event<'_>) -> R,
) -> Result<R, WireError> {
    let table = root::<fb::Submit<'_>>(frame.body)?;
    let graph = table.graph();
    read_layers(table.layers(), &frame.payload, |layers| {
        then(Event::GraphSubmitted(Submit {
            client,
            graph,
            layers,
        }))
    })
}

/// Hands the layers of a frame to `then`.
pub(crate) fn read_layers<'a, R>(
    vector: Option<Vector<'a, ForwardsUOffset<fb::Layer<'a>>>>,
    payload: &[&'a [u8]],
    then: impl FnOnce(&[LayerSpec<'_>]) -> R,
) -> Result<R, WireError> {
    let count = tables(vector, limits::LAYERS_PER_SUBMIT_MAX, "Submit.layers")?;
    let mut flat = Flat::default();
    let mut layers = Vec::with_capacity(count);
    let mut ranges: Vec<(Range<usize>, Range<usize>)> = Vec::with_capacity(count);
    let mut rows = 0;
    for layer in vector.into_iter().flatten() {
        let start = (flat.inputs.len(), flat.keys.len());
        layers.push(read_layer(layer, payload, &mut flat)?);
        ranges.push((start.0..flat.inputs.len(), start.1..flat.keys.len()));
        rows += per_row_columns(layer);
        at_most(rows, limits::TASKS_PER_SUBMIT_MAX, "Submit.layers")?;
    }
    for (layer, (inputs, keys)) in layers.iter_mut().zip(ranges) {
        layer.inputs = &flat.inputs[inputs];
        layer.keys = &flat.keys[keys];
    }
    Ok(then(&layers))
}

/// Rows that cost something each: those of layers with any column per row.
fn per_row_columns(layer: fb::Layer<'_>) -> u64 {
    let any = layer.dep_offsets().is_some()
        || layer.data_part() != NO_PART
        || layer.functions().is_some()
        || layer.priorities().is_some()
        || layer.row_retries().is_some()
        || layer.row_timeouts_ms().is_some()
        || layer.kind() == fb::LayerKind::Explicit;
    if any { u64::from(layer.tasks()) } else { 0 }
}

fn read_layer<'a>(
    layer: fb::Layer<'a>,
    parts: &[&'a [u8]],
    flat: &mut Flat<'a>,
) -> Result<LayerSpec<'a>, WireError> {
    let kind = LayerKind::from_u8(layer.kind().0).ok_or(WireError::protocol(
        "Layer.kind",
        u64::from(layer.kind().0),
        "is unknown",
    ))?;
    let end = u64::from(layer.first()) + u64::from(layer.tasks());
    at_most(end, limits::TASKS_PER_LAYER_MAX, "Layer.tasks")?;
    if layer.data_codec().variant_name().is_none() {
        let codec = u64::from(layer.data_codec().0);
        return Err(WireError::protocol("Layer.data_codec", codec, "is unknown"));
    }
    let rows = layer.tasks() as usize;
    read_inputs(layer, flat)?;
    read_keys(layer, flat)?;
    let spec = LayerSpec {
        layer: layer.layer(),
        kind,
        first: layer.first(),
        tasks: layer.tasks(),
        name: text(layer.name(), "Layer.name")?,
        function: layer.function(),
        priority: layer.priority(),
        retries: layer.retries(),
        timeout_ms: layer.timeout_ms(),
        resource_class: layer.resource_class(),
        flags: layer.flags(),
        template: bytes(
            layer.template(),
            limits::TEMPLATE_BYTES_MAX,
            "Layer.template",
        )?,
        data_codec: layer.data_codec().0,
        data_stride: layer.data_stride(),
        data_sizes: u32s(layer.data_sizes()),
        data: read_data(layer, parts)?,
        fan_in: layer.fan_in(),
        radius: layer.radius(),
        periodic: layer.periodic(),
        range_start: layer.range_start(),
        range_step: layer.range_step(),
        dep_offsets: u32s(layer.dep_offsets()),
        dep_layer: layer.dep_layer(),
        dep_layers: u32s(layer.dep_layers()),
        dep_indices: u32s(layer.dep_indices()),
        dep_parts: u32s(layer.dep_parts()),
        functions: u32s(layer.functions()),
        priorities: i32s(layer.priorities()),
        row_retries: u16s(layer.row_retries()),
        row_timeouts_ms: u32s(layer.row_timeouts_ms()),
        key_rows: u32s(layer.key_rows()),
        inputs: &[],
        keys: &[],
    };
    length(spec.functions.len(), rows, "Layer.functions")?;
    length(spec.priorities.len(), rows, "Layer.priorities")?;
    length(spec.row_retries.len(), rows, "Layer.row_retries")?;
    length(spec.row_timeouts_ms.len(), rows, "Layer.row_timeouts_ms")?;
    let numbers = spec.range_step == 0.0 || layer.data_codec() == fb::Codec::F64;
    if !numbers {
        let codec = u64::from(spec.data_codec);
        return Err(WireError::protocol(
            "Layer.data_codec",
            codec,
            "is not of a range",
        ));
    }
    check_edges(&spec, rows)?;
    Ok(spec)
}

/// Row data: a payload part of the layer's own, exactly as long as its rows say.
fn read_data<'a>(layer: fb::Layer<'a>, parts: &[&'a [u8]]) -> Result<Option<&'a [u8]>, WireError> {
    if layer.data_part() == NO_PART {
        return Ok(None);
    }
    let (stride, sizes) = (layer.data_stride(), u32s(layer.data_sizes()));
    length(sizes.len(), layer.tasks() as usize, "Layer.data_sizes")?;
    one_way(stride, sizes, "Layer.data_stride")?;
    at_most(
        u64::from(stride),
        limits::ROW_DATA_BYTES_MAX,
        "Layer.data_stride",
    )?;
    let mut total = u64::from(stride) * u64::from(layer.tasks());
    if stride == 0 {
        for size in sizes.iter() {
            at_most(
                u64::from(size),
                limits::ROW_DATA_BYTES_MAX,
                "Layer.data_sizes",
            )?;
            total += u64::from(size);
        }
    }
    let data = payload(parts, layer.data_part(), 0, total, "Layer.data_part")?;
    let held = parts
        .get(usize::from(layer.data_part()))
        .map_or(0, |part| part.len());
    exact(held, data.len(), "Layer.data_part")?;
    Ok(Some(data))
}

fn read_inputs(layer: fb::Layer<'_>, flat: &mut Flat<'_>) -> Result<(), WireError> {
    tables(layer.inputs(), limits::INPUTS_PER_LAYER_MAX, "Layer.inputs")?;
    flat.inputs
        .extend(layer.inputs().into_iter().flatten().map(|input| InputSpec {
            layer: input.layer(),
            first: input.first(),
            part: input.part(),
            broadcast: input.broadcast(),
            count: input.count(),
        }));
    Ok(())
}

fn read_keys<'a>(layer: fb::Layer<'a>, flat: &mut Flat<'a>) -> Result<(), WireError> {
    let rows = u32s(layer.key_rows());
    exact(
        rows.len(),
        layer.keys().map_or(0, |keys| keys.len()),
        "Layer.keys",
    )?;
    if let Some(at) = rows.iter().position(|row| row >= layer.tasks()) {
        return Err(WireError::protocol(
            "Layer.key_rows",
            at as u64,
            "names a row that is not there",
        ));
    }
    for key in layer.keys().into_iter().flatten() {
        at_most(key.len() as u64, limits::KEY_BYTES_MAX, "Layer.keys")?;
        flat.keys.push(key);
    }
    Ok(())
}

fn check_edges(spec: &LayerSpec<'_>, rows: usize) -> Result<(), WireError> {
    let edges = spec.dep_indices.len();
    length(spec.dep_layers.len(), edges, "Layer.dep_layers")?;
    length(spec.dep_parts.len(), edges, "Layer.dep_parts")?;
    if spec.dep_offsets.is_empty() {
        return exact(edges, 0, "Layer.dep_indices");
    }
    exact(spec.dep_offsets.len(), rows + 1, "Layer.dep_offsets")?;
    ascending(spec.dep_offsets, edges)
}

/// Offsets begin at 0, never fall, end at `edges`, and no row has too many.
fn ascending(offsets: U32s<'_>, edges: usize) -> Result<(), WireError> {
    let mut last = 0;
    for (at, offset) in offsets.iter().enumerate() {
        if offset < last || (at == 0 && offset != 0) {
            return Err(WireError::protocol(
                "Layer.dep_offsets",
                at as u64,
                "do not ascend from 0",
            ));
        }
        at_most(
            u64::from(offset - last),
            limits::DEPS_PER_TASK_MAX,
            "Layer.dep_offsets",
        )?;
        last = offset;
    }
    exact(edges, last as usize, "Layer.dep_indices")
}
