//! The floor under throughput: Assign frames from a ROUTER to one worker's main thread and Done frames back. No engine,
//! no client, no lane; every frame is verified and every result looked at.

use std::time::{Duration, Instant};

use heddle_core::Event;
use heddle_core::id::{Incarnation, ProcId};
use heddle_core::out::AssignSection;
use heddle_net::{Batch, Config, Inbound, NetError, Part, PeerId, Router};
use heddle_wire::{Aligned, Encoder, Frame, Inbound as Meaning, Sender, decode};

const EPOCH: u32 = 1;
const PROC: u32 = 1;
const F64: u8 = 1;
/// Records of a frame and frames on their way: full batches, and enough of them that neither side waits.
const RECORDS_PER_FRAME: u32 = 256;
const FRAMES_IN_FLIGHT: u32 = 8;
/// How long the worker may be silent.
const PATIENCE: Duration = Duration::from_secs(20);

/// A ROUTER that one worker connects to.
#[derive(Debug)]
pub struct LoopFloor {
    router: Router,
    worker: Option<PeerId>,
    batch: Batch,
    aligned: Aligned,
    encoder: Encoder,
    section: AssignSection,
    /// Records sent in this run.
    sent: u32,
    /// Records answered in this run.
    answered: u32,
}

impl LoopFloor {
    /// Binds `address`.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub fn open(address: &str) -> Result<Self, NetError> {
        Ok(Self {
            router: Router::open(Config::bind(address.parse()?))?,
            worker: None,
            batch: Batch::new(),
            aligned: Aligned::new(),
            encoder: Encoder::new(EPOCH),
            section: AssignSection {
                lane_epoch: 1,
                serial: 1,
                count: RECORDS_PER_FRAME,
                data_stride: 8,
                ..AssignSection::default()
            },
            sent: 0,
            answered: 0,
        })
    }

    /// Sends at least `records` records and receives all answers; gives how many there were. The worker's first
    /// message, of any content, opens the loop.
    ///
    /// # Errors
    /// In words, when the worker is silent for long, goes away, or answers with anything but what was sent to it.
    pub fn run(&mut self, records: u32) -> Result<u32, String> {
        (self.sent, self.answered) = (0, 0);
        let mut heard = Instant::now();
        if self.worker.is_some() {
            self.fill(records)?;
        }
        while self.sent < records || self.answered < self.sent {
            self.router
                .poll(Duration::from_millis(100))
                .map_err(|error| error.to_string())?;
            if self.receive()? {
                heard = Instant::now();
                self.fill(records)?;
            } else if heard.elapsed() > PATIENCE {
                return Err(format!(
                    "the worker is silent; it answered {} records",
                    self.answered
                ));
            }
        }
        Ok(self.answered)
    }

    /// Sends until enough frames are on their way.
    fn fill(&mut self, records: u32) -> Result<(), String> {
        while self.sent < records
            && self.sent - self.answered < FRAMES_IN_FLIGHT * RECORDS_PER_FRAME
        {
            self.send_frame()?;
        }
        Ok(())
    }

    fn send_frame(&mut self) -> Result<(), String> {
        let Some(worker) = self.worker else {
            return Err("no worker has connected".to_owned());
        };
        let section = &mut self.section;
        section.first = self.sent;
        section.data.clear();
        for row in self.sent..self.sent + RECORDS_PER_FRAME {
            section.data.extend(f64::from(row).to_le_bytes());
        }
        self.sent += RECORDS_PER_FRAME;
        let mut sent = Ok(());
        let (router, sections) = (&mut self.router, std::slice::from_ref(&*section));
        self.encoder
            .assign(ProcId(PROC), Incarnation(PROC), sections, |frame| {
                let mut parts: Vec<Part> = Vec::with_capacity(2);
                parts.push(Part::from_vec(frame.head));
                parts.extend(frame.payload.into_iter().map(Part::from_vec));
                sent = router.send(worker, &mut parts).map(drop);
            });
        sent.map_err(|error| error.to_string())
    }

    /// Receives what has come; gives whether anything had.
    fn receive(&mut self) -> Result<bool, String> {
        self.router
            .receive(&mut self.batch, 64, 4 << 20)
            .map_err(|error| error.to_string())?;
        let mut any = false;
        for inbound in self.batch.drain() {
            any = true;
            match inbound {
                Inbound::Message { peer, .. } if self.worker != Some(peer) => {
                    self.worker = Some(peer)
                }
                Inbound::Message { parts, .. } => {
                    self.answered += answers(parts, &mut self.aligned, self.sent)?;
                }
                Inbound::PeerGone { .. } | Inbound::Violation { .. } => {
                    return Err("the worker went away".to_owned());
                }
            }
        }
        Ok(any)
    }
}

/// Verifies a Done frame and compares each result with its row; gives the number of results.
fn answers(parts: &[Part], aligned: &mut Aligned, sent: u32) -> Result<u32, String> {
    let frame = Frame::open(parts, aligned).map_err(|error| error.to_string())?;
    decode(&frame, Sender::Worker(ProcId(PROC)), |meaning| {
        let Meaning::Event(Event::Done { sections, .. }) = meaning else {
            return Err("the worker sent something else than Done".to_owned());
        };
        let mut count = 0;
        for section in sections {
            let right = section.codec == F64
                && section.first + section.count <= sent
                && section.values.len() == 8 * section.count as usize
                && (section.first..)
                    .zip(section.values.chunks_exact(8))
                    .all(|(row, value)| value == f64::from(row).to_le_bytes());
            if !right {
                return Err(format!("wrong results for rows from {}", section.first));
            }
            count += section.count;
        }
        Ok(count)
    })
    .map_err(|error| error.to_string())?
}
