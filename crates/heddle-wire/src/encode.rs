//! What the scheduler sends. One builder is reused for all frames; a frame costs its own two allocations and
//! nothing per record.

use crate::assign;
use crate::error::WireError;
use crate::generated::protocol::{self as fb, Kind};
use crate::header::{HEADER_BYTES, Header};
use crate::session::{Heartbeat, Welcome};
use flatbuffers::{FlatBufferBuilder, WIPOffset};
use heddle_core::id::{FunctionSerial, Incarnation, LayerSerial, ProcId};
use heddle_core::limits;
use heddle_core::out::{AssignSection, FreeRuns, RetractSection};
use heddle_core::view::{FunctionView, LayerView, ProcView};

/// A frame ready to send: part 0 and the payload parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutFrame {
    /// Header and FlatBuffer.
    pub head: Vec<u8>,
    /// Payload parts.
    pub payload: Vec<Vec<u8>>,
}

/// Payload of one Assign frame at which the next begins: a worker starts on the first while the next is on its way.
const ASSIGN_PAYLOAD_BYTES: usize = 4 << 20;

/// Writes frames of one epoch.
pub struct Encoder {
    pub(crate) fbb: FlatBufferBuilder<'static>,
    epoch: u32,
}

impl core::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Encoder")
            .field("epoch", &self.epoch)
            .finish_non_exhaustive()
    }
}

impl Encoder {
    /// An encoder for the scheduler's epoch.
    pub fn new(epoch: u32) -> Self {
        Self {
            fbb: FlatBufferBuilder::with_capacity(16 << 10),
            epoch,
        }
    }

    /// The epoch its frames carry.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Ends the frame whose root was just written.
    pub(crate) fn finish<T>(
        &mut self,
        kind: Kind,
        root: WIPOffset<T>,
        payload: Vec<Vec<u8>>,
    ) -> OutFrame {
        self.fbb.finish_minimal(root);
        let payload_parts = payload.len() as u16;
        let header = Header {
            kind,
            epoch: self.epoch,
            payload_parts,
            crc: None,
        };
        let body = self.fbb.finished_data();
        let mut head = Vec::with_capacity(HEADER_BYTES + body.len());
        head.extend_from_slice(&header.to_bytes());
        head.extend_from_slice(body);
        self.fbb.reset();
        OutFrame { head, payload }
    }

    /// The answer to a hello.
    pub fn welcome(&mut self, welcome: &Welcome<'_>) -> OutFrame {
        let names: Vec<_> = welcome
            .capabilities
            .iter()
            .map(|name| self.fbb.create_string(name))
            .collect();
        let args = fb::WelcomeArgs {
            peer: welcome.peer,
            incarnation: welcome.incarnation,
            epoch: self.epoch,
            heartbeat_ms: welcome.heartbeat_ms,
            inline_bytes_max: welcome.inline_bytes_max,
            package_version: Some(self.fbb.create_string(welcome.package_version)),
            capabilities: (!names.is_empty()).then(|| self.fbb.create_vector(&names)),
            received: welcome.received as f64,
        };
        let root = fb::Welcome::create(&mut self.fbb, &args);
        self.finish(Kind::Welcome, root, Vec::new())
    }

    /// The peer is refused and dropped.
    pub fn reject(&mut self, code: &str, message: &str) -> OutFrame {
        let args = fb::RejectArgs {
            code: Some(self.fbb.create_string(code)),
            message: Some(self.fbb.create_string(message)),
        };
        let root = fb::Reject::create(&mut self.fbb, &args);
        self.finish(Kind::Reject, root, Vec::new())
    }

    /// The scheduler ends the connection, and why.
    pub fn bye(&mut self, reason: &str) -> OutFrame {
        let args = fb::ByeArgs {
            reason: Some(self.fbb.create_string(reason)),
            session: None,
        };
        let root = fb::Bye::create(&mut self.fbb, &args);
        self.finish(Kind::Bye, root, Vec::new())
    }

    /// A sign of life.
    pub fn heartbeat(&mut self, beat: &Heartbeat<'_>) -> OutFrame {
        let args = fb::HeartbeatArgs {
            peer: beat.peer,
            incarnation: beat.incarnation,
            loop_lag_us: beat.loop_lag_us,
            rss_bytes: beat.rss_bytes,
            stored_bytes: beat.stored_bytes,
            stored_values: beat.stored_values,
            fetched_bytes: beat.fetched_bytes,
            tasks_run: beat.tasks_run,
            cpu_compute_ns: beat.cpu_compute_ns,
            cpu_lane_ns: beat.cpu_lane_ns,
            cpu_main_ns: beat.cpu_main_ns,
            layers: beat.layers,
            received: beat.received,
            answered: beat.answered,
            ..Default::default()
        };
        let root = fb::Heartbeat::create(&mut self.fbb, &args);
        self.finish(Kind::Heartbeat, root, Vec::new())
    }

    /// The answer to a query; `body` is JSON.
    pub fn reply(&mut self, request: u32, body: &str) -> OutFrame {
        let args = fb::ReplyArgs {
            request,
            body: Some(self.fbb.create_string(body)),
        };
        let root = fb::Reply::create(&mut self.fbb, &args);
        self.finish(Kind::Reply, root, Vec::new())
    }

    /// Something a person should know; `cleared`: the matter is over.
    pub fn notice(&mut self, code: &str, message: &str, cleared: bool) -> OutFrame {
        let args = fb::NoticeArgs {
            code: Some(self.fbb.create_string(code)),
            message: Some(self.fbb.create_string(message)),
            cleared,
        };
        let root = fb::Notice::create(&mut self.fbb, &args);
        self.finish(Kind::Notice, root, Vec::new())
    }

    /// A frame of a graph was taken in: the serials of its layers.
    pub fn accepted(&mut self, graph: u32, layers: &[u32], serials: &[u32]) -> OutFrame {
        let args = fb::AcceptedArgs {
            graph,
            layers: Some(self.fbb.create_vector(layers)),
            serials: Some(self.fbb.create_vector(serials)),
        };
        let root = fb::Accepted::create(&mut self.fbb, &args);
        self.finish(Kind::Accepted, root, Vec::new())
    }

    /// A frame of a graph was refused; nothing of it exists.
    pub fn refused(
        &mut self,
        graph: u32,
        code: &str,
        message: &str,
        layer: u32,
        index: u32,
    ) -> OutFrame {
        let code = Some(self.fbb.create_string(code));
        let message = Some(self.fbb.create_string(message));
        let args = fb::RefusedArgs {
            graph,
            code,
            message,
            layer,
            index,
        };
        let root = fb::Refused::create(&mut self.fbb, &args);
        self.finish(Kind::Refused, root, Vec::new())
    }

    /// A function, before its first record on a proc.
    pub fn define_function(&mut self, function: &FunctionView<'_>) -> OutFrame {
        let args = fb::DefineFunctionArgs {
            function: function.serial.0,
            hash: Some(self.fbb.create_vector(function.hash)),
            name: Some(self.fbb.create_string(function.name)),
            body: Some(self.fbb.create_vector(function.body)),
        };
        let root = fb::DefineFunction::create(&mut self.fbb, &args);
        self.finish(Kind::DefineFunction, root, Vec::new())
    }

    /// What rows of a layer have in common, before its first record on a proc.
    pub fn define_layer(&mut self, layer: &LayerView<'_>) -> OutFrame {
        let args = fb::DefineLayerArgs {
            serial: layer.serial.0,
            function: layer.function,
            name: Some(self.fbb.create_string(layer.name)),
            template: layer.template.map(|bytes| self.fbb.create_vector(bytes)),
            data_codec: fb::Codec(layer.data_codec),
        };
        let root = fb::DefineLayer::create(&mut self.fbb, &args);
        self.finish(Kind::DefineLayer, root, Vec::new())
    }

    /// Addresses a worker will need, and procs that are gone.
    pub fn peers(&mut self, peers: &[ProcView<'_>], gone: &[ProcId]) -> OutFrame {
        let peers = self.write_peers(peers);
        let gone: Vec<u32> = gone.iter().map(|proc| proc.0).collect();
        let gone = (!gone.is_empty()).then(|| self.fbb.create_vector(&gone));
        let root = fb::Peers::create(&mut self.fbb, &fb::PeersArgs { peers, gone });
        self.finish(Kind::Peers, root, Vec::new())
    }

    pub(crate) fn write_peers(&mut self, peers: &[ProcView<'_>]) -> Option<PeersOffset> {
        if peers.is_empty() {
            return None;
        }
        let mut offsets = Vec::with_capacity(peers.len());
        for peer in peers {
            let args = fb::PeerArgs {
                proc_: peer.proc.0,
                incarnation: peer.incarnation.0,
                address: Some(self.fbb.create_string(peer.data_address)),
                host: Some(self.fbb.create_string(peer.host)),
            };
            offsets.push(fb::Peer::create(&mut self.fbb, &args));
        }
        Some(self.fbb.create_vector(&offsets))
    }

    /// Records to run, in as many frames as their payload asks for.
    pub fn assign(
        &mut self,
        proc: ProcId,
        incarnation: Incarnation,
        mut sections: &[AssignSection],
        mut emit: impl FnMut(OutFrame),
    ) {
        while !sections.is_empty() {
            let (mut take, mut bytes) = (0, 0);
            while take < sections.len().min(limits::SECTIONS_PER_FRAME_MAX)
                && (take == 0 || bytes < ASSIGN_PAYLOAD_BYTES)
            {
                bytes += assign::placed_bytes(&sections[take]);
                take += 1;
            }
            let (now, later) = sections.split_at(take);
            emit(self.assign_frame(proc, incarnation, now, bytes));
            sections = later;
        }
    }

    fn assign_frame(
        &mut self,
        proc: ProcId,
        incarnation: Incarnation,
        sections: &[AssignSection],
        payload_bytes: usize,
    ) -> OutFrame {
        let mut part = Vec::with_capacity(payload_bytes);
        let mut offsets = Vec::with_capacity(sections.len());
        for section in sections {
            let placed = assign::place(section, &mut part);
            offsets.push(assign::write(&mut self.fbb, section, placed));
        }
        let args = fb::AssignArgs {
            proc_: proc.0,
            incarnation: incarnation.0,
            sections: Some(self.fbb.create_vector(&offsets)),
        };
        let root = fb::Assign::create(&mut self.fbb, &args);
        let payload = if part.is_empty() {
            Vec::new()
        } else {
            vec![part]
        };
        self.finish(Kind::Assign, root, payload)
    }

    /// Records to take back.
    pub fn retract(
        &mut self,
        proc: ProcId,
        incarnation: Incarnation,
        sections: &[RetractSection],
    ) -> OutFrame {
        let mut offsets = Vec::with_capacity(sections.len());
        for section in sections {
            let args = fb::RetractSectionArgs {
                lane: section.lane,
                lane_epoch: section.lane_epoch,
                serial: section.serial,
                indices: Some(self.fbb.create_vector(&section.indices)),
                attempts: Some(self.fbb.create_vector(&section.attempts)),
                cancel: section.cancel,
            };
            offsets.push(fb::RetractSection::create(&mut self.fbb, &args));
        }
        let args = fb::RetractArgs {
            proc_: proc.0,
            incarnation: incarnation.0,
            sections: Some(self.fbb.create_vector(&offsets)),
        };
        let root = fb::Retract::create(&mut self.fbb, &args);
        self.finish(Kind::Retract, root, Vec::new())
    }

    /// Stored values to drop.
    pub fn free(&mut self, proc: ProcId, incarnation: Incarnation, runs: &FreeRuns) -> OutFrame {
        let args = fb::FreeArgs {
            proc_: proc.0,
            incarnation: incarnation.0,
            serials: Some(self.fbb.create_vector(&runs.serials)),
            starts: Some(self.fbb.create_vector(&runs.starts)),
            counts: Some(self.fbb.create_vector(&runs.counts)),
            attempts: Some(self.fbb.create_vector(&runs.attempts)),
        };
        let root = fb::Free::create(&mut self.fbb, &args);
        self.finish(Kind::Free, root, Vec::new())
    }

    /// Definitions to drop.
    pub fn forget(
        &mut self,
        proc: ProcId,
        incarnation: Incarnation,
        layers: &[LayerSerial],
        functions: &[FunctionSerial],
    ) -> OutFrame {
        let layers = self
            .fbb
            .create_vector_from_iter(layers.iter().map(|serial| serial.0));
        let functions = self
            .fbb
            .create_vector_from_iter(functions.iter().map(|serial| serial.0));
        let args = fb::ForgetArgs {
            proc_: proc.0,
            incarnation: incarnation.0,
            layers: Some(layers),
            functions: Some(functions),
        };
        let root = fb::Forget::create(&mut self.fbb, &args);
        self.finish(Kind::Forget, root, Vec::new())
    }
}

/// A written vector of peers.
pub(crate) type PeersOffset =
    WIPOffset<flatbuffers::Vector<'static, flatbuffers::ForwardsUOffset<fb::Peer<'static>>>>;

/// A frame too large to send.
pub(crate) fn check_size(bytes: usize, place: &'static str) -> Result<(), WireError> {
    match bytes <= limits::CONTROL_FRAME_BYTES_MAX {
        true => Ok(()),
        false => Err(WireError::limit(
            place,
            bytes as u64,
            "is larger than a frame may be",
        )),
    }
}
