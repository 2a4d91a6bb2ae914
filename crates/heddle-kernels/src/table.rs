//! Partitions: one table as Arrow IPC stream bytes, each buffer 8-aligned within them.

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_buffer::{Buffer, MutableBuffer};
use arrow_ipc::reader::StreamDecoder;
use arrow_ipc::writer::StreamEncoder;
use arrow_schema::SchemaRef;
use arrow_select::concat::concat_batches;

use crate::error::{Result, damaged};

/// A table of these columns.
///
/// # Errors
/// `Internal` when the columns disagree with the schema or about their length.
pub fn table(
    schema: SchemaRef,
    columns: Vec<arrow_array::ArrayRef>,
    rows: usize,
) -> Result<RecordBatch> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(RecordBatch::try_new_with_options(
        schema, columns, &options,
    )?)
}

/// Arrow IPC stream of `table`, as pieces to write back to back. Column buffers are shared, not
/// copied.
///
/// # Errors
/// `Internal` when the encoder refuses the schema.
pub fn encode(table: &RecordBatch) -> Result<Vec<Buffer>> {
    let mut encoder = StreamEncoder::try_new(&table.schema())?;
    let mut pieces = encoder.encode(table)?;
    pieces.extend(encoder.finish()?);
    Ok(pieces)
}

/// Reads a partition; the bytes are validated, not trusted.
///
/// # Errors
/// `Internal` when they are damaged or cut short.
pub fn decode(bytes: &[u8]) -> Result<RecordBatch> {
    // One copy into aligned memory: a JavaScript view may start anywhere and is only borrowed.
    let mut aligned = MutableBuffer::with_capacity(bytes.len());
    aligned.extend_from_slice(bytes);
    let mut rest = Buffer::from(aligned);
    let mut decoder = StreamDecoder::new();
    let mut batches = Vec::new();
    while !rest.is_empty() {
        match decoder.decode(&mut rest)? {
            Some(batch) => batches.push(batch),
            None => break,
        }
    }
    decoder.finish()?;
    let schema = decoder.schema().ok_or_else(|| damaged("no schema"))?;
    match batches.len() {
        1 => Ok(batches.remove(0)),
        _ => Ok(concat_batches(&schema, &batches)?),
    }
}

/// Rows of a partition, read from the message headers alone.
///
/// # Errors
/// `Internal` when the bytes are damaged or cut short.
pub fn rows(bytes: &[u8]) -> Result<u64> {
    let mut at = 0_usize;
    let mut rows = 0_u64;
    loop {
        let word = |at: usize| -> Result<u32> {
            let chunk = bytes.get(at..at + 4).ok_or_else(|| damaged("cut short"))?;
            Ok(u32::from_le_bytes([chunk[0], chunk[1], chunk[2], chunk[3]]))
        };
        if word(at)? != u32::MAX {
            return Err(damaged("no message marker"));
        }
        let size = word(at + 4)? as usize;
        if size == 0 {
            return Ok(rows);
        }
        let header = bytes
            .get(at + 8..at + 8 + size)
            .ok_or_else(|| damaged("cut short"))?
            .to_vec();
        let message = arrow_ipc::root_as_message(&header).map_err(|e| damaged(&e.to_string()))?;
        if let Some(batch) = message.header_as_record_batch() {
            rows += u64::try_from(batch.length()).map_err(|_| damaged("negative length"))?;
        }
        let body = usize::try_from(message.bodyLength()).map_err(|_| damaged("negative size"))?;
        at = (at + 8 + size)
            .checked_add(body)
            .ok_or_else(|| damaged("size overflow"))?;
    }
}

/// First `count` rows.
#[must_use]
pub fn head(table: &RecordBatch, count: usize) -> RecordBatch {
    table.slice(0, count.min(table.num_rows()))
}

/// One table of several with the same columns.
///
/// # Errors
/// `Internal` when their columns differ.
pub fn concat(schema: &SchemaRef, tables: &[RecordBatch]) -> Result<RecordBatch> {
    Ok(concat_batches(schema, tables)?)
}
