//! Templates: a graph that is kept as it came, to be submitted again under other layer numbers. What a client says
//! of an instance is its parameters; the rest is read from the kept frame.

use heddle_core::column::U32s;
use heddle_core::event::{Event, FUNCTION_PER_ROW, InputSpec, LayerKind, LayerSpec, Submit};
use heddle_core::id::ClientId;
use heddle_core::limits;

use crate::check::{at_most, exact, one_way, payload, root, u32s};
use crate::error::WireError;
use crate::frame::{Aligned, Frame};
use crate::generated::protocol as fb;
use crate::graph;

/// Layer numbers from here on count from an instance's first.
const RELATIVE: u32 = 1 << 31;

/// What a client says of templates.
#[derive(Debug)]
pub enum TemplateFrame<'a> {
    /// Keep this graph.
    Define {
        /// Its client's number.
        template: u32,
        /// The number under which it is answered.
        graph: u32,
        /// The graph.
        kept: KeptGraph,
    },
    /// Submit a kept graph.
    Run(Instance<'a>),
    /// Forget a kept graph.
    Drop(u32),
}

/// Parameters of one instance.
#[derive(Clone, Copy, Debug)]
pub struct Instance<'a> {
    /// Which template.
    pub template: u32,
    /// The number under which it is answered.
    pub graph: u32,
    /// Number of the layer of the parameters, the first of the instance.
    pub layer: u32,
    codec: u8,
    stride: u32,
    sizes: U32s<'a>,
    data: &'a [u8],
}

/// A graph as it came.
#[derive(Debug)]
pub struct KeptGraph {
    body: Vec<u8>,
    payload: Vec<Vec<u8>>,
    params: u32,
    /// The highest of its layers' relative numbers.
    last: u32,
}

impl KeptGraph {
    /// Bytes it takes.
    pub fn bytes(&self) -> usize {
        self.body.len() + self.payload.iter().map(Vec::len).sum::<usize>()
    }

    /// Rows of the layer of parameters.
    pub fn params(&self) -> u32 {
        self.params
    }

    /// Hands the submission that an instance is to `then`.
    ///
    /// # Errors
    /// When the instance has other parameters than the template, or its layer numbers end nowhere.
    pub fn instance<R>(
        &self,
        client: ClientId,
        instance: &Instance<'_>,
        aligned: &mut Aligned,
        then: impl FnOnce(Event<'_>) -> R,
    ) -> Result<R, WireError> {
        let end = u64::from(instance.layer) + u64::from(self.last);
        at_most(end, RELATIVE as usize - 1, "Instantiate.layer")?;
        let body = aligned.copy(&self.body);
        let payload: Vec<&[u8]> = self.payload.iter().map(Vec::as_slice).collect();
        let table = root::<fb::Template<'_>>(body)?;
        graph::read_layers(table.layers(), &payload, |layers| {
            let params = self.parameters(instance)?;
            // Columns of layer numbers are written anew; the others stay where they are.
            let columns: Vec<Vec<u8>> = layers
                .iter()
                .map(|spec| shifted(spec.dep_layers, instance.layer))
                .collect();
            let inputs: Vec<Vec<InputSpec>> = layers
                .iter()
                .map(|spec| shifted_inputs(spec.inputs, instance.layer))
                .collect();
            let mut all = Vec::with_capacity(1 + layers.len());
            all.extend((self.params > 0).then_some(params));
            for ((spec, column), inputs) in layers.iter().zip(&columns).zip(&inputs) {
                all.push(LayerSpec {
                    layer: absolute(spec.layer, instance.layer),
                    dep_layer: absolute(spec.dep_layer, instance.layer),
                    dep_layers: U32s::new(column),
                    inputs,
                    ..*spec
                });
            }
            Ok(then(Event::GraphSubmitted(Submit {
                client,
                graph: instance.graph,
                layers: &all,
            })))
        })?
    }

    fn parameters<'a>(&self, instance: &Instance<'a>) -> Result<LayerSpec<'a>, WireError> {
        let rows = self.params as usize;
        if instance.stride == 0 {
            exact(instance.sizes.len(), rows, "Instantiate.data_sizes")?;
        }
        let sizes: u64 = instance.sizes.iter().map(u64::from).sum();
        let bytes = u64::from(instance.stride) * rows as u64 + sizes;
        exact(instance.data.len(), bytes as usize, "Instantiate")?;
        Ok(LayerSpec {
            layer: instance.layer,
            kind: LayerKind::Data,
            tasks: self.params,
            name: "parameters",
            function: FUNCTION_PER_ROW,
            data_codec: instance.codec,
            data_stride: instance.stride,
            data_sizes: instance.sizes,
            data: Some(instance.data),
            ..LayerSpec::default()
        })
    }
}

fn absolute(number: u32, first: u32) -> u32 {
    if number < RELATIVE {
        number
    } else {
        number - RELATIVE + first
    }
}

fn shifted(column: U32s<'_>, first: u32) -> Vec<u8> {
    let numbers = column.iter().map(|number| absolute(number, first));
    numbers.flat_map(u32::to_le_bytes).collect()
}

fn shifted_inputs(inputs: &[InputSpec], first: u32) -> Vec<InputSpec> {
    let shift = |input: &InputSpec| InputSpec {
        layer: absolute(input.layer, first),
        ..*input
    };
    inputs.iter().map(shift).collect()
}

pub(crate) fn define<'a>(frame: &Frame<'_>) -> Result<TemplateFrame<'a>, WireError> {
    let table = root::<fb::Template<'_>>(frame.body)?;
    at_most(
        u64::from(table.params()),
        limits::DEPS_PER_TASK_MAX,
        "Template.params",
    )?;
    let last = graph::read_layers(table.layers(), &frame.payload, |layers| {
        let mut last = RELATIVE;
        for (place, spec) in layers.iter().enumerate() {
            let names = spec.inputs.iter().map(|input| input.layer);
            let mut names = names.chain(spec.dep_layers.iter()).chain([spec.dep_layer]);
            let most = RELATIVE + limits::LAYERS_PER_SUBMIT_MAX as u32;
            if spec.layer <= last || spec.layer >= most || names.any(|number| number >= most) {
                return Err(WireError::protocol(
                    "Template.layers",
                    place as u64,
                    "has a number that is not an ascending one of this template",
                ));
            }
            last = spec.layer;
        }
        Ok(last - RELATIVE)
    })??;
    Ok(TemplateFrame::Define {
        template: table.template(),
        graph: table.graph(),
        kept: KeptGraph {
            body: frame.body.to_vec(),
            payload: frame.payload.iter().map(|part| part.to_vec()).collect(),
            params: table.params(),
            last,
        },
    })
}

pub(crate) fn instantiate<'a>(frame: &Frame<'a>) -> Result<TemplateFrame<'a>, WireError> {
    let table = root::<fb::Instantiate<'a>>(frame.body)?;
    if table.data_codec().variant_name().is_none() {
        return Err(WireError::protocol(
            "Instantiate.data_codec",
            u64::from(table.data_codec().0),
            "is unknown",
        ));
    }
    let (stride, sizes) = (table.data_stride(), u32s(table.data_sizes()));
    one_way(stride, sizes, "Instantiate.data_stride")?;
    let most = limits::INLINE_BYTES_MAX;
    at_most(u64::from(stride), most, "Instantiate.data_stride")?;
    for size in sizes.iter() {
        at_most(u64::from(size), most, "Instantiate.data_sizes")?;
    }
    let held = frame.payload.first().map_or(0, |part| part.len());
    let data = match held {
        0 => &[][..],
        _ => payload(&frame.payload, 0, 0, held as u64, "Instantiate")?,
    };
    Ok(TemplateFrame::Run(Instance {
        template: table.template(),
        graph: table.graph(),
        layer: table.layer(),
        codec: table.data_codec().0,
        stride,
        sizes,
        data,
    }))
}

pub(crate) fn drop_template<'a>(frame: &Frame<'_>) -> Result<TemplateFrame<'a>, WireError> {
    Ok(TemplateFrame::Drop(
        root::<fb::DropTemplate<'_>>(frame.body)?.template(),
    ))
}
